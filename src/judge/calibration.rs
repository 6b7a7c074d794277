//! The calibration ledger's arithmetic: what k red comparisons of a target with itself say of a gate's false alarms.
//!
//! Limits of Clopper and Pearson (1934), from the incomplete beta function. Not here: the ledger's file, the comparisons themselves.

use crate::stats::special::incomplete_beta;

/// Error of each one-sided limit.
const ERROR: f64 = 0.05;

/// What a ledger allows a gate to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// It may turn a job red.
    Block,
    /// It may warn.
    Warn,
}

/// One-sided 95 % limits of the true share behind `reds` of `all`: (lower, upper). Nothing observed limits nothing.
pub fn limits(reds: u64, all: u64) -> (f64, f64) {
    let (k, n) = (reds.min(all) as f64, all as f64);
    // P(X >= k) = I_p(k, n-k+1), rising in p; P(X <= k) = 1 - I_p(k+1, n-k), falling in p.
    let lower = if reds == 0 { 0.0 } else { root(|p| incomplete_beta(k, n - k + 1.0, p) - ERROR) };
    let upper = if reds >= all { 1.0 } else { root(|p| incomplete_beta(k + 1.0, n - k, p) - (1.0 - ERROR)) };
    (lower, upper)
}

/// Where a rising function crosses 0 between 0 and 1.
fn root(rising: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        *(if rising(middle) < 0.0 { &mut low } else { &mut high }) = middle;
    }
    f64::midpoint(low, high)
}

/// What comparisons with a stored baseline may do: they block only when the upper limit is below `max_false_red`.
pub fn stored(reds: u64, all: u64, max_false_red: f64) -> Power {
    if all > 0 && limits(reds, all).1 < max_false_red { Power::Block } else { Power::Warn }
}

/// What interleaved comparisons may do: their rate rests on the coin, so that only proof of the contrary demotes them.
pub fn interleaved(reds: u64, all: u64, alpha: f64) -> Power {
    if limits(reds, all).0 > alpha { Power::Warn } else { Power::Block }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_red_in_n_proves_what_it_is_known_to_prove() {
        for (n, percent) in [(20, 13.9), (30, 9.5), (60, 4.9), (100, 3.0), (299, 1.0)] {
            let upper = limits(0, n).1 * 100.0;
            assert!((upper - percent).abs() < 0.06, "{n}: {upper}");
            // The closed form for no event: 1 - 0.05^(1/n).
            assert!((limits(0, n).1 - (1.0 - 0.05_f64.powf(1.0 / n as f64))).abs() < 1e-9);
        }
        assert!(limits(0, 299).1 < 0.01 && limits(0, 298).1 > 0.01);
        assert_eq!(limits(0, 0), (0.0, 1.0));
        assert!(limits(5, 5).1 >= 1.0 && (limits(5, 5).0 - 0.05_f64.powf(0.2)).abs() < 1e-9);
    }

    #[test]
    fn sixty_quiet_comparisons_may_block_at_five_percent_and_thirty_only_warn() {
        assert_eq!(stored(0, 60, 0.05), Power::Block);
        assert_eq!(stored(0, 30, 0.05), Power::Warn);
        assert_eq!(stored(0, 0, 0.05), Power::Warn);
        assert_eq!(interleaved(0, 0, 0.01), Power::Block);
        assert_eq!(interleaved(1, 20, 0.01), Power::Block);
        assert_eq!(interleaved(4, 20, 0.01), Power::Warn);
    }
}
