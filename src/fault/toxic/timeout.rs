//! `Timeout`: from arming on, data of this direction is swallowed; the connection is closed `after` later even while data
//! flows, or never when `after` is zero.
//!
//! An end of the direction is swallowed too: handed on, it would make a cut message look complete. A reset is handed on:
//! the peer is gone, and nobody is held by pretending otherwise.

use std::time::Duration;

use super::{Arming, Toxic};
use crate::fault::parcel::{Close, Outbox, Parcel, Signal};

#[derive(Debug)]
pub(super) struct Timeout {
    after: Duration,
}

impl Timeout {
    pub(super) fn new(after: Duration) -> Self {
        Self { after }
    }
}

impl Toxic for Timeout {
    fn open(&mut self, arming: Arming, out: &mut Outbox) {
        if !self.after.is_zero() {
            out.alarm(arming.at() + self.after, Close::Fin);
        }
    }

    fn pass(&mut self, parcel: Parcel, out: &mut Outbox) {
        if parcel.signal == Signal::Rst {
            out.send(parcel.due, Signal::Rst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Tick;

    #[test]
    fn the_end_counts_from_arming_and_zero_means_never() {
        for (after, want) in [(300, vec![(Tick::from_millis(305), Close::Fin)]), (0, vec![])] {
            let mut out = Outbox::default();
            Timeout::new(Duration::from_millis(after)).open(Arming::Injected(Tick::from_millis(5)), &mut out);
            assert_eq!(out.alarms, want);
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
