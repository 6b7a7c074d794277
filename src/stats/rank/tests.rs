//! Published vectors, tables of critical values, and full enumeration.

use proptest::prelude::*;

use super::*;
use crate::stats::holm::deviation;
use crate::stats::portable::{exp, ln};

const BASE: [f64; 10] = [212.4, 209.8, 221.0, 215.2, 233.9, 224.6, 218.1, 211.5, 226.3, 219.7];
const CANDIDATE: [f64; 10] = [231.0, 226.9, 236.1, 238.4, 241.7, 247.9, 229.0, 232.2, 240.8, 243.5];

fn changes(margin: f64) -> Vec<f64> {
    BASE.iter().zip(CANDIDATE).map(|(base, candidate)| ln(candidate) - ln(base * (1.0 + margin))).collect()
}

fn percent(log: f64) -> String {
    format!("{:+.2}", (exp(log) - 1.0) * 100.0)
}

#[test]
fn ten_blocks_give_the_known_estimate_and_bounds() {
    let changes = changes(0.0);
    let shown: Vec<String> = changes.iter().map(|d| format!("{d:.4}")).collect();
    let want = ["0.0839", "0.0784", "0.0661", "0.1024", "0.0328", "0.0987", "0.0488", "0.0934", "0.0621", "0.1029"];
    assert_eq!(shown, want);
    assert_eq!(format!("{:.4}", deviation(&changes).unwrap()), "0.0240");
    let walsh = Walsh::of(&changes);
    assert_eq!(walsh.averages.len(), 55);
    assert_eq!(percent(walsh.centre().unwrap()), "+8.15");
    let (low, high) = walsh.bounds(0.01).unwrap();
    assert_eq!((percent(low).as_str(), percent(high).as_str()), ("+5.70", "+10.37"));
    let (low, high) = walsh.bounds(0.05).unwrap();
    assert_eq!((percent(low).as_str(), percent(high).as_str()), ("+6.51", "+9.79"));
    assert_eq!((order_of_bound(10, 0.01), order_of_bound(10, 0.05)), (Some(6), Some(11)));
    assert_eq!((order_of_bound(6, 0.01), order_of_bound(0, 0.01)), (None, None));
}

#[test]
fn every_margin_has_its_known_w_and_p() {
    for (margin, w, p) in
        [(0.0, 55.0, "0.00098"), (0.03, 55.0, "0.00098"), (0.05, 51.0, "0.00684"), (0.1, 9.0, "0.97559")]
    {
        let test = signed_rank(&changes(margin));
        assert!((test.w - w).abs() < 1e-9 && (test.w_max - 55.0).abs() < 1e-9, "{margin}: {test:?}");
        assert_eq!(format!("{:.5}", test.p), p, "{margin}");
    }
    let upper = Walsh::of(&changes(0.1)).bounds(0.05).unwrap().1;
    assert!(upper < 0.0, "passes a margin of 10 %: {upper}");
}

#[test]
fn critical_values_are_those_of_the_table() {
    type Row = (usize, [Option<(usize, &'static str)>; 4]);
    let table: [Row; 6] = [
        (6, [Some((19, "4.69")), None, None, None]),
        (8, [Some((31, "3.91")), Some((35, "0.78")), Some((36, "0.39")), None]),
        (10, [Some((45, "4.20")), Some((50, "0.98")), Some((52, "0.49")), Some((55, "0.098"))]),
        (12, [Some((61, "4.61")), Some((69, "0.81")), Some((71, "0.46")), Some((76, "0.073"))]),
        (16, [Some((101, "4.67")), Some((113, "0.91")), Some((117, "0.46")), Some((125, "0.084"))]),
        (20, [Some((150, "4.87")), Some((167, "0.96")), Some((173, "0.47")), Some((184, "0.099"))]),
    ];
    for (n, row) in table {
        for (a, want) in [0.05, 0.01, 0.005, 0.001].into_iter().zip(row) {
            let places = if a < 0.002 { 3 } else { 2 };
            let found = critical(n, a).map(|(w, size)| (w, format!("{:.places$}", size * 100.0)));
            assert_eq!(found, want.map(|(w, size)| (w, size.to_owned())), "{n} {a}");
        }
    }
}

#[test]
fn nothing_but_zeros_proves_nothing() {
    for values in [&[][..], &[0.0; 9], &[f64::NAN; 3]] {
        let test = signed_rank(values);
        assert!((test.p - 1.0).abs() < 1e-15 && test.n == 0 && test.w.abs() < 1e-15, "{test:?}");
    }
    assert_eq!(Walsh::of(&[]).centre(), None);
    let tied = signed_rank(&[2.0; 7]);
    assert!((tied.w - 28.0).abs() < 1e-12 && (tied.p - 1.0 / 128.0).abs() < 1e-15, "{tied:?}");
}

/// P(W ≥ w) by trying all signs.
fn enumerated(values: &[f64]) -> f64 {
    let kept: Vec<f64> = values.iter().copied().filter(|value| value.abs() > 0.0).collect();
    let rank = |value: f64| {
        let below = kept.iter().filter(|other| other.abs() < value.abs()).count() as f64;
        let same = kept.iter().filter(|other| (other.abs() - value.abs()).abs() < 1e-12).count() as f64;
        below + f64::midpoint(same, 1.0)
    };
    let ranks: Vec<f64> = kept.iter().map(|value| rank(*value)).collect();
    let seen: f64 = ranks.iter().zip(&kept).filter(|(_, value)| **value > 0.0).map(|(rank, _)| rank).sum();
    let all = 1_u32 << kept.len();
    let sum = |signs: u32| -> f64 {
        ranks.iter().enumerate().filter(|(at, _)| signs >> at & 1 == 1).map(|(_, rank)| rank).sum()
    };
    (0..all).filter(|signs| sum(*signs) >= seen - 1e-9).count() as f64 / f64::from(all)
}

/// Two-sided rank-sum p by trying all choices.
fn chosen(a: &[f64], b: &[f64]) -> f64 {
    let all: Vec<f64> = a.iter().chain(b).copied().collect();
    let rank = |value: f64| {
        let below = all.iter().filter(|other| **other < value).count() as f64;
        let same = all.iter().filter(|other| (**other - value).abs() < 1e-12).count() as f64;
        below + f64::midpoint(same, 1.0)
    };
    let ranks: Vec<f64> = all.iter().map(|value| rank(*value)).collect();
    let seen: f64 = ranks.iter().take(a.len()).sum();
    let sums: Vec<f64> = (0..1_u32 << all.len())
        .filter(|mask| mask.count_ones() as usize == a.len())
        .map(|mask| ranks.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1).map(|(_, rank)| rank).sum())
        .collect();
    let share =
        |wanted: &dyn Fn(f64) -> bool| sums.iter().filter(|sum| wanted(**sum)).count() as f64 / sums.len() as f64;
    (2.0 * share(&|sum| sum <= seen + 1e-9).min(share(&|sum| sum >= seen - 1e-9))).min(1.0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn p_is_that_of_full_enumeration_ties_and_zeros_included(values in prop::collection::vec(-6_i32..=6, 0..=12)) {
        let values: Vec<f64> = values.into_iter().map(f64::from).collect();
        let test = signed_rank(&values);
        prop_assert!((test.p - enumerated(&values)).abs() < 1e-12, "{:?} {}", test, enumerated(&values));
    }

    #[test]
    fn the_rank_sum_is_that_of_full_enumeration(a in prop::collection::vec(-4_i32..=4, 1..=5), b in prop::collection::vec(-4_i32..=4, 1..=5)) {
        let (a, b): (Vec<f64>, Vec<f64>) = (a.into_iter().map(f64::from).collect(), b.into_iter().map(f64::from).collect());
        prop_assert!((rank_sum(&a, &b) - chosen(&a, &b)).abs() < 1e-12);
    }
}

#[test]
fn two_groups_that_do_not_overlap_differ_as_clearly_as_they_can() {
    assert!((rank_sum(&[1.0, 2.0, 3.0, 4.0, 5.0], &[6.0, 7.0, 8.0, 9.0, 10.0]) - 2.0 / 252.0).abs() < 1e-12);
    assert!((rank_sum(&[], &[1.0]) - 1.0).abs() < 1e-15);
}
