//! Accepts connections and gives each a thread of its own, so that a statement that waits for SQLite blocks nobody else.
//!
//! Called by `Embedded::start`; ends, with all its threads, when the stop word is said.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener, TcpStream as StdStream};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use pgwire::tokio::process_socket;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder as RuntimeBuilder, Runtime};

use super::Depot;
use super::protocol::Handlers;
use super::session::Session;
use crate::base::stop::Stop;

fn runtime() -> io::Result<Runtime> {
    RuntimeBuilder::new_current_thread().enable_all().build()
}

/// Listens on `address`; gives the address it got and the thread to join after the stop.
pub(super) fn start(address: SocketAddr, depot: Depot, stop: Stop) -> io::Result<(SocketAddr, JoinHandle<()>)> {
    let listener = StdListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = runtime()?;
    let thread = Builder::new().name("shop-db".to_owned()).spawn(move || {
        let mut sessions = runtime.block_on(accept(listener, &depot, &stop)).unwrap_or_else(|error| {
            tracing::error!(%error, "the embedded database stopped listening");
            Vec::new()
        });
        for session in sessions.drain(..) {
            drop(session.join());
        }
    })?;
    Ok((address, thread))
}

async fn accept(listener: StdListener, depot: &Depot, stop: &Stop) -> io::Result<Vec<JoinHandle<()>>> {
    let listener = TcpListener::from_std(listener)?;
    let mut sessions: Vec<JoinHandle<()>> = Vec::new();
    loop {
        let accepted = tokio::select! {
            _ = stop.requested() => return Ok(sessions),
            accepted = listener.accept() => accepted,
        };
        sessions.retain(|session| !session.is_finished());
        let spawned = accepted.and_then(|(stream, _)| spawn(stream.into_std()?, depot.clone(), stop.clone()));
        match spawned {
            Ok(session) => sessions.push(session),
            // One connection less is not the end of the database.
            Err(error) => tracing::warn!(%error, "the embedded database lost a connection"),
        }
    }
}

fn spawn(stream: StdStream, depot: Depot, stop: Stop) -> io::Result<JoinHandle<()>> {
    Builder::new().name("shop-db-session".to_owned()).spawn(move || {
        if let Err(error) = serve(stream, &depot, &stop) {
            tracing::debug!(%error, "a connection of the embedded database ended");
        }
    })
}

fn serve(stream: StdStream, depot: &Depot, stop: &Stop) -> io::Result<()> {
    let session = Session::open(depot).map_err(io::Error::other)?;
    let handlers = Handlers(Arc::new(session));
    runtime()?.block_on(async move {
        let stream = TcpStream::from_std(stream)?;
        tokio::select! {
            _ = stop.requested() => Ok(()),
            served = process_socket(stream, None, handlers) => served,
        }
    })
}
