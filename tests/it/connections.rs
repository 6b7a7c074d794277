//! How many connections a run opens, exactly: the server counts what it accepts.

use std::time::Duration;

use crate::support::program::{Ran, Squall};
use crate::support::server::Server;

/// Runs `load` with `connections`; nothing but the load connects.
fn run(server: &Server, connections: &str, load: &str) -> Ran {
    let base = server.url();
    let scenario = format!(
        r#"(name: "lines", target: (base: "{}"), client: (connections: {connections}), load: [{load}],
            journeys: {{"visit": (steps: [Http(name: "home", url: "/")])}})"#,
        base.trim_end_matches('/')
    );
    Squall::new().file("lines.ron", &scenario).args(["run", "lines.ron", "--skip-preflight", "--threads", "1"]).run()
}

/// Whether the machine was quiet enough for percentiles is nothing to these counts: the exit code is not looked at.
fn all_well(ran: &Ran) {
    let result = ran.json("result.json");
    let totals = &result["totals"];
    assert_eq!((&totals["failed"], &totals["shed"]), (&0.into(), &0.into()), "{result:#}");
}

fn opens(connections: &str, load: &str, (requests, opened): (u64, u64)) {
    let server = Server::start();
    all_well(&run(&server, connections, load));
    assert_eq!((server.requests(), server.connections()), (requests, opened), "{connections} under {load}");
}

const SLOW: &str = r#"Open(rate: [Hold(rate: "4/s", for: "2s")])"#;

#[test]
fn a_fresh_connection_is_opened_for_every_request() {
    opens("Fresh", r#"Open(rate: [Hold(rate: "30/s", for: "1s")])"#, (30, 30));
}

#[test]
fn a_connection_is_kept_until_it_has_served_its_requests() {
    let load = r#"Open(rate: [Hold(rate: "35/s", for: "1s")])"#;
    opens("Shared(max: 1)", load, (35, 1));
    opens("Shared(max: 1, max_requests: 10)", load, (35, 4));
    opens("PerUser(max_requests: 1)", load, (35, 35));
}

#[test]
fn a_connection_is_kept_until_it_is_old_or_has_rested_too_long() {
    // Eight requests, 250 ms apart: three on each connection but the last.
    opens(r#"Shared(max: 1, max_age: "625ms")"#, SLOW, (8, 3));
    opens(r#"Shared(max: 5, idle: "100ms")"#, SLOW, (8, 8));
}

#[test]
fn connections_are_opened_ahead_and_used_later() {
    opens("Shared(max: 20, open_first: 7)", SLOW, (8, 7));
}

#[test]
fn the_first_users_have_their_connections_before_they_begin() {
    let load = r#"Closed(users: [Hold(users: 6, for: "1s")], start: At("1s"), iterations: PerUser(2))"#;
    opens("PerUser(open_first: 4, streams: 10)", load, (12, 6));
}

#[test]
fn users_have_connections_of_their_own_that_open_no_faster_than_allowed() {
    let server = Server::start();
    let load = r#"Closed(users: [Hold(users: 12, for: "1s")], think: Fixed("5s"))"#;
    let ran = run(&server, r#"PerUser(open_rate: "5/s")"#, load);
    all_well(&ran);
    assert_eq!((server.requests(), server.connections()), (12, 12));
    // Twelve at five a second: the last one opens 2.2 s after the first.
    assert!(ran.took() >= Duration::from_millis(2_200), "{:?}", ran.took());
}
