//! The sight of a history, and what findings it comes to.

use std::collections::BTreeMap;

use super::super::calibration::Power;
use super::super::finding::{Finding, Reason, Verdict};
use super::*;
use crate::judge::fingerprint::{Difference, Weight};
use crate::judge::tests::{check, second};
use crate::measure::interval::Interval;
use crate::measure::record::Head;
use crate::plan::threshold::{Cmp, Ground, Lean, Margin, Subject, Threshold};
use crate::stats::portable::{exp, ln};

const STRICT: Strictness = Strictness { alpha: 0.01, margin: 0.0, floor: 0.0 };

/// K values with mean 0 and exactly this standard deviation.
fn spread(k: usize, sd: f64) -> Vec<f64> {
    let step = sd * ((k as f64 - 1.0) / k as f64).sqrt();
    (0..k).map(|n| if n % 2 == 0 { step } else { -step }).collect()
}

#[test]
fn the_sight_of_a_history_of_ten_is_as_poor_as_it_is_known_to_be() {
    // Smallest change seen in four of five cases, by run-to-run standard deviation.
    for (sd, low, high) in [(0.02, 0.07, 0.09), (0.05, 0.19, 0.23), (0.09, 0.38, 0.43)] {
        let seen = exp(predict(&spread(10, sd), &[0.0], None, STRICT).unwrap().detectable) - 1.0;
        assert!((low..=high).contains(&seen), "{sd}: {seen}");
    }
}

#[test]
fn the_limit_is_the_prediction_limit_and_p_agrees_with_it() {
    // t(0.99; 9) = 2.821438, s = 0.05: limit = 2.821438 · 0.05 · √1.1.
    let of = |new: f64| predict(&spread(10, 0.05), &[new], None, STRICT).unwrap();
    let limit = 2.821_438 * 0.05 * 1.1_f64.sqrt();
    assert!((of(0.1).limit - limit).abs() < 1e-6);
    assert!((of(limit).p - 0.01).abs() < 1e-6 && of(limit * 0.99).p > 0.01 && of(limit * 1.01).p < 0.01);
    assert!((of(0.0).p - 0.5).abs() < 1e-9);
    let lenient = predict(&spread(10, 0.05), &[limit], None, Strictness { margin: 0.1, ..STRICT }).unwrap();
    assert!(lenient.p > 0.1 && (lenient.limit - limit - 0.1).abs() < 1e-6);
    // Four candidate runs see more than one.
    let four = predict(&spread(10, 0.05), &[0.1; 4], None, STRICT).unwrap();
    assert!(four.limit < of(0.1).limit && four.p < of(0.1).p);
    // Around an anchor the noise of two single runs counts.
    let anchored = predict(&spread(10, 0.05), &[0.1], Some(0.02), STRICT).unwrap();
    assert!((anchored.change - 0.08).abs() < 1e-12);
    assert!((anchored.limit - 0.02 - 2.821_438 * 0.05 * 2.0_f64.sqrt()).abs() < 1e-6);
}

#[test]
fn too_few_runs_say_nothing_and_no_spread_uses_the_floor() {
    assert_eq!((predict(&spread(7, 0.05), &[9.0], None, STRICT), missing(7), missing(8)), (None, 1, 0));
    assert_eq!(predict(&spread(8, 0.05), &[f64::INFINITY], None, STRICT), None);
    let still = Strictness { floor: 0.03, ..STRICT };
    assert!(predict(&[0.0; 12], &[0.05], None, still).unwrap().p > 0.01);
    assert!(predict(&[0.0; 12], &[0.05], None, STRICT).unwrap().p < 0.01);
    assert!(predict(&[0.0; 12], &[0.0], None, STRICT).unwrap().p >= 1.0);
}

#[test]
fn one_earlier_run_advises_unless_it_may_do_more() {
    let strict = Strictness { alpha: 0.01, margin: 0.05, floor: 0.04 };
    for (change, may, want) in [
        (0.04, MayFail::Yes, Verdict::Pass),
        (0.10, MayFail::Yes, Verdict::Warn),
        (0.13, MayFail::Yes, Verdict::Fail),
        (2.00, MayFail::No, Verdict::Warn),
    ] {
        assert_eq!(single(change, strict, may), want, "{change}");
    }
}

/// A run of 20 s whose answers take so long, of which so many of 100 each second fail.
fn took(us: u64, failed: u64) -> Vec<Interval> {
    (0..20).map(|n| second(n, 100, failed, us)).collect()
}

fn stored(us: u64, failed: u64) -> Stored {
    let head = Head { steps: vec!["cart".into()], ..Head::default() };
    Stored { name: format!("run of {us}"), head, seconds: took(us, failed) }
}

/// Ten accepted runs around 100 ms with 2 % of noise, and 1 % errors.
fn history() -> Earlier {
    let of = |n: u64| stored(if n.is_multiple_of(2) { 98_000 } else { 102_000 }, 1);
    Earlier { runs: (0..10).map(of).collect(), ..Earlier::default() }
}

fn rules(power: Power) -> Rules {
    Rules { alpha: 0.01, single: MayFail::No, power, floors: BTreeMap::new() }
}

fn lines(ground: Ground) -> Vec<Threshold> {
    let lean = |slack| Some(Lean { on: ground, margin: Margin { slack, least_us: None } });
    let p95 = Threshold { id: "p95".into(), lean: lean(0.05), ..check(Subject::Quantile(0.95), Cmp::AtMost, f64::NAN) };
    let errors = Threshold { id: "errors".into(), lean: lean(0.01), ..check(Subject::Errors, Cmp::AtMost, f64::NAN) };
    vec![p95, errors]
}

fn judged(ground: Ground, earlier: &Earlier, candidate: Vec<Interval>, rules: &Rules) -> Vec<Finding> {
    findings(&lines(ground), &["cart".to_owned()], &[candidate], (earlier, rules))
}

fn p95(ground: Ground, earlier: &Earlier, us: u64, rules: &Rules) -> (Verdict, Reason) {
    let found = judged(ground, earlier, took(us, 1), rules);
    (found[0].verdict, found[0].reason)
}

#[test]
fn a_run_beyond_what_the_history_explains_is_red_once_the_ledger_lets_it_be() {
    let block = rules(Power::Block);
    assert_eq!(p95(Ground::Baseline, &history(), 104_000, &block), (Verdict::Pass, Reason::Within));
    assert_eq!(p95(Ground::Baseline, &history(), 130_000, &block), (Verdict::Fail, Reason::Beyond));
    assert_eq!(p95(Ground::Baseline, &history(), 130_000, &rules(Power::Warn)), (Verdict::Warn, Reason::Uncalibrated));
    let found = judged(Ground::Baseline, &history(), took(130_000, 1), &block);
    assert!(found[0].observed.contains("cannot see less than +"), "{}", found[0].observed);
    assert!((found[0].evidence.value.unwrap() - 0.30).abs() < 0.01, "{:?}", found[0].evidence);
    // Shares by points: 1 % before, 4 % now, 1 point allowed.
    assert_eq!(
        (found[1].verdict, judged(Ground::Baseline, &history(), took(100_000, 4), &block)[1].verdict),
        (Verdict::Pass, Verdict::Warn)
    );
}

#[test]
fn few_runs_none_and_foreign_ones_decide_nothing() {
    let block = rules(Power::Block);
    let few = Earlier { runs: history().runs[..5].to_vec(), ..Earlier::default() };
    let found = judged(Ground::Baseline, &few, took(100_000, 1), &block);
    assert_eq!((found[0].verdict, found[0].reason), (Verdict::Inconclusive, Reason::LowPower));
    assert!(found[0].next.contains("3 more"), "{}", found[0].next);
    let cores = Difference { field: "cores", baseline: "4".into(), candidate: "8".into(), weight: Weight::Refuse };
    let foreign = Earlier { refused: vec![cores.clone()], ..Earlier::default() };
    let found = judged(Ground::Baseline, &foreign, took(100_000, 1), &block);
    assert_eq!((found[0].verdict, found[0].reason), (Verdict::Inconclusive, Reason::Fingerprint));
    assert!(found[0].observed.contains("cores: 4 there, 8 here"), "{}", found[0].observed);
    let through = Earlier { let_through: vec![cores], ..history() };
    let found = judged(Ground::Baseline, &through, took(130_000, 1), &block);
    assert_eq!(found[0].verdict, Verdict::Warn, "a field that was let through caps it");
    assert!(found[0].observed.contains("cores"), "{}", found[0].observed);
    let nothing = judged(Ground::Baseline, &history(), Vec::new(), &block);
    assert_eq!((nothing[0].verdict, nothing[0].reason), (Verdict::Inconclusive, Reason::NoData));
}

#[test]
fn an_anchor_keeps_the_bar_where_the_release_left_it() {
    let block = rules(Power::Block);
    let anchored = Earlier { anchor: Some(stored(80_000, 1)), ..history() };
    assert_eq!(p95(Ground::Anchor, &anchored, 100_000, &block), (Verdict::Fail, Reason::Beyond));
    assert_eq!(p95(Ground::Baseline, &anchored, 100_000, &block).0, Verdict::Pass);
    assert_eq!(p95(Ground::Anchor, &history(), 100_000, &block), (Verdict::Inconclusive, Reason::LowPower));
}

#[test]
fn a_single_run_and_a_target_that_no_longer_answers() {
    let block = rules(Power::Block);
    let one = Earlier { runs: vec![stored(100_000, 1)], is_single: true, ..Earlier::default() };
    assert_eq!(p95(Ground::Baseline, &one, 300_000, &block).0, Verdict::Warn);
    let may = Rules { single: MayFail::Yes, ..rules(Power::Block) };
    assert_eq!(p95(Ground::Baseline, &one, 300_000, &may), (Verdict::Fail, Reason::Beyond));
    assert_eq!(p95(Ground::Baseline, &one, 103_000, &may), (Verdict::Pass, Reason::Within));
    let silent = judged(Ground::Baseline, &history(), took(1_000, 50), &block);
    assert_eq!((silent[0].verdict, silent[0].reason), (Verdict::Fail, Reason::Unanswered));
    // What is slower than the history by logarithms is that for a floor as well: `goodput >= baseline -3%` is mirrored.
    let lean = Some(Lean { on: Ground::Baseline, margin: Margin { slack: -0.03, least_us: None } });
    let floor = Threshold { lean, ..check(Subject::Goodput, Cmp::AtLeast, f64::NAN) };
    let judge = |failed| {
        findings(std::slice::from_ref(&floor), &["cart".to_owned()], &[took(1_000, failed)], (&history(), &block))
    };
    assert_eq!((judge(2)[0].verdict, judge(30)[0].verdict), (Verdict::Pass, Verdict::Warn));
    assert!(judge(30)[0].evidence.value.unwrap() < -0.25 && ln(1.0).abs() < 1e-12);
}
