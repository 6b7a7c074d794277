//! Before the first request: names to addresses, and one connection to each origin, so that a dead target is told at once.
//!
//! Not here: whether an address may be sent traffic (`plan::guard`). Called by `cli` and `drill`.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::net::{TcpStream, lookup_host};

use super::LoadError;
use crate::base::clock::Clock;
use crate::base::timer::Timer;
use crate::plan::load::LoadPlan;

/// The addresses of `host`, in the resolver's order, each once; at least one.
///
/// # Errors
/// When the name has no address.
pub async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, LoadError> {
    let none = |source| LoadError::Unresolvable { host: host.to_owned(), source };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in lookup_host((bare, port)).await.map_err(none)? {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() { Err(none(io::ErrorKind::NotFound.into())) } else { Ok(addresses) }
}

/// Opens one connection to each origin of `plan` and closes it again.
///
/// # Errors
/// When an origin has no address or none of its addresses accepts within the connect timeout.
pub async fn preflight(plan: Arc<LoadPlan>) -> Result<(), LoadError> {
    for origin in &plan.origins {
        let name = format!("{}:{}", origin.host, origin.port);
        let mut why = LoadError::Unresolvable { host: origin.host.clone(), source: io::ErrorKind::NotFound.into() };
        let mut reached = false;
        for address in &origin.pinned {
            match connect(*address, plan.client.timeouts.connect).await {
                Ok(()) => {
                    reached = true;
                    break;
                }
                Err(source) => why = LoadError::Preflight { origin: format!("{name} ({address})"), source },
            }
        }
        if !reached {
            return Err(why);
        }
    }
    Ok(())
}

async fn connect(address: SocketAddr, most: std::time::Duration) -> io::Result<()> {
    let clock = Clock::start();
    let mut timer = Timer::new(&clock)?;
    let until = clock.now() + most;
    let mut connecting = pin!(TcpStream::connect(address));
    let mut late = pin!(timer.until(until));
    poll_fn(|cx| {
        if let Poll::Ready(result) = connecting.as_mut().poll(cx) {
            return Poll::Ready(result.map(drop));
        }
        late.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    })
    .await
}
