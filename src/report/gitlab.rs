//! What GitLab shows of a job: `metrics.txt` (`OpenMetrics`) and `load-performance.json` (the shape of a k6 summary).
//!
//! Metrics are compared as text between two commits, so that noise must not show: two useful digits. Written by `cli::ci`.
//! Not here: `junit.xml`, which every run has.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::view::tables::answered_at;
use super::words;
use crate::judge::account::Account;
use crate::judge::finding::Verdict;
use crate::measure::interval::{Cell, Split};

const QUANTILES: [(&str, f64); 3] = [("0.5", 0.5), ("0.95", 0.95), ("0.99", 0.99)];

/// `metrics.txt`.
pub fn metrics(account: &Account) -> String {
    let totals = &account.totals;
    let cells =
        || std::iter::once(("all", &totals.all)).chain(totals.steps.iter().map(|(name, cell)| (name.as_str(), cell)));
    let mut text = String::from("# TYPE squall_response_seconds gauge\n# UNIT squall_response_seconds seconds\n");
    for (name, cell) in cells() {
        for (label, q) in QUANTILES {
            // A percentile among the unanswered arrivals has no value.
            let value = answered_at(&cell.response, cell.arrivals(), q).map_or_else(|| "+Inf".to_owned(), seconds);
            let _ =
                writeln!(text, "squall_response_seconds{{step=\"{}\",quantile=\"{label}\"}} {value}", label_of(name));
        }
    }
    text.push_str("# TYPE squall_bad_ratio gauge\n# UNIT squall_bad_ratio ratio\n");
    for (name, cell) in cells() {
        let _ = writeln!(text, "squall_bad_ratio{{step=\"{}\"}} {}", label_of(name), rounded(bad(cell)));
    }
    text.push_str("# TYPE squall_rate gauge\n");
    for (kind, rate) in [("offered", totals.offered), ("achieved", totals.achieved)] {
        let _ = writeln!(text, "squall_rate{{kind=\"{kind}\"}} {}", rounded(rate));
    }
    text.push_str("# EOF\n");
    text
}

fn seconds(us: u64) -> String {
    rounded(us as f64 / 1e6)
}

fn bad(cell: &Cell) -> f64 {
    if cell.arrivals() == 0 { 0.0 } else { cell.classes.bad() as f64 / cell.arrivals() as f64 }
}

/// Two useful digits, without an exponent.
fn rounded(value: f64) -> String {
    if !value.is_finite() || value <= 0.0 {
        return "0".to_owned();
    }
    let scale = 10_f64.powf(1.0 - value.log10().floor());
    let text = format!("{:.9}", (value * scale).round() / scale);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A label's value: backslash, quote and line break are escaped.
fn label_of(name: &str) -> String {
    words::name(name).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// `load-performance.json`.
pub fn load_performance(account: &Account) -> Value {
    let totals = &account.totals;
    let all = &totals.all;
    let held = account.findings.iter().filter(|one| matches!(one.verdict, Verdict::Pass | Verdict::Warn)).count();
    let checks = account.findings.len();
    let share = |part: usize| if checks == 0 { 1.0 } else { part as f64 / checks as f64 };
    let finite = |value: f64| if value.is_finite() { value } else { 0.0 };
    json!({
        "metrics": {
            "http_req_duration": trend(&all.response),
            "http_req_waiting": trend(&all.service),
            "http_reqs": { "count": totals.flow.sent, "rate": finite(totals.achieved) },
            "http_req_failed": { "passes": all.classes.bad(), "fails": all.arrivals().saturating_sub(all.classes.bad()), "value": finite(bad(all)) },
            "iterations": { "count": totals.journeys.values().map(|travel| travel.completed).sum::<u64>(), "rate": finite(totals.journeys.values().map(|travel| travel.completed).sum::<u64>() as f64 / totals.duration_s.max(1.0)) },
            "data_received": { "count": totals.flow.bytes_in, "rate": finite(totals.flow.bytes_in as f64 / totals.duration_s.max(1.0)) },
            "data_sent": { "count": totals.flow.bytes_out, "rate": finite(totals.flow.bytes_out as f64 / totals.duration_s.max(1.0)) },
            "checks": { "passes": held, "fails": checks - held, "value": share(held) },
        },
    })
}

/// Milliseconds, failures at the time they were given up, as that tool counts.
fn trend(split: &Split) -> Value {
    let all = split.both();
    let at = |q: f64| all.value_at(q).unwrap_or(0) as f64 / 1e3;
    json!({
        "avg": all.mean() / 1e3,
        "min": if all.is_empty() { 0.0 } else { all.extent().min as f64 / 1e3 },
        "med": at(0.5),
        "max": all.max().unwrap_or(0) as f64 / 1e3,
        "p(90)": at(0.9),
        "p(95)": at(0.95),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_does_not_show() {
        for (value, text) in [(0.182_4, "0.18"), (1_234.0, "1200"), (0.000_049, "0.000049"), (0.0, "0"), (99.6, "100")]
        {
            assert_eq!(rounded(value), text);
        }
    }
}
