//! The tables of a report, as text: steps, journeys, stretches of the run, errors, slowest requests.
//!
//! Not here: markup. The one arithmetic is the percentile among answered arrivals, which `json` uses as well.

use std::collections::BTreeMap;

use super::course::{self, Course};
use super::strips::{self, Patch};
use crate::judge::account::{Account, BandKind, Confidence};
use crate::measure::histogram::rank_of;
use crate::measure::interval::{Cell, Split, Travel};
use crate::measure::outcome::Class;
use crate::measure::record::Exemplar;
use crate::report::words;

/// Steps with a row of their own; the others are one row.
const STEPS: usize = 50;
/// Slowest requests that are shown.
const SLOWEST: usize = 20;

/// The tables.
#[derive(Debug)]
pub struct Tables {
    /// All requests in one row.
    pub all: CellRow,
    /// One row per step, worst p95 first.
    pub steps: Vec<CellRow>,
    /// One row per group, label, or attempts of a step: the same requests seen otherwise.
    pub asides: Vec<CellRow>,
    /// One row per journey.
    pub journeys: Vec<JourneyRow>,
    /// One row per phase, act and impact.
    pub stretches: Vec<CellRow>,
    /// One row per kind of error, most first.
    pub errors: Vec<ErrorRow>,
    /// Slowest requests kept as examples.
    pub slowest: Vec<SlowRow>,
}

/// Requests of a step or a stretch.
#[derive(Debug)]
pub struct CellRow {
    /// Of what.
    pub name: String,
    /// Arrivals.
    pub n: String,
    /// Share of all arrivals.
    pub share: String,
    /// Arrivals per second.
    pub rate: String,
    /// Share of failed and shed arrivals.
    pub errors: String,
    /// Share of arrivals that were not good for their users.
    pub bad: String,
    /// p50, p95, p99 of the response time.
    pub times: [String; 3],
    /// The same with their 95 % intervals, where there are any.
    pub ranged: [String; 3],
    /// How many independent arrivals they are worth; a dash where nothing tells.
    pub n_eff: String,
    /// Its course in small; empty where there is none.
    pub strip: Vec<Patch>,
    /// p95 for sorting, µs; unanswered is last.
    rank: u64,
}

/// A journey.
#[derive(Debug)]
pub struct JourneyRow {
    /// Its name.
    pub name: String,
    /// Planned, completed, failed, shed, unfinished.
    pub counts: [String; 5],
    /// p50, p95 of its time without pauses.
    pub times: [String; 2],
}

/// A kind of error.
#[derive(Debug)]
pub struct ErrorRow {
    /// Its key.
    pub kind: String,
    /// How many.
    pub n: String,
    /// Share of all failures.
    pub share: String,
    /// First and last second in which it was seen.
    pub seen: [String; 2],
}

/// A slow request.
#[derive(Debug)]
pub struct SlowRow {
    /// When it was due.
    pub due: String,
    /// Its step.
    pub step: String,
    /// Response and service time.
    pub times: [String; 2],
    /// Status, or kind of failure.
    pub outcome: String,
}

/// The value at quantile `q` among `arrivals`, of which those in `split.ok` were answered, µs. `None` when the rank falls
/// among the unanswered, or there is nothing.
pub fn answered_at(split: &Split, arrivals: u64, q: f64) -> Option<u64> {
    (arrivals > 0).then(|| split.ok.value_at_rank(rank_of(q, arrivals))).flatten()
}

fn time_at(split: &Split, arrivals: u64, q: f64) -> String {
    if arrivals == 0 {
        return "–".to_owned();
    }
    match (answered_at(split, arrivals, q), split.ok.max()) {
        (Some(us), _) => words::time(us as f64),
        (None, Some(longest)) => format!("≥\u{a0}{}", words::time(longest as f64)),
        (None, None) => "no answer".to_owned(),
    }
}

/// As [`time_at`], with its 95 % interval.
fn ranged_at(split: &Split, arrivals: u64, q: f64, interval: Option<(f64, Option<f64>)>) -> String {
    match (answered_at(split, arrivals, q), interval) {
        (Some(us), Some(interval)) => words::ranged(us as f64, interval),
        // The value lies among the unanswered: at least what its interval begins with.
        (None, Some((low, _))) if low > 0.0 => format!("≥\u{a0}{}", words::time(low)),
        _ => time_at(split, arrivals, q),
    }
}

/// The row with its intervals.
fn trusted(row: CellRow, cell: &Cell, confidence: Option<&Confidence>) -> CellRow {
    let Some(confidence) = confidence else { return row };
    let n = cell.arrivals();
    let at = |at: usize, q| ranged_at(&cell.response, n, q, confidence.ci95[at]);
    CellRow {
        ranged: [at(0, 0.5), at(1, 0.95), at(2, 0.99)],
        n_eff: confidence.n_eff.map_or_else(|| "–".to_owned(), words::thousands),
        ..row
    }
}

/// A row for `cell`, which covers `seconds` of a run with `all` arrivals.
fn row(name: &str, cell: &Cell, seconds: f64, all: u64) -> CellRow {
    let n = cell.arrivals();
    let unanswered = cell.failed() + cell.classes.get(Class::Shed);
    let times = [0.5, 0.95, 0.99].map(|q| time_at(&cell.response, n, q));
    CellRow {
        ranged: times.clone(),
        n_eff: "–".to_owned(),
        name: words::name(name),
        n: words::count(n),
        share: words::part(n, all),
        rate: if seconds > 0.0 { words::rate(n as f64 / seconds) } else { "–".to_owned() },
        errors: words::part(unanswered, n),
        bad: words::part(cell.classes.bad(), n),
        times,
        strip: Vec::new(),
        rank: answered_at(&cell.response, n, 0.95).unwrap_or(if n == 0 { 0 } else { u64::MAX }),
    }
}

/// The tables of `account`.
pub fn of(account: &Account, course: &Course) -> Tables {
    let totals = &account.totals;
    let all = totals.all.arrivals();
    Tables {
        all: trusted(
            row("all requests", &totals.all, totals.duration_s, all),
            &totals.all,
            Some(&totals.intervals.all.response),
        ),
        steps: steps(account, all),
        asides: asides(account),
        journeys: totals.journeys.iter().map(|(name, travel)| journey(name, travel)).collect(),
        stretches: stretches(account, all),
        errors: errors(account, course),
        slowest: slowest(account, course),
    }
}

fn steps(account: &Account, all: u64) -> Vec<CellRow> {
    let (cells, seconds) = (&account.totals.steps, account.totals.duration_s);
    let mut by_count: Vec<(&String, &Cell)> = cells.iter().collect();
    by_count.sort_by(|a, b| b.1.arrivals().cmp(&a.1.arrivals()).then(a.0.cmp(b.0)));
    let mut other = Cell::default();
    by_count.iter().skip(STEPS).for_each(|(_, cell)| other.merge(cell));
    let shown: Vec<&str> = by_count.iter().take(STEPS).map(|(name, _)| name.as_str()).collect();
    let mut strips = strips::of(account, &shown);
    let rest = strips.pop().unwrap_or_default();
    let trusted_row = |name: &String, cell: &Cell| {
        let intervals = account.totals.intervals.steps.get(name).map(|clocks| &clocks.response);
        trusted(row(name, cell, seconds, all), cell, intervals)
    };
    let rows = by_count.iter().take(STEPS).zip(strips);
    let mut rows: Vec<CellRow> =
        rows.map(|((name, cell), strip)| CellRow { strip, ..trusted_row(name, cell) }).collect();
    rows.sort_by(|a, b| b.rank.cmp(&a.rank).then(a.name.cmp(&b.name)));
    if by_count.len() > STEPS {
        let name = format!("{} others", by_count.len() - STEPS);
        rows.push(CellRow { strip: rest, ..row(&name, &other, seconds, all) });
    }
    rows
}

/// At most as many rows as steps have; what is left out stands in `result.json`.
fn asides(account: &Account) -> Vec<CellRow> {
    let all = account.totals.all.arrivals();
    let rows = account.totals.asides.iter().take(STEPS);
    rows.map(|(name, cell)| row(name, cell, account.totals.duration_s, all)).collect()
}

fn journey(name: &str, travel: &Travel) -> JourneyRow {
    let counts = [travel.planned, travel.completed, travel.failed, travel.shed, travel.unfinished];
    JourneyRow {
        name: words::name(name),
        counts: counts.map(words::count),
        times: [0.5, 0.95].map(|q| time_at(&travel.latency, travel.planned, q)),
    }
}

fn stretches(account: &Account, all: u64) -> Vec<CellRow> {
    let label = |kind: BandKind, name: &str| match kind {
        BandKind::Phase => name.to_owned(),
        BandKind::Fault => format!("fault: {name}"),
        BandKind::Impact => "users hurt".to_owned(),
    };
    account
        .bands
        .iter()
        .map(|band| {
            let cell = course::sum_between(&account.seconds, band.from_s, band.to_s);
            row(&label(band.kind, &band.name), &cell, band.to_s - band.from_s, all)
        })
        .collect()
}

fn errors(account: &Account, course: &Course) -> Vec<ErrorRow> {
    let mut seen: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for second in &account.seconds {
        let at = f64::from(second.second);
        for kind in second.steps.values().flat_map(|cell| cell.errors.keys()) {
            seen.entry(kind).or_insert((at, at)).1 = at;
        }
    }
    let mut kinds: Vec<(&String, u64)> = account.totals.all.errors.iter().map(|(kind, n)| (kind, *n)).collect();
    kinds.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let all = kinds.iter().map(|(_, n)| n).sum();
    kinds
        .into_iter()
        .take(100)
        .map(|(kind, n)| {
            let (first, last) = seen.get(kind.as_str()).copied().unwrap_or((course.from_s, course.to_s));
            ErrorRow {
                kind: words::name(kind),
                n: words::count(n),
                share: words::part(n, all),
                seen: [first, last].map(|at| words::instant(at, course.zero_s)),
            }
        })
        .collect()
}

/// The kind and how far it came, or the status; and its redirects.
fn outcome(one: &Exemplar) -> String {
    let mut text = match (one.kind.as_str(), one.status) {
        ("", status) => status.to_string(),
        (kind, _) => words::name(kind),
    };
    if let Some(byte) = one.byte.filter(|byte| *byte > 0) {
        text = format!("{text} at byte {}", words::count(byte));
    }
    let chain: Vec<String> = one.chain.iter().map(|hop| words::name(hop)).collect();
    if chain.is_empty() { text } else { format!("{text} after {}", chain.join(", ")) }
}

fn slowest(account: &Account, course: &Course) -> Vec<SlowRow> {
    let mut exemplars: Vec<_> = account.exemplars.iter().collect();
    exemplars.sort_by(|a, b| {
        b.response_us.cmp(&a.response_us).then(a.due_us.cmp(&b.due_us)).then_with(|| a.step.cmp(&b.step))
    });
    exemplars.dedup();
    exemplars
        .into_iter()
        .take(SLOWEST)
        .map(|one| SlowRow {
            due: words::instant(one.due_us as f64 / 1e6, course.zero_s),
            step: words::name(&one.step),
            times: [one.response_us, one.service_us].map(|us| words::time(us as f64)),
            outcome: outcome(one),
        })
        .collect()
}
