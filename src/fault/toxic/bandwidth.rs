//! `Bandwidth`: bytes leave at a rate: start = max(due, free), free = start + len / rate, due = free.
//!
//! A parcel longer than 100 ms of the rate is split there. A rate of 0 holds everything until the toxic goes.

use std::time::Duration;

use super::{Kind, Queue, Toxic};
use crate::base::clock::Tick;
use crate::fault::parcel::{Outbox, Parcel, Signal};

/// Pieces per second into which a long parcel is split.
const PIECES: u64 = 10;

#[derive(Debug)]
pub(super) struct Bandwidth {
    /// Bytes per second.
    rate: u64,
    free: Tick,
}

impl Bandwidth {
    pub(super) fn new(rate: u64) -> Self {
        Self { rate, free: Tick::ZERO }
    }

    /// When `bytes` that came at `came` have left.
    fn leave(&mut self, came: Tick, bytes: usize) -> Tick {
        let Some(nanos) = (bytes as u128 * 1_000_000_000).checked_div(u128::from(self.rate)) else { return Tick::MAX };
        self.free = came.max(self.free) + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.free
    }
}

impl Toxic for Bandwidth {
    fn pass(&mut self, parcel: Parcel, out: &mut Outbox) {
        let Signal::Data(mut data) = parcel.signal else {
            out.send(if self.rate == 0 { Tick::MAX } else { parcel.due.max(self.free) }, parcel.signal);
            return;
        };
        let most = usize::try_from(self.rate / PIECES).unwrap_or(usize::MAX).max(1);
        while !data.is_empty() {
            let piece = if self.rate == 0 { data.split_off(0) } else { data.split_to(most.min(data.len())) };
            out.send(self.leave(parcel.due, piece.len()), Signal::Data(piece));
        }
    }

    fn retune(&mut self, to: &Kind, queue: &mut Queue, _: &mut Outbox) {
        let Kind::Bandwidth { rate } = to else { return };
        self.rate = *rate;
        self.free = queue.now;
        for held in &mut queue.held {
            let leaves = self.leave(held.came, held.bytes);
            held.time = if leaves == Tick::MAX { Duration::MAX } else { leaves.since(held.came) };
        }
    }
}
