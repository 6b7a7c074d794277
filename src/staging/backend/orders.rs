//! Orders: placed from the cart, once per `Idempotency-Key`. Called by the backend's routes.
//!
//! Order numbers come from one counter for both backends and rise; a repeated key gives the first order again. The
//! cart stays as it is: it is the next shopping list, and no load empties the carts.

use std::sync::atomic::Ordering;

use hyper::StatusCode;
use hyper::header::HeaderMap;
use serde_json::{Value, json};

use super::{Refusal, Visit};
use crate::staging::owner::Owner;
use crate::staging::serve::{Reply, json_reply};
use crate::staging::store::queries::{Order, Purchase};
use crate::staging::store::rows::OrderRow;
use crate::staging::weakness::{correct_key, mini_cart};

fn fields(order: Order) -> Value {
    let Order { seq, total_cents, version } = order;
    json!({"id": format!("o-{seq}"), "seq": seq, "total_cents": total_cents, "version": version})
}

/// The request's key; without one every request is an order of its own.
fn key(visit: &Visit, headers: &HeaderMap) -> Result<String, Refusal> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(format!("request-{}-{}", visit.inside.now().nanos(), visit.request));
    };
    let key = value.to_str().ok().filter(|key| (1..=200).contains(&key.len()));
    key.map(str::to_owned).ok_or_else(|| Refusal::Wrong("Idempotency-Key has 1 to 200 plain characters".to_owned()))
}

fn next(visit: &Visit) -> i64 {
    visit.inside.last_order.fetch_add(1, Ordering::Relaxed) + 1
}

/// `POST /api/orders`.
pub(super) async fn place(visit: &Visit, headers: &HeaderMap) -> Result<Reply, Refusal> {
    let owner = visit.owner()?;
    let key = key(visit, headers)?;
    let purchase = Purchase { seq: next(visit), user: owner.id(), key: &key };
    let order = visit.held.place_order(purchase).await?.ok_or(Refusal::Unknown)?;
    acknowledged(visit, purchase, &order);
    invalidate(visit, owner);
    let lines = mini_cart(visit).await?;
    Ok(json_reply(StatusCode::CREATED, &visit.private(owner, &lines, fields(order))))
}

/// `POST /api/checkout`: the cart's version and the order in one transaction.
pub(super) async fn check_out(visit: &mut Visit, headers: &HeaderMap) -> Result<Reply, Refusal> {
    let owner = visit.owner()?;
    let key = key(visit, headers)?;
    let purchase = Purchase { seq: next(visit), user: owner.id(), key: &key };
    let (cart_version, order) = visit.held.check_out(purchase).await?;
    acknowledged(visit, purchase, &order);
    invalidate(visit, owner);
    let lines = mini_cart(visit).await?;
    let mut data = fields(order);
    data["cart_version"] = json!(cart_version);
    Ok(json_reply(StatusCode::CREATED, &visit.private(owner, &lines, data)))
}

/// `GET /api/orders`: the latest twenty, from the cache until an order is placed.
pub(super) async fn list(visit: &Visit) -> Result<Reply, Refusal> {
    let fetch = async || {
        let orders = visit.held.orders(visit.owner()?.id()).await?;
        let version = orders.first().map_or(0, |order| order.seq);
        Ok(json!({"orders": orders.into_iter().map(fields).collect::<Vec<_>>(), "version": version}))
    };
    visit.cached_part("orders", "/api/orders", fetch).await
}

fn acknowledged(visit: &Visit, purchase: Purchase<'_>, order: &Order) {
    let Purchase { seq, user, key } = purchase;
    let row =
        OrderRow { seq: order.seq, user, key: key.to_owned(), total_cents: order.total_cents, version: order.version };
    visit.inside.ordered(seq, row);
}

/// An order of `owner` makes the list that is cached wrong.
fn invalidate(visit: &Visit, owner: Owner) {
    visit.inside.cache().forget(&correct_key("orders", owner));
}

/// `GET /api/orders/{id}`: an order of somebody else does not exist.
pub(super) async fn show(visit: &Visit, id: &str) -> Result<Reply, Refusal> {
    let owner = visit.owner()?;
    let seq = id.strip_prefix("o-").unwrap_or(id).parse().map_err(|_| Refusal::Unknown)?;
    let order = visit.held.order(owner.id(), seq).await?.ok_or(Refusal::Unknown)?;
    let lines = mini_cart(visit).await?;
    Ok(json_reply(StatusCode::OK, &visit.private(owner, &lines, fields(order))))
}
