//! Checks hold, fail, or cannot be told; never do they pass on nothing.

#![expect(clippy::float_cmp, reason = "these values are exact")]

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::judge::estimate;
use crate::judge::tests::{answers, check, failures, second};
use crate::judge::window::stretches;
use crate::measure::interval::Health;
use crate::measure::outcome::Class;
use crate::measure::sample::StepId;
use crate::plan::threshold::{ClockKind, Cmp, Ground, Lean, Margin, Outcomes, Scope, Statuses};

fn judged(check: &Threshold, seconds: &[Interval], profile: Profile) -> (Verdict, Reason) {
    let decision = decide(check, seconds, &[], profile);
    (decision.verdict, decision.reason)
}

fn both(check: &Threshold, seconds: &[Interval]) -> [(Verdict, Reason); 2] {
    [judged(check, seconds, Profile::Ci), judged(check, seconds, Profile::Drill)]
}

fn steady(length: u32, total: u64, failed: u64, took_us: u64) -> Vec<Interval> {
    (0..length).map(|n| second(n, total, failed, took_us)).collect()
}

fn subjects() -> impl Strategy<Value = Subject> {
    let limit = Duration::from_millis(5);
    prop_oneof![
        (0.01_f64..0.999).prop_map(Subject::Quantile),
        (0.01_f64..0.999).prop_map(Subject::Lateness),
        prop::sample::select(vec![
            Subject::Mean,
            Subject::Max,
            Subject::Min,
            Subject::Errors,
            Subject::Timeouts,
            Subject::Shed,
            Subject::Slow(limit),
            Subject::Offered,
            Subject::Achieved,
            Subject::AchievedShare,
            Subject::Goodput,
            Subject::Requests,
        ]),
    ]
}

prop_compose! {
    fn checks()(
        subject in subjects(),
        cmp in prop::sample::select(vec![Cmp::Less, Cmp::AtMost, Cmp::More, Cmp::AtLeast]),
        bound in prop_oneof![Just(0.0), 0.0_f64..1.0, 0.0_f64..1e7],
        window in prop_oneof![
            Just(Window::Whole),
            (1_u64..20).prop_map(|s| Window::Over(Duration::from_secs(s))),
            (1_u64..20).prop_map(|s| Window::For(Duration::from_secs(s))),
            (0.0_f64..1.0, 1_u64..20).prop_map(|(p, s)| Window::In(p, Duration::from_secs(s))),
        ],
        outcome in prop::sample::select(vec![Outcomes::Any, Outcomes::Ok, Outcomes::Failed]),
        clock in prop::sample::select(vec![ClockKind::Response, ClockKind::Service]),
        abort in prop::option::of(1_u32..5),
        n_least in prop::option::of(0_u64..100),
    ) -> Threshold {
        let scope = Scope { outcome, clock, ..Scope::default() };
        Threshold { scope, window, abort, n_least, ..check(subject, cmp, bound) }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_check_passes_on_no_data(check in checks(), length in 0_u32..70) {
        let silent: Vec<Interval> = (0..length).map(Interval::at).collect();
        for profile in [Profile::Ci, Profile::Drill] {
            prop_assert_eq!(judged(&check, &silent, profile), (Verdict::Inconclusive, Reason::NoData));
        }
    }

    #[test]
    fn no_check_passes_on_a_phase_that_never_came(check in checks()) {
        let scope = Scope { phases: vec!["fault:never".into()], ..check.scope.clone() };
        let check = Threshold { scope, ..check };
        let seconds = steady(60, 50, 0, 1_000);
        prop_assert_eq!(both(&check, &seconds), [(Verdict::Inconclusive, Reason::NoData); 2]);
    }

    #[test]
    fn numbers_in_a_finding_are_finite_and_the_interval_holds_the_value(
        check in checks(), total in 1_u64..60, bad in 0_u64..60, took in 1_u64..1_000_000, length in 1_u32..70,
    ) {
        let seconds = steady(length, total, bad.min(total), took);
        for profile in [Profile::Ci, Profile::Drill] {
            let decision = decide(&check, &seconds, &[], profile);
            let finding = finding(&check, &decision, &["a".to_owned()]);
            let evidence = finding.evidence;
            for number in [evidence.value, evidence.low, evidence.high, evidence.n_eff, evidence.deff].into_iter().flatten() {
                prop_assert!(number.is_finite(), "{:?}", decision);
            }
            if let (Some(low), Some(value)) = (evidence.low, evidence.value) {
                prop_assert!(low <= value + 1e-9 && evidence.high.is_none_or(|high| value <= high + 1e-9), "{decision:?}");
            }
            prop_assert!(!finding.observed.is_empty() && !finding.expected.is_empty() && !finding.next.is_empty());
            if profile == Profile::Drill && decision.verdict == Verdict::Pass && check.window == Window::Whole {
                prop_assert!(decision.estimate.is_some_and(|one| check.cmp.holds(one.value, check.bound)));
            }
        }
    }
}

#[test]
fn fast_failures_do_not_make_a_percentile_good() {
    // 2 % of the connections drop at once, the other answers take 1 ms.
    let seconds = steady(60, 100, 2, 1_000);
    let p99 = check(Subject::Quantile(0.99), Cmp::Less, 250_000.0);
    assert_eq!(both(&p99, &seconds), [(Verdict::Fail, Reason::Unanswered); 2]);
    let p95 = check(Subject::Quantile(0.95), Cmp::Less, 250_000.0);
    assert_eq!(both(&p95, &seconds), [(Verdict::Pass, Reason::Within); 2]);
    let answered = Threshold { scope: Scope { outcome: Outcomes::Ok, ..Scope::default() }, ..p99.clone() };
    assert_eq!(both(&answered, &seconds).map(|(verdict, _)| verdict), [Verdict::Pass; 2]);
    let finding = finding(&p99, &decide(&p99, &seconds, &[], Profile::Ci), &[]);
    assert_eq!(finding.observed, "2 % of 6000 arrivals were never answered");
    assert_eq!((finding.evidence.value, finding.evidence.n), (None, 6_000));
}

/// Twelve batches of 500 arrivals; so many of each take at most 1 ms, the others 2 ms.
fn twelve_batches() -> Vec<Interval> {
    let counted = [478, 481, 470, 476, 483, 465, 472, 479, 474, 480, 468, 474];
    (0..120_u32)
        .map(|n| {
            let mut interval = Interval::at(n);
            let cell = interval.steps.entry(StepId(0)).or_default();
            let quick: u64 = if n % 10 == 0 { counted[n as usize / 10] } else { 0 };
            answers(cell, quick, 1_000, 0);
            answers(cell, if n % 10 == 1 { 500 - counted[n as usize / 10] } else { 0 }, 2_000, 0);
            interval
        })
        .collect()
}

#[test]
fn the_interval_of_a_percentile_is_the_worked_example() {
    let seconds = twelve_batches();
    let decision = decide(&check(Subject::Quantile(0.95), Cmp::Less, 1_500.0), &seconds, &[], Profile::Ci);
    let estimate = decision.estimate.unwrap();
    assert_eq!((estimate.value, estimate.n), (1_000.0, 6_000));
    assert_eq!(format!("{:.5} {:.2}", estimate.deff.unwrap(), estimate.n_eff.unwrap()), "1.28612 4665.18");
    // q + h = 0.957 lies among the 5 % that take 2 ms, q - h = 0.943 among the others.
    assert_eq!(estimate.interval, Some((1_000.0, 2_000.0)));
    assert_eq!((decision.verdict, decision.reason), (Verdict::Pass, Reason::Within));
}

#[test]
fn in_between_is_a_warning_in_ci_and_decided_by_value_in_a_drill() {
    let seconds = twelve_batches();
    // 5 % take 2 ms: p96 = 2 ms, the interval reaches down to 1 ms.
    let above = check(Subject::Quantile(0.955), Cmp::Less, 1_500.0);
    assert_eq!(both(&above, &seconds), [(Verdict::Warn, Reason::Marginal), (Verdict::Fail, Reason::Marginal)]);
    let below = check(Subject::Quantile(0.95), Cmp::Less, 1_500.0);
    assert_eq!(both(&below, &seconds), [(Verdict::Pass, Reason::Within), (Verdict::Pass, Reason::Marginal)]);
    let proven = check(Subject::Quantile(0.99), Cmp::Less, 1_500.0);
    assert_eq!(both(&proven, &seconds), [(Verdict::Fail, Reason::Beyond); 2]);
}

#[test]
fn few_samples_can_prove_a_disaster_but_never_a_pass() {
    let p99 = check(Subject::Quantile(0.99), Cmp::Less, 250_000.0);
    let good = steady(60, 5, 0, 1_000);
    assert_eq!(both(&p99, &good), [(Verdict::Inconclusive, Reason::FewSamples); 2]);
    let bad = steady(60, 5, 0, 900_000);
    assert_eq!(both(&p99, &bad), [(Verdict::Fail, Reason::Beyond); 2]);
    let dead = steady(4, 5, 5, 1_000);
    assert_eq!(both(&p99, &dead), [(Verdict::Fail, Reason::Unanswered); 2]);
    let errors = check(Subject::Errors, Cmp::Less, 0.001);
    assert_eq!(both(&errors, &steady(60, 5, 0, 1_000)), [(Verdict::Inconclusive, Reason::FewSamples); 2]);
    assert_eq!(both(&errors, &steady(60, 5, 1, 1_000)), [(Verdict::Fail, Reason::Beyond); 2]);
    let stated = Threshold { n_least: Some(300), ..p99.clone() };
    // 300 arrivals do not limit p99 from above: a drill says so, and passes by value.
    assert_eq!(both(&stated, &good), [(Verdict::Pass, Reason::Within), (Verdict::Pass, Reason::Marginal)]);
    let more = Threshold { n_least: Some(301), ..p99 };
    assert_eq!(both(&more, &good), [(Verdict::Inconclusive, Reason::FewSamples); 2]);
}

#[test]
fn every_subject_reads_what_it_says() {
    let seconds: Vec<Interval> = (0..60).map(|n| second(n, 100, 4, 2_000)).collect();
    let at = |subject| estimate_of(subject, &seconds);
    assert_eq!(at(Subject::Quantile(0.5)), 2_020.0);
    assert_eq!(at(Subject::Mean), 2_020.0);
    assert_eq!((at(Subject::Max), at(Subject::Min)), (f64::INFINITY, 2_020.0));
    assert_eq!((at(Subject::Errors), at(Subject::Timeouts), at(Subject::Shed)), (0.04, 0.0, 0.0));
    assert_eq!(at(Subject::Slow(Duration::from_millis(1))), 1.0);
    assert_eq!(at(Subject::Slow(Duration::from_millis(3))), 0.04);
    assert_eq!((at(Subject::Offered), at(Subject::Achieved), at(Subject::Goodput)), (100.0, 100.0, 96.0));
    assert_eq!((at(Subject::AchievedShare), at(Subject::Requests)), (1.0, 6_000.0));
    assert_eq!(at(Subject::Lateness(0.99)), 20.0);
}

fn estimate_of(subject: Subject, seconds: &[Interval]) -> f64 {
    decide(&check(subject, Cmp::Less, 1.0), seconds, &[], Profile::Ci).estimate.unwrap().value
}

#[test]
fn a_dead_target_fails_and_a_single_good_answer_is_more_than_none() {
    let answered = check(Subject::Goodput, Cmp::More, 0.0);
    assert_eq!(both(&answered, &steady(3, 10, 10, 1_000)), [(Verdict::Fail, Reason::Beyond); 2]);
    assert_eq!(both(&answered, &steady(3, 10, 9, 1_000)), [(Verdict::Pass, Reason::Within); 2]);
}

/// A minute of 1 ms answers, with 400 ms ones in seconds 30 to 34.
fn hump() -> Vec<Interval> {
    (0..60).map(|n| second(n, 50, 0, if (30..35).contains(&n) { 400_000 } else { 1_000 })).collect()
}

#[test]
fn windows_decide_by_value_and_name_the_worst() {
    let p95 = |window| Threshold { window, ..check(Subject::Quantile(0.95), Cmp::Less, 250_000.0) };
    let secs = Duration::from_secs;
    for (window, verdict, said) in [
        (Window::Over(secs(10)), Verdict::Fail, "worst 10 s: 400 ms from 21 s to 31 s"),
        (Window::For(secs(5)), Verdict::Fail, "longest violation 5 s, 5 s are too many; worst second: 400 ms"),
        (Window::For(secs(6)), Verdict::Pass, "longest violation 5 s, 6 s are too many; worst second: 400 ms"),
        (Window::In(0.9, secs(5)), Verdict::Pass, "held in 11 of 12 windows of 5 s (91.7 %); worst: 400 ms"),
        (Window::In(0.95, secs(5)), Verdict::Fail, "held in 11 of 12 windows of 5 s (91.7 %); worst: 400 ms"),
    ] {
        for profile in [Profile::Ci, Profile::Drill] {
            let decision = decide(&p95(window), &hump(), &[], profile);
            assert_eq!((decision.verdict, decision.said.as_str()), (verdict, said));
        }
    }
    let long = p95(Window::Over(secs(61)));
    assert_eq!(both(&long, &hump()), [(Verdict::Inconclusive, Reason::NotEvaluated); 2]);
    let abort = Threshold { abort: Some(3), ..long };
    assert_eq!(both(&abort, &hump()), [(Verdict::Warn, Reason::NotEvaluated); 2]);
}

#[test]
fn an_arrival_counts_in_its_phase_and_after_drops_the_beginning() {
    use crate::judge::account::{Band, BandKind};
    let mut seconds = hump();
    failures(seconds[0].steps.entry(StepId(0)).or_default(), 50, 1_000);
    let phase = |name: &str, from_s, to_s| Band { name: name.into(), kind: BandKind::Phase, from_s, to_s };
    let bands = stretches(&[phase("warmup", 0.0, 5.0), phase("steady", 5.0, 60.0)]);
    let errors = check(Subject::Errors, Cmp::AtMost, 0.0);
    assert_eq!(decide(&errors, &seconds, &bands, Profile::Ci).verdict, Verdict::Pass);
    assert_eq!(decide(&errors, &seconds, &[], Profile::Ci).verdict, Verdict::Fail);
    let later = Threshold { after: Duration::from_secs(1), ..errors };
    let decision = decide(&later, &seconds, &[], Profile::Ci);
    assert_eq!((decision.verdict, decision.window_s), (Verdict::Pass, (1.0, 60.0)));
}

#[test]
fn a_launch_passes_only_when_it_is_proven() {
    let seconds = steady(60, 1_000, 10, 2_000);
    let errors = |bound| judged(&check(Subject::Errors, Cmp::Less, bound), &seconds, Profile::Launch);
    assert_eq!(errors(0.05), (Verdict::Pass, Reason::Within));
    assert_eq!(errors(0.010_2), (Verdict::Fail, Reason::Marginal), "inside, but not proven");
    assert_eq!(errors(0.001), (Verdict::Fail, Reason::Beyond));
    let thin = judged(&check(Subject::Errors, Cmp::Less, 0.05), &steady(3, 10, 0, 2_000), Profile::Launch);
    assert_eq!(thin, (Verdict::Inconclusive, Reason::FewSamples));
}

#[test]
fn apdex_counts_answers_in_time_whole_and_tolerated_ones_half() {
    let mut interval = Interval::at(0);
    let cell = interval.steps.entry(StepId(0)).or_default();
    answers(cell, 60, 400_000, 0);
    answers(cell, 20, 1_900_000, 0);
    answers(cell, 10, 2_100_000, 0);
    failures(cell, 10, 1_000);
    let apdex = estimate::point(Subject::Apdex(Duration::from_millis(500)), &Scope::default(), &[&interval]).unwrap();
    assert_eq!((apdex.value, apdex.n), (0.70, 100));
    let long: Vec<Interval> = (0..60).map(|n| Interval { second: n, ..interval.clone() }).collect();
    let better = check(Subject::Apdex(Duration::from_millis(500)), Cmp::More, 0.75);
    assert_eq!(judged(&better, &long, Profile::Ci), (Verdict::Fail, Reason::Beyond));
    let said = finding(&better, &decide(&better, &long, &[], Profile::Ci), &[]);
    assert_eq!((said.expected.as_str(), said.evidence.value), ("apdex(500ms) > 0.75", Some(0.70)));
}

#[test]
fn a_status_narrows_the_failures_and_never_the_arrivals() {
    let seconds = steady(60, 100, 10, 1_000);
    let errors = |pattern: &str, is_negated| {
        let statuses = vec![Statuses { pattern: pattern.into(), is_negated }];
        let scope = Scope { statuses, ..Scope::default() };
        estimate::point(Subject::Errors, &scope, &seconds.iter().collect::<Vec<_>>()).unwrap().value
    };
    assert_eq!([errors("5xx", false), errors("503", false), errors("504", false)], [0.1, 0.1, 0.0]);
    assert_eq!([errors("5xx", true), errors("504", true)], [0.0, 0.1]);
    let mut shed = Interval::at(0);
    shed.steps.entry(StepId(0)).or_default().classes.add(Class::Shed, 5);
    let other = Scope { statuses: vec![Statuses { pattern: "503".into(), is_negated: true }], ..Scope::default() };
    assert_eq!(estimate::point(Subject::Errors, &other, &[&shed]).unwrap().value, 1.0, "what was shed has no status");
}

#[test]
fn the_busiest_worker_is_the_generators_processor() {
    let mut seconds = steady(20, 50, 0, 1_000);
    for one in &mut seconds {
        one.health.insert(1, Health { cpu_us: 700_000, ..Health::default() });
    }
    let cpu = |bound| judged(&check(Subject::GeneratorCpu, Cmp::Less, bound), &seconds, Profile::Ci);
    assert_eq!((cpu(0.71).0, cpu(0.70).0), (Verdict::Pass, Verdict::Fail));
}

#[test]
fn a_bound_that_leans_on_steady_is_its_upper_limit_and_the_margin() {
    let stretch = |name: &str, from, to| Stretch { name: name.into(), from, to };
    let stretches = [stretch("steady", 0, 120), stretch("fault:pay", 60, 80)];
    let slow = |n: u32| second(n, 200, 0, if (60..80).contains(&n) { 25_000 } else { 20_000 });
    let seconds: Vec<Interval> = (0..120).map(slow).collect();
    let lean = |slack, on| Some(Lean { on, margin: Margin { slack, least_us: None } });
    let scope = Scope { phases: vec!["fault:pay".into()], ..Scope::default() };
    let mean = |slack| Threshold {
        lean: lean(slack, Ground::Steady),
        scope: scope.clone(),
        ..check(Subject::Mean, Cmp::AtMost, f64::NAN)
    };
    let said = |slack| {
        let (check, refused) = resolved(&mean(slack), &seconds, &stretches, Profile::Ci).unwrap();
        assert_eq!(refused, None);
        (decide(&check, &seconds, &stretches, Profile::Ci).verdict, words::demand(&check))
    };
    assert_eq!(said(0.10), (Verdict::Fail, "mean <= steady +10 %, which is 22 ms".to_owned()));
    assert_eq!(said(0.30).0, Verdict::Pass);
    let nothing = resolved(&mean(0.1), &seconds[60..80], &stretches, Profile::Ci).unwrap().1.unwrap();
    assert_eq!((nothing.verdict, nothing.reason), (Verdict::Inconclusive, Reason::NoData));
    let few = resolved(&mean(0.1), &seconds[..4], &stretches, Profile::Ci).unwrap().1.unwrap();
    assert_eq!((few.verdict, few.reason), (Verdict::Inconclusive, Reason::FewSamples));
    assert!(
        resolved(&Threshold { lean: lean(0.1, Ground::Anchor), ..mean(0.1) }, &seconds, &stretches, Profile::Ci)
            .is_none()
    );
}
