//! The course of a run: at most 300 columns of one or more seconds, each with what the charts draw of it.
//!
//! Counts and maxima survive the thinning, because columns are sums of whole seconds. Not here: pixels (`html`), words.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::judge::account::{Account, Band};
use crate::measure::histogram::Bins;
use crate::measure::interval::{Cell, Flow, Interval};
use crate::measure::outcome::Classes;
use crate::stats::quantile::{Batch, ClusterEstimate, batches};

/// Most columns in a chart.
pub const COLUMNS: usize = 300;
/// Most rows in the table beside a chart.
const ROWS: usize = 60;
/// Least seconds of a block of [`Trust`].
const BLOCK_S: usize = 12;
/// Error kinds with a name of their own; the rest are `other`.
const KINDS: usize = 6;

/// The course of a run.
#[derive(Debug)]
pub struct Course {
    /// First second, on the run's clock.
    pub from_s: f64,
    /// End of the last second.
    pub to_s: f64,
    /// What `T+0` means: the exercise of a drill, else the start.
    pub zero_s: f64,
    /// Seconds per column.
    pub step_s: usize,
    /// For the charts.
    pub columns: Vec<Column>,
    /// The same, coarser, for the tables beside the charts.
    pub rows: Vec<Column>,
    /// Phases and faults, cut to the course.
    pub bands: Vec<Band>,
    /// Error kinds, most first; the last may be `other`.
    pub kinds: Vec<String>,
    /// 95 % intervals of the response time p95, block after block.
    pub trust: Vec<Trust>,
}

/// How far the p95 of a block of columns can be trusted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trust {
    /// Where the block begins, seconds on the run's clock.
    pub from_s: f64,
    /// Where it ends.
    pub to_s: f64,
    /// Lower limit, µs.
    pub low: u64,
    /// Upper limit, µs; `None`: the block does not limit it.
    pub high: Option<u64>,
}

/// One column of a chart: one or more seconds.
#[derive(Debug, Default)]
pub struct Column {
    /// Where it begins, seconds on the run's clock.
    pub from_s: f64,
    /// How many seconds it holds.
    pub seconds: usize,
    /// Arrivals by class, by due second.
    pub classes: Classes,
    /// Response times, failures at the time they were given up.
    pub response: Bins,
    /// Response time p50, p95, p99, µs.
    pub quantiles: [Option<u64>; 3],
    /// Service time p99, µs.
    pub service_p99: Option<u64>,
    /// Failures by kind, in the order of [`Course::kinds`].
    pub errors: Vec<u64>,
    /// What flowed; `in_flight` is the most of any second.
    pub flow: Flow,
    /// How the generator fared.
    pub own: Own,
}

/// How the generator fared in a column.
#[derive(Debug, Default)]
pub struct Own {
    /// Lateness p99, µs.
    pub lateness_p99: Option<u64>,
    /// Busiest worker's share of a processor in the busiest second.
    pub cpu: f64,
    /// Longest stall, µs.
    pub stall_us: u64,
}

impl Column {
    /// Per second.
    pub fn per_second(&self, n: u64) -> f64 {
        n as f64 / self.seconds.max(1) as f64
    }

    /// Share of bad arrivals; `None` without arrivals.
    pub fn bad(&self) -> Option<f64> {
        let all = self.classes.total();
        (all > 0).then(|| self.classes.bad() as f64 / all as f64)
    }

    /// End, seconds on the run's clock.
    pub fn to_s(&self) -> f64 {
        self.from_s + self.seconds as f64
    }

    /// Middle, seconds on the run's clock.
    pub fn middle_s(&self) -> f64 {
        self.from_s + self.seconds as f64 / 2.0
    }
}

/// The course of the run in `account`.
pub fn of(account: &Account) -> Course {
    let from_s = account.seconds.first().map_or(0.0, |first| f64::from(first.second));
    let to_s = account.seconds.last().map_or(from_s + 1.0, |last| f64::from(last.second) + 1.0);
    let zero_s = account.drill.as_ref().map_or(from_s, |drill| drill.t0_s);
    between(account, (from_s, to_s), zero_s)
}

/// The part of the run from `from_s` to `to_s`, counted from `zero_s`, all in seconds on the run's clock.
pub fn between(account: &Account, (from_s, to_s): (f64, f64), zero_s: f64) -> Course {
    let kinds = kinds(account);
    let seconds = part(&account.seconds, from_s, to_s);
    let cut = |band: &Band| {
        let (from, to) = (band.from_s.max(from_s), band.to_s.min(to_s));
        (to > from).then(|| Band { from_s: from, to_s: to, ..band.clone() })
    };
    let step_s = seconds.len().div_ceil(COLUMNS).max(1);
    let columns = columns(seconds, step_s, &kinds);
    Course {
        from_s,
        to_s,
        zero_s,
        step_s,
        rows: self::columns(seconds, seconds.len().div_ceil(ROWS).max(1), &kinds),
        bands: account.bands.iter().filter_map(cut).collect(),
        kinds,
        trust: trust(seconds, &columns, step_s),
        columns,
    }
}

/// The intervals of p95 over blocks of whole columns, long enough for six batches of two seconds.
fn trust(seconds: &[Interval], columns: &[Column], step_s: usize) -> Vec<Trust> {
    let wide = BLOCK_S.div_ceil(step_s);
    columns.chunks(wide).zip(seconds.chunks(wide * step_s)).filter_map(|(block, part)| trust_of(block, part)).collect()
}

fn trust_of(block: &[Column], seconds: &[Interval]) -> Option<Trust> {
    let mut bins = Bins::default();
    for column in block {
        bins.merge(&column.response);
    }
    let limit = bins.value_at(0.95)?;
    let numbers: Vec<u64> = seconds.iter().map(|one| u64::from(one.second)).collect();
    let batch = |range: Range<usize>| {
        let cells = seconds[range].iter().flat_map(|second| second.steps.values());
        cells.flat_map(|cell| [&cell.response.ok, &cell.response.rest]).fold(Batch::default(), |sum, bins| Batch {
            arrivals: sum.arrivals + bins.n(),
            counted: sum.counted + bins.at_or_below(limit),
        })
    };
    let batches: Vec<Batch> = batches(&numbers).into_iter().map(batch).collect();
    let ranks = ClusterEstimate::of(0.95, &batches, 0.05)?.ranks(0.95, 0);
    Some(Trust {
        from_s: block.first()?.from_s,
        to_s: block.last()?.to_s(),
        low: bins.value_at(ranks.lower)?,
        high: ranks.upper.and_then(|upper| bins.value_at(upper)),
    })
}

fn kinds(account: &Account) -> Vec<String> {
    let mut by_count: Vec<(&String, u64)> = account.totals.all.errors.iter().map(|(kind, n)| (kind, *n)).collect();
    by_count.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let mut kinds: Vec<String> = by_count.iter().take(KINDS).map(|(kind, _)| (*kind).clone()).collect();
    if by_count.len() > KINDS {
        kinds.push("other".to_owned());
    }
    kinds
}

fn columns(seconds: &[Interval], step: usize, kinds: &[String]) -> Vec<Column> {
    seconds.chunks(step).map(|chunk| column(chunk, kinds)).collect()
}

fn column(chunk: &[Interval], kinds: &[String]) -> Column {
    let sum = sum(chunk);
    let mut column = Column { seconds: chunk.len(), ..Column::default() };
    column.from_s = chunk.first().map_or(0.0, |first| f64::from(first.second));
    for second in chunk {
        let most = column.flow.in_flight.max(second.flow.in_flight);
        column.flow.merge(&second.flow);
        column.flow.in_flight = most;
        for health in second.health.values() {
            column.own.cpu = column.own.cpu.max(health.cpu_us as f64 / 1e6);
            column.own.stall_us = column.own.stall_us.max(health.stall_us);
        }
    }
    column.response = sum.response.both();
    column.quantiles = [0.5, 0.95, 0.99].map(|q| column.response.value_at(q));
    column.service_p99 = sum.service.both().value_at(0.99);
    column.errors = errors(&sum.errors, kinds);
    column.own.lateness_p99 = sum.lateness.value_at(0.99);
    column.classes = sum.classes;
    column
}

/// All steps of all `seconds` as one cell. Halves are summed first: adding a second to a long sum
/// costs all its bins, adding two short sums costs few.
pub fn sum(seconds: &[Interval]) -> Cell {
    let mut sum = Cell::default();
    match seconds {
        [] => {}
        [one] => {
            for cell in one.steps.values() {
                sum.response.merge(&cell.response);
                sum.service.merge(&cell.service);
                sum.lateness.merge(&cell.lateness);
                sum.classes.merge(&cell.classes);
                for (kind, n) in &cell.errors {
                    *sum.errors.entry(kind.clone()).or_default() += n;
                }
            }
        }
        many => {
            let (first, second) = many.split_at(many.len() / 2);
            sum = self::sum(first);
            sum.merge(&self::sum(second));
        }
    }
    sum
}

fn errors(counts: &BTreeMap<String, u64>, kinds: &[String]) -> Vec<u64> {
    let mut errors = vec![0; kinds.len()];
    for (kind, n) in counts {
        let place = kinds.iter().position(|known| known == kind).or_else(|| kinds.len().checked_sub(1));
        if let Some(place) = place {
            errors[place] += n;
        }
    }
    errors
}

/// Every second of the run whose middle lies inside `from_s .. to_s`, as one cell.
pub fn sum_between(seconds: &[Interval], from_s: f64, to_s: f64) -> Cell {
    sum(part(seconds, from_s, to_s))
}

/// The seconds whose middle lies inside `from_s .. to_s`.
pub fn part(seconds: &[Interval], from_s: f64, to_s: f64) -> &[Interval] {
    let before = |limit: f64| seconds.partition_point(|second| f64::from(second.second) + 0.5 < limit);
    let (from, to) = (before(from_s), before(to_s));
    &seconds[from..to.max(from)]
}
