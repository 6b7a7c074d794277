//! Think times: drawn by key, so that the same user pauses alike in every run.
//!
//! Not here: waiting (`load::pace`).

use std::time::Duration;

use crate::base::seed::{Seed, unit};
use crate::plan::program::Think;
use crate::stats::portable::{exp, ln, normal_quantile};

/// A pause at a place of a journey.
#[derive(Clone, Debug)]
pub struct Pause {
    think: Think,
    /// Names its draws.
    place: String,
}

impl Pause {
    /// A pause drawn under the name `place`.
    pub fn new(think: Think, place: String) -> Self {
        Self { think, place }
    }

    /// How long arrival `n` of the workload numbered `workload` pauses here.
    pub fn length(&self, seed: Seed, workload: u64, n: u64) -> Duration {
        match &self.think {
            Think::Off => Duration::ZERO,
            Think::Fixed(time) => *time,
            think => draw(think, unit(seed.key(&self.place, &[workload, n]))),
        }
    }
}

/// The think time at the share `u` in [0, 1) of its distribution.
fn draw(think: &Think, u: f64) -> Duration {
    match think {
        Think::Off => Duration::ZERO,
        Think::Fixed(time) => *time,
        Think::Uniform(low, high) => *low + high.saturating_sub(*low).mul_f64(u),
        Think::Exponential { mean, at_most } => scaled(*mean, -ln(1.0 - u)).min(*at_most),
        Think::LogNormal { median, p95, at_most } => {
            let sigma = ln((p95.as_secs_f64() / median.as_secs_f64()).max(1.0)) / 1.644_853_626_951_472_7;
            scaled(*median, exp(sigma * normal_quantile(u))).min(*at_most)
        }
        Think::Empirical(times) => between(times, u),
    }
}

/// The quantile `u` of equally spaced quantiles, linear between them.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list; casts saturate")]
fn between(times: &[Duration], u: f64) -> Duration {
    let place = u * times.len().saturating_sub(1) as f64;
    let first = times.get(place as usize).copied().unwrap_or_default();
    let next = times.get(place as usize + 1).copied().unwrap_or(first);
    first + next.saturating_sub(first).mul_f64(place.fract())
}

fn scaled(time: Duration, by: f64) -> Duration {
    Duration::try_from_secs_f64(time.as_secs_f64() * by).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(think: Think, rank: usize) -> f64 {
        let pause = Pause::new(think, "journey/buy/think".to_owned());
        let mut all: Vec<f64> = (0..20_000).map(|n| pause.length(Seed(5), 0, n).as_secs_f64()).collect();
        all.sort_by(f64::total_cmp);
        all[rank]
    }

    #[test]
    fn think_times_have_the_distribution_that_is_written() {
        let secs = Duration::from_secs;
        let log = Think::LogNormal { median: secs(4), p95: secs(20), at_most: secs(120) };
        let exponential = Think::Exponential { mean: secs(2), at_most: secs(9) };
        for (think, rank, want) in [
            (log.clone(), 10_000, 4.0),
            (log, 19_000, 20.0),
            (exponential.clone(), 10_000, 2.0 * 0.5_f64.ln().abs()),
            (exponential, 19_980, 9.0),
            (Think::Uniform(secs(1), secs(3)), 5_000, 1.5),
            (Think::Fixed(secs(1)), 6_000, 1.0),
            (Think::Empirical([secs(1), secs(2), secs(10)].into()), 15_000, 6.0),
        ] {
            let seen = ranked(think.clone(), rank);
            assert!((seen / want - 1.0).abs() < 0.05, "{think:?} at {rank}: {seen}, not {want}");
        }
    }

    #[test]
    fn a_draw_belongs_to_its_arrival_and_place() {
        let think = Think::Uniform(Duration::ZERO, Duration::from_secs(1));
        let (here, there) = (Pause::new(think.clone(), "a".to_owned()), Pause::new(think, "b".to_owned()));
        assert_eq!(here.length(Seed(1), 0, 7), here.length(Seed(1), 0, 7));
        assert_ne!(here.length(Seed(1), 0, 7), here.length(Seed(1), 0, 8));
        assert_ne!(here.length(Seed(1), 0, 7), there.length(Seed(1), 0, 7));
    }
}
