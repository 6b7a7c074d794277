//! Before the first request: names to addresses, and one connection to each origin, so that a dead target is told at once.
//!
//! Not here: whether an address may be sent traffic (`plan::guard`). Called by `cli` and `drill`.

use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::net::{UnixStream, lookup_host};

use super::LoadError;
use super::client::connect;
use super::client::line::Plain;
use super::client::tls::{self, Connector};
use crate::base::clock::Clock;
use crate::base::timer::Timer;
use crate::plan::load::{LoadPlan, Origin, Scheme, Via};

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

/// Opens one connection to each origin of `plan`, agrees on TLS where it is spoken, and closes it again.
///
/// # Errors
/// When an origin has no address, none of its addresses accepts within the connect timeout, or its certificate is not believed.
pub async fn preflight(plan: Arc<LoadPlan>) -> Result<(), LoadError> {
    let connector = Connector::of(&plan)?;
    let timeouts = &plan.client.timeouts;
    for (index, origin) in plan.origins.iter().enumerate() {
        let stream = first(&plan, origin).await?;
        let Some(connector) = connector.as_ref().filter(|_| origin.scheme == Scheme::Https) else { continue };
        if let Err(error) = within(connector.greet(index, stream), timeouts.tls).await {
            let origin = format!("{}:{}", origin.host, origin.port);
            return Err(LoadError::Handshake { origin, why: tls::explain(&error) });
        }
    }
    Ok(())
}

/// A connection to `origin`.
async fn first(plan: &LoadPlan, origin: &Origin) -> Result<Plain, LoadError> {
    let most = plan.client.timeouts.connect;
    if let Some(Via::Unix(path)) = &origin.via {
        let refused = |source| LoadError::Preflight { origin: path.display().to_string(), source };
        return within(UnixStream::connect(path), most).await.map(Plain::Unix).map_err(refused);
    }
    let source = plan.client.wires.source.first().copied();
    let mut why = LoadError::Unresolvable { host: origin.host.clone(), source: io::ErrorKind::NotFound.into() };
    for address in &origin.pinned {
        let fitting = source.filter(|own| own.is_ipv4() == address.is_ipv4());
        match within(connect::reach(*address, fitting), most).await {
            Ok(stream) => return Ok(Plain::Tcp(stream)),
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable && fitting.is_some() => {
                let own = own_addresses().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                return Err(LoadError::Source { address: fitting.unwrap_or(address.ip()), own });
            }
            Err(source) => {
                let origin = format!("{}:{} ({address})", origin.host, origin.port);
                why = LoadError::Preflight { origin, source };
            }
        }
    }
    Err(why)
}

/// The IPv4 addresses of this machine, as the kernel's routes tell.
fn own_addresses() -> Vec<Ipv4Addr> {
    let routes = std::fs::read_to_string("/proc/net/fib_trie").unwrap_or_default();
    let (mut found, mut last) = (Vec::new(), None);
    for line in routes.lines() {
        if let Some(address) = line.trim().strip_prefix("|-- ") {
            last = address.parse().ok();
        } else if line.contains("32 host LOCAL")
            && let Some(address) = last.filter(|address| !found.contains(address))
        {
            found.push(address);
        }
    }
    found
}

async fn within<T>(doing: impl Future<Output = io::Result<T>>, most: Duration) -> io::Result<T> {
    let clock = Clock::start();
    let mut timer = Timer::new(&clock)?;
    let until = clock.now() + most;
    let mut doing = pin!(doing);
    let mut late = pin!(timer.until(until));
    poll_fn(|cx| {
        if let Poll::Ready(result) = doing.as_mut().poll(cx) {
            return Poll::Ready(result);
        }
        late.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_knows_its_own_addresses() {
        assert!(own_addresses().contains(&Ipv4Addr::LOCALHOST), "{:?}", own_addresses());
    }
}
