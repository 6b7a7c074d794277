//! The run's clock: monotonic ticks from one origin, and one wall-clock reading to label them.
//!
//! This is the only place that reads a system clock. Not here: waiting (`base::timer`).
//! Every room is handed a [`Clock`]; pure cores are handed a [`Tick`].

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::Duration;

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// An instant of a run: whole nanoseconds since its clock's origin. Never a wall-clock time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(u64);

impl Tick {
    /// The origin of the clock.
    pub const ZERO: Self = Self(0);
    /// Later than every instant of a run.
    pub const MAX: Self = Self(u64::MAX);

    /// `nanos` nanoseconds after the origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }
    /// `micros` microseconds after the origin.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros * 1_000)
    }
    /// `millis` milliseconds after the origin.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1_000_000)
    }
    /// `secs` seconds after the origin.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * 1_000_000_000)
    }
    /// `secs` seconds after the origin, rounded to a nanosecond; negative and NaN become the origin.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "float casts saturate, which is what is wanted"
    )]
    pub fn from_secs_f64(secs: f64) -> Self {
        Self((secs * 1e9).round() as u64)
    }
    /// Nanoseconds since the origin.
    pub const fn nanos(self) -> u64 {
        self.0
    }
    /// Whole microseconds since the origin.
    pub const fn micros(self) -> u64 {
        self.0 / 1_000
    }
    /// Whole milliseconds since the origin.
    pub const fn millis(self) -> u64 {
        self.0 / 1_000_000
    }
    /// The second in which this instant lies, counted from 0.
    #[expect(clippy::cast_possible_truncation, reason = "a run of 136 years does not occur")]
    pub const fn second(self) -> u32 {
        (self.0 / 1_000_000_000) as u32
    }
    /// Seconds since the origin.
    pub fn secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
    /// Time since `earlier`, zero when `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Tick {
    type Output = Self;
    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)))
    }
}
impl AddAssign<Duration> for Tick {
    fn add_assign(&mut self, by: Duration) {
        *self = *self + by;
    }
}
impl Sub<Duration> for Tick {
    type Output = Self;
    fn sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)))
    }
}
impl Sub for Tick {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}
impl fmt::Display for Tick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} s", self.secs_f64())
    }
}

/// Where ticks come from: the kernel's monotonic clock, or a test's hand. Cheap to clone; clones agree.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
    /// Wall-clock time at the origin: labels only.
    wall: Timestamp,
}

#[derive(Clone, Debug)]
enum Source {
    /// Origin, in nanoseconds of `CLOCK_MONOTONIC`.
    Kernel(u64),
    Hand(Arc<Mutex<Hand>>),
}

#[derive(Debug, Default)]
struct Hand {
    now: Tick,
    sleepers: Vec<(Tick, Waker)>,
}

fn nanos_of(id: ClockId) -> u64 {
    let t = clock_gettime(id);
    u64::try_from(t.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(t.tv_nsec).unwrap_or(0)
}

/// The wall clock, for labels.
fn wall_now() -> Timestamp {
    let nanos = i128::from(nanos_of(ClockId::Realtime));
    Timestamp::from_nanosecond(nanos).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl Clock {
    /// How far the wall clock is from where it was at the origin plus the time since then, ns; a clock in a test's hand never is.
    pub fn wall_apart(&self) -> i64 {
        let Source::Kernel(_) = self.source else { return 0 };
        let should = self.utc(self.now()).as_nanosecond();
        i64::try_from(wall_now().as_nanosecond() - should).unwrap_or(i64::MAX)
    }

    /// A clock whose origin is now.
    pub fn start() -> Self {
        Self { source: Source::Kernel(nanos_of(ClockId::Monotonic)), wall: wall_now() }
    }

    /// A clock that stands still until its [`Manual`] moves it; it starts at zero, labelled 2026-01-01 UTC.
    pub fn manual() -> (Self, Manual) {
        let hand = Arc::new(Mutex::new(Hand::default()));
        let wall = Timestamp::from_second(1_767_225_600).unwrap_or(Timestamp::UNIX_EPOCH);
        (Self { source: Source::Hand(Arc::clone(&hand)), wall }, Manual(hand))
    }

    /// Now.
    pub fn now(&self) -> Tick {
        match &self.source {
            Source::Kernel(origin) => Tick(nanos_of(ClockId::Monotonic).saturating_sub(*origin)),
            Source::Hand(hand) => hand.lock().unwrap_or_else(PoisonError::into_inner).now,
        }
    }

    /// The wall-clock label of `at`: the reading at the origin plus monotonic time.
    pub fn utc(&self, at: Tick) -> Timestamp {
        let nanos = self.wall.as_nanosecond() + i128::from(at.nanos());
        Timestamp::from_nanosecond(nanos).unwrap_or(self.wall)
    }

    /// How far the wall clock has moved against the monotonic one since the origin, in nanoseconds.
    pub fn wall_drift(&self) -> i128 {
        match self.source {
            Source::Kernel(_) => wall_now().as_nanosecond() - self.utc(self.now()).as_nanosecond(),
            Source::Hand(_) => 0,
        }
    }

    /// `at` in nanoseconds of `CLOCK_MONOTONIC`; `None` for a manual clock.
    pub(in crate::base) fn kernel_nanos(&self, at: Tick) -> Option<u64> {
        match self.source {
            Source::Kernel(origin) => Some(origin.saturating_add(at.0)),
            Source::Hand(_) => None,
        }
    }

    /// For a manual clock: true when `at` has come, else `waker` is woken when it does.
    pub(in crate::base) fn hand_reached(&self, at: Tick, waker: &Waker) -> bool {
        let Source::Hand(hand) = &self.source else { return self.now() >= at };
        let mut hand = hand.lock().unwrap_or_else(PoisonError::into_inner);
        if hand.now >= at {
            return true;
        }
        hand.sleepers.push((at, waker.clone()));
        false
    }
}

/// CPU time of the calling thread, in nanoseconds.
pub fn thread_cpu_nanos() -> u64 {
    nanos_of(ClockId::ThreadCPUTime)
}

/// CPU time of this process, in nanoseconds.
pub fn process_cpu_nanos() -> u64 {
    nanos_of(ClockId::ProcessCPUTime)
}

/// The hand that moves a manual [`Clock`].
#[derive(Clone, Debug)]
pub struct Manual(Arc<Mutex<Hand>>);

impl Manual {
    /// Moves the clock forward and wakes every timer whose instant has come.
    pub fn advance(&self, by: Duration) {
        let mut hand = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hand.now += by;
        let now = hand.now;
        let (due, rest) = hand.sleepers.drain(..).partition(|(at, _)| *at <= now);
        hand.sleepers = rest;
        drop(hand);
        let due: Vec<(Tick, Waker)> = due;
        for (_, waker) in due {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_by_hand() {
        let (clock, hand) = Clock::manual();
        assert_eq!(clock.now(), Tick::ZERO);
        hand.advance(Duration::from_millis(1500));
        assert_eq!(clock.now(), Tick::from_millis(1500));
        assert_eq!(clock.utc(Tick::from_secs(1)).to_string(), "2026-01-01T00:00:01Z");
    }

    #[test]
    fn ticks_never_go_below_the_origin() {
        assert_eq!(Tick::from_secs(1) - Tick::from_secs(2), Duration::ZERO);
        assert_eq!(Tick::from_secs(1) - Duration::from_secs(2), Tick::ZERO);
        assert_eq!(Tick::from_secs_f64(f64::NAN), Tick::ZERO);
    }

    #[test]
    fn the_kernel_clock_does_not_go_back() {
        let clock = Clock::start();
        let first = clock.now();
        assert!(clock.now() >= first);
    }
}
