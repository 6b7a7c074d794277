//! Tests of the cluster-robust interval, with its worked example.

use super::*;

fn close(ours: f64, truth: f64, within: f64, what: &str) {
    assert!((ours - truth).abs() <= within, "{what}: {ours} is not {truth}");
}

fn twelve() -> Vec<Batch> {
    [478, 481, 470, 476, 483, 465, 472, 479, 474, 480, 468, 474]
        .map(|counted| Batch { arrivals: 500, counted })
        .to_vec()
}

#[test]
fn twelve_batches_give_the_worked_interval() {
    let estimate = ClusterEstimate::of(0.95, &twelve(), 0.05).unwrap();
    close(estimate.n, 6000.0, 0.0, "n");
    close(estimate.p, 0.95, 1e-15, "p");
    close(estimate.deff, 1.28612, 1e-5, "deff");
    close(estimate.n_eff, 4665.18, 0.02, "n_eff");
    close(estimate.h, 0.007_023_1, 1e-7, "h");
    let ranks = estimate.ranks(0.95, 0);
    close(ranks.lower, 0.942_976_9, 1e-7, "lower");
    close(ranks.upper.unwrap(), 0.957_023_1, 1e-7, "upper");
    close(estimate.tail(0.95), 233.26, 0.01, "tail");
}

#[test]
fn an_upper_rank_among_the_unanswered_is_unbounded() {
    let estimate = ClusterEstimate::of(0.95, &twelve(), 0.05).unwrap();
    assert!(estimate.ranks(0.95, 240).upper.is_some(), "4 % unanswered: the limit is among the answered");
    assert_eq!(estimate.ranks(0.95, 270).upper, None, "4.5 % unanswered");
    let mostly_dead = estimate.ranks(0.95, 600);
    assert_eq!(mostly_dead.upper, None);
    close(mostly_dead.lower, 0.9, 1e-12, "the last answered rank");
    assert_eq!(estimate.ranks(0.999, 0).upper, None, "q + h >= 1");
}

#[test]
fn equal_batches_are_worth_no_more_than_independent_draws() {
    let even = vec![Batch { arrivals: 100, counted: 95 }; 10];
    close(design_effect(&even).unwrap(), 1.0, 0.0, "deff");
}

#[test]
fn one_bad_batch_costs_most_of_the_evidence() {
    let mut batches = vec![Batch { arrivals: 1000, counted: 990 }; 10];
    batches[4].counted = 500;
    let estimate = ClusterEstimate::of(0.95, &batches, 0.05).unwrap();
    assert!(estimate.n_eff < 100.0, "{estimate:?}");
}

#[test]
fn too_few_batches_give_no_interval() {
    assert_eq!(ClusterEstimate::of(0.95, &twelve()[..5], 0.05), None);
    assert_eq!(ClusterEstimate::of(0.95, &[Batch::default(); 8], 0.05), None, "no arrivals");
}

#[test]
fn a_share_of_one_still_has_a_spread_and_no_upper_limit() {
    let all = vec![Batch { arrivals: 50, counted: 50 }; 8];
    let estimate = ClusterEstimate::of(0.99, &all, 0.05).unwrap();
    assert!(estimate.h > 0.0);
    assert_eq!(estimate.ranks(0.99, 0).upper, None);
}

#[test]
fn the_length_of_a_batch_follows_the_scope() {
    for (seconds, length) in [(5, 1), (6, 1), (30, 5), (59, 9), (60, 10), (120, 10), (300, 15), (600, 30)] {
        assert_eq!(batch_length(seconds), length, "{seconds} s");
    }
}

#[test]
fn a_remainder_under_half_a_batch_joins_its_neighbour() {
    let lengths = |n: u64| batches(&(0..n).collect::<Vec<_>>()).iter().map(ExactSizeIterator::len).collect::<Vec<_>>();
    assert_eq!(lengths(64), [10, 10, 10, 10, 10, 14]);
    assert_eq!(lengths(65), [10, 10, 10, 10, 10, 10, 5]);
    assert_eq!(lengths(3), [1, 1, 1]);
    assert_eq!(lengths(0), Vec::<usize>::new());
}

#[test]
fn no_batch_spans_a_gap_and_no_second_is_lost() {
    let seconds: Vec<u64> = (0..33).chain(40..72).chain(90..92).collect();
    let cuts = batches(&seconds);
    assert_eq!(cuts, [0..10, 10..20, 20..33, 33..43, 43..53, 53..65, 65..67]);
}
