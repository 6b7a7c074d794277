//! Exit codes that a pipeline rests on: a dead target, a target that only fails, a person who stops the run.

use std::time::Duration;

use rustix::process::Signal;
use squall::base::clock::{Clock, Tick};

use crate::support::program::Squall;
use crate::support::quiet::{alone, unspoilt};
use crate::support::server::Server;

#[test]
fn a_target_that_is_down_exits_3_before_the_first_request() {
    let gone = Server::start().url();
    let ran = Squall::new().args(["run", &gone, "--rate", "50/s", "--for", "5s"]).run().exits(3).says("refused");
    assert!(!ran.folder().join("reports").exists() && ran.took() < Duration::from_secs(4));
}

#[test]
fn a_target_that_answers_nothing_but_500_exits_1_without_any_check() {
    let _lock = alone();
    let failing = Server::start().answer(500);
    let run = || Squall::new().args(["run", &failing.url(), "--rate", "50/s", "--for", "2s"]).run();
    let result = unspoilt(3, 1, run).json("result.json");
    let findings = result["findings"].as_array().unwrap();
    let answered = findings.iter().find(|one| one["id"] == "squall.answered").unwrap();
    assert_eq!((&answered["verdict"], &answered["level"]), (&"fail".into(), &"hard".into()));
    assert_eq!(result["errors"]["status_500"], 100);
}

#[test]
fn ctrl_c_sends_nothing_more_and_is_over_within_a_second() {
    let _lock = alone();
    // Nobody is answered: a second is all that the outstanding requests get.
    let server = Server::start().freeze(Duration::ZERO, Duration::from_secs(60));
    let running =
        Squall::new().args(["run", &server.url(), "--rate", "100/s", "--for", "60s", "--skip-preflight"]).start();
    while server.requests() < 50 {
        std::thread::yield_now();
    }
    let asked = Clock::start();
    running.signal(Signal::INT);
    let ran = running.ends().exits(130);
    let took = asked.now();
    let result = ran.json("result.json");
    let lasted = result["duration_s"].as_f64().unwrap();
    assert!(result["arrivals"]["unfinished"].as_u64().unwrap() >= 50 && lasted < 10.0, "{result:#}");
    // One second for the answers; judging and rendering of a debug build come on top.
    assert!(took < Tick::from_secs(6), "{took}");
    let sent = result["totals"]["sent"].as_u64().unwrap();
    assert!(server.requests() <= sent, "nothing is sent after the word to stop");
}
