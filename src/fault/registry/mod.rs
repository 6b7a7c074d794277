//! Which proxies exist, which faults are in force on them, and until when.
//!
//! Pure: every change is a function of what is known and the time, and gives the snapshots to put in force. Held by
//! `control` under a short lock; no socket is ever touched under it. Not here: workers.

mod paths;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::FaultError;
use super::decide::Decider;
use super::lease::Lease;
use super::ledger::Ledger;
use super::proxy::{Definition, ProxySpec};
use super::snapshot::{Active, FaultId, Snapshot};
use super::stats::FaultStats;
use crate::base::clock::Tick;
use crate::base::name::nearest;
use crate::base::seed::Seed;
use crate::measure::histogram::Bins;
use crate::plan::fault::{Fault, Inject};
pub use paths::ProxyState;
use paths::refuse_loop;

/// All that is known of proxies and faults.
#[derive(Debug, Default)]
pub(super) struct Registry {
    /// Of every draw.
    seed: Seed,
    /// Takes every decision down.
    pub(super) ledger: Arc<Ledger>,
    proxies: BTreeMap<String, Known>,
    /// In force, by name.
    faults: BTreeMap<String, Leased>,
    /// Of every fault ever injected; a fault injected anew counts from zero.
    deciders: BTreeMap<String, Arc<Decider>>,
    injections: u64,
}

#[derive(Debug)]
struct Known {
    definition: Arc<Definition>,
    snapshot: Arc<Snapshot>,
    /// The bound address, while it listens.
    listening: Option<SocketAddr>,
}

#[derive(Debug)]
struct Leased {
    active: Arc<Active>,
    lease: Lease,
}

/// A proxy's next snapshot, to be posted to every worker.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) proxy: Arc<str>,
    pub(super) snapshot: Arc<Snapshot>,
}

/// Faults taken out, and the snapshots without them.
#[derive(Debug, Default)]
pub(super) struct Withdrawal {
    pub(super) faults: Vec<(String, FaultId)>,
    pub(super) changes: Vec<Change>,
}

impl Registry {
    /// No proxies yet; draws are those of `seed`.
    pub(super) fn new(seed: Seed) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Takes a proxy up, with its own toxics in force from its first connection on.
    pub(super) fn add(&mut self, spec: ProxySpec) -> Result<(Arc<Definition>, Arc<Snapshot>), FaultError> {
        if self.proxies.contains_key(&spec.name) {
            return Err(FaultError::ProxyExists { name: spec.name });
        }
        refuse_loop(&spec)?;
        let snapshot = Arc::new(Snapshot { base: spec.base.as_slice().into(), ..Snapshot::default() });
        let name: Arc<str> = spec.name.as_str().into();
        let definition = Arc::new(Definition {
            name,
            spec,
            open: 0.into(),
            next: 0.into(),
            traffic: Arc::default(),
            world: Arc::default(),
        });
        let known = Known { definition: Arc::clone(&definition), snapshot: Arc::clone(&snapshot), listening: None };
        self.proxies.insert(definition.spec.name.clone(), known);
        Ok((definition, snapshot))
    }

    /// Puts `fault` in force from `now`, behind the faults that are. Without a `term` it is not leased.
    pub(super) fn inject(
        &mut self,
        fault: Fault,
        term: Option<Duration>,
        now: Tick,
    ) -> Result<(FaultId, Change), FaultError> {
        if self.faults.contains_key(&fault.name) {
            return Err(FaultError::FaultExists { name: fault.name });
        }
        if term.is_some_and(|term| term.is_zero()) {
            return Err(FaultError::NoLease { name: fault.name });
        }
        let unknown = self.unknown_proxy(&fault.on);
        let known = self.proxies.get_mut(&fault.on).ok_or(unknown)?;
        speaks(&fault, &known.definition)?;
        self.injections += 1;
        let id = FaultId(self.injections);
        let name = fault.name.clone();
        let lease = Lease::new(now, term, fault.lasts);
        let decider = Arc::new(Decider::new(self.seed, fault, now, Arc::clone(&self.ledger)));
        let active = Arc::new(Active { id, version: 0, decider: Arc::clone(&decider) });
        known.snapshot = Arc::new(known.snapshot.with(Arc::clone(&active)));
        let change = known.change();
        self.deciders.insert(name.clone(), decider);
        self.faults.insert(name, Leased { active, lease });
        Ok((id, change))
    }

    /// Gives a fault in force other parameters and a new lease. It keeps its place, its counts and its draws when proxy,
    /// kind and side stay; else it is taken out, and put in again behind the others.
    pub(super) fn update(
        &mut self,
        fault: Fault,
        term: Option<Duration>,
        now: Tick,
    ) -> Result<Vec<Change>, FaultError> {
        let Some(leased) = self.faults.get_mut(&fault.name) else {
            return self.inject(fault, term, now).map(|(_, change)| vec![change]);
        };
        let old = &leased.active;
        let same = |old: &Fault| old.on == fault.on && old.side == fault.side && old.inject.is_like(&fault.inject);
        if !same(old.fault()) {
            let name = fault.name.clone();
            let mut changes = self.withdraw(|candidate, _| candidate == name).changes;
            changes.push(self.inject(fault, term, now)?.1);
            return Ok(changes);
        }
        leased.lease = Lease::new(now, term, fault.lasts);
        let (id, version) = (old.id, old.version + 1);
        let decider = Arc::new(old.decider.updated(fault));
        let active = Arc::new(Active { id, version, decider: Arc::clone(&decider) });
        leased.active = Arc::clone(&active);
        self.deciders.insert(decider.fault().name.clone(), Arc::clone(&decider));
        let on = &decider.fault().on;
        let unknown = self.unknown_proxy(on);
        let known = self.proxies.get_mut(on).ok_or(unknown)?;
        known.snapshot = Arc::new(known.snapshot.replacing(&active));
        Ok(vec![known.change()])
    }

    /// Moves the end of a lease; over is over, even when its healing is still on the way.
    pub(super) fn renew(&mut self, name: &str, term: Duration, now: Tick) -> Result<(), FaultError> {
        let expired = || FaultError::LeaseOver { name: name.to_owned() };
        let Some(leased) = self.faults.get_mut(name) else {
            return Err(if self.deciders.contains_key(name) { expired() } else { self.unknown(name) });
        };
        leased.lease = leased.lease.renewed(now, term).ok_or_else(expired)?;
        Ok(())
    }

    /// Takes every fault out that `which` picks, each proxy in one change.
    fn withdraw(&mut self, which: impl Fn(&str, &Leased) -> bool) -> Withdrawal {
        let mut withdrawal = Withdrawal::default();
        self.faults.retain(|name, leased| {
            let goes = which(name, leased);
            if goes {
                withdrawal.faults.push((name.clone(), leased.active.id));
            }
            !goes
        });
        for known in self.proxies.values_mut() {
            let stays = |id: FaultId| !withdrawal.faults.iter().any(|(_, gone)| *gone == id);
            if known.snapshot.faults.iter().all(|active| stays(active.id)) {
                continue;
            }
            known.snapshot = Arc::new(known.snapshot.retaining(stays));
            withdrawal.changes.push(known.change());
        }
        withdrawal
    }

    /// Takes out the fault called `name`.
    pub(super) fn withdraw_named(&mut self, name: &str) -> Result<Withdrawal, FaultError> {
        let withdrawal = self.withdraw(|candidate, _| candidate == name);
        if withdrawal.faults.is_empty() && !self.deciders.contains_key(name) {
            return Err(self.unknown(name));
        }
        Ok(withdrawal)
    }

    /// Takes out one injection, and never a later one of the same name.
    pub(super) fn withdraw_injection(&mut self, id: FaultId) -> Withdrawal {
        self.withdraw(|_, leased| leased.active.id == id)
    }

    /// Takes out those of `names` that are in force.
    pub(super) fn withdraw_these(&mut self, names: &[String]) -> Withdrawal {
        self.withdraw(|candidate, _| names.iter().any(|name| name == candidate))
    }

    /// Takes out everything.
    pub(super) fn withdraw_all(&mut self) -> Withdrawal {
        self.withdraw(|_, _| true)
    }

    /// Takes out what is over at `now`.
    pub(super) fn expire(&mut self, now: Tick) -> Withdrawal {
        self.withdraw(|_, leased| leased.lease.due() <= now)
    }

    /// The faults in force, in the order of their injection, each with the time that is left of its lease at `now`.
    pub(super) fn active(&self, now: Tick) -> Vec<(Fault, Option<Duration>)> {
        let mut all: Vec<&Leased> = self.faults.values().collect();
        all.sort_by_key(|leased| leased.active.id);
        let left = |lease: Lease| (lease.due() < Tick::MAX).then(|| lease.due().since(now));
        all.into_iter().map(|leased| (leased.active.fault().clone(), left(leased.lease))).collect()
    }

    /// When the next lease is over.
    pub(super) fn next_expiry(&self) -> Option<Tick> {
        self.faults.values().map(|leased| leased.lease.due()).min().filter(|due| *due < Tick::MAX)
    }

    /// True while any fault is in force under `name`.
    pub(super) fn is_active(&self, name: &str) -> bool {
        self.faults.contains_key(name)
    }

    /// What the fault called `name` did, healed or not.
    pub(super) fn stats(&self, name: &str) -> Option<FaultStats> {
        self.deciders.get(name).map(|decider| decider.stats())
    }

    /// Its histograms of drawn and realised holds.
    pub(super) fn holds(&self, name: &str) -> Option<[Bins; 2]> {
        self.deciders.get(name).map(|decider| decider.holds())
    }

    /// Connections of a proxy with both ends up; 0 when there is no such proxy.
    pub(super) fn connections(&self, proxy: &str) -> usize {
        self.proxies.get(proxy).map_or(0, |known| known.definition.open.load(Relaxed))
    }

    /// The present snapshot of every proxy, for asking the workers again.
    pub(super) fn present(&self) -> Vec<Change> {
        self.proxies.values().map(Known::change).collect()
    }

    fn unknown(&self, name: &str) -> FaultError {
        let nearest = nearest(name, self.deciders.keys().map(String::as_str)).map(String::from);
        FaultError::UnknownFault { name: name.to_owned(), nearest }
    }
}

/// A rule needs a proxy that reads its protocol.
fn speaks(fault: &Fault, proxy: &Definition) -> Result<(), FaultError> {
    let Inject::Rule(rule) = &fault.inject else { return Ok(()) };
    let (wants, speaks) = (rule.protocol(), proxy.spec.speaks.protocol);
    if wants == speaks {
        return Ok(());
    }
    let (wants, speaks) = (wants.name(), speaks.name());
    Err(FaultError::Speech { name: fault.name.clone(), proxy: proxy.spec.name.clone(), wants, speaks })
}

impl Known {
    fn change(&self) -> Change {
        Change { proxy: Arc::clone(&self.definition.name), snapshot: Arc::clone(&self.snapshot) }
    }
}

#[cfg(test)]
mod tests;
