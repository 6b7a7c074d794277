//! The findings as rows: worst first, their numbers as they are drawn against the bound.
//!
//! Not here: how a verdict is reached (`judge`), what a row looks like (`html::table`, `terminal`, `junit`).

use crate::judge::account::Account;
use crate::judge::finding::{Finding, FindingKind, Verdict};
use crate::plan::threshold::{Level, Unit};
use crate::report::words;

/// One finding as a row.
#[derive(Debug)]
pub struct Check {
    /// Its id, fit to be shown.
    pub id: String,
    /// What sort.
    pub kind: FindingKind,
    /// How much it counts: `hard`, `must`, `should`, `info`.
    pub level: &'static str,
    /// Its verdict as it counts: a `should` that fails warns.
    pub verdict: Verdict,
    /// Why, as a word of the closed set.
    pub reason: &'static str,
    /// What it is about.
    pub subject: String,
    /// What was demanded.
    pub expected: String,
    /// What was seen.
    pub observed: String,
    /// What to do next; empty when there is nothing to do.
    pub next: String,
    /// Where it is written; empty for built-in ones.
    pub source: String,
    /// The numbers, for drawing.
    pub dot: Option<Dot>,
    /// Arrivals in scope, and how many of them are independent.
    pub n: String,
}

/// A value with its interval against its bound, all in one unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dot {
    /// The estimate.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end; `None`: unbounded.
    pub high: Option<f64>,
    /// What it is compared with.
    pub bound: f64,
    /// The unit.
    pub unit: Unit,
}

/// The findings of `account`, worst first; equals in their own order; what is only for information last.
pub fn of(account: &Account) -> Vec<Check> {
    let mut checks: Vec<Check> = account.findings.iter().map(check).collect();
    checks.sort_by_key(|check| (check.level == level(Level::Info), std::cmp::Reverse(check.verdict)));
    checks
}

/// The word of a level.
pub fn level(level: Level) -> &'static str {
    match level {
        Level::Hard => "hard",
        Level::Must => "must",
        Level::Should => "should",
        Level::Info => "info",
    }
}

/// The verdict as it counts for the run.
pub fn counted(finding: &Finding) -> Verdict {
    match (finding.level, finding.verdict) {
        (Level::Should, Verdict::Fail) => Verdict::Warn,
        (_, verdict) => verdict,
    }
}

/// The row of one finding.
pub fn check(finding: &Finding) -> Check {
    let evidence = &finding.evidence;
    let n_eff = evidence.n_eff.filter(|n| n.is_finite() && *n >= 0.0);
    Check {
        id: words::name(&finding.id),
        kind: finding.kind,
        level: level(finding.level),
        verdict: counted(finding),
        reason: finding.reason.word(),
        subject: words::text(&finding.subject),
        expected: words::text(&finding.expected),
        observed: words::text(&finding.observed),
        next: words::text(&finding.next),
        source: finding
            .source
            .as_ref()
            .filter(|place| !place.file.is_empty())
            .map_or_else(String::new, |place| format!("{}:{}", words::name(&place.file), place.line)),
        dot: dot(finding),
        n: match (evidence.n, n_eff) {
            (0, _) => String::new(),
            (n, Some(n_eff)) => format!("n\u{a0}{} · n_eff\u{a0}{}", words::count(n), words::value(n_eff, Unit::Count)),
            (n, None) => format!("n\u{a0}{}", words::count(n)),
        },
    }
}

fn dot(finding: &Finding) -> Option<Dot> {
    let evidence = &finding.evidence;
    let value = evidence.value.filter(|value| value.is_finite())?;
    let bound = evidence.bound.filter(|bound| bound.is_finite())?;
    let low = evidence.low.filter(|low| low.is_finite());
    let high = evidence.high.filter(|high| high.is_finite());
    let high = if low.is_some() { high } else { Some(value) };
    Some(Dot { value, low: low.unwrap_or(value), high, bound, unit: evidence.unit })
}
