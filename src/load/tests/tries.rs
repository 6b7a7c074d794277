//! Patience and further tries: counted as they are sent, and never done unasked.

use std::time::Duration;

use super::server::{Answer, Server};
use super::{run, written};

const TEN: &str = r#"load: [Open(rate: [Hold(rate: "100/s", for: "100ms")])], journeys: {"a": (steps: [Http(name: "home", url: "/")])}"#;

#[test]
fn failures_that_are_named_are_tried_again() {
    let server =
        Server::start(|request| if request.number % 3 == 2 { Answer::ok("x") } else { Answer::status(503, "no") });
    let client = r#"client: (connections: Shared(max: 1), retry: (on: "503, reset", times: 2, backoff: Fixed("1ms"), jitter: Off))"#;
    let load = r#"load: [Closed(users: [Hold(users: 1, for: "9s")], iterations: PerUser(10))], journeys: {"a": (steps: [Http(name: "home", url: "/")])}"#;
    let seen = run(written(&server, &format!("{client}, {load}")), 1);
    assert_eq!((seen.travel().completed, server.requests()), (10, 30), "{:?}", seen.all.total().errors);
    assert_eq!((seen.all.flow.sent, seen.all.flow.done), (30, 30));
    let service = seen.step(0).service.ok.value_at(0.0).unwrap();
    assert!(service >= 2_000, "two pauses belong to the request: {service} us");
}

#[test]
fn nothing_is_tried_again_unasked_or_beyond_its_budget() {
    let failing = || Server::start(|_| Answer::status(503, "no"));
    for (client, attempts) in [
        ("", 10),
        (r#"client: (retry: (on: "500, eof", times: 3)),"#, 10),
        (r#"client: (retry: (on: "5xx", times: 3)),"#, 40),
        (r#"client: (retry: (on: "5xx", times: 3, budget: "10%")),"#, 11),
    ] {
        let server = failing();
        let seen = run(written(&server, &format!("{client} {TEN}")), 1);
        assert_eq!((server.requests(), seen.errors("status_503")), (attempts, 10), "{client}");
        assert_eq!(seen.all.flow.sent, attempts, "{client}");
    }
}

#[test]
fn users_who_lose_patience_leave_or_reload() {
    for (then, attempts) in [("Leave", 10), ("Reload(2)", 30)] {
        let server = Server::start(|_| Answer::ok("late").after(Duration::from_millis(400)));
        let client = format!(r#"client: (patience: (leaves_after: Fixed("30ms"), then: {then}))"#);
        let seen = run(written(&server, &format!("{client}, {TEN}")), 1);
        assert_eq!((seen.errors("abandoned"), seen.all.flow.sent), (10, attempts), "{then}");
        let slowest = seen.step(0).response.rest.value_at(1.0).unwrap();
        assert!(slowest < 300_000, "{slowest} us");
    }
}
