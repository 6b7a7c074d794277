//! Synthetic incidents whose truth is known.

use super::*;
use crate::base::seed::{Seed, Stream};
use crate::measure::outcome::Class;

const BASELINE: usize = 60;
const BAD_FOR: usize = 60;
const BETTER_FOR: usize = 40;
const AFTER: usize = 60;

/// One second of `total` requests, each bad with probability `p`.
fn second(total: u64, p: f64, stream: &mut Stream) -> Second {
    let bad = (0..total).filter(|_| stream.unit() < p).count();
    Second { total, bad: u64::try_from(bad).unwrap(), fit: true }
}

/// 0.2 % bad, then `p`, then a fifth of it, then 0.2 %.
fn steps(total: u64, p: f64, run: u64) -> Vec<Second> {
    let mut stream = Seed(run).stream("impact/steps");
    [(BASELINE, 0.002), (BAD_FOR, p), (BETTER_FOR, p / 5.0), (AFTER, 0.002)]
        .into_iter()
        .flat_map(|(seconds, share)| std::iter::repeat_n(share, seconds))
        .map(|share| second(total, share, &mut stream))
        .collect()
}

fn course(series: &[Second]) -> Course {
    Course { baseline: 0..BASELINE, end: series.len(), hold: 10 }
}

/// The 5th and 95th percentile of the errors of 200 runs; what was not found is as wrong as can be.
fn spread(found: &[Impact], truth: usize, instant: impl Fn(&Impact) -> Option<usize>) -> (i64, i64) {
    let mut errors: Vec<i64> = found
        .iter()
        .map(|one| instant(one).map_or(i64::MAX, |at| i64::try_from(at).unwrap() - i64::try_from(truth).unwrap()))
        .collect();
    errors.sort_unstable();
    (errors[errors.len() / 20], errors[errors.len() * 19 / 20])
}

#[test]
fn instants_lie_within_three_seconds_of_the_truth() {
    for p in [0.2, 0.4, 0.6] {
        let found: Vec<Impact> = (0..200)
            .map(|run| {
                let series = steps(100, p, run);
                measure(&series, &course(&series))
            })
            .collect();
        for (name, truth, spread) in [
            ("impact", BASELINE, spread(&found, BASELINE, |one| one.impact)),
            ("mitigated", BASELINE + BAD_FOR, spread(&found, BASELINE + BAD_FOR, |one| one.mitigated)),
            ("recovered", BASELINE + BAD_FOR + BETTER_FOR, {
                spread(&found, BASELINE + BAD_FOR + BETTER_FOR, |one| one.recovered)
            }),
        ] {
            assert!(spread.0 >= -3 && spread.1 <= 3, "{name} at {truth} with {p}: {spread:?}");
        }
        assert!(found.iter().all(|one| one.plateau > 0.15 * p && one.peak > 0.8 * p), "{p}");
    }
}

#[test]
fn healthy_runs_hardly_ever_show_an_impact() {
    let mut stream = Seed(9).stream("impact/healthy");
    let runs = 150;
    let felt = (0..runs)
        .filter(|_| {
            let series: Vec<Second> = (0..600).map(|_| second(30, 0.002, &mut stream)).collect();
            measure(&series, &course(&series)).impact.is_some()
        })
        .count();
    assert_eq!(felt, 0, "of {runs}");
}

#[test]
fn whoever_waits_for_nobody_never_recovers() {
    let mut series = steps(100, 0.6, 1);
    series.truncate(BASELINE + BAD_FOR);
    let mut course = course(&series);
    // The clean-up heals it after the end of the exercise; that is nobody's merit.
    series.extend(std::iter::repeat_n(Second { total: 100, bad: 0, fit: true }, 60));
    let seen = measure(&series, &course);
    assert_eq!((seen.impact, seen.recovered), (Some(BASELINE), None));
    course.end = series.len();
    assert_eq!(measure(&series, &course).recovered, Some(BASELINE + BAD_FOR));
}

#[test]
fn seconds_that_are_not_fit_put_recovery_off() {
    let mut series = steps(100, 0.4, 2);
    let truth = BASELINE + BAD_FOR + BETTER_FOR;
    for second in &mut series[truth..truth + 30] {
        second.fit = false;
    }
    // Fit again, it is dated back over seconds that were good for their users.
    let seen = recover(&series, BASELINE + 3..series.len(), 10).unwrap();
    assert_eq!(seen, truth + 30);
}

#[test]
fn nothing_is_an_impact_without_requests_or_baseline() {
    let empty = Second { total: 0, bad: 0, fit: true };
    assert_eq!(measure(&[], &Course { baseline: 0..0, end: 0, hold: 10 }).impact, None);
    let silence = vec![empty; 100];
    assert_eq!(measure(&silence, &course(&silence)).impact, None);
    let bad = vec![Second { total: 100, bad: 100, fit: true }; 100];
    assert_eq!(measure(&bad, &Course { baseline: 0..0, end: 100, hold: 10 }).impact, None);
}

#[test]
fn the_live_reading_sees_it_soon_and_clears_after_it() {
    let mut live = Live::new();
    let series = steps(100, 0.6, 3);
    let mut cleared = None;
    for (at, second) in series.iter().enumerate() {
        let mut classes = Classes::default();
        classes.add(Class::Ok, second.total - second.bad);
        classes.add(Class::Error, second.bad);
        if at < BASELINE {
            live.baseline(&classes);
            assert_eq!(live.impact(), None);
        } else {
            live.fold(&classes);
        }
        if live.clear() && cleared.is_none() {
            cleared = Some(at);
        }
    }
    assert!(live.impact().is_some_and(|at| at <= 3), "{:?}", live.impact());
    let truth = BASELINE + BAD_FOR + BETTER_FOR;
    assert!(cleared.is_some_and(|at| (truth + 9..truth + 20).contains(&at)), "{cleared:?}");
    assert!(live.ratio().is_some_and(|ratio| ratio <= 0.01) && live.clean_for() > 20);
}
