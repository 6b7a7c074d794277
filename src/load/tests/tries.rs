//! Patience and further tries: counted as they are sent, and never done unasked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::server::{Answer, Server};
use super::{run, written};
use crate::base::clock::Clock;
use crate::base::rate::Rate;
use crate::measure::interval::Cell;
use crate::measure::sample::{Aside, StepId};

const ATTEMPTS: Aside = Aside::Attempts(StepId(0));
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

#[test]
fn further_tries_hops_and_groups_keep_to_the_ceiling_of_the_target() {
    let group = r#"Group(name: "all", parallel: 4, steps: [Http(name: "a", url: "/end"), Http(name: "b", url: "/end"), Http(name: "c", url: "/end"), Http(name: "d", url: "/end")])"#;
    for (client, step, wanted) in [
        (r#"redirects: 0, retry: (on: "5xx", times: 3)"#, r#"Http(name: "a", url: "/bad")"#, 20),
        ("redirects: 5", r#"Http(name: "a", url: "/hop1")"#, 20),
        ("redirects: 0", group, 20),
    ] {
        let times = Arc::new(Mutex::new(Vec::new()));
        let (kept, clock) = (Arc::clone(&times), Clock::start());
        let server = Server::start(move |request| {
            kept.lock().unwrap().push(clock.now());
            match request.path() {
                "/bad" => Answer::status(503, "no"),
                "/end" => Answer::ok("x"),
                hop => {
                    let next = hop.as_bytes()[4] - b'0' + 1;
                    let next = if next == 4 { "/end".to_owned() } else { format!("/hop{next}") };
                    Answer::raw(&format!("HTTP/1.1 302 X\r\nlocation: {next}\r\ncontent-length: 0\r\n\r\n"))
                }
            }
        });
        let users = r#"load: [Closed(users: [Hold(users: 1, for: "9s")], iterations: PerUser(5))]"#;
        let parts =
            format!(r#"client: ({client}), {users}, journeys: {{"a": (on_failure: Continue, steps: [{step}])}}"#);
        let mut plan = written(&server, &parts);
        plan.origins[0].ceiling = Some(Rate::per_second(100.0));
        let seen = run(plan, 1);
        let times = times.lock().unwrap();
        assert_eq!((times.len(), seen.errors("over_ceiling")), (wanted, 0), "{step}");
        // Ten may leave at once, the others 10 ms apart; the server sees them a little later than they left.
        let took = times[wanted - 1] - times[0];
        assert!(took >= Duration::from_millis(90), "{step}: {took:?}");
    }
    let server = Server::start(|_| Answer::status(503, "no"));
    let mut plan = written(&server, &format!(r#"client: (retry: (on: "5xx", times: 3)), {TEN}"#));
    plan.origins[0].ceiling = Some(Rate::per_second(1.0));
    let seen = run(plan, 1);
    assert_eq!((server.requests(), seen.errors("over_ceiling"), seen.errors("status_503")), (1, 9, 1));
}

#[test]
fn every_attempt_is_a_sample_of_its_own_beside_the_request() {
    let server =
        Server::start(|request| if request.number % 3 == 2 { Answer::ok("x") } else { Answer::status(503, "no") });
    let client =
        r#"client: (connections: Shared(max: 1), retry: (on: "503", times: 2, backoff: Fixed("2ms"), jitter: Off))"#;
    let load = r#"load: [Closed(users: [Hold(users: 1, for: "9s")], iterations: PerUser(10))], journeys: {"a": (steps: [Http(name: "home", url: "/")])}"#;
    let seen = run(written(&server, &format!("{client}, {load}")), 1);
    let (whole, single) = (seen.step(0), &seen.all.asides[&ATTEMPTS]);
    assert_eq!((whole.answered(), whole.failed()), (10, 0));
    assert_eq!((single.answered(), single.failed(), single.errors.get("status_503")), (10, 20, Some(&20)));
    // The request spans its tries and their pauses; no attempt holds a pause.
    let sum = |cell: &Cell| cell.service.both().extent().sum;
    let pauses = 10 * 2 * 2_000;
    assert!(sum(&whole) >= sum(single) + pauses - 40, "{} {}", sum(&whole), sum(single));
    let plain = run(written(&server, &format!("client: (cookies: false), {TEN}")), 1);
    assert!(plain.all.asides.is_empty(), "nothing is counted twice where nothing is tried twice");
}

#[test]
fn a_server_that_says_when_is_not_asked_before() {
    for (words, least_ms, most_ms) in [("", 1_000, 60_000), (", retry_after: false", 0, 900)] {
        let server = Server::start(|request| match request.number {
            0 => Answer::raw("HTTP/1.1 503 X\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"),
            _ => Answer::ok("x"),
        });
        let client = format!(r#"client: (retry: (on: "503", times: 1{words}))"#);
        let load = r#"load: [Closed(users: [Hold(users: 1, for: "9s")], iterations: PerUser(1))], journeys: {"a": (steps: [Http(name: "home", url: "/")])}"#;
        let seen = run(written(&server, &format!("{client}, {load}")), 1);
        let took = seen.step(0).service.ok.value_at(1.0).unwrap() / 1_000;
        assert!((least_ms..=most_ms).contains(&took), "{words}: {took} ms");
    }
}

#[test]
fn an_exemplar_shows_the_way_of_its_redirects_without_what_the_server_hid_in_them() {
    let server = Server::start(|request| {
        let to = if request.path() == "/a" { "/b?state=77" } else { "http://elsewhere.example/in?code=hidden" };
        Answer::raw(&format!("HTTP/1.1 302 X\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"))
    });
    let load = r#"load: [Closed(users: [Hold(users: 1, for: "9s")], iterations: PerUser(1))], journeys: {"a": (steps: [Http(name: "home", url: "/a")])}"#;
    let seen = run(written(&server, &format!("client: (redirects: 4), {load}")), 1);
    assert_eq!((server.requests(), seen.errors("not_allowed"), seen.all.flow.sent), (2, 1, 2));
    let one = &seen.record.exemplars[0];
    assert_eq!(one.chain, ["302 /b?state=***", "302 http://elsewhere.example/in?code=***"]);
    assert_eq!((one.kind.as_str(), one.phase.as_str(), one.status), ("not_allowed", "judged", 302));
    assert_eq!(seen.all.asides[&ATTEMPTS].answered(), 1, "the first hop was answered");
}
