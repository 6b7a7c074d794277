//! `Corrupt`: bytes are changed at places that are functions of the stream's offset, never of the borders of reads.
//!
//! The gaps between the places are geometric with `p = 1 / one_in`: `floor(ln(1 - u) / ln(1 - p))` bytes.

use bytes::Bytes;

use super::{Kind, Queue, Toxic};
use crate::base::clock::Tick;
use crate::fault::draws::Draws;
use crate::fault::parcel::{Outbox, Parcel, Signal, Way};
use crate::plan::fault::Corruption;
use crate::stats::portable::ln;

const GAP: u64 = 2;
const VALUE: u64 = 3;
/// Behind the drawn bytes of the longest insertion.
const THINNED: u64 = 1 << 20;

#[derive(Debug)]
pub(super) struct Corrupt {
    one_in: u64,
    how: Corruption,
    way: Way,
    draws: Draws,
    /// Of the next byte that comes.
    offset: u64,
    /// Of the next byte that is corrupted.
    place: u64,
    /// Ordinal of that place: part of its key.
    nth: u64,
    /// Places that were corrupted.
    struck: u64,
    /// Bytes still to be removed.
    removing: u32,
}

impl Corrupt {
    pub(super) fn new((one_in, skip): (u64, u64), how: Corruption, way: Way, draws: Draws) -> Self {
        let mut toxic = Self { one_in, how, way, draws, offset: 0, place: 0, nth: 0, struck: 0, removing: 0 };
        toxic.place = skip.saturating_add(toxic.gap());
        toxic
    }

    /// Bytes up to the next place.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "float casts saturate")]
    fn gap(&self) -> u64 {
        let u = self.draws.draw(self.way, self.nth, GAP);
        (ln(1.0 - u) / ln(1.0 - 1.0 / self.one_in.max(1) as f64)) as u64
    }

    /// A drawn byte; `k` tells several of one place apart.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below 256")]
    fn value(&self, k: u32) -> u8 {
        (self.draws.draw(self.way, self.nth, VALUE + u64::from(k)) * 256.0) as u8
    }

    /// The byte that stands at a place, changed.
    fn strike(&mut self, byte: u8, at: Tick, into: &mut Vec<u8>) {
        // A ramp of severity leaves some of the places alone, and moves none.
        if self.draws.draw(self.way, self.nth, THINNED) >= self.draws.severity(at) {
            into.push(byte);
            self.next();
            return;
        }
        match self.how {
            Corruption::Flip => into.push(byte ^ (1 << (self.value(0) % 8))),
            // Never the byte itself.
            Corruption::Replace => into.push(byte.wrapping_add(self.value(0) % 255 + 1)),
            Corruption::Insert(n) => {
                into.extend((0..n).map(|k| self.value(k)));
                into.push(byte);
            }
            Corruption::Remove(n) => self.removing = n.saturating_sub(1),
        }
        self.struck += 1;
        self.next();
    }

    fn next(&mut self) {
        self.nth += 1;
        self.place = self.offset.saturating_add(1).saturating_add(self.gap());
    }
}

impl Toxic for Corrupt {
    fn pass(&mut self, parcel: Parcel, out: &mut Outbox) {
        let Signal::Data(data) = parcel.signal else {
            out.send(parcel.due, parcel.signal);
            return;
        };
        let before = (self.struck, self.removing);
        let mut left = Vec::with_capacity(data.len());
        for byte in data.iter().copied() {
            if self.removing > 0 {
                self.removing -= 1;
            } else if self.offset >= self.place {
                self.strike(byte, parcel.due, &mut left);
            } else {
                left.push(byte);
            }
            self.offset += 1;
        }
        if before == (self.struck, self.removing) {
            out.send(parcel.due, Signal::Data(data));
            return;
        }
        out.changed();
        out.send(parcel.due, Signal::Data(Bytes::from(left)));
    }

    fn retune(&mut self, to: &Kind, _: &mut Queue, _: &mut Outbox) {
        let Kind::Corrupt { one_in, how, .. } = to else { return };
        (self.one_in, self.how) = (*one_in, *how);
        self.place = self.offset.saturating_add(self.gap());
    }
}
