//! Cases of the self-test on paper: arrivals as they are planned, nothing is sent.

use std::fmt::Write as _;

use super::lab::Lab;
use super::line::Line;
use crate::base::clock::Tick;
use crate::base::digest::sha256;
use crate::base::seed::Seed;
use crate::base::shard::Shard;
use crate::cli::exit::Failure;
use crate::load::truth::{Listed, listing};
use crate::stats::kolmogorov;
use crate::stats::portable::exp;

const NOWHERE: &str = "http://127.0.0.1:1";

/// A Poisson stream of a known total: its gaps are exponential.
pub(super) fn poisson(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let load = "Open(name: \"arrivals\", rate: [Hold(rate: \"1000/s\", for: \"10s\")], spacing: Poisson)";
    let plan = lab.plan(NOWHERE, load, "\"j\": (steps: [Http(name: \"get\", url: \"/\")])", &[])?;
    let all = listing(&plan, Seed(lab.seed), Shard::WHOLE, 1);
    let gaps: Vec<f64> = all.windows(2).map(|two| two[1].0.since(two[0].0).as_secs_f64()).collect();
    let p = kolmogorov::p_value(&gaps, |gap| 1.0 - exp(-gap * 1_000.0));
    let odd = if p > 0.01 { "exponential" } else { "not exponential" };
    Ok(vec![
        Line::exact("arrivals", &10_000, &all.len()),
        Line::exact(&format!("gaps, p = {p:.3}"), &"exponential", &odd),
    ])
}

/// The same arrivals whatever the number of threads and machines.
pub(super) fn one_plan(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let load = "Open(name: \"even\", rate: [Ramp(from: \"0/s\", to: \"500/s\", over: \"10s\")], mix: {\"a\": 7, \"b\": 2}), \
                Open(name: \"poisson\", rate: [Hold(rate: \"300/s\", for: \"7s\")], spacing: Poisson, mix: {\"b\": 1, \"a\": 3}, \
                start: At(\"2s\"))";
    let journeys = "\"a\": (steps: [Http(name: \"a\", url: \"/a\")]), \"b\": (steps: [Http(name: \"b\", url: \"/b\")])";
    let plan = lab.plan(NOWHERE, load, journeys, &[])?;
    let on = |shards: u32, threads: usize| -> Vec<Listed> {
        let part = |index| listing(&plan, Seed(lab.seed), Shard { index, of: shards }, threads);
        let mut all: Vec<Listed> = (0..shards).flat_map(part).collect();
        all.sort_unstable();
        all
    };
    let whole = on(1, 1);
    let hash = short(&whole);
    let mut lines = vec![Line::exact("arrivals", &(2_500 + 2_100), &whole.len())];
    for (what, shards, threads) in [
        ("2 threads", 1, 2),
        ("16 threads", 1, 16),
        ("2 machines of 1", 2, 1),
        ("3 machines of 2", 3, 2),
        ("5 machines", 5, 1),
    ] {
        lines.push(Line::exact(what, &hash, &short(&on(shards, threads))));
    }
    let again = lab.plan(NOWHERE, load, journeys, &[])?;
    lines.push(Line::exact("plan hash", &short_of(&plan.hash), &short_of(&again.hash)));
    Ok(lines)
}

fn short(all: &[Listed]) -> String {
    let mut text = String::new();
    for (due, n, journey) in all {
        let _ = writeln!(text, "{} {n} {journey}", due.since(Tick::ZERO).as_nanos());
    }
    short_of(&sha256(text.as_bytes()))
}

fn short_of(hash: &str) -> String {
    hash.chars().take(12).collect()
}
