//! Stored baselines: what a history of accepted runs can say of a new one, and what a single earlier run can only advise.
//!
//! Formulas: prediction limit of a new mean, `mean + t(1-a; K-1) · s · √(1/m + 1/K) + ln(1+δ)` on logarithms (Hahn and
//! Meeker, Statistical Intervals, 1991); shares are compared as they are, by points. Not here: where runs are stored, whether two
//! runs may be compared (`fingerprint`).

mod compare;
mod words;

pub use compare::{Earlier, Rules, Stored, findings, steady};

use super::finding::Verdict;
use crate::stats::special::{t_quantile, t_tail};

/// Fewer accepted runs say nothing.
pub const LEAST: usize = 8;

/// How strict a comparison is, in the unit of its values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strictness {
    /// One-sided share of false alarms, 0 to 1.
    pub alpha: f64,
    /// How far above the mean the bound lies, before noise.
    pub margin: f64,
    /// Least standard deviation that is believed: the floor of the ledger.
    pub floor: f64,
}

/// What a history says of a value, in the unit of the values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// Highest value that the history still explains.
    pub limit: f64,
    /// The mean it is compared with.
    pub mean: f64,
    /// The new mean less that.
    pub change: f64,
    /// The smallest true change that would be seen in four cases of five.
    pub detectable: f64,
    /// Chance of such a value or a higher one without any change beyond the margin.
    pub p: f64,
    /// Deviation between the runs.
    /// Deviation between the runs.
    pub sd: f64,
}

/// How many accepted runs are still needed; 0 when there are enough.
pub fn missing(history: usize) -> usize {
    LEAST.saturating_sub(history)
}

/// What `history` says of the mean of `new`; `None`: fewer than [`LEAST`] runs, no candidate, or a number that is none. Around
/// `anchor`, where there is one, with the noise of the history.
pub fn predict(history: &[f64], new: &[f64], anchor: Option<f64>, strict: Strictness) -> Option<Prediction> {
    let finite = history.iter().chain(new).chain(&anchor).all(|value| value.is_finite());
    if history.len() < LEAST || new.is_empty() || !finite {
        return None;
    }
    let (k, m) = (history.len() as f64, new.len() as f64);
    let own = history.iter().sum::<f64>() / k;
    let sd = (history.iter().map(|one| (one - own) * (one - own)).sum::<f64>() / (k - 1.0)).sqrt();
    // Equal numbers differ by rounding alone.
    let sd = if sd < 1e-9 { 0.0 } else { sd };
    let (mean, of) = anchor.map_or((own, k), |anchor| (anchor, 1.0));
    let width = sd.max(strict.floor) * (1.0 / m + 1.0 / of).sqrt();
    let change = new.iter().sum::<f64>() / m - mean;
    let t = t_quantile(1.0 - strict.alpha, k - 1.0);
    let beyond = change - strict.margin;
    let p = match (width > 0.0, beyond > 0.0) {
        (true, true) => t_tail(beyond / width, k - 1.0),
        (true, false) => 1.0 - t_tail(-beyond / width, k - 1.0),
        (false, beyond) => f64::from(u8::from(!beyond)),
    };
    let limit = mean + t * width + strict.margin;
    Some(Prediction { limit, mean, change, detectable: (t + t_quantile(0.8, k - 1.0)) * width + strict.margin, p, sd })
}

/// One earlier run: advice. Warns beyond the margin; fails only beyond max(margin, 3 × floor), and only where that is allowed.
pub fn single(change: f64, strict: Strictness, may_fail: MayFail) -> Verdict {
    match change {
        change if may_fail == MayFail::Yes && change > strict.margin.max(3.0 * strict.floor) => Verdict::Fail,
        change if change > strict.margin => Verdict::Warn,
        _ => Verdict::Pass,
    }
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
mod tests;
