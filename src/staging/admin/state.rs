//! What players and probes may see of the shop: flags, leases, backends, cache, alert.

use std::net::SocketAddr;

use serde_json::{Map, Value, json};

use super::whole;
use crate::base::clock::Tick;
use crate::staging::cache::ENTRIES;
use crate::staging::flags::SMART_CART;
use crate::staging::inside::{Inside, RELEASE};
use crate::staging::leases::Lease;
use crate::staging::store::pool::CONNECTIONS;
use crate::staging::switchboard::{BACKENDS, lease_name};

/// The flag: what was asked for, and who acts on it.
pub(super) fn flag(inside: &Inside) -> Value {
    let board = inside.board();
    let wanted = board.wanted();
    let backends: Map<String, Value> =
        BACKENDS.iter().enumerate().map(|(n, name)| ((*name).to_owned(), json!(board.serving(n).acts()))).collect();
    json!({
        "flag": SMART_CART, "enabled": wanted.enabled, "rollout_pct": wanted.rollout_pct,
        "serving": board.is_serving(), "backends": backends,
    })
}

pub(super) fn lease(id: u64, lease: &Lease, now: Tick) -> Value {
    json!({
        "lease": lease_name(id), "flag": lease.flag, "for_s": lease.length.as_secs_f64(),
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
pub(super) fn state(inside: &Inside, addresses: [SocketAddr; 2]) -> Value {
    let now = inside.now();
    let leases: Vec<Value> = inside.board().leases().map(|(id, open)| lease(id, open, now)).collect();
    let flag = flag(inside);
    let backends: Map<String, Value> = BACKENDS
        .iter()
        .enumerate()
        .map(|(n, name)| {
            let (in_use, waiting) = inside.pools[n].load();
            let data = json!({
                "address": addresses[n].to_string(), "release": RELEASE,
                "connections": {"most": CONNECTIONS, "in_use": in_use, "waiting": waiting},
            });
            ((*name).to_owned(), data)
        })
        .collect();
    json!({
        "id": inside.settings.id, "at_us": now.micros(), "utc": inside.log.utc(now),
        "flags": {SMART_CART: flag},
        "release": {"serving": RELEASE},
        "leases": leases,
        "backends": backends,
        "in_flight": {"now": whole(&inside.counters.in_flight), "limit": inside.settings.in_flight},
        "cache": {"entries": inside.cache().len(), "room": ENTRIES},
        "alert": alert(inside),
    })
}
