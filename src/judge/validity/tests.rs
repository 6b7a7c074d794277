//! The generator is blamed for what it did, and for nothing else.

use super::*;
use crate::judge::estimate;
use crate::judge::tests::{answers, check, second};
use crate::measure::interval::Health;
use crate::measure::outcome::Class;
use crate::measure::sample::{JourneyId, StepId};
use crate::plan::gate::Profile;
use crate::plan::threshold::{Cmp, Subject};

fn health(seconds: &[Interval], model: Model) -> (Generator, Vec<Finding>) {
    let planned = seconds.iter().map(|one| one.travel().planned).sum();
    let done = Done { planned, cpu_us: 1_000_000, max_rss_kib: 20_000, ..Done::default() };
    let stretches = [Stretch { name: "steady".into(), from: 0, to: u32::MAX }];
    of(&Run { seconds, stretches: &stretches, done: Some(&done), limits: Limits::new(model, Some(50_000.0)) })
}

fn verdict(seconds: &[Interval], id: &str) -> Verdict {
    health(seconds, Model::Open).1.iter().find(|one| one.id == id).unwrap().verdict
}

fn run(took_us: u64) -> Vec<Interval> {
    (0..60).map(|n| second(n, 100, 0, took_us)).collect()
}

/// Ten seconds of 1 000 answers of 2 ms each; during `frozen` nothing leaves until it is over.
fn frozen(frozen: std::ops::Range<u32>) -> Vec<Interval> {
    (0..10)
        .map(|n| {
            let mut interval = second(n, 0, 0, 0);
            let cell = interval.steps.entry(StepId(0)).or_default();
            for at in 0..1_000 {
                let late = if frozen.contains(&n) { 1_000_000 - at * 1_000 } else { 20 };
                answers(cell, 1, 2_000, late);
            }
            let travel = interval.journeys.entry(JourneyId(0)).or_default();
            (travel.planned, travel.started, travel.completed) = (1_000, 1_000, 1_000);
            let stall_us = if frozen.contains(&n) { 1_000_000 } else { 900 };
            interval.health.insert(0, Health { cpu_us: 100_000, stall_us, waited_us: 0, ..Health::default() });
            interval
        })
        .collect()
}

#[test]
fn a_clean_run_is_valid() {
    let (generator, findings) = health(&run(2_000), Model::Open);
    assert_eq!(generator.verdict, Verdict::Pass, "{findings:?}");
    assert_eq!((generator.lateness_p99_us, generator.stalls.len()), (Some(20), 0));
    assert!((generator.cpu_us_per_request - 1_000_000.0 / 6_000.0).abs() < 1e-9);
    assert!((generator.cpu_peak - 0.1).abs() < 1e-9);
}

#[test]
fn a_frozen_generator_makes_the_run_invalid_and_marks_its_arrivals() {
    let seconds = frozen(4..5);
    let (generator, _) = health(&seconds, Model::Open);
    assert_eq!(generator.verdict, Verdict::Invalid);
    let (second, longest_ms, touched) = generator.stalls[0];
    assert_eq!((second, longest_ms, generator.stalls.len()), (4, 1_000.0, 1));
    assert!((985..=1_000).contains(&touched), "{touched}");
    let all: Vec<&Interval> = seconds.iter().collect();
    let limits = Limits::new(Model::Open, Some(50_000.0));
    assert!(spoils(&all, limits).is_some() && spoils(&all[5..], limits).is_none());
}

#[test]
fn waiting_for_the_server_is_seen_from_due_and_not_from_sent() {
    // The generator is frozen for one second in ten: from due the tail is near a second, from sent it is not.
    let seconds = frozen(4..5);
    let all: Vec<&Interval> = seconds.iter().collect();
    let p99 = |clock| {
        let scope = Scope { clock, ..Scope::default() };
        estimate::point(Subject::Quantile(0.99), &scope, &all).unwrap().value
    };
    assert!((850_000.0..=950_000.0).contains(&p99(ClockKind::Response)), "{}", p99(ClockKind::Response));
    assert!(p99(ClockKind::Service) < 50_000.0);
    let check = check(Subject::Quantile(0.99), Cmp::Less, 250_000.0);
    let judged = |seconds: &[Interval]| {
        let decision = threshold::decide(&check, seconds, &[], Profile::Drill);
        (decision.verdict, made_by_us(&check, &decision, seconds, (&[], Profile::Drill.into())))
    };
    assert_eq!(judged(&seconds), (Verdict::Fail, true));
    assert_eq!(judged(&frozen(0..0)), (Verdict::Pass, false));
}

#[test]
fn a_frozen_server_is_not_our_fault() {
    // Requests leave on time and wait a second for their answer.
    let mut seconds = run(2_000);
    for n in 30..36 {
        seconds[n as usize] = second(n, 100, 0, 900_000);
    }
    assert_eq!(health(&seconds, Model::Open).0.verdict, Verdict::Pass);
    let check = check(Subject::Quantile(0.95), Cmp::Less, 250_000.0);
    let decision = threshold::decide(&check, &seconds, &[], Profile::Drill);
    assert_eq!(decision.verdict, Verdict::Fail);
    assert!(!made_by_us(&check, &decision, &seconds, (&[], Profile::Drill.into())));
}

#[test]
fn lateness_is_judged_by_the_tightest_bound_and_only_in_an_open_workload() {
    let late = |us: u64| -> Vec<Interval> {
        let late_second = |n| {
            let mut interval = second(n, 0, 0, 0);
            answers(interval.steps.entry(StepId(0)).or_default(), 100, 2_000, us);
            interval
        };
        (0..60).map(late_second).collect()
    };
    for (us, wanted) in [(2_000, Verdict::Pass), (4_000, Verdict::Warn), (20_000, Verdict::Invalid)] {
        assert_eq!(verdict(&late(us), "generator.lateness"), wanted, "{us}");
    }
    let closed = health(&late(20_000), Model::Closed);
    assert_eq!(closed.0.verdict, Verdict::Pass);
    assert!(closed.1[0].observed.contains("closed model: stalls reduce load"));
    assert!((Limits::new(Model::Open, None).warn_us - 1_000.0).abs() < 1e-9);
    let checks = [check(Subject::Quantile(0.9), Cmp::Less, 80_000.0), check(Subject::Max, Cmp::More, 10.0)];
    assert_eq!(tightest(&checks, &[]), Some(80_000.0));
    assert_eq!(tightest(&[], &run(2_000)), Some(2_020.0));
}

#[test]
fn shed_arrivals_blame_the_target_unless_we_were_late() {
    let mut seconds = run(2_000);
    for one in &mut seconds {
        one.steps.entry(StepId(0)).or_default().classes.add(Class::Shed, 1);
        let travel = one.journeys.entry(JourneyId(0)).or_default();
        (travel.planned, travel.shed) = (101, 1);
    }
    assert_eq!(verdict(&seconds, "generator.shed"), Verdict::Warn);
    assert_eq!(verdict(&seconds, "generator.sum"), Verdict::Pass);
    for one in &mut seconds {
        answers(one.steps.entry(StepId(0)).or_default(), 10, 2_000, 4_000);
    }
    assert_eq!(verdict(&seconds, "generator.shed"), Verdict::Invalid);
}

#[test]
fn counts_that_do_not_add_up_invalidate_the_run() {
    let mut seconds = run(2_000);
    seconds[3].journeys.entry(JourneyId(0)).or_default().started -= 1;
    assert_eq!(verdict(&seconds, "generator.sum"), Verdict::Invalid);
    let mut seconds = run(2_000);
    seconds[3].steps.entry(StepId(0)).or_default().errors.insert("local_port".into(), 1);
    assert_eq!(verdict(&seconds, "generator.exhausted"), Verdict::Invalid);
}

#[test]
fn a_busy_core_is_suspect_and_with_lateness_invalid() {
    let mut seconds = run(2_000);
    for one in &mut seconds[10..15] {
        one.health.insert(1, Health { cpu_us: 900_000, stall_us: 0, waited_us: 60_000, ..Health::default() });
    }
    for one in &mut seconds[..10] {
        one.health.insert(1, Health { cpu_us: 10_000, stall_us: 0, waited_us: 0, ..Health::default() });
    }
    assert_eq!(
        (verdict(&seconds, "generator.cpu"), verdict(&seconds, "generator.waiting")),
        (Verdict::Warn, Verdict::Warn)
    );
    for one in &mut seconds {
        answers(one.steps.entry(StepId(0)).or_default(), 10, 2_000, 4_000);
    }
    assert_eq!(verdict(&seconds, "generator.cpu"), Verdict::Invalid);
}

#[test]
fn a_stall_is_named_by_its_second_and_an_arrival_is_affected_once() {
    let mut seconds = frozen(4..6);
    for one in &mut seconds {
        one.second += 100;
    }
    let (generator, findings) = health(&seconds, Model::Open);
    let affected: u64 = generator.stalls.iter().map(|(_, _, affected)| affected).sum();
    assert_eq!((generator.stalls.len(), affected / 10), (2, 198), "{:?}", generator.stalls);
    let stall = findings.iter().find(|one| one.id == "generator.stall").unwrap();
    assert!(stall.observed.contains("t = 4 s") || stall.observed.contains("t = 5 s"), "{}", stall.observed);
    let one = health(&frozen(4..5), Model::Open).0.sentence;
    assert!(one.starts_with("stalls of the generator: stood still 1 s at t = 4 s; 99"), "{one}");
}

#[test]
fn many_shed_arrivals_do_not_make_the_lateness_limit_stricter() {
    let mut seconds = run(1_000_000);
    for one in &mut seconds {
        one.steps.get_mut(&StepId(0)).unwrap().classes.add(Class::Shed, 400);
    }
    assert!(tightest(&[], &seconds).is_some_and(|us| us > 990_000.0), "{:?}", tightest(&[], &seconds));
}

#[test]
fn a_worker_that_was_silent_for_some_seconds_took_no_more_than_a_core() {
    let mut seconds = run(2_000);
    seconds[10..19].iter_mut().for_each(|one| one.health.clear());
    seconds[19].health.insert(0, Health { cpu_us: 9_000_000, ..Health::default() });
    assert!((health(&seconds, Model::Open).0.cpu_peak - 0.9).abs() < 1e-9);
}

#[test]
fn requests_that_leave_after_the_steady_phase_were_not_achieved_in_it() {
    let mut seconds = run(2_000);
    assert_eq!(verdict(&seconds, "generator.achieved"), Verdict::Pass);
    seconds[59].flow.sent = 10;
    assert_eq!(verdict(&seconds, "generator.achieved"), Verdict::Warn);
    seconds[58].flow.sent = 10;
    assert_eq!(verdict(&seconds, "generator.achieved"), Verdict::Invalid);
}

#[test]
fn a_lost_frame_or_a_broken_sum_is_invalid_and_a_jump_of_the_clock_a_warning() {
    let mut seconds = run(2_000);
    let planned = seconds.iter().map(|one| one.travel().planned).sum();
    let sum = |done: Done| {
        let stretches = [Stretch { name: "steady".into(), from: 0, to: u32::MAX }];
        let limits = Limits::new(Model::Open, Some(50_000.0));
        let (_, rows) = of(&Run { seconds: &seconds, stretches: &stretches, done: Some(&done), limits });
        rows.iter().find(|one| one.id == "generator.sum").unwrap().verdict
    };
    assert_eq!(sum(Done { planned, ..Done::default() }), Verdict::Pass);
    assert_eq!(sum(Done { planned, lost_frames: 1, ..Done::default() }), Verdict::Invalid);
    assert_eq!(sum(Done { planned: planned + 1, ..Done::default() }), Verdict::Invalid);
    for (jump_us, wanted) in [(50_000, Verdict::Pass), (50_001, Verdict::Warn)] {
        seconds[3].health.entry(0).or_default().jump_us = jump_us;
        assert_eq!(verdict(&seconds, "generator.clock"), wanted, "{jump_us}");
    }
}
