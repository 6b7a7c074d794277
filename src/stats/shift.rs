//! The shift function: how much every quantile moved between two arms, with an interval for each.
//!
//! A mean may stand still while the tail doubles; this shows where a change sits. Works on one pair of values per block and
//! quantile; the caller reads them from its own histograms. Called by `judge::blocks`; no verdict rests on it.

use super::portable::{exp, ln};
use super::rank::Walsh;

/// Where the function is looked at.
pub const QUANTILES: [f64; 8] = [0.5, 0.75, 0.9, 0.95, 0.97, 0.98, 0.99, 0.999];

/// How one quantile moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shift {
    /// The quantile, 0 < q < 1.
    pub q: f64,
    /// Candidate over base: the Hodges-Lehmann estimate of the logarithm's centre, 1 = unmoved.
    pub ratio: f64,
    /// Lower bound of the ratio, one-sided error a; none when there are too few blocks.
    pub low: Option<f64>,
    /// Upper bound, likewise.
    pub high: Option<f64>,
}

/// The shift at `q` from (base, candidate) pairs, one per block; pairs without two values above 0 are left out.
/// None when no pair is left.
pub fn shift(q: f64, pairs: &[(f64, f64)], a: f64) -> Option<Shift> {
    let usable = |value: f64| value.is_finite() && value > 0.0;
    let logs: Vec<f64> = pairs
        .iter()
        .filter(|(base, cand)| usable(*base) && usable(*cand))
        .map(|(base, cand)| ln(cand / base))
        .collect();
    let walsh = Walsh::of(&logs);
    let bounds = walsh.bounds(a);
    Some(Shift {
        q,
        ratio: exp(walsh.centre()?),
        low: bounds.map(|(low, _)| exp(low)),
        high: bounds.map(|(_, high)| exp(high)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::seed::Seed;
    use crate::stats::portable::normal_quantile;

    /// One block of one arm: 2 400 lognormal times, the slowest `tail` of them `times` as slow.
    fn quantiles(name: &str, block: u64, (tail, times): (f64, f64)) -> Vec<f64> {
        let mut stream = Seed(7).keyed(name, &[block]);
        let mut drawn: Vec<f64> =
            (0..2_400).map(|_| exp(0.5 * normal_quantile(stream.unit_open().min(1.0 - 1e-12)))).collect();
        drawn.sort_by(f64::total_cmp);
        let count = drawn.len();
        let slow = (count as f64 * (1.0 - tail)).round();
        for (at, value) in drawn.iter_mut().enumerate() {
            if at as f64 >= slow {
                *value *= times;
            }
        }
        let at = |q: f64| drawn.iter().enumerate().find(|(at, _)| (at + 1) as f64 >= q * count as f64);
        QUANTILES.iter().map(|q| at(*q).map_or(0.0, |(_, value)| *value)).collect()
    }

    fn seen(change: (f64, f64)) -> Vec<Shift> {
        let arms: Vec<_> =
            (0..10).map(|block| (quantiles("base", block, (0.0, 1.0)), quantiles("cand", block, change))).collect();
        let at = |n: usize| arms.iter().map(|(base, cand)| (base[n], cand[n])).collect::<Vec<_>>();
        QUANTILES.iter().enumerate().map(|(n, q)| shift(*q, &at(n), 0.01).unwrap()).collect()
    }

    #[test]
    fn a_slower_tail_shows_in_the_tail_alone() {
        for one in seen((0.02, 3.0)) {
            let contains = one.low.unwrap() <= 1.0 && one.high.unwrap() >= 1.0;
            match one.q {
                q if q <= 0.97 => assert!(contains, "{one:?}"),
                q if q >= 0.99 => assert!(one.low.unwrap() > 2.0 && one.high.unwrap() < 4.5, "{one:?}"),
                _ => {}
            }
        }
    }

    #[test]
    fn a_slower_everything_shows_everywhere() {
        for one in seen((1.0, 1.2)).iter().filter(|one| one.q <= 0.98) {
            assert!(one.low.unwrap() > 1.0 && (one.ratio - 1.2).abs() < 0.06, "{one:?}");
        }
    }

    #[test]
    fn pairs_without_two_times_are_left_out() {
        let one = shift(0.5, &[(0.0, 1.0), (1.0, f64::INFINITY), (2.0, 4.0)], 0.01).unwrap();
        assert!((one.ratio - 2.0).abs() < 1e-12 && one.low.is_none());
        assert_eq!(shift(0.5, &[(0.0, 0.0)], 0.01), None);
    }
}
