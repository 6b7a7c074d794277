//! Who comes when: users who join and leave, shared tickets, cycles, sessions that go on.

use super::server::{Answer, Server};
use super::{run, written};

const VISIT: &str = r#"journeys: {"visit": (steps: [Http(name: "home", url: "/")])}"#;

#[test]
fn shared_tickets_are_taken_exactly_once_whatever_the_number_of_threads() {
    for threads in [1, 3] {
        let server = Server::start(|_| Answer::ok("x"));
        let load = r#"load: [Closed(users: [Hold(users: 5, for: "10s")], iterations: Shared(23))],
            vars: {"n": Counter(start: 100)}, journeys: {"visit": (steps: [Http(name: "home", url: "/${n}")])}"#;
        let seen = run(written(&server, load), threads);
        assert_eq!((seen.travel().planned, seen.travel().completed, server.requests()), (23, 23, 23));
    }
}

#[test]
fn users_leave_after_their_journeys_and_a_cycle_keeps_them_apart() {
    let server = Server::start(|_| Answer::ok("x"));
    let load = format!(
        r#"load: [Closed(users: [Hold(users: 4, for: "1s")], iterations: PerUser(3), cycle: "100ms")], {VISIT}"#
    );
    let seen = run(written(&server, &load), 1);
    assert_eq!((seen.travel().completed, server.connections()), (12, 4));
    assert!(seen.done.duration_us > 200_000, "three journeys, 100 ms apart, take {} us", seen.done.duration_us);
}

#[test]
fn a_ramp_of_users_brings_them_one_after_the_other() {
    let server = Server::start(|_| Answer::ok("x"));
    let load = format!(
        r#"load: [Closed(users: [Ramp(to: 4, over: "400ms"), Ramp(to: 0, over: "400ms")], cycle: "100ms")], {VISIT}"#
    );
    let seen = run(written(&server, &load), 1);
    // User k is there from 50 + 100 k ms for 700 - 200 k ms: 7 + 5 + 3 + 1 journeys.
    assert_eq!(seen.travel().completed, 16);
}

#[test]
fn visitors_who_stay_go_on_further_journeys() {
    let server = Server::start(|_| Answer::ok("x"));
    let load = format!(
        r#"load: [Open(rate: [Hold(rate: "200/s", for: "500ms")], stay: (chance: "50%", at_most: 3))], {VISIT}"#
    );
    let plan = written(&server, &load);
    let seen = run(plan.clone(), 2);
    let again = run(plan, 1);
    let travel = seen.travel();
    assert_eq!(travel.planned, travel.started);
    assert_eq!((seen.done.planned, travel.completed), (travel.planned, travel.planned));
    // 1 + 1/2 + 1/4 journeys on average; which of them stay is part of the plan.
    assert!((150..200).contains(&travel.planned), "{}", travel.planned);
    assert_eq!(again.travel().planned, travel.planned);
}
