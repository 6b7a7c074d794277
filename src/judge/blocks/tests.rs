//! Whole comparisons made by hand: what is red, what passes, what is left open, and what the guards say.

use super::decide::family;
use super::effect::{Effect, effect};
use super::*;
use crate::base::seed::Seed;
use crate::judge::estimate::whole;
use crate::judge::tests::second;
use crate::judge::validity::Model;
use crate::measure::interval::Health;
use crate::measure::sample::StepId;
use crate::plan::ab::Design;
use crate::plan::check::{AbOptions, Files, ab};

const BASE: [f64; 10] = [212.4, 209.8, 221.0, 215.2, 233.9, 224.6, 218.1, 211.5, 226.3, 219.7];
const CANDIDATE: [f64; 10] = [231.0, 226.9, 236.1, 238.4, 241.7, 247.9, 229.0, 232.2, 240.8, 243.5];

fn plan(lines: &str, design: Design) -> AbPlan {
    let text = format!(
        r#"(name: "s", target: (base: "http://127.0.0.1:8080"), load: [Closed(users: [Hold(users: 1, for: "5s")], mix: {{"a": 1}})],
        journeys: {{"a": (steps: [Http(name: "home", url: "/")])}}, checks: [{lines}])"#
    );
    let options = AbOptions { design, control: Vec::new(), ..AbOptions::default() };
    ab(&mut Files::held([("s.ron".to_owned(), text)]), "s.ron", &options).unwrap().0
}

fn short(blocks: usize, stages: usize) -> Design {
    let slot = std::time::Duration::from_secs(2);
    Design { blocks, slot, stages, ..Design::default() }
}

/// The ten blocks of the known vector against one line.
fn known(line: &str) -> (AbPlan, Effects) {
    let plan = plan(line, Design::default());
    let one = |(base, candidate): (&f64, f64)| {
        let (change, beyond) = effect(&plan.comparisons[0], (base * 1e3, candidate * 1e3))?;
        Some(Effect { change, beyond, base_first: true })
    };
    let all = BASE.iter().zip(CANDIDATE).map(one).collect();
    (plan, Effects { all })
}

fn alone(line: &str) -> (Decision, Finding) {
    let (plan, effects) = known(line);
    let decision = family(&Family { effects: &[&effects], design: &plan.design }).remove(0);
    let finding = words::finding(&plan.comparisons[0], (&effects, &decision), &[], &plan);
    (decision, finding)
}

#[test]
fn the_known_ten_blocks_come_out_as_published() {
    for (line, w, p, verdict) in [
        ("\"p95 <= baseline +0%\"", 55.0, "0.00098", Verdict::Fail),
        ("\"p95 <= baseline +3%\"", 55.0, "0.00098", Verdict::Fail),
        ("\"p95 <= baseline +5%\"", 51.0, "0.00684", Verdict::Fail),
        ("\"p95 <= baseline +10%\"", 9.0, "0.97559", Verdict::Pass),
        ("\"p95 <= baseline +1% or 50ms\"", 0.0, "1.00000", Verdict::Pass),
    ] {
        let (decision, finding) = alone(line);
        assert!((decision.test.w - w).abs() < 1e-9 && format!("{:.5}", decision.test.p) == p, "{line}: {decision:?}");
        assert_eq!((decision.verdict, finding.observed.as_str()), (verdict, "+8.2 % [+5.7, +10.4]"), "{line}");
    }
    let (_, finding) = alone("\"p95 <= baseline +5%\"");
    let compare = finding.evidence.compare.unwrap();
    assert_eq!((compare.what.as_str(), compare.margin.as_str(), compare.stage, compare.m), ("p95", "+5 %", (1, 1), 1));
    assert_eq!(format!("{:.4} {:.3}", compare.sd.unwrap(), compare.mde.unwrap()), "0.0240 0.029");
    assert!((finding.evidence.value.unwrap() - 0.0815).abs() < 5e-5 && finding.evidence.n == 10);
}

#[test]
fn among_five_the_same_blocks_are_not_proof_enough() {
    let (plan, effects) = known("\"p95 <= baseline +5%\"");
    let still = Effects { all: vec![Some(Effect { change: 0.0, beyond: -0.05, base_first: true }); 10] };
    let all = [&effects, &still, &still, &still, &still];
    let decided = family(&Family { effects: &all, design: &plan.design });
    assert_eq!((decided[0].verdict, decided[0].reason), (Verdict::Inconclusive, Reason::LowPower));
    assert!(decided[1..].iter().all(|one| one.verdict == Verdict::Pass));
}

#[test]
fn a_lower_bound_is_mirrored_and_shares_are_compared_by_points() {
    let lines = "\"goodput >= baseline -5%\", \"errors <= baseline +1pp\", \"p95 < baseline +10% or 30ms\"";
    let plan = plan(lines, Design::default());
    let of =
        |n: usize, base: f64, candidate: f64| effect(&plan.comparisons[n], (base, candidate)).map(|(_, beyond)| beyond);
    assert!(of(0, 100.0, 90.0).unwrap() > 0.0 && of(0, 100.0, 96.0).unwrap() < 0.0);
    assert!((of(0, 100.0, 0.0).unwrap() - 50.0).abs() < 1e-12, "silence is the worst rate");
    assert!((of(1, 0.02, 0.025).unwrap() + 0.005).abs() < 1e-12 && of(1, f64::NAN, 0.1).is_none());
    assert!(of(2, 100e3, 129e3).unwrap() < 0.0 && of(2, 100e3, 131e3).unwrap() > 0.0);
    assert!((of(2, 100e3, f64::INFINITY).unwrap() - 50.0).abs() < 1e-12);
    assert!(
        (of(2, f64::INFINITY, 100e3).unwrap() + 50.0).abs() < 1e-12 && of(2, f64::INFINITY, f64::INFINITY).is_none()
    );
}

#[test]
fn void_and_equal_blocks_prove_nothing() {
    let plan = plan("\"p95 <= baseline +5%\"", Design::default());
    let decided = |all: Vec<Option<f64>>| {
        let all = all.into_iter().map(|one| one.map(|beyond| Effect { change: beyond, beyond, base_first: true }));
        let effects = Effects { all: all.collect() };
        let one = family(&Family { effects: &[&effects], design: &plan.design }).remove(0);
        (one.verdict, one.reason)
    };
    assert_eq!(decided(vec![Some(0.0); 10]), (Verdict::Inconclusive, Reason::LowPower));
    let mut some = vec![Some(-0.1); 10];
    some[3] = None;
    assert_eq!(decided(some.clone()), (Verdict::Pass, Reason::Within));
    some[7] = None;
    assert_eq!(decided(some), (Verdict::Inconclusive, Reason::NoData));
    assert_eq!(decided(vec![None; 10]), (Verdict::Inconclusive, Reason::NoData));
    assert_eq!(decided(Vec::new()), (Verdict::Inconclusive, Reason::NoData));
    assert_eq!(decided(vec![Some(50.0); 10]), (Verdict::Fail, Reason::Unanswered));
    assert_eq!(decided(vec![Some(0.2); 9]), (Verdict::Inconclusive, Reason::Truncated), "cut off: nothing is rejected");
}

#[test]
fn the_first_stage_counts_and_the_second_pools() {
    let plan = plan("\"p95 <= baseline +5%\"", Design { stages: 2, ..Design::default() });
    let decided = |values: &[f64]| {
        let one = |beyond: &f64| Some(Effect { change: *beyond, beyond: *beyond, base_first: true });
        let effects = Effects { all: values.iter().map(one).collect() };
        let one = family(&Family { effects: &[&effects], design: &plan.design }).remove(0);
        (one.verdict, one.stage)
    };
    let (slow, even): (Vec<f64>, Vec<f64>) = (
        (1..=10).map(f64::from).collect(),
        (1..=10).map(|n| f64::from(n) * if n % 2 == 0 { 1.0 } else { -1.0 }).collect(),
    );
    assert_eq!(decided(&slow), (Verdict::Fail, 1));
    assert_eq!(decided(&even), (Verdict::Inconclusive, 1));
    assert_eq!(decided(&[slow, even.clone()].concat()), (Verdict::Fail, 1));
    let late: Vec<f64> = (11..=20).map(f64::from).collect();
    assert_eq!(decided(&[even.clone(), late.clone()].concat()), (Verdict::Fail, 2));
    assert_eq!(decided(&[even.clone(), late[..9].to_vec()].concat()), (Verdict::Inconclusive, 2), "nobody may peek");
    assert_eq!(decided(&[even.clone(), even].concat()), (Verdict::Inconclusive, 2));
}

/// A run of `blocks` blocks of two seconds; `slot` says (requests, failures, µs) of the arm and block, first or second.
fn run(blocks: u64, slot: impl Fn(Arm, u64, usize) -> (u64, u64, u64)) -> (Vec<Interval>, Vec<Stretch>) {
    let (mut seconds, mut stretches) = (Vec::new(), Vec::new());
    for block in 1..=blocks {
        for (at, arm) in order(Seed(5), block).into_iter().enumerate() {
            let from = u32::try_from(seconds.len()).unwrap();
            seconds.push(second(from, 40, 0, 900_000));
            let (total, failed, took) = slot(arm, block, at);
            seconds.extend((1..=2).map(|n| second(from + n, total, failed, took)));
            stretches.push(Stretch { name: SETTLE.into(), from, to: from + 1 });
            stretches.push(Stretch { name: phase(arm, block), from: from + 1, to: from + 3 });
        }
    }
    (seconds, stretches)
}

fn judged(plan: &AbPlan, (seconds, stretches): &(Vec<Interval>, Vec<Stretch>)) -> Vec<Finding> {
    let limits = Limits::new(Model::Open, Some(1e6));
    of(&Trial { plan, seconds, stretches, limits, confirm: None, power: Power::Block })
}

fn said(findings: &[Finding]) -> Vec<(&str, Verdict, Reason)> {
    findings.iter().map(|one| (one.id.as_str(), one.verdict, one.reason)).collect()
}

/// µs of a block: it wanders, and the candidate is `times` as slow.
fn wandering(arm: Arm, block: u64, times: f64) -> u64 {
    let shared = 100_000.0 * (1.0 + 0.05 * (block as f64 * 1.7).sin());
    let own = 1.0 + 0.01 * ((block * 3 + u64::from(arm == Arm::Base)) as f64 * 2.3).cos();
    whole(shared * own * if arm == Arm::Candidate { times } else { 1.0 })
}

const P95: &str = "\"p95 <= baseline +5%\"";

#[test]
fn a_slower_candidate_is_red_and_an_equal_one_passes() {
    let plan = plan(P95, short(10, 1));
    let slow = judged(&plan, &run(10, |arm, block, _| (100, 0, wandering(arm, block, 1.15))));
    assert_eq!(said(&slow), [("p95 <= baseline +5%", Verdict::Fail, Reason::Beyond)]);
    assert_eq!(slow[0].evidence.window_s, (1.0, 60.0));
    let shift = &slow[0].evidence.compare.as_ref().unwrap().shift;
    assert!(slow[0].next.starts_with("the whole distribution moved"), "{}", slow[0].next);
    assert!(shift.len() == 8 && shift.iter().all(|one| (one.ratio - 1.15).abs() < 0.02), "{shift:?}");
    let equal = judged(&plan, &run(10, |arm, block, _| (100, 0, wandering(arm, block, 1.0))));
    assert_eq!(said(&equal), [("p95 <= baseline +5%", Verdict::Pass, Reason::Within)]);
    assert!(!is_open(&equal) && !is_open(&slow));
}

#[test]
fn a_silent_candidate_is_red_and_silent_arms_are_void() {
    let lines = "\"p95 <= baseline +5%\", \"errors <= baseline +1pp\"";
    let plan = plan(lines, short(10, 1));
    let dead = judged(&plan, &run(10, |arm, _, _| (100, if arm == Arm::Candidate { 100 } else { 0 }, 1_000)));
    let want = [
        ("p95 <= baseline +5%", Verdict::Fail, Reason::Unanswered),
        ("errors <= baseline +1pp", Verdict::Fail, Reason::Beyond),
    ];
    assert_eq!(said(&dead), want);
    assert_eq!(dead[0].evidence.value, None, "no number stands for never");
    let both = judged(&plan, &run(10, |_, _, _| (100, 100, 1_000)));
    assert_eq!((both[0].verdict, both[0].reason), (Verdict::Inconclusive, Reason::NoData));
}

#[test]
fn what_one_slot_leaves_to_the_next_is_said() {
    let plan = plan(P95, short(12, 1));
    let findings = judged(
        &plan,
        &run(12, |arm, block, at| (100, 0, wandering(arm, block, 1.0) * if at == 1 { 13 } else { 10 } / 10)),
    );
    let last = findings.last().unwrap();
    assert_eq!((last.id.as_str(), last.verdict, last.reason), ("ab.carry_over", Verdict::Warn, Reason::CarryOver));
}

#[test]
fn a_step_that_must_not_move_spoils_the_run_when_it_does() {
    let mut plan = plan(P95, short(10, 1));
    plan.design.control = vec![StepId(0)];
    let of = |times| judged(&plan, &run(10, |arm, block, _| (100, 0, wandering(arm, block, times))));
    let (moved, still) = (of(1.15), of(1.0));
    assert_eq!(said(&moved)[1], ("ab.control[home]", Verdict::Invalid, Reason::ControlMoved));
    assert_eq!(said(&still)[1], ("ab.control[home]", Verdict::Pass, Reason::Within));
}

#[test]
fn arms_under_unlike_load_have_no_comparable_times() {
    let of = |lines: &str, slot: fn(Arm) -> (u64, u64)| {
        let findings = judged(
            &plan(lines, short(10, 1)),
            &run(10, |arm, block, _| {
                let (total, failed) = slot(arm);
                (total, failed, wandering(arm, block, 1.0))
            }),
        );
        (findings[0].verdict, findings[0].reason)
    };
    let unlike = (Verdict::Inconclusive, Reason::ArmsUnlike);
    assert_eq!(of(P95, |arm| (if arm == Arm::Base { 100 } else { 90 }, 0)), unlike);
    assert_eq!(of(P95, |arm| (100, if arm == Arm::Base { 0 } else { 3 })), unlike);
    let with_errors = "\"p95 <= baseline +5%\", \"errors <= baseline +5pp\"";
    assert_eq!(of(with_errors, |arm| (100, if arm == Arm::Base { 0 } else { 3 })), (Verdict::Pass, Reason::Within));
}

#[test]
fn slots_cut_off_by_the_end_make_no_block() {
    let plan = plan(P95, short(10, 1));
    let mut run = run(10, |arm, block, _| (100, 0, wandering(arm, block, 1.15)));
    let last = run.1.last_mut().unwrap();
    last.to -= 1;
    assert_eq!(blocks(&run.1, &run.0, 2).len(), 9);
    let findings = judged(&plan, &run);
    assert_eq!((findings[0].verdict, findings[0].reason), (Verdict::Inconclusive, Reason::Truncated));
}

#[test]
fn should_lines_have_a_promise_of_their_own_and_only_blocking_ones_keep_a_stage_open() {
    let lines = "\"p95 <= baseline +5%\", \"should: p50 <= baseline +0%\"";
    let plan = plan(lines, short(10, 2));
    let findings = judged(&plan, &run(10, |arm, block, _| (100, 0, wandering(arm, block, 1.0))));
    assert_eq!(findings[0].verdict, Verdict::Pass);
    assert_eq!((findings[1].verdict, findings[1].evidence.compare.as_ref().unwrap().m), (Verdict::Inconclusive, 1));
    assert!(!is_open(&findings));
    let near = judged(&plan, &run(10, |arm, block, _| (100, 0, wandering(arm, block, 1.05))));
    assert!(is_open(&near), "{:?}", said(&near));
}

#[test]
fn a_red_that_was_not_red_elsewhere_is_a_warning() {
    let plan = plan(P95, short(10, 1));
    let (seconds, stretches) = run(10, |arm, block, _| (100, 0, wandering(arm, block, 1.15)));
    let verdict = |earlier: &[String]| {
        let limits = Limits::new(Model::Open, Some(1e6));
        let trial = Trial {
            plan: &plan,
            seconds: &seconds,
            stretches: &stretches,
            limits,
            confirm: Some(earlier),
            power: Power::Block,
        };
        of(&trial)[0].verdict
    };
    assert_eq!(verdict(&[]), Verdict::Warn);
    assert_eq!(verdict(&["p95 <= baseline +5%".to_owned()]), Verdict::Fail);
}

#[test]
fn a_late_generator_decides_nothing() {
    let plan = plan(P95, short(10, 1));
    let mut run = run(10, |arm, block, _| (100, 0, wandering(arm, block, 1.15)));
    for second in &mut run.0 {
        second.health.insert(0, Health { cpu_us: 0, stall_us: 300_000, waited_us: 0, ..Health::default() });
    }
    assert_eq!(said(&judged(&plan, &run))[0].1, Verdict::Invalid);
}
