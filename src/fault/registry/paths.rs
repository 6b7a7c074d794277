//! The proxies of the registry: which exist, where they lead, which listen.
//!
//! Pure, as the rest of `registry`. Not here: faults (`registry`), sockets (`worker`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::{Known, Registry, Withdrawal};
use crate::base::name::nearest;
use crate::fault::FaultError;
use crate::fault::parcel::Way;
use crate::fault::proxy::{Definition, ProxySpec};
use crate::fault::snapshot::Snapshot;

/// A proxy as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyState {
    /// Its name.
    pub name: String,
    /// Where it listens, or would; the port is known once it has listened.
    pub listen: SocketAddr,
    /// Where connections go.
    pub upstream: SocketAddr,
    /// It accepts connections.
    pub enabled: bool,
    /// Connections with both ends up.
    pub connections: usize,
    /// Counts the changes of its faults.
    pub generation: u64,
    /// Bytes read from clients, and written to the upstream.
    pub bytes_up: [u64; 2],
    /// Bytes read from the upstream, and written to clients.
    pub bytes_down: [u64; 2],
}

/// A proxy that would dial itself.
pub(super) fn refuse_loop(spec: &ProxySpec) -> Result<(), FaultError> {
    if spec.upstream == spec.listen {
        return Err(FaultError::Loop { name: spec.name.clone(), address: spec.upstream });
    }
    Ok(())
}

impl Registry {
    /// Gives a proxy up, with the faults on it.
    pub(in crate::fault) fn forget(&mut self, proxy: &str) -> Result<Withdrawal, FaultError> {
        self.known(proxy)?;
        let mut withdrawal = self.withdraw(|_, leased| leased.active.fault().on == proxy);
        self.proxies.remove(proxy);
        withdrawal.changes.clear();
        Ok(withdrawal)
    }

    /// Remembers the bound address of a listener, or that there is none.
    pub(in crate::fault) fn listening(&mut self, proxy: &str, bound: Option<SocketAddr>) {
        if let Some(known) = self.proxies.get_mut(proxy) {
            known.listening = bound;
        }
    }

    /// The definition of a proxy.
    ///
    /// # Errors
    /// There is none of that name.
    pub(in crate::fault) fn definition(&self, proxy: &str) -> Result<Arc<Definition>, FaultError> {
        self.known(proxy).map(|known| Arc::clone(&known.definition))
    }

    /// Leads a proxy elsewhere; its faults stay in force.
    ///
    /// # Errors
    /// There is none of that name, or it would dial itself.
    pub(in crate::fault) fn redefine(
        &mut self,
        proxy: &str,
        (listen, upstream): (SocketAddr, SocketAddr),
    ) -> Result<(Arc<Definition>, Arc<Snapshot>), FaultError> {
        let old = self.definition(proxy)?;
        let spec = ProxySpec { listen, upstream, ..old.spec.clone() };
        refuse_loop(&spec)?;
        let next = old.next.load(Relaxed).into();
        let definition = Arc::new(Definition {
            name: Arc::clone(&old.name),
            spec,
            open: 0.into(),
            next,
            traffic: Arc::clone(&old.traffic),
            world: Arc::clone(&old.world),
        });
        let unknown = self.unknown_proxy(proxy);
        let known = self.proxies.get_mut(proxy).ok_or(unknown)?;
        known.definition = Arc::clone(&definition);
        Ok((definition, Arc::clone(&known.snapshot)))
    }

    /// Every proxy as it stands, by name.
    pub(in crate::fault) fn states(&self) -> Vec<ProxyState> {
        self.proxies.values().map(Known::state).collect()
    }

    fn known(&self, proxy: &str) -> Result<&Known, FaultError> {
        self.proxies.get(proxy).ok_or_else(|| self.unknown_proxy(proxy))
    }

    pub(in crate::fault) fn unknown_proxy(&self, proxy: &str) -> FaultError {
        let nearest = nearest(proxy, self.proxies.keys().map(String::as_str)).map(String::from);
        FaultError::UnknownProxy { name: proxy.to_owned(), nearest }
    }
}

impl Known {
    fn state(&self) -> ProxyState {
        let spec = &self.definition.spec;
        ProxyState {
            name: spec.name.clone(),
            listen: self.listening.unwrap_or(spec.listen),
            upstream: spec.upstream,
            enabled: self.listening.is_some(),
            connections: self.definition.open.load(Relaxed),
            generation: self.snapshot.generation,
            bytes_up: self.definition.traffic.read(Way::Up),
            bytes_down: self.definition.traffic.read(Way::Down),
        }
    }
}
