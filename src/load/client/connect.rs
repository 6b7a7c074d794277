//! Opening a connection to a pinned address, within its limits.
//!
//! Every address of an origin is tried in turn, the one that last worked first. Not here: resolving and vouching (the caller
//! pins), sharing (`pool`).

use std::cell::Cell;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::net::TcpStream;

use super::failure::{self, Failure};
use crate::load::pace::{Limits, Passed};
use crate::measure::outcome::Kind;

/// Where one origin is reached.
#[derive(Debug)]
pub struct Peer {
    addresses: Vec<SocketAddr>,
    /// Index of the address that last worked.
    good: Cell<usize>,
}

impl Peer {
    /// An origin at `addresses`.
    pub fn new(addresses: Vec<SocketAddr>) -> Self {
        Self { addresses, good: Cell::new(0) }
    }

    /// Opens a connection within `most`; all addresses together share that time.
    pub async fn open(&self, limits: &mut Limits<'_>, most: Duration) -> Result<TcpStream, Failure> {
        limits.begin(limits.now(), most);
        let mut why = Kind::Resolve;
        for turn in 0..self.addresses.len() {
            let index = (self.good.get() + turn) % self.addresses.len();
            match reach(self.addresses[index], limits).await {
                Ok(stream) => {
                    self.good.set(index);
                    return Ok(stream);
                }
                Err(kind @ (Kind::Unfinished | Kind::TimeoutTotal | Kind::ConnectTimeout)) => {
                    return Err(Failure::early(kind));
                }
                Err(kind) => why = kind,
            }
        }
        Err(Failure::early(why))
    }
}

async fn reach(address: SocketAddr, limits: &mut Limits<'_>) -> Result<TcpStream, Kind> {
    let mut connecting = pin!(TcpStream::connect(address));
    let stream = poll_fn(|cx| {
        if let Poll::Ready(result) = connecting.as_mut().poll(cx) {
            return Poll::Ready(result.map_err(|error| failure::connecting(&error)));
        }
        match limits.passed(cx) {
            Some(Passed::Cut) => Poll::Ready(Err(Kind::Unfinished)),
            Some(Passed::Total) => Poll::Ready(Err(Kind::TimeoutTotal)),
            Some(Passed::Phase) => Poll::Ready(Err(Kind::ConnectTimeout)),
            None => Poll::Pending,
        }
    })
    .await?;
    // A request is one small packet; waiting for more would be measured as the server's time. The option cannot fail on an
    // open TCP socket, and a request is measured either way.
    drop(stream.set_nodelay(true));
    Ok(stream)
}
