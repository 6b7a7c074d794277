//! The search against targets of known capacity, and each of its turns.

use super::*;
use crate::judge::account::{Band, BandKind};
use crate::judge::finding::Verdict;
use crate::judge::tests::{check, second};
use crate::measure::interval::Interval;
use crate::plan::threshold::{Cmp, Subject};

fn search(start: f64) -> Search {
    Search {
        start,
        most: None,
        least: None,
        hold: Duration::from_secs(30),
        settle: Duration::from_secs(5),
        tolerance: 0.05,
        slo: vec![check(Subject::Quantile(0.95), Cmp::Less, 100_000.0)],
    }
}

/// Plays `search` against `grade`; every trial, and the answer.
fn play(search: &Search, mut grade: impl FnMut(f64, u32) -> Grade) -> (Vec<Trial>, Answer) {
    let mut trials = Vec::new();
    loop {
        match next(search, &trials) {
            Next::Done(answer) => return (trials, answer),
            Next::Try { rate, holds } => trials.push(Trial { rate, holds, grade: grade(rate, holds) }),
        }
        assert!(trials.len() < 60, "{trials:?}");
    }
}

#[test]
fn a_known_capacity_is_found_within_five_percent_in_at_most_twelve_steps() {
    for n in 0..200 {
        let capacity = 10.0 * 3.2_f64.powf(f64::from(n) / 66.5);
        let (trials, answer) = play(&search(10.0), |rate, _| if rate <= capacity { Grade::Good } else { Grade::Bad });
        let Answer::Found { rate, bad } = answer else { panic!("{capacity}: {answer:?}") };
        assert!(rate <= capacity && rate >= capacity / 1.05 && bad <= rate * 1.05 + 1e-9, "{capacity}: {answer:?}");
        assert!(trials.len() <= 12, "{capacity}: {} steps", trials.len());
        assert_eq!(trials.last().map(|one| (one.rate, one.holds)), Some((rate, 2)), "the answer is confirmed");
    }
}

#[test]
fn an_unclear_rate_is_held_twice_as_long_once_and_then_counts_as_bad() {
    let (trials, answer) = play(&search(100.0), |rate, _| if rate <= 150.0 { Grade::Good } else { Grade::Unclear });
    assert!(matches!(answer, Answer::Found { rate, .. } if (142.0..=150.0).contains(&rate)), "{answer:?}");
    assert_eq!(trials[1..3].iter().map(|one| (one.rate, one.holds)).collect::<Vec<_>>(), [(200.0, 1), (200.0, 2)]);
    let (trials, _) = play(&search(100.0), |rate, holds| match rate {
        rate if rate <= 150.0 || holds == 2 && rate <= 200.0 => Grade::Good,
        rate if rate <= 200.0 => Grade::Unclear,
        _ => Grade::Bad,
    });
    assert!((trials[3].rate - 400.0).abs() < 1e-9, "what holds when it is held longer is good");
}

#[test]
fn a_failed_confirmation_lowers_the_rate_and_two_more_are_allowed() {
    let weak = |rate: f64, holds: u32| {
        if rate <= if holds == 2 { 190.0 } else { 210.0 } { Grade::Good } else { Grade::Bad }
    };
    let (trials, answer) = play(&search(100.0), weak);
    assert!(matches!(answer, Answer::Found { rate, bad } if rate <= 190.0 && bad > 190.0), "{answer:?}");
    assert!(trials.iter().filter(|one| one.holds == 2).count() <= 3);
    let (trials, answer) =
        play(&search(100.0), |rate, holds| if holds == 1 && rate <= 210.0 { Grade::Good } else { Grade::Bad });
    assert!(matches!(answer, Answer::Unconfirmed(_)), "{answer:?}");
    assert_eq!(trials.iter().filter(|one| one.holds == 2).count(), 3);
}

#[test]
fn a_spoilt_rate_is_repeated_once_and_then_the_generator_is_the_bound() {
    let (trials, answer) = play(&search(10.0), |rate, _| if rate < 100.0 { Grade::Good } else { Grade::Spoilt });
    assert_eq!(answer, Answer::GeneratorBound(80.0));
    assert_eq!(trials.iter().filter(|one| one.rate > 100.0).count(), 2);
    let mut first = true;
    let (_, answer) = play(&search(10.0), |rate, _| match rate {
        rate if rate > 100.0 && std::mem::take(&mut first) => Grade::Spoilt,
        rate if rate > 200.0 => Grade::Bad,
        _ => Grade::Good,
    });
    assert!(matches!(answer, Answer::Found { .. }), "a spoilt step counts for nothing: {answer:?}");
}

#[test]
fn the_highest_allowed_rate_is_never_exceeded_and_a_dead_target_ends_it_at_once() {
    let limited = Search { most: Some(70.0), ..search(10.0) };
    let (trials, answer) = play(&limited, |_, _| Grade::Good);
    assert_eq!(answer, Answer::AtLeast(70.0));
    assert!(trials.iter().all(|one| one.rate <= 70.0));
    let (trials, answer) = play(&search(10.0), |_, _| Grade::Bad);
    assert_eq!((trials.len(), answer), (1, Answer::NothingHeld(10.0)));
}

/// A journal's bands and a record of `rates`, each held for thirty seconds and bad above 100/s.
fn run(rates: &[u32]) -> (Vec<Band>, Vec<Interval>) {
    let (mut bands, mut seconds, mut at) = (Vec::new(), Vec::new(), 0);
    for rate in rates {
        bands.push(Band {
            name: format!("step:{rate}/s"),
            kind: BandKind::Phase,
            from_s: f64::from(at),
            to_s: f64::from(at + 30),
        });
        let took = if *rate > 100 { 400_000 } else { 20_000 };
        seconds.extend((at..at + 30).map(|n| second(n, u64::from(*rate), 0, took)));
        at += 30;
    }
    (bands, seconds)
}

#[test]
fn a_search_is_read_back_from_its_phases_and_seconds() {
    let search = search(80.0);
    let (bands, seconds) = run(&[80, 160]);
    let read = course(&search, (&bands, &[]), &seconds);
    let grades: Vec<Grade> = read.steps.iter().map(|one| one.trial.grade).collect();
    assert_eq!(grades, [Grade::Good, Grade::Bad]);
    assert_eq!((read.steps[1].n, read.answer()), (4_800, None));
    assert!(matches!(read.next, Next::Try { rate, holds: 1 } if (rate - 113.137).abs() < 1e-6), "{:?}", read.next);
    assert!(read.steps[1].why.contains("400 ms"), "{}", read.steps[1].why);
    let (bands, seconds) = run(&[160]);
    let finding = course(&search, (&bands, &[]), &seconds).findings(&search).remove(0);
    assert_eq!((finding.id.as_str(), finding.verdict), ("capacity", Verdict::Inconclusive));
    let demanding = Search { least: Some(200.0), ..search };
    let finding = course(&demanding, (&bands, &[]), &seconds).findings(&demanding).remove(0);
    assert_eq!(finding.verdict, Verdict::Fail, "a bad rate below --min proves that --min is not reached");
}

#[test]
fn the_exit_of_a_search_follows_its_answer_and_the_demanded_rate() {
    let verdict = |answer, least| {
        let search = Search { least, ..search(10.0) };
        let read = Course { steps: Vec::new(), next: Next::Done(answer), stuck: Vec::new() };
        read.findings(&search).remove(0).verdict
    };
    let found = Answer::Found { rate: 100.0, bad: 104.0 };
    for (answer, least, want) in [
        (found, None, Verdict::Pass),
        (found, Some(90.0), Verdict::Pass),
        (found, Some(110.0), Verdict::Fail),
        (Answer::AtLeast(100.0), None, Verdict::Inconclusive),
        (Answer::AtLeast(100.0), Some(100.0), Verdict::Pass),
        (Answer::GeneratorBound(100.0), None, Verdict::Inconclusive),
        (Answer::GeneratorBound(100.0), Some(90.0), Verdict::Pass),
        (Answer::GeneratorBound(100.0), Some(110.0), Verdict::Invalid),
        (Answer::Unconfirmed(100.0), Some(90.0), Verdict::Inconclusive),
    ] {
        assert_eq!(verdict(answer, least), want, "{answer:?} {least:?}");
    }
}
