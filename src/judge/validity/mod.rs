//! Can the generator be believed? Lateness, stalls, processor, shed arrivals, lost counts: judged before anything else.
//!
//! Called by `account`. A server that freezes makes no run invalid: its requests still leave on time. Not here: the checks
//! themselves (`threshold`). Stalled time counts by its length, as that is the share of arrivals it touches.

mod row;

use std::collections::BTreeMap;

use super::account::Generator;
use super::finding::{Finding, Verdict};
use super::threshold::{self, Decision, Rules, Stretch};
use super::window::{pieces, span};
use super::words::quantity;
use crate::measure::histogram::Bins;
use crate::measure::interval::Interval;
use crate::measure::record::Done;
use crate::plan::threshold::{ClockKind, Scope, Threshold, Unit};

/// A heartbeat later than this is a stall, µs.
const STALL_US: u64 = 50_000;
/// Share of a window that may be stalled.
const STALLED: f64 = 0.01;
/// Share of a processor that is too much, and for how many seconds in a row.
const BUSY: (f64, usize) = (0.85, 5);
/// Share of a second spent waiting for a processor that is worth a word.
const WAITING: f64 = 0.05;
/// A jump of the wall clock that is worth a word, µs.
const JUMP_US: u64 = 50_000;
/// Share of shed arrivals that is worth a word.
const SHED: f64 = 0.001;
/// Lateness that shows an arrival stood in a stall, µs.
const IN_STALL_US: u64 = 10_000;

/// What the workload promises about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// Arrivals that do not wait for the server.
    Open,
    /// Users that wait for answers: lateness is shown, not judged.
    Closed,
}

/// How late the generator may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The promise.
    pub model: Model,
    /// Lateness p99 above this is suspect, µs: 5 % of the tightest latency bound, at least 1 ms.
    pub warn_us: f64,
}

impl Limits {
    /// For the tightest latency bound (or what stands for it), µs.
    pub fn new(model: Model, tightest_us: Option<f64>) -> Self {
        Self { model, warn_us: (tightest_us.unwrap_or(0.0) * 0.05).max(1_000.0) }
    }

    /// Lateness p99 above this is invalid, µs.
    pub fn invalid_us(self) -> f64 {
        5.0 * self.warn_us
    }

    fn lateness(self, p99: Option<u64>) -> Verdict {
        let Some(p99) = p99.filter(|_| self.model == Model::Open).map(|us| us as f64) else { return Verdict::Pass };
        match p99 {
            late if late > self.invalid_us() => Verdict::Invalid,
            late if late > self.warn_us => Verdict::Warn,
            _ => Verdict::Pass,
        }
    }
}

/// Why nothing may be concluded from these seconds; `None`: they can be believed.
pub fn spoils(seconds: &[&Interval], limits: Limits) -> Option<String> {
    let late = lateness(seconds).value_at(0.99);
    if limits.lateness(late) == Verdict::Invalid {
        let late = quantity(late.unwrap_or_default() as f64, Unit::Us);
        return Some(format!("the generator was late by {late} (p99) in this window"));
    }
    let share = stalled(seconds);
    (share > STALLED).then(|| format!("the generator stood still for {} of this window", quantity(share, Unit::Ratio)))
}

/// True when a check that failed from due would have passed from sent: then our lateness made the verdict.
pub fn made_by_us(check: &Threshold, decision: &Decision, seconds: &[Interval], run: (&[Stretch], Rules)) -> bool {
    if decision.verdict != Verdict::Fail || !check.subject.is_latency() || check.scope.clock != ClockKind::Response {
        return false;
    }
    let scope = Scope { clock: ClockKind::Service, ..check.scope.clone() };
    let service = threshold::decide(&Threshold { scope, ..check.clone() }, seconds, run.0, run.1);
    service.verdict == Verdict::Pass
}

/// What the generator is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// All of the record.
    pub seconds: &'a [Interval],
    /// Phases and faults.
    pub stretches: &'a [Stretch],
    /// How the generator ended.
    pub done: Option<&'a Done>,
    /// How late it may be.
    pub limits: Limits,
}

/// The generator's health over the whole run, as numbers and as findings.
pub fn of(run: &Run<'_>) -> (Generator, Vec<Finding>) {
    let all = pieces(run.seconds, run.stretches, &Scope::default(), std::time::Duration::ZERO).concat();
    let late = lateness(&all);
    let mut generator = Generator {
        lateness_p50_us: late.value_at(0.5),
        lateness_p99_us: late.value_at(0.99),
        stalls: stalls(run.seconds),
        cpu_peak: busiest(run.seconds),
        ..Generator::default()
    };
    if let Some(done) = run.done {
        let finished: u64 = run.seconds.iter().map(|one| one.flow.done).sum();
        generator.cpu_us_per_request = done.cpu_us as f64 / finished.max(1) as f64;
        generator.max_rss_kib = done.max_rss_kib;
    }
    let lateness = run.limits.lateness(generator.lateness_p99_us);
    let mut rows =
        vec![row::late_row(run, &generator, lateness), row::stall_row(run, &generator, &all), row::waiting_row(&all)];
    rows.push(row::busy_row(&generator, lateness, run.limits.model));
    rows.push(row::shed_row(&all, lateness));
    rows.extend(row::pace_row(run));
    rows.extend(row::sum_row(run));
    rows.push(row::exhausted_row(run.seconds));
    rows.push(row::clock_row(&all));
    let window = span(&all);
    let findings: Vec<Finding> = rows.into_iter().map(|row| row.finding(window)).collect();
    generator.verdict = findings.iter().map(|one| one.verdict).max().unwrap_or_default();
    generator.sentence = sentence(&findings, generator.verdict);
    (generator, findings)
}

fn sentence(findings: &[Finding], verdict: Verdict) -> String {
    // A stall explains the lateness it caused, not the other way round.
    let worst = findings.iter().filter(|one| one.verdict == verdict).min_by_key(|one| one.id != row::STALL);
    match (verdict, worst) {
        (Verdict::Pass, _) | (_, None) => "the generator kept its pace".to_owned(),
        (Verdict::Invalid, Some(one)) => format!("{}: {}", one.subject, one.observed),
        (_, Some(one)) => format!("look twice: {}: {}", one.subject, one.observed),
    }
}

fn lateness(seconds: &[&Interval]) -> Bins {
    let mut bins = Bins::default();
    seconds.iter().flat_map(|one| one.steps.values()).for_each(|cell| bins.merge(&cell.lateness));
    bins
}

fn stall_us(second: &Interval) -> u64 {
    second.health.values().map(|one| one.stall_us).max().filter(|late| *late > STALL_US).unwrap_or(0)
}

/// Share of the time that a worker stood still.
fn stalled(seconds: &[&Interval]) -> f64 {
    let us: u64 = seconds.iter().map(|one| stall_us(one)).sum();
    (us as f64 / 1e6 / seconds.len().max(1) as f64).min(1.0)
}

/// Every stall with the arrivals it touched: those due from its beginning to its end that left late. An arrival counts once.
fn stalls(seconds: &[Interval]) -> Vec<(u32, f64, u64)> {
    let touched = |inside: std::ops::RangeInclusive<u32>| -> u64 {
        let cells = seconds.iter().filter(|one| inside.contains(&one.second)).flat_map(|one| one.steps.values());
        cells.map(|cell| cell.lateness.n() - cell.lateness.at_or_below(IN_STALL_US)).sum()
    };
    let mut next = 0;
    let stall = |second: &Interval| {
        let us = stall_us(second);
        let reach = u32::try_from(us.div_ceil(1_000_000)).unwrap_or(u32::MAX);
        (us > 0).then(|| {
            // A frame late by less than a second belongs to the one before: the stall may reach into the next.
            let inside = second.second.saturating_sub(reach).max(next)..=second.second + 1;
            next = second.second + 2;
            (second.second, us as f64 / 1e3, touched(inside))
        })
    };
    seconds.iter().filter_map(stall).collect()
}

/// Largest share of a core that one worker took over the seconds that count.
fn busiest(seconds: &[Interval]) -> f64 {
    let mut workers: BTreeMap<u16, (u32, Vec<f64>)> = BTreeMap::new();
    for second in seconds {
        for (worker, health) in &second.health {
            let (next, cpu) = workers.entry(*worker).or_insert((second.second, Vec::new()));
            // A worker that could not look at its pulse for some seconds reports them as one.
            let silent = (second.second + 1).saturating_sub(*next).max(1);
            cpu.extend((0..silent).map(|_| health.cpu_us as f64 / 1e6 / f64::from(silent)));
            *next = second.second + 1;
        }
    }
    let peak = |(_, cpu): &(u32, Vec<f64>)| {
        let length = BUSY.1.min(cpu.len()).max(1);
        cpu.windows(length).map(|some| some.iter().sum::<f64>() / length as f64).fold(0.0, f64::max)
    };
    workers.values().map(peak).fold(0.0, f64::max)
}

/// The tightest upper bound on a time of requests among `checks`, µs; else the median time until answered or given up:
/// most arrivals may be shed or failed, and the generator was no later for it.
pub fn tightest(checks: &[Threshold], seconds: &[Interval]) -> Option<f64> {
    let bounds = checks
        .iter()
        .filter(|one| one.subject.is_latency() && one.cmp.is_upper() && one.lean.is_none())
        .map(|one| one.bound);
    bounds.reduce(f64::min).or_else(|| {
        let mut all = Bins::default();
        seconds.iter().flat_map(|one| one.steps.values()).for_each(|cell| all.merge(&cell.response.both()));
        all.value_at(0.5).map(|us| us as f64)
    })
}

#[cfg(test)]
mod tests;
