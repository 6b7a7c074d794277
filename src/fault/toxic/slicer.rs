//! `Slicer`: data leaves in pieces uniform in [max(1, size - variation), size + variation], with a pause after each.

use std::time::Duration;

use super::{Kind, Queue, Toxic};
use crate::base::clock::Tick;
use crate::fault::draws::Draws;
use crate::fault::parcel::{Outbox, Parcel, Signal, Way};

/// Its draws are no other kind's.
const SLOT: u64 = 2;

#[derive(Debug)]
pub(super) struct Slicer {
    size: u64,
    variation: u64,
    pause: Duration,
    way: Way,
    draws: Draws,
    /// Ordinal of the next piece: part of its key.
    piece: u64,
    /// The end of the last pause.
    free: Tick,
}

impl Slicer {
    pub(super) fn new((size, variation): (u64, u64), pause: Duration, way: Way, draws: Draws) -> Self {
        Self { size, variation, pause, way, draws, piece: 0, free: Tick::ZERO }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a span that is a u64")]
    fn length(&mut self) -> usize {
        let least = self.size.saturating_sub(self.variation).max(1);
        let span = self.size.saturating_add(self.variation).saturating_sub(least).saturating_add(1);
        let drawn = self.draws.draw(self.way, self.piece, SLOT) * span as f64;
        self.piece += 1;
        usize::try_from(least + (drawn as u64).min(span - 1)).unwrap_or(usize::MAX)
    }
}

impl Toxic for Slicer {
    fn pass(&mut self, parcel: Parcel, out: &mut Outbox) {
        let Signal::Data(mut data) = parcel.signal else {
            out.send(parcel.due.max(self.free), parcel.signal);
            return;
        };
        while !data.is_empty() {
            let length = self.length().min(data.len());
            let start = parcel.due.max(self.free);
            self.free = start + self.pause;
            out.send(start, Signal::Data(data.split_to(length)));
        }
    }

    fn retune(&mut self, to: &Kind, queue: &mut Queue, _: &mut Outbox) {
        let Kind::Slicer { size, variation, pause } = to else { return };
        (self.size, self.variation, self.pause) = (*size, *variation, *pause);
        // What waits is already cut into pieces: their pauses begin anew.
        self.free = queue.now;
        for held in &mut queue.held {
            let start = held.came.max(self.free);
            self.free = start + self.pause;
            held.time = held.time.min(start.since(held.came));
        }
    }
}
