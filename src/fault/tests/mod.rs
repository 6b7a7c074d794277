//! The fault proxy over loopback sockets. Time is moved by hand wherever an instant is asserted.
//!
//! Here: the proxy before a listener that the test serves. The tests are in `toxics`, `healing` and `paths`.

mod healing;
mod paths;
mod toxics;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use super::*;
use crate::base::clock::{Clock, Manual};
use crate::base::ratio::Ratio;
use crate::base::seed::Seed;
use crate::plan::fault::rule::Speaks;
use crate::plan::fault::{Data, Ending, Existing, Fault, Outage, Side, Silence, Toxic};

/// No test takes this long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);
const LEASE: Duration = Duration::from_secs(5);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

const fn latency(millis: u64) -> Toxic {
    Toxic::latency(Duration::from_millis(millis))
}

const RESET: Toxic = Toxic::ResetPeer { after: Duration::ZERO, data: Data::Pass, grace: Duration::from_millis(50) };

fn fault(name: &str, inject: Toxic, side: Side) -> Fault {
    Fault {
        name: name.into(),
        on: "db".into(),
        inject: inject.into(),
        side,
        share: Ratio::ONE,
        lasts: None,
        envelope: Box::default(),
    }
}

/// A proxy called `db` before a listener that the test serves.
struct Rig {
    proxies: Proxies,
    address: SocketAddr,
    upstream: TcpListener,
    hand: Manual,
}

impl Rig {
    async fn new() -> Self {
        Self::with(NonZeroUsize::MIN, vec![]).await
    }

    async fn with(workers: NonZeroUsize, base: Vec<(Toxic, Side)>) -> Self {
        let (clock, hand) = Clock::manual();
        let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxies = Proxies::start_with(clock, Seed(1), workers).unwrap();
        let address = proxies.add(spec(upstream.local_addr().unwrap(), base)).await.unwrap();
        Self { proxies, address, upstream, hand }
    }

    /// A connection through the proxy: the client's end and the server's, with both known to the proxy.
    async fn pair(&self) -> (TcpStream, TcpStream) {
        let before = self.proxies.connections("db");
        let client = TcpStream::connect(self.address).await.unwrap();
        let (server, _) = self.upstream.accept().await.unwrap();
        eventually(|| self.proxies.connections("db") > before).await;
        (client, server)
    }

    /// No connection is left: else a later [`Rig::pair`] could take an old one's end for its own beginning.
    async fn emptied(&self) {
        eventually(|| self.proxies.connections("db") == 0).await;
    }

    async fn inject(&self, inject: Toxic, side: Side) -> Injection {
        self.proxies.inject(fault("act", inject, side), LEASE).await.unwrap()
    }

    fn seen(&self) -> FaultStats {
        self.proxies.stats("act").unwrap()
    }

    /// The workers have done what could be done at this instant: they have answered a later command, and their tasks
    /// have run since.
    async fn settled(&self) {
        for _ in 0..3 {
            let probe = fault("settled", latency(0), Side::Both);
            self.proxies.inject(probe, LEASE).await.unwrap().heal().await;
        }
    }
}

fn spec(upstream: SocketAddr, base: Vec<(Toxic, Side)>) -> ProxySpec {
    ProxySpec {
        name: "db".into(),
        listen: "127.0.0.1:0".parse().unwrap(),
        upstream,
        dial_timeout: Duration::from_secs(2),
        buffer: 1 << 20,
        base,
        speaks: Speaks::default(),
    }
}

async fn eventually(mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, wait).await.expect("what was waited for never came");
}

/// What comes next: so many bytes, the end (0), or an error.
async fn next(stream: &mut TcpStream) -> Result<Vec<u8>, ErrorKind> {
    let mut bytes = vec![0; 64];
    let read = timeout(PATIENCE, stream.read(&mut bytes)).await.expect("nothing came");
    read.map(|n| bytes[..n].to_vec()).map_err(|error| error.kind())
}

fn nothing_came(stream: &TcpStream) -> bool {
    matches!(stream.try_read(&mut [0; 8]), Err(error) if error.kind() == ErrorKind::WouldBlock)
}

async fn echo_once(client: &mut TcpStream, server: &mut TcpStream) {
    client.write_all(b"ask").await.unwrap();
    assert_eq!(next(server).await, Ok(b"ask".to_vec()));
    server.write_all(b"answer").await.unwrap();
    assert_eq!(next(client).await, Ok(b"answer".to_vec()));
}
