//! Was the baseline steady enough to shake the system? If not, a drill says nothing about the people or the system.
//!
//! Called by `account`. Not here: the generator's health (`validity`).

use std::time::Duration;

use super::estimate;
use super::finding::{Evidence, Finding, FindingKind, Reason, Verdict};
use super::window::span;
use super::words::{advice, quantity};
use crate::measure::interval::Interval;
use crate::measure::outcome::{Class, Classes};
use crate::plan::threshold::{Level, Scope, Subject, Unit};
use crate::stats::proportion::wilson;

/// Seconds of one window.
const WINDOW: usize = 10;
/// Least number of requests in each.
const LEAST: u64 = 50;
/// Seconds at the beginning that fill caches and connections and do not count, where the baseline is long enough.
pub const SETTLING: usize = 5;

/// What a baseline is measured by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// Share of good requests, such as 0.999; twice as many bad ones are tolerated.
    pub objective: f64,
    /// Largest p95 of the response time; `None`: any.
    pub p95: Option<Duration>,
}

/// Judges the baseline's seconds. The bad ratio counts by the lower end of its 95 % interval, so that one unlucky request of
/// a few hundred does not end a drill.
pub fn finding(seconds: &[&Interval], rules: Rules) -> Finding {
    let classes = sum(seconds);
    let (bad, n) = (classes.bad(), classes.total());
    let tolerated = 2.0 * (1.0 - rules.objective);
    let share = bad as f64 / n.max(1) as f64;
    let limits = wilson(share, n as f64, 1.96);
    let p95 = estimate::point(Subject::Quantile(0.95), &Scope::default(), seconds);
    let thin =
        seconds.chunks_exact(WINDOW).any(|window| window.iter().map(|one| one.classes().total()).sum::<u64>() < LEAST);
    let wrong = classes.get(Class::Leak) + classes.get(Class::Wrong);
    let (reason, observed) = if n == 0 {
        (Reason::NoData, "no request was due".to_owned())
    } else if thin || seconds.len() < WINDOW {
        (Reason::FewSamples, format!("{n} requests in {} s; {LEAST} in every {WINDOW} s are needed", seconds.len()))
    } else if wrong > 0 {
        (Reason::Beyond, format!("{wrong} answers held wrong or foreign data"))
    } else if limits.low > tolerated {
        (Reason::Beyond, format!("{} of {n} requests were bad", quantity(share, Unit::Ratio)))
    } else if let Some(late) = too_slow(p95.map(|one| one.value), rules.p95) {
        (Reason::Beyond, late)
    } else {
        (Reason::Within, format!("{} of {n} requests were bad", quantity(share, Unit::Ratio)))
    };
    let verdict = if reason == Reason::Within { Verdict::Pass } else { Verdict::Inconclusive };
    let limit = rules.p95.map(|limit| format!(", p95 <= {}", quantity(limit.as_secs_f64() * 1e6, Unit::Us)));
    Finding {
        id: "baseline".to_owned(),
        kind: FindingKind::Recovery,
        level: Level::Must,
        verdict,
        reason,
        subject: "steady baseline".to_owned(),
        expected: format!("bad <= {}{}", quantity(tolerated, Unit::Ratio), limit.unwrap_or_default()),
        observed,
        next: if verdict == Verdict::Pass { advice(Reason::Within) } else { NEXT }.to_owned(),
        evidence: Evidence {
            value: (n > 0).then_some(share),
            low: (n > 0).then_some(limits.low),
            high: (n > 0).then_some(limits.high),
            bound: Some(tolerated),
            unit: Unit::Ratio,
            n,
            n_eff: None,
            deff: None,
            window_s: span(seconds),
            compare: None,
        },
        source: None,
    }
}

/// Whether a window is no worse than the baseline was: steady by the same rules, or its bad ratio not provably above the baseline's
/// (the lower end of its 95 % interval at most the upper end of the baseline's), and as fast as demanded.
pub fn is_back(window: &[&Interval], baseline: &[&Interval], rules: Rules) -> bool {
    if finding(window, rules).verdict == Verdict::Pass {
        return true;
    }
    let classes = sum(window);
    let calm = sum(baseline);
    let bounds = |of: &Classes| wilson(of.bad() as f64 / of.total().max(1) as f64, of.total() as f64, 1.96);
    let p95 = estimate::point(Subject::Quantile(0.95), &Scope::default(), window);
    let wrong = classes.get(Class::Leak) + classes.get(Class::Wrong);
    classes.total() >= LEAST
        && wrong == 0
        && bounds(&classes).low <= bounds(&calm).high
        && too_slow(p95.map(|one| one.value), rules.p95).is_none()
}

/// A window in words: `0.2 % of 1000 requests bad, p95 = 24 ms`.
pub fn words(window: &[&Interval]) -> String {
    let classes = sum(window);
    if classes.total() == 0 {
        return "no request finished".to_owned();
    }
    let share = classes.bad() as f64 / classes.total() as f64;
    let p95 = match estimate::point(Subject::Quantile(0.95), &Scope::default(), window).map(|one| one.value) {
        Some(p95) if p95.is_finite() => format!("p95 = {}", quantity(p95, Unit::Us)),
        _ => "p95 never answered".to_owned(),
    };
    format!("{} of {} requests bad, {p95}", quantity(share, Unit::Ratio), classes.total())
}

fn sum(seconds: &[&Interval]) -> Classes {
    let mut classes = Classes::default();
    for one in seconds {
        classes.merge(&one.classes());
    }
    classes
}

const NEXT: &str = "let the system come to rest, or lower the rate, before the drill begins";

fn too_slow(p95: Option<f64>, limit: Option<Duration>) -> Option<String> {
    let (p95, limit) = (p95?, limit?.as_secs_f64() * 1e6);
    (p95 > limit).then(|| {
        if p95.is_finite() {
            format!("p95 = {}", quantity(p95, Unit::Us))
        } else {
            "more than 5 % of the requests were never answered".to_owned()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::tests::second;

    fn judged(per_second: u64, bad_in_first: u64, took_us: u64) -> (Verdict, Reason) {
        let seconds: Vec<Interval> =
            (0..20).map(|n| second(n, per_second, if n == 0 { bad_in_first } else { 0 }, took_us)).collect();
        let rules = Rules { objective: 0.999, p95: Some(Duration::from_millis(500)) };
        let finding = finding(&seconds.iter().collect::<Vec<_>>(), rules);
        (finding.verdict, finding.reason)
    }

    #[test]
    fn one_unlucky_request_does_not_end_a_drill_but_many_do() {
        assert_eq!(judged(5, 1, 9_000), (Verdict::Pass, Reason::Within));
        assert_eq!(judged(100, 3, 9_000), (Verdict::Pass, Reason::Within));
        assert_eq!(judged(100, 40, 9_000), (Verdict::Inconclusive, Reason::Beyond));
    }

    #[test]
    fn slow_thin_and_empty_baselines_are_not_steady() {
        assert_eq!(judged(100, 0, 600_000), (Verdict::Inconclusive, Reason::Beyond));
        assert_eq!(judged(4, 0, 9_000), (Verdict::Inconclusive, Reason::FewSamples));
        assert_eq!(judged(0, 0, 9_000), (Verdict::Inconclusive, Reason::NoData));
        let none = finding(&[], Rules { objective: 0.999, p95: None });
        assert_eq!(none.reason, Reason::NoData);
    }
}
