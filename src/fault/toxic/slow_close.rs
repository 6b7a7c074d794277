//! `SlowClose`: only the end of the direction is late.

use std::time::Duration;

use super::{Kind, Queue, Toxic};
use crate::fault::draws::Draws;
use crate::fault::parcel::{Outbox, Parcel, Signal};

#[derive(Debug)]
pub(super) struct SlowClose {
    delay: Duration,
    draws: Draws,
}

impl SlowClose {
    pub(super) fn new(delay: Duration, draws: Draws) -> Self {
        Self { delay, draws }
    }
}

impl Toxic for SlowClose {
    fn pass(&mut self, parcel: Parcel, out: &mut Outbox) {
        let end = parcel.signal == Signal::Fin;
        let late = if end { self.draws.hold(self.delay, parcel.due) } else { Duration::ZERO };
        out.send(parcel.due + late, parcel.signal);
    }

    fn retune(&mut self, to: &Kind, queue: &mut Queue, _: &mut Outbox) {
        let Kind::SlowClose { delay } = to else { return };
        self.delay = *delay;
        queue.at_most(*delay);
    }
}
