//! squall's own routes below `/squall/v1/`: state, statistics, connections, healing, the kill switch.
//!
//! Refusals are JSON with the field they are about. Not here: faults of runs (`runs`), events (`events`), published clients' routes
//! (`compat`).

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};

use super::Api;
use super::errors::Refusal;
use super::reply::{JSON, Reply};
use crate::fault::{FaultError, FaultStats, Healed, Holds};
use crate::plan::fault::Fault;

/// The paths of this file.
pub(super) fn knows(path: &[&str]) -> bool {
    matches!(
        path,
        ["state" | "stats" | "version" | "heal" | "stop" | "events" | "leases"]
            | ["leases" | "faults", _]
            | ["faults", _, "stats"]
            | ["proxies", _, "connections"]
            | ["proxies", _, "connections", _]
    )
}

/// A refusal as these routes write it.
pub(super) fn refused(refusal: &Refusal) -> Reply {
    let detail = refusal.message.strip_prefix("bad request body: ");
    let wrong = detail.and_then(|detail| detail.split_once(" must be ")).map(|(field, _)| field);
    let field = wrong.or(refusal.message.strip_prefix("missing required field: "));
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
            ["faults", name] if delete => answered(&[self.proxies.heal(name).await?])?,
            ["faults", name] if *method == Method::PUT => self.put_fault(name, body).await?,
            ["heal"] if post => self.heal_run(body).await?,
            ["leases"] if post => self.renew(None, body).await?,
            ["leases", run] if post => self.renew(Some(run), body).await?,
            ["proxies", name, "connections"] if get => self.connections(name).await?,
            ["proxies", name, "connections", ordinal] if delete => self.cut(name, ordinal).await?,
            ["stop"] if post => self.stop().await?,
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
        json!({ "proxies": proxies, "faults": self.leased().await, "stopped": stopped })
    }

    /// The kill switch: nothing new gets in before everything is out.
    async fn stop(&self) -> Result<Value, Refusal> {
        let mut book = self.book.lock().await;
        book.stopped = true;
        book.runs.clear();
        answered(&self.proxies.heal_all().await)
    }

    async fn connections(&self, proxy: &str) -> Result<Value, Refusal> {
        let all = self.proxies.list_connections(proxy).await?;
        let shown = all.iter().map(|one| {
            json!({ "ordinal": one.ordinal, "peer": one.peer.map(|peer| peer.to_string()), "age_ms": millis(one.age),
                "bytes_up": one.bytes_up, "bytes_down": one.bytes_down, "faults": one.faults })
        });
        Ok(json!({ "connections": shown.collect::<Vec<_>>() }))
    }

    async fn cut(&self, proxy: &str, ordinal: &str) -> Result<Value, Refusal> {
        let gone = || Refusal::new(404, format!("proxy `{proxy}` has no connection {ordinal}"));
        let number = ordinal.parse().map_err(|_| gone())?;
        if self.proxies.cut_connection(proxy, number).await? { Ok(json!({ "cut": number })) } else { Err(gone()) }
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
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What a healing did; a worker that is late is named, as an error.
pub(super) fn answered(healed: &[Healed]) -> Result<Value, Refusal> {
    punctual(healed)?;
    let names = |verified: bool| -> Vec<&str> {
        healed.iter().filter(|one| one.verified == verified).map(|one| one.name.as_str()).collect()
    };
    let took = healed.iter().map(|one| one.took).max().unwrap_or_default();
    Ok(json!({ "healed": names(true), "failed": names(false), "took_ms": took.as_secs_f64() * 1e3 }))
}

/// Refuses a healing that a worker has not confirmed in time.
pub(super) fn punctual(healed: &[Healed]) -> Result<(), Refusal> {
    match healed.iter().find_map(|one| one.late) {
        Some(worker) => Err(FaultError::Late { worker }.into()),
        None => Ok(()),
    }
}

fn shown(stats: &FaultStats) -> Value {
    json!({
        "considered": stats.considered, "touched": stats.touched,
        "untouched": stats.untouched.reasons().into_iter().collect::<BTreeMap<_, _>>(),
        "connections": stats.distinct.connections, "users": stats.distinct.users,
        "active": stats.active, "peak": stats.peak, "parcels": stats.parcels, "swallowed_bytes": stats.swallowed,
        "changed": stats.changed, "cut": stats.cut, "clamped": stats.drawn.odd, "released_early": stats.held.odd,
        "drawn": holds(&stats.drawn), "realised": holds(&stats.held),
    })
}

fn holds(holds: &Holds) -> Value {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    json!({ "count": holds.count, "mean_ms": ms(holds.mean()), "p50_ms": ms(holds.p50), "p99_ms": ms(holds.p99),
        "longest_ms": ms(holds.longest) })
}
