//! Controllers that die or stand still at random moments: nothing stays broken, the journal can be read, the path stays up.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use squall::base::clock::Clock;
use squall::base::seed::Seed;
use squall::measure::journal;

use super::night::{LEASE, Night, active, end_keeper, folder, lines, open, until};
use crate::support::quiet::alone;

/// The latest moment, s after the start: into the exercise, past several renewals.
const LATEST: u64 = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blow {
    Kill,
    Stop,
    Term,
    Int,
}

/// What one blow showed.
#[derive(Clone, Debug)]
struct Shown {
    blow: Blow,
    /// Seconds after the traffic began.
    at: f64,
    /// Acts that had been begun.
    begun: usize,
    /// Seconds from the blow until no act was in force.
    off: f64,
}

/// Strikes one controller as `seed` says.
fn strike(seed: u64) -> Shown {
    let mut draws = Seed(seed).stream("blow");
    let blow = [Blow::Kill, Blow::Stop, Blow::Term, Blow::Int][usize::try_from(draws.below(4)).unwrap()];
    // Half of them before the acts and while they begin, half while they are in force.
    let millis = if draws.below(2) == 0 { draws.below(21_500) } else { 20_000 + draws.below((LATEST - 20) * 1000) };
    let at = Duration::from_millis(millis);
    let night = Night::begin();
    let file = night.all(60);
    let running = night.drill(&file);
    let clock = Clock::start();
    let run = until(Duration::from_secs(30), || folder(&running));
    let ready = || lines(&run.join("journal.jsonl")).iter().any(|line| line["data"]["name"] == "steady");
    until(Duration::from_secs(30), || ready().then_some(()));
    let steady = clock.now();
    until(Duration::from_secs(120), || (clock.now() - steady >= at).then_some(()));
    running.signal(match blow {
        Blow::Kill => Signal::KILL,
        Blow::Stop => Signal::STOP,
        Blow::Term => Signal::TERM,
        Blow::Int => Signal::INT,
    });
    let struck = clock.now();
    let is_off = || {
        let faults = active(&run).is_some_and(|faults| !faults.is_empty());
        night.state() == 'S' && !night.target.flag() && !faults
    };
    until(Duration::from_secs(30), || is_off().then_some(()));
    let mut off = (clock.now() - struck).as_secs_f64();
    // What had been begun must stay off, from the end of its lease on.
    until(Duration::from_secs(30), || (clock.now() - struck >= Duration::from_secs(LEASE + 1)).then_some(()));
    if !is_off() {
        off = f64::INFINITY;
    }
    assert!(off <= (LEASE + 1) as f64, "seed {seed} {blow:?} at {at:?}: off after {off} s");
    if matches!(blow, Blow::Kill | Blow::Stop) {
        assert!(night.path_is_up(), "seed {seed} {blow:?} at {at:?}: the path is down");
    }
    let contents = journal::read(&run.join("journal.jsonl")).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let begun = lines(&run.join("journal.jsonl")).iter().filter(|line| line["kind"] == "intent").count();
    assert!(!contents.lines.is_empty());
    if blow == Blow::Stop {
        running.signal(Signal::CONT);
    }
    let ran = running.ends();
    let wanted: &[Option<i32>] = match blow {
        Blow::Kill => &[None],
        // A generator that stood still cannot be believed either: 5 stands before 6.
        Blow::Stop => &[Some(4), Some(5), Some(6)],
        Blow::Term => &[Some(143)],
        Blow::Int => &[Some(130)],
    };
    assert!(wanted.contains(&ran.code()), "seed {seed} {blow:?}: {:?}\n{}{}", ran.code(), ran.stdout(), ran.stderr());
    until(Duration::from_secs(30), || open(&run).is_empty().then_some(()));
    end_keeper(&run);
    journal::read(&run.join("journal.jsonl")).unwrap();
    Shown { blow, at: at.as_secs_f64(), begun, off }
}

/// Strikes `seeds`, so many at a time.
fn strike_all(seeds: std::ops::Range<u64>, at_once: usize) -> Vec<Shown> {
    let (next, shown) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, SeqCst);
                    if seed >= seeds.end {
                        return;
                    }
                    let one = strike(seed);
                    println!("seed {seed}: {one:?}");
                    shown.lock().unwrap().push(one);
                }
            });
        }
    });
    shown.into_inner().unwrap()
}

fn told(shown: &[Shown]) {
    for blow in [Blow::Kill, Blow::Stop, Blow::Term, Blow::Int] {
        let of: Vec<&Shown> = shown.iter().filter(|one| one.blow == blow).collect();
        let in_force = of.iter().filter(|one| one.begun > 0).count();
        let worst = of.iter().map(|one| one.off).fold(0.0, f64::max);
        let latest = of.iter().map(|one| one.at).fold(0.0, f64::max);
        println!(
            "{blow:?}: {} blows up to {latest:.1} s, {in_force} with acts, off after at most {worst:.2} s",
            of.len()
        );
    }
}

#[test]
fn a_controller_that_dies_at_any_moment_leaves_nothing_broken() {
    let _lock = alone();
    told(&strike_all(1..7, 6));
}

#[test]
#[ignore = "ten minutes: two hundred drills, many at a time"]
fn full_two_hundred_controllers_die_and_nothing_stays_broken() {
    let _lock = alone();
    let at_once = std::env::var("SQUALL_AT_ONCE").ok().and_then(|text| text.parse().ok()).unwrap_or(16);
    let shown = strike_all(1000..1200, at_once);
    told(&shown);
    assert_eq!(shown.len(), 200);
}

#[test]
#[ignore = "ten minutes"]
fn full_under_a_controller_that_stands_still_the_path_stays_up_and_healed() {
    let _lock = alone();
    let night = Night::begin();
    let running = night.drill(&night.all(60));
    let run = until(Duration::from_secs(30), || folder(&running));
    until(Duration::from_secs(60), || (night.state() == 'T' && night.target.flag()).then_some(()));
    running.signal(Signal::STOP);
    let clock = Clock::start();
    let mut looks = 0_u32;
    until(Duration::from_secs(700), || {
        let now = clock.now().secs_f64();
        if now > (LEASE + 1) as f64 {
            assert!(night.state() == 'S' && !night.target.flag(), "at {now} s");
            assert_eq!(active(&run), Some(vec![]), "at {now} s");
            assert!(night.path_is_up(), "at {now} s");
            looks += 1;
        }
        (now > 600.0).then_some(())
    });
    println!("{looks} looks in ten minutes: healed, and the path up");
    running.signal(Signal::CONT);
    let code = running.ends().code();
    assert!(matches!(code, Some(4..=6)), "{code:?}");
    assert!(fs::read_to_string(run.join("keeper.jsonl")).unwrap().contains("verified"));
}
