//! What is told of a fault: counts, reasons and holds as they stood at one moment.
//!
//! Not here: counting (`stats`).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::measure::histogram::Bins;

/// What a fault did so far. The unit is the connection for a toxic, the message for a rule:
/// `considered = touched + untouched`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultStats {
    /// Units that matched while the fault was in force.
    pub considered: u64,
    /// Units of which it held, changed, swallowed or cut something.
    pub touched: u64,
    /// The rest, by reason.
    pub untouched: Untouched,
    /// Distinct connections and users that were hit.
    pub distinct: Distinct,
    /// Units that carry the fault now.
    pub active: u64,
    /// The most that carried it at once.
    pub peak: u64,
    /// Parcels (reads of at most 32 KiB, and ends of a direction) that it held or swallowed.
    pub parcels: u64,
    /// Bytes it swallowed.
    pub swallowed: u64,
    /// Parcels in which it changed bytes.
    pub changed: u64,
    /// Connections that it ended, by itself or because it healed after swallowing bytes of them.
    pub cut: u64,
    /// The delays it drew; odd: those that the cap on single holds cut.
    pub drawn: Holds,
    /// How long units really waited; odd: those that went on early, because the fault healed.
    pub held: Holds,
}

/// Why units stayed untouched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Untouched {
    /// The draw against the fault's share was lost.
    pub share: u64,
    /// The pattern left them out, or its gate was shut.
    pub pattern: u64,
    /// A cap refused them.
    pub capped: u64,
    /// They could not be understood.
    pub unparsed: u64,
    /// Touching them would have told a client an untruth.
    pub unsafe_to_touch: u64,
    /// Nothing has passed on the connection that the fault could act on, so far.
    pub idle: u64,
}

impl Untouched {
    /// All of them.
    pub fn sum(&self) -> u64 {
        self.share + self.pattern + self.capped + self.unparsed + self.unsafe_to_touch + self.idle
    }

    /// Each reason, with its word.
    pub fn reasons(&self) -> [(&'static str, u64); 6] {
        [
            ("share", self.share),
            ("pattern", self.pattern),
            ("capped", self.capped),
            ("unparsed", self.unparsed),
            ("unsafe", self.unsafe_to_touch),
            ("idle", self.idle),
        ]
    }
}

/// How many different ones were hit; neither count goes beyond a million.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Distinct {
    /// Connections.
    pub connections: u64,
    /// Virtual users, as far as they are known.
    pub users: u64,
}

/// Delays, one per unit or parcel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holds {
    /// Number of delays.
    pub count: u64,
    /// Their sum.
    pub total: Duration,
    /// The longest.
    pub longest: Duration,
    /// Half are not longer.
    pub p50: Duration,
    /// 99 of 100 are not longer.
    pub p99: Duration,
    /// Those that are not what they were to be.
    pub odd: u64,
}

impl Holds {
    pub(super) fn of(bins: &Mutex<Bins>) -> Self {
        let bins = bins.lock().unwrap_or_else(PoisonError::into_inner);
        let extent = bins.extent();
        let rank = |percent: u64| {
            let value = bins.value_at_rank((bins.n() * percent).div_ceil(100).max(1));
            Duration::from_micros(value.unwrap_or(0).min(extent.max))
        };
        let (total, longest) = (Duration::from_micros(extent.sum), Duration::from_micros(extent.max));
        Self { count: bins.n(), total, longest, p50: rank(50), p99: rank(99), odd: 0 }
    }

    /// The mean delay; zero when there was none.
    pub fn mean(&self) -> Duration {
        let count = u128::from(self.count.max(1));
        Duration::from_nanos(u64::try_from(self.total.as_nanos() / count).unwrap_or(u64::MAX))
    }
}
