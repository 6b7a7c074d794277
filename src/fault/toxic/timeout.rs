//! `Timeout`: from arming on, data of this direction is swallowed; the connection is closed `after` later even while data
//! flows, or never when `after` is zero.
//!
//! An end of the direction is swallowed too: handed on, it would make a cut message look complete. A reset is handed on:
//! the peer is gone, and nobody is held by pretending otherwise.

use std::time::Duration;

use super::{Arming, Kind, Queue, Toxic};
use crate::base::clock::Tick;
use crate::fault::parcel::{Close, Outbox, Parcel, Signal};

#[derive(Debug)]
pub(super) struct Timeout {
    after: Duration,
    armed: Tick,
}

impl Timeout {
    pub(super) fn new(after: Duration) -> Self {
        Self { after, armed: Tick::ZERO }
    }
}

impl Timeout {
    fn arm(&self, out: &mut Outbox) {
        if !self.after.is_zero() {
            out.alarm(self.armed + self.after, Close::Fin);
        }
    }
}

impl Toxic for Timeout {
    fn open(&mut self, arming: Arming, out: &mut Outbox) {
        self.armed = arming.at();
        self.arm(out);
    }

    fn pass(&mut self, parcel: Parcel, out: &mut Outbox) {
        if parcel.signal == Signal::Rst {
            out.send(parcel.due, Signal::Rst);
        }
    }

    fn retune(&mut self, to: &Kind, _: &mut Queue, out: &mut Outbox) {
        let Kind::Timeout { after } = to else { return };
        self.after = *after;
        self.arm(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_counts_from_arming_and_zero_means_never() {
        for (after, want) in [(300, vec![(Tick::from_millis(305), Close::Fin)]), (0, vec![])] {
            let mut out = Outbox::default();
            Timeout::new(Duration::from_millis(after)).open(Arming::Opened(Tick::from_millis(5)), &mut out);
            let set: Vec<_> = out.alarms.iter().map(|ring| (ring.at, ring.how)).collect();
            assert_eq!(set, want);
        }
    }

    #[test]
    fn data_and_its_end_are_swallowed_a_reset_is_not() {
        let due = Tick::from_millis(20);
        for (signal, left) in [(Signal::Data(vec![1; 9].into()), 0), (Signal::Fin, 0), (Signal::Rst, 1)] {
            let mut out = Outbox::default();
            Timeout::new(Duration::from_millis(300)).pass(Parcel { due, signal }, &mut out);
            assert_eq!(out.sent.len(), left);
        }
    }
}
