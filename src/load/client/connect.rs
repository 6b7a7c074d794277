//! Opening a connection to a pinned address or a socket file, within its limits.
//!
//! Every address of an origin is tried in turn, the one that last worked first. Not here: resolving and vouching (the caller
//! pins), TLS (`tls`), sharing (`pool`).

use std::cell::Cell;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream, UnixStream};

use super::failure::{self, Failure, within};
use super::line::Plain;
use super::resolve::{self, Addresses};
use crate::base::stop::Stop;
use crate::load::pace::Limits;
use crate::measure::outcome::Kind;
use crate::plan::load::{Client, Origin, Via};

/// Where one origin is reached.
#[derive(Debug)]
pub struct Peer {
    place: Place,
    /// Our own addresses, used in turn.
    sources: Vec<IpAddr>,
    turn: Cell<usize>,
}

#[derive(Debug)]
enum Place {
    /// Addresses, and the index of the one that last worked.
    Network(Box<Addresses>, Cell<usize>),
    File(PathBuf),
}

impl Peer {
    /// Where `origin` is reached by `client`; what its guard forbids requests `stop`.
    pub fn new(origin: &Origin, client: &Client, stop: &Stop) -> Self {
        let place = match &origin.via {
            Some(Via::Unix(path)) => Place::File(path.clone()),
            Some(Via::Address(_)) | None => {
                let addresses = Addresses::new(origin, client, (stop, resolve::system));
                Place::Network(Box::new(addresses), Cell::new(0))
            }
        };
        Self { place, sources: client.wires.source.clone(), turn: Cell::new(0) }
    }

    /// Opens a connection within `most`, with a window so wide (`None`: the system's); all addresses together share that time.
    pub async fn open(&self, limits: &mut Limits<'_>, most: Duration, window: Option<u32>) -> Result<Plain, Failure> {
        let (addresses, good) = match &self.place {
            Place::File(path) => {
                limits.begin(most);
                let opened = within(UnixStream::connect(path), limits, Kind::ConnectTimeout).await;
                return match opened.map_err(Failure::early)? {
                    Ok(stream) => Ok(Plain::Unix(stream)),
                    Err(error) => Err(Failure::early(failure::connecting(&error))),
                };
            }
            Place::Network(addresses, good) => (addresses, good),
        };
        let addresses = addresses.all(limits).await?;
        limits.begin(most);
        let mut why = Kind::Resolve;
        for turn in 0..addresses.len() {
            let index = (good.get() + turn) % addresses.len();
            let address = addresses[index];
            let from = self.source_for(address);
            let opened = match window {
                None => within(reach(address, from), limits, Kind::ConnectTimeout).await,
                Some(window) => within(bound(address, from, Some(window)), limits, Kind::ConnectTimeout).await,
            };
            match opened.map_err(Failure::early)? {
                Ok(stream) => {
                    good.set(index);
                    return Ok(Plain::Tcp(stream));
                }
                Err(error) => why = failure::connecting(&error),
            }
        }
        Err(Failure::early(why))
    }

    /// The next of our own addresses of the same family.
    fn source_for(&self, address: SocketAddr) -> Option<IpAddr> {
        let fitting = || self.sources.iter().filter(|own| own.is_ipv4() == address.is_ipv4());
        let turn = self.turn.replace(self.turn.get().wrapping_add(1));
        fitting().nth(turn.checked_rem(fitting().count())?).copied()
    }
}

/// Connects from `source`, or from where the system likes.
pub async fn reach(address: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let stream = match source {
        None => TcpStream::connect(address).await?,
        Some(_) => bound(address, source, None).await?,
    };
    // A request is one small packet; waiting for more would be measured as the server's time. The option cannot fail on an
    // open TCP socket, and a request is measured either way.
    drop(stream.set_nodelay(true));
    Ok(stream)
}

/// Connects from `source` with a window so wide.
async fn bound(address: SocketAddr, source: Option<IpAddr>, window: Option<u32>) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(bytes) = window {
        socket.set_recv_buffer_size(bytes)?;
    }
    if let Some(own) = source {
        socket.bind(SocketAddr::new(own, 0))?;
    }
    socket.connect(address).await
}
