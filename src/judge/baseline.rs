//! Stored baselines: what a history of accepted runs can say of a new one, and what a single earlier run can only advise.
//!
//! Formulas: prediction limit of a new mean, `mean + t(1-a; K-1) · s · √(1/m + 1/K) + ln(1+δ)` on logarithms (Hahn and
//! Meeker, Statistical Intervals, 1991). Not here: where runs are stored, whether two runs may be compared (`fingerprint`).

use super::finding::Verdict;
use crate::stats::portable::{exp, ln};
use crate::stats::special::t_quantile;

/// Fewer accepted runs say nothing.
pub const LEAST: usize = 8;
/// Only the newest so many count.
pub const NEWEST: usize = 20;

/// What a history says of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// Highest value that the history still explains, in the value's unit.
    pub limit: f64,
    /// The new value against the history's mean, as a share: 0.08 is 8 % more.
    pub change: f64,
    /// The smallest true change that would be seen in four cases of five, as a share.
    pub detectable: f64,
    /// `Fail` beyond the limit.
    pub verdict: Verdict,
}

/// How strict a comparison is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strictness {
    /// One-sided share of false alarms, 0 to 1.
    pub alpha: f64,
    /// Margin, as a share.
    pub margin: f64,
    /// Least standard deviation of logarithms that is believed: the floor of the ledger.
    pub floor: f64,
}

/// How many accepted runs are still needed; 0 when there are enough.
pub fn missing(history: &[f64]) -> usize {
    LEAST.saturating_sub(history.len())
}

/// Judges the mean of the logarithms of `candidates` against the newest [`NEWEST`] of `history` (oldest first), all above 0.
/// `None`: fewer than [`LEAST`] runs, no candidate, or a number that has no logarithm.
pub fn history(history: &[f64], candidates: &[f64], strict: Strictness) -> Option<Prediction> {
    let newest = &history[history.len().saturating_sub(NEWEST)..];
    let usable = |value: &f64| value.is_finite() && *value > 0.0;
    if newest.len() < LEAST || candidates.is_empty() || !newest.iter().chain(candidates).all(usable) {
        return None;
    }
    let logs: Vec<f64> = newest.iter().map(|value| ln(*value)).collect();
    let (k, m) = (logs.len() as f64, candidates.len() as f64);
    let mean = logs.iter().sum::<f64>() / k;
    let spread = (logs.iter().map(|one| (one - mean) * (one - mean)).sum::<f64>() / (k - 1.0)).sqrt();
    let sd = spread.max(strict.floor);
    let width = sd * (1.0 / m + 1.0 / k).sqrt();
    let t = t_quantile(1.0 - strict.alpha, k - 1.0);
    let limit = mean + t * width + ln(1.0 + strict.margin);
    let new = candidates.iter().map(|value| ln(*value)).sum::<f64>() / m;
    let verdict = if new > limit { Verdict::Fail } else { Verdict::Pass };
    let seen = (t + t_quantile(0.8, k - 1.0)) * width + ln(1.0 + strict.margin);
    Some(Prediction { limit: exp(limit), change: exp(new - mean) - 1.0, detectable: exp(seen) - 1.0, verdict })
}

/// One earlier run: advice. Warns beyond the margin; fails only beyond max(margin, 3 × floor), and only where that is allowed.
/// `None` when a number has no logarithm.
pub fn single(baseline: f64, candidate: f64, strict: Strictness, may_fail: MayFail) -> Option<(f64, Verdict)> {
    let usable = |value: f64| value.is_finite() && value > 0.0;
    if !usable(baseline) || !usable(candidate) {
        return None;
    }
    let change = candidate / baseline - 1.0;
    let verdict = match change {
        change if may_fail == MayFail::Yes && change > strict.margin.max(3.0 * strict.floor) => Verdict::Fail,
        change if change > strict.margin => Verdict::Warn,
        _ => Verdict::Pass,
    };
    Some((change, verdict))
}

/// Whether a single earlier run may turn a gate red: `allow_single`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MayFail {
    /// It may.
    Yes,
    /// It only advises.
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Strictness = Strictness { alpha: 0.01, margin: 0.0, floor: 0.0 };

    /// K values whose logarithms have mean 0 and exactly this standard deviation.
    fn spread(k: usize, sd: f64) -> Vec<f64> {
        let step = sd * ((k as f64 - 1.0) / k as f64).sqrt();
        (0..k).map(|n| exp(if n % 2 == 0 { step } else { -step })).collect()
    }

    #[test]
    fn the_sight_of_a_history_of_ten_is_as_poor_as_it_is_known_to_be() {
        // Smallest change seen in four of five cases, by run-to-run standard deviation.
        for (sd, low, high) in [(0.02, 0.07, 0.09), (0.05, 0.19, 0.23), (0.09, 0.38, 0.43)] {
            let seen = history(&spread(10, sd), &[1.0], STRICT).unwrap().detectable;
            assert!((low..=high).contains(&seen), "{sd}: {seen}");
        }
    }

    #[test]
    fn the_limit_is_the_prediction_limit() {
        // t(0.99; 9) = 2.821438, s = 0.05: ln limit = 2.821438 · 0.05 · √1.1.
        let found = history(&spread(10, 0.05), &[1.1], STRICT).unwrap();
        assert!((ln(found.limit) - 2.821_438 * 0.05 * 1.1_f64.sqrt()).abs() < 1e-6, "{found:?}");
        assert_eq!(found.verdict, Verdict::Pass);
        assert_eq!(history(&spread(10, 0.05), &[1.2], STRICT).unwrap().verdict, Verdict::Fail);
        let lenient = Strictness { margin: 0.10, ..STRICT };
        assert_eq!(history(&spread(10, 0.05), &[1.2], lenient).unwrap().verdict, Verdict::Pass);
    }

    #[test]
    fn too_few_runs_say_nothing_and_no_spread_uses_the_floor() {
        assert_eq!((history(&spread(7, 0.05), &[9.0], STRICT), missing(&spread(7, 0.05))), (None, 1));
        assert_eq!(history(&spread(8, 0.05), &[f64::NAN], STRICT), None);
        let still = Strictness { floor: 0.03, ..STRICT };
        assert_eq!(history(&[1.0; 12], &[1.05], still).unwrap().verdict, Verdict::Pass);
        assert_eq!(history(&[1.0; 12], &[1.05], STRICT).unwrap().verdict, Verdict::Fail);
        let drifted: Vec<f64> = std::iter::repeat_n(50.0, 30).chain(spread(20, 0.02)).collect();
        assert!(history(&drifted, &[1.0], STRICT).unwrap().limit < 1.2, "only the newest twenty count");
    }

    #[test]
    fn one_earlier_run_advises_unless_it_may_do_more() {
        let strict = Strictness { alpha: 0.01, margin: 0.05, floor: 0.04 };
        for (candidate, may, want) in [
            (104.0, MayFail::Yes, Verdict::Pass),
            (110.0, MayFail::Yes, Verdict::Warn),
            (113.0, MayFail::Yes, Verdict::Fail),
            (300.0, MayFail::No, Verdict::Warn),
        ] {
            assert_eq!(single(100.0, candidate, strict, may).unwrap().1, want, "{candidate}");
        }
        assert_eq!(single(0.0, 1.0, strict, MayFail::No), None);
    }
}
