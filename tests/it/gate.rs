//! `squall gate` and `squall report` on finished runs: other checks and profiles, a part of a run, damaged and foreign files.
//!
//! Verdicts of the generator are not asserted: a busy machine may make a run invalid.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::program::{Ran, Squall};
use crate::support::server::Server;

fn run(length: &str) -> Ran {
    let server = Server::start().drop_every(10);
    Squall::new().args(["run", &server.url(), "--rate", "200/s", "--for", length]).run()
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        .unwrap()
}

fn squall(command: &str, folder: &Path, flags: &[&str]) -> Ran {
    Squall::new().args([command, folder.to_str().unwrap()]).args(flags).run()
}

fn finding<'a>(result: &'a Value, id: &str) -> &'a Value {
    let all = result["findings"].as_array().unwrap();
    all.iter().find(|one| one["id"] == id).unwrap_or_else(|| panic!("no {id} in {result:#}"))
}

#[test]
fn a_gate_judges_by_its_own_checks_and_never_over_the_runs_own_files() {
    let ran = run("3s");
    let (folder, own) = (ran.report(), fs::read(ran.report().join("result.json")).unwrap());
    squall("gate", &folder, &["--check", "errors < 1%", "--check", "requests >= 600"]);
    let result = json(&folder.join("gate/result.json"));
    let errors = finding(&result, "errors < 1%");
    assert!(
        errors["evidence"]["bound"] == 0.01 && ["fail", "invalid"].map(Value::from).contains(&errors["verdict"]),
        "{errors}"
    );
    assert_eq!(finding(&result, "requests >= 600")["evidence"]["value"], 600.0);
    assert_eq!(finding(&result, "errors < 1%")["evidence"]["source"]["line"], 1);
    let list = ran.folder().join("checks.txt");
    fs::write(&list, "# ours\nerrors < 50%\n\n").unwrap();
    squall("gate", &folder, &["--checks", list.to_str().unwrap(), "--annotations", "github"]);
    assert_ne!(
        finding(&json(&folder.join("gate/result.json")), "errors < 50%")["verdict"],
        "pass",
        "3 s have no interval"
    );
    squall("gate", &folder, &["--check", "errors < 1"]).exits(2).says("errors is a share");
    assert!(own == fs::read(folder.join("result.json")).unwrap());
}

#[test]
fn a_part_of_a_run_is_judged_by_its_own_seconds() {
    let ran = run("4s");
    let folder = ran.report();
    squall("report", &folder, &["--from", "1s", "--to", "3s"]).exits(0);
    let result = json(&folder.join("cut-1s-3s/result.json"));
    assert_eq!((&result["totals"]["planned"], &result["totals"]["done"]), (&400.into(), &400.into()), "{result:#}");
    assert_eq!(finding(&result, "generator.sum")["verdict"], "pass");
    for (from, to) in [("3s", "1s"), ("2s", "2s"), ("1s", "9m")] {
        squall("report", &folder, &["--from", from, "--to", to]).exits(2).says("the run lasted");
    }
}

#[test]
fn damaged_and_foreign_records_are_named_and_never_pass() {
    let ran = run("2s");
    let folder = ran.report();
    let path = folder.join("record.sqr");
    let whole = fs::read(&path).unwrap();
    let told = |bytes: &[u8], code: i32, says: &str| {
        fs::write(&path, bytes).unwrap();
        squall("gate", &folder, &[]).exits(code).says(says);
    };
    told(b"", 3, "is not a squall record (empty file)");
    told(b"\x89SQR\n\x1a\nrest", 3, "it was copied as text");
    told(b"PK\x03\x04", 3, "wrong magic");
    let newer = String::from_utf8_lossy(&whole[..200]).contains("\"schema\":1");
    assert!(newer, "the head says its schema");
    // Without its last chunk the record has no end: what would have passed is inconclusive, unless the generator spoils it.
    fs::write(&path, &whole[..whole.len() - 40]).unwrap();
    let cut = squall("gate", &folder, &["--check", "requests >= 1"]);
    let result = json(&folder.join("gate/result.json"));
    assert_eq!(finding(&result, "record.truncated")["verdict"], "inconclusive", "{result:#}");
    assert_ne!(result["verdict"], "pass");
    drop(cut);
    fs::write(&path, &whole).unwrap();
    fs::remove_file(folder.join("journal.jsonl")).unwrap();
    squall("gate", &folder, &[]);
    assert_eq!(finding(&json(&folder.join("gate/result.json")), "journal")["verdict"], "inconclusive");
}
