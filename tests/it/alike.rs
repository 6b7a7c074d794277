//! Gates of targets that are alike, by the dozen: how often `squall ab` and `squall gate calibrate` cry wolf on a real machine.
//!
//! Minutes long and for a quiet machine: `SQUALL_GATES=60 cargo test --test it -- --ignored full_alike` is the nightly run.

use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use rustix::process::Signal;

use crate::support::nginx::nginx;
use crate::support::program::{Running, Squall};
use crate::support::throwaway::free_port;

/// One blocking comparison without a margin: between equal targets it may be red in one gate of a hundred.
const SCENARIO: &str = r#"(name: "alike", target: (base: "http://127.0.0.1:9"),
  load: [Open(rate: [Hold(rate: "200/s", for: "5s")], mix: {"a": 1})],
  journeys: {"a": (steps: [Http(name: "home", url: "/")])}, checks: ["p95 <= baseline +0%"])"#;
/// Seven blocks of two slots: about 20 s.
const DESIGN: [&str; 6] = ["--blocks", "7", "--slot", "1s", "--settle", "200ms"];

/// A proxy before `upstream` that answers so many milliseconds late.
struct Late {
    port: u16,
    running: Option<Running>,
}

impl Late {
    fn by(ms: u64, upstream: &str) -> Self {
        let (port, api) = (free_port(), free_port());
        let upstream = upstream.trim_start_matches("http://").trim_end_matches('/');
        let file = format!(
            r#"Proxy(proxies: [(name: "web", listen: "127.0.0.1:{port}", upstream: "{upstream}",
                faults: [(name: "late", inject: Latency(time: Fixed("{ms}ms")))])])"#
        );
        let api = format!("127.0.0.1:{api}");
        let squall = Squall::new().file("late.ron", &file).args(["proxy", "--api", &api, "--config", "late.ron"]);
        let running = squall.within(Duration::from_secs(7_200)).start();
        for _ in 0..2_000_000 {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Self { port, running: Some(running) };
            }
            std::thread::yield_now();
        }
        panic!("the proxy never came up")
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Late {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.signal(Signal::TERM);
            drop(running.ends());
        }
    }
}

/// The verdict of the comparison, and the exit code, of the gate with this seed.
fn gate(base: &Late, candidate: &Late, seed: u64) -> (String, i64) {
    let ran = Squall::new()
        .file("alike.ron", SCENARIO)
        .args(["ab", "alike.ron", "--base", &base.url(), "--candidate", &candidate.url()])
        .args(DESIGN)
        .args(["--seed", &seed.to_string()])
        .within(Duration::from_secs(120))
        .run();
    let result = ran.json("result.json");
    let all = result["findings"].as_array().unwrap();
    let one = all.iter().find(|one| one["id"] == "p95 <= baseline +0%").unwrap();
    (one["verdict"].as_str().unwrap().to_owned(), result["exit_code"].as_i64().unwrap())
}

#[test]
#[ignore = "20 s for each of SQUALL_GATES (6) gates, on a quiet machine"]
fn full_alike_gates_of_equal_targets_are_hardly_ever_red_and_fifteen_percent_are() {
    let (Some(one), Some(other)) = (nginx(), nginx()) else { return };
    let gates: u64 = std::env::var("SQUALL_GATES").ok().and_then(|text| text.parse().ok()).unwrap_or(6);
    let (base, alike) = (Late::by(20, &one.url()), Late::by(20, &other.url()));
    let (mut reds, mut spoilt) = (0, 0);
    for seed in 0..gates {
        match gate(&base, &alike, seed) {
            (_, 5) => spoilt += 1,
            (verdict, _) => reds += u64::from(verdict == "fail"),
        }
    }
    eprintln!("{reds} red of {gates} gates, {spoilt} spoilt by the machine");
    // At 1 % four reds or more of sixty have a chance of 0.3 %.
    assert!(reds <= 3 && spoilt <= gates / 2, "{reds} red, {spoilt} spoilt of {gates}");
    // 23 ms are 15 % more than 20 ms.
    let slow = Late::by(23, &other.url());
    let seen: Vec<(String, i64)> = (0..3).map(|seed| gate(&base, &slow, 1_000 + seed)).collect();
    assert!(seen.iter().any(|(verdict, code)| verdict == "fail" && *code == 1), "{seen:?}");
    assert!(seen.iter().all(|(verdict, code)| *code == 5 || verdict == "fail"), "{seen:?}");
}

#[test]
#[ignore = "half a minute on a quiet machine"]
fn full_alike_calibration_writes_a_ledger_and_says_what_it_proves() {
    let Some(nginx) = nginx() else { return };
    let late = Late::by(20, &nginx.url());
    let ran = Squall::new()
        .file("alike.ron", SCENARIO)
        .args(["gate", "calibrate", "alike.ron", "--target", &late.url(), "--gates", "2", "--env", "lab"])
        .args(DESIGN)
        .within(Duration::from_secs(180))
        .run();
    let folder = ran.folder().to_owned();
    let ran = ran
        .exits(0)
        .says("p95 <= baseline +0%")
        .says("sd(D)")
        .says("order within the blocks: p")
        .says("true rate below");
    let ledger = std::fs::read_to_string(folder.join(".squall/calibration/lab.jsonl")).unwrap();
    assert!((1..=2).contains(&ledger.lines().count()), "{ledger}");
    drop(ran);
}
