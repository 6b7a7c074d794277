//! `squall baseline accept | list | show | export`: the level that later runs are compared with, moved by hand alone.
//!
//! Not here: the store's files (`store`), what a history says of a run (`judge::baseline`).

use std::path::Path;

use serde_json::{Value, json};

use super::args::{AcceptArgs, BaselineCommand, ExportArgs, Global, StoreArgs};
use super::assemble::{self, Judged, Plan};
use super::exit::{Exit, Failure};
use super::store::{Entry, Store};
use super::term;
use crate::judge::baseline::{Stored, steady};
use crate::judge::estimate;
use crate::judge::words::quantity;
use crate::measure::interval::Interval;
use crate::measure::sample::StepId;
use crate::plan::threshold::{Scope, Subject, Unit};

pub(super) fn main(command: &BaselineCommand, global: &Global) -> Result<Exit, Failure> {
    match command {
        BaselineCommand::Accept(args) => accept(args, global),
        BaselineCommand::List(args) => list(args, global),
        BaselineCommand::Show(args) => show(args, global),
        BaselineCommand::Export(args) => export(args),
    }
}

/// Takes a finished run in. Red, invalid, aborted and truncated runs move no level.
fn accept(args: &AcceptArgs, global: &Global) -> Result<Exit, Failure> {
    if args.reason.trim().is_empty() {
        return Err(Failure::usage("--reason is empty: say why this level is right"));
    }
    let Judged { account, exit, plan } = assemble::judge(&args.run)?;
    let dir = args.run.display();
    if !matches!(plan, Plan::Load(_)) {
        return Err(Failure::usage(format!("{dir} is no load test: only those are baselines")));
    }
    if account.done.is_none() {
        return Err(Failure::usage(format!("{dir} was cut off: a truncated run is no baseline")));
    }
    if exit != Exit::Passed {
        let worst = account.findings.first().map(|one| format!(" ({}: {})", one.id, one.observed)).unwrap_or_default();
        return Err(Failure::usage(format!("{dir} did not pass{worst}: only a passed run moves the level")));
    }
    let seconds = steady(&account);
    if seconds.is_empty() {
        return Err(Failure::usage(format!("{dir} has no steady phase to keep")));
    }
    let store = Store::of(&account.head.name, &args.env)?;
    let entry = store.accept(
        &account.head,
        &seconds,
        Entry {
            file: String::new(),
            utc: account.head.start_utc.clone(),
            reason: args.reason.clone(),
            plan_hash: account.head.plan_hash.clone(),
            anchor: args.anchor,
            change_point: args.change_point,
        },
    )?;
    if global.json {
        term::out(
            &json!({ "file": store.dir.join(&entry.file), "utc": entry.utc, "reason": entry.reason }).to_string(),
        );
    } else {
        let k = since(&store.index()?.accepted).len();
        term::out(&format!(
            "accepted {} ({k} runs since the last change of level)",
            store.dir.join(&entry.file).display()
        ));
    }
    Ok(Exit::Passed)
}

/// The accepted runs that count: from the last change of level on.
pub(super) fn since(accepted: &[Entry]) -> &[Entry] {
    let from = accepted.iter().rposition(|one| one.change_point).unwrap_or(0);
    accepted.get(from..).unwrap_or_default()
}

fn flags(one: &Entry) -> String {
    let mut words = Vec::new();
    words.extend(one.anchor.then_some("anchor"));
    words.extend(one.change_point.then_some("change point"));
    words.join(", ")
}

fn list(args: &StoreArgs, global: &Global) -> Result<Exit, Failure> {
    let store = Store::of(&args.scenario, &args.env)?;
    let accepted = store.index()?.accepted;
    if global.json {
        term::out(&json!(accepted).to_string());
        return Ok(Exit::Passed);
    }
    if accepted.is_empty() {
        term::out(&format!("{} holds no accepted run", store.dir.display()));
    }
    for one in &accepted {
        let gone = if store.dir.join(&one.file).exists() { "" } else { "  (its file is gone)" };
        let utc: String = one.utc.chars().take(19).collect();
        let hash: String = one.plan_hash.chars().take(10).collect();
        term::out(format!("{utc}  {}  plan {hash}  {}  {}{gone}", one.file, one.reason, flags(one)).trim_end());
    }
    Ok(Exit::Passed)
}

/// One number of an accepted run.
fn measured(subject: Subject, stored: &Stored, step: Option<usize>) -> Option<(f64, u64)> {
    let steps = step.and_then(|at| u16::try_from(at).ok()).map(|at| vec![StepId(at)]).unwrap_or_default();
    let seconds: Vec<&Interval> = stored.seconds.iter().collect();
    let found = estimate::point(subject, &Scope { steps, ..Scope::default() }, &seconds)?;
    Some((found.value, found.n))
}

/// The rows of an accepted run: all, then by step.
fn rows(stored: &Stored) -> Vec<(String, Option<usize>)> {
    let steps = stored.head.steps.iter().cloned().enumerate().map(|(at, name)| (name, Some(at)));
    std::iter::once(("all".to_owned(), None)).chain(steps).collect()
}

const TIMES: [(&str, Subject); 3] =
    [("p50", Subject::Quantile(0.5)), ("p95", Subject::Quantile(0.95)), ("p99", Subject::Quantile(0.99))];

fn show(args: &StoreArgs, global: &Global) -> Result<Exit, Failure> {
    let store = Store::of(&args.scenario, &args.env)?;
    let accepted = store.index()?.accepted;
    let mut newest =
        since(&accepted).iter().rev().filter_map(|one| store.read(one).transpose().map(|read| (one, read)));
    let Some((entry, stored)) = newest.next() else {
        return Err(Failure::usage(format!("{} holds no accepted run", store.dir.display())));
    };
    let stored = stored?;
    let mut lines = vec![format!("{}  {}  {} s  {}", entry.file, entry.utc, stored.seconds.len(), entry.reason)];
    let mut values = Vec::new();
    for (name, step) in rows(&stored) {
        let n = measured(Subject::Requests, &stored, step).map_or(0, |(_, n)| n);
        let times = TIMES.map(|(word, subject)| (word, measured(subject, &stored, step).map(|(value, _)| value)));
        let said = times.map(|(word, value)| {
            format!(
                "{word} {}",
                value.filter(|one| one.is_finite()).map_or("-".to_owned(), |one| quantity(one, Unit::Us))
            )
        });
        let errors = measured(Subject::Errors, &stored, step).map_or(0.0, |(value, _)| value);
        lines.push(format!("{name}  n {n}  {}  errors {}", said.join("  "), quantity(errors, Unit::Ratio)));
        let times: serde_json::Map<String, Value> = times
            .into_iter()
            .map(|(word, value)| {
                (word.to_owned(), value.filter(|one| one.is_finite()).map_or(Value::Null, Value::from))
            })
            .collect();
        values.push(json!({ "step": name, "n": n, "errors": errors, "latency_us": times }));
    }
    term::out(&if global.json { json!({ "file": entry.file, "steps": values }).to_string() } else { lines.join("\n") });
    Ok(Exit::Passed)
}

/// A field of a CSV file.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// One line for each accepted run and step, oldest first: what trend tools read.
fn export(args: &ExportArgs) -> Result<Exit, Failure> {
    let store = Store::of(&args.store.scenario, &args.store.env)?;
    let mut text = "utc,file,anchor,change_point,step,n,p50_us,p95_us,p99_us,errors\n".to_owned();
    for entry in store.index()?.accepted {
        let Some(stored) = store.read(&entry)? else {
            term::note(&format!("{} is gone: left out", store.dir.join(&entry.file).display()));
            continue;
        };
        for (name, step) in rows(&stored) {
            let times = TIMES.map(|(_, subject)| {
                measured(subject, &stored, step)
                    .filter(|(value, _)| value.is_finite())
                    .map_or(String::new(), |(value, _)| format!("{value:.0}"))
            });
            let n = measured(Subject::Requests, &stored, step).map_or(0, |(_, n)| n);
            let errors = measured(Subject::Errors, &stored, step).map_or(0.0, |(value, _)| value);
            let (anchor, change) = (entry.anchor, entry.change_point);
            let row = [
                entry.utc.clone(),
                field(&entry.file),
                anchor.to_string(),
                change.to_string(),
                field(&name),
                n.to_string(),
                times.join(","),
                format!("{errors:.6}"),
            ];
            text.extend([row.join(",").as_str(), "\n"]);
        }
    }
    match &args.csv {
        Some(path) if path != Path::new("-") => {
            std::fs::write(path, text)
                .map_err(|error| Failure::could_not(format!("could not write {}: {error}", path.display())))?;
        }
        _ => term::out(&text),
    }
    Ok(Exit::Passed)
}
