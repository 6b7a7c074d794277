//! The fault proxy over loopback sockets. Time is moved by hand wherever an instant is asserted.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::*;
use crate::base::clock::{Clock, Manual};
use crate::base::ratio::Ratio;
use crate::base::seed::Seed;
use crate::plan::fault::{Fault, Side, Toxic};

/// No test takes this long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);
const LEASE: Duration = Duration::from_secs(5);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

const fn latency(millis: u64) -> Toxic {
    Toxic::Latency { time: Duration::from_millis(millis), jitter: Duration::ZERO }
}

const RESET: Toxic = Toxic::ResetPeer { after: Duration::ZERO, grace: Duration::from_millis(50) };

fn fault(name: &str, inject: Toxic, side: Side) -> Fault {
    Fault { name: name.into(), on: "db".into(), inject, side, share: Ratio::ONE, lasts: None }
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

#[tokio::test]
async fn a_half_closed_client_still_gets_its_whole_answer() {
    for base in [vec![], vec![(latency(0), Side::Both)]] {
        let rig = Rig::with(NonZeroUsize::MIN, base).await;
        let (mut client, mut server) = rig.pair().await;
        client.write_all(b"ask").await.unwrap();
        client.shutdown().await.unwrap();
        let mut asked = Vec::new();
        server.read_to_end(&mut asked).await.unwrap();
        assert_eq!(asked, b"ask");
        let answer: Vec<u8> = (0..3_000_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let mut got = Vec::new();
        let (sent, read) = tokio::join!(
            async {
                server.write_all(&answer).await?;
                server.shutdown().await
            },
            timeout(PATIENCE, client.read_to_end(&mut got))
        );
        sent.unwrap();
        read.unwrap().unwrap();
        assert!(got == answer, "{} of {} bytes, or other ones", got.len(), answer.len());
        eventually(|| rig.proxies.connections("db") == 0).await;
        rig.proxies.shutdown().await;
    }
}

#[tokio::test]
async fn a_reset_reaches_both_peers_of_new_existing_and_idle_connections() {
    let rig = Rig::new().await;
    let (mut client, mut server) = rig.pair().await;
    echo_once(&mut client, &mut server).await;
    let (mut idle_client, mut idle_server) = rig.pair().await;
    let injection = rig.inject(RESET, Side::Downstream).await;
    for peer in [&mut client, &mut server, &mut idle_client, &mut idle_server] {
        assert_eq!(next(peer).await, Err(ErrorKind::ConnectionReset));
    }
    let (mut new_client, mut new_server) = rig.pair().await;
    new_client.write_all(b"hello").await.unwrap();
    assert_eq!(next(&mut new_client).await, Err(ErrorKind::ConnectionReset));
    assert_eq!(next(&mut new_server).await, Err(ErrorKind::ConnectionReset));
    let (mut silent_client, mut silent_server) = rig.pair().await;
    rig.settled().await;
    assert!(nothing_came(&silent_client), "a silent client has its grace");
    rig.hand.advance(ms(50));
    assert_eq!(next(&mut silent_client).await, Err(ErrorKind::ConnectionReset));
    assert_eq!(next(&mut silent_server).await, Err(ErrorKind::ConnectionReset));
    let seen = rig.seen();
    assert_eq!((seen.considered, seen.touched, seen.cut), (4, 4, 4));
    assert!(injection.heal().await.verified);
    let (mut client, mut server) = rig.pair().await;
    echo_once(&mut client, &mut server).await;
}

#[tokio::test]
async fn writes_at_0_and_100_ms_under_200_ms_latency_arrive_at_200_and_300_ms() {
    let rig = Rig::new().await;
    let (mut client, server) = rig.pair().await;
    let injection = rig.inject(latency(200), Side::Upstream).await;
    client.write_all(b"first").await.unwrap();
    eventually(|| rig.seen().parcels == 1).await;
    rig.hand.advance(ms(100));
    client.write_all(b"second").await.unwrap();
    eventually(|| rig.seen().parcels == 2).await;
    let mut server = server;
    for (wait, text) in [(100, b"first".to_vec()), (100, b"second".to_vec())] {
        rig.hand.advance(ms(wait) - Duration::from_nanos(1));
        rig.settled().await;
        assert!(nothing_came(&server), "not a nanosecond early");
        rig.hand.advance(Duration::from_nanos(1));
        assert_eq!(next(&mut server).await, Ok(text));
    }
    let drawn = rig.seen().drawn;
    assert_eq!((drawn.count, drawn.mean(), drawn.longest), (2, ms(200), ms(200)));
    assert!(injection.heal().await.verified);
}

#[tokio::test]
async fn a_timeout_of_300_ms_closes_at_300_ms_although_data_comes_every_200_ms() {
    let rig = Rig::new().await;
    let (mut client, mut server) = rig.pair().await;
    let _injection = rig.inject(Toxic::Timeout { after: ms(300) }, Side::Downstream).await;
    server.write_all(b"12345").await.unwrap();
    eventually(|| rig.seen().swallowed == 5).await;
    rig.hand.advance(ms(200));
    server.write_all(b"12345").await.unwrap();
    eventually(|| rig.seen().swallowed == 10).await;
    rig.hand.advance(ms(99));
    rig.settled().await;
    assert!(nothing_came(&client) && nothing_came(&server));
    rig.hand.advance(ms(1));
    assert_eq!(next(&mut client).await, Ok(vec![]));
    assert_eq!(next(&mut server).await, Ok(vec![]));
    assert_eq!((rig.seen().cut, rig.proxies.connections("db")), (1, 0));
}

#[tokio::test]
async fn a_timeout_that_swallowed_bytes_cuts_those_connections_when_it_heals() {
    let rig = Rig::new().await;
    let (mut client, mut server) = rig.pair().await;
    let (mut other_client, mut other_server) = rig.pair().await;
    let injection = rig.inject(Toxic::Timeout { after: Duration::ZERO }, Side::Downstream).await;
    server.write_all(b"12345").await.unwrap();
    eventually(|| rig.seen().swallowed == 5).await;
    let healed = injection.heal().await;
    assert!(healed.verified);
    assert_eq!(next(&mut client).await, Ok(vec![]));
    assert_eq!(next(&mut server).await, Ok(vec![]));
    echo_once(&mut other_client, &mut other_server).await;
    let seen = rig.seen();
    assert_eq!((seen.considered, seen.touched, seen.untouched.idle, seen.cut), (2, 1, 1, 1));
}

#[tokio::test]
async fn a_lease_that_nobody_renews_heals_and_the_connection_survives() {
    let rig = Rig::new().await;
    let (mut client, mut server) = rig.pair().await;
    let _injection = rig.inject(latency(60_000), Side::Both).await;
    client.write_all(b"ask").await.unwrap();
    eventually(|| rig.seen().parcels == 1).await;
    rig.hand.advance(ms(4_000));
    rig.proxies.renew("act", LEASE).await.unwrap();
    rig.hand.advance(ms(4_999));
    rig.settled().await;
    assert!(rig.proxies.is_active("act") && nothing_came(&server));
    rig.hand.advance(ms(1));
    assert_eq!(next(&mut server).await, Ok(b"ask".to_vec()), "what was held leaves at once");
    server.write_all(b"answer").await.unwrap();
    assert_eq!(next(&mut client).await, Ok(b"answer".to_vec()));
    assert!(!rig.proxies.is_active("act"));
    assert!(matches!(rig.proxies.renew("act", LEASE).await, Err(FaultError::LeaseOver { .. })));
}

#[tokio::test]
async fn a_stalled_reader_delays_no_healing() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxies = Proxies::start(Clock::start(), Seed(1)).unwrap();
    let address = proxies.add(spec(upstream.local_addr().unwrap(), vec![])).await.unwrap();
    for inject in [latency(1), Toxic::Timeout { after: Duration::ZERO }] {
        let mut stalled = Vec::new();
        for _ in 0..20 {
            let client = TcpStream::connect(address).await.unwrap();
            let (mut server, _) = upstream.accept().await.unwrap();
            // The client never reads: every buffer on the way fills up.
            let writer = tokio::spawn(async move { server.write_all(&vec![7; 64 << 20]).await });
            stalled.push((client, writer));
        }
        eventually(|| proxies.connections("db") >= 20).await;
        proxies.inject(fault("act", inject, Side::Both), LEASE).await.map(std::mem::forget).unwrap();
        let healed = proxies.heal_all().await;
        assert_eq!(healed.len(), 1);
        assert!(healed[0].verified && healed[0].took < Duration::from_secs(2), "{healed:?}");
        stalled.iter().for_each(|(_, writer)| writer.abort());
    }
    timeout(PATIENCE, proxies.shutdown()).await.unwrap();
}

#[tokio::test]
async fn an_upstream_that_refuses_gives_the_client_an_end_of_file() {
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let proxies = Proxies::start(Clock::start(), Seed(1)).unwrap();
    let address = proxies.add(spec(dead, vec![])).await.unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    assert_eq!(next(&mut client).await, Ok(vec![]));
    let taken = proxies.add(ProxySpec { name: "twin".into(), listen: address, ..spec(dead, vec![]) }).await;
    assert!(matches!(taken, Err(FaultError::Listen { .. })), "{taken:?}");
}

#[tokio::test]
async fn a_reset_by_a_peer_is_handed_on_as_a_reset() {
    let rig = Rig::new().await;
    for from_client in [true, false] {
        let (mut client, mut server) = rig.pair().await;
        echo_once(&mut client, &mut server).await;
        let (peer, mut other) = if from_client { (client, server) } else { (server, client) };
        peer.set_zero_linger().unwrap();
        drop(peer);
        assert_eq!(next(&mut other).await, Err(ErrorKind::ConnectionReset));
    }
    eventually(|| rig.proxies.connections("db") == 0).await;
}

#[tokio::test]
async fn the_distance_of_a_path_is_there_from_the_first_byte_and_survives_healing() {
    let rig = Rig::with(NonZeroUsize::MIN, vec![(latency(4), Side::Downstream)]).await;
    let (mut client, mut server) = rig.pair().await;
    for _ in 0..2 {
        client.write_all(b"ask").await.unwrap();
        assert_eq!(next(&mut server).await, Ok(b"ask".to_vec()));
        server.write_all(b"answer").await.unwrap();
        // The answer's arrival at the proxy is not visible from here: it may be read up to the moment the clock moves.
        rig.settled().await;
        assert!(nothing_came(&client));
        let (clock_moves, answer) = tokio::join!(
            async {
                for _ in 0..8 {
                    rig.hand.advance(ms(1));
                    rig.settled().await;
                }
            },
            next(&mut client)
        );
        let () = clock_moves;
        assert_eq!(answer, Ok(b"answer".to_vec()));
        assert!(rig.proxies.heal_all().await.is_empty());
    }
}

#[tokio::test]
async fn a_dropped_guard_withdraws_its_fault_and_no_later_one() {
    let rig = Rig::new().await;
    let (mut client, mut server) = rig.pair().await;
    let guard = rig.inject(latency(60_000), Side::Both).await;
    rig.proxies.heal("act").await.unwrap();
    let second = rig.inject(latency(60_000), Side::Both).await;
    drop(guard);
    assert!(rig.proxies.is_active("act"));
    drop(second);
    assert!(!rig.proxies.is_active("act"));
    echo_once(&mut client, &mut server).await;
    assert!(rig.proxies.heal("act").await.unwrap().verified);
    assert!(matches!(rig.proxies.heal("atc").await, Err(FaultError::UnknownFault { .. })));
}

#[tokio::test]
async fn connections_are_dealt_to_all_workers_and_faults_reach_every_one() {
    let rig = Rig::with(NonZeroUsize::new(3).unwrap(), vec![]).await;
    let mut pairs = Vec::new();
    for _ in 0..7 {
        let (mut client, mut server) = rig.pair().await;
        echo_once(&mut client, &mut server).await;
        pairs.push((client, server));
    }
    let injection = rig.inject(RESET, Side::Both).await;
    for (client, server) in &mut pairs {
        assert_eq!(next(client).await, Err(ErrorKind::ConnectionReset));
        assert_eq!(next(server).await, Err(ErrorKind::ConnectionReset));
    }
    assert_eq!(rig.seen().touched, 7);
    assert!(injection.heal().await.verified);
}

#[tokio::test]
async fn shutdown_ends_listeners_and_connections_and_later_calls_say_so() {
    let rig = Rig::new().await;
    let (mut client, mut server) = rig.pair().await;
    let other = rig.proxies.clone();
    timeout(PATIENCE, rig.proxies.shutdown()).await.unwrap();
    assert_eq!(next(&mut client).await, Ok(vec![]));
    assert_eq!(next(&mut server).await, Ok(vec![]));
    assert_eq!(other.connections("db"), 0);
    let refused = other.inject(fault("late", latency(1), Side::Both), LEASE).await;
    assert!(matches!(refused, Err(FaultError::Stopped)));
    assert!(TcpStream::connect(rig.address).await.is_err());
}

#[tokio::test]
async fn latency_on_the_real_clock_is_never_short() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let clock = Clock::start();
    let proxies = Proxies::start(clock.clone(), Seed(1)).unwrap();
    let base = vec![(latency(4), Side::Downstream)];
    let address = proxies.add(spec(upstream.local_addr().unwrap(), base)).await.unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    let (mut server, _) = upstream.accept().await.unwrap();
    let mut late = Vec::new();
    for _ in 0..100 {
        let sent = clock.now();
        server.write_all(b"answer").await.unwrap();
        assert_eq!(next(&mut client).await, Ok(b"answer".to_vec()));
        late.push(clock.now().since(sent));
    }
    late.sort();
    assert!(late[0] >= ms(4), "{:?}", late[0]);
    // Generous: the machine may be busy. A quiet core shows about 0.1 ms above the target.
    assert!(late[50] < ms(30), "{:?}", late[50]);
    println!("4 ms asked; p1 {:?}, p50 {:?}, p99 {:?}", late[0], late[50], late[98]);
}
