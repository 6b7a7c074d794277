//! Faults with a known truth: when users were back, and how long they had nothing.

use super::super::finding::{Reason, Verdict};
use super::super::window::Stretch;
use super::*;
use crate::judge::tests::{answers, check, second};
use crate::measure::sample::StepId;
use crate::plan::threshold::Cmp;

const RATE: u64 = 200;

/// A run of 150 s: 40 s calm at about 20 ms, a fault of 300 ms from 40 s for 20 s, a backlog until `back`, then calm.
fn run(back: u32) -> Vec<Interval> {
    (0..150).map(|n| spread(n, if (40..back).contains(&n) { 300_000 } else { 0 })).collect()
}

/// A second whose answers take 20 to 22 ms, and so much more.
fn spread(n: u32, more_us: u64) -> Interval {
    let mut interval = second(n, 0, 0, 0);
    let cell = interval.steps.entry(StepId(0)).or_default();
    for one in 0..RATE {
        answers(cell, 1, 20_000 + (one * 37 + u64::from(n) * 11) % RATE * 10 + more_us, 20);
    }
    interval.flow.good = RATE;
    interval
}

fn steady(to: u32) -> Vec<Stretch> {
    vec![Stretch { name: STEADY.into(), from: 0, to }]
}

fn fault(injected_s: f64, healed_s: Option<f64>) -> Vec<Fault> {
    vec![Fault { name: "db".into(), injected_s, healed_s }]
}

fn judged(subject: Subject, bound_s: f64, seconds: &[Interval], fault: Vec<Fault>) -> (Verdict, Reason, Option<f64>) {
    let mut stretches = steady(150);
    let went = read(fault, seconds, &mut stretches);
    let check = check(subject, Cmp::Less, bound_s * 1e6);
    let known = went.first().and_then(|(fault, course)| Some((fault, course.as_ref()?)));
    let decision = decide(&check, known);
    (decision.verdict, decision.reason, decision.estimate.map(|one| one.value / 1e6))
}

#[test]
fn a_backlog_that_drains_twelve_seconds_after_the_healing_is_a_recovery_of_twelve() {
    let seconds = run(72);
    let (verdict, reason, value) = judged(Subject::Recovery, 20.0, &seconds, fault(40.0, Some(60.0)));
    assert_eq!((verdict, reason), (Verdict::Pass, Reason::Within));
    assert!((value.unwrap() - 12.0).abs() <= 1.0, "{value:?}");
    assert_eq!(judged(Subject::Recovery, 10.0, &seconds, fault(40.0, Some(60.0))).0, Verdict::Fail);
    // An acknowledgement that comes 2 s later moves the clock by 2 s.
    let late = judged(Subject::Recovery, 20.0, &seconds, fault(40.0, Some(62.0))).2.unwrap();
    assert!((value.unwrap() - late - 2.0).abs() < 1e-9, "{late}");
}

#[test]
fn a_fault_has_two_stretches_of_its_own() {
    let seconds = run(72);
    let mut stretches = steady(150);
    read(fault(40.4, Some(60.2)), &seconds, &mut stretches);
    let named = |name: &str| stretches.iter().find(|one| one.name == name).map(|one| (one.from, one.to)).unwrap();
    assert_eq!(named("fault:db"), (40, 61), "it keeps its first and its last second");
    assert_eq!(named("recovery:db"), (61, 72));
    let mut two = steady(150);
    let later = Fault { name: "later".into(), injected_s: 65.0, healed_s: None };
    read(fault(40.0, Some(60.0)).into_iter().chain([later]).collect(), &seconds, &mut two);
    assert_eq!(two.iter().find(|one| one.name == "recovery:db").map(|one| one.to), Some(65), "the next fault ends it");
}

#[test]
fn what_never_comes_back_fails_and_what_was_seen_too_short_is_undecided() {
    let never = judged(Subject::Recovery, 600.0, &run(150), fault(40.0, Some(60.0)));
    assert_eq!(never, (Verdict::Fail, Reason::Censored, None));
    let short: Vec<Interval> = run(72).into_iter().take(90).collect();
    let open = judged(Subject::Recovery, 600.0, &short, fault(40.0, Some(60.0)));
    assert_eq!(open, (Verdict::Inconclusive, Reason::FewSamples, None));
    let unhealed = judged(Subject::Recovery, 600.0, &run(72), fault(40.0, None));
    assert_eq!(unhealed, (Verdict::Fail, Reason::Censored, None));
}

#[test]
fn no_fault_and_no_calm_say_nothing() {
    let nothing = (Verdict::Inconclusive, Reason::NoData, None);
    assert_eq!(judged(Subject::Recovery, 20.0, &run(72), Vec::new()), nothing);
    assert_eq!(
        judged(Subject::Recovery, 20.0, &run(72), fault(0.0, Some(60.0))),
        nothing,
        "nothing was calm before it"
    );
    assert_eq!(judged(Subject::Unavailable, 20.0, &[], fault(40.0, Some(60.0))), nothing);
}

#[test]
fn unavailable_counts_the_seconds_with_less_than_half_of_the_steady_goodput() {
    let mut seconds = run(40);
    for one in &mut seconds[45..52] {
        one.flow.good = RATE / 2 - 1;
    }
    seconds[55].flow.good = RATE / 2;
    // A dip long after the recovery belongs to nobody.
    seconds[140].flow.good = 0;
    let (verdict, _, value) = judged(Subject::Unavailable, 8.0, &seconds, fault(40.0, Some(60.0)));
    assert_eq!((verdict, value), (Verdict::Pass, Some(7.0)));
    assert_eq!(judged(Subject::Unavailable, 7.0, &seconds, fault(40.0, Some(60.0))).0, Verdict::Fail);
}

#[test]
fn one_bad_second_at_its_start_does_not_hide_in_a_good_window() {
    // A window of 30 s forgives a first second of which half failed; the second itself does not.
    let mut seconds = run(60);
    seconds[60] = second(60, RATE, RATE / 2, 20_000);
    let (.., value) = judged(Subject::Recovery, 20.0, &seconds, fault(40.0, Some(60.0)));
    assert_eq!(value, Some(1.0));
}
