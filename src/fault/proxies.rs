//! The handle of the fault proxy: what `drill` and `cli` hold. Every method may be called from any runtime.
//!
//! Not here: how changes reach the workers (`control`), what a fault does (`toxic`).

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::{mpsc, oneshot};

use super::FaultError;
use super::control::Control;
use super::injection::{Healed, Injection, verify};
use super::stats::FaultStats;
use super::worker::{self, Command, Team};
use crate::base::clock::Clock;
use crate::base::seed::Seed;
use crate::measure::histogram::Bins;
use crate::plan::fault::Fault;

/// The proxies of a run and the faults on them; clones share them. When the last clone is gone, the
/// workers end, and with them every connection.
#[derive(Clone, Debug)]
pub struct Proxies {
    pub(super) control: Arc<Control>,
    _running: Arc<Running>,
}

/// Ends the workers when nobody holds it any more.
struct Running(Arc<Control>);

impl Proxies {
    /// Starts one worker: enough for tens of thousands of messages per second.
    ///
    /// # Errors
    /// When the system has no thread or descriptor left.
    pub fn start(clock: Clock, seed: Seed) -> Result<Self, FaultError> {
        Self::start_with(clock, seed, NonZeroUsize::MIN)
    }

    /// Starts `workers` threads; connections are dealt to them in turn. Decisions do not depend on their number.
    ///
    /// # Errors
    /// When the system has no thread or descriptor left.
    pub fn start_with(clock: Clock, seed: Seed, workers: NonZeroUsize) -> Result<Self, FaultError> {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..workers.get()).map(|_| mpsc::unbounded_channel()).unzip();
        let senders: Arc<[_]> = senders.into();
        let control = Arc::new(Control::new(clock, seed, Arc::clone(&senders)));
        let proxies = Self { _running: Arc::new(Running(Arc::clone(&control))), control };
        for (own, commands) in receivers.into_iter().enumerate() {
            let team = Team::new(Arc::clone(&senders), own as u64);
            worker::start(proxies.control.clock.clone(), seed, team, commands).map_err(FaultError::Start)?;
        }
        if let Some(first) = proxies.control.first() {
            drop(first.send(Command::KeepLeases(Arc::clone(&proxies.control))));
        }
        Ok(proxies)
    }

    /// Puts `fault` in force on new and living connections for `lease`, unless renewed. It is in force on all of them
    /// when this returns.
    ///
    /// # Errors
    /// Unknown proxy, a fault of that name in force, a lease of zero, or the proxies have stopped.
    pub async fn inject(&self, fault: Fault, lease: Duration) -> Result<Injection, FaultError> {
        let name = fault.name.clone();
        let (id, posted) = self.control.change(|registry| {
            let (id, change) = registry.inject(fault, Some(lease), self.control.clock.now())?;
            Ok::<_, FaultError>((id, vec![change]))
        })?;
        // From here on the guard withdraws the fault, whatever happens to this call.
        let injection = Injection::new(Arc::clone(&self.control), name, id);
        posted.confirmed(&self.control.clock).await.all().map(|()| injection)
    }

    /// Puts `fault` in force without a guard, or gives the fault of that name other parameters: it keeps its place, its
    /// counts and its state when proxy, kind and side stay. `None`: not leased, it lives until it is healed.
    ///
    /// # Errors
    /// Unknown proxy, a lease of zero, or the proxies have stopped.
    pub async fn put(&self, fault: Fault, lease: Option<Duration>) -> Result<(), FaultError> {
        let now = self.control.clock.now();
        let ((), posted) =
            self.control.change(|registry| Ok::<_, FaultError>(((), registry.update(fault, lease, now)?)))?;
        posted.confirmed(&self.control.clock).await.all()
    }

    /// The faults in force, in the order of their injection, each with the time that is left of its lease.
    pub fn active(&self) -> Vec<(Fault, Option<Duration>)> {
        let now = self.control.clock.now();
        self.control.registry().active(now)
    }

    /// Moves the end of a fault's lease to `lease` from now, never back.
    ///
    /// # Errors
    /// The lease is over (the fault must be injected anew), or there was never such a fault.
    #[expect(clippy::unused_async, reason = "callers must not depend on this staying a mere lock")]
    pub async fn renew(&self, name: &str, lease: Duration) -> Result<(), FaultError> {
        let now = self.control.clock.now();
        self.control.registry().renew(name, lease, now)?;
        self.control.renewed();
        Ok(())
    }

    /// Ends a fault by its name and waits until every worker confirmed. One that has healed already is verified again.
    ///
    /// # Errors
    /// There was never such a fault.
    pub async fn heal(&self, name: &str) -> Result<Healed, FaultError> {
        let since = self.control.clock.now();
        let ((), posted) = self.control.change(|registry| {
            let withdrawal = registry.withdraw_named(name)?;
            Ok::<_, FaultError>(((), withdrawal.changes))
        })?;
        Ok(verify(&self.control, name.to_owned(), since, posted).await)
    }

    /// Ends every fault, each proxy in one swap, and waits until every worker confirmed.
    pub async fn heal_all(&self) -> Vec<Healed> {
        let since = self.control.clock.now();
        let (withdrawal, posted) = self.control.withdraw(super::registry::Registry::withdraw_all);
        let all = verify(&self.control, String::new(), since, posted).await;
        withdrawal.faults.into_iter().map(|(name, _)| Healed { name, ..all.clone() }).collect()
    }

    /// Ends the faults of these names, each proxy in one swap, and waits until every worker confirmed. One that has healed already is
    /// left out.
    pub async fn heal_these(&self, names: &[String]) -> Vec<Healed> {
        let since = self.control.clock.now();
        let (withdrawal, posted) = self.control.withdraw(|registry| registry.withdraw_these(names));
        let all = verify(&self.control, String::new(), since, posted).await;
        withdrawal.faults.into_iter().map(|(name, _)| Healed { name, ..all.clone() }).collect()
    }

    /// The clock that leases and holds follow.
    pub fn clock(&self) -> Clock {
        self.control.clock.clone()
    }

    /// True while a fault of that name is in force.
    pub fn is_active(&self, name: &str) -> bool {
        self.control.registry().is_active(name)
    }

    /// What a fault did so far, or until it healed; `None` when there was never such a fault.
    pub fn stats(&self, name: &str) -> Option<FaultStats> {
        self.control.registry().stats(name)
    }

    /// The histograms of a fault's drawn and realised holds, in microseconds; `None` when there was never such a fault.
    pub fn holds(&self, name: &str) -> Option<[Bins; 2]> {
        self.control.registry().holds(name)
    }

    /// Connections of a proxy with both ends up.
    pub fn connections(&self, proxy: &str) -> usize {
        self.control.registry().connections(proxy)
    }

    /// Heals everything, closes listeners and connections (FIN), and ends the workers.
    pub async fn shutdown(self) {
        self.heal_all().await;
        let (replies, ends): (Vec<_>, Vec<_>) = (0..self.control.size()).map(|_| oneshot::channel()).unzip();
        self.control.stop(replies);
        join_all(ends).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.tell(|| Command::Stop { reply: None });
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Running")
    }
}
