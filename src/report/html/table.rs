//! Tables of the page: what the view holds as rows, and the numbers beside each chart.
//!
//! Not here: sections and headings (`section`), rounding (`report::words`).

use maud::{Markup, PreEscaped, html};

use super::page::Cut;
use super::strip;
use crate::judge::words::percentile;
use crate::measure::outcome::Class;
use crate::report::view::course::Course;
use crate::report::view::panels::FaultPanel;
use crate::report::view::response::{Budget, Effect, Share};
use crate::report::view::spectrum::{ASKED, Spectrum, Stop};
use crate::report::view::strain::Strain;
use crate::report::view::tables::{CellRow, ErrorRow, JourneyRow, SlowRow};
use crate::report::view::versus::{Moved, Pair, signed};
use crate::report::view::{caption, drill, drill::Mark};
use crate::report::words;

/// A table: first column names, the others numbers.
pub fn numbers(caption: &str, head: &[&str], rows: &[Vec<String>]) -> Markup {
    html! {
        div.wide { table {
            caption { (caption) }
            thead { tr { @for (n, cell) in head.iter().enumerate() { th scope="col" class=[(n > 0).then_some("n")] { (cell) } } } }
            tbody { @for row in rows { tr {
                @for (n, cell) in row.iter().enumerate() {
                    @if n == 0 { th scope="row" { (cell) } } @else { td.n { (cell) } }
                }
            } } }
        } }
    }
}

/// The blocks of a comparison.
pub fn blocks(pair: &Pair) -> Markup {
    let row = |(n, (change, base_first)): (usize, &(Option<f64>, bool))| {
        let first = if *base_first { "base" } else { "candidate" };
        let change = change.map_or_else(|| "never answered".to_owned(), |change| signed(change, pair.unit));
        vec![(n + 1).to_string(), change, first.to_owned()]
    };
    let rows: Vec<Vec<String>> = pair.blocks.iter().enumerate().map(row).collect();
    numbers("Each block", &["block", "change", "first"], &rows)
}

/// The change of every quantile.
pub fn shift(pair: &Pair) -> Markup {
    let row = |one: &Moved| {
        let end = |end: Option<f64>| end.map_or_else(|| "–".to_owned(), |end| signed(end, "%"));
        let (low, high) = one.ends.unzip();
        vec![percentile(one.q), signed(one.change, "%"), end(low), end(high)]
    };
    let rows: Vec<Vec<String>> = pair.shift.iter().map(row).collect();
    numbers("Every quantile", &["quantile", "change", "from", "to"], &rows)
}

/// A table of words.
pub fn prose(caption: &str, head: &[&str], rows: &[Vec<String>]) -> Markup {
    html! {
        div.wide { table {
            caption { (caption) }
            thead { tr { @for cell in head { th scope="col" { (cell) } } } }
            tbody { @for row in rows { tr {
                @for (n, cell) in row.iter().enumerate() {
                    @if n == 0 { th scope="row" { (cell) } } @else { td { (cell) } }
                }
            } } }
        } }
    }
}

/// Steps, each with its course in small.
pub fn steps(rows: &[&CellRow], cut: Cut) -> Markup {
    let strips = cut < Cut::Strips;
    let range = strip::range(rows.iter().map(|row| &row.strip));
    let head = ["step", "requests", "share", "rate", "unanswered", "bad", "p50", "p95", "p99"];
    html! {
        div.wide { table {
            caption { "Steps, slowest first" }
            thead { tr {
                @for (n, cell) in head.iter().enumerate() { th scope="col" class=[(n > 0).then_some("n")] { (cell) } }
                @if strips { th scope="col" { "course" } }
            } }
            tbody { @for row in rows { tr {
                th scope="row" { (row.name) }
                @for cell in [&row.n, &row.share, &row.rate, &row.errors, &row.bad].into_iter().chain(&row.times) { td.n { (cell) } }
                @if strips { td.course { @if row.strip.iter().any(|patch| patch.p95.is_some()) { (PreEscaped(strip::draw(&row.strip, range))) } } }
            } } }
        } }
        @if strips { p.note { "Course: darker is a slower p95; a mark below, more than 1\u{a0}% bad." } }
    }
}

/// Stretches.
pub fn cells(caption: &str, first: &str, rows: &[&CellRow]) -> Markup {
    let head = [first, "requests", "share", "rate", "unanswered", "bad", "p50", "p95", "p99"];
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let fixed = [&row.name, &row.n, &row.share, &row.rate, &row.errors, &row.bad];
            fixed.into_iter().chain(&row.times).cloned().collect()
        })
        .collect();
    numbers(caption, &head, &rows)
}

/// Journeys.
pub fn journeys(rows: &[JourneyRow]) -> Markup {
    let head = ["journey", "planned", "completed", "failed", "shed", "unfinished", "p50", "p95"];
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| [&row.name].into_iter().chain(&row.counts).chain(&row.times).cloned().collect())
        .collect();
    numbers("Journeys: time without pauses", &head, &rows)
}

/// Errors by kind.
pub fn errors(rows: &[ErrorRow]) -> Markup {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| [&row.kind, &row.n, &row.share].into_iter().chain(&row.seen).cloned().collect())
        .collect();
    numbers("Errors by kind", &["kind", "count", "share", "first seen", "last seen"], &rows)
}

/// Slowest requests.
pub fn slowest(rows: &[SlowRow]) -> Markup {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            vec![row.step.clone(), row.due.clone(), row.times[0].clone(), row.times[1].clone(), row.outcome.clone()]
        })
        .collect();
    numbers("Slowest requests", &["step", "due", "response", "service", "outcome"], &rows)
}

/// Marks in order, with the line of the journal that proves each.
pub fn marks(marks: &[Mark], course: &Course, start_utc: &str) -> Markup {
    let rows: Vec<Vec<String>> = marks
        .iter()
        .map(|mark| {
            vec![
                words::instant(mark.at_s, course.zero_s),
                words::time_of_day(start_utc, mark.at_s),
                mark.label.clone(),
                mark.source.to_owned(),
                mark.seq.map_or_else(|| "record".to_owned(), |seq| format!("journal line {seq}")),
            ]
        })
        .collect();
    prose("What happened, in order", &["when", "UTC", "what", "who says it", "evidence"], &rows)
}

/// The stops of the spectrum that people ask for, and where it ends.
pub fn spectrum(spectrum: &Spectrum) -> Markup {
    let cell = |stop: Option<&Stop>| stop.map_or_else(|| "–".to_owned(), |stop| words::time(stop.value as f64));
    let interval = |stop: Option<&Stop>| match stop.and_then(|stop| stop.interval) {
        None => "–".to_owned(),
        Some((low, Some(high))) => format!("{} to {}", words::time(low as f64), words::time(high as f64)),
        Some((low, None)) => format!("≥\u{a0}{}", words::time(low as f64)),
    };
    let row = |q: f64| {
        let response = spectrum.response.at(q);
        vec![words::share(q), cell(response), interval(response), cell(spectrum.service.at(q))]
    };
    let rows: Vec<Vec<String>> = ASKED.map(row).to_vec();
    numbers("The same in numbers", &["quicker than", "response", "95\u{a0}% interval", "service"], &rows)
}

/// Steps that a fault hit and did not hit.
pub fn hit(panel: &FaultPanel) -> Markup {
    let rows: Vec<Vec<String>> = panel.steps.iter().map(|row| row.to_vec()).collect();
    let head = ["step", "bad before", "bad meanwhile", "p95 before", "p95 meanwhile", "hit"];
    numbers("Steps hit and not hit", &head, &rows)
}

/// A mitigation before and after.
pub fn effect(effect: &Effect) -> Vec<String> {
    let show = |share: Option<Share>| {
        share.map_or_else(
            || "–".to_owned(),
            |one| format!("{} ({} to {})", words::share(one.value), words::share(one.low), words::share(one.high)),
        )
    };
    vec![effect.label.clone(), drill::worth(effect.kind).to_owned(), show(effect.before), show(effect.after)]
}

/// The error budget, at most 60 rows.
pub fn budget(budget: &Budget, course: &Course) -> Markup {
    let every = budget.lasts.len().div_ceil(60).max(1);
    let rows: Vec<Vec<String>> = budget
        .spent
        .iter()
        .skip(1)
        .zip(&budget.lasts)
        .step_by(every)
        .map(|((at, spent), (_, lasts))| {
            let lasts = lasts.map_or_else(|| "never".to_owned(), words::span);
            vec![words::instant(*at, course.zero_s), words::share(*spent), lasts]
        })
        .collect();
    numbers("The same in numbers", &["until", "spent", "all gone in"], &rows)
}

/// Load against latency, at most 60 windows.
pub fn strain(strain: &Strain, course: &Course) -> Markup {
    let every = strain.dots.len().div_ceil(60).max(1);
    let rows: Vec<Vec<String>> = strain
        .dots
        .iter()
        .step_by(every)
        .map(|dot| {
            let mut cells = vec![words::instant(dot.from_s, course.zero_s), words::rate(dot.rate)];
            cells.extend(dot.quantiles.map(words::time_or_dash));
            cells
        })
        .collect();
    numbers("The same in numbers", &["from", "sent", "p50", "p95", "p99"], &rows)
}

/// The numbers beside a time chart, coarser than the chart.
pub fn beside(course: &Course, which: Beside) -> Markup {
    let head: Vec<String> = match which {
        Beside::Hero => ["from", "offered", "good", "bad share", "p95"].map(str::to_owned).to_vec(),
        Beside::Load => ["from", "offered", "sent", "good", "under way"].map(str::to_owned).to_vec(),
        Beside::Times => ["from", "finished", "p50", "p95", "p99", "longest"].map(str::to_owned).to_vec(),
        Beside::Gap => ["from", "finished", "response p99", "service p99"].map(str::to_owned).to_vec(),
        Beside::Errors => {
            ["from".to_owned()].into_iter().chain(course.kinds.iter().map(|kind| words::name(kind))).collect()
        }
        Beside::Generator => ["from", "lateness p99", "busiest thread", "longest stall"].map(str::to_owned).to_vec(),
    };
    let rows: Vec<Vec<String>> = course
        .rows
        .iter()
        .map(|row| {
            let mut cells = vec![caption::when(row, course)];
            let rate = |n: u64| words::rate(row.per_second(n));
            let good = row.classes.get(Class::Ok);
            match which {
                Beside::Hero => cells.extend([
                    rate(row.classes.total()),
                    rate(good),
                    words::part(row.classes.bad(), row.classes.total()),
                    words::time_or_dash(row.quantiles[1]),
                ]),
                Beside::Load => {
                    cells.extend([
                        rate(row.classes.total()),
                        rate(row.flow.sent),
                        rate(good),
                        words::count(row.flow.in_flight),
                    ]);
                }
                Beside::Times => {
                    cells.push(words::count(row.response.n()));
                    cells.extend(row.quantiles.map(words::time_or_dash));
                    cells.push(words::time_or_dash(row.response.max()));
                }
                Beside::Gap => cells.extend([
                    words::count(row.response.n()),
                    words::time_or_dash(row.quantiles[2]),
                    words::time_or_dash(row.service_p99),
                ]),
                Beside::Errors => cells.extend(row.errors.iter().map(|n| words::count(*n))),
                Beside::Generator => cells.extend([
                    words::time_or_dash(row.own.lateness_p99),
                    words::share(row.own.cpu),
                    words::time(row.own.stall_us as f64),
                ]),
            }
            cells
        })
        .collect();
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    numbers("The same in numbers", &head, &rows)
}

/// Beside which chart.
#[derive(Clone, Copy, Debug)]
pub enum Beside {
    /// The first chart of a drill.
    Hero,
    /// Load.
    Load,
    /// Response times.
    Times,
    /// Both clocks.
    Gap,
    /// Errors.
    Errors,
    /// The generator.
    Generator,
}
