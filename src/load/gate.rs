//! The ceiling of a target at the socket: no attempt leaves above it, whoever makes it and on whichever worker.
//!
//! One clock of permissions per origin (generic cell rate algorithm, ITU-T I.371): at most `rate` attempts a second, and at most a
//! tenth of a second's worth of them at once, so that arrivals which wake together are not refused. Open arrivals ask and are
//! refused; closed users are told when their turn is. Not here: what the ceiling is (`plan::guard`). Called by `open` and `step`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::base::clock::Tick;
use crate::plan::load::LoadPlan;

/// Attempts of this much time may leave at once.
const AT_ONCE: Duration = Duration::from_millis(100);

/// The ceiling of one origin, shared by all workers of this machine.
#[derive(Debug)]
pub struct Gate {
    /// Time between two attempts, ns, at least 1.
    apart: u64,
    /// How far the next permission may lie ahead, ns.
    ahead: u64,
    /// When the attempt after the last permitted one is due, ns on the run's clock.
    next: AtomicU64,
}

impl Gate {
    /// At most `rate` attempts per second; a rate of 0 lets one through in 100 years.
    pub fn new(rate: f64) -> Self {
        let apart = nanos(Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX)).max(1);
        Self { apart, ahead: nanos(AT_ONCE).saturating_sub(apart), next: AtomicU64::new(0) }
    }

    /// True when an attempt may leave at `now`; it then counts.
    pub fn passes(&self, now: Tick) -> bool {
        let now = nanos(now.since(Tick::ZERO));
        let step =
            |next: u64| (next <= now.saturating_add(self.ahead)).then(|| next.max(now).saturating_add(self.apart));
        self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).is_ok()
    }

    /// Takes the next place in the queue: when the attempt may leave, `now` or later.
    pub fn turn(&self, now: Tick) -> Tick {
        let at = nanos(now.since(Tick::ZERO));
        let step = |next: u64| Some(next.max(at).saturating_add(self.apart));
        let next = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).unwrap_or(u64::MAX);
        now + Duration::from_nanos(next.saturating_sub(self.ahead).saturating_sub(at))
    }
}

/// The gates of `plan`, one per origin that has a ceiling; one of `shards` machines has its part of each.
pub fn gates(plan: &LoadPlan, shards: u64) -> Vec<Option<Gate>> {
    let part = |rate: f64| Gate::new(rate / shards.max(1) as f64);
    plan.origins.iter().map(|origin| origin.ceiling.map(|rate| part(rate.get()))).collect()
}

fn nanos(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Clock;

    #[test]
    fn a_steady_stream_at_the_ceiling_passes_and_one_above_it_is_cut_to_it() {
        let (clock, hand) = Clock::manual();
        let gate = Gate::new(100.0);
        let passed = (0..1_000).filter(|_| {
            hand.advance(Duration::from_millis(10));
            gate.passes(clock.now())
        });
        assert_eq!(passed.count(), 1_000);
        let gate = Gate::new(100.0);
        let passed = (0..10_000).filter(|_| {
            hand.advance(Duration::from_millis(1));
            gate.passes(clock.now())
        });
        let passed = passed.count();
        assert!((1_000..=1_010).contains(&passed), "{passed}");
    }

    #[test]
    fn a_tenth_of_a_second_may_leave_at_once_and_no_more_however_long_nothing_left() {
        let gate = Gate::new(100.0);
        let later = Tick::from_secs(50);
        assert_eq!((0..100).filter(|_| gate.passes(later)).count(), 10);
        assert!(!gate.passes(later + Duration::from_millis(9)) && gate.passes(later + Duration::from_millis(10)));
        let slow = Gate::new(2.0);
        assert_eq!((0..100).filter(|_| slow.passes(later)).count(), 1);
    }

    #[test]
    fn those_who_wait_leave_one_after_the_other_at_the_ceiling() {
        let gate = Gate::new(100.0);
        let now = Tick::from_secs(3);
        let turns: Vec<u64> = (0..110).map(|_| gate.turn(now).since(now).as_millis().try_into().unwrap()).collect();
        assert_eq!((turns[0], turns[9], turns[10], turns[109]), (0, 0, 10, 1_000));
        assert!(!gate.passes(now));
    }

    #[test]
    fn no_rate_overflows() {
        for rate in [0.0, 1e-300, 1e300, f64::INFINITY] {
            let gate = Gate::new(rate);
            assert!(gate.passes(Tick::ZERO) && gate.turn(Tick::from_secs(1)) >= Tick::from_secs(1), "{rate}");
        }
    }
}
