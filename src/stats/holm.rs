//! Many tests, one promise: Holm's steps, how many blocks can prove anything at all, and what a gate cannot see.
//!
//! Called by `judge` and, before anything is sent, by `cli`. Not here: the tests themselves (`rank`).

use super::special::t_quantile;

/// Which of the tests with these p values are rejected while the chance of even one false rejection stays at most `alpha`
/// (Holm 1979): in order of p, as long as `p_(j) ≤ alpha / (M-j+1)`.
pub fn holm(p: &[f64], alpha: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut rejected = vec![false; p.len()];
    for (done, at) in order.into_iter().enumerate() {
        if p[at] > step(alpha, p.len() - done) {
            break;
        }
        rejected[at] = true;
    }
    rejected
}

/// `alpha / left`, with room for the last bit: 1 % / 10 must not lose against a p of exactly that size.
fn step(alpha: f64, left: usize) -> f64 {
    alpha / left as f64 * (1.0 + 1e-12)
}

/// The fewest blocks with which a signed-rank test among `checks` tests in `stages` stages can be significant at all:
/// `2⁻ⁿ ≤ alpha / (checks · stages)`. Some thousand for an `alpha` that no number of blocks reaches.
pub fn blocks_needed(checks: usize, stages: usize, alpha: f64) -> usize {
    let most = step(alpha, checks.max(1) * stages.max(1));
    let (mut n, mut least) = (0, 1.0);
    while least > most && n < 1_100 {
        n += 1;
        least *= 0.5;
    }
    n
}

/// The smallest true effect that `n` blocks of standard deviation `sd` show with probability 0.8 at one-sided error `alpha`,
/// in the unit of `sd`: `(t(n-1; 1-alpha) + t(n-1; 0.8)) · sd / √(0.955 n)`; 0.955 is the efficiency of the signed-rank
/// test. None for fewer than 2 blocks. Of logarithms, the change is `exp(·) - 1`.
pub fn detectable(sd: f64, n: usize, alpha: f64) -> Option<f64> {
    if n < 2 {
        return None;
    }
    let df = (n - 1) as f64;
    Some((t_quantile(1.0 - alpha, df) + t_quantile(0.8, df)) * sd / (0.955 * n as f64).sqrt())
}

/// The fewest blocks, from `least` to `most`, that would show `effect`; none within `most`.
pub fn blocks_to_see(effect: f64, sd: f64, alpha: f64, (least, most): (usize, usize)) -> Option<usize> {
    (least.max(2)..=most).find(|n| detectable(sd, *n, alpha).is_some_and(|seen| seen <= effect))
}

/// The standard deviation of `values`, divisor n-1; none for fewer than 2.
pub fn deviation(values: &[f64]) -> Option<f64> {
    let n = values.len();
    if n < 2 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n as f64;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    Some((squares / (n - 1) as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::portable::exp;

    #[test]
    fn holm_steps_down_until_the_first_that_holds() {
        assert_eq!(holm(&[0.001, 0.2, 0.004, 0.03], 0.01), [true, false, false, false]);
        assert_eq!(holm(&[0.002, 0.2, 0.003, 0.03], 0.01), [true, false, true, false]);
        assert_eq!(holm(&[0.006, 0.005], 0.01), [true, true]);
        assert_eq!(holm(&[0.006, 0.0051], 0.01), [false, false]);
        assert_eq!(holm(&[1.0 / 1_024.0; 10], 0.01), [true; 10]);
        assert!(holm(&[], 0.01).is_empty());
    }

    #[test]
    fn a_gate_needs_as_many_blocks_as_it_has_checks_to_prove() {
        for (checks, stages, needed) in [(1, 1, 7), (10, 1, 10), (20, 1, 11), (20, 2, 12), (5, 1, 9), (0, 1, 7)] {
            assert_eq!(blocks_needed(checks, stages, 0.01), needed, "{checks} {stages}");
        }
        assert_eq!(blocks_needed(1, 1, 0.05), 5);
        assert!(blocks_needed(1, 1, 0.0) > 1_000);
    }

    #[test]
    fn the_smallest_visible_change_has_its_published_sizes() {
        let shown = |sd, n| format!("{:.1}", (exp(detectable(sd, n, 0.01).unwrap()) - 1.0) * 100.0);
        let table = [(0.02, 10, "2.4"), (0.04, 10, "4.9"), (0.04, 16, "3.6"), (0.08, 10, "10.1"), (0.08, 16, "7.4")];
        for (sd, n, percent) in table {
            assert_eq!(shown(sd, n), percent, "{sd} {n}");
        }
        assert_eq!(detectable(0.02, 1, 0.01), None);
        assert_eq!(blocks_to_see(0.0361, 0.04, 0.01, (7, 100)), Some(16));
        assert_eq!(blocks_to_see(0.0001, 0.04, 0.01, (7, 100)), None);
    }
}
