//! One connection without its sockets: a chain for each direction, and the faults that were decided for it.
//!
//! Pure. A link follows its proxy's snapshot: what left it is taken out of the chains, what came is drawn and added. Not
//! here: sockets (`pump`), who swaps snapshots (`registry`, `worker`).

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::chain::{Chain, Stage};
use super::decide::Draws;
use super::parcel::{Close, Way};
use super::rule::{self, Bell, World};
use super::snapshot::{Active, FaultId, Snapshot};
use super::stats::Witness;
use super::talk::Talk;
use super::toxic::{self, Arming};
use crate::base::clock::Tick;
use crate::base::seed::Seed;
use crate::plan::fault::Inject;
use crate::plan::fault::rule::Speaks;

/// What every draw of a connection is keyed by.
#[derive(Clone, Copy, Debug)]
pub(super) struct LinkKey {
    pub(super) seed: Seed,
    /// See `decide::proxy_number`.
    pub(super) proxy: u64,
    /// Counted by the listener, from 0.
    pub(super) connection: u64,
}

impl LinkKey {
    fn draws(&self, fault: &str) -> Draws {
        Draws::new(self.seed, Arc::from(fault), self.proxy, self.connection)
    }
}

/// What was decided about a fault, and under which of its versions.
#[derive(Clone, Copy, Debug)]
struct Decision {
    version: u64,
    hit: bool,
    /// Counted as spared.
    spared: bool,
}

/// Both directions of one connection.
#[derive(Debug)]
pub(super) struct Link {
    key: LinkKey,
    up: Chain,
    down: Chain,
    /// Between the chains and the server, when messages are read.
    talk: Option<Talk>,
    /// Faults of the snapshot that were drawn, hit or not: no fault is drawn twice.
    decided: BTreeMap<FaultId, Decision>,
    opened: Tick,
    /// The link ends now, whatever is queued.
    doom: Option<Close>,
}

impl Link {
    /// A connection opened at `now` under `snapshot`.
    pub(super) fn open(key: LinkKey, (speaks, world): (&Speaks, &Arc<World>), snapshot: &Snapshot, now: Tick) -> Self {
        let bell = Arc::new(Bell::default());
        let speaker = rule::speaker(speaks, world, &bell);
        let mut link = Self {
            key,
            up: Chain::default(),
            down: Chain::default(),
            talk: speaker.map(|speaker| Talk::new((speaker, bell), snapshot, |fault| key.draws(fault))),
            decided: BTreeMap::new(),
            opened: now,
            doom: None,
        };
        for (index, (kind, side)) in snapshot.base.iter().enumerate() {
            let draws = key.draws(&format!("base/{index}"));
            for &way in toxic::ways(kind, *side) {
                let stage = Stage::new(FaultId::BASE, toxic::build(kind, way, draws.clone()), None);
                link.chain(way).add(stage, Arming::Opened(now));
            }
        }
        for active in &snapshot.faults {
            link.consider(active, Arming::Opened(now));
        }
        link
    }

    /// Brings a living link to `snapshot`. A fault that swallowed bytes of it ends it when it goes.
    pub(super) fn sync(&mut self, snapshot: &Snapshot, now: Tick) {
        let key = self.key;
        if let Some(talk) = &mut self.talk {
            talk.sync(snapshot, |fault| key.draws(fault), now);
        }
        let gone: Vec<FaultId> = self.decided.keys().copied().filter(|id| !snapshot.holds(*id)).collect();
        if !gone.is_empty() {
            self.decided.retain(|id, _| !gone.contains(id));
            self.take_out(&gone, now);
        }
        for active in &snapshot.faults {
            match self.decided.get(&active.id) {
                None => self.consider(active, Arming::Injected { at: active.injected, opened: self.opened }),
                Some(decision) if decision.version < active.version => self.update(active, *decision, now),
                Some(_) => {}
            }
        }
    }

    fn take_out(&mut self, gone: &[FaultId], now: Tick) {
        let swallowed = [self.up.remove(gone, now), self.down.remove(gone, now)];
        if swallowed.contains(&true) {
            self.doom(Close::Fin);
        }
    }

    /// The fault has other parameters, or another share: the draw stays, and the threshold moves.
    fn update(&mut self, active: &Active, before: Decision, now: Tick) {
        let fault = &active.fault;
        let Inject::Toxic(toxic) = &fault.inject else { return };
        let hit = self.key.draws(&fault.name).hit(fault.share);
        match (before.hit, hit) {
            (false, true) => {
                if before.spared {
                    active.tally.unspare();
                }
                self.consider(active, Arming::Injected { at: now, opened: self.opened });
                return;
            }
            (true, true) => {
                self.up.retune(active.id, toxic, now);
                self.down.retune(active.id, toxic, now);
            }
            (true, false) => self.take_out(&[active.id], now),
            (false, false) => {}
        }
        self.decided.insert(active.id, Decision { version: active.version, hit, ..before });
    }

    /// The chain of one direction.
    pub(super) fn chain(&mut self, way: Way) -> &mut Chain {
        match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        }
    }

    /// True when a chain holds a toxic that `snapshot` does not: never after a sync, which is what verification asks.
    pub(super) fn strays(&self, snapshot: &Snapshot) -> bool {
        let rules = self.talk.iter().flat_map(Talk::faults);
        self.up.faults().chain(self.down.faults()).chain(rules).any(|id| !snapshot.holds(id))
    }

    /// Ends the link at its next look; the first reason wins.
    pub(super) fn doom(&mut self, how: Close) {
        self.doom.get_or_insert(how);
    }

    /// How the link ends, if it must end at `now`.
    pub(super) fn verdict(&mut self, now: Tick) -> Option<Close> {
        self.doom.or_else(|| self.up.ring(now)).or_else(|| self.down.ring(now))
    }

    /// Bytes that wait in both directions.
    pub(super) fn waiting(&self) -> usize {
        self.up.waiting() + self.down.waiting() + self.talk.as_ref().map_or(0, Talk::waiting)
    }

    /// When the next alarm rings, or something moves on inside.
    pub(super) fn alarm_due(&self) -> Option<Tick> {
        let inside = self.talk.as_ref().map(|talk| talk.due().into_iter().chain(self.up.head_due()).min());
        self.up.alarm_due().into_iter().chain(self.down.alarm_due()).chain(inside.flatten()).min()
    }

    fn consider(&mut self, active: &Active, arming: Arming) {
        let fault = &active.fault;
        let Inject::Toxic(toxic) = &fault.inject else { return };
        let draws = self.key.draws(&fault.name);
        let hit = draws.hit(fault.share);
        self.decided.insert(active.id, Decision { version: active.version, hit, spared: !hit });
        if !hit {
            active.tally.spare();
            return;
        }
        let witness = Rc::new(Witness::new(&active.tally));
        for &way in toxic::ways(toxic, fault.side) {
            let toxic = toxic::build(toxic, way, draws.clone());
            self.chain(way).add(Stage::new(active.id, toxic, Some(Rc::clone(&witness))), arming);
        }
    }
}

mod flow;
#[cfg(test)]
mod tests;
