//! `squall ab` as its user sees it: slots of two targets in one run, judged, and rendered again the same.

use std::fs;

use serde_json::Value;

use crate::support::program::{Ran, Squall};
use crate::support::server::Server;

const SCENARIO: &str = r#"(name: "pair", target: (base: "http://127.0.0.1:9"),
  load: [Open(rate: [Hold(rate: "50/s", for: "5s")], mix: {"a": 1})],
  journeys: {"a": (steps: [Http(name: "home", url: "/")])},
  checks: ["errors <= baseline +2pp", "should: p95{step=home} <= baseline +900% or 2s"])"#;

const SHORT: [&str; 6] = ["--blocks", "10", "--slot", "1s", "--settle", "200ms"];

fn compare(base: &str, candidate: &str, flags: &[&str]) -> Ran {
    let args = ["ab", "pair.ron", "--base", base, "--candidate", candidate];
    Squall::new().file("pair.ron", SCENARIO).args(args).args(flags).within(std::time::Duration::from_secs(150)).run()
}

fn finding(result: &Value, id: &str) -> Value {
    let all = result["findings"].as_array().unwrap();
    all.iter().find(|one| one["id"] == id).unwrap_or_else(|| panic!("no {id} in {result:#}")).clone()
}

/// Names of the journal's phases, in order.
fn phases(ran: &Ran) -> Vec<String> {
    let text = fs::read_to_string(ran.report().join("journal.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["kind"] == "phase").map(|line| line["data"]["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn two_equal_targets_get_the_same_load_in_slots_whose_order_a_coin_decides() {
    let (base, candidate) = (Server::start(), Server::start());
    let ran = compare(&base.url(), &candidate.url(), &SHORT);
    let result = ran.json("result.json");
    // 60 arrivals a slot; one connection of the preflight sends nothing.
    assert_eq!((base.requests(), candidate.requests()), (600, 600));
    assert_eq!(result["totals"]["planned"], 1_200, "{result:#}");
    let errors = finding(&result, "errors <= baseline +2pp");
    // A busy machine may spoil the times of a run, never its arithmetic.
    assert!(["pass", "invalid"].contains(&errors["verdict"].as_str().unwrap()), "{errors:#}");
    let compare = &errors["evidence"]["compare"];
    assert_eq!((&compare["w"], &compare["p"], &compare["m"]), (&0.0.into(), &1.0.into(), &1.into()), "{errors:#}");
    let times = finding(&result, "should: p95{step=home} <= baseline +900% or 2s");
    assert_eq!(times["evidence"]["compare"]["effects"].as_array().unwrap().len(), 10);
    assert!(times["evidence"]["compare"]["mde"].as_f64().unwrap() > 0.0, "{times:#}");
    let slots: Vec<String> = phases(&ran).into_iter().filter(|name| name.contains(':')).collect();
    assert_eq!(slots.len(), 20);
    let first: Vec<bool> =
        times["evidence"]["compare"]["base_first"].as_array().unwrap().iter().map(|one| one == true).collect();
    assert_eq!(first, slots.chunks(2).map(|two| two[0].starts_with("base:")).collect::<Vec<_>>());
    assert!(first.contains(&true) && first.contains(&false), "{slots:?}");
    let said = ran.stdout();
    assert!(said.contains("errors  +0.00 pp [+0.00, +0.00]  vs baseline +2 pp  W 0/55  p 1.00"), "{said}");
    assert!(said.contains("detectable: p95 home") && said.contains("(10 blocks, sd "), "{said}");

    let read = || ["index.html", "result.json", "junit.xml"].map(|file| fs::read(ran.report().join(file)).unwrap());
    let before = read();
    Squall::new().args(["report", ran.report().to_str().unwrap()]).run().exits(0);
    assert!(before == read(), "rendered again, it is the same");
}

#[test]
fn a_candidate_that_drops_requests_is_red_and_its_line_says_so() {
    let (base, candidate) = (Server::start(), Server::start().drop_every(10));
    let ran = compare(&base.url(), &candidate.url(), &SHORT);
    let result = ran.json("result.json");
    let errors = finding(&result, "errors <= baseline +2pp");
    let compare = &errors["evidence"]["compare"];
    assert_eq!((&compare["w"], &compare["w_max"]), (&55.0.into(), &55.0.into()), "{errors:#}");
    assert!((compare["p"].as_f64().unwrap() - 1.0 / 1_024.0).abs() < 1e-8, "{errors:#}");
    let exit = result["exit_code"].as_i64().unwrap();
    assert!(exit == 1 && errors["reason"] == "beyond" || exit == 5 && errors["reason"] == "generator", "{errors:#}");
}

#[test]
fn what_can_never_prove_anything_is_refused_before_the_first_packet() {
    let server = Server::start();
    let with = |flags: &[&str]| compare(&server.url(), &server.url(), flags).exits(2);
    with(&["--blocks", "6"]).says("6 blocks can never prove a regression at 1 %: use 7");
    with(&["--blocks", "7", "--stages", "2"]).says("7 blocks can never prove a regression at 1 % in 2 stages: use 8");
    with(&["--slot", "1500ms"]).says("--slot is measured in whole seconds");
    with(&["--control", "hoem"]).says("no step is called hoem: did you mean home?");
    let missing =
        Squall::new().file("pair.ron", SCENARIO).args(["ab", "pair.ron", "--base", "http://127.0.0.1:1"]).run();
    missing.exits(2).says("--candidate");
    assert_eq!(server.requests(), 0);
    // One run alone has no baseline: the same lines are kept for whoever has one.
    Squall::new().file("pair.ron", SCENARIO).args(["check", "pair.ron"]).run().exits(0);
}

#[test]
fn one_target_is_switched_before_each_slot() {
    let server = Server::start();
    let log = tempfile::NamedTempFile::new().unwrap();
    let script = format!("echo $0 >> {}", log.path().display());
    let flags = ["--blocks", "7", "--slot", "1s", "--settle", "0s", "--switch", "sh", "-c", &script];
    let args = ["ab", "pair.ron", "--base", &server.url()];
    let ran = Squall::new().file("pair.ron", SCENARIO).args(args).args(["--out", "reports"]).args(flags);
    let ran = ran.within(std::time::Duration::from_secs(120)).run();
    let switched: Vec<String> = fs::read_to_string(log.path()).unwrap().lines().map(str::to_owned).collect();
    let arms: Vec<String> = phases(&ran).iter().filter_map(|name| Some(name.split_once(':')?.0.to_owned())).collect();
    assert_eq!(switched, arms);
    assert_eq!((arms.len(), server.requests()), (14, 700));
    let broken =
        Squall::new().file("pair.ron", SCENARIO).args(args).args(["--out", "reports", "--switch", "false"]).run();
    broken.exits(3).says("--switch false … ");
}
