//! `SlowClose`: only the end of the direction is late.

use std::time::Duration;

use super::{Kind, Queue, Toxic};
use crate::fault::parcel::{Outbox, Parcel, Signal};

#[derive(Debug)]
pub(super) struct SlowClose {
    delay: Duration,
}

impl SlowClose {
    pub(super) fn new(delay: Duration) -> Self {
        Self { delay }
    }
}

impl Toxic for SlowClose {
    fn pass(&mut self, parcel: Parcel, out: &mut Outbox) {
        let late = if parcel.signal == Signal::Fin { self.delay } else { Duration::ZERO };
        out.send(parcel.due + late, parcel.signal);
    }

    fn retune(&mut self, to: &Kind, queue: &mut Queue, _: &mut Outbox) {
        let Kind::SlowClose { delay } = to else { return };
        self.delay = *delay;
        queue.at_most(*delay);
    }
}
