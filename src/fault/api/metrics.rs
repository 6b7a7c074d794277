//! `/metrics`: the counters of proxies and faults in Prometheus' text format 0.0.4, live.
//!
//! Not here: counting (`stats`, `pump`).

use std::fmt::Write;
use std::time::Duration;

use super::Api;
use super::reply::Reply;
use crate::measure::histogram::Bins;

impl Api {
    /// Any method of `/metrics`.
    pub(super) async fn metrics(&self) -> Reply {
        let book = self.book.lock().await;
        let mut text = String::new();
        for (name, help, pick) in
            [("received", "Bytes read from a peer", 0_usize), ("sent", "Bytes written to a peer", 1)]
        {
            let metric = format!("toxiproxy_proxy_{name}_bytes_total");
            writeln!(text, "# HELP {metric} {help}\n# TYPE {metric} counter").ok();
            for state in self.proxies.states() {
                let typed = book.rows.get(&state.name).map(|row| row.upstream.clone());
                let upstream = typed.unwrap_or_else(|| state.upstream.to_string());
                for (direction, counts) in [("upstream", state.bytes_up), ("downstream", state.bytes_down)] {
                    let value = counts.get(pick).copied().unwrap_or(0);
                    let (proxy, upstream) = (quoted(&state.name), quoted(&upstream));
                    writeln!(
                        text,
                        "{metric}{{direction=\"{direction}\",listener=\"{}\",proxy={proxy},upstream={upstream}}} {value}",
                        state.listen
                    )
                    .ok();
                }
            }
        }
        text += &self.fault_metrics();
        Reply::text(200, "text/plain; version=0.0.4; charset=utf-8", text)
    }

    fn fault_metrics(&self) -> String {
        let mut text = String::new();
        let faults: Vec<_> = self
            .proxies
            .active()
            .into_iter()
            .filter_map(|(fault, _)| {
                Some((
                    format!("proxy={},fault={}", quoted(&fault.on), quoted(&fault.name)),
                    self.proxies.stats(&fault.name)?,
                ))
            })
            .collect();
        let mut metric = |name: &str, kind: &str, rows: &[(String, f64)]| {
            writeln!(text, "# TYPE squall_fault_{name} {kind}").ok();
            for (labels, value) in rows {
                writeln!(text, "squall_fault_{name}{{{labels}}} {value}").ok();
            }
        };
        let rows = |pick: fn(&crate::fault::FaultStats) -> u64| -> Vec<(String, f64)> {
            faults.iter().map(|(labels, stats)| (labels.clone(), pick(stats) as f64)).collect()
        };
        metric("considered", "counter", &rows(|stats| stats.considered));
        metric("touched", "counter", &rows(|stats| stats.touched));
        let untouched = faults.iter().flat_map(|(labels, stats)| {
            let row = |reason: &str, n: u64| (format!("{labels},reason=\"{reason}\""), n as f64);
            stats.untouched.reasons().map(|(reason, n)| row(reason, n))
        });
        metric("untouched", "gauge", &untouched.collect::<Vec<_>>());
        metric("active", "gauge", &rows(|stats| stats.active));
        writeln!(text, "# TYPE squall_fault_hold_seconds histogram").ok();
        for (fault, _) in self.proxies.active() {
            let labels = format!("proxy={},fault={}", quoted(&fault.on), quoted(&fault.name));
            for (reason, bins) in
                ["drawn", "realised"].into_iter().zip(self.proxies.holds(&fault.name).into_iter().flatten())
            {
                histogram(&mut text, &format!("{labels},reason=\"{reason}\""), &bins);
            }
        }
        text
    }
}

/// Upper borders of the buckets of holds, in microseconds.
const BORDERS: [u64; 12] =
    [1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000, 30_000_000];

fn histogram(text: &mut String, labels: &str, bins: &Bins) {
    let name = "squall_fault_hold_seconds";
    for border in BORDERS {
        let le = Duration::from_micros(border).as_secs_f64();
        writeln!(text, "{name}_bucket{{{labels},le=\"{le}\"}} {}", bins.at_or_below(border)).ok();
    }
    writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {}", bins.n()).ok();
    let sum = Duration::from_micros(bins.extent().sum).as_secs_f64();
    writeln!(text, "{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {}", bins.n()).ok();
}

/// A label's value.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
