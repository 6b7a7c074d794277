//! Pages: one uncached read, twenty cacheable ones, the mini-cart, and, last of all, filling the cache.
//!
//! A page that does not get to its end leaves nothing in the cache. Called by the backend's routes.

use std::fmt::Write as _;

use hyper::StatusCode;
use hyper::header::HeaderValue;
use serde_json::json;

use super::{Refusal, Visit, summary, total};
use crate::staging::gateway::balance::DR;
use crate::staging::inside::{Kept, product_key};
use crate::staging::serve::{Reply, json_reply, reply};
use crate::staging::store::queries::{Line, Product};
use crate::staging::store::schema::{PAGES, products_of};
use crate::staging::weakness::mini_cart;

/// Everything a page shows.
struct Page {
    stock: i64,
    products: Vec<Product>,
    lines: Vec<Line>,
    /// How many of the products came from the cache.
    hits: usize,
}

/// The number of a page in its address.
pub(super) fn number(text: &str) -> Result<i64, Refusal> {
    text.parse().ok().filter(|page| (0..PAGES).contains(page)).ok_or(Refusal::Unknown)
}

/// A product without asking the database: from the cache, or on the backup from its old catalogue.
fn known(visit: &Visit, id: i64, key: &str) -> Option<Kept> {
    if visit.index == DR {
        let at = usize::try_from(id).ok()?;
        return visit.inside.catalogue.get(at).cloned().map(Kept::Product);
    }
    visit.inside.cached(key)
}

async fn gather(visit: &Visit, page: i64) -> Result<Page, Refusal> {
    visit.prices().await?;
    let stock = visit.held.stock(products_of(page).next().unwrap_or(0)).await?.ok_or(Refusal::Unknown)?;
    let mut products = Vec::new();
    let mut missed = Vec::new();
    for id in products_of(page) {
        let key = product_key(id);
        if let Some(Kept::Product(product)) = known(visit, id, &key) {
            products.push(product);
            continue;
        }
        let product = visit.held.product(id).await?.ok_or(Refusal::Unknown)?;
        missed.push((key, product.clone()));
        products.push(product);
    }
    let lines = mini_cart(visit).await?;
    let hits = products.len() - missed.len();
    for (key, product) in missed {
        visit.inside.keep(&key, Kept::Product(product));
    }
    Ok(Page { stock, products, lines, hits })
}

fn marked(visit: &Visit, mut reply: Reply, page: &Page) -> Reply {
    let mark = match page.hits {
        _ if visit.index == DR => "stale",
        0 => "miss",
        hits if hits == page.products.len() => "hit",
        _ => "partial",
    };
    reply.headers_mut().insert("x-cache", HeaderValue::from_static(mark));
    reply
}

/// Cents as `12.34`.
fn euros(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// `GET /` and `GET /p/{n}`.
pub(super) async fn page(visit: &Visit, number: i64) -> Result<Reply, Refusal> {
    let page = gather(visit, number).await?;
    let mut html = String::with_capacity(4_096);
    let title = if number == 0 { "The shop".to_owned() } else { format!("Page {number}") };
    // Writing to a string cannot fail; names hold letters, digits and blanks only.
    let _ = write!(html, "<!doctype html><html lang=\"en\"><head><title>{title}</title></head><body><h1>{title}</h1>");
    let _ = write!(html, "<p class=\"cart\">{} lines, {}</p>", page.lines.len(), euros(total(&page.lines)));
    let _ = write!(html, "<p class=\"stock\">{} in stock</p><ul>", page.stock);
    for Product { id, name, price_cents } in &page.products {
        let price = euros(*price_cents);
        let _ = write!(html, "<li data-product=\"{id}\">{name} <span class=\"price\">{price}</span></li>");
    }
    html.push_str("</ul></body></html>");
    Ok(marked(visit, reply(StatusCode::OK, "text/html; charset=utf-8", html), &page))
}

/// `GET /api/catalog?page=n`.
pub(super) async fn catalog(visit: &Visit, query: &str) -> Result<Reply, Refusal> {
    let number = match query.split('&').find_map(|pair| pair.strip_prefix("page=")) {
        Some(text) => number(text)?,
        None => 0,
    };
    let page = gather(visit, number).await?;
    let products: Vec<_> = page
        .products
        .iter()
        .map(|product| json!({"id": product.id, "name": &*product.name, "price_cents": product.price_cents}))
        .collect();
    let data = json!({"page": number, "stock": page.stock, "products": products, "mini_cart": summary(&page.lines)});
    Ok(marked(visit, json_reply(StatusCode::OK, &data), &page))
}
