//! What a fault did: counters that the workers write and anybody may read, at any time and after the fault has healed.
//!
//! Not here: proof rules ("at least 50 within 30 s"), which the drill judges from [`FaultStats`].

mod shown;
mod traffic;
mod witness;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::ledger::Outcome;
use crate::measure::histogram::{Bins, micros};

pub use shown::{Distinct, FaultStats, Holds, Untouched};
pub(super) use traffic::Traffic;
pub(super) use witness::Witness;

/// What is counted of a fault.
#[derive(Clone, Copy, Debug)]
enum Count {
    Considered,
    Touched,
    Share,
    Pattern,
    Capped,
    Unparsed,
    Unsafe,
    Active,
    Peak,
    Parcels,
    Swallowed,
    Changed,
    Cut,
    Clamped,
    Early,
}

impl Count {
    const ALL: usize = Self::Early as usize + 1;
}

/// Counters of one fault, over all its connections.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: [AtomicU64; Count::ALL],
    drawn: Mutex<Bins>,
    held: Mutex<Bins>,
}

impl Tally {
    fn at(&self, count: Count) -> u64 {
        self.counts.get(count as usize).map_or(0, |counter| counter.load(Relaxed))
    }

    fn add(&self, count: Count, n: u64) {
        self.counts.get(count as usize).map(|counter| counter.fetch_add(n, Relaxed));
    }

    fn sub(&self, count: Count) {
        self.counts.get(count as usize).map(|counter| counter.fetch_sub(1, Relaxed));
    }

    /// A unit matched, and is about to be decided.
    pub(super) fn consider(&self) {
        self.add(Count::Considered, 1);
    }

    /// It was decided so.
    pub(super) fn decided(&self, outcome: Outcome) {
        match outcome {
            Outcome::Share => self.add(Count::Share, 1),
            Outcome::Pattern => self.add(Count::Pattern, 1),
            Outcome::Capped => self.add(Count::Capped, 1),
            Outcome::Hit => self.enter(),
        }
    }

    /// One more unit is active.
    fn enter(&self) {
        self.add(Count::Active, 1);
        if let Some(peak) = self.counts.get(Count::Peak as usize) {
            peak.fetch_max(self.at(Count::Active), Relaxed);
        }
    }

    /// A unit that was not hit is considered anew.
    pub(super) fn undecided(&self, outcome: Outcome) {
        match outcome {
            Outcome::Share => self.sub(Count::Share),
            Outcome::Pattern => self.sub(Count::Pattern),
            Outcome::Capped => self.sub(Count::Capped),
            Outcome::Hit => return,
        }
        self.sub(Count::Considered);
    }

    /// A unit is no longer active.
    pub(super) fn leave(&self) {
        self.sub(Count::Active);
    }

    /// Something was done to a unit.
    pub(super) fn touched(&self) {
        self.add(Count::Touched, 1);
    }

    /// A hold was drawn, and is this long after the caps.
    pub(super) fn drawn(&self, hold: Duration) {
        record(&self.drawn, hold);
    }

    /// A draw was cut by the cap on single holds.
    pub(super) fn clamped(&self) {
        self.add(Count::Clamped, 1);
    }

    /// A unit was held so long.
    pub(super) fn realised(&self, hold: Duration) {
        record(&self.held, hold);
    }

    /// A unit went on before its time.
    pub(super) fn early(&self) {
        self.add(Count::Early, 1);
    }

    /// A connection was ended.
    pub(super) fn cut(&self) {
        self.add(Count::Cut, 1);
    }

    /// A unit matched, and passes for want of understanding.
    pub(super) fn unparsed(&self) {
        self.consider();
        self.add(Count::Unparsed, 1);
    }

    /// A unit matched, and passes because touching it would tell its client an untruth.
    pub(super) fn unsafe_to_touch(&self) {
        self.consider();
        self.add(Count::Unsafe, 1);
    }

    /// The histograms of drawn and of realised holds, in microseconds.
    pub(super) fn holds(&self) -> [Bins; 2] {
        [&self.drawn, &self.held].map(|bins| bins.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// The counters as they stand.
    pub(super) fn read(&self, [connections, users]: [u64; 2]) -> FaultStats {
        // Read in this order, a count is never larger than the one it is a part of.
        let touched = self.at(Count::Touched);
        let untouched = Untouched {
            share: self.at(Count::Share),
            pattern: self.at(Count::Pattern),
            capped: self.at(Count::Capped),
            unparsed: self.at(Count::Unparsed),
            unsafe_to_touch: self.at(Count::Unsafe),
            idle: 0,
        };
        let considered = self.at(Count::Considered).max(touched + untouched.sum());
        FaultStats {
            considered,
            touched,
            untouched: Untouched { idle: considered - touched - untouched.sum(), ..untouched },
            distinct: Distinct { connections, users },
            active: self.at(Count::Active),
            peak: self.at(Count::Peak),
            parcels: self.at(Count::Parcels),
            swallowed: self.at(Count::Swallowed),
            changed: self.at(Count::Changed),
            cut: self.at(Count::Cut),
            drawn: Holds { odd: self.at(Count::Clamped), ..Holds::of(&self.drawn) },
            held: Holds { odd: self.at(Count::Early), ..Holds::of(&self.held) },
        }
    }
}

fn record(bins: &Mutex<Bins>, hold: Duration) {
    bins.lock().unwrap_or_else(PoisonError::into_inner).record(micros(hold));
}
