//! `squall find` as its user sees it: a target of known capacity, the gate, and the refusals.

use std::fs;
use std::time::Duration;

use crate::support::program::Squall;
use crate::support::server::Server;

fn scenario(url: &str, target: &str) -> String {
    format!(
        "(name: \"till\", target: (base: \"{}\"{target}), load: [Open(rate: [Hold(rate: \"20/s\", for: \"5s\")])],\n\
         journeys: {{\"pay\": (steps: [Http(name: \"pay\", url: \"/\")])}})",
        url.trim_end_matches('/')
    )
}

const QUICK: [&str; 6] = ["--hold", "2s", "--settle", "1s", "--tolerance", "5%"];

#[test]
fn the_capacity_of_one_worker_is_found_within_five_percent_in_at_most_twelve_steps() {
    // 6 ms for each request, one after the other: 166.7/s.
    let server = Server::start().one_worker(Duration::from_millis(6));
    let ran = Squall::new()
        .file("s.ron", &scenario(&server.url(), ""))
        .args(["find", "s.ron", "--slo", "p95 < 100ms", "--start", "80/s"])
        .args(QUICK)
        .within(Duration::from_secs(180))
        .run()
        .exits(0)
        .says("achieved");
    let find = &ran.json("result.json")["find"];
    let (capacity, steps) = (find["capacity"].as_f64().unwrap(), find["steps"].as_array().unwrap().len());
    assert!((capacity / 166.7 - 1.0).abs() <= 0.05, "{capacity}: {find:#}");
    assert!(steps <= 12, "{steps} steps: {find:#}");
    let journal = fs::read_to_string(ran.report().join("journal.jsonl")).unwrap();
    assert!(journal.contains("\"name\":\"step:80/s\"") && journal.contains("recover:"), "{journal}");
    let again = fs::read(ran.report().join("result.json")).unwrap();
    fs::remove_file(ran.report().join("result.json")).unwrap();
    Squall::new().args(["report", ran.report().to_str().unwrap()]).run().exits(0);
    assert!(again == fs::read(ran.report().join("result.json")).unwrap(), "a later report says the same");
}

#[test]
fn a_search_with_a_demand_is_a_gate() {
    let find = |flags: &[&str]| {
        let server = Server::start().one_worker(Duration::from_millis(50));
        let scenario = scenario(&server.url(), "");
        let run = Squall::new().file("s.ron", &scenario).args(["find", "s.ron", "--slo", "p95 < 100ms"]);
        run.args(QUICK).args(flags).run()
    };
    // 20/s is all it can do.
    find(&["--start", "80/s", "--min", "100/s"]).exits(1).says("below 80 /s");
    find(&["--start", "80/s"]).exits(4);
    find(&["--start", "10/s", "--max", "10/s", "--min", "10/s"]).exits(0).says("good");
    find(&["--start", "10/s", "--max", "10/s"]).exits(4);
}

#[test]
fn what_cannot_be_searched_is_refused_before_anything_is_sent() {
    let server = Server::start();
    let find = |scenario: &str, flags: &[&str]| {
        let run = Squall::new().file("s.ron", scenario).args(["find", "s.ron", "--slo", "p95 < 100ms"]);
        run.args(flags).run().exits(2)
    };
    let plain = scenario(&server.url(), "");
    find(&plain, &["--slo", "p95 < 100"]).says("did you mean 100ms?");
    find(&plain, &["--start", "0/s"]).says("--start must be above 0/s");
    find(&plain, &["--start", "10/s", "--max", "5/s"]).says("--max 5/s is below --start 10/s");
    find(&plain, &["--max", "50/s", "--min", "60/s"]).says("--min 60/s is above --max 50/s");
    find(&plain, &["--hold", "100ms"]).says("--hold 100ms is too short");
    let limited = scenario(&server.url(), ", max_rate: \"30/s\"");
    find(&limited, &["--max", "40/s"]).says("the target may not be sent --max 40/s");
    let users = plain
        .replace("Open(rate: [Hold(rate: \"20/s\", for: \"5s\")])", "Closed(users: [Hold(users: 2, for: \"5s\")])");
    find(&users, &[]).says("give it an Open workload");
    assert_eq!(server.requests(), 0);
}
