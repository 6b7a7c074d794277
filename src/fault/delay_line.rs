//! The queue of one direction: pieces in order, each with its due instant and what every fault added to it.
//!
//! Pure. Order is kept here by one rule: a piece is never due before the piece ahead of it. Not here: who delays what
//! (`toxic`), reading and writing (`pump`). Owned by `chain`.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Buf;

use super::parcel::{Piece, Signal};
use super::snapshot::FaultId;
use super::toxic::Held;
use crate::base::clock::Tick;

/// A piece on its way: its own due instant, and the part of the wait that each fault is answerable for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Transit {
    /// Arrival plus all holds, before the order is kept.
    pub(super) own: Tick,
    pub(super) piece: Piece,
    /// When it arrived.
    pub(super) came: Tick,
    /// [`Duration::MAX`]: until the fault goes; such a hold is no part of `own`.
    pub(super) holds: Vec<(FaultId, Duration)>,
}

impl Transit {
    fn is_stuck(&self) -> bool {
        self.holds.iter().any(|(_, held)| *held == Duration::MAX)
    }

    /// What each fault is answerable for of the time from the arrival to `now`, in proportion to what it drew.
    pub(super) fn realised(&self, now: Tick) -> impl Iterator<Item = (FaultId, Duration)> {
        let drawn = self.holds.iter().filter(|(_, held)| *held != Duration::MAX && !held.is_zero());
        let all: Duration = drawn.clone().map(|(_, held)| *held).sum();
        let waited = now.since(self.came);
        drawn.map(move |(fault, held)| (*fault, waited.mul_f64(held.as_secs_f64() / all.as_secs_f64())))
    }

    fn held_by(&self, gone: &[FaultId]) -> Duration {
        let by = self.holds.iter().filter(|(by, held)| gone.contains(by) && *held != Duration::MAX);
        by.map(|(_, held)| *held).sum()
    }
}

#[derive(Clone, Debug)]
struct Queued {
    /// Never earlier than that of the piece ahead.
    due: Tick,
    transit: Transit,
}

/// Pieces waiting for their instant.
#[derive(Clone, Debug, Default)]
pub(super) struct DelayLine {
    queue: VecDeque<Queued>,
    bytes: usize,
    /// Due instant of the piece queued last.
    last: Tick,
}

impl DelayLine {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Bytes waiting.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, transit: Transit) {
        self.last = self.last.max(if transit.is_stuck() { Tick::MAX } else { transit.own });
        self.bytes += transit.piece.bytes();
        self.queue.push_back(Queued { due: self.last, transit });
    }

    /// When the first piece may leave; `None` when nothing waits, or when it waits until its fault goes.
    pub(super) fn head_due(&self) -> Option<Tick> {
        self.queue.front().map(|head| head.due).filter(|due| *due < Tick::MAX)
    }

    /// The first piece, if it may leave at `now`.
    pub(super) fn head(&self, now: Tick) -> Option<&Piece> {
        self.queue.front().filter(|head| head.due <= now).map(|head| &head.transit.piece)
    }

    /// `written` bytes of the head have left; a piece without bytes left is gone, and given back.
    pub(super) fn advance(&mut self, written: usize) -> Option<Transit> {
        let head = self.queue.front_mut()?;
        if let Piece::Pass(Signal::Data(data)) = &mut head.transit.piece {
            let written = written.min(data.len());
            data.advance(written);
            self.bytes -= written;
            if !data.is_empty() {
                return None;
            }
        }
        self.queue.pop_front().map(|gone| gone.transit)
    }

    /// The first piece, taken out whole, if it may leave at `now`.
    pub(super) fn take(&mut self, now: Tick) -> Option<Transit> {
        self.head(now)?;
        let transit = self.queue.pop_front()?.transit;
        self.bytes -= transit.piece.bytes();
        Some(transit)
    }

    /// The faults that hold something, one entry for each piece.
    pub(super) fn holders(&self) -> Vec<FaultId> {
        self.queue.iter().flat_map(|one| &one.transit.holds).map(|(by, _)| *by).collect()
    }

    /// Takes back what the faults `gone` added: each piece is due that much earlier, though not before `now`, and still in order.
    pub(super) fn release(&mut self, gone: &[FaultId], now: Tick) {
        for Queued { transit, .. } in &mut self.queue {
            if transit.holds.iter().any(|(by, _)| gone.contains(by)) {
                transit.own = (transit.own - transit.held_by(gone)).max(now);
                transit.holds.retain(|(by, _)| !gone.contains(by));
            }
        }
        self.reorder();
    }

    /// The pieces that `fault` holds, in order.
    pub(super) fn held_by(&self, fault: FaultId) -> Vec<Held> {
        let held = |transit: &Transit| {
            let place = transit.holds.iter().position(|(by, _)| *by == fault)?;
            let (_, time) = *transit.holds.get(place)?;
            let since: Duration =
                transit.holds.iter().skip(place).map(|(_, held)| *held).filter(|held| *held != Duration::MAX).sum();
            Some(Held { came: transit.own - since, bytes: transit.piece.bytes(), time })
        };
        self.queue.iter().filter_map(|queued| held(&queued.transit)).collect()
    }

    /// Holds the pieces of [`DelayLine::held_by`] as long as it says now, though nothing is due before `now`.
    pub(super) fn hold_anew(&mut self, fault: FaultId, held: &[Held], now: Tick) {
        let mut held = held.iter();
        for Queued { transit, .. } in &mut self.queue {
            let Some((_, old)) = transit.holds.iter_mut().find(|(by, _)| *by == fault) else { continue };
            let Some(new) = held.next() else { break };
            if *old == new.time {
                continue;
            }
            let finite = |time: Duration| if time == Duration::MAX { Duration::ZERO } else { time };
            transit.own = (transit.own - finite(*old) + finite(new.time)).max(now);
            *old = new.time;
        }
        self.reorder();
    }

    /// A piece that was only waiting behind a held one may leave with it.
    fn reorder(&mut self) {
        let mut ahead = Tick::ZERO;
        for queued in &mut self.queue {
            queued.due = ahead.max(if queued.transit.is_stuck() { Tick::MAX } else { queued.transit.own });
            ahead = queued.due;
        }
        self.last = ahead;
    }

    pub(super) fn clear(&mut self) {
        self.queue.clear();
        self.bytes = 0;
    }
}
