//! How far a share of one run (errors, slow answers, failed checks) can be trusted.
//!
//! Wilson's interval with the effective number of arrivals in place of the plain one. Not for percentiles (`quantile`)
//! and not for means (`batch`). Called by `judge`.

use super::portable::normal_quantile;
use super::quantile::{Batch, design_effect, pooled};

/// Limits of a share, both 0..=1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Lower limit.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
}

/// Wilson's interval (1927) for the share `p` of `n` independent draws, `z` standard errors wide on each side
/// (1.96 for 95 %): `(p + z²/2n ± z·√(p(1-p)/n + z²/4n²)) / (1 + z²/n)`. Without draws: 0..=1.
pub fn wilson(p: f64, n: f64, z: f64) -> Limits {
    if n.is_nan() || n <= 0.0 {
        return Limits { low: 0.0, high: 1.0 };
    }
    let square = z * z;
    let middle = p + square / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + square / (4.0 * n * n)).sqrt();
    let scale = 1.0 + square / n;
    // At p = 0 and p = 1 the limit is exact; rounding must not push it past.
    let low = if p <= 0.0 { 0.0 } else { ((middle - half) / scale).max(0.0) };
    let high = if p >= 1.0 { 1.0 } else { ((middle + half) / scale).min(1.0) };
    Limits { low, high }
}

/// The upper 95 % limit of a share of which `n` draws showed nothing: 3/n, at most 1 (Hanley and Lippman-Hand 1983).
pub fn rule_of_three(n: f64) -> f64 {
    if n.is_nan() || n <= 3.0 { 1.0 } else { 3.0 / n }
}

/// A share of a run and its evidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// The share, 0..=1.
    pub p: f64,
    /// Arrivals.
    pub n: f64,
    /// Independent arrivals the run is worth.
    pub n_eff: f64,
    /// Wilson's limits with `n_eff`.
    pub limits: Limits,
}

impl Share {
    /// The share of counted arrivals at two-sided error `a` (0.05 for 95 %). None for too few batches or no arrivals.
    pub fn of(batches: &[Batch], a: f64) -> Option<Self> {
        let (n, p) = pooled(batches)?;
        let n_eff = n / design_effect(batches)?;
        Some(Self { p, n, n_eff, limits: wilson(p, n_eff, normal_quantile(1.0 - a / 2.0)) })
    }

    /// Whether there is evidence enough to judge the share against `bound`: `n_eff ≥ max(20, 1/bound)`.
    pub fn is_evidence_for(&self, bound: f64) -> bool {
        self.n_eff >= 20.0_f64.max(1.0 / bound)
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are exact")]
mod tests {
    use super::*;

    fn percent(limits: Limits) -> (f64, f64) {
        let round = |x: f64| (x * 1e5).round() / 1e3;
        (round(limits.low), round(limits.high))
    }

    #[test]
    fn wilson_matches_worked_examples() {
        assert_eq!(percent(wilson(0.003, 1000.0, 1.96)), (0.102, 0.878));
        assert_eq!(percent(wilson(0.0, 1000.0, 1.96)), (0.0, 0.383));
        assert_eq!(percent(wilson(0.030, 1000.0, 1.96)), (2.109, 4.250));
    }

    #[test]
    fn wilson_is_symmetric_and_stays_inside() {
        let (few, many) = (wilson(0.1, 50.0, 1.96), wilson(0.9, 50.0, 1.96));
        assert!((few.low - (1.0 - many.high)).abs() < 1e-12 && (few.high - (1.0 - many.low)).abs() < 1e-12);
        assert_eq!(wilson(1.0, 3.0, 1.96).high, 1.0);
        assert_eq!(wilson(0.5, 0.0, 1.96), Limits { low: 0.0, high: 1.0 });
    }

    #[test]
    fn three_over_n_bounds_what_was_never_seen() {
        assert_eq!(rule_of_three(300.0), 0.01);
        assert_eq!(rule_of_three(2.0), 1.0);
    }

    #[test]
    fn errors_in_one_burst_are_weaker_evidence_than_errors_spread_out() {
        let spread = vec![Batch { arrivals: 1000, counted: 10 }; 10];
        let mut burst = vec![Batch { arrivals: 1000, counted: 0 }; 10];
        burst[3].counted = 100;
        let (spread, burst) = (Share::of(&spread, 0.05).unwrap(), Share::of(&burst, 0.05).unwrap());
        assert_eq!((spread.p, burst.p), (0.01, 0.01));
        assert_eq!(spread.n_eff, 10_000.0);
        assert!(burst.n_eff < 200.0, "{burst:?}");
        assert!(burst.limits.high > 2.0 * spread.limits.high);
        assert!(spread.is_evidence_for(0.01) && !burst.is_evidence_for(0.001));
    }

    #[test]
    fn five_batches_say_nothing() {
        assert_eq!(Share::of(&[Batch { arrivals: 100, counted: 1 }; 5], 0.05), None);
    }
}
