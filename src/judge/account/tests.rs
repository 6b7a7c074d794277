//! Whole runs, made by hand: what is in their account, and how they come out.

#![expect(clippy::float_cmp, reason = "these values are exact")]

use std::time::Duration;

use super::super::conclusion::{self, Conclusion};
use super::super::finding::{Finding, Reason, Verdict};
use super::*;
use crate::judge::tests::{check, second};
use crate::measure::interval::Health;
use crate::measure::journal::{Event, Source, Undo};
use crate::measure::record::Record;
use crate::plan::audit::Books;
use crate::plan::condition::Limits;
use crate::plan::curve::{Curve, Ramp};
use crate::plan::deck::Deck;
use crate::plan::diagnostic::Place;
use crate::plan::drill::{
    Act, DrillPlan, Expectation, Lever, Measure, Mitigation, Phases, Probe, Proof, ShopData, System, Technical, When,
};
use crate::plan::gate::Gate;
use crate::plan::good::Good;
use crate::plan::load::{Client, LoadPlan, Pattern, Spacing, Workload};
use crate::plan::slo::{Slo, USUAL};
use crate::plan::threshold::{Cmp, Level, Subject, Threshold};
use crate::plan::values::Values;

fn load(checks: Vec<Threshold>) -> LoadPlan {
    let rate = Ramp { from: 100.0, to: 100.0, over: Duration::from_secs(180) };
    LoadPlan {
        name: "shop".into(),
        origins: Vec::new(),
        client: Client::default(),
        workloads: vec![Workload {
            name: "main".into(),
            pattern: Pattern::Open {
                curve: Curve::new([rate]),
                spacing: Spacing::Even,
                arrivals: None,
                max_in_flight: 1_000,
                stay: None,
            },
            mix: Deck::new("main", &[1]).unwrap(),
            start: Duration::ZERO,
            warmup: Duration::ZERO,
            drain: Duration::ZERO,
        }],
        journeys: Vec::new(),
        steps: vec!["cart".into()],
        labels: std::sync::Arc::default(),
        values: Values::default(),
        good: Good { within: Some(Duration::from_millis(500)), ..Good::default() },
        checks,
        books: Books::default(),
        gate: Gate::default(),
        hash: "h".into(),
    }
}

fn probe(is: &str) -> Probe {
    Probe { get: "/admin/state".into(), at: "$.on".into(), is: is.into(), within: Duration::from_secs(10) }
}

fn switch(json: &str) -> Lever {
    Lever::http("PUT", "/admin/flags/f", json)
}

fn expect(name: &str, measure: Measure, target: f64, limit: f64) -> Expectation {
    Expectation { name: name.into(), measure, target, limit, weight: 20.0, gate: false, place: Place::default() }
}

fn drill() -> DrillPlan {
    let undo = |name: &str, kind| Mitigation {
        name: name.into(),
        label: format!("do {name}"),
        kind,
        allowed: Vec::new(),
        does: Some(switch("{}")),
        verify: Some(probe("false")),
    };
    DrillPlan {
        name: "midnight".into(),
        about: About::default(),
        system: System::Shop {
            data: ShopData::Realistic,
            in_flight: 150,
            flag_poll: (Duration::from_secs(5), Duration::from_secs(15)),
            database: None,
        },
        load: load(Vec::new()),
        phases: Phases {
            baseline: Duration::from_secs(40),
            at_most: Duration::from_secs(80),
            recovery_hold: Duration::from_secs(10),
            time_factor: 0.1,
        },
        slo: Slo { objective: 0.999, period: Duration::from_secs(30 * 86_400), reference: USUAL.to_vec() },
        limits: Limits::default(),
        robot: Vec::new(),
        acts: vec![Act {
            name: "ship".into(),
            when: When::At(Duration::ZERO),
            hidden: true,
            does: Technical {
                apply: switch("{\"on\":true}"),
                revert: Some(switch("{\"on\":false}")),
                lease: Duration::from_secs(15),
                players_undo: true,
                proof: Proof::Probe(probe("true")),
                moves_bad: None,
            },
        }],
        mitigations: vec![undo("kill", MitigationKind::Correct), undo("restart", MitigationKind::Harmful)],
        expectations: vec![
            expect("detect", Measure::Detect, 20.0, 30.0),
            expect("ack", Measure::Acknowledge, 5.0, 15.0),
            expect("command", Measure::TakeCommand, 10.0, 30.0),
            expect("mitigate", Measure::Mitigate, 60.0, 90.0),
            expect("recover", Measure::Recover, 60.0, 70.0),
            expect("no_harm", Measure::HarmfulActions, 0.0, 1.0),
        ],
        hash: "h".into(),
    }
}

/// A journal under way.
#[derive(Default)]
struct Pen(Vec<Line>);

impl Pen {
    fn write(mut self, at_s: f64, event: Event) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time of this test")]
        let at_us = (at_s * 1e6) as u64;
        let source = if matches!(event, Event::Page { .. }) { Source::Alert } else { Source::Robot };
        let seq = self.0.len() as u64;
        self.0.push(Line { seq, at_us, utc: String::new(), source, actor: "robot".into(), event, prev: String::new() });
        self
    }

    fn phase(self, at_s: f64, name: &str) -> Self {
        self.write(at_s, Event::Phase { name: name.into() })
    }

    fn mark(self, at_s: f64, mark: &str) -> Self {
        self.write(at_s, Event::Mark { mark: mark.into(), text: String::new() })
    }

    fn page(self, at_s: f64) -> Self {
        let texts = ["trigger", "5xx", "staging", "k"].map(String::from);
        let [action, summary, origin, dedup_key] = texts;
        self.write(at_s, Event::Page { action, summary, origin, dedup_key })
    }

    fn injected(self, at_s: f64, proof: &str) -> Self {
        let undo = Undo::Http {
            method: "PUT".into(),
            url: "http://127.0.0.1/f".into(),
            body: String::new(),
            token_env: String::new(),
            verify: None,
            timeout_ms: 0,
        };
        self.write(at_s, Event::Intent { id: "ship".into(), what: "flag on".into(), undo, lease_ms: 15_000 })
            .write(at_s + 0.2, Event::Injected { id: "ship".into(), proof: proof.into(), proved: !proof.is_empty() })
    }

    fn healed(self, at_s: f64) -> Self {
        let id = || "ship".to_owned();
        self.write(at_s, Event::Healing { id: id() })
            .write(at_s + 0.1, Event::Healed { id: id() })
            .write(at_s + 0.2, Event::Verified { id: id() })
    }

    fn end(self, at_s: f64, reason: &str) -> Self {
        self.write(at_s, Event::End { reason: reason.into() })
    }
}

/// 100 requests a second; from 40 s to `until` 60 of them fail, from there to `over` 12.
fn record(until: u32, over: u32, length: u32) -> Record {
    let failed = |n| match n {
        n if n < 40 || n >= over => 0,
        n if n < until => 60,
        _ => 12,
    };
    let seconds: Vec<Interval> = (0..length).map(|n| second(n, 100, failed(n), 9_000)).collect();
    let planned = u64::from(length) * 100;
    let done = Done { reason: "stopped".into(), planned, ..Done::default() };
    let head = Head { steps: vec!["cart".into()], journeys: vec!["buy".into()], ..Head::default() };
    Record { head, seconds, done: Some(done), ..Record::default() }
}

/// A drill in which the robot kills the flag.
fn robot() -> Pen {
    Pen::default()
        .phase(0.1, "steady")
        .phase(40.05, "exercise")
        .injected(40.1, "serving is on")
        .page(46.5)
        .mark(48.0, "acknowledged")
        .mark(50.0, "command")
        .write(60.0, Event::Action { name: "kill".into() })
        .write(72.0, Event::Effect { name: "kill".into(), verified: true, text: "off".into() })
        .mark(90.0, "resolved")
        .phase(90.0, "watching")
        .phase(105.0, "cleanup")
        .healed(106.0)
        .end(115.0, "finished")
}

fn judged(plan: &DrillPlan, journal: &Pen, record: Record) -> (Account, Conclusion) {
    let account = of(Planned::Drill(plan), &journal.0, record);
    let conclusion = conclusion::of(&account);
    (account, conclusion)
}

fn find<'a>(account: &'a Account, id: &str) -> &'a Finding {
    account.findings.iter().find(|one| one.id == id).unwrap_or_else(|| panic!("no {id} in {:#?}", account.findings))
}

#[test]
fn a_drill_that_went_well_passes_with_its_instants_and_costs() {
    let (account, conclusion) = judged(&drill(), &robot(), record(70, 80, 112));
    assert_eq!(conclusion, Conclusion::Passed, "{:#?}", account.findings);
    let drill = account.drill.as_ref().unwrap();
    let timeline = &drill.timeline;
    assert_eq!((timeline.impact_s, timeline.mitigated_s, timeline.recovered_s), (Some(40.1), Some(70.0), Some(80.0)));
    assert_eq!((timeline.detected_s, timeline.detected_by.as_str()), (Some(46.5), "staging"));
    assert_eq!((timeline.acknowledged_s, timeline.command_s), (Some(48.0), Some(50.0)));
    assert_eq!(timeline.claims, [("resolved".to_owned(), 90.0)]);
    assert_eq!((timeline.false_alarms, drill.t0_s, drill.end_s), (0, 40.05, 105.0));
    assert!(timeline.plateau > 0.5 && timeline.peak > 0.59, "{timeline:?}");
    assert_eq!((drill.score, drill.bad_requests), (Some(100.0), 30 * 60 + 10 * 12));
    assert!((drill.bad_minutes - 19.2 / 60.0).abs() < 1e-9 && (drill.budget_spent - 0.32 / 43.2).abs() < 1e-9);
    assert_eq!(drill.actions[0].verified_s, Some(72.0));
    assert!(drill.acts[0].proved && drill.acts[0].verified && drill.acts[0].what == "flag on");
    assert_eq!(drill.expectations[4].measured, Some(80.0 - 40.1));
    let fault = account.bands.iter().find(|band| band.kind == BandKind::Fault).unwrap();
    assert!((fault.from_s - 40.1).abs() < 1e-9 && (fault.to_s - 106.1).abs() < 1e-9);
    assert!(account.bands.iter().any(|band| band.kind == BandKind::Impact && band.to_s == 80.0));
    assert_eq!((account.totals.all.arrivals(), account.totals.offered), (11_200, 100.0));
    assert_eq!(account.generator.verdict, Verdict::Pass);
}

#[test]
fn users_who_come_back_to_half_the_load_have_not_recovered() {
    let mut halved = record(70, 80, 112);
    for n in 75..112_u32 {
        halved.seconds[n as usize] = second(n, 50, 0, 9_000);
    }
    halved.done.as_mut().unwrap().planned = halved.seconds.iter().map(|one| one.travel().planned).sum();
    let (account, conclusion) = judged(&drill(), &robot(), halved);
    assert_eq!((account.drill.unwrap().timeline.recovered_s, conclusion), (None, Conclusion::Failed));
}

#[test]
fn nobody_acts_and_the_drill_fails_although_the_clean_up_heals_it() {
    let journal = Pen::default()
        .phase(0.1, "steady")
        .phase(40.05, "exercise")
        .injected(40.1, "serving is on")
        .page(46.5)
        .phase(120.0, "watching")
        .phase(130.0, "cleanup")
        .healed(131.0)
        .end(150.0, "finished");
    let (account, conclusion) = judged(&drill(), &journal, record(131, 131, 148));
    assert_eq!((conclusion, conclusion.exit_code()), (Conclusion::Failed, 1));
    let recover = find(&account, "expect.recover");
    assert_eq!((recover.verdict, recover.reason), (Verdict::Fail, Reason::Censored));
    assert_eq!(recover.observed, "not recovered: > 89.9 s");
    assert_eq!(find(&account, "expect.no_harm").verdict, Verdict::Pass);
    assert_eq!(account.findings[0].verdict, Verdict::Fail);
}

#[test]
fn a_flag_that_does_no_harm_shows_nothing() {
    let (account, conclusion) = judged(&drill(), &robot(), record(40, 40, 112));
    assert_eq!((conclusion, conclusion.exit_code()), (Conclusion::Inconclusive, 4));
    for name in ["detect", "ack", "command", "mitigate", "recover"] {
        let finding = find(&account, &format!("expect.{name}"));
        assert_eq!((finding.verdict, finding.reason), (Verdict::Inconclusive, Reason::NoData), "{name}");
    }
    assert_eq!(find(&account, "proof.ship").verdict, Verdict::Pass);
    let drill = account.drill.unwrap();
    assert_eq!((drill.timeline.impact_s, drill.score, drill.bad_requests), (None, None, 0));
}

#[test]
fn an_act_without_proof_or_an_unsteady_baseline_comes_before_what_failed() {
    let unproven = Pen::default()
        .phase(0.1, "steady")
        .phase(40.05, "exercise")
        .injected(40.1, "")
        .write(50.0, Event::Action { name: "restart".into() })
        .phase(120.0, "cleanup")
        .healed(121.0)
        .end(150.0, "finished");
    let (account, conclusion) = judged(&drill(), &unproven, record(120, 120, 148));
    assert_eq!(find(&account, "expect.no_harm").verdict, Verdict::Fail);
    assert_eq!(find(&account, "proof.ship").reason, Reason::NotInjected);
    assert_eq!(find(&account, "expect.recover").reason, Reason::NotInjected);
    assert_eq!(conclusion, Conclusion::Inconclusive);
    let unsteady = Pen::default().phase(0.1, "steady").phase(41.0, "cleanup").end(42.0, "unsteady: 4 % were bad");
    let (account, conclusion) = judged(&drill(), &unsteady, record(40, 40, 41));
    assert_eq!((conclusion, find(&account, "baseline").observed.as_str()), (Conclusion::Inconclusive, "4 % were bad"));
    assert_eq!(find(&account, "proof.ship").verdict, Verdict::Inconclusive);
}

#[test]
fn the_first_conclusion_that_applies_stands() {
    let ended = |reason: &str| {
        let mut pen = robot();
        pen.0.pop();
        judged(&drill(), &pen.end(115.0, reason), record(70, 80, 112)).1.exit_code()
    };
    for (reason, code) in [
        ("finished", 0),
        ("interrupted", 130),
        ("terminated", 143),
        ("could not run: no port", 3),
        ("failed: disk full", 3),
        ("invalid: late", 5),
        ("aborted: a person", 6),
        ("unsteady: noise", 4),
    ] {
        assert_eq!(ended(reason), code, "{reason}");
    }
}

#[test]
fn what_could_not_be_healed_comes_before_everything() {
    let fails = |pen: Pen| pen.write(107.0, Event::HealFailed { id: "ship".into(), reason: "no answer".into() });
    let (account, conclusion) = judged(&drill(), &fails(robot()).end(116.0, "interrupted"), record(70, 80, 112));
    assert_eq!((conclusion, conclusion.exit_code()), (Conclusion::Unclean, 7));
    assert!(find(&account, "healing.ship").observed.contains("no answer"));
    let again = fails(robot()).write(109.0, Event::Verified { id: "ship".into() });
    assert_eq!(judged(&drill(), &again, record(70, 80, 112)).1, Conclusion::Passed);
    let left = Pen::default().phase(0.1, "steady").phase(40.0, "exercise").injected(40.1, "on");
    assert_eq!(judged(&drill(), &left, record(70, 80, 112)).1, Conclusion::Unclean);
}

fn run(checks: Vec<Threshold>, record: Record, reason: &str) -> (Account, Conclusion) {
    let journal = Pen::default().phase(0.0, "steady").phase(60.0, "drain").end(61.0, reason);
    let plan = load(checks);
    let account = of(Planned::Load(&plan), &journal.0, record);
    let conclusion = conclusion::of(&account);
    (account, conclusion)
}

#[test]
fn a_load_test_is_judged_by_its_checks_and_always_by_one() {
    let p95 = || check(Subject::Quantile(0.95), Cmp::Less, 250_000.0);
    let (account, conclusion) = run(vec![p95()], record(40, 40, 60), "finished");
    assert_eq!(conclusion, Conclusion::Passed);
    assert_eq!(find(&account, "squall.answered").verdict, Verdict::Pass);
    assert!(account.drill.is_none() && account.ended.is_empty());
    let strict = Threshold { bound: 2_000.0, ..p95() };
    assert_eq!(run(vec![strict.clone()], record(40, 40, 60), "finished").1, Conclusion::Failed);
    let should = Threshold { level: Level::Should, ..strict };
    assert_eq!(run(vec![should], record(40, 40, 60), "finished").1, Conclusion::Passed);
    let empty = Record { seconds: Vec::new(), ..record(0, 0, 0) };
    assert_eq!(run(vec![p95()], empty, "finished").1, Conclusion::Inconclusive);
}

#[test]
fn an_aborted_test_names_the_check_that_ended_it() {
    let stop = Threshold { abort: Some(3), id: "errors < 80%, abort".into(), ..check(Subject::Errors, Cmp::Less, 0.8) };
    let (account, conclusion) = run(vec![stop], record(60, 60, 60), "aborted: errors < 80%, abort");
    assert_eq!(conclusion, Conclusion::Aborted);
    assert_eq!(find(&account, "errors < 80%, abort").verdict, Verdict::Fail);
}

#[test]
fn a_record_without_end_never_passes() {
    let cut = Record { done: None, ..record(40, 40, 60) };
    let (account, conclusion) = run(vec![], cut, "finished");
    assert_eq!((conclusion, find(&account, "record.truncated").reason), (Conclusion::Inconclusive, Reason::Truncated));
    let failing = check(Subject::Errors, Cmp::Less, 0.01);
    let cut = Record { done: None, ..record(60, 60, 60) };
    assert_eq!(run(vec![failing], cut, "finished").1, Conclusion::Failed);
}

#[test]
fn a_frozen_generator_spoils_the_checks_of_its_window_and_the_run() {
    let mut frozen = record(60, 60, 60);
    for one in &mut frozen.seconds[20..23] {
        one.health.insert(0, Health { cpu_us: 0, stall_us: 1_000_000, waited_us: 0, ..Health::default() });
    }
    let hard = Threshold { level: Level::Hard, id: "hard".into(), ..check(Subject::Errors, Cmp::Less, 0.01) };
    let must = check(Subject::Errors, Cmp::Less, 0.01);
    let (account, conclusion) = run(vec![hard, must], frozen, "finished");
    assert_eq!((conclusion, conclusion.exit_code()), (Conclusion::Invalid, 5));
    assert_eq!((find(&account, "hard").verdict, find(&account, "it").verdict), (Verdict::Fail, Verdict::Invalid));
}

/// Ten seconds planned and sent, and one more that the generator needed to notice the end.
fn noticed_late(journal: &Pen) -> Account {
    let rate = Ramp { from: 100.0, to: 100.0, over: Duration::from_secs(10) };
    let mut plan = load(Vec::new());
    if let Pattern::Open { curve, .. } = &mut plan.workloads[0].pattern {
        *curve = Curve::new([rate]);
    }
    let mut record = record(0, 0, 10);
    record.seconds.push(Interval::at(10));
    of(Planned::Load(&plan), &journal.0, record)
}

#[test]
fn a_second_in_which_nothing_was_due_does_not_thin_the_goodput() {
    let never = Pen::default().phase(0.0, "steady").end(10.2, "finished");
    let late = Pen::default().phase(0.0, "steady").phase(11.3, "drain").end(11.4, "finished");
    for journal in [never, late] {
        let account = noticed_late(&journal);
        assert_eq!(find(&account, "squall.answered").evidence.value, Some(100.0));
        let bands: Vec<_> = account.bands.iter().map(|band| (band.name.as_str(), band.from_s, band.to_s)).collect();
        assert_eq!((bands[0], bands[1].0), (("steady", 0.0, 10.0), "drain"));
    }
}

#[test]
fn what_trails_behind_the_plan_does_not_thin_the_offered_rate() {
    let journal = Pen::default().phase(0.0, "steady").phase(10.0, "drain").end(10.5, "finished");
    let mut plan = load(Vec::new());
    if let Pattern::Open { curve, .. } = &mut plan.workloads[0].pattern {
        *curve = Curve::new([Ramp { from: 100.0, to: 100.0, over: Duration::from_secs(10) }]);
    }
    let mut record = record(0, 0, 10);
    // The last step of the last journey is due after the last arrival.
    record.seconds.push(second(10, 1, 0, 9_000));
    let totals = of(Planned::Load(&plan), &journal.0, record).totals;
    assert_eq!((totals.offered, totals.achieved, totals.duration_s), (100.0, 100.0, 11.0));
}

#[test]
fn what_a_damaged_record_lost_is_not_held_against_the_generator() {
    let mut damaged = record(40, 40, 60);
    (damaged.seconds[50], damaged.damaged) = (Interval::at(50), 1);
    let (account, conclusion) = run(vec![], damaged, "finished");
    assert_eq!(conclusion, Conclusion::Inconclusive, "{:#?}", account.findings);
}

#[test]
fn the_same_files_give_the_same_account() {
    let account = || format!("{:?}", judged(&drill(), &robot(), record(70, 80, 112)).0);
    assert_eq!(account(), account());
}
