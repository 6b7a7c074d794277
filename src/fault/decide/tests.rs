//! Decisions about many units: shares, patterns, caps, and what they depend on.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use super::*;
use crate::base::rate::Rate;
use crate::base::ratio::Ratio;
use crate::fault::ledger;
use crate::plan::fault::{Caps, Envelope, Keep, Pattern, Ramp, Side, Toxic};

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn fault(name: &str, share: f64, envelope: Envelope) -> Fault {
    let inject = Toxic::latency(ms(1));
    let (name, on, side) = (name.into(), "db".into(), Side::Downstream);
    Fault { name, on, inject: inject.into(), side, share: Ratio::new(share), lasts: None, envelope: Box::new(envelope) }
}

fn messages(pattern: Pattern) -> Envelope {
    Envelope { per: Per::Message, pattern, ..Envelope::default() }
}

fn decider(seed: u64, fault: Fault) -> Arc<Decider> {
    Arc::new(Decider::new(Seed(seed), fault, Tick::ZERO, Arc::new(Ledger::new(Keep::Full))))
}

fn message(connection: u64, ordinal: u64) -> Unit {
    Unit { proxy: 7, connection, message: Some(ordinal), ..Unit::default() }
}

fn hits(decider: &Arc<Decider>, units: impl Iterator<Item = Unit>) -> u64 {
    units.map(|unit| u64::from(decider.judge(&unit, Tick::ZERO, None).hit().is_some())).sum()
}

#[test]
fn a_share_of_requests_is_hit_as_often_as_it_says() {
    let units = || (0..100_000).map(|n| message(n % 64, n / 64));
    for (share, range) in [(0.0, 0..=0), (0.25, 24_550..=25_450), (1.0, 100_000..=100_000)] {
        let decider = decider(1, fault("slow", share, messages(Pattern::Always)));
        let hit = hits(&decider, units());
        assert!(range.contains(&hit), "99.9 % interval of the binomial at {share}: {hit}");
        let seen = decider.stats();
        assert_eq!((seen.considered, seen.touched), (100_000, hit));
        assert_eq!(seen.considered, seen.touched + seen.untouched.sum());
    }
}

fn entries(seed: u64, threads: u64, other: Option<&str>) -> Vec<Entry> {
    let caps = Caps { delay: ms(300), ..Caps::default() };
    let envelope = Envelope { caps, ..messages(Pattern::First { n: 3, of: Of::User }) };
    let one = decider(seed, fault("slow", 0.25, envelope.clone()));
    let other = other.map(|name| decider(seed, fault(name, 0.5, envelope)));
    let time = Time::LogNormal { median: ms(80), p95: ms(440) };
    thread::scope(|scope| {
        for thread in 0..threads {
            let (one, other, time) = (&one, &other, &time);
            scope.spawn(move || {
                let mine = (0..256 * 40).filter(|n| n / 40 % threads == thread);
                for (user, request) in mine.map(|n| (n / 40, n % 40)) {
                    let trace = Some(Trace { user, request: request / 2 });
                    let unit = Unit { trace, ..message(user, request) };
                    drop(other.as_ref().map(|other| other.judge(&unit, Tick::ZERO, Some(time))));
                    drop(one.judge(&unit, Tick::ZERO, Some(time)));
                }
            });
        }
    });
    let file = [ledger::MAGIC.to_vec(), one.ledger.drain()].concat();
    let mut entries = ledger::read(&file).unwrap().entries;
    entries.sort();
    entries
}

#[test]
fn the_ledger_is_the_same_at_any_concurrency_and_whatever_other_faults_exist() {
    let one = entries(1, 1, None);
    assert_eq!(one.len(), 256 * 40);
    assert!(one.iter().any(|entry| entry.clamped) && one.iter().all(|entry| !entry.by_arrival));
    assert!(one.iter().any(|entry| entry.outcome == Outcome::Pattern && entry.occurrence == 1));
    assert_eq!(one, entries(1, 16, None), "at another concurrency");
    assert_eq!(one, entries(1, 16, Some("other")), "beside another fault");
    assert_ne!(one, entries(2, 1, None), "under another seed");
}

#[test]
fn a_retry_does_not_share_the_fate_of_its_first_attempt() {
    let decider = decider(1, fault("slow", 0.5, messages(Pattern::Always)));
    let mut fates: BTreeMap<u64, Vec<bool>> = BTreeMap::new();
    for request in 0..200 {
        for attempt in 0..4 {
            let unit = Unit { trace: Some(Trace { user: 1, request }), ..message(attempt, 0) };
            let hit = decider.judge(&unit, Tick::ZERO, None).hit().is_some();
            fates.entry(request).or_default().push(hit);
        }
    }
    assert!(fates.values().filter(|fate| fate.contains(&true) && fate.contains(&false)).count() > 150);
}

#[test]
fn one_decision_holds_for_a_whole_connection_or_user() {
    for (per, groups) in [(Per::Connection, 50), (Per::User, 10)] {
        let envelope = Envelope { per, ..Envelope::default() };
        let decider = decider(1, fault("slow", 0.5, envelope));
        let mut fates: BTreeMap<u64, Vec<bool>> = BTreeMap::new();
        for n in 0..1_000 {
            let (connection, user) = (n % 50, n % 10);
            let unit = Unit { trace: Some(Trace { user, request: n }), ..message(connection, n) };
            let hit = decider.judge(&unit, Tick::ZERO, None).hit().is_some();
            fates.entry(if per == Per::User { user } else { connection }).or_default().push(hit);
        }
        assert_eq!(fates.len(), groups);
        assert!(fates.values().all(|fate| fate.iter().all(|hit| Some(hit) == fate.first())), "{per:?}");
        assert!(fates.values().any(|fate| fate.contains(&true)) && fates.values().any(|fate| fate.contains(&false)));
    }
}

#[test]
fn the_number_that_first_takes_is_exact_under_sixteen_threads() {
    let decider = decider(1, fault("slow", 0.25, messages(Pattern::First { n: 100, of: Of::Fault })));
    let taken = AtomicU64::new(0);
    thread::scope(|scope| {
        for thread in 0..16 {
            let (decider, taken) = (&decider, &taken);
            scope.spawn(move || taken.fetch_add(hits(decider, (0..1_000).map(|n| message(thread, n))), Relaxed));
        }
    });
    assert_eq!(taken.load(Relaxed), 100);
    let file = [ledger::MAGIC.to_vec(), decider.ledger.drain()].concat();
    let entries = ledger::read(&file).unwrap().entries;
    assert!(entries.iter().all(|entry| entry.by_arrival == (entry.outcome != Outcome::Share)));
}

#[test]
fn a_hit_keeps_its_place_as_long_as_it_is_kept() {
    let caps = Caps { active: Some(2), ..Caps::default() };
    let decider = decider(1, fault("slow", 1.0, Envelope { caps, ..messages(Pattern::Always) }));
    let judge = |n| decider.judge(&message(0, n), Tick::ZERO, Some(&Time::Fixed(ms(5))));
    let (first, second) = (judge(0).hit().unwrap(), judge(1).hit().unwrap());
    assert!(matches!(judge(2), Decision::Capped));
    drop(first);
    let third = judge(3).hit().unwrap();
    second.realised(ms(9));
    drop(third);
    let seen = decider.stats();
    assert_eq!((seen.touched, seen.untouched.capped, seen.active, seen.peak), (3, 1, 0, 2));
    assert_eq!((seen.drawn.count, seen.drawn.longest), (3, ms(5)));
    assert_eq!((seen.held.count, seen.held.longest), (1, ms(9)));
}

#[test]
fn a_draw_above_the_longest_hold_is_cut_and_counted() {
    let caps = Caps { delay: ms(100), ..Caps::default() };
    let decider = decider(1, fault("slow", 1.0, Envelope { caps, ..messages(Pattern::Always) }));
    let time = Time::Uniform { from: ms(0), to: ms(200) };
    let holds: Vec<Duration> =
        (0..1_000).map(|n| decider.judge(&message(0, n), Tick::ZERO, Some(&time)).hit().unwrap().hold).collect();
    let cut = holds.iter().filter(|hold| **hold == ms(100)).count() as u64;
    assert!(holds.iter().all(|hold| *hold <= ms(100)) && (400..600).contains(&cut), "{cut}");
    assert_eq!(decider.stats().drawn.odd, cut);
}

#[test]
fn ramps_multiply_share_or_severity_at_the_moment_of_the_decision() {
    let ramp = |of| Some(Ramp { of, points: [(ms(0), 0.0), (ms(1_000), 1.0)].into() });
    let rising = decider(1, fault("slow", 1.0, Envelope { ramp: ramp(Scale::Share), ..messages(Pattern::Always) }));
    for (at, range) in [(0, 0..=0), (250, 2_350..=2_650), (1_000, 10_000..=10_000)] {
        let at = Tick::from_millis(at);
        let hit = (0..10_000).filter(|n| rising.judge(&message(0, *n), at, None).hit().is_some()).count();
        assert!(range.contains(&hit), "{at}: {hit}");
    }
    let growing = Envelope { ramp: ramp(Scale::Severity), ..messages(Pattern::Always) };
    let growing = decider(1, fault("slow", 1.0, growing));
    for (at, hold) in [(0, 0), (250, 20), (5_000, 80)] {
        let hit = growing.judge(&message(0, 0), Tick::from_millis(at), Some(&Time::Fixed(ms(80)))).hit().unwrap();
        assert_eq!(hit.hold, ms(hold), "{at}");
    }
}

#[test]
fn a_rate_bounds_what_many_ask_for() {
    let caps = Caps { rate: Some(Rate::per_second(20.0)), ..Caps::default() };
    let decider = decider(1, fault("slow", 1.0, Envelope { caps, ..messages(Pattern::Always) }));
    let asked = (0..4_000_u64).map(|n| (message(n % 8, n), Tick::from_millis(n / 2)));
    let hit = asked.filter(|(unit, at)| decider.judge(unit, *at, None).hit().is_some()).count();
    assert_eq!(hit, 40, "two seconds at 20/s");
}
