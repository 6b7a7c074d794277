//! More, or less, of the planned traffic while it runs: the curve is walked faster, so that arrivals stay the same ones in the same
//! order, only closer together.
//!
//! With the factor m the instant v of the curve is reached at t with dv/dt = m, piece by piece. A change takes hold behind the last
//! arrival that was waited for, so that none is late because of it. Not here: which arrivals there are (`arrivals`). Called by `open`
//! and by whoever multiplies (a drill's lever).

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::clock::Tick;

/// The handle: clones share it.
#[derive(Clone, Debug, Default)]
pub struct Surge(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Spares every arrival the lock while nothing is multiplied.
    is_set: AtomicBool,
    now: Mutex<Option<On>>,
    /// Arrivals that began at a multiplied rate.
    begun: AtomicU64,
}

#[derive(Clone, Copy, Debug)]
struct On {
    times: f64,
    until: Option<Tick>,
}

impl Surge {
    /// Multiplies every open rate by `times`, up to `until`.
    pub fn begin(&self, times: f64, until: Option<Tick>) {
        self.set(Some(On { times, until }));
    }

    /// Back to the planned rate.
    pub fn end(&self) {
        self.set(None);
    }

    fn set(&self, on: Option<On>) {
        *self.0.now.lock().unwrap_or_else(PoisonError::into_inner) = on;
        self.0.is_set.store(on.is_some(), Relaxed);
    }

    /// The factor at `at`.
    pub fn times(&self, at: Tick) -> f64 {
        if !self.0.is_set.load(Relaxed) {
            return 1.0;
        }
        let on = *self.0.now.lock().unwrap_or_else(PoisonError::into_inner);
        on.filter(|on| on.until.is_none_or(|until| at < until)).map_or(1.0, |on| on.times)
    }

    /// True while rates are multiplied.
    pub fn is_on(&self, at: Tick) -> bool {
        let on = *self.0.now.lock().unwrap_or_else(PoisonError::into_inner);
        on.is_some_and(|on| on.until.is_none_or(|until| at < until))
    }

    /// Arrivals that began at a multiplied rate so far.
    pub fn begun(&self) -> u64 {
        self.0.begun.load(Relaxed)
    }

    /// One more.
    pub(super) fn count(&self) {
        self.0.begun.fetch_add(1, Relaxed);
    }
}

/// Where a driver stands: curve and clock go on from here at one factor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    /// On the curve, from its beginning.
    curve: Tick,
    /// On the clock, from the curve's beginning.
    clock: Tick,
    times: f64,
}

impl Default for Walk {
    fn default() -> Self {
        Self { curve: Tick::ZERO, clock: Tick::ZERO, times: 1.0 }
    }
}

impl Walk {
    /// When the instant `due` of the curve comes, at the factor `times` from the last one on; instants do not go back.
    pub(super) fn step(&mut self, due: Tick, times: f64) -> Tick {
        let ahead = due.since(self.curve);
        // The planned walk is exact: nothing is divided by one.
        let clock =
            if times.to_bits() == 1.0_f64.to_bits() { self.clock + ahead } else { self.clock + ahead.div_f64(times) };
        *self = Self { curve: due, clock, times };
        clock
    }

    /// True when the last step went at another rate than the planned one.
    pub(super) fn is_multiplied(self) -> bool {
        self.times.to_bits() != 1.0_f64.to_bits()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn without_a_surge_the_walk_is_the_plan() {
        let mut walk = Walk::default();
        for nanos in [0, 1, 333_333_333, 333_333_334, 7_000_000_001] {
            assert_eq!(walk.step(Tick::from_nanos(nanos), 1.0), Tick::from_nanos(nanos));
        }
    }

    #[test]
    fn three_times_the_rate_is_a_third_of_the_gaps_from_there_on() {
        let mut walk = Walk::default();
        let dues: Vec<Tick> = (1..=9)
            .map(|n| walk.step(Tick::from_millis(n * 30), if (4..=6).contains(&n) { 3.0 } else { 1.0 }))
            .collect();
        let wanted: Vec<Tick> = [30, 60, 90, 100, 110, 120, 150, 180, 210].map(Tick::from_millis).to_vec();
        assert_eq!(dues, wanted);
        assert!(!walk.is_multiplied());
    }

    #[test]
    fn a_surge_ends_by_itself_or_by_a_word() {
        let surge = Surge::default();
        surge.begin(3.0, Some(Tick::ZERO + Duration::from_secs(5)));
        assert!(surge.is_on(Tick::from_secs(4)) && (surge.times(Tick::from_secs(4)) - 3.0).abs() < f64::EPSILON);
        assert!(!surge.is_on(Tick::from_secs(5)) && (surge.times(Tick::from_secs(5)) - 1.0).abs() < f64::EPSILON);
        surge.begin(2.0, None);
        surge.end();
        assert!(!surge.is_on(Tick::ZERO));
    }
}
