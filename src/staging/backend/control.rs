//! Answers for users of the control cohort: from memory, on the backup, on a path that no drill touches.
//!
//! When these users are hurt too, it is not the drill that hurts them. They see the catalogue, a cart of three lines and
//! orders of their own that are kept until the shop ends. Called by the backup before anything of a request costs
//! something.

use std::sync::atomic::Ordering;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{Asked, Refusal, pages};
use crate::staging::inside::Inside;
use crate::staging::owner::Owner;
use crate::staging::serve::{Reply, json_reply, reply};
use crate::staging::store::queries::Product;
use crate::staging::store::schema::products_of;

/// Lines of a control user's cart.
const LINES: usize = 3;

/// Answers `asked` for `owner`, or says why not, as the shop would.
pub(super) fn answer(inside: &Inside, owner: Option<Owner>, asked: &Asked) -> Result<Reply, Refusal> {
    let segments: Vec<&str> = asked.path.split('/').filter(|segment| !segment.is_empty()).collect();
    let signed_in = || owner.ok_or(Refusal::SignIn);
    let private = |status, data: Value| Ok(json_reply(status, &own(inside, signed_in()?, data)));
    match (asked.method.as_str(), segments.as_slice()) {
        ("GET", [] | ["p", _] | ["api", "catalog"]) => page(inside, segments.get(1).copied()),
        ("POST", ["api", "login"]) => Err(Refusal::Wrong("control users send X-User".to_owned())),
        ("GET", ["api", "me"]) => private(StatusCode::OK, json!({"name": "Control", "version": 1})),
        ("GET" | "PUT", ["api", "profile"]) => private(StatusCode::OK, json!({"city": "Control", "version": 1})),
        ("GET", ["api", "cart"]) => private(StatusCode::OK, cart(inside)),
        ("POST", ["api", "cart", "items"]) => private(StatusCode::CREATED, json!({"line": 0, "version": 1})),
        ("POST", ["api", "checkout" | "orders"]) => {
            let seq = inside.counters.control_orders.fetch_add(1, Ordering::Relaxed) + 1;
            private(StatusCode::CREATED, order(seq))
        }
        ("GET", ["api", "orders"]) => private(StatusCode::OK, json!({"orders": [], "version": 0})),
        ("GET", ["api", "orders", id]) => {
            let seq = id.strip_prefix("c-").and_then(|seq| seq.parse().ok());
            let known = seq.filter(|seq| *seq <= inside.counters.control_orders.load(Ordering::Relaxed));
            private(StatusCode::OK, order(known.ok_or(Refusal::Unknown)?))
        }
        _ => Err(Refusal::Unknown),
    }
}

fn order(seq: u64) -> Value {
    json!({"id": format!("c-{seq}"), "seq": seq, "total_cents": 0, "version": 1})
}

fn own(inside: &Inside, owner: Owner, mut data: Value) -> Value {
    data["owner_tag"] = json!(inside.keys.tag(owner));
    data["tenant_id"] = json!(owner.tenant_id());
    data["user"] = json!(owner.user);
    data
}

fn shown(product: &Product) -> Value {
    json!({"id": product.id, "product": product.id, "name": &*product.name, "price_cents": product.price_cents})
}

fn cart(inside: &Inside) -> Value {
    let items: Vec<Value> = inside.catalogue.iter().take(LINES).map(shown).collect();
    let total: i64 = inside.catalogue.iter().take(LINES).map(|product| product.price_cents).sum();
    json!({"version": 1, "items": items, "total_cents": total})
}

fn page(inside: &Inside, number: Option<&str>) -> Result<Reply, Refusal> {
    let number = number.filter(|text| *text != "catalog").map_or(Ok(0), pages::number)?;
    let products = products_of(number).filter_map(|id| inside.catalogue.get(usize::try_from(id).ok()?));
    let lines: Vec<String> = products.map(|product| format!("{} {}", product.name, product.price_cents)).collect();
    Ok(reply(StatusCode::OK, "text/plain; charset=utf-8", lines.join("\n")))
}
