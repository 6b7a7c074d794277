//! What clients do about failures: patience that ends, and further tries. Neither is ever done unasked.
//!
//! Made by `check`, applied by `load::step`. Pure.

use std::time::Duration;

use super::good::StatusSet;
use super::program::Think;
use crate::measure::outcome::{Kind, Phase};

/// How long users wait for an answer, and what they do then.
#[derive(Clone, Debug, PartialEq)]
pub struct Patience {
    /// How long.
    pub leaves_after: Think,
    /// How often the user asks again at once before it leaves for good.
    pub reloads: u32,
}

/// Which failures are tried again, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// Which.
    pub on: Failures,
    /// Further tries of one request at most.
    pub times: u32,
    /// The pause before them.
    pub backoff: Backoff,
    /// How much of it is left to chance.
    pub jitter: Jitter,
    /// Further tries per first try at most, over the last ten seconds of a workload on one worker; `None`: no limit.
    pub budget: Option<f64>,
    /// Whether the pause is at least what a `Retry-After` asks for.
    pub retry_after: bool,
}

/// A set of failures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// Statuses.
    pub status: Option<StatusSet>,
    /// Kinds, by the words of [`Failures::WORDS`].
    pub words: Vec<&'static str>,
}

impl Failures {
    /// The words for kinds of failure.
    pub const WORDS: [&'static str; 5] = ["connect", "tls", "reset", "eof", "timeout"];

    /// True when a failure of this kind is meant.
    pub fn holds(&self, kind: Kind) -> bool {
        if let Kind::Status(code) = kind {
            return self.status.as_ref().is_some_and(|set| set.holds(code));
        }
        let has = |word| self.words.contains(&word);
        match kind {
            Kind::ResetSending | Kind::ResetWaiting | Kind::ResetReading => has("reset"),
            Kind::EofBeforeStatus | Kind::EofMidBody => has("eof"),
            kind if kind.phase() == Phase::Connect && !kind.is_ours() => has("connect"),
            kind if kind.is_timeout() => has("timeout"),
            _ => false,
        }
    }
}

/// The pause before a further try.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Backoff {
    /// None.
    #[default]
    Off,
    /// Always the same.
    Fixed(Duration),
    /// base × factor^(try - 1), at most so long.
    Exponential {
        /// Before the first further try.
        base: Duration,
        /// How much longer each is than the one before.
        factor: f64,
        /// Longest.
        at_most: Duration,
    },
}

/// How much of a pause is left to chance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Jitter {
    /// Nothing.
    Off,
    /// Its second half.
    Equal,
    /// All of it.
    #[default]
    Full,
}

impl Retry {
    /// The pause before further try number `number` (from 1), with `u` uniform in [0, 1).
    pub fn pause(&self, number: u32, u: f64) -> Duration {
        let whole = match self.backoff {
            Backoff::Off => return Duration::ZERO,
            Backoff::Fixed(pause) => pause,
            Backoff::Exponential { base, factor, at_most } => {
                let power = i32::try_from(number.saturating_sub(1)).unwrap_or(i32::MAX);
                Duration::try_from_secs_f64(base.as_secs_f64() * factor.powi(power)).unwrap_or(at_most).min(at_most)
            }
        };
        match self.jitter {
            Jitter::Off => whole,
            Jitter::Equal => whole.mul_f64(0.5 + u / 2.0),
            Jitter::Full => whole.mul_f64(u),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_limit_and_chance_takes_its_part() {
        let millis = Duration::from_millis;
        let backoff = Backoff::Exponential { base: millis(200), factor: 2.0, at_most: millis(1000) };
        let retry =
            |jitter| Retry { on: Failures::default(), times: 9, backoff, jitter, budget: None, retry_after: true };
        for (jitter, number, u, want) in [
            (Jitter::Off, 1, 0.3, 200),
            (Jitter::Off, 3, 0.3, 800),
            (Jitter::Off, 4, 0.3, 1000),
            (Jitter::Off, 400, 0.3, 1000),
            (Jitter::Equal, 1, 0.5, 150),
            (Jitter::Full, 2, 0.25, 100),
        ] {
            assert_eq!(retry(jitter).pause(number, u), millis(want), "{jitter:?} {number}");
        }
    }

    #[test]
    fn failures_are_meant_by_word_or_status() {
        let on = Failures { status: StatusSet::parse("503"), words: vec!["reset", "timeout"] };
        for (kind, want) in [
            (Kind::Status(503), true),
            (Kind::Status(500), false),
            (Kind::ResetReading, true),
            (Kind::TimeoutFirstByte, true),
            (Kind::EofMidBody, false),
            (Kind::ConnectRefused, false),
            (Kind::Leak, false),
        ] {
            assert_eq!(on.holds(kind), want, "{kind:?}");
        }
    }
}
