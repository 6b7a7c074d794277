//! Exact rank statistics of a few paired differences: the signed-rank test, Walsh averages and their bounds, the rank-sum test.
//!
//! Nothing here assumes a shape of the noise; the signed-rank test needs signs that are fair under the null hypothesis,
//! which a coin gives. No normal approximation at any size. Called by `judge` and by `shift`.

use super::EXACT_MOST;

/// Wilcoxon's signed-rank test (1945) of "greater than 0".
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignedRank {
    /// W: the sum of the ranks of the positive values; halves where ranks are tied.
    pub w: f64,
    /// The largest W possible: n(n+1)/2 over the values that are not 0.
    pub w_max: f64,
    /// P(W ≥ w) if every sign were a fair coin; 1 when no value is left.
    pub p: f64,
    /// Values that are not 0.
    pub n: usize,
}

/// The exact one-sided test: zeros dropped, midranks for ties.
///
/// `c_m(w) = c_{m-1}(w) + c_{m-1}(w - r_m)` over doubled midranks r, `p = Σ_{w ≥ W} c_n(w) / 2ⁿ`. NaN counts as 0.
pub fn signed_rank(values: &[f64]) -> SignedRank {
    let kept: Vec<f64> = values.iter().copied().filter(|value| value.abs() > 0.0).collect();
    let doubled = doubled_midranks(&kept.iter().map(|value| value.abs()).collect::<Vec<_>>());
    let total: usize = doubled.iter().sum();
    let above: usize = doubled.iter().zip(&kept).filter(|(_, value)| **value > 0.0).map(|(rank, _)| rank).sum();
    // Without ties all doubled ranks are even, and half the table does.
    let step = if doubled.iter().all(|rank| rank % 2 == 0) { 2 } else { 1 };
    let ranks: Vec<usize> = doubled.iter().map(|rank| rank / step).collect();
    let p = sign_sums(&ranks).iter().skip(above / step).sum::<f64>();
    SignedRank { w: above as f64 / 2.0, w_max: total as f64 / 2.0, p: p.min(1.0), n: kept.len() }
}

/// Twice the rank of each value among all, ties sharing their middle; ranks begin at 1.
fn doubled_midranks(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0; values.len()];
    let mut first = 0;
    for tied in order.chunk_by(|a, b| values[*a].total_cmp(&values[*b]).is_eq()) {
        for &at in tied {
            ranks[at] = 2 * first + tied.len() + 1;
        }
        first += tied.len();
    }
    ranks
}

/// The probability of every sum when each rank counts with a fair coin. Exact up to 50 ranks, as all are multiples of 2⁻ⁿ.
fn sign_sums(ranks: &[usize]) -> Vec<f64> {
    let mut table = vec![0.0; ranks.iter().sum::<usize>() + 1];
    table[0] = 1.0;
    let mut reach = 0;
    for &rank in ranks {
        reach += rank;
        for sum in (0..=reach).rev() {
            let with = if sum >= rank { table[sum - rank] } else { 0.0 };
            table[sum] = 0.5 * (table[sum] + with);
        }
    }
    table
}

/// The smallest W that is significant at `a` for `n` values without ties, and its true size; none when 2⁻ⁿ > a.
pub fn critical(n: usize, a: f64) -> Option<(usize, f64)> {
    let table = sign_sums(&(1..=n).collect::<Vec<_>>());
    let (mut found, mut tail) = (None, 0.0);
    for (w, p) in table.iter().enumerate().rev() {
        tail += p;
        if tail > a {
            break;
        }
        found = Some((w, tail));
    }
    found
}

/// All n(n+1)/2 averages `(x_i + x_j)/2`, i ≤ j, rising.
#[derive(Clone, Debug, PartialEq)]
pub struct Walsh {
    averages: Vec<f64>,
    n: usize,
}

impl Walsh {
    /// The averages of `values`, which are finite.
    pub fn of(values: &[f64]) -> Self {
        let mut averages = Vec::with_capacity(values.len() * (values.len() + 1) / 2);
        for (at, a) in values.iter().enumerate() {
            averages.extend(values.iter().skip(at).map(|b| f64::midpoint(*a, *b)));
        }
        averages.sort_by(f64::total_cmp);
        Self { averages, n: values.len() }
    }

    /// Hodges and Lehmann's estimate (1963) of the centre: their median. None without values.
    pub fn centre(&self) -> Option<f64> {
        let half = self.averages.len() / 2;
        let upper = *self.averages.get(half)?;
        if self.averages.len() % 2 == 1 { Some(upper) } else { Some(f64::midpoint(self.averages[half - 1], upper)) }
    }

    /// The one-sided bounds at error `a` each: the k-th smallest and the k-th largest average,
    /// `k = max{ j : P(W ≤ j-1) ≤ a }`. None when 2⁻ⁿ > a: so few values bound nothing.
    pub fn bounds(&self, a: f64) -> Option<(f64, f64)> {
        let k = order_of_bound(self.n, a)?;
        Some((*self.averages.get(k - 1)?, *self.averages.get(self.averages.len() - k)?))
    }
}

/// `k = max{ j : P(W ≤ j-1) ≤ a }` for `n` values; none below 1.
pub fn order_of_bound(n: usize, a: f64) -> Option<usize> {
    // The distribution is symmetric: P(W ≤ j-1) = P(W ≥ max - j + 1).
    let (w, _) = critical(n, a)?;
    Some(n * (n + 1) / 2 - w + 1)
}

/// The exact two-sided rank-sum test (Wilcoxon 1945, Mann and Whitney 1947) of two groups: twice the smaller tail, at most 1.
///
/// Counts the choices of `a.len()` of all doubled midranks by their sum. 1 when a group is empty, or for more than
/// [`EXACT_MOST`] values.
pub fn rank_sum(a: &[f64], b: &[f64]) -> f64 {
    let all: Vec<f64> = a.iter().chain(b).copied().collect();
    if a.is_empty() || b.is_empty() || all.len() > EXACT_MOST {
        return 1.0;
    }
    let ranks = doubled_midranks(&all);
    let seen: usize = ranks.iter().take(a.len()).sum();
    let total: usize = ranks.iter().sum();
    // ways[k][s]: choices of k ranks with the sum s.
    let mut ways = vec![vec![0.0; total + 1]; a.len() + 1];
    ways[0][0] = 1.0;
    for &rank in &ranks {
        for k in (1..=a.len()).rev() {
            let (below, here) = ways.split_at_mut(k);
            for sum in rank..=total {
                here[0][sum] += below[k - 1][sum - rank];
            }
        }
    }
    let chosen = &ways[a.len()];
    let choices: f64 = chosen.iter().sum();
    let low: f64 = chosen.iter().take(seen + 1).sum();
    let high: f64 = chosen.iter().skip(seen).sum();
    (2.0 * low.min(high) / choices).min(1.0)
}

#[cfg(test)]
mod tests;
