//! How far one run's percentile can be trusted: a cluster-robust interval from batches of seconds.
//!
//! Requests of one second share its fate, so they are not independent draws. The run is cut into batches, the share at
//! or below the percentile is counted in each, and their spread says how many independent requests the run is worth
//! (Woodruff 1952, with the variance between clusters). Works on counts and ranks alone: the caller reads values from
//! its own histogram. Called by `judge` and by `proportion`.

use std::ops::Range;

use super::special::t_quantile;

/// Fewer batches than this give no interval.
pub const BATCHES_MIN: usize = 6;

/// The length B in seconds of one batch of a scope of `seconds` seconds: `max(10, ⌈T/20⌉)`; below a minute
/// `max(1, ⌊T/6⌋)`.
pub fn batch_length(seconds: usize) -> usize {
    if seconds < 60 { (seconds / 6).max(1) } else { seconds.div_ceil(20).max(10) }
}

/// Cuts the seconds of a scope into batches of consecutive ones. `seconds` are the numbers of the seconds that were
/// observed, ascending; the answer holds ranges of positions in it.
///
/// No batch spans a gap. What is left at the end of a stretch and shorter than half a batch joins the batch before it;
/// a whole stretch that short has no neighbour to join and stays alone, so that no second is lost.
pub fn batches(seconds: &[u64]) -> Vec<Range<usize>> {
    let length = batch_length(seconds.len());
    let mut found = Vec::new();
    let mut start = 0;
    for stretch in seconds.chunk_by(|a, b| a + 1 == *b) {
        cut(start..start + stretch.len(), length, &mut found);
        start += stretch.len();
    }
    found
}

/// Cuts one stretch without gaps into pieces of `length`.
fn cut(stretch: Range<usize>, length: usize, found: &mut Vec<Range<usize>>) {
    let mut start = stretch.start;
    while start < stretch.end {
        let full = start + length;
        let left = stretch.end.saturating_sub(full);
        let end = if left * 2 < length { stretch.end } else { full };
        found.push(start..end);
        start = end;
    }
}

/// What one batch holds: how many arrivals, and how many of them counted (at or below the percentile, or bad, or slow).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Arrivals `n_k`.
    pub arrivals: u64,
    /// Of these, the counted ones `c_k`; never more than `arrivals`.
    pub counted: u64,
}

/// The design effect: how many times the variance of a share exceeds that of independent draws.
///
/// `n = Σ n_k`, `p = Σ c_k / n`, `V = K/(K-1) · Σ (c_k - p·n_k)² / n²`, `deff = max(1, V / (p(1-p)/n))`.
/// None for fewer than [`BATCHES_MIN`] batches or no arrivals; 1 where p is 0 or 1, as nothing varied.
pub fn design_effect(batches: &[Batch]) -> Option<f64> {
    let k = batches.len();
    let (n, p) = pooled(batches)?;
    if k < BATCHES_MIN {
        return None;
    }
    let alone = p * (1.0 - p) / n;
    if alone <= 0.0 {
        return Some(1.0);
    }
    let squares: f64 = batches.iter().map(|b| b.counted as f64 - p * b.arrivals as f64).map(|d| d * d).sum();
    let between = k as f64 / (k - 1) as f64 * squares / (n * n);
    Some((between / alone).max(1.0))
}

/// All arrivals n and the counted share p of them; None without arrivals.
pub fn pooled(batches: &[Batch]) -> Option<(f64, f64)> {
    let n: u64 = batches.iter().map(|b| b.arrivals).sum();
    let c: u64 = batches.iter().map(|b| b.counted).sum();
    (n > 0).then(|| (n as f64, c as f64 / n as f64))
}

/// What a run is worth as evidence about one of its quantiles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClusterEstimate {
    /// Arrivals in all batches.
    pub n: f64,
    /// Share of the arrivals at or below the quantile's value, 0..=1; near q, apart by the width of a bucket.
    pub p: f64,
    /// Design effect, at least 1.
    pub deff: f64,
    /// Independent arrivals the run is worth: n / deff.
    pub n_eff: f64,
    /// Half width of the interval in units of rank, 0..: `t(1-a/2; K-1) · √(p(1-p)/n_eff)`.
    pub h: f64,
}

/// The ranks between which a quantile lies; read their values from the merged histogram and widen them to the outer
/// edges of their buckets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranks {
    /// Rank of the lower limit, 0..=1.
    pub lower: f64,
    /// Rank of the upper limit; None: unbounded, the run does not limit the quantile from above.
    pub upper: Option<f64>,
}

impl ClusterEstimate {
    /// The estimate for quantile `q` (0..1) at two-sided error `a` (0.05 for a 95 % interval) from the batches of a run,
    /// `counted` being the arrivals at or below the value at `q`. None for fewer than [`BATCHES_MIN`] batches or no
    /// arrivals.
    ///
    /// Where every arrival or none is counted, the spread of p is unknown and that of q takes its place.
    #[expect(clippy::many_single_char_names, reason = "the letters of the formula")]
    pub fn of(q: f64, batches: &[Batch], a: f64) -> Option<Self> {
        let (n, p) = pooled(batches)?;
        let deff = design_effect(batches)?;
        let n_eff = n / deff;
        let varying = if p > 0.0 && p < 1.0 { p } else { q };
        let t = t_quantile(1.0 - a / 2.0, (batches.len() - 1) as f64);
        let h = t * (varying * (1.0 - varying) / n_eff).sqrt();
        Some(Self { n, p, deff, n_eff, h })
    }

    /// The limits `q - h` and `q + h`. Arrivals that were never answered took longer than all others and hold the
    /// highest ranks: `unanswered` is their number. An upper rank among them, or of 1 and above, is unbounded.
    pub fn ranks(&self, q: f64, unanswered: u64) -> Ranks {
        let answered = (1.0 - unanswered as f64 / self.n).max(0.0);
        let upper = q + self.h;
        Ranks {
            // A lower rank among the unanswered has no value; the highest answered one is still a true lower limit.
            lower: (q - self.h).clamp(0.0, answered),
            upper: (upper < 1.0 && upper <= answered && self.p < 1.0).then_some(upper),
        }
    }

    /// Independent arrivals on the thin side of quantile `q`: `n_eff · min(q, 1-q)`. A check asks for at least 20.
    pub fn tail(&self, q: f64) -> f64 {
        self.n_eff * q.min(1.0 - q)
    }
}

#[cfg(test)]
mod tests;
