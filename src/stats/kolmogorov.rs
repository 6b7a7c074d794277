//! Do these numbers come from that distribution? The one-sample test of Kolmogorov and Smirnov.
//!
//! Called by `squall selftest` on the gaps between arrivals. Not here: distributions.

use super::portable::exp;

/// Terms of the series; the 100th is below 1e-300 wherever the answer is not 1.
const TERMS: u32 = 100;

/// The probability of a distance at least as large as that between the `sample` (in any order) and the distribution function
/// `below`, were the sample drawn from it: `D = sup |F_n - F|`,
/// `p = 2 Σ (-1)^(k-1) exp(-2 k² λ²)`, `λ = (√n + 0.12 + 0.11/√n) D` (Stephens 1970). 1 for an empty sample.
pub fn p_value(sample: &[f64], below: impl Fn(f64) -> f64) -> f64 {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let apart = sorted.iter().enumerate().fold(0.0_f64, |apart, (at, value)| {
        let f = below(*value);
        apart.max((at as f64 + 1.0) / n - f).max(f - at as f64 / n)
    });
    if sorted.is_empty() {
        return 1.0;
    }
    let root = n.sqrt();
    let lambda = (root + 0.12 + 0.11 / root) * apart;
    if lambda < 0.2 {
        // The series converges slowly where the answer is 1 to ten digits.
        return 1.0;
    }
    let term = |k: u32| {
        let sign = if k % 2 == 1 { 1.0 } else { -1.0 };
        sign * exp(-2.0 * f64::from(k * k) * lambda * lambda)
    };
    (2.0 * (1..=TERMS).map(term).sum::<f64>()).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn critical_values_of_the_tables_have_their_probabilities() {
        // One value at 1.358 / λ's factor from a step: the 5 % point of the limit distribution is 1.358, the 1 % point 1.628.
        for (lambda, p) in [(1.224, 0.10), (1.358, 0.05), (1.628, 0.01)] {
            let n = 10_000.0_f64;
            let d = lambda / (n.sqrt() + 0.12 + 0.11 / n.sqrt());
            // A sample that is uniform but for a shift of d has that distance.
            let sample: Vec<f64> = (0..10_000).map(|at| (f64::from(at) + 0.5) / n + d - 0.5 / n).collect();
            let found = p_value(&sample, |x| x.clamp(0.0, 1.0));
            assert!((found - p).abs() < 0.003, "{lambda}: {found}");
        }
    }

    #[test]
    fn what_fits_passes_and_what_does_not_fails() {
        let uniform: Vec<f64> = (0..1_000).map(|at| (f64::from(at) + 0.5) / 1_000.0).collect();
        assert!(p_value(&uniform, |x| x) > 0.999);
        assert!(p_value(&uniform, |x| x * x) < 1e-6);
        assert!((p_value(&[], |x| x) - 1.0).abs() < f64::EPSILON);
    }
}
