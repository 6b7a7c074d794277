//! The toxics of one direction, in the order added, and the delay line behind them.
//!
//! ```text
//! read -> toxic -> toxic -> … -> [ delay line ] -> write         alarms stand beside the line and delay nothing
//! ```
//! Pure. This is where a byte stream stays one: due instants are clamped upward, nothing follows an end, and what a fault
//! added is remembered so that its removal takes exactly that back. Not here: sockets (`pump`), both directions (`link`).

use std::rc::Rc;
use std::time::Duration;

use super::delay_line::{DelayLine, Transit};
use super::parcel::{Close, Outbox, Parcel, Piece, Ring, Signal};
use super::snapshot::FaultId;
use super::stats::Witness;
use super::toxic::{Arming, Queue, Toxic};
use crate::base::clock::Tick;
use crate::plan::fault::Toxic as Kind;

/// One toxic in its place.
#[derive(Debug)]
pub(super) struct Stage {
    fault: FaultId,
    toxic: Box<dyn Toxic>,
    /// `None` for a toxic of the proxy's definition, which is not counted.
    witness: Option<Rc<Witness>>,
    /// Something that came in never left: the stream can no longer be made whole.
    swallowed: bool,
}

#[derive(Debug)]
struct Alarm {
    ring: Ring,
    fault: FaultId,
    witness: Option<Rc<Witness>>,
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub(super) struct Chain {
    stages: Vec<Stage>,
    line: DelayLine,
    alarms: Vec<Alarm>,
    /// When something was last read.
    heard: Tick,
    /// An end is queued or was written: nothing may follow.
    closed: bool,
}

impl Stage {
    pub(super) fn new(fault: FaultId, toxic: Box<dyn Toxic>, witness: Option<Rc<Witness>>) -> Self {
        Self { fault, toxic, witness, swallowed: false }
    }

    /// One piece through one toxic. Cuts pass every later toxic untouched: the order alone holds them back.
    fn pass(&mut self, transit: Transit, onward: &mut Vec<Transit>, alarms: &mut Vec<Alarm>) {
        let Transit { own, piece, came, holds } = transit;
        let Piece::Pass(signal) = piece else {
            onward.push(Transit { own, piece, came, holds });
            return;
        };
        let (size, end) = (signal.len(), signal.is_empty());
        let mut out = Outbox::default();
        self.toxic.pass(Parcel { due: own, signal }, &mut out);
        let left: usize = out.sent.iter().map(|(_, piece)| piece.bytes()).sum();
        if left < size || (end && out.sent.is_empty()) {
            self.swallowed = true;
            self.witnessed(|witness| witness.swallowed(size.saturating_sub(left)));
        }
        if out.changed {
            self.witnessed(Witness::changed);
        }
        self.arm(out.alarms, alarms);
        for (due, piece) in out.sent {
            onward.push(Transit { came, ..self.held((own, due), piece, &holds) });
        }
    }

    /// What leaves the toxic, with its own hold beside the others.
    fn held(&self, (came, due): (Tick, Tick), piece: Piece, holds: &[(FaultId, Duration)]) -> Transit {
        let mut holds = holds.to_vec();
        let (own, held) = if due == Tick::MAX { (came, Duration::MAX) } else { (came.max(due), due.since(came)) };
        if !held.is_zero() {
            holds.push((self.fault, held));
            self.witnessed(|witness| witness.held(held));
        }
        if matches!(piece, Piece::Cut(_)) {
            self.witnessed(Witness::cut);
        }
        Transit { own, piece, came, holds }
    }

    fn arm(&self, set: Vec<Ring>, alarms: &mut Vec<Alarm>) {
        let alarm = |ring| Alarm { ring, fault: self.fault, witness: self.witness.clone() };
        alarms.extend(set.into_iter().map(alarm));
    }

    fn witnessed(&self, tell: impl FnOnce(&Witness)) {
        if let Some(witness) = &self.witness {
            tell(witness);
        }
    }
}

impl Chain {
    /// A socket gave `signal` at `now`. After an end, anything is dropped.
    pub(super) fn arrive(&mut self, now: Tick, signal: Signal) {
        self.enter(now, Piece::Pass(signal));
    }

    /// [`Chain::arrive`] for what left another chain.
    pub(super) fn enter(&mut self, now: Tick, piece: Piece) {
        self.carry(vec![Transit { own: now, piece, came: now, holds: Vec::new() }]);
    }

    /// The first queued piece, taken out whole, if it may leave at `now`.
    pub(super) fn take(&mut self, now: Tick) -> Option<Piece> {
        let piece = self.line.head(now)?.clone();
        self.advance(piece.bytes(), now);
        Some(piece)
    }

    /// Adds a toxic behind those of older faults: it acts on what arrives from now on, and may arm itself at once.
    pub(super) fn add(&mut self, mut stage: Stage, arming: Arming) {
        let mut out = Outbox::default();
        stage.toxic.open(arming, &mut out);
        stage.arm(out.alarms, &mut self.alarms);
        let place = self.stages.partition_point(|other| other.fault <= stage.fault);
        self.stages.insert(place, stage);
    }

    /// The parameters of `fault` became `to`: its toxics keep their state, what they hold follows, alarms are set anew.
    pub(super) fn retune(&mut self, fault: FaultId, to: &Kind, now: Tick) {
        for stage in self.stages.iter_mut().filter(|stage| stage.fault == fault) {
            let mut queue = Queue { now, held: self.line.held_by(fault) };
            let mut out = Outbox::default();
            stage.toxic.retune(to, &mut queue, &mut out);
            self.alarms.retain(|alarm| alarm.fault != fault);
            stage.arm(out.alarms, &mut self.alarms);
            self.line.hold_anew(fault, &queue.held, now);
        }
    }

    /// Takes the toxics of the faults `gone` out: their alarms are off, and what they added to queued pieces is subtracted. True when one
    /// had swallowed something, so that the connection cannot go on as if nothing had been.
    pub(super) fn remove(&mut self, gone: &[FaultId], now: Tick) -> bool {
        let mut swallowed = false;
        for stage in self.stages.iter().filter(|stage| gone.contains(&stage.fault) && stage.swallowed) {
            swallowed = true;
            stage.witnessed(Witness::cut);
        }
        for stage in self.stages.iter().filter(|stage| gone.contains(&stage.fault)) {
            stage.witnessed(|witness| witness.early(self.line.held_by(stage.fault).len()));
        }
        self.stages.retain(|stage| !gone.contains(&stage.fault));
        self.alarms.retain(|alarm| !gone.contains(&alarm.fault));
        self.line.release(gone, now);
        swallowed
    }

    /// The faults whose toxics stand in this chain, the proxy's own included.
    pub(super) fn faults(&self) -> impl Iterator<Item = FaultId> + '_ {
        self.stages.iter().map(|stage| stage.fault)
    }

    /// Nothing acts here and nothing waits: bytes may go straight from socket to socket.
    pub(super) fn is_clear(&self) -> bool {
        self.stages.is_empty() && self.line.is_empty() && !self.closed
    }

    /// Bytes that may still be read when at most `buffer` wait. Without toxics only one read is kept: the kernel's own
    /// buffers then push back as they would without a proxy.
    pub(super) fn room(&self, buffer: usize) -> usize {
        if self.stages.is_empty() && !self.line.is_empty() { 0 } else { buffer.saturating_sub(self.line.bytes()) }
    }

    /// Bytes that wait.
    pub(super) fn waiting(&self) -> usize {
        self.line.bytes()
    }

    /// When the first queued piece may leave.
    pub(super) fn head_due(&self) -> Option<Tick> {
        self.line.head_due()
    }

    /// When the first alarm rings, if nothing is heard from the peers after `heard`.
    pub(super) fn alarm_due(&self, heard: Tick) -> Option<Tick> {
        self.alarms.iter().map(|alarm| alarm.ring.due(heard)).min()
    }

    /// Something was read from the source at `now`.
    pub(super) fn hear(&mut self, now: Tick) {
        self.heard = now;
    }

    /// When something was last read from the source.
    pub(super) fn heard(&self) -> Tick {
        self.heard
    }

    /// The first queued piece, if it may leave at `now`.
    pub(super) fn head(&self, now: Tick) -> Option<&Piece> {
        self.line.head(now)
    }

    /// `written` bytes of the head have left at `now`; 0 for an end that was carried out.
    pub(super) fn advance(&mut self, written: usize, now: Tick) {
        let Some(gone) = self.line.advance(written).filter(|gone| !gone.holds.is_empty()) else { return };
        for (fault, held) in gone.realised(now) {
            if let Some(stage) = self.stages.iter().find(|stage| stage.fault == fault) {
                stage.witnessed(|witness| witness.realised(held));
            }
        }
    }

    /// The alarm that has rung by `now`, if any: what was queued is dropped.
    pub(super) fn ring(&mut self, now: Tick, heard: Tick) -> Option<Close> {
        let rung = self.alarms.iter().filter(|alarm| alarm.ring.due(heard) <= now);
        let alarm = rung.min_by_key(|alarm| alarm.ring.due(heard))?;
        let how = alarm.ring.how;
        if let Some(witness) = &alarm.witness {
            witness.cut();
        }
        self.abandon();
        Some(how)
    }

    /// The destination is gone: drops what waits and takes nothing more.
    pub(super) fn abandon(&mut self) {
        self.line.clear();
        self.alarms.clear();
        self.closed = true;
    }

    fn carry(&mut self, mut transits: Vec<Transit>) {
        if self.closed {
            return;
        }
        for stage in &mut self.stages {
            let mut onward = Vec::with_capacity(transits.len());
            for transit in transits {
                stage.pass(transit, &mut onward, &mut self.alarms);
            }
            transits = onward;
        }
        for transit in transits {
            if self.closed {
                break;
            }
            self.closed = transit.piece.is_last();
            if self.closed || transit.piece.bytes() > 0 {
                self.line.push(transit);
            }
        }
    }
}

#[cfg(test)]
mod tests;
