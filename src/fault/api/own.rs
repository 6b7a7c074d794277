//! squall's own routes below `/squall/v1/`: state, statistics, healing, leases, the kill switch.
//!
//! Refusals are JSON with the field they are about. Not here: published clients' routes (`compat`).

use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};

use super::Api;
use super::errors::Refusal;
use super::json::Fields;
use super::reply::{JSON, Reply};
use crate::fault::{FaultStats, Healed};
use crate::plan::fault::Fault;

/// A lease is renewed for so long, at least and at most.
const LEASE: std::ops::RangeInclusive<i64> = 5_000..=60_000;

/// The paths of this file.
pub(super) fn knows(path: &[&str]) -> bool {
    matches!(
        path,
        ["state" | "stats" | "version" | "heal" | "stop" | "leases"] | ["faults", _] | ["faults", _, "stats"]
    )
}

/// A refusal as these routes write it.
pub(super) fn refused(refusal: &Refusal) -> Reply {
    let detail = refusal.message.strip_prefix("bad request body: ");
    let field = detail.and_then(|detail| detail.split_once(" must be ")).map(|(field, _)| field);
    let body = json!({ "error": refusal.message, "status": refusal.status, "field": field });
    Reply::text(refusal.status, JSON, body.to_string())
}

impl Api {
    /// The answer of one of squall's own routes.
    pub(super) async fn own(&self, method: &Method, path: &[String], body: &[u8]) -> Result<Reply, Refusal> {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let (get, post, delete) = (*method == Method::GET, *method == Method::POST, *method == Method::DELETE);
        let value = match path.as_slice() {
            ["version"] if get => json!({ "squall": env!("CARGO_PKG_VERSION"), "api": 1 }),
            ["state"] if get => self.state().await,
            ["stats"] if get => self.all_stats(),
            ["faults", name, "stats"] if get => {
                let stats = self
                    .proxies
                    .stats(name)
                    .ok_or_else(|| Refusal::new(404, format!("no fault is called `{name}`")))?;
                shown(&stats)
            }
            ["faults", name] if delete => answered(&[self.proxies.heal(name).await?]),
            ["heal"] if post => answered(&self.proxies.heal_all().await),
            ["leases"] if post => self.renew(body).await?,
            ["stop"] if post => {
                self.book.lock().await.stopped = true;
                answered(&self.proxies.heal_all().await)
            }
            ["stop"] if delete => {
                self.book.lock().await.stopped = false;
                json!({ "stopped": false })
            }
            _ => return Ok(Reply::empty(405)),
        };
        Reply::json(200, &value)
    }

    async fn state(&self) -> Value {
        let stopped = self.book.lock().await.stopped;
        let proxies: Vec<Value> = self
            .proxies
            .states()
            .iter()
            .map(|state| {
                json!({ "name": state.name, "listen": state.listen.to_string(), "upstream": state.upstream.to_string(),
                    "enabled": state.enabled, "connections": state.connections, "generation": state.generation })
            })
            .collect();
        let faults = self.proxies.active().into_iter().map(|(fault, left)| {
            json!({ "name": fault.name, "on": fault.on, "share": fault.share.get(), "expires_in_ms": left.map(millis) })
        });
        json!({ "proxies": proxies, "faults": faults.collect::<Vec<_>>(), "stopped": stopped })
    }

    fn all_stats(&self) -> Value {
        let one = |fault: Fault| {
            let stats = self.proxies.stats(&fault.name)?;
            Some((fault.name, shown(&stats)))
        };
        let faults: serde_json::Map<String, Value> =
            self.proxies.active().into_iter().filter_map(|(fault, _)| one(fault)).collect();
        json!({ "faults": faults })
    }

    /// `{faults: [..], lease_ms}`: all of them are tried.
    async fn renew(&self, body: &[u8]) -> Result<Value, Refusal> {
        let fields = Fields::read(body)?;
        let lease = fields.integer("lease_ms")?.unwrap_or(15_000);
        let term = u64::try_from(lease).ok().filter(|_| LEASE.contains(&lease));
        let term = term.map(Duration::from_millis).ok_or_else(|| fields.wrong("lease_ms", "5000..60000"))?;
        let names =
            fields.get("faults").and_then(Value::as_array).ok_or_else(|| fields.wrong("faults", "a list of names"))?;
        let mut over = Vec::new();
        for name in names {
            let name = name.as_str().ok_or_else(|| fields.wrong("faults", "a list of names"))?;
            if self.proxies.renew(name, term).await.is_err() {
                over.push(name);
            }
        }
        if over.is_empty() {
            return Ok(json!({ "renewed": names, "expires_in_ms": lease }));
        }
        Err(Refusal::new(409, format!("lease expired: {}; inject anew", over.join(", "))))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn answered(healed: &[Healed]) -> Value {
    let names = |verified: bool| -> Vec<&str> {
        healed.iter().filter(|one| one.verified == verified).map(|one| one.name.as_str()).collect()
    };
    let took = healed.iter().map(|one| one.took).max().unwrap_or_default();
    json!({ "healed": names(true), "failed": names(false), "took_ms": took.as_secs_f64() * 1e3 })
}

fn shown(stats: &FaultStats) -> Value {
    json!({
        "considered": stats.considered, "touched": stats.touched,
        "untouched": stats.untouched.reasons().into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        "active": stats.active, "peak": stats.peak, "parcels": stats.parcels, "swallowed_bytes": stats.swallowed,
        "cut": stats.cut,
        "drawn": { "count": stats.drawn.count, "mean_ms": stats.drawn.mean().as_secs_f64() * 1e3,
            "longest_ms": stats.drawn.longest.as_secs_f64() * 1e3 },
    })
}
