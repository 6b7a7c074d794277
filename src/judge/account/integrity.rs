//! Findings about the truth of the system: leaks and stale reads among the answers, and acknowledged writes read back.
//!
//! None of n is no proof of none: the upper 95 % bound 3/n stands beside it (the rule of three, Hanley & Lippman-Hand 1983).
//! Called by `account::of`. Not here: who looks at answers (`load::integrity`), who reads back (`load::audit`).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::super::finding::{Finding, FindingKind, Reason, Verdict};
use super::super::words::{advice, quantity};
use crate::measure::interval::{Cell, Interval};
use crate::measure::journal::{Event, Line};
use crate::measure::ledger::Audit;
use crate::measure::sample::StepId;
use crate::plan::load::LoadPlan;
use crate::plan::program::{Truth, requests};
use crate::plan::threshold::Unit;

/// Everything that `plan` looks at.
pub(super) fn of(plan: &LoadPlan, lines: &[Line], seconds: &[Interval]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (owned, versioned) = watched(plan);
    let texts = ["integrity.leaks", "other users' data", "in no answer"];
    findings.extend(counted(texts, "leak", &owned, seconds));
    let texts = ["integrity.stale", "stale reads", "no version older than the user's own write"];
    findings.extend(counted(texts, "stale", &versioned, seconds));
    for line in lines {
        if let Event::Audit { book, found } = &line.event {
            findings.push(audited(book, found));
        }
    }
    findings
}

/// The steps whose answers are searched for other owners' data, and those that read versions.
fn watched(plan: &LoadPlan) -> (BTreeSet<StepId>, BTreeSet<StepId>) {
    let (mut owned, mut versioned) = (BTreeSet::new(), BTreeSet::new());
    for journey in &plan.journeys {
        requests(&journey.steps, 1.0, &mut |http, _| {
            if journey.owner.is_some() {
                owned.insert(http.step);
            }
            let reads = |truth: &Truth| matches!(truth, Truth::Version(version) if version.lag.is_some());
            if http.truth.iter().any(reads) {
                versioned.insert(http.step);
            }
        });
    }
    (owned, versioned)
}

/// How many answers of `steps` were of this kind, of all that came whole.
fn counted(
    [id, subject, expected]: [&str; 3],
    kind: &str,
    steps: &BTreeSet<StepId>,
    seconds: &[Interval],
) -> Option<Finding> {
    if steps.is_empty() {
        return None;
    }
    let cells =
        || seconds.iter().flat_map(|one| &one.steps).filter(|(step, _)| steps.contains(step)).map(|(_, cell)| cell);
    let wrong: u64 = cells().filter_map(|cell| cell.errors.get(kind)).sum();
    let n: u64 = cells().map(whole).sum();
    Some(finding([id, subject, expected], (wrong, n), ""))
}

/// Answers that came whole, refused or not.
fn whole(cell: &Cell) -> u64 {
    let is_judged = |kind: &str| {
        kind.starts_with("status_")
            || kind.starts_with("check:")
            || kind.starts_with("extract:")
            || ["leak", "stale", "redirects", "not_allowed", "not_utf8"].contains(&kind)
    };
    let refused: u64 = cell.errors.iter().filter(|(kind, _)| is_judged(kind)).map(|(_, n)| n).sum();
    cell.answered() + refused
}

fn audited(book: &str, found: &Audit) -> Finding {
    let id = format!("audit.{book}");
    let mut parts = vec![format!("{} lost", found.lost), format!("{} altered", found.altered)];
    parts.extend(found.duplicated.map(|n| format!("{n} duplicated")));
    parts.push(format!("{} resurrected", found.resurrected));
    let mut text = format!(" ({})", parts.join(", "));
    if let Some((first, last)) = &found.lost_seq {
        let _ = write!(text, "; the lost lie between {first} and {last} in the target's own order");
    }
    let aside = [(found.unclear, "could not be read"), (found.unknown, "never answered: neither lost nor duplicated")];
    for (n, what) in aside.iter().filter(|(n, _)| *n > 0) {
        let _ = write!(text, "; {n} {what}");
    }
    if found.read < found.acknowledged {
        let _ = write!(text, "; {} of {} acknowledged were read back", found.read, found.acknowledged);
    }
    let subject = format!("acknowledged writes of {book}");
    let expected = "all there, once, as they were written";
    finding([&id, &subject, expected], (found.wrong(), found.read - found.unclear.min(found.read)), &text)
}

/// `wrong` of `n`: one is enough to fail, and none of none proves nothing.
fn finding([id, subject, expected]: [&str; 3], (wrong, n): (u64, u64), more: &str) -> Finding {
    let (verdict, reason) = match (wrong, n) {
        (0, 0) => (Verdict::Inconclusive, Reason::NoData),
        (0, _) => (Verdict::Pass, Reason::Within),
        _ => (Verdict::Fail, Reason::Beyond),
    };
    let at_most = (wrong == 0 && n > 0).then(|| (3.0 / n as f64).min(1.0));
    let bound = at_most.map(|most| format!(", at most {} of all", quantity(most, Unit::Ratio))).unwrap_or_default();
    let observed = format!("{wrong} of {n}{bound}{more}");
    let texts = [id, subject, expected, &observed, advice(reason)];
    let mut finding = Finding::plain(FindingKind::Threshold, texts, (verdict, reason));
    finding.evidence.value = Some(wrong as f64);
    finding.evidence.high = at_most;
    finding.evidence.bound = Some(0.0);
    finding.evidence.n = n;
    finding
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_of_n_comes_with_its_bound_and_one_is_enough() {
        let none = finding(["a", "b", "c"], (0, 3_000), "");
        assert_eq!((none.verdict, none.observed.as_str()), (Verdict::Pass, "0 of 3000, at most 0.1 % of all"));
        assert_eq!(finding(["a", "b", "c"], (1, 3_000), "").verdict, Verdict::Fail);
        assert_eq!(finding(["a", "b", "c"], (0, 0), "").verdict, Verdict::Inconclusive);
    }

    #[test]
    fn an_audit_says_what_it_found_and_what_it_could_not() {
        let lost = Audit {
            acknowledged: 900,
            read: 600,
            lost: 2,
            unclear: 1,
            unknown: 4,
            duplicated: Some(0),
            lost_seq: Some(("7".to_owned(), "9".to_owned())),
            ..Audit::default()
        };
        let finding = audited("orders", &lost);
        assert_eq!((finding.verdict, finding.id.as_str(), finding.evidence.n), (Verdict::Fail, "audit.orders", 599));
        for part in ["2 of 599", "2 lost, 0 altered, 0 duplicated", "between 7 and 9", "4 never answered", "600 of 900"]
        {
            assert!(finding.observed.contains(part), "{}", finding.observed);
        }
    }
}
