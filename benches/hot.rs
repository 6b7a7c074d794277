//! What the hot path costs without a network: a recorded sample with its three clocks, and an arrival of ours or of another.
//!
//! Prints the median of several rounds beside the goal, in nanoseconds; exits 1 above a goal. `cargo bench --bench hot`.
//! Not here: whole requests (`cpu_per_request.py`), memory (`slope.rs`).

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use squall::base::clock::{Tick, thread_cpu_nanos};
use squall::base::seed::Seed;
use squall::base::shard::Shard;
use squall::load::arrivals::{Arrivals, Order};
use squall::measure::interval::Health;
use squall::measure::outcome::{Class, Outcome};
use squall::measure::recorder::Recorder;
use squall::measure::sample::{Sample, StepId};
use squall::plan::curve::{Curve, Ramp};
use squall::plan::load::Spacing;

const ROUNDS: usize = 9;
const SAMPLES: u64 = 2_000_000;
const STEPS: u16 = 50;
const ARRIVALS: u64 = 1_000_000;
/// Shards of the foreign arrivals: nearly all of what such an iterator passes belongs to others.
const SHARDS: u32 = 1_000;

/// The median time of one of `count` things that `work` does, in nanoseconds of this thread.
fn median(count: u64, mut work: impl FnMut()) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let before = thread_cpu_nanos();
            work();
            (thread_cpu_nanos() - before) as f64 / count as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

/// Samples over 20 s and 50 series, a frame every second: flow, class, response, service and lateness each time.
fn recorder() -> f64 {
    let mut recorder = Recorder::new(0, usize::from(STEPS), Arc::new(Vec::new()));
    let apart = 20_000_000_000 / SAMPLES;
    median(SAMPLES, || {
        let mut second = 0;
        for n in 0..SAMPLES {
            let due = Tick::from_nanos(n * apart);
            // Some microseconds late, answered after 0.2 to 8 ms.
            let sent = due + Duration::from_nanos(20_000 + n % 97 * 300);
            let done = sent + Duration::from_nanos(200_000 + n.wrapping_mul(2_654_435_761) % 7_800_000);
            recorder.sent(sent, 0);
            recorder.sample(&Sample {
                step: StepId(u16::try_from(n % u64::from(STEPS)).unwrap_or(0)),
                due,
                sent,
                done,
                outcome: Outcome::Answered,
                class: Class::Ok,
                bytes_out: 80,
                bytes_in: 900,
            });
            if due.second() > second {
                second = due.second();
                black_box(recorder.frame(due, Health::default()));
            }
        }
        // The next round begins at 0 again.
        recorder = Recorder::new(0, usize::from(STEPS), Arc::new(Vec::new()));
    })
}

/// One arrival of a curve that rises, stays and falls.
fn arrivals(spacing: Spacing, shard: Shard) -> f64 {
    let ramp = |from, to, secs| Ramp { from, to, over: Duration::from_secs(secs) };
    let rate = ARRIVALS as f64 / 80.0;
    let curve = Curve::new([ramp(0.0, rate, 20), ramp(rate, rate, 60), ramp(rate, 0.0, 20)]);
    let order = Order { spacing, most: None, seed: Seed(1), workload: "bench" };
    median(curve.arrivals(), || {
        black_box(Arrivals::new(&curve, &order, shard).map(|one| one.due.nanos()).fold(0, u64::wrapping_add));
    })
}

fn main() -> ExitCode {
    let foreign = Shard { index: 0, of: SHARDS };
    let mut met = true;
    println!("{:<40} {:>9} {:>6}", "", "median ns", "goal");
    for (what, seen, goal) in [
        ("recorder: one sample, three clocks", recorder(), 60.0),
        ("arrivals: own, Even", arrivals(Spacing::Even, Shard::WHOLE), 50.0),
        ("arrivals: own, Poisson", arrivals(Spacing::Poisson, Shard::WHOLE), 50.0),
        ("arrivals: foreign, Even", arrivals(Spacing::Even, foreign), 20.0),
        ("arrivals: foreign, Poisson", arrivals(Spacing::Poisson, foreign), 20.0),
    ] {
        met &= seen <= goal;
        println!("{what:<40} {seen:>9.1} {goal:>6.0}{}", if seen <= goal { "" } else { "  above" });
    }
    if met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
