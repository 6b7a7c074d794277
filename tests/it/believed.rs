//! Whether the generator knows when it must not be believed. Long, and alone on the machine: run by name.

use std::process::{Child, Command};
use std::time::Duration;

use crate::support::nginx::nginx;
use crate::support::program::Squall;
use crate::support::quiet::alone;

fn verdict(url: &str, seconds: u32) -> String {
    let length = format!("{seconds}s");
    let ran = Squall::new()
        .args(["run", url, "--rate", "1000/s", "--for", &length, "--check", "p99 < 2s"])
        .within(Duration::from_secs(120))
        .run();
    ran.json("result.json")["generator"]["verdict"].as_str().unwrap().to_owned()
}

/// Processes that do nothing but run.
struct Hogs(Vec<Child>);

impl Hogs {
    fn start(number: usize) -> Self {
        let hog = || Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        Self((0..number).map(|_| hog()).collect())
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        for hog in &mut self.0 {
            drop(hog.kill());
            drop(hog.wait());
        }
    }
}

#[test]
#[ignore = "three minutes on a quiet machine"]
fn full_a_clean_run_is_valid_every_time() {
    let _lock = alone();
    let Some(server) = nginx() else { return };
    let verdicts: Vec<String> = (0..100).map(|_| verdict(&server.url(), 1)).collect();
    let doubted: Vec<&String> = verdicts.iter().filter(|verdict| *verdict != "valid").collect();
    assert!(doubted.is_empty(), "{doubted:?}");
}

#[test]
#[ignore = "it takes all processors for ten seconds"]
fn full_a_generator_without_a_processor_is_at_least_suspect() {
    let _lock = alone();
    let Some(server) = nginx() else { return };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let _hogs = Hogs::start(8 * cores);
    let verdict = verdict(&server.url(), 8);
    assert!(["suspect", "invalid"].contains(&verdict.as_str()), "{verdict}");
}
