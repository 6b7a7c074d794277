//! `latency.hlog`: a standard HdrHistogram interval log, for every tool that reads one.
//!
//! Tags `response`, `service` and `lateness` for the whole run, and `response:<step>` for each step; failures at the time they
//! were given up. Called by `report::write_all`. Not here: the encoding of a histogram (`measure::histogram`).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::judge::account::Account;
use crate::measure::histogram::Bins;
use crate::measure::interval::Interval;

/// Lengths of an interval, seconds; the first that stays below [`MOST_LINES`] is taken.
const LENGTHS: [u32; 5] = [1, 5, 10, 30, 60];
const MOST_LINES: usize = 10_000;

/// The file; an empty log when nothing was measured.
pub fn render(account: &Account) -> String {
    let start = account.head.start_utc.parse::<jiff::Timestamp>().unwrap_or_default();
    let epoch = start.as_nanosecond() as f64 / 1e9;
    let utc = start.strftime("%Y-%m-%dT%H:%M:%SZ");
    let mut text = String::from("#[Histogram log format version 1.3]\n");
    let _ = writeln!(text, "#[StartTime: {epoch:.3} (seconds since epoch), {utc}]");
    let _ = writeln!(text, "#[BaseTime: {epoch:.3} (seconds since epoch)]");
    text.push_str("#[MaxValueDivisor: 1000.000]\n#values in microseconds\n");
    text.push_str("\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n");
    for line in lines(account, length(account)) {
        text.push_str(&line);
    }
    text
}

/// Seconds of an interval: the first length that fits for certain; all in one where even minutes do not.
fn length(account: &Account) -> u32 {
    let tags = account.head.steps.len().max(account.totals.steps.len()) + 3;
    let fits = |length: &&u32| (account.seconds.len() / **length as usize + 1) * tags <= MOST_LINES;
    LENGTHS.iter().find(fits).copied().unwrap_or(u32::MAX)
}

fn lines(account: &Account, length: u32) -> Vec<String> {
    let mut lines = Vec::new();
    let first = account.seconds.first().map_or(0, |one| one.second);
    for part in account.seconds.chunk_by(|a, b| (a.second - first) / length == (b.second - first) / length) {
        let (Some(from), Some(to)) = (part.first(), part.last()) else { continue };
        for (tag, bins) in tags(part, &account.head.steps) {
            let Some(packed) = bins.to_interval_log() else { continue };
            let max = bins.max().unwrap_or(0) as f64 / 1e3;
            let took = to.second + 1 - from.second;
            lines.push(format!("Tag={tag},{}.000,{took}.000,{max:.3},{packed}\n", from.second));
        }
    }
    lines
}

/// What is in these seconds, by tag.
fn tags(seconds: &[Interval], names: &[String]) -> BTreeMap<String, Bins> {
    let mut tags: BTreeMap<String, Bins> = BTreeMap::new();
    let mut add = |tag: &str, bins: &Bins| {
        if !bins.is_empty() {
            tags.entry(tag.to_owned()).or_default().merge(bins);
        }
    };
    for (step, cell) in seconds.iter().flat_map(|one| &one.steps) {
        let name = names.get(usize::from(step.0)).cloned().unwrap_or_else(|| format!("step {}", step.0));
        let tag = format!("response:{}", encoded(&name));
        for bins in [&cell.response.ok, &cell.response.rest] {
            add("response", bins);
            add(&tag, bins);
        }
        add("service", &cell.service.ok);
        add("service", &cell.service.rest);
        add("lateness", &cell.lateness);
    }
    tags
}

/// A name without what ends a tag or a line, percent-encoded.
fn encoded(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if matches!(c, ' ' | ',' | '%') || c.is_control() || c.is_whitespace() {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                let _ = write!(text, "%{byte:02X}");
            }
        } else {
            text.push(c);
        }
    }
    text
}
