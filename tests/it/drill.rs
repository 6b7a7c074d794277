//! Drills as their user sees them: the robot recovers, nobody does not, test-like data harm nobody; a killed drill heals.
//!
//! One after the other under a lock: a drill measures users, and two of them on two cores would measure each other.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use squall::base::clock::{Clock, Tick};

use crate::support::postgres::postgres;
use crate::support::program::{Ran, Running, Squall};
use crate::support::quiet::{alone, unspoilt};

fn scenario(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name)).unwrap()
}

fn midnight(flags: &[&str]) -> Ran {
    Squall::new()
        .file("midnight_flag.ron", &scenario("midnight_flag.ron"))
        .file("shop_mix.ron", &scenario("shop_mix.ron"))
        .args(["drill", "midnight_flag.ron"])
        .args(flags)
        .within(Duration::from_secs(300))
        .run()
}

/// The same night with the shortest baseline.
fn short() -> String {
    let text = scenario("midnight_flag.ron").replace("baseline: \"5m | 60s\"", "baseline: \"5m | 20s\"");
    assert!(text.contains("20s\", recovery_hold"));
    text
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn journal(ran: &Ran) -> Vec<Value> {
    lines(&ran.report().join("journal.jsonl"))
}

fn at(line: &Value) -> f64 {
    line["at_us"].as_f64().unwrap() / 1e6
}

fn first<'a>(journal: &'a [Value], kind: &str) -> Option<&'a Value> {
    journal.iter().find(|line| line["kind"] == kind)
}

/// The gateway's own seconds after `from`: (second, requests, share not good).
fn gateway(ran: &Ran) -> Vec<(f64, f64, f64)> {
    lines(&ran.report().join("staging.jsonl"))
        .iter()
        .filter(|line| line["n"].is_number())
        .map(|line| {
            let n = line["n"].as_f64().unwrap();
            (line["second"].as_f64().unwrap(), n, line["not_good"].as_f64().unwrap() / n.max(1.0))
        })
        .collect()
}

/// What every robot drill must show, from its own files alone.
fn recovered(ran: &Ran) {
    let result = ran.json("result.json");
    let (journal, drill) = (journal(ran), &result["drill"]);
    let injected = at(first(&journal, "injected").expect("an injected act"));
    let killed = at(first(&journal, "action").expect("a mitigation"));
    let page = at(journal.iter().find(|line| line["kind"] == "page" && at(line) > injected).expect("a page"));
    let number = |name: &str| drill["timeline"][name].as_f64().unwrap_or_else(|| panic!("{name}: {drill:#}"));
    let (impact, recovery) = (number("impact_s"), number("recovered_s"));
    assert!(impact - injected <= 10.0, "impact {impact} s, flag {injected} s");
    assert!(page - impact <= 20.0, "page {page} s, impact {impact} s");
    assert!(number("plateau") > 0.5, "{drill:#}");
    assert!(recovery > killed, "recovered {recovery} s, killed {killed} s");

    let seconds = gateway(ran);
    let hurt =
        seconds.iter().find(|(second, _, bad)| *second >= injected.floor() && *bad > 0.05).expect("a bad second").0;
    let clean = seconds
        .iter()
        .filter(|(second, ..)| *second >= killed)
        .map(|(second, ..)| *second)
        .find(|from| {
            let mut ten = seconds.iter().filter(|(second, ..)| (*from..from + 10.0).contains(second)).peekable();
            ten.peek().is_some() && ten.all(|(.., bad)| *bad < 0.01)
        })
        .expect("ten clean seconds");
    assert!((impact - hurt).abs() <= 3.0, "impact {impact} s here, {hurt} s at the gateway");
    assert!((recovery - clean).abs() <= 3.0, "recovery {recovery} s here, {clean} s at the gateway");

    let changes: Vec<f64> = lines(&ran.report().join("staging.jsonl"))
        .iter()
        .filter(|line| line["event"] == "flag" && line["flag"] == "smart_cart" && line["by"] == "admin")
        .map(at)
        .collect();
    let near = |when: f64| changes.iter().any(|change| (change - when).abs() <= 1.0);
    assert!(near(injected) && near(killed), "flag changes {changes:?}, injected {injected}, killed {killed}");
}

#[test]
fn the_robot_kills_the_flag_and_users_recover() {
    let _lock = alone();
    let ran = unspoilt(2, 0, || {
        Squall::new()
            .file("short.ron", &short())
            .file("shop_mix.ron", &scenario("shop_mix.ron"))
            .args(["drill", "short.ron"])
            .within(Duration::from_secs(240))
            .run()
    });
    recovered(&ran);
    for file in ["index.html", "postmortem.md", "junit.xml"] {
        assert!(ran.report().join(file).is_file(), "{file}");
    }
}

#[test]
#[ignore = "long-running: the whole night, in release"]
fn full_drill_robot_recovers() {
    let _lock = alone();
    let ran = unspoilt(2, 0, || midnight(&[]));
    assert!(ran.took() < Duration::from_secs(240), "{:?}", ran.took());
    recovered(&ran);
}

#[test]
#[ignore = "long-running: the whole night, in release"]
fn full_drill_nobody_acts_and_it_stays_bad() {
    let _lock = alone();
    unspoilt(2, 1, || midnight(&["--responder", "none"])).says("not recovered");
}

#[test]
#[ignore = "long-running: the whole night, in release"]
fn full_drill_test_like_data_hurt_nobody() {
    let _lock = alone();
    let ran = midnight(&["--data", "test-like"]).exits(4);
    let result = ran.json("result.json");
    assert_eq!(first(&journal(&ran), "injected").unwrap()["data"]["proved"], true);
    assert!(result["drill"]["timeline"]["impact_s"].is_null(), "{result:#}");
    assert_eq!(result["totals"]["failed"], 0);
    let times: Vec<&Value> =
        result["findings"].as_array().unwrap().iter().filter(|one| one["kind"] == "expectation").collect();
    for name in ["detect", "mitigate", "recover"] {
        assert!(
            times.iter().any(|one| one["id"] == format!("expect.{name}") && one["verdict"] == "inconclusive"),
            "{name}: {times:#?}"
        );
    }
}

#[test]
#[ignore = "long-running: the whole night, in release, on a real PostgreSQL"]
fn full_drill_on_a_real_postgresql() {
    let _lock = alone();
    let Some(database) = postgres() else { return };
    recovered(&unspoilt(2, 0, || midnight(&["--database", &database.url()])));
}

/// Waits, without sleeping, until `seen` gives something; at most `limit`.
fn until<T>(limit: Duration, mut seen: impl FnMut() -> Option<T>) -> T {
    let clock = Clock::start();
    loop {
        if let Some(found) = seen() {
            return found;
        }
        assert!(clock.now() - Tick::ZERO < limit, "nothing seen within {limit:?}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// A staging system in its own process, and the lines of its log.
struct Staging(Running);

impl Staging {
    fn start() -> Self {
        let running = Squall::new()
            .args(["staging", "--port", "0", "--admin-port", "0", "--log", "staging.jsonl"])
            .env("SQUALL_STAGING_TOKEN", TOKEN)
            .within(Duration::from_secs(120))
            .start();
        Self(running)
    }

    fn log(&self) -> Vec<Value> {
        lines(&self.0.folder().join("staging.jsonl"))
    }

    fn address(&self, side: &str) -> String {
        let boot = until(Duration::from_secs(30), || self.log().into_iter().find(|line| line["event"] == "boot"));
        format!("http://{}", boot[side].as_str().unwrap())
    }

    /// When the flag was last switched so, in Unix seconds.
    fn switched(&self, enabled: bool) -> Option<f64> {
        let log = self.log();
        let change = log.iter().rev().find(|line| line["event"] == "flag" && line["enabled"] == enabled)?;
        Some(unix(change["utc"].as_str().unwrap()))
    }
}

const TOKEN: &str = "a-token-of-the-test";

fn unix(utc: &str) -> f64 {
    let at: jiff::Timestamp = utc.parse().unwrap();
    at.as_nanosecond() as f64 / 1e9
}

fn remote(staging: &Staging) -> String {
    let text = short().replace(
        "system: Shop(data: Realistic, in_flight: 150, flag_poll: (a: \"30s | 5s\", b: \"5m | 15s\"))",
        &format!(
            "system: Remote(base: {:?}, admin: {:?}, token_env: \"SQUALL_STAGING_TOKEN\")",
            staging.address("gateway"),
            staging.address("admin")
        ),
    );
    assert!(text.contains("system: Remote"));
    // Nobody acts: whatever ends the flag is the lease.
    text.replace("lease: \"15s\"", "lease: \"5s\"")
}

#[test]
fn a_killed_drill_leaves_nothing_behind_and_recover_says_so_twice() {
    let _lock = alone();
    let staging = Staging::start();
    let drill = Squall::new()
        .file("short.ron", &remote(&staging))
        .file("shop_mix.ron", &scenario("shop_mix.ron"))
        .env("SQUALL_STAGING_TOKEN", TOKEN)
        .args(["drill", "short.ron", "--responder", "none"])
        .within(Duration::from_secs(120))
        .start();
    until(Duration::from_secs(60), || staging.switched(true));
    // Past the first renewal, so that it is the lease that ends the flag and not a start that never took hold.
    let journal = |kind: &str| {
        let folder = fs::read_dir(drill.folder().join("reports")).ok()?.next()?.ok()?.path();
        lines(&folder.join("journal.jsonl")).iter().any(|line| line["kind"] == kind).then_some(folder)
    };
    let folder = until(Duration::from_secs(30), || journal("renewed"));
    drill.signal(Signal::KILL);
    let killed = unix(&Clock::start().utc(Tick::ZERO).to_string());
    let off = until(Duration::from_secs(15), || staging.switched(false));
    assert!(off - killed <= 7.0, "off {:.1} s after the kill, under a lease of 5 s", off - killed);

    let recover = || {
        Squall::new()
            .env("SQUALL_STAGING_TOKEN", TOKEN)
            .args(["recover", folder.to_str().unwrap()])
            .run()
            .exits(0)
            .stdout()
    };
    let first = recover();
    assert!(first.contains("`ship` is healed"), "{first}");
    assert_eq!(first, recover());
    assert!(staging.switched(true) < staging.switched(false));
}

#[test]
fn the_shops_ordinary_evening_passes_its_own_checks() {
    let _lock = alone();
    let staging = Staging::start();
    let text = scenario("shop_mix.ron").replace("http://127.0.0.1:8080", &staging.address("gateway"));
    assert!(text.contains("for: \"60s\""));
    let ran = Squall::new()
        .file("shop_mix.ron", &text.replace("for: \"60s\"", "for: \"10s\""))
        .args(["run", "shop_mix.ron"])
        .run();
    let result = ran.json("result.json");
    assert_eq!((&result["totals"]["failed"], &result["totals"]["shed"]), (&0.into(), &0.into()), "{result:#}");
    assert!(result["journeys"]["checkout"]["completed"].as_u64().unwrap() > 40, "{result:#}");
}

#[test]
fn every_file_of_the_catalogue_is_run_by_a_test_and_named_in_its_readme() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let tests = include_str!("drill.rs");
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if Path::new(&name).extension().is_some_and(|ending| ending == "ron") {
            assert!(readme.contains(&name), "{name} is missing in scenarios/README.md");
            // Numbered files are run by `scenario::every_scenario_of_the_catalogue_is_right_and_runs`, all of them.
            let is_numbered = name.starts_with(|first: char| first.is_ascii_digit());
            assert!(is_numbered || tests.contains(&format!("scenario(\"{name}\")")), "no test runs {name}");
        }
    }
}
