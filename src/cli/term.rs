//! The terminal: diagnostics on stderr, results on stdout. The only place of the commands that prints.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;

use super::args::Global;
use super::assemble::Judged;
use super::exit::Failure;
use crate::plan::check::Checked;
use crate::plan::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::report;
use crate::report::knee;
use crate::report::live::Screen;
use crate::report::terminal::{self, Colour};

/// Sends log lines to stderr as `RUST_LOG` asks, nothing by default. Never one per request.
pub(super) fn log() {
    if std::env::var_os("RUST_LOG").is_some() {
        let lines = tracing_subscriber::fmt().with_env_filter(EnvFilter::from_default_env()).with_writer(io::stderr);
        drop(lines.try_init());
    }
}

/// Prints a result to stdout. A closed pipe is nobody's mistake.
pub(super) fn out(text: &str) {
    let mut stdout = io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    drop(stdout.write_all(text.as_bytes()).and_then(|()| stdout.write_all(end.as_bytes())));
}

/// Prints a note to stderr.
pub(super) fn note(text: &str) {
    drop(writeln!(io::stderr(), "{text}"));
}

/// True when stdout is a terminal that wants colour.
pub(super) fn wants_colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Prints why a command could not do its work.
pub(super) fn failure(failure: &Failure, global: &Global) {
    if global.json {
        out(&json!({ "error": failure.message, "exit_code": failure.exit.code() }).to_string());
    } else {
        note(&format!("squall: {}", failure.message));
    }
}

/// Prints every mistake: blocks on stderr, or one JSON array on stdout.
pub(super) fn diagnostics(all: &Diagnostics, global: &Global) {
    if global.json {
        out(&Value::Array(all.0.iter().map(object).collect()).to_string());
        return;
    }
    for one in &all.0 {
        note(&one.to_string());
    }
    let errors = all.0.iter().filter(|one| one.severity == Severity::Error).count();
    if errors > 0 {
        let warnings = all.0.len() - errors;
        let tail = if warnings == 0 { String::new() } else { format!(", {warnings} warnings") };
        note(&format!("{errors} {}{tail}", if errors == 1 { "mistake" } else { "mistakes" }));
    }
}

/// What was read, its warnings shown; `None` when it has mistakes, which were shown.
pub(super) fn checked<T>(found: Checked<T>, global: &Global) -> Option<T> {
    match found {
        Ok((value, warnings)) => {
            if !global.json {
                diagnostics(&warnings, global);
            }
            Some(value)
        }
        Err(mistakes) => {
            diagnostics(&mistakes, global);
            None
        }
    }
}

fn object(one: &Diagnostic) -> Value {
    json!({
        "id": one.id,
        "severity": if one.severity == Severity::Error { "error" } else { "warning" },
        "message": one.message,
        "file": one.place.file,
        "line": one.place.line,
        "column": one.place.column,
        "length": one.place.length,
        "help": one.help,
        "related": one.related.iter().map(|(place, label)| json!({
            "file": place.file, "line": place.line, "column": place.column, "label": label,
        })).collect::<Vec<_>>(),
    })
}

/// Prints what a run came to: the summary, its last line only, or the JSON of `result.json`.
pub(super) fn result(judged: &Judged, dir: &Path, global: &Global) {
    let code = judged.exit.code();
    let colour = if wants_colour() { Colour::Ansi } else { Colour::Plain };
    let page = dir.join("index.html").display().to_string();
    if global.json {
        out(&report::json::result(&judged.account, code).to_string());
    } else if global.quiet {
        out(&terminal::quiet(&judged.account, code, &page, colour));
    } else {
        if let Some(course) = &judged.account.search {
            out(&format!("{}\n", knee::table(course)));
        }
        out(&terminal::summary(&judged.account, code, &page, 100, colour));
    }
}

/// Where progress goes.
pub(super) fn screen(global: &Global) -> Screen {
    match () {
        () if global.quiet || global.json => Screen::Silent,
        () if io::stderr().is_terminal() => Screen::Terminal,
        () => Screen::Lines,
    }
}
