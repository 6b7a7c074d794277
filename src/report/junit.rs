//! `junit.xml`: one suite per kind of finding. It never decides a job: the exit code does.
//!
//! Names hold no measured value and are unique; texts are escaped and free of control characters; at most 2 000 cases and
//! 1 MiB. Not here: rounding and order (`view`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::view::View;
use super::view::checks::Check;
use super::{words, xml::escape};
use crate::judge::account::Account;
use crate::judge::finding::{FindingKind, Verdict};
use crate::measure::outcome::Class;

const MOST_CASES: usize = 2_000;
/// Where no further case is begun; together with the largest case this stays under 1 MiB.
const MOST_BYTES: usize = 1_000_000;
const ANSWERED: &str = "squall.answered";

/// A test case.
struct Case {
    suite: &'static str,
    name: String,
    verdict: Verdict,
    text: String,
    seconds: f64,
}

/// The file.
pub fn render(account: &Account, view: &View) -> String {
    let mut suites: BTreeMap<&'static str, Vec<Case>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for case in cases(account, view) {
        if seen.insert((case.suite, case.name.clone())) {
            suites.entry(case.suite).or_default().push(case);
        }
    }
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(text, "<testsuites name=\"{}\">", escape(&words::name(&account.facts.name)));
    let (mut left, mut dropped) = (MOST_CASES, 0);
    for (suite, cases) in &suites {
        let fits = cases.len().min(left);
        left -= fits;
        let (body, written) = body(suite, &cases[..fits], text.len());
        dropped += cases.len() - written;
        let cases = &cases[..written];
        let of = |verdict: Verdict| cases.iter().filter(|case| case.verdict == verdict).count();
        let _ = writeln!(
            text,
            "  <testsuite name=\"squall.{suite}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
            cases.len(),
            of(Verdict::Fail),
            of(Verdict::Invalid),
            of(Verdict::Inconclusive)
        );
        text.push_str(&body);
        text.push_str("  </testsuite>\n");
    }
    if dropped > 0 {
        let _ = writeln!(text, "  <!-- {dropped} more cases are in result.json -->");
    }
    text.push_str("</testsuites>\n");
    text
}

/// The cases of a suite as XML, and how many of them fit.
fn body(suite: &str, cases: &[Case], before: usize) -> (String, usize) {
    let mut body = String::new();
    for (n, case) in cases.iter().enumerate() {
        if before + body.len() > MOST_BYTES {
            return (body, n);
        }
        push(&mut body, suite, case);
    }
    (body, cases.len())
}

fn push(text: &mut String, suite: &str, case: &Case) {
    let name = escape(&case.name);
    let _ = write!(text, "    <testcase classname=\"squall.{suite}\" name=\"{name}\" time=\"{:.3}\"", case.seconds);
    let said = escape(&case.text);
    let element = match case.verdict {
        Verdict::Fail => "failure",
        Verdict::Invalid => "error",
        Verdict::Inconclusive => "skipped",
        Verdict::Warn => {
            let _ = writeln!(text, "><system-out>{said}</system-out></testcase>");
            return;
        }
        Verdict::Pass => {
            text.push_str("/>\n");
            return;
        }
    };
    let _ = writeln!(text, "><{element} message=\"{said}\">{said}</{element}></testcase>");
}

fn cases(account: &Account, view: &View) -> Vec<Case> {
    let windows: BTreeMap<String, f64> = account
        .findings
        .iter()
        .map(|finding| (words::name(&finding.id), finding.evidence.window_s.1 - finding.evidence.window_s.0))
        .collect();
    let mut cases: Vec<Case> =
        view.checks.iter().map(|check| of_check(check, windows.get(&check.id).copied().unwrap_or(0.0))).collect();
    if !cases.iter().any(|case| case.name == ANSWERED) {
        cases.push(answered(account));
    }
    cases
}

fn of_check(check: &Check, seconds: f64) -> Case {
    let mut text = format!("{}: {}, demanded {} ({})", check.subject, check.observed, check.expected, check.reason);
    for more in [&check.next, &check.source].into_iter().filter(|more| !more.is_empty()) {
        text.push('\n');
        text.push_str(more);
    }
    // What only informs never turns a job red.
    let verdict = if check.level == "info" { check.verdict.min(Verdict::Warn) } else { check.verdict };
    let seconds = if seconds.is_finite() { seconds.max(0.0) } else { 0.0 };
    Case { suite: check.kind.word(), name: check.id.clone(), verdict, text: words::plain(&text), seconds }
}

/// Every run says whether anything was answered, with checks or without.
fn answered(account: &Account) -> Case {
    let all = &account.totals.all;
    let good = all.classes.get(Class::Ok) + all.classes.get(Class::Slow);
    let verdict = match (all.arrivals(), good) {
        (0, _) => Verdict::Inconclusive,
        (_, 0) => Verdict::Fail,
        _ => Verdict::Pass,
    };
    Case {
        suite: FindingKind::Threshold.word(),
        name: ANSWERED.to_owned(),
        verdict,
        text: format!("{good} of {} requests were answered", all.arrivals()),
        seconds: account.totals.duration_s.max(0.0),
    }
}
