//! How much of what matches a fault touches, and when: units, patterns, ramps and caps, as checked. Pure.
//!
//! Not here: the draws and the counts (`fault::decide`, `fault::pattern`, `fault::caps`), the share itself ([`super::Fault`]).

use std::sync::Arc;
use std::time::Duration;

use crate::base::rate::Rate;

/// The longest single hold unless a file says otherwise.
const DELAY: Duration = Duration::from_secs(30);

/// Behind a crossing, so that rounding has no say.
const PAST: Duration = Duration::from_nanos(100);

/// The bounds of a fault beside its share. The default bounds nothing but single holds, at 30 s.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Envelope {
    /// For what one decision is made.
    pub per: Per,
    /// Which of the units that won their draw.
    pub pattern: Pattern,
    /// How share or severity grows from the moment of injection.
    pub ramp: Option<Ramp>,
    /// What is never exceeded.
    pub caps: Caps,
}

/// Which decisions a ledger keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Those that touch: the default of a drill.
    Hits,
    /// All.
    Full,
    /// None.
    #[default]
    Off,
}

/// The unit of one decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Per {
    /// A connection, whatever is said on it: the default of toxics.
    #[default]
    Connection,
    /// A request, query or command: the default of rules.
    Message,
    /// A virtual user; without a key of its user, a connection stands for one.
    User,
}

/// Which units are touched, of those whose draw was won.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Pattern {
    /// All.
    #[default]
    Always,
    /// The first `n` of each group.
    First {
        /// At least 1.
        n: u64,
        /// What is counted.
        of: Of,
    },
    /// One in `n` of each group: those whose ordinal, from 0, leaves `offset` when divided by `n`.
    Every {
        /// At least 1.
        n: u64,
        /// Below `n`.
        offset: u64,
        /// What is counted.
        of: Of,
    },
    /// Within these stretches after the injection; each begins before it ends.
    Windows(Arc<[(Duration, Duration)]>),
    /// `on` long, then `off` long, and again; every border but the first is early or late by up to `jitter`.
    Burst {
        /// Above zero.
        on: Duration,
        /// Above zero.
        off: Duration,
        /// At most half of the shorter of the two.
        jitter: Duration,
    },
    /// All of these, asked in this order; one that says no keeps the later from counting.
    All(Arc<[Pattern]>),
}

/// A group within which units are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Of {
    /// All that the fault matches.
    Fault,
    /// Each connection.
    Connection,
    /// Each virtual user; units without one are not touched.
    User,
    /// Each shape of query; units without one are not touched.
    Fingerprint,
    /// Each key of a store; units without one are not touched.
    Key,
}

/// A line of straight pieces, from the moment of injection; flat before its first point and behind its last.
#[derive(Clone, Debug, PartialEq)]
pub struct Ramp {
    /// What it multiplies.
    pub of: Scale,
    /// Times rise; values are within 0 and 1.
    pub points: Arc<[(Duration, f64)]>,
}

/// What a ramp multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// The share.
    Share,
    /// The times, or the probability, of the fault.
    Severity,
}

/// What a fault never exceeds. What a cap refuses passes untouched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Caps {
    /// Units touched at the same time.
    pub active: Option<u64>,
    /// Units touched in all.
    pub total: Option<u64>,
    /// Units touched per second, evenly: two are never closer than the inverse.
    pub rate: Option<Rate>,
    /// Distinct connections touched.
    pub connections: Option<u64>,
    /// Distinct users touched.
    pub users: Option<u64>,
    /// The longest single hold; draws above are cut to it, and counted.
    pub delay: Duration,
    /// Sum of all holds.
    pub time: Option<Duration>,
}

impl Default for Caps {
    fn default() -> Self {
        Self { active: None, total: None, rate: None, connections: None, users: None, delay: DELAY, time: None }
    }
}

impl Caps {
    /// Caps that bound nothing, not even a single hold: what clients of the compatible API know.
    pub const NONE: Self = Self {
        active: None,
        total: None,
        rate: None,
        connections: None,
        users: None,
        delay: Duration::MAX,
        time: None,
    };
}

impl Ramp {
    /// The value `elapsed` after the injection.
    pub fn at(&self, elapsed: Duration) -> f64 {
        let after = self.points.partition_point(|(time, _)| *time <= elapsed);
        match (after.checked_sub(1).and_then(|before| self.points.get(before)), self.points.get(after)) {
            (Some((from, low)), Some((to, high))) => {
                let part = elapsed.saturating_sub(*from).as_secs_f64() / to.saturating_sub(*from).as_secs_f64();
                low + (high - low) * part
            }
            (Some((_, value)), None) | (None, Some((_, value))) => *value,
            (None, None) => 1.0,
        }
    }

    /// When, after `elapsed`, the line next reaches or leaves `value`: a tenth of a microsecond behind the crossing, so that
    /// [`Ramp::at`] is on its other side by then.
    pub fn crosses(&self, value: f64, elapsed: Duration) -> Option<Duration> {
        let pieces = self.points.windows(2).filter_map(|pair| {
            let [(from, low), (to, high)] = pair else { return None };
            if (*low > value) == (*high > value) {
                return None;
            }
            let part = ((value - low) / (high - low)).clamp(0.0, 1.0);
            Some(*from + to.saturating_sub(*from).mul_f64(part) + PAST)
        });
        pieces.filter(|at| *at > elapsed).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_is_straight_between_its_points_and_flat_outside() {
        let secs = Duration::from_secs;
        let ramp = Ramp { of: Scale::Share, points: [(secs(10), 0.2), (secs(20), 1.0)].into() };
        for (at, value) in [(0, 0.2), (10, 0.2), (15, 0.6), (20, 1.0), (99, 1.0)] {
            assert!((ramp.at(secs(at)) - value).abs() < 1e-12, "{at}");
        }
        let crossing = ramp.crosses(0.6, secs(3)).unwrap();
        assert!(crossing.abs_diff(secs(15)) < Duration::from_micros(1) && ramp.at(crossing) > 0.6, "{crossing:?}");
        assert_eq!((ramp.crosses(0.6, secs(16)), ramp.crosses(0.1, secs(0))), (None, None));
    }
}
