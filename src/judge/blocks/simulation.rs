//! Thousands of gates between equal arms: how often they turn red, and that the same harness notices when a part is missing.
//!
//! 132 reds of 10 000 at 1 % is the 99.9 % limit of the binomial distribution.

use super::decide::{Family, red};
use super::effect::{Effect, Effects};
use super::*;
use crate::base::seed::{Seed, Stream};
use crate::plan::ab::Design;
use crate::stats::portable::{ln, normal_quantile};
use crate::stats::rank::{SignedRank, signed_rank};

const GATES: u64 = 10_000;
const MOST_REDS: u64 = 132;

fn normal(stream: &mut Stream) -> f64 {
    normal_quantile(stream.unit_open().min(1.0 - 1e-12))
}

/// Student's t with five degrees of freedom: heavy tails; variance 5/3.
fn heavy(stream: &mut Stream) -> f64 {
    let squares: f64 = (0..5).map(|_| normal(stream)).map(|value| value * value).sum();
    normal(stream) / (squares / 5.0).sqrt()
}

fn effects(changes: &[f64], order: impl Fn(u64) -> bool) -> Effects {
    let one = |(at, change): (usize, &f64)| {
        Some(Effect { change: *change, beyond: *change, base_first: order(at as u64 + 1) })
    };
    Effects { all: changes.iter().enumerate().map(one).collect() }
}

fn design(blocks: usize, stages: usize) -> Design {
    Design { blocks, stages, ..Design::default() }
}

/// True when any of `effects` is red.
fn is_red(effects: &[Effects], design: &Design) -> bool {
    let own: Vec<&Effects> = effects.iter().collect();
    red(&Family { effects: &own, design }).iter().any(Option::is_some)
}

fn reds(gate: impl Fn(Seed) -> bool) -> u64 {
    (0..GATES).map(|seed| u64::from(gate(Seed(seed)))).sum()
}

/// Ten blocks whose arms share the noise of their block; sd of the difference 5.5 %.
fn noisy_gate(seed: Seed, change: f64) -> bool {
    let mut stream = seed.stream("noise");
    let scale = 0.055 / (2.0_f64 * 5.0 / 3.0).sqrt();
    let changes: Vec<f64> = (0..10)
        .map(|_| {
            let shared = 0.2 * heavy(&mut stream);
            let arm = |stream: &mut Stream| shared + scale * heavy(stream);
            ln(1.0 + change) + arm(&mut stream) - arm(&mut stream)
        })
        .collect();
    is_red(&[effects(&changes, |block| coin(seed, block))], &design(10, 1))
}

#[test]
fn equal_arms_are_red_as_rarely_as_promised_and_a_slower_one_is_seen() {
    let false_reds = reds(|seed| noisy_gate(seed, 0.0));
    assert!(false_reds <= MOST_REDS, "{false_reds} of {GATES}");
    assert!(false_reds > 50, "a gate that is never red is no gate: {false_reds}");
    let seen = (0..1_000).filter(|seed| noisy_gate(Seed(*seed), 0.1)).count();
    assert!(seen >= 850, "+10 % is seen in {seen} of 1000");
}

/// Ten blocks during which everything becomes slower by `drift` in all; the arms are alike.
fn drifting_gate(seed: Seed, drift: f64, order: impl Fn(u64) -> bool) -> bool {
    let mut stream = seed.stream("noise");
    let slots = 20.0;
    let changes: Vec<f64> = (0..10)
        .map(|block| {
            let slot = |at: u64| ln(1.0 + drift * (2 * block + at) as f64 / slots);
            let noise = 0.03 * normal(&mut stream);
            if order(block + 1) { slot(1) - slot(0) + noise } else { slot(0) - slot(1) + noise }
        })
        .collect();
    is_red(&[effects(&changes, &order)], &design(10, 1))
}

#[test]
fn the_coin_makes_drift_harmless_and_without_it_this_harness_says_so() {
    let with_coin = reds(|seed| drifting_gate(seed, 0.2, |block| coin(seed, block)));
    assert!(with_coin <= MOST_REDS, "{with_coin} of {GATES}");
    let fixed = reds(|seed| drifting_gate(seed, 0.2, |_| true));
    assert!(fixed > 3 * MOST_REDS, "a fixed order must show: {fixed} of {GATES}");
}

/// Twenty checks on equal arms, twelve blocks.
fn many(seed: Seed) -> Vec<Effects> {
    let mut stream = seed.stream("noise");
    let mut one = || effects(&(0..12).map(|_| heavy(&mut stream)).collect::<Vec<_>>(), |_| true);
    (0..20).map(|_| one()).collect()
}

#[test]
fn twenty_checks_share_one_promise_and_without_holm_this_harness_says_so() {
    const SOME: u64 = 3_000;
    // 99.9 % limit of the binomial distribution for 3 000 gates at 1 %.
    let most = 48;
    let (mut with, mut without) = (0, 0);
    for seed in 0..SOME {
        let checks = many(Seed(seed));
        with += usize::from(is_red(&checks, &design(12, 1)));
        without += usize::from(checks.iter().any(|one| signed_rank(&one.beyond(usize::MAX)).p <= 0.01));
    }
    assert!(with <= most, "{with} of {SOME}");
    assert!(without > 5 * most, "uncorrected must show: {without} of {SOME}");
}

#[test]
fn two_stages_keep_the_promise_and_peeking_does_not() {
    let noise = |seed: Seed| {
        let mut stream = seed.stream("noise");
        (0..16).map(|_| heavy(&mut stream)).collect::<Vec<f64>>()
    };
    let two = reds(|seed| is_red(&[effects(&noise(seed), |_| true)], &design(8, 2)));
    assert!(two <= MOST_REDS, "{two} of {GATES}");
    let peeking = reds(|seed| {
        let all = noise(seed);
        let look = |n: usize| -> SignedRank { signed_rank(&all[..n]) };
        (8..=16).any(|n| look(n).p <= 0.01)
    });
    assert!(peeking > MOST_REDS + 60, "peeking must show: {peeking} of {GATES}");
}

#[test]
fn the_coin_is_fair_and_its_draws_are_its_own() {
    let heads = (0..20_000).filter(|seed| coin(Seed(*seed), 1)).count();
    assert!((9_700..=10_300).contains(&heads), "{heads}");
    let of = |seed: u64| (1..=40).map(|block| coin(Seed(seed), block)).collect::<Vec<_>>();
    assert_eq!(of(3), of(3));
    assert_ne!(of(3), of(4));
    assert!(of(3).contains(&true) && of(3).contains(&false));
}
