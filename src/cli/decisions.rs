//! `squall report RUN --decisions`: the decision ledger of a run, sorted by fault and key.
//!
//! Not here: the format (`fault::ledger`).

use std::fmt::Write;
use std::path::Path;

use serde_json::json;

use super::args::Global;
use super::exit::{Exit, Failure, could_not};
use super::term;
use crate::fault::ledger::{self, Entry, Ledgered};

/// The ledger of a run's folder.
pub(super) const LEDGER: &str = "decisions.sqd";

/// Prints the ledger of the run at `dir`.
pub(super) fn print(dir: &Path, global: &Global) -> Result<Exit, Failure> {
    let path = dir.join(LEDGER);
    let bytes = std::fs::read(&path).map_err(could_not(&format!("read {}", path.display())))?;
    let read = ledger::read(&bytes).map_err(could_not(&format!("read {}", path.display())))?;
    term::out(if global.json { lines(&read) } else { table(&read) }.trim_end());
    if read.torn {
        term::note("the last entry was cut off and is left out");
    }
    Ok(Exit::Passed)
}

fn sorted(read: &Ledgered) -> Vec<(&str, Entry)> {
    let name = |entry: &Entry| read.names.get(&entry.fault).map_or("?", String::as_str);
    let mut all: Vec<(&str, Entry)> = read.entries.iter().map(|entry| (name(entry), *entry)).collect();
    all.sort_by(|one, other| one.0.cmp(other.0).then(one.1.cmp(&other.1)));
    all
}

fn table(read: &Ledgered) -> String {
    let width = read.names.values().map(String::len).max().unwrap_or(0).max("fault".len());
    let mut text = format!("{:width$}  {:16}  {:>4}  {:8}  {:>10}\n", "fault", "key", "seen", "decision", "drawn us");
    for (name, entry) in sorted(read) {
        let Entry { key, occurrence, outcome, drawn, by_arrival, clamped, .. } = entry;
        let arrival = if by_arrival { "  by arrival" } else { "" };
        let cut = if clamped { "  cut" } else { "" };
        let (word, drawn) = (outcome.word(), drawn.as_micros());
        writeln!(text, "{name:width$}  {key:016x}  {occurrence:>4}  {word:8}  {drawn:>10}{arrival}{cut}").ok();
    }
    text
}

fn lines(read: &Ledgered) -> String {
    let line = |(name, entry): (&str, Entry)| {
        let value = json!({
            "fault": name, "key": format!("{:016x}", entry.key), "occurrence": entry.occurrence,
            "decision": entry.outcome.word(), "drawn_us": u64::try_from(entry.drawn.as_micros()).unwrap_or(u64::MAX),
            "by_arrival": entry.by_arrival, "clamped": entry.clamped,
        });
        format!("{value}\n")
    };
    sorted(read).into_iter().map(line).collect()
}
