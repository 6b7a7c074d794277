//! What players and probes may see of the shop: flags, releases, balancer, limits, leases, backends, cache, alert.

use std::net::SocketAddr;

use serde_json::{Map, Value, json};

use super::whole;
use crate::base::clock::Tick;
use crate::staging::cache::ENTRIES;
use crate::staging::flags::SMART_CART;
use crate::staging::gateway::balance::NAMES;
use crate::staging::inside::Inside;
use crate::staging::leases::Lease;
use crate::staging::store::pool::CONNECTIONS;
use crate::staging::switchboard::{BACKENDS, Topic, Wanted, Writes, lease_name};

/// The flag: what was asked for, and who acts on it.
pub(super) fn flag(inside: &Inside) -> Value {
    let board = inside.board();
    let wanted = board.flag();
    let backends: Map<String, Value> =
        BACKENDS.iter().enumerate().map(|(n, name)| ((*name).to_owned(), json!(board.serving(n).acts()))).collect();
    json!({
        "flag": SMART_CART, "enabled": wanted.enabled, "rollout_pct": wanted.rollout_pct,
        "serving": board.is_serving(), "backends": backends,
    })
}

/// The release: what was asked for, what serves once every backend has it, and what each backend serves.
pub(super) fn release(inside: &Inside) -> Value {
    let board = inside.board();
    let wanted = board.release();
    let backends: Map<String, Value> = BACKENDS
        .iter()
        .enumerate()
        .map(|(n, name)| {
            let serving = board.rolling().serving(n);
            ((*name).to_owned(), json!({"release": serving.release.name(), "share_pct": serving.share_pct}))
        })
        .collect();
    let serving = board.rolling().settled().map(|rollout| rollout.release.name());
    json!({
        "wanted": wanted.release.name(), "share_pct": wanted.share_pct, "serving": serving.unwrap_or("rolling"),
        "backends": backends,
    })
}

/// The balancer: the configuration asked for, and what it knows of the backends.
pub(super) fn balance(inside: &Inside) -> Value {
    let config = inside.board().balance().clone();
    let mut data = inside.balancer().state(inside.now());
    data["config"] = json!(config);
    data
}

/// The limits, and how many requests they turned away.
pub(super) fn limits(inside: &Inside) -> Value {
    let limits = json!(inside.board().limits());
    json!({"limits": limits, "throttled": inside.limiter().throttled})
}

/// The cache.
pub(super) fn cache(inside: &Inside) -> Value {
    let mode = inside.board().cache();
    json!({"mode": mode, "entries": inside.cache().len(), "room": ENTRIES})
}

/// The guardrail.
pub(super) fn guardrail(inside: &Inside) -> Value {
    json!(inside.board().guardrail())
}

/// The database as players may see it.
pub(super) fn database(inside: &Inside) -> Value {
    let read_only = inside.board().writes() == Writes::Refused;
    let restore = inside.restore().state();
    json!({"read_only": read_only, "restore": restore})
}

fn topic(lease: &Lease<Topic, Wanted>) -> &'static str {
    match lease.topic {
        Topic::Flag => SMART_CART,
        Topic::Release => "release",
        Topic::Balance => "lb",
        Topic::Limits => "ratelimit",
        Topic::Cache => "cache",
        Topic::Guardrail => "guardrail",
        Topic::Writes => "db/writes",
    }
}

/// An open lease.
pub(super) fn lease(id: u64, lease: &Lease<Topic, Wanted>, now: Tick) -> Value {
    json!({
        "lease": lease_name(id), "on": topic(lease), "for_s": lease.length.as_secs_f64(),
        "expires_in_s": lease.until.since(now).as_secs_f64(), "drill": lease.drill,
    })
}

pub(super) fn alert(inside: &Inside) -> Value {
    let alert = inside.alert();
    json!({
        "enabled": alert.rule.enabled, "threshold": alert.rule.threshold, "open": alert.is_open(),
        "pages_somebody": alert.rule.to.is_some(),
    })
}

/// Everything of `GET /admin/state`.
pub(super) fn state(inside: &Inside, addresses: [SocketAddr; NAMES.len()]) -> Value {
    let now = inside.now();
    let leases: Vec<Value> = inside.board().leases().map(|(id, open)| lease(id, open, now)).collect();
    let flag = flag(inside);
    let backends: Map<String, Value> = NAMES
        .iter()
        .enumerate()
        .map(|(n, name)| {
            let (in_use, waiting) = inside.pools[n].load();
            let data = json!({
                "address": addresses[n].to_string(), "up": *inside.doors[n].borrow(),
                "prices_asked_for": inside.prices.as_ref().map(|prices| prices[n].in_use()),
                "connections": {"most": CONNECTIONS, "in_use": in_use, "waiting": waiting},
            });
            ((*name).to_owned(), data)
        })
        .collect();
    json!({
        "id": inside.settings.id, "at_us": now.micros(), "utc": inside.log.utc(now),
        "flags": {SMART_CART: flag},
        "release": release(inside),
        "lb": balance(inside),
        "ratelimit": limits(inside),
        "leases": leases,
        "backends": backends,
        "in_flight": {"now": whole(&inside.counters.in_flight), "limit": inside.settings.in_flight},
        "cache": cache(inside),
        "db": database(inside),
        "guardrail": guardrail(inside),
        "alert": alert(inside),
    })
}
