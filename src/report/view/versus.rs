//! Two arms beside each other: what every block said, and how each quantile moved.
//!
//! Rendered by `html::versus`. Not here: the line of the terminal (`compared`), how it is decided (`judge::blocks`).

use crate::judge::account::Account;
use crate::judge::finding::{Compare, Finding, Verdict};
use crate::judge::words::percentile;
use crate::report::words;
use crate::stats::portable::exp;
use crate::stats::shift::Shift;

use super::checks::counted;

/// Comparisons that are drawn; the others stand in the list of findings.
const DRAWN: usize = 6;
/// A change beyond this is no number but silence.
const NEVER: f64 = 20.0;

/// All comparisons of a run.
#[derive(Debug, Default)]
pub struct Versus {
    /// Those with pictures, worst first.
    pub drawn: Vec<Pair>,
    /// Names of the others.
    pub more: Vec<String>,
}

/// One comparison.
#[derive(Debug)]
pub struct Pair {
    /// What was compared.
    pub what: String,
    /// The verdict as it counts.
    pub verdict: Verdict,
    /// What the picture shows, in a sentence.
    pub caption: String,
    /// The unit of all changes: `%` or `pp`.
    pub unit: &'static str,
    /// Each block in order: its change, and whether the base went first; `None`: one arm was silent.
    pub blocks: Vec<(Option<f64>, bool)>,
    /// Centre of the changes and its interval.
    pub centre: Option<(f64, f64, f64)>,
    /// How much was allowed.
    pub margin: f64,
    /// Each quantile's change with its interval, in percent; empty for shares.
    pub shift: Vec<Moved>,
}

/// How one quantile moved, percent.
#[derive(Clone, Copy, Debug)]
pub struct Moved {
    /// The quantile.
    pub q: f64,
    /// Its change.
    pub change: f64,
    /// Ends of its interval, where there are blocks enough.
    pub ends: Option<(f64, f64)>,
}

/// The comparisons of `account`.
pub fn of(account: &Account) -> Versus {
    let mut all: Vec<(&Finding, &Compare)> =
        account.findings.iter().filter_map(|one| Some((one, one.evidence.compare.as_deref()?))).collect();
    all.sort_by_key(|(one, _)| std::cmp::Reverse(counted(one)));
    let more = all.iter().skip(DRAWN).map(|(_, compare)| words::name(&compare.what)).collect();
    Versus { drawn: all.into_iter().take(DRAWN).map(|(one, compare)| pair(one, compare)).collect(), more }
}

fn pair(finding: &Finding, compare: &Compare) -> Pair {
    let is_share = compare.margin.contains("pp");
    let shown = |change: f64| {
        let change = if is_share { change } else { exp(change) - 1.0 };
        (change.abs() < NEVER).then_some(change * 100.0)
    };
    let evidence = &finding.evidence;
    let centre = match (evidence.value, evidence.low, evidence.high) {
        (Some(value), Some(low), Some(high)) => Some((value * 100.0, low * 100.0, high * 100.0)),
        _ => None,
    };
    let percent = |ratio: f64| (ratio - 1.0) * 100.0;
    let moved = |one: &Shift| Moved {
        q: one.q,
        change: percent(one.ratio),
        ends: one.low.zip(one.high).map(|(low, high)| (percent(low), percent(high))),
    };
    let what = words::name(&compare.what);
    let base_first = compare.blocks.iter().filter(|(_, first)| *first).count();
    let caption = format!(
        "{what}: {} against {} allowed, in {} blocks; the base went first in {base_first} of them.",
        words::text(&finding.observed),
        compare.margin,
        compare.blocks.len(),
    );
    Pair {
        what,
        verdict: counted(finding),
        caption,
        unit: if is_share { "pp" } else { "%" },
        blocks: compare.blocks.iter().map(|(change, first)| (shown(*change), *first)).collect(),
        centre,
        margin: evidence.bound.unwrap_or(0.0) * 100.0,
        shift: compare.shift.iter().map(moved).filter(|one| one.change.is_finite()).collect(),
    }
}

/// What a picture of quantiles shows.
pub fn shift_caption(pair: &Pair) -> String {
    let away = |one: &&Moved| one.ends.is_some_and(|(low, high)| low > 0.0 || high < 0.0);
    let quantile = percentile;
    let Some(first) = pair.shift.iter().find(away) else {
        return format!("{}: no quantile moved provably between the arms.", pair.what);
    };
    match pair.shift.iter().filter(away).count() {
        n if n == pair.shift.len() => {
            format!("{}: the whole distribution moved, from {} on.", pair.what, quantile(first.q))
        }
        _ => format!("{}: not all quantiles moved; the first that did is {}.", pair.what, quantile(first.q)),
    }
}

/// A change as it is printed.
pub fn signed(change: f64, unit: &str) -> String {
    format!("{change:+.1}\u{a0}{unit}")
}
