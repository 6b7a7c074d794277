//! What really happened, for tests and reports, never shown to players; and the counters as Prometheus reads them.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::whole;
use crate::staging::inside::Inside;
use crate::staging::store::filling::row_counts;
use crate::staging::store::rows::order_numbers;

/// `GET /admin/truth`. The row counts come from the database over a connection of their own: asking for the truth must
/// not wait behind the load, nor take a place from it.
pub(super) async fn truth(inside: &Inside) -> Value {
    let counters = &inside.counters;
    let rows = match row_counts(inside.settings.direct()).await {
        Ok((orders, lines)) => json!({"orders": orders, "cart_lines": lines}),
        Err(error) => json!({"unknown": error.to_string()}),
    };
    let tally = inside.cache().tally();
    json!({
        "rows": rows,
        "acknowledged": {"writes": whole(&counters.writes), "orders": whole(&counters.orders), "lost": lost(inside).await},
        "requests": {
            "visits": whole(&counters.requests), "smart_carts": whole(&counters.smart_carts),
            "refused_in_flight": whole(&counters.refused_in_flight),
            "refused_read_only": whole(&counters.refused_read_only),
            "refused_connection": whole(&counters.refused_connection), "abandoned": whole(&counters.abandoned),
        },
        "throttled": inside.limiter().throttled,
        "leaks": inside.leaks().truth(),
        "queries": whole(&counters.queries),
        "cache": {"hits": tally.hits, "misses": tally.misses, "pushed_out": tally.pushed_out},
    })
}

/// Orders that were acknowledged and are not in the table.
async fn lost(inside: &Inside) -> Value {
    // In this order: an order that is acknowledged meanwhile must not count as lost.
    let acknowledged = inside.vault().acknowledged_numbers();
    match order_numbers(inside.settings.direct()).await {
        Ok(present) => {
            json!(acknowledged.iter().filter(|seq| present.binary_search(seq).is_err()).count())
        }
        Err(error) => json!({"unknown": error.to_string()}),
    }
}

/// `GET /metrics`.
pub(super) fn metrics(inside: &Inside) -> String {
    let counters = &inside.counters;
    let total = inside.seconds().total();
    let (tally, entries) = {
        let cache = inside.cache();
        (cache.tally(), cache.len())
    };
    let rows = [
        ("shop_answers_total", "counter", total.answers),
        ("shop_answers_5xx_total", "counter", total.status_5xx),
        ("shop_in_flight", "gauge", counters.in_flight.load(Ordering::Relaxed)),
        ("shop_queries_total", "counter", counters.queries.load(Ordering::Relaxed)),
        ("shop_cache_hits_total", "counter", tally.hits),
        ("shop_cache_misses_total", "counter", tally.misses),
        ("shop_throttled_total", "counter", inside.limiter().throttled),
        ("shop_cache_entries", "gauge", entries as u64),
    ];
    rows.iter().fold(String::new(), |mut text, (name, kind, value)| {
        let _ = writeln!(text, "# TYPE {name} {kind}\n{name} {value}");
        text
    })
}
