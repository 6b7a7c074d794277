//! How long a fault holds: a distribution, given by its quantile function. Pure.
//!
//! Not here: the draws (`fault::decide`). Read by the toxics that wait.

use std::sync::Arc;
use std::time::Duration;

use crate::stats::portable::{exp, ln, normal_quantile};

/// The standard normal quantile of 95 %.
const Z95: f64 = 1.644_853_626_951_472_2;
/// Nothing is held longer, whatever was drawn.
const LONGEST: Duration = Duration::from_secs(86_400);

/// A time, fixed or drawn. Draws are whole microseconds and at most a day.
#[derive(Clone, Debug, PartialEq)]
pub enum Time {
    /// Always this.
    Fixed(Duration),
    /// Uniform in [from, to).
    Uniform {
        /// Shortest.
        from: Duration,
        /// Longest.
        to: Duration,
    },
    /// Exponential: `-mean * ln(1 - u)`.
    Exponential {
        /// Mean.
        mean: Duration,
    },
    /// Log-normal: `median * e^(sigma z)`, sigma = ln(p95 / median) / 1.6449.
    LogNormal {
        /// Half of the draws are below.
        median: Duration,
        /// 95 % of the draws are below; longer than `median`.
        p95: Duration,
    },
    /// Normal, cut at 0: `max(0, mean + sd z)`.
    Normal {
        /// Mean before the cut.
        mean: Duration,
        /// Standard deviation before the cut.
        sd: Duration,
    },
    /// Pareto: `min * (1 - u)^(-1 / alpha)`.
    Pareto {
        /// Shortest.
        min: Duration,
        /// Shape, above 0; the smaller, the heavier the tail.
        alpha: f64,
    },
    /// Linear between the given quantiles, flat outside. Both parts rise.
    Quantiles(Arc<[(f64, Duration)]>),
}

impl Time {
    /// The quantile `u` in [0, 1): a uniform draw becomes a draw of this distribution.
    pub fn at(&self, u: f64) -> Duration {
        let seconds = match self {
            Self::Fixed(time) => return *time,
            Self::Uniform { from, to } => lerp(*from, *to, u),
            Self::Exponential { mean } => -mean.as_secs_f64() * ln(1.0 - u),
            Self::LogNormal { median, p95 } => {
                let median = median.as_secs_f64();
                let sigma = ln(p95.as_secs_f64() / median) / Z95;
                median * exp(sigma * normal_quantile(u))
            }
            Self::Normal { mean, sd } => mean.as_secs_f64() + sd.as_secs_f64() * normal_quantile(u),
            Self::Pareto { min, alpha } => min.as_secs_f64() * exp(-ln(1.0 - u) / alpha),
            Self::Quantiles(points) => between(points, u),
        };
        whole(seconds)
    }

    /// No draw is longer; `None` when the distribution has no end of its own.
    pub fn longest(&self) -> Option<Duration> {
        match self {
            Self::Fixed(time) | Self::Uniform { to: time, .. } => Some(*time),
            Self::Quantiles(points) => points.last().map(|(_, time)| *time),
            Self::Exponential { .. } | Self::LogNormal { .. } | Self::Normal { .. } | Self::Pareto { .. } => None,
        }
    }
}

fn lerp(from: Duration, to: Duration, part: f64) -> f64 {
    from.as_secs_f64() + (to.as_secs_f64() - from.as_secs_f64()) * part
}

fn between(points: &[(f64, Duration)], u: f64) -> f64 {
    let after = points.partition_point(|(share, _)| *share <= u);
    match (after.checked_sub(1).and_then(|before| points.get(before)), points.get(after)) {
        (Some((low, from)), Some((high, to))) => lerp(*from, *to, (u - low) / (high - low)),
        (Some((_, time)), None) | (None, Some((_, time))) => time.as_secs_f64(),
        (None, None) => 0.0,
    }
}

/// Rounded to microseconds, within 0 and a day; NaN is 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a day of microseconds before")]
fn whole(seconds: f64) -> Duration {
    let micros = (seconds * 1e6).round().clamp(0.0, LONGEST.as_secs_f64() * 1e6);
    Duration::from_micros(micros as u64)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;
    use crate::base::seed::Seed;

    /// A name, a distribution, and its cumulative distribution function.
    type Row = (&'static str, Time, Box<dyn Fn(f64) -> f64>);

    const N: u32 = 100_000;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn draws(time: &Time) -> Vec<f64> {
        let mut stream = Seed(1).stream("time");
        let mut all: Vec<f64> = (0..N).map(|_| time.at(stream.unit()).as_secs_f64()).collect();
        all.sort_by(f64::total_cmp);
        all
    }

    /// Kolmogorov-Smirnov distance of the draws to the cumulative distribution `cdf`.
    fn distance(time: &Time, cdf: impl Fn(f64) -> f64) -> f64 {
        let step = |n: usize| n as f64 / f64::from(N);
        let draws = draws(time);
        draws
            .iter()
            .enumerate()
            .map(|(n, x)| (cdf(*x) - step(n)).abs().max((cdf(*x) - step(n + 1)).abs()))
            .fold(0.0, f64::max)
    }

    /// The normal distribution function by its own series (Marsaglia 2004), independent of the quantile under test.
    fn phi(z: f64) -> f64 {
        if z.abs() > 7.0 {
            return if z > 0.0 { 1.0 } else { 0.0 };
        }
        let (mut sum, mut term, mut n) = (z, z, 1.0);
        while term.abs() > 1e-17 {
            n += 2.0;
            term *= z * z / n;
            sum += term;
        }
        0.5 + sum * (-0.5 * z * z).exp() / TAU.sqrt()
    }

    #[test]
    fn a_hundred_thousand_draws_of_each_distribution_pass_a_kolmogorov_smirnov_test() {
        // The 99.9 % point of the one-sample test: 1.949 / sqrt(n); the microsecond grid is far below it.
        let bound = 1.949 / f64::from(N).sqrt();
        let quantiles = Time::Quantiles([(0.0, ms(10)), (0.5, ms(20)), (1.0, ms(400))].into());
        let sigma = (440.0_f64 / 80.0).ln() / 1.644_853_627;
        let rows: [Row; 6] = [
            ("uniform", Time::Uniform { from: ms(100), to: ms(300) }, Box::new(|x| (x - 0.1) / 0.2)),
            ("exponential", Time::Exponential { mean: ms(100) }, Box::new(|x| 1.0 - (-x / 0.1).exp())),
            (
                "log-normal",
                Time::LogNormal { median: ms(80), p95: ms(440) },
                Box::new(move |x| phi((x / 0.08).ln() / sigma)),
            ),
            ("normal", Time::Normal { mean: ms(500), sd: ms(100) }, Box::new(|x| phi((x - 0.5) / 0.1))),
            ("pareto", Time::Pareto { min: ms(10), alpha: 1.5 }, Box::new(|x| 1.0 - (0.01 / x).powf(1.5))),
            ("quantiles", quantiles, Box::new(|x| if x < 0.02 { (x - 0.01) / 0.02 } else { 0.5 + (x - 0.02) / 0.76 })),
        ];
        for (name, time, cdf) in rows {
            let distance = distance(&time, cdf);
            assert!(distance < bound, "{name}: {distance} is not below {bound}");
        }
    }

    #[test]
    fn every_draw_is_within_its_bounds() {
        assert_eq!(Time::Fixed(ms(7)).at(0.99), ms(7));
        let flat = Time::Quantiles([(0.5, ms(20)), (0.9, ms(40))].into());
        assert_eq!([0.0, 0.5, 0.7, 0.9, 0.999].map(|u| flat.at(u)), [20, 20, 30, 40, 40].map(ms));
        assert_eq!(Time::Normal { mean: ms(1), sd: ms(100) }.at(0.01), Duration::ZERO);
        assert_eq!(Time::Pareto { min: ms(10), alpha: 0.01 }.at(0.999), LONGEST);
        assert_eq!(Time::LogNormal { median: ms(80), p95: ms(440) }.at(0.5), ms(80));
        for (time, longest) in [(flat, Some(ms(40))), (Time::Exponential { mean: ms(1) }, None)] {
            assert_eq!(time.longest(), longest);
        }
    }
}
