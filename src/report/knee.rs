//! The table of a capacity search: every held rate, in the order of its rates, the knee between the last good and the first bad one.
//!
//! Called by `terminal` and `markdown`; machines read `find` in `result.json`. Not here: the search (`judge::search`).

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::words;
use crate::judge::search::{Answer, Course, Grade, Held};

/// The columns' heads.
pub const HEAD: [&str; 8] = ["rate", "achieved", "n", "p50", "p95", "p99", "errors", ""];

/// The word of a grade.
pub fn word(grade: Grade) -> &'static str {
    match grade {
        Grade::Good => "good",
        Grade::Unclear => "unclear",
        Grade::Bad => "bad",
        Grade::Spoilt => "not valid",
    }
}

/// The held rates as rows of text, lowest first.
pub fn rows(course: &Course) -> Vec<[String; 8]> {
    let mut steps: Vec<&Held> = course.steps.iter().collect();
    steps.sort_by(|a, b| a.trial.rate.total_cmp(&b.trial.rate));
    let time = |us: f64| if us.is_finite() { words::time(us) } else { "unanswered".to_owned() };
    let twice =
        |held: &Held| if held.trial.holds > 1 { format!(" (held {} times)", held.trial.holds) } else { String::new() };
    let row = |held: &&Held| {
        let [p50, p95, p99] = held.times.map(time);
        [
            words::rate(held.trial.rate),
            words::rate(held.achieved),
            words::count(held.n),
            p50,
            p95,
            p99,
            words::share(held.errors),
            format!("{}{}", word(held.trial.grade), twice(held)),
        ]
    };
    steps.iter().map(row).collect()
}

/// The table for a terminal, at most 100 columns.
pub fn table(course: &Course) -> String {
    let mut text = String::new();
    let widths = [10, 11, 9, 11, 11, 11, 9];
    for cells in std::iter::once(HEAD.map(str::to_owned)).chain(rows(course)) {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(widths) {
            let _ = write!(line, "{:>width$}", words::plain(cell));
        }
        let _ = writeln!(text, "{}", format!("{line}   {}", words::plain(&cells[7])).trim_end());
    }
    text
}

/// What `result.json` says under `find`: rates per second, times in microseconds.
pub fn json(course: &Course) -> Value {
    let finite = |value: f64| if value.is_finite() { json!((value * 1e9).round() / 1e9) } else { Value::Null };
    let (answer, capacity, bad) = match course.answer() {
        Some(Answer::Found { rate, bad }) => ("found", Some(rate), Some(bad)),
        Some(Answer::AtLeast(rate)) => ("at_least", Some(rate), None),
        Some(Answer::GeneratorBound(rate)) => ("generator_bound", Some(rate), None),
        Some(Answer::NothingHeld(rate)) => ("nothing_held", None, Some(rate)),
        Some(Answer::Unconfirmed(rate)) => ("unconfirmed", None, Some(rate)),
        None => ("unfinished", None, None),
    };
    let step = |held: &Held| {
        let [p50, p95, p99] = held.times.map(finite);
        json!({
            "rate": finite(held.trial.rate),
            "holds": held.trial.holds,
            "grade": word(held.trial.grade),
            "why": held.why,
            "achieved": finite(held.achieved),
            "n": held.n,
            "p50": p50,
            "p95": p95,
            "p99": p99,
            "errors": finite(held.errors),
            "from_s": held.window.0,
            "to_s": held.window.1,
        })
    };
    json!({
        "answer": answer,
        "capacity": capacity.map(finite),
        "bad": bad.map(finite),
        "steps": course.steps.iter().map(step).collect::<Vec<_>>(),
        "does_not_recover_at": course.stuck.iter().map(|rate| finite(*rate)).collect::<Vec<_>>(),
    })
}
