//! One number read from seconds, with its interval: a quantile, a share, a rate or a mean of the arrivals in scope.
//!
//! An unanswered arrival (failed or shed) ranks above every answer. Called by `threshold`, `live`, `validity`.
//! Not here: comparison with a bound.

use std::collections::BTreeMap;

use crate::measure::histogram::{Bins, micros, rank_of};
use crate::measure::interval::{Cell, Interval, Split};
use crate::measure::outcome::Class;
use crate::plan::threshold::{ClockKind, Outcomes, Scope, Subject};
use crate::stats::batch::batch_mean;
use crate::stats::proportion::Share;
use crate::stats::quantile::{Batch, ClusterEstimate, batches};

use super::window::cells;

/// Two-sided error of every interval: 5 %.
const ALPHA: f64 = 0.05;

/// An estimate in its subject's unit. Infinite where the value lies among the unanswered arrivals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The point value.
    pub value: f64,
    /// The 95 % interval; the upper end is infinite when unbounded. `None` for too few batches, or by nature.
    pub interval: Option<(f64, f64)>,
    /// Arrivals in scope, above 0.
    pub n: u64,
    /// Of these, failed or shed, where the subject is a time of all arrivals; else 0.
    pub unanswered: u64,
    /// Independent arrivals the scope is worth.
    pub n_eff: Option<f64>,
    /// Design effect.
    pub deff: Option<f64>,
}

/// What `subject` is in `seconds`, with its interval. `None`: nothing was measured.
pub fn of(subject: Subject, scope: &Scope, seconds: &[&Interval]) -> Option<Estimate> {
    let mut estimate = point(subject, scope, seconds)?;
    let look = Look { subject, scope, seconds };
    match subject {
        Subject::Quantile(q) | Subject::Lateness(q) => look.quantile_interval(q, &mut estimate),
        Subject::Errors | Subject::Timeouts | Subject::Shed | Subject::Slow(_) | Subject::AchievedShare => {
            if let Some(share) = Share::of(&look.batches(|cell| (cell.arrivals(), look.counted(cell))), ALPHA) {
                estimate.interval = Some((share.limits.low, share.limits.high));
                estimate.n_eff = Some(share.n_eff);
                estimate.deff = Some(share.n / share.n_eff);
            }
        }
        Subject::Mean | Subject::Apdex(_) | Subject::Offered | Subject::Achieved | Subject::Goodput => {
            look.mean_interval(&mut estimate);
        }
        Subject::Max
        | Subject::Min
        | Subject::Requests
        | Subject::GeneratorCpu
        | Subject::Recovery
        | Subject::Unavailable => {}
    }
    Some(estimate)
}

/// What `subject` is in `seconds`, without interval. `None`: nothing was measured.
pub fn point(subject: Subject, scope: &Scope, seconds: &[&Interval]) -> Option<Estimate> {
    let look = Look { subject, scope, seconds };
    match subject {
        Subject::GeneratorCpu => return busiest(seconds),
        // No second by itself tells a clock: `recovery` does.
        Subject::Recovery | Subject::Unavailable => return None,
        _ => {}
    }
    let (mut n, mut unanswered, mut counted) = (0, 0, 0);
    let mut bins = Bins::default();
    for cell in cells(seconds, scope) {
        bins.merge(look.bins(cell));
        unanswered += look.unanswered(cell);
        n += cell.arrivals();
        counted += look.counted(cell);
    }
    let length = seconds.len() as f64;
    let at = |rank: u64| bins.value_at_rank(rank).map_or(f64::INFINITY, |value| value as f64);
    if subject.is_latency() || matches!(subject, Subject::Lateness(_)) {
        n = bins.n() + unanswered;
    }
    if n == 0 {
        return None;
    }
    let among_unanswered = match subject {
        Subject::Mean | Subject::Min => bins.is_empty(),
        Subject::Max => unanswered > 0,
        _ => false,
    };
    let value = match subject {
        _ if among_unanswered => f64::INFINITY,
        Subject::Quantile(q) | Subject::Lateness(q) => at(rank_of(q, n)),
        Subject::Mean => bins.mean(),
        Subject::Max => bins.extent().max as f64,
        Subject::Min => bins.extent().min as f64,
        Subject::Offered | Subject::Achieved | Subject::Goodput => counted as f64 / length,
        Subject::Requests => n as f64,
        Subject::Apdex(_) => counted as f64 / (2 * n) as f64,
        _ => counted as f64 / n as f64,
    };
    Some(Estimate { value, interval: None, n, unanswered, n_eff: None, deff: None })
}

/// How many of the arrivals lie beyond `bound` microseconds (later, or unanswered), by batch. For times only.
pub fn later_than(bound: u64, subject: Subject, scope: &Scope, seconds: &[&Interval]) -> Vec<Batch> {
    let look = Look { subject, scope, seconds };
    look.batches(|cell| {
        let bins = look.bins(cell);
        let n = bins.n() + look.unanswered(cell);
        (n, n - bins.at_or_below(bound))
    })
}

/// How many of the arrivals were never answered, by batch.
pub fn never_answered(subject: Subject, scope: &Scope, seconds: &[&Interval]) -> Vec<Batch> {
    let look = Look { subject, scope, seconds };
    look.batches(|cell| (look.bins(cell).n() + look.unanswered(cell), look.unanswered(cell)))
}

/// One batch of seconds: the times of what was answered, and how many arrivals were not.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Times, µs.
    pub bins: &'a Bins,
    /// Arrivals that rank above every time.
    pub unanswered: u64,
}

/// The 95 % interval of quantile `q` over `parts`, whose times in one are `merged`: widened to the outer edges of its bins, its
/// upper end infinite where nothing limits it. `None` for fewer than six parts or no arrivals.
pub fn interval(q: f64, parts: &[Part<'_>], merged: &Bins) -> Option<(ClusterEstimate, (f64, f64))> {
    let unanswered: u64 = parts.iter().map(|part| part.unanswered).sum();
    let n = merged.n() + unanswered;
    let limit = merged.value_at_rank(rank_of(q, n));
    let counted = |part: &Part<'_>| Batch {
        arrivals: part.bins.n() + part.unanswered,
        counted: limit.map_or(part.bins.n(), |limit| part.bins.at_or_below(limit)),
    };
    let cluster = ClusterEstimate::of(q, &parts.iter().map(counted).collect::<Vec<_>>(), ALPHA)?;
    let ranks = cluster.ranks(q, unanswered);
    let low = lower_edge(merged, rank_of(ranks.lower, n));
    let high = ranks.upper.and_then(|upper| merged.value_at_rank(rank_of(upper, n)));
    Some((cluster, (low, high.map_or(f64::INFINITY, |value| value as f64))))
}

/// A subject looked at in some seconds.
#[derive(Clone, Copy)]
struct Look<'a> {
    subject: Subject,
    scope: &'a Scope,
    seconds: &'a [&'a Interval],
}

impl Look<'_> {
    /// The times the subject is about.
    fn bins<'c>(&self, cell: &'c Cell) -> &'c Bins {
        if matches!(self.subject, Subject::Lateness(_)) {
            return &cell.lateness;
        }
        let Split { ok, rest } = match self.scope.clock {
            ClockKind::Response => &cell.response,
            ClockKind::Service => &cell.service,
        };
        if self.scope.outcome == Outcomes::Failed { rest } else { ok }
    }

    fn unanswered(&self, cell: &Cell) -> u64 {
        if self.subject.is_latency() && self.scope.outcome == Outcomes::Any { lost(cell) } else { 0 }
    }

    /// The events a share or rate counts.
    fn counted(&self, cell: &Cell) -> u64 {
        let outcome = self.scope.outcome;
        match self.subject {
            Subject::Errors if outcome == Outcomes::Ok => 0,
            Subject::Errors if self.scope.statuses.is_empty() => lost(cell),
            Subject::Errors => self.lost_with_status(cell),
            Subject::Timeouts => cell.classes.get(Class::Timeout),
            Subject::Shed => cell.classes.get(Class::Shed),
            Subject::Slow(limit) => {
                let late = cell.response.ok.n() - cell.response.ok.at_or_below(micros(limit));
                match outcome {
                    Outcomes::Any => late + lost(cell),
                    Outcomes::Ok => late,
                    Outcomes::Failed => lost(cell),
                }
            }
            Subject::Achieved | Subject::AchievedShare => cell.answered() + cell.failed(),
            Subject::Goodput => cell.classes.get(Class::Ok),
            Subject::Offered | Subject::Requests => cell.arrivals(),
            // Twice those in time and once those that are tolerated, so that it stays whole.
            Subject::Apdex(limit) => {
                let answers = if outcome == Outcomes::Failed { None } else { Some(&cell.response.ok) };
                let within = |limit| answers.map_or(0, |bins| bins.at_or_below(micros(limit)));
                within(limit) + within(limit.saturating_mul(4))
            }
            _ => 0,
        }
    }

    /// Failures whose status every selector wants.
    fn lost_with_status(&self, cell: &Cell) -> u64 {
        let wanted = |key: &str| self.scope.statuses.iter().all(|one| one.counts(key));
        let sum = |keep: bool| cell.errors.iter().filter(|(key, _)| wanted(key) == keep).map(|(_, n)| n).sum::<u64>();
        // What was shed has no status, and not always a kind.
        if wanted("") { lost(cell).saturating_sub(sum(false)) } else { sum(true) }
    }

    /// The seconds cut into batches, as (first, one past the last) positions.
    fn cuts(&self) -> Vec<&[&Interval]> {
        let numbers: Vec<u64> = self.seconds.iter().map(|one| u64::from(one.second)).collect();
        batches(&numbers).into_iter().filter_map(|range| self.seconds.get(range)).collect()
    }

    /// (arrivals, counted) summed up by batch.
    fn batches(&self, count: impl Fn(&Cell) -> (u64, u64)) -> Vec<Batch> {
        let sum = |seconds: &[&Interval]| {
            cells(seconds, self.scope).map(&count).fold(Batch::default(), |sum, (arrivals, counted)| Batch {
                arrivals: sum.arrivals + arrivals,
                counted: sum.counted + counted,
            })
        };
        self.cuts().into_iter().map(sum).collect()
    }

    fn quantile_interval(&self, q: f64, estimate: &mut Estimate) {
        let mut merged = Bins::default();
        let sums: Vec<(Bins, u64)> = self
            .cuts()
            .into_iter()
            .map(|seconds| {
                let (mut bins, mut unanswered) = (Bins::default(), 0);
                for cell in cells(seconds, self.scope) {
                    bins.merge(self.bins(cell));
                    unanswered += self.unanswered(cell);
                }
                merged.merge(&bins);
                (bins, unanswered)
            })
            .collect();
        let parts: Vec<Part<'_>> =
            sums.iter().map(|(bins, unanswered)| Part { bins, unanswered: *unanswered }).collect();
        let Some((cluster, limits)) = interval(q, &parts, &merged) else { return };
        estimate.interval = Some(limits);
        estimate.n_eff = Some(cluster.n_eff);
        estimate.deff = Some(cluster.deff);
    }

    fn mean_interval(&self, estimate: &mut Estimate) {
        if !estimate.value.is_finite() {
            return;
        }
        let value = |seconds: &[&Interval]| point(self.subject, self.scope, seconds).map(|one| one.value);
        let values: Vec<f64> = match self.subject {
            Subject::Mean | Subject::Apdex(_) => {
                self.cuts().into_iter().filter_map(value).filter(|value| value.is_finite()).collect()
            }
            // A batch without arrivals has the rate 0.
            _ => self.cuts().into_iter().map(|seconds| value(seconds).unwrap_or(0.0)).collect(),
        };
        if let Some(found) = batch_mean(&values, ALPHA) {
            estimate.interval = Some(((estimate.value - found.half_width).max(0.0), estimate.value + found.half_width));
        }
    }
}

/// The share of a processor that the busiest worker took, over all of `seconds`; n is the number of seconds that tell.
fn busiest(seconds: &[&Interval]) -> Option<Estimate> {
    let mut workers: BTreeMap<u16, u64> = BTreeMap::new();
    for (worker, health) in seconds.iter().flat_map(|one| &one.health) {
        *workers.entry(*worker).or_default() += health.cpu_us;
    }
    let most = workers.into_values().max()?;
    let value = most as f64 / 1e6 / seconds.len() as f64;
    Some(Estimate { value, interval: None, n: seconds.len() as u64, unanswered: 0, n_eff: None, deff: None })
}

/// Failed and shed arrivals.
fn lost(cell: &Cell) -> u64 {
    cell.failed() + cell.classes.get(Class::Shed)
}

/// The lowest value of the bin that holds `rank`; that of the last bin beyond it.
fn lower_edge(bins: &Bins, rank: u64) -> f64 {
    let (mut seen, mut edge) = (0, 0);
    for (low, _, count) in bins.buckets() {
        edge = low;
        seen += count;
        if seen >= rank {
            break;
        }
    }
    edge as f64
}

/// A finite time in whole microseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "float casts saturate, which is wanted")]
pub fn whole(value: f64) -> u64 {
    value as u64
}
