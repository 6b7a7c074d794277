//! `Blackhole`: nothing passes and nothing closes, not even a reset.
//!
//! `Stall` holds what comes until the toxic goes: the buffer fills, and reading stops. `Swallow` reads and discards; the
//! connections that lost bytes are cut when it heals, which is `chain`'s and `link`'s business.

use super::{Kind, Queue, Toxic};
use crate::base::clock::Tick;
use crate::fault::parcel::{Outbox, Parcel};
use crate::plan::fault::Silence;

#[derive(Debug)]
pub(super) struct Blackhole {
    how: Silence,
}

impl Blackhole {
    pub(super) fn new(how: Silence) -> Self {
        Self { how }
    }
}

impl Toxic for Blackhole {
    fn pass(&mut self, parcel: Parcel, out: &mut Outbox) {
        match self.how {
            Silence::Stall => out.send(Tick::MAX, parcel.signal),
            Silence::Swallow => {}
        }
    }

    fn retune(&mut self, to: &Kind, _: &mut Queue, _: &mut Outbox) {
        let Kind::Blackhole { how } = to else { return };
        self.how = *how;
    }
}
