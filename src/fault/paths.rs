//! The proxies themselves, through their handle: made, started, stopped, led elsewhere, removed.
//!
//! A listener is bound before anything is changed, so that a failure changes nothing. Not here: faults (`proxies`).

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use tokio::sync::oneshot;

use super::FaultError;
use super::proxies::Proxies;
use super::proxy::{ProxySpec, bind};
use super::registry::ProxyState;
use super::rule::Asked;
use super::worker::Command;
use crate::plan::fault::Fault;

impl Proxies {
    /// Adds a proxy and opens its listener; gives the address it listens on.
    ///
    /// # Errors
    /// The name is taken, the upstream is the proxy itself, or the address cannot be listened on.
    pub async fn add(&self, spec: ProxySpec) -> Result<SocketAddr, FaultError> {
        self.add_with(spec, Vec::new()).await
    }

    /// [`Proxies::add`] with faults that are in force before the first connection is accepted. They are not leased: they
    /// live as long as their proxy, or until they are healed by name.
    ///
    /// # Errors
    /// Those of [`Proxies::add`], and a fault of the same name in force.
    pub async fn add_with(&self, spec: ProxySpec, faults: Vec<Fault>) -> Result<SocketAddr, FaultError> {
        let name = spec.name.clone();
        self.define(spec)?;
        let made = self.fill(&name, faults).await;
        if made.is_err() {
            self.remove(&name).await?;
        }
        made
    }

    async fn fill(&self, name: &str, faults: Vec<Fault>) -> Result<SocketAddr, FaultError> {
        for fault in faults {
            self.put(fault, None).await?;
        }
        self.enable(name).await
    }

    /// Adds a proxy that does not listen yet; see [`Proxies::enable`].
    ///
    /// # Errors
    /// The name is taken, or the upstream is the proxy itself.
    pub fn define(&self, spec: ProxySpec) -> Result<(), FaultError> {
        let mut registry = self.control.registry();
        let (definition, snapshot) = registry.add(spec)?;
        // Told under the lock: no worker hears of a fault before it knows the proxy.
        self.control.tell(|| Command::Define { proxy: Arc::clone(&definition), snapshot: Arc::clone(&snapshot) });
        drop(registry);
        Ok(())
    }

    /// Opens the proxy's listener, unless it is open; gives the address.
    ///
    /// # Errors
    /// There is no such proxy, or the address cannot be listened on.
    pub async fn enable(&self, name: &str) -> Result<SocketAddr, FaultError> {
        let state = self.state(name)?;
        if state.enabled {
            return Ok(state.listen);
        }
        let (listener, bound) = listener(name, state.listen)?;
        self.lead(name, (bound, state.upstream), Some(listener)).await
    }

    /// Closes the proxy's listener, then its connections (FIN). Its faults stay.
    ///
    /// # Errors
    /// There is no such proxy.
    pub async fn disable(&self, name: &str) -> Result<(), FaultError> {
        let definition = self.control.registry().definition(name)?;
        self.control.registry().listening(name, None);
        self.control.ask(|reply| Command::Close { proxy: Arc::clone(&definition.name), reply }).await;
        Ok(())
    }

    /// Leads a proxy elsewhere. The new listener is bound first: on failure the old one never stopped. Connections are
    /// closed when something changed; faults and whether it listens stay.
    ///
    /// # Errors
    /// There is no such proxy, it would dial itself, or the new address cannot be listened on.
    pub async fn readdress(
        &self,
        name: &str,
        listen: SocketAddr,
        upstream: SocketAddr,
    ) -> Result<SocketAddr, FaultError> {
        let state = self.state(name)?;
        if (state.listen, state.upstream) == (listen, upstream) {
            return Ok(listen);
        }
        if listen == upstream {
            return Err(FaultError::Loop { name: name.to_owned(), address: upstream });
        }
        let (new, listen) = if state.enabled && listen != state.listen {
            listener(name, listen).map(|(listener, bound)| (Some(listener), bound))?
        } else {
            (None, listen)
        };
        self.lead(name, (listen, upstream), new).await
    }

    async fn lead(
        &self,
        name: &str,
        (listen, upstream): (SocketAddr, SocketAddr),
        listener: Option<TcpListener>,
    ) -> Result<SocketAddr, FaultError> {
        {
            let mut registry = self.control.registry();
            let (definition, snapshot) = registry.redefine(name, (listen, upstream))?;
            if listener.is_some() {
                registry.listening(name, Some(listen));
            }
            self.control.tell(|| Command::Define { proxy: Arc::clone(&definition), snapshot: Arc::clone(&snapshot) });
        }
        let Some(listener) = listener else { return Ok(listen) };
        let (reply, accepting) = oneshot::channel();
        let first = self.control.first().ok_or(FaultError::Stopped)?;
        first.send(Command::Listen { proxy: name.into(), listener, reply }).map_err(|_| FaultError::Stopped)?;
        let accepting = accepting.await.map_err(|_| FaultError::Stopped)?;
        accepting.map(|()| listen).map_err(|source| FaultError::Listen {
            name: name.to_owned(),
            address: listen,
            source,
        })
    }

    /// Closes a proxy's listener, then its connections (FIN), and forgets it with its faults.
    ///
    /// # Errors
    /// There is no such proxy.
    pub async fn remove(&self, name: &str) -> Result<(), FaultError> {
        self.control.registry().forget(name)?;
        let proxy: Arc<str> = name.into();
        self.control.ask(|reply| Command::Forget { proxy: Arc::clone(&proxy), reply }).await;
        Ok(())
    }

    /// Every proxy as it stands, by name.
    pub fn states(&self) -> Vec<ProxyState> {
        self.control.registry().states()
    }

    /// The most frequent query shapes that a proxy saw; none when it reads no statements.
    ///
    /// # Errors
    /// There is no such proxy.
    pub fn fingerprints(&self, name: &str) -> Result<Vec<Asked>, FaultError> {
        let definition = self.control.registry().definition(name)?;
        Ok(definition.world.frequent())
    }

    /// One proxy as it stands.
    ///
    /// # Errors
    /// There is no such proxy.
    pub fn state(&self, name: &str) -> Result<ProxyState, FaultError> {
        let registry = self.control.registry();
        registry.states().into_iter().find(|state| state.name == name).ok_or_else(|| registry.unknown_proxy(name))
    }
}

fn listener(name: &str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), FaultError> {
    let failed = |source| FaultError::Listen { name: name.to_owned(), address, source };
    let listener = bind(address).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
