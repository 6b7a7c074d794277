//! One connection without its sockets: a chain for each direction, and the faults that were decided for it.
//!
//! Pure. A link follows its proxy's snapshot: what left it is taken out of the chains, what came is drawn and added. Not
//! here: sockets (`pump`), who swaps snapshots (`registry`, `worker`).

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::chain::{Chain, Stage};
use super::decide::{Decision, Unit};
use super::draws::Draws;
use super::ledger::Outcome;
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
    /// See `draws::proxy_number`.
    pub(super) proxy: u64,
    /// Counted by the listener, from 0.
    pub(super) connection: u64,
    /// From the private preface: the user, and the ordinal of that user's connection.
    pub(super) user: Option<(u64, u64)>,
}

impl LinkKey {
    fn draws(&self, fault: &str) -> Draws {
        Draws::new(self.seed, Arc::from(fault), self.proxy, self.connection)
    }

    fn unit(&self) -> Unit {
        Unit { proxy: self.proxy, connection: self.connection, user: self.user, ..Unit::default() }
    }
}

/// What was decided about a fault on this connection.
#[derive(Clone, Debug)]
struct Carried {
    active: Arc<Active>,
    verdict: Verdict,
    /// When that may change by itself: a window opens or closes, a ramp passes the connection's draw.
    turns: Option<Tick>,
}

#[derive(Clone, Debug)]
enum Verdict {
    /// It is carried as long as the witness lives; its toxics stand in the chains while `on`.
    Hit { witness: Rc<Witness>, on: bool },
    /// It is left alone; `shut`: a gate of the pattern was closed when it was asked.
    Spared { why: Outcome, shut: bool },
}

/// Both directions of one connection.
#[derive(Debug)]
pub(super) struct Link {
    key: LinkKey,
    up: Chain,
    down: Chain,
    /// Between the chains and the server, when messages are read.
    talk: Option<Talk>,
    /// Faults of the snapshot that were decided about, hit or not: no fault is drawn twice.
    decided: BTreeMap<FaultId, Carried>,
    opened: Tick,
    /// Bytes read from the client, and from the server.
    moved: [u64; 2],
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
            talk: speaker.map(|speaker| Talk::new((speaker, bell), key.unit(), snapshot)),
            decided: BTreeMap::new(),
            opened: now,
            moved: [0; 2],
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
            link.consider(active, Arming::Opened(now), now);
        }
        link
    }

    /// Brings a living link to `snapshot`. A fault that swallowed bytes of it ends it when it goes.
    pub(super) fn sync(&mut self, snapshot: &Snapshot, now: Tick) {
        if let Some(talk) = &mut self.talk {
            talk.sync(snapshot, now);
        }
        let gone: Vec<FaultId> = self.decided.keys().copied().filter(|id| !snapshot.holds(*id)).collect();
        if !gone.is_empty() {
            self.take_out(&gone, now);
            self.decided.retain(|id, _| !gone.contains(id));
        }
        for active in &snapshot.faults {
            match self.decided.get(&active.id) {
                None => self.consider(active, self.late(active.injected()), now),
                Some(carried) if carried.active.version < active.version => self.update(active, now),
                Some(_) => {}
            }
        }
    }

    /// When a decision may change by itself.
    pub(super) fn turn_due(&self) -> Option<Tick> {
        self.decided.values().filter_map(|carried| carried.turns).min()
    }

    /// Changes the decisions that are due to change by `now`.
    pub(super) fn turn(&mut self, now: Tick) {
        let due = |carried: &&Carried| carried.turns.is_some_and(|turns| turns <= now);
        let due: Vec<Carried> = self.decided.values().filter(due).cloned().collect();
        for carried in due {
            self.decide_again(&carried.active, carried.verdict, now);
        }
    }

    fn late(&self, at: Tick) -> Arming {
        Arming::Injected { at, opened: self.opened }
    }

    fn take_out(&mut self, gone: &[FaultId], now: Tick) {
        let swallowed = [self.up.remove(gone, now), self.down.remove(gone, now)];
        if swallowed.contains(&true) {
            self.doom(Close::Fin);
        }
    }

    /// The fault has other parameters, or another share: the draw stays, and the threshold moves.
    fn update(&mut self, active: &Arc<Active>, now: Tick) {
        let Some(carried) = self.decided.get(&active.id) else { return };
        let verdict = carried.verdict.clone();
        if let (Verdict::Hit { on: true, .. }, Inject::Toxic(toxic)) = (&verdict, &active.fault().inject) {
            self.up.retune(active.id, toxic, now);
            self.down.retune(active.id, toxic, now);
        }
        self.decide_again(active, verdict, now);
    }

    /// A hit is kept, though its toxics stand only while they should; what was spared is asked again, unless it was counted out.
    fn decide_again(&mut self, active: &Arc<Active>, before: Verdict, now: Tick) {
        let verdict = match before {
            Verdict::Spared { why: Outcome::Pattern, shut: false } => before,
            Verdict::Spared { why, .. } => {
                active.decider.tally.undecided(why);
                self.consider(active, self.late(now), now);
                return;
            }
            Verdict::Hit { witness, on } => {
                let wins = active.decider.wins(&self.key.unit(), now);
                match (on, wins) {
                    (false, true) => {
                        witness.resume();
                        self.install(active, &witness, self.late(now));
                    }
                    (true, false) => {
                        self.take_out(&[active.id], now);
                        witness.rest();
                    }
                    (true, true) | (false, false) => {}
                }
                Verdict::Hit { witness, on: wins }
            }
        };
        self.carry(active, verdict, now);
    }

    fn carry(&mut self, active: &Arc<Active>, verdict: Verdict, now: Tick) {
        let turns = active.decider.turns(&self.key.unit(), now);
        self.decided.insert(active.id, Carried { active: Arc::clone(active), verdict, turns });
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
        let heard = self.heard();
        self.doom.or_else(|| self.up.ring(now, heard)).or_else(|| self.down.ring(now, heard))
    }

    /// `n` bytes were read from the source of `way`.
    pub(super) fn count(&mut self, way: Way, n: usize) {
        let [up, down] = &mut self.moved;
        *(if way == Way::Up { up } else { down }) += n as u64;
    }

    /// Bytes read from the client, and from the server.
    pub(super) fn moved(&self) -> [u64; 2] {
        self.moved
    }

    /// When it was opened.
    pub(super) fn opened(&self) -> Tick {
        self.opened
    }

    /// The names of the faults that stand in its chains.
    pub(super) fn carried(&self) -> Vec<String> {
        let on = self.decided.values().filter(|carried| matches!(carried.verdict, Verdict::Hit { on: true, .. }));
        on.map(|carried| carried.active.fault().name.clone()).collect()
    }

    /// Bytes that wait in both directions.
    pub(super) fn waiting(&self) -> usize {
        self.up.waiting()
            + self.down.waiting()
            + self.talk.as_ref().map_or(0, |talk| talk.waits(Way::Up) + talk.waits(Way::Down))
    }

    /// When the next alarm rings, or something moves on inside.
    pub(super) fn alarm_due(&self) -> Option<Tick> {
        let heard = self.heard();
        let inside = self.talk.as_ref().map(|talk| talk.due().into_iter().chain(self.up.head_due()).min());
        let alarms = self.up.alarm_due(heard).into_iter().chain(self.down.alarm_due(heard));
        alarms.chain(inside.flatten()).min().filter(|due| *due < Tick::MAX)
    }

    /// A connection on which something waits is not idle.
    fn heard(&self) -> Tick {
        if self.waiting() > 0 { Tick::MAX } else { self.up.heard().max(self.down.heard()) }
    }

    fn consider(&mut self, active: &Arc<Active>, arming: Arming, now: Tick) {
        if matches!(active.fault().inject, Inject::Rule(_)) {
            return;
        }
        let spared = |why| Verdict::Spared { why, shut: !active.decider.is_open(now) };
        let verdict = match active.decider.judge(&self.key.unit(), now, None) {
            Decision::Hit(hit) => {
                let witness = Rc::new(Witness::new(hit));
                self.install(active, &witness, arming);
                Verdict::Hit { witness, on: true }
            }
            Decision::Share => spared(Outcome::Share),
            Decision::Pattern => spared(Outcome::Pattern),
            Decision::Capped => spared(Outcome::Capped),
        };
        self.carry(active, verdict, now);
    }

    fn install(&mut self, active: &Active, witness: &Rc<Witness>, arming: Arming) {
        let fault = active.fault();
        let Inject::Toxic(toxic) = &fault.inject else { return };
        let draws = Draws::of(&active.decider, &self.key.unit());
        for &way in toxic::ways(toxic, fault.side) {
            let toxic = toxic::build(toxic, way, draws.clone());
            self.chain(way).add(Stage::new(active.id, toxic, Some(Rc::clone(witness))), arming);
        }
    }
}

mod flow;
#[cfg(test)]
mod tests;
