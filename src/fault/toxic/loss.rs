//! `Loss`: packet loss as the delay that a retransmission takes; no byte is ever lost.
//!
//! Of each segment of 1448 bytes a share is lost, a larger one right after a loss. A lost segment waits one round trip when
//! three more follow it in the parcel (fast retransmit), else the retransmission timeout, doubled for every loss of the
//! retransmission. Everything behind it waits, because the order is kept.

use std::time::Duration;

use super::{Kind, Queue, Toxic};
use crate::base::clock::Tick;
use crate::base::ratio::Ratio;
use crate::fault::draws::Draws;
use crate::fault::parcel::{Outbox, Parcel, Signal, Way};

const SEGMENT: usize = 1448;
/// Segments behind a lost one whose acknowledgements make its sender repeat it at once.
const FAST: usize = 3;
/// Losses of one segment, at most: 2^6 timeouts.
const REPEATS: u32 = 6;
const SLOT: u64 = 2;

#[derive(Debug)]
pub(super) struct Loss {
    rate: Ratio,
    correlation: Ratio,
    rtt: Duration,
    rto: Duration,
    way: Way,
    draws: Draws,
    /// Ordinal of the next segment: part of its key.
    segment: u64,
    /// The segment before was lost.
    lost: bool,
}

impl Loss {
    pub(super) fn new(
        (rate, correlation): (Ratio, Ratio),
        (rtt, rto): (Duration, Duration),
        way: Way,
        draws: Draws,
    ) -> Self {
        Self { rate, correlation, rtt, rto, way, draws, segment: 0, lost: false }
    }

    /// What the next segment waits when `behind` more follow it in its parcel.
    fn wait(&mut self, behind: usize, at: Tick) -> Duration {
        let segment = self.segment;
        self.segment += 1;
        let severity = self.draws.severity(at);
        let mut wait = Duration::ZERO;
        let mut before = self.lost;
        self.lost = false;
        for repeat in 0..=REPEATS {
            let rate = self.rate.get() * severity;
            let chance = if before { rate + self.correlation.get() * (1.0 - rate) } else { rate };
            if self.draws.draw(self.way, segment, SLOT + u64::from(repeat)) >= chance {
                break;
            }
            wait += if repeat == 0 && behind >= FAST { self.rtt } else { self.rto * (1 << repeat) };
            (before, self.lost) = (true, true);
        }
        if wait.is_zero() { wait } else { self.draws.bound(wait) }
    }
}

impl Toxic for Loss {
    fn pass(&mut self, parcel: Parcel, out: &mut Outbox) {
        let Signal::Data(mut data) = parcel.signal else {
            out.send(parcel.due, parcel.signal);
            return;
        };
        while !data.is_empty() {
            let segment = data.split_to(SEGMENT.min(data.len()));
            let wait = self.wait(data.len().div_ceil(SEGMENT), parcel.due);
            out.send(parcel.due + wait, Signal::Data(segment));
        }
    }

    fn retune(&mut self, to: &Kind, queue: &mut Queue, _: &mut Outbox) {
        let Kind::Loss { rate, correlation, rtt, rto } = to else { return };
        (self.rate, self.correlation, self.rtt, self.rto) = (*rate, *correlation, *rtt, *rto);
        if rate.get() == 0.0 {
            queue.at_most(Duration::ZERO);
        }
    }
}
