//! `squall baseline` and `squall gate` against accepted runs: what moves the level, what refuses to, and what a gate may say.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use squall::measure::host::fingerprint;
use squall::measure::record::Head;
use tempfile::TempDir;

use crate::support::program::{Ran, Squall};
use crate::support::synthetic::{self, Shape};

const LINES: &str = r#""p95 <= baseline +5%", "should: p95 <= anchor +20%", "errors < 5%""#;

/// A folder with runs in it, in which squall is run.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn run(&self, name: &str, shape: Shape, change: impl FnOnce(&mut Head)) -> PathBuf {
        let dir = self.0.path().join(name);
        let start = format!("2026-03-{:02}T10:00:00Z", 1 + shape.seed);
        synthetic::run(&dir, (&synthetic::scenario(1, 60, LINES), &start), &shape, change);
        dir
    }

    fn squall(&self, args: &[&str]) -> Ran {
        Squall::new().inside(self.0.path()).args(args).run()
    }

    fn accept(&self, run: &Path, flags: &[&str]) -> Ran {
        self.squall(&[&["baseline", "accept", run.to_str().unwrap(), "--reason", "as it should be"], flags].concat())
    }

    fn gate(&self, run: &Path, flags: &[&str]) -> (Ran, Value) {
        let ran = self.squall(&[&["gate", run.to_str().unwrap()], flags].concat());
        let text = fs::read_to_string(run.join("gate/result.json")).unwrap_or_else(|_| "null".to_owned());
        (ran, serde_json::from_str(&text).unwrap())
    }

    /// So many accepted runs with some noise between them.
    fn history(&self, runs: u64) {
        for seed in 0..runs {
            let median_us = 20_000.0 * (1.0 + 0.02 * ((seed * 7 % 5) as f64 - 2.0) / 2.0);
            let run = self.run(&format!("old-{seed}"), Shape { median_us, seed, ..Shape::default() }, |_| {});
            let flags: &[&str] = if seed == 2 { &["--anchor"] } else { &[] };
            self.accept(&run, flags).exits(0);
        }
    }

    /// A ledger of so many quiet comparisons on this machine.
    fn ledger(&self, gates: usize) {
        let line = json!({ "utc": "2026-03-01T00:00:00Z", "host": fingerprint(), "plan_hash": "p", "n": 10, "slot_s": 12,
            "d": { "p95 <= baseline +5%": [[0.01, true], [-0.01, false]] }, "red": false });
        fs::create_dir_all(self.0.path().join(".squall/calibration")).unwrap();
        fs::write(self.0.path().join(".squall/calibration/default.jsonl"), format!("{line}\n").repeat(gates)).unwrap();
    }
}

const NEW: Shape = Shape { seconds: 60, rate: 100, median_us: 20_100.0, failed: 0, seed: 20 };

fn line<'a>(result: &'a Value, id: &str) -> &'a Value {
    let all = result["findings"].as_array().unwrap();
    all.iter().find(|one| one["id"] == id).unwrap_or_else(|| panic!("no {id} in {result:#}"))
}

fn said(result: &Value) -> (String, String) {
    let one = line(result, "p95 <= baseline +5%");
    (one["verdict"].as_str().unwrap().to_owned(), one["reason"].as_str().unwrap().to_owned())
}

fn pair(a: &str, b: &str) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

#[test]
fn a_gate_compares_with_the_accepted_runs_and_may_fail_once_the_ledger_lets_it() {
    let place = Place::new();
    place.history(9);
    let like = place.run("like", NEW, |_| {});
    let (ran, result) = place.gate(&like, &[]);
    ran.exits(0);
    assert_eq!(said(&result), pair("pass", "within"), "{result:#}");
    let observed = line(&result, "p95 <= baseline +5%")["observed"].as_str().unwrap();
    assert!(
        observed.contains("9 accepted runs explain up to +") && observed.contains("cannot see less than +"),
        "{observed}"
    );
    assert_eq!(line(&result, "should: p95 <= anchor +20%")["verdict"], "pass");
    let slow = place.run("slow", Shape { median_us: 30_000.0, ..NEW }, |_| {});
    let (ran, result) = place.gate(&slow, &[]);
    ran.exits(0);
    assert_eq!(said(&result), pair("warn", "uncalibrated"), "{result:#}");
    place.ledger(60);
    let (ran, result) = place.gate(&slow, &[]);
    ran.exits(1);
    assert_eq!(said(&result), pair("fail", "beyond"), "{result:#}");
    place.ledger(30);
    assert_eq!(said(&place.gate(&slow, &[]).1), pair("warn", "uncalibrated"), "30 quiet gates prove too little");
    // Made again from the same files, it is the same.
    let page = || fs::read(slow.join("gate/index.html")).unwrap();
    let before = page();
    place.gate(&slow, &[]);
    assert!(before == page());
}

#[test]
fn several_runs_are_candidates_of_one_change() {
    let place = Place::new();
    place.history(8);
    place.ledger(60);
    let of = |seed| place.run(&format!("new-{seed}"), Shape { median_us: 24_000.0, seed, ..NEW }, |_| {});
    let runs = [of(20), of(21), of(22)];
    let args: Vec<&str> = std::iter::once("gate").chain(runs.iter().map(|run| run.to_str().unwrap())).collect();
    place.squall(&args).exits(1);
    for run in &runs {
        let text = fs::read_to_string(run.join("gate/result.json")).unwrap();
        assert_eq!(said(&serde_json::from_str(&text).unwrap()), pair("fail", "beyond"));
    }
}

#[test]
fn too_few_runs_say_how_many_are_missing() {
    let place = Place::new();
    place.history(5);
    let new = place.run("new", NEW, |_| {});
    let (ran, result) = place.gate(&new, &[]);
    ran.exits(4);
    assert_eq!(said(&result), pair("inconclusive", "low_power"));
    assert!(line(&result, "p95 <= baseline +5%")["next"].as_str().unwrap().contains("3 more"), "{result:#}");
    place.gate(&new, &["--inconclusive", "allow"]).0.exits(0);
    // Another environment has none at all.
    place.gate(&new, &["--env", "lab"]).0.exits(4);
    place.gate(&new, &["--env", "../../etc"]).0.exits(2).says("cannot name a folder");
}

#[test]
fn another_machine_is_refused_field_by_field_and_let_through_only_by_name() {
    let place = Place::new();
    place.history(8);
    let other = place.run("other", Shape { median_us: 30_000.0, ..NEW }, |head| head.host.cores += 4);
    let (ran, result) = place.gate(&other, &[]);
    ran.exits(4).says("not compared: cores is");
    assert_eq!(said(&result), pair("inconclusive", "fingerprint"));
    assert_eq!(line(&result, "errors < 5%")["verdict"], "pass", "absolute checks still run");
    place.ledger(60);
    let (ran, result) = place.gate(&other, &["--allow-mismatch", "cores"]);
    ran.exits(0);
    assert_eq!(line(&result, "p95 <= baseline +5%")["verdict"], "warn");
    assert!(
        line(&result, "p95 <= baseline +5%")["observed"].as_str().unwrap().contains("let through: cores"),
        "{result:#}"
    );
    place.gate(&other, &["--allow-mismatch", "colour"]).0.exits(2).says("there are cpu, cores");
}

#[test]
fn only_passed_runs_move_the_level_and_only_once() {
    let place = Place::new();
    let red = place.run("red", Shape { failed: 20, ..NEW }, |_| {});
    place.accept(&red, &[]).exits(2).says("only a passed run moves the level");
    let good = place.run("good", NEW, |_| {});
    place.squall(&["baseline", "accept", good.to_str().unwrap(), "--reason", " "]).exits(2).says("--reason is empty");
    place.squall(&["baseline", "accept", good.to_str().unwrap()]).exits(2).says("--reason");
    place.accept(&good, &[]).exits(0);
    place.accept(&good, &[]).exits(2).says("accepted before");
    let cut = place.run("cut", NEW, |_| {});
    let path = cut.join("record.sqr");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 40]).unwrap();
    place.accept(&cut, &[]).exits(2).says("cut off");
    assert_eq!(fs::read_dir(place.0.path().join(".squall/baselines/made/default")).unwrap().count(), 2);
}

#[test]
fn what_was_accepted_can_be_seen_and_a_file_that_is_gone_is_named() {
    let place = Place::new();
    place.history(8);
    let listed = place.squall(&["baseline", "list", "made"]);
    assert_eq!(listed.stdout().lines().count(), 8);
    assert_eq!(listed.stdout().matches("anchor").count(), 1);
    place.squall(&["baseline", "show", "made"]).exits(0).says("p95");
    let csv = place.squall(&["baseline", "export", "made", "--csv"]).stdout();
    assert_eq!((csv.lines().count(), csv.lines().next().unwrap().split(',').count()), (1 + 8 * 2, 10), "{csv}");
    let store = place.0.path().join(".squall/baselines/made/default");
    let index: Value = serde_json::from_str(&fs::read_to_string(store.join("index.json")).unwrap()).unwrap();
    let first = index["accepted"][0]["file"].as_str().unwrap();
    assert!(first.starts_with("2026-03-01T100000Z".replace('-', "").as_str()) && first.contains(".sqr"), "{first}");
    assert!(fs::metadata(store.join(first)).unwrap().len() < 50_000);
    fs::remove_file(store.join(first)).unwrap();
    let new = place.run("new", NEW, |_| {});
    let (ran, result) = place.gate(&new, &[]);
    ran.exits(4).says(&format!("{first} is gone"));
    assert_eq!(said(&result), pair("inconclusive", "low_power"));
    // A change of level begins the history anew.
    let moved = place.run("moved", Shape { seed: 25, ..NEW }, |_| {});
    let accepted = place.accept(&moved, &["--change-point"]).exits(0).stdout();
    assert!(accepted.contains("(1 runs since"), "{accepted}");
}

#[test]
fn one_run_named_by_hand_advises() {
    let place = Place::new();
    let (old, new) = (
        place.run("old", Shape { seed: 3, ..NEW }, |_| {}),
        place.run("new", Shape { median_us: 40_000.0, ..NEW }, |_| {}),
    );
    let (ran, result) = place.gate(&new, &["--baseline", old.to_str().unwrap()]);
    ran.exits(0);
    assert_eq!(said(&result), pair("warn", "beyond"));
    let change = line(&result, "p95 <= baseline +5%")["evidence"]["value"].as_f64().unwrap();
    assert!((0.9..1.1).contains(&change), "{result:#}");
    place.gate(&new, &["--baseline", "nowhere"]).0.exits(3);
}

#[test]
fn a_run_without_its_journal_is_judged_by_its_record_alone() {
    let place = Place::new();
    let run = place.run("run", NEW, |_| {});
    let path = run.join("journal.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    // A last line that was cut off is dropped: nothing else is lost.
    fs::write(&path, format!("{whole}{{\"seq\":9,\"at")).unwrap();
    place.gate(&run, &["--check", "errors < 5%"]).0.exits(0);
    let broken =
        whole.lines().enumerate().map(|(n, line)| if n == 1 { "{nonsense".to_owned() } else { line.to_owned() });
    fs::write(&path, broken.collect::<Vec<_>>().join("\n") + "\n").unwrap();
    for missing in [false, true] {
        if missing {
            fs::remove_file(&path).unwrap();
        }
        let (ran, result) = place.gate(&run, &["--check", "errors < 5%", "--check", "errors{phase=steady} < 5%"]);
        ran.exits(4);
        let lost = line(&result, "journal");
        assert_eq!(lost["verdict"], "inconclusive", "{result:#}");
        let named = if missing { "no such file" } else { "journal.jsonl:2" };
        assert!(lost["observed"].as_str().unwrap().to_lowercase().contains(named), "{lost}");
        assert_eq!(line(&result, "errors < 5%")["verdict"], "pass", "{result:#}");
        assert_eq!(line(&result, "errors{phase=steady} < 5%")["reason"], "no_data");
    }
}

#[test]
fn a_full_disk_leaves_the_old_report_whole() {
    let place = Place::new();
    let run = place.run("run", NEW, |_| {});
    place.squall(&["report", run.to_str().unwrap()]).exits(0);
    let page = fs::read(run.join("index.html")).unwrap();
    // No file may grow beyond 4 KiB, and the signal that says so is ignored: writing fails as on a full disk.
    let line = format!("trap '' XFSZ; ulimit -f 4; exec {} report {}", env!("CARGO_BIN_EXE_squall"), run.display());
    let ran = Squall::shell(&line).inside(place.0.path()).run();
    ran.exits(3).says("could not write the reports");
    assert!(page == fs::read(run.join("index.html")).unwrap());
    let drafts = fs::read_dir(&run)
        .unwrap()
        .filter(|one| one.as_ref().unwrap().file_name().to_string_lossy().contains(".draft"));
    assert_eq!(drafts.count(), 0);
}

#[test]
fn two_records_that_claim_one_part_of_a_run_are_both_named() {
    let place = Place::new();
    let shard = |name: &str, seed| {
        place.run(name, Shape { seed, ..NEW }, |head| {
            (head.shard, head.start_utc) = ((0, 2), "2026-03-01T10:00:00Z".into())
        })
    };
    let (one, other) = (shard("one", 3), shard("other", 4));
    let ran = place.squall(&["report", one.to_str().unwrap(), other.to_str().unwrap()]);
    ran.exits(3).says("one/record.sqr").says("other/record.sqr");
}
