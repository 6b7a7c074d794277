//! The findings of lines against earlier runs: numbers in words, and what to do next.

use super::super::calibration::Power;
use super::super::finding::{Evidence, Finding, FindingKind, Reason, Verdict};
use super::super::fingerprint::Difference;
use super::super::words::{about, advice, margin};
use super::compare::{Asked, Earlier, Outcome, Rules, shown};
use crate::plan::threshold::{Ground, Unit};

/// The finding of `asked`, which came to that.
pub(super) fn finding(
    asked: &Asked<'_>,
    (verdict, reason): (Verdict, Reason),
    steps: &[String],
    (earlier, rules): (&Earlier, &Rules),
) -> Finding {
    let check = asked.check;
    let other = match (asked.on, earlier.is_single) {
        (Ground::Anchor, _) => "the last release".to_owned(),
        (_, true) => "one earlier run".to_owned(),
        _ => "accepted runs".to_owned(),
    };
    let slack = check.lean.map(|lean| margin(lean.margin, check.subject)).unwrap_or_default();
    let mut observed = observed(asked, earlier);
    if !earlier.let_through.is_empty() {
        observed = format!("{observed}; let through: {}", differences(&earlier.let_through));
    }
    Finding {
        id: check.id.clone(),
        kind: FindingKind::Comparison,
        level: check.level,
        verdict,
        reason,
        subject: format!("{} against {other}", about(check, steps)),
        expected: format!("{} {slack}", check.cmp.sign()),
        observed,
        next: next(asked, reason, rules),
        source: (check.place.line > 0).then(|| check.place.clone()),
        evidence: evidence(asked),
    }
}

fn evidence(asked: &Asked<'_>) -> Evidence {
    let (value, bound, n) = match &asked.outcome {
        Outcome::History(seen, k) => (Some(shown(asked, seen.change)), Some(shown(asked, limit(seen))), *k as u64),
        Outcome::Single(change, _) => (Some(shown(asked, *change)), asked.check.lean.map(|lean| lean.margin.slack), 1),
        _ => (None, None, 0),
    };
    Evidence { value, bound, n, unit: Unit::Ratio, ..Evidence::nothing() }
}

/// How far above the mean the limit lies.
fn limit(seen: &super::Prediction) -> f64 {
    seen.limit - seen.mean
}

/// `+8.2 %`, `-1.50 pp`.
fn percent(asked: &Asked<'_>, change: f64) -> String {
    let value = shown(asked, change) * 100.0;
    if asked.check.subject.is_share() { format!("{value:+.2} pp") } else { format!("{value:+.1} %") }
}

fn observed(asked: &Asked<'_>, earlier: &Earlier) -> String {
    match &asked.outcome {
        Outcome::NoData => "nothing was measured in this scope, here or there".to_owned(),
        Outcome::Silent => "the value lies among the unanswered arrivals".to_owned(),
        Outcome::Foreign => format!("not compared: {}", differences(&earlier.refused)),
        Outcome::TooFew(_) if asked.on == Ground::Anchor => "no run was accepted as an anchor".to_owned(),
        Outcome::TooFew(_) => format!("only {} accepted runs", earlier.runs.len()),
        Outcome::Single(change, _) => percent(asked, *change),
        Outcome::History(seen, k) => format!(
            "{}; {k} accepted runs explain up to {}; this gate cannot see less than {}",
            percent(asked, seen.change),
            percent(asked, limit(seen)),
            percent(asked, seen.detectable),
        ),
    }
}

/// `cores: 4 there, 8 here; kernel: …`.
pub(super) fn differences(all: &[Difference]) -> String {
    let one = |one: &Difference| format!("{}: {} there, {} here", one.field, one.baseline, one.candidate);
    all.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn next(asked: &Asked<'_>, reason: Reason, rules: &Rules) -> String {
    match (&asked.outcome, reason) {
        (Outcome::TooFew(_), _) if asked.on == Ground::Anchor => {
            "accept the last release's run with `squall baseline accept RUN --anchor`".to_owned()
        }
        (Outcome::TooFew(more), _) => {
            format!("accept {more} more runs of this plan on this machine with `squall baseline accept`")
        }
        (Outcome::History(seen, _), Reason::Uncalibrated) if seen.sd <= 0.0 && rules.power == Power::Block => {
            "the accepted runs show no noise at all: let `squall gate calibrate` measure it".to_owned()
        }
        _ => advice(reason).to_owned(),
    }
}
