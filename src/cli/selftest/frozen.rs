//! The case of the self-test in which the generator itself stands still: this program, run by itself and stopped for a second.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::lab::Lab;
use super::line::{Line, Noise};
use crate::base::clock::Clock;
use crate::base::timer::Timer;
use crate::cli::exit::{Failure, could_not};
use crate::load::truth::still;
use crate::load::truth::target::{Reply, Target};

const SECOND: Duration = Duration::from_secs(1);
/// How long the child may take to send its first request.
const PATIENCE: Duration = Duration::from_secs(10);

/// SIGSTOP for a second of ten (of the lab's length, at least four): the run is invalid, and the target is not blamed.
pub(super) fn stopped(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let aim = Target::start(|_| Reply::ok("hello")).map_err(could_not("start the target"))?;
    let clock = Clock::start();
    let dir = lab.folder(&clock)?;
    let length = format!("{}s", lab.seconds.max(4));
    let program = std::env::current_exe().map_err(could_not("find this program"))?;
    let child = Command::new(program)
        .args(["run", &aim.url(), "--rate", "1000/s", "--for", &length, "--json", "--seed", &lab.seed.to_string()])
        .arg("--out")
        .arg(&dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(could_not("run this program"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(could_not("start"))?;
    let (result, code) = runtime.block_on(hold_up(child, &aim, &clock))?;
    Ok(judge(lab, &result, code))
}

/// Stops the child for a second in the middle of a second of its run.
async fn hold_up(child: Child, aim: &Target, clock: &Clock) -> Result<(Value, i32), Failure> {
    let mut timer = Timer::new(clock).map_err(could_not("make a timer"))?;
    let late = clock.now() + PATIENCE;
    while aim.asked() == 0 && clock.now() < late {
        timer.until(clock.now() + Duration::from_millis(1)).await;
    }
    timer.until(clock.now() + Duration::from_millis(1_300)).await;
    still::stand(child.id(), &mut timer, SECOND).await.map_err(could_not("stop this program for a second"))?;
    let output = child.wait_with_output().map_err(could_not("wait for this program"))?;
    let result = serde_json::from_slice(&output.stdout).map_err(could_not("read its result"))?;
    Ok((result, output.status.code().unwrap_or(-1)))
}

fn judge(lab: &Lab, result: &Value, code: i32) -> Vec<Line> {
    let number = |path: &str| result.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let noise = if lab.is_loud() { Noise::Loud } else { Noise::Quiet };
    let stalls: Vec<&Value> =
        result.pointer("/generator/stalls").and_then(Value::as_array).into_iter().flatten().collect();
    let longest = stalls.iter().filter_map(|one| one["longest_ms"].as_f64()).fold(f64::NAN, f64::max);
    let affected: f64 = stalls.iter().filter_map(|one| one["affected"].as_f64()).sum();
    vec![
        Line::exact("exit code", &5, &code),
        Line::exact("verdict", &"invalid", &result["verdict"].as_str().unwrap_or("none")),
        Line::near("stall", 1_000.0, longest, (50.0, "ms"), noise),
        Line::near("arrivals affected", 1_000.0, affected, (60.0, ""), noise),
        // The target answers at once: stopped or not, its own time stays what it was.
        Line::at_most("service p50", 2.0, number("/latency_us/service/p50") / 1e3, "ms", noise),
        Line::at_most("service p90", 10.0, number("/latency_us/service/p90") / 1e3, "ms", noise),
    ]
}
