//! How long merging, judging and rendering take, and how much memory they need, on records that nobody measured.
//!
//! `cargo bench --bench report` prints a table; figures belong to the machine that made them. Not a test: nothing fails here.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::expect_used, reason = "a bench that cannot set itself up has nothing to measure")]

#[path = "../tests/it/support/synthetic.rs"]
mod synthetic;

use std::path::Path;
use std::time::Duration;

use squall::base::clock::Clock;
use squall::judge::account::{Planned, of};
use squall::judge::conclusion;
use squall::measure::host::max_rss_kib;
use squall::measure::interval::Interval;
use squall::measure::journal;
use squall::measure::record;
use squall::plan::load::LoadPlan;
use squall::report;
use synthetic::Shape;

fn timed<T>(clock: &Clock, work: impl FnOnce() -> T) -> (T, Duration) {
    let from = clock.now();
    let made = work();
    (made, clock.now().since(from))
}

fn row(name: &str, took: Duration, more: &str) {
    println!("{name:<40} {:>9.1} ms   {more}", took.as_secs_f64() * 1e3);
}

/// One second of 200 workers with 20 series each, added up.
fn merge(clock: &Clock) {
    let shape = Shape { rate: 1_000, ..Shape::default() };
    let frames: Vec<Interval> = (0..200).map(|n| synthetic::second(0, 20, &Shape { seed: n, ..shape })).collect();
    let (sum, took) = timed(clock, || {
        let mut sum = Interval::at(0);
        frames.iter().for_each(|one| sum.merge(one));
        sum
    });
    row("merge: 200 workers x 20 series, one second", took, &format!("{} requests", sum.total().arrivals()));
}

/// An hour of 20 steps at 1 000 requests a second, with 50 checks: read, judged, rendered.
fn whole(clock: &Clock, dir: &Path) {
    let checks: Vec<String> = (0..50).map(|n| format!("\"p{} < {}s\"", 50.0 + f64::from(n) * 0.99, 1 + n)).collect();
    let text = synthetic::scenario(20, 3_600, &checks.join(", "));
    let shape = Shape { seconds: 3_600, rate: 1_000, failed: 1, ..Shape::default() };
    synthetic::run(dir, (&text, "2026-03-01T10:00:00Z"), &shape, |_| {});
    let plan: LoadPlan = synthetic::plan(&text);
    let size = std::fs::metadata(dir.join("record.sqr")).map_or(0, |one| one.len());
    println!("record of 1 h x 20 steps x 1 000/s: {:.1} MiB", size as f64 / f64::from(1 << 20));
    let before = max_rss_kib();
    let (record, took) = timed(clock, || record::read(&dir.join("record.sqr")).expect("the record"));
    row("read the record", took, "");
    let lines = journal::read(&dir.join("journal.jsonl")).expect("the journal").lines;
    let (account, took) = timed(clock, || of(Planned::Load(&plan), &lines, record));
    row("judge: 50 checks, 20 steps, 1 h", took, &format!("{} findings", account.findings.len()));
    let code = conclusion::of(&account).exit_code();
    let (written, took) = timed(clock, || report::write_all(&account, dir, code).expect("the reports"));
    let page = std::fs::metadata(dir.join("index.html")).map_or(0, |one| one.len());
    let memory = max_rss_kib();
    row("render: every report", took, &format!("{} files, page {} KiB", written.len(), page / 1024));
    println!("memory: {} MiB at most, {} MiB before reading", memory / 1024, before / 1024);
}

fn main() {
    let clock = Clock::start();
    merge(&clock);
    let dir = std::env::temp_dir().join(format!("squall-bench-{}", std::process::id()));
    whole(&clock, &dir);
    drop(std::fs::remove_dir_all(&dir));
}
