//! Undos that fail, are repaired, are interrupted; acts that touch nothing; journals that cannot be written.

use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use squall::base::clock::Clock;

use super::night::{FLAG, Night, SLOW, active, begun, end_keeper, folder, lines, open, until};
use crate::support::quiet::{alone, unspoilt};

const SOON: Duration = Duration::from_secs(60);

fn recover(run: &Path, code: i32) -> String {
    Night::prepared("").args(["recover", run.to_str().unwrap()]).run().exits(code).stdout()
}

/// An undo that the system refuses is named with 7; repaired it is 0; and then there is nothing left to do.
fn refused() {
    let (night, running, run) = begun(|night| night.file(&[SLOW, FLAG], 30), |night, _| night.target.flag());
    night.target.refuse(true);
    running.signal(Signal::INT);
    let ran = running.ends().exits(7);
    assert!(ran.stdout().contains("ship"), "{}", ran.stdout());
    end_keeper(&run);
    assert!(night.target.flag() && open(&run) == ["ship"]);
    let words = recover(&run, 7);
    assert!(words.contains("`ship` is NOT healed") && words.contains("503"), "{words}");
    // The same system is not shaken again before that is healed.
    let out = run.parent().unwrap().to_str().unwrap();
    let again = Night::prepared(&night.file(&[SLOW], 30)).args(["drill", "small_night.ron", "--out", out]).run();
    again.exits(7).says("squall recover");
    night.target.refuse(false);
    let words = recover(&run, 0);
    assert!(words.contains("`ship` is healed") && !night.target.flag(), "{words}");
    let changes = night.target.changes();
    recover(&run, 0);
    assert_eq!(night.target.changes(), changes, "nothing done");
}

/// SIGINT twice during a slow verification: the undo was run, nobody waits, the keeper goes on until it can be read back.
fn hurried() {
    let both = |night: &Night, _: &Path| night.target.flag() && night.state() == 'T';
    let (night, running, run) = begun(|night| night.file(&[SLOW, &night.pause(), FLAG], 30), both);
    night.target.stick(true);
    running.signal(Signal::INT);
    until(SOON, || (!night.target.flag()).then_some(()));
    let clock = Clock::start();
    running.signal(Signal::INT);
    let _ran = running.ends().exits(7).says("nobody waited");
    println!("the second SIGINT ended it after {:.3} s", clock.now().secs_f64());
    assert!(!night.target.flag() && night.state() == 'S', "every undo was run");
    assert!(active(&run).is_none_or(|faults| faults.is_empty()));
    night.target.stick(false);
    until(SOON, || open(&run).is_empty().then_some(()));
    recover(&run, 0);
}

/// An act whose fault meets no traffic proves nothing: 4, and what came instead is said.
fn untouched() {
    let night = Night::begin();
    let other = super::night::free_port();
    let file = night.file(&[&SLOW.replace("\"front\"", "\"back\"")], 6).replace(
        "proxies: [",
        &format!(
            "proxies: [(name: \"back\", listen: \"127.0.0.1:{other}\", upstream: \"{}\"), ",
            night.target.address()
        ),
    );
    unspoilt(4, 4, || Night::drill(&file).ends()).says("touched 0 connections within 5 s, 1 were wanted");
}

/// A process that is not there: nothing was touched, 4, and why is said.
fn absent() {
    let mut night = Night::begin();
    drop(night.sleeper.kill());
    drop(night.sleeper.wait());
    unspoilt(4, 4, || Night::drill(&night.file(&[&night.pause()], 6)).ends()).says("there is no such process");
}

/// A disk that is full in the middle of the exercise: everything is healed, exit 3, and what was written can be read.
fn full() {
    let night = Night::begin();
    let file = night.file(&[&night.pause(), FLAG], 60);
    let squall = env!("CARGO_BIN_EXE_squall");
    // Ignoring SIGXFSZ turns the limit into an error of the write, as a full disk is.
    let script = format!("trap '' XFSZ; ulimit -f 24; exec {squall} drill small_night.ron --out reports");
    let running = Night::prepared_as("bash", &file).args(["-c", &script]).within(Duration::from_secs(150)).start();
    let run = until(SOON, || folder(&running));
    until(SOON, || (night.target.flag() && night.state() == 'T').then_some(()));
    until(Duration::from_secs(120), || (!night.target.flag() && night.state() == 'S').then_some(()));
    let ran = running.ends();
    assert_eq!(ran.code(), Some(3), "{}{}", ran.stdout(), ran.stderr());
    let journal = lines(&run.join("journal.jsonl"));
    assert!(journal.iter().any(|line| line["kind"] == "intent"), "every line is whole");
    end_keeper(&run);
}

#[test]
#[ignore = "five drills at once: they need a machine of their own"]
fn long_what_fails_is_named_and_what_touches_nothing_proves_nothing() {
    let _lock = alone();
    let runs: Vec<_> = [refused as fn(), hurried, untouched, absent, full].into_iter().map(thread::spawn).collect();
    for run in runs {
        run.join().unwrap();
    }
}

#[test]
#[ignore = "a minute and a half: the system is asked once a minute"]
fn full_an_agreement_that_is_taken_back_ends_the_drill() {
    let _lock = alone();
    let night = Night::begin();
    let running = Night::drill(&night.file(&[FLAG], 120));
    until(SOON, || night.target.flag().then_some(()));
    assert!(night.target.requests() > 100);
    night.target.withdraw();
    running.ends().exits(6).says("no longer agrees");
    assert!(!night.target.flag());
}
