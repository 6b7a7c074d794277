//! The shop's weaknesses, all of them, on one page.
//!
//! # The mini-cart that every page renders
//! Without the flag `smart_cart` it is one join. With it, the "optimisation" asks for the lines, then for every line by
//! itself (N+1 queries, one round trip each, on the one connection the page holds), and keeps each answer in the cache
//! under a key with the number of the request. No later request has that number: the entries are useless, and each
//! pushes out the least recently used product of the shop's pages.
//!
//! A cart of a test environment has three lines, and the page is a little slower. A customer's may have sixty.
//!
//! # The cache key of release r42
//! A customer's name and orders are cached under a key with the customer in it. Release r42 "normalises" the key: the
//! customer is dropped, and whoever asks next gets what was put there last. Every status is 200. What a write makes
//! invalid is still looked for under the old key, so that wrong entries stay until their time is over or are purged.
//!
//! # The slow twentieth of release r43
//! For every twentieth request r43 asks for the stock of 120 products, one by one, before it does what was asked.

use super::backend::Visit;
use super::inside::Kept;
use super::owner::Owner;
use super::releases::Release;
use super::store::pool::Trouble;
use super::store::queries::Line;

/// Queries that r43 sends for nothing.
const USELESS: i64 = 120;

/// The lines of the visitor's cart; a visitor who is nobody has none.
pub(super) async fn mini_cart(visit: &Visit) -> Result<Vec<Line>, Trouble> {
    let Some(owner) = visit.owner else { return Ok(Vec::new()) };
    if !visit.smart_cart {
        return visit.held.cart_joined(owner.id()).await;
    }
    let mut lines = Vec::new();
    for number in visit.held.cart_lines(owner.id()).await? {
        let key = format!("smart-cart:{}:{number}", visit.request);
        if let Some(line) = visit.held.cart_line(owner.id(), number).await? {
            visit.inside.keep(&key, Kept::Product(line.product.clone()));
            lines.push(line);
        }
    }
    Ok(lines)
}

/// The key of a part of a customer's private answers.
pub(super) fn private_key(release: Release, part: &str, owner: Owner) -> String {
    match release {
        Release::R42 => part.to_owned(),
        Release::R40 | Release::R41 | Release::R43 => correct_key(part, owner),
    }
}

/// What a write of `owner` makes invalid.
pub(super) fn correct_key(part: &str, owner: Owner) -> String {
    format!("{part}:{}-{}", owner.tenant_id(), owner.user)
}

/// What a release does before it does what was asked.
pub(super) async fn drag(visit: &Visit) -> Result<(), Trouble> {
    if visit.release == Release::R43 && visit.draw.is_multiple_of(20) {
        for product in 0..USELESS {
            visit.held.stock(product).await?;
        }
    }
    Ok(())
}
