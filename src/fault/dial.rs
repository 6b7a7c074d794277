//! Connects to a proxy's upstream within a limit. A slow upstream delays the one connection that dials it.
//!
//! Not here: what the client sees when this fails (`proxy`).

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use tokio::net::TcpStream;

use super::wake::Wakes;
use crate::base::duration;

/// A connection to `upstream`, made within `limit`.
///
/// # Errors
/// The system's, or `TimedOut`; both name the address.
pub(super) async fn dial(upstream: SocketAddr, limit: Duration, wakes: &Wakes) -> io::Result<TcpStream> {
    let deadline = wakes.clock().now() + limit;
    match select(pin!(TcpStream::connect(upstream)), pin!(wakes.until(deadline))).await {
        Either::Left((Ok(stream), _)) => Ok(stream),
        Either::Left((Err(error), _)) => Err(io::Error::new(error.kind(), format!("connect to {upstream}: {error}"))),
        Either::Right(_) => {
            let text = format!("connect to {upstream} timed out after {}", duration::show(limit));
            Err(io::Error::new(io::ErrorKind::TimedOut, text))
        }
    }
}
