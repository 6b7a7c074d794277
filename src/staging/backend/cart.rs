//! The cart. A cart has a fixed number of slots: what is added takes the place of what was in its slot, so that no load
//! makes carts grow. Called by the backend's routes.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{Refusal, Visit, total};
use crate::staging::serve::{Reply, json_reply};
use crate::staging::store::schema::PRODUCTS;
use crate::staging::weakness::mini_cart;

/// `GET /api/cart`: its version rises with every change of a line and with every checkout.
pub(super) async fn cart(visit: &Visit) -> Result<Reply, Refusal> {
    let owner = visit.owner()?;
    let own = visit.held.cart_version(owner.id()).await?.ok_or(Refusal::Unknown)?;
    let lines = mini_cart(visit).await?;
    let version = own + lines.iter().map(|line| line.version).sum::<i64>();
    let items: Vec<Value> = lines
        .iter()
        .map(|line| {
            let product = &line.product;
            json!({"line": line.slot, "product": product.id, "name": &*product.name,
                "price_cents": product.price_cents, "quantity": line.quantity})
        })
        .collect();
    let data = json!({"version": version, "items": items, "total_cents": total(&lines)});
    Ok(json_reply(StatusCode::OK, &visit.private(owner, &lines, data)))
}

/// `POST /api/cart/items` with `{product, quantity}`; the quantity is 1 to 99, 1 if absent.
pub(super) async fn add(visit: &Visit, data: &Value) -> Result<Reply, Refusal> {
    let owner = visit.owner()?;
    let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let product = number(&data["product"]).filter(|id| (0..PRODUCTS).contains(id));
    let product = product
        .ok_or_else(|| Refusal::Wrong(format!("`product` is the number of a product, 0 to {}", PRODUCTS - 1)))?;
    let quantity = if data["quantity"].is_null() { Some(1) } else { number(&data["quantity"]) };
    let quantity = quantity
        .filter(|quantity| (1..=99).contains(quantity))
        .ok_or_else(|| Refusal::Wrong("`quantity` is 1 to 99".to_owned()))?;
    let line = product % visit.inside.carts.slots(owner.id());
    let version = visit.held.put_item(owner.id(), line, (product, quantity)).await?.ok_or(Refusal::Unknown)?;
    visit.inside.wrote();
    let lines = mini_cart(visit).await?;
    let data = json!({"line": line, "product": product, "quantity": quantity, "version": version});
    Ok(json_reply(StatusCode::CREATED, &visit.private(owner, &lines, data)))
}
