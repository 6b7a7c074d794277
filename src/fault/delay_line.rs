//! The queue of one direction: pieces in order, each with its due instant and what every fault added to it.
//!
//! Pure. Order is kept here by one rule: a piece is never due before the piece ahead of it. Not here: who delays what
//! (`toxic`), reading and writing (`pump`). Owned by `chain`.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Buf;

use super::parcel::{Piece, Signal};
use super::snapshot::FaultId;
use crate::base::clock::Tick;

/// A piece on its way: its own due instant, and the part of the wait that each fault is answerable for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Transit {
    /// Arrival plus all holds, before the order is kept.
    pub(super) own: Tick,
    pub(super) piece: Piece,
    pub(super) holds: Vec<(FaultId, Duration)>,
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
        self.last = self.last.max(transit.own);
        self.bytes += transit.piece.bytes();
        self.queue.push_back(Queued { due: self.last, transit });
    }

    /// When the first piece may leave.
    pub(super) fn head_due(&self) -> Option<Tick> {
        self.queue.front().map(|head| head.due)
    }

    /// The first piece, if it may leave at `now`.
    pub(super) fn head(&self, now: Tick) -> Option<&Piece> {
        self.queue.front().filter(|head| head.due <= now).map(|head| &head.transit.piece)
    }

    /// `written` bytes of the head have left; a piece without bytes left is gone.
    pub(super) fn advance(&mut self, written: usize) {
        let Some(head) = self.queue.front_mut() else { return };
        if let Piece::Pass(Signal::Data(data)) = &mut head.transit.piece {
            let written = written.min(data.len());
            data.advance(written);
            self.bytes -= written;
            if !data.is_empty() {
                return;
            }
        }
        self.queue.pop_front();
    }

    /// Takes back what `fault` added: each piece is due that much earlier, though not before `now`, and still in order.
    pub(super) fn release(&mut self, fault: FaultId, now: Tick) {
        let mut ahead = Tick::ZERO;
        for queued in &mut self.queue {
            let transit = &mut queued.transit;
            let held: Duration = transit.holds.iter().filter(|(by, _)| *by == fault).map(|(_, held)| *held).sum();
            if !held.is_zero() {
                transit.own = (transit.own - held).max(now);
            }
            // A piece that was only waiting behind a held one may leave now, too.
            queued.due = transit.own.max(ahead);
            ahead = queued.due;
        }
        self.last = ahead;
    }

    pub(super) fn clear(&mut self) {
        self.queue.clear();
        self.bytes = 0;
    }
}
