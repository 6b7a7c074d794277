//! From a file as written to a plan that can be run: every name resolved, every default filled in, every mistake collected.
//!
//! | file | checks |
//! |---|---|
//! | `files` `desk` `tables` | texts that were read; mistakes with their places; names and their numbers |
//! | `scenario` `series` `target` `wires` `client` `retry` `workload` `vars` `data` | a scenario |
//! | `journey` `step` `body` `turns` `answer` `misbehave` | its journeys |
//! | `chores` `audit` `sets` | what is done beside them; what steps set |
//! | `line` | its checks |
//! | `ab` | a scenario that compares two targets |
//! | `drill` | a drill |
//! | `targets` | `squall.targets.ron` |
//! | `inject` `proxy` | toxics; a file of proxies |
//!
//! Called by `cli`, and by whoever renders a report again from the texts its journal keeps.

mod ab;
mod answer;
mod audit;
mod body;
mod chores;
mod client;
mod data;
mod desk;
mod drill;
mod envelope;
mod files;
mod gate;
mod inject;
mod journey;
mod known;
mod line;
mod misbehave;
mod peak;
mod proxy;
mod retry;
mod rule;
mod scenario;
mod series;
mod sets;
mod step;
mod tables;
mod target;
mod targets;
#[cfg(test)]
mod tests;
mod think;
mod turns;
mod vars;
mod wires;
mod workload;

use super::diagnostic::{Diagnostic, Diagnostics, Place, Severity};
use super::fault::Fault;
use super::load::LoadPlan;
use super::threshold::Threshold;
use crate::base::seed::Seed;
use crate::spec::source::Spanned;
pub use ab::{AbOptions, ab, address};
use desk::{Desk, Dialect};
pub(crate) use drill::redacted;
pub use drill::{Attendance, DrillOptions, Responder, drill};
pub use files::Files;
pub(crate) use peak::peak_requests;
pub use proxy::{ProxiesPlan, ProxyPlan, proxies};
pub use targets::targets;
pub(crate) use workload::in_flight;

/// A plan with its warnings, or all mistakes (warnings among them).
pub type Checked<T> = Result<(T, Diagnostics), Diagnostics>;

/// What a scenario's file does not say.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScenarioOptions {
    /// `--seed`.
    pub seed: Seed,
}

/// What a file is, by its first words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A load scenario.
    Scenario,
    /// A crisis drill.
    Drill,
    /// `squall.targets.ron`.
    Targets,
    /// Proxies, for `squall proxy --config`.
    Proxies,
    /// `journal.jsonl` of a run.
    Journal,
}

/// What kind of file `text` is; a file that is none of them is taken for a scenario, whose check then says what is wrong.
pub fn kind_of(text: &str) -> FileKind {
    let code = without_comments(text);
    let code = code.trim_start();
    if code.starts_with("{\"") {
        return FileKind::Journal;
    }
    let (name, rest) = code.split_once('(').unwrap_or((code, ""));
    if name.trim() == "Drill" {
        return FileKind::Drill;
    }
    let first = rest.split_once(':').map_or("", |(field, _)| field.trim());
    match first {
        "allow" | "never" => FileKind::Targets,
        "proxies" | "ledger" => FileKind::Proxies,
        "version" | "about" | "system" | "run" | "acts" | "phases" => FileKind::Drill,
        _ => FileKind::Scenario,
    }
}

/// `text` up to its first words, without comments in front of and between them.
fn without_comments(text: &str) -> String {
    let lines = text.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    lines.collect::<Vec<_>>().join("\n")
}

/// A fault as it stands in a file, alone: for a controller that injects it under `name`. It leans on no other file.
///
/// # Errors
/// All mistakes, with their places in `text`.
pub fn fault(name: &str, text: &str) -> Result<Fault, Diagnostics> {
    let mut desk = Desk::new("fault", text.into(), Dialect::Drill);
    let fault = drill::fault::alone(&mut desk, name);
    finish(fault, desk.finish()).map(|(fault, _)| fault)
}

/// Reads and checks the scenario at `path`.
///
/// # Errors
/// All mistakes of the file, with their places.
pub fn scenario(files: &mut Files, path: &str, options: &ScenarioOptions) -> Checked<LoadPlan> {
    let mut desk = open(files, path, Dialect::Scenario, "missing_file")?;
    std::mem::swap(&mut desk.files, files);
    let plan = scenario::scenario(&mut desk, *options, &scenario::Instead::Nothing);
    std::mem::swap(&mut desk.files, files);
    finish(plan, desk.finish())
}

/// The ceiling that the scenario at `path` puts over its own requests, per second. The file must have been checked.
pub fn max_rate(files: &mut Files, path: &str) -> Option<f64> {
    let mut desk = open(files, path, Dialect::Scenario, "missing_file").ok()?;
    let written = desk.source.read();
    let written = desk.open(&written)?;
    target::target(&mut desk, written, &scenario::Instead::Nothing).max_rate.map(|(rate, _)| rate)
}

/// Checks given beside a scenario, resolved against its plan and the names of what is injected while it runs; `origin` names where
/// they were written, such as `--slo`.
///
/// # Errors
/// All mistakes in `texts`; their line is the number of the text.
pub fn checks(
    texts: &[String],
    origin: &str,
    (plan, faults): (&LoadPlan, &[String]),
) -> Result<Vec<Threshold>, Diagnostics> {
    let list: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
    let mut desk = Desk::new(origin, format!("[{}]", list.join(",\n")).into(), Dialect::Scenario);
    let written = desk.source.read::<Vec<Spanned<String>>>();
    let steps = plan.steps.iter().map(|name| (name.clone(), written.mark)).collect();
    let tables = tables::Tables { steps, faults: faults.to_vec(), ..tables::Tables::default() };
    let journeys = plan.journeys.as_slice();
    let mut found =
        line::lines(&mut desk, (&tables, journeys), Some(&written), (line::Against::Nothing, written.mark)).checks;
    // The check that every run has is the scenario's own.
    found.retain(|check| check.place.line > 0);
    finish(Some(found), desk.finish()).map(|(found, _)| found)
}

fn open(files: &mut Files, path: &str, dialect: Dialect, id: &'static str) -> Result<Desk, Diagnostics> {
    match files.read(path) {
        Ok(text) => Ok(Desk::new(path, text, dialect)),
        Err(error) => Err(Diagnostics(vec![Diagnostic {
            id,
            severity: Severity::Error,
            message: format!("cannot read {path}: {error}"),
            place: Place { file: path.to_owned(), ..Place::default() },
            help: String::new(),
            related: Vec::new(),
        }])),
    }
}

/// A plan counts only when nothing but warnings was found.
fn finish<T>(plan: Option<T>, found: Diagnostics) -> Checked<T> {
    match plan {
        Some(plan) if !found.has_errors() => Ok((plan, found)),
        _ => Err(found),
    }
}
