//! `/metrics`: the counters of proxies and faults in Prometheus' text format 0.0.4, live.
//!
//! Not here: counting (`stats`, `pump`).

use std::fmt::Write;

use super::Api;
use super::reply::Reply;

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
            let untouched = &stats.untouched;
            [
                row("share", untouched.share),
                row("unparsed", untouched.unparsed),
                row("unsafe", untouched.unsafe_),
                row("idle", untouched.idle),
            ]
        });
        metric("untouched", "gauge", &untouched.collect::<Vec<_>>());
        metric("active", "gauge", &rows(|stats| stats.active));
        let holds: Vec<_> =
            faults.iter().map(|(labels, stats)| (labels.clone(), stats.drawn.total.as_secs_f64())).collect();
        metric("hold_seconds_sum", "counter", &holds);
        metric("hold_seconds_count", "counter", &rows(|stats| stats.drawn.count));
        text
    }
}

/// A label's value.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
