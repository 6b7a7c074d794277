//! Memory over a very long run, without its hours: recorder and collector are driven directly, one second after the other.
//!
//! 50 series, windows of 1 s, a worker's frame and the collector's live second for each. Prints the resident memory as it
//! goes and its slope after the first 5 minutes; exits 1 above 300 MB or when it still grows.
//! `cargo bench --bench slope` records 10⁸ samples; `-- --all` 10⁹ over 24 h. Not here: memory of users (`idle_users.py`).

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::fs;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use squall::base::clock::{Clock, Tick};
use squall::base::seed::Seed;
use squall::base::shard::Shard;
use squall::base::stop::Stop;
use squall::load::core::Post;
use squall::load::gate::gates;
use squall::load::local::Collector;
use squall::load::pulse::Message;
use squall::load::step::Script;
use squall::load::surge::Surge;
use squall::measure::interval::Health;
use squall::measure::outcome::{Class, Kind, Outcome};
use squall::measure::record::RecordWriter;
use squall::measure::recorder::Recorder;
use squall::measure::sample::{Sample, StepId};
use squall::plan::check::{self, Files, ScenarioOptions};
use squall::plan::load::LoadPlan;

const STEPS: u64 = 50;
/// Growth that is noise, KiB an hour of the run.
const FLAT_KIB: f64 = 64.0;
/// Resident memory at most.
const MOST_KIB: u64 = 300 * 1024;

/// A plan with 50 steps.
fn plan() -> Option<LoadPlan> {
    let steps: Vec<String> = (0..STEPS).map(|n| format!("Http(name: \"step {n}\", url: \"/{n}\")")).collect();
    let steps = steps.join(", ");
    let text = format!(
        "(name: \"slope\", target: (base: \"http://127.0.0.1:1\"), \
         load: [Open(name: \"w\", rate: [Hold(rate: \"100/s\", for: \"10s\")], mix: {{\"j\": 1}})], \
         journeys: {{\"j\": (steps: [{steps}])}})"
    );
    let mut files = Files::held([("slope.ron".to_owned(), text)]);
    check::scenario(&mut files, "slope.ron", &ScenarioOptions::default()).ok().map(|(plan, _)| plan)
}

fn post(plan: LoadPlan) -> Option<Post> {
    let plan = Arc::new(plan);
    let counters = || Arc::new(vec![AtomicU64::new(0)]);
    Some(Post {
        number: 0,
        shard: Shard::WHOLE,
        shards: 1,
        gates: Arc::new(gates(&plan, 1)),
        script: Arc::new(Script::new(plan).ok()?),
        clock: Clock::start(),
        seed: Seed(1),
        start_at: Tick::ZERO,
        stops: [Stop::new(), Stop::new()],
        under_way: counters(),
        tickets: counters(),
        surge: Surge::default(),
    })
}

/// Resident memory of this process now, KiB.
fn resident_kib() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or("");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}

/// Sample `n` of those due in `second`; one of a thousand failed, and some come seconds late.
fn sample(second: u64, n: u64, of: u64) -> Sample {
    let mixed = (second * of + n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let due = Tick::from_nanos(second * 1_000_000_000 + n * 1_000_000_000 / of);
    let sent = due + Duration::from_nanos(10_000 + mixed % 60_000);
    let late = if mixed.is_multiple_of(5_000) { 3_000_000_000 } else { 0 };
    let outcome = if mixed.is_multiple_of(1_000) { Outcome::Refused(Kind::Status(503)) } else { Outcome::Answered };
    Sample {
        step: StepId(u16::try_from(mixed % STEPS).unwrap_or(0)),
        due,
        sent,
        done: sent + Duration::from_nanos(100_000 + (mixed >> 20) % 50_000_000 + late),
        outcome,
        class: if outcome.is_ok() { Class::Ok } else { Class::Error },
        bytes_out: 80,
        bytes_in: 900,
    }
}

/// Records `seconds` of `each` samples; (second, resident KiB) every 60 s.
fn run(seconds: u64, each: u64) -> Option<Vec<(u64, u64)>> {
    let folder = std::env::temp_dir().join(format!("squall-slope-{}", std::process::id()));
    fs::create_dir_all(&folder).ok()?;
    let post = post(plan()?)?;
    let head = squall::load::head(&post.script.plan, &post.clock, post.seed);
    let mut recorder = Recorder::new(0, post.script.plan.steps.len(), Arc::clone(&post.script.plan.labels));
    let mut collector = Collector::new(&post, 1, RecordWriter::create(&folder.join("record.sqr"), &head).ok()?);
    let mut seen = Vec::new();
    for (at, second) in (0_u32..).zip(0..seconds) {
        for n in 0..each {
            recorder.sample(&sample(second, n, each));
        }
        let frame = recorder.frame(Tick::from_millis(second * 1_000 + 999), Health::default());
        collector.take(Message::Frame { second: at, frame, booked: Vec::new() });
        drop(collector.show(at).ok()?);
        if (second + 1).is_multiple_of(60) {
            seen.push((second + 1, resident_kib()));
        }
    }
    drop(collector);
    fs::remove_dir_all(&folder).ok()?;
    Some(seen)
}

/// KiB an hour, by least squares over the points after 5 minutes.
fn slope(seen: &[(u64, u64)]) -> f64 {
    let points: Vec<(f64, f64)> =
        seen.iter().filter(|(at, _)| *at >= 300).map(|(at, kib)| (*at as f64 / 3_600.0, *kib as f64)).collect();
    let n = points.len().max(1) as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0 / n, sum.1 + one.1 / n));
    let over = points.iter().map(|one| (one.0 - x) * (one.1 - y)).sum::<f64>();
    let under = points.iter().map(|one| (one.0 - x).powi(2)).sum::<f64>();
    if under > 0.0 { over / under } else { 0.0 }
}

fn main() -> ExitCode {
    let all = std::env::args().any(|one| one == "--all");
    // 10⁹ over 24 h are 11 574 a second; 10⁸ at the same rate are 2.4 h.
    let (seconds, each) = if all { (86_400, 11_575) } else { (8_640, 11_575) };
    let Some(seen) = run(seconds, each) else {
        println!("the recorder could not be driven: is the temporary folder writable?");
        return ExitCode::FAILURE;
    };
    let step = (seen.len() / 12).max(1);
    for (at, kib) in seen.iter().enumerate().filter(|(n, _)| n % step == 4 % step).map(|(_, one)| one) {
        println!("after {:>6} s: {:>6.1} MiB", at, *kib as f64 / 1024.0);
    }
    let (slope, most) = (slope(&seen), seen.iter().map(|(_, kib)| *kib).max().unwrap_or(0));
    println!(
        "{} samples, {STEPS} series, {seconds} windows of 1 s: at most {:.1} MiB (goal 300), {slope:+.1} KiB an hour after \
         5 minutes (goal 0 within {FLAT_KIB})",
        seconds * each,
        most as f64 / 1024.0
    );
    if most <= MOST_KIB && slope.abs() <= FLAT_KIB { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
