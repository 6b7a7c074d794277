//! The shop's weakness, all of it: the mini-cart that every page renders.
//!
//! Without the flag `smart_cart` it is one join. With it, the "optimisation" asks for the lines, then for every line by
//! itself (N+1 queries, one round trip each, on the one connection the page holds), and keeps each answer in the cache
//! under a key with the number of the request. No later request has that number: the entries are useless, and each
//! pushes out the least recently used product of the shop's pages.
//!
//! A cart of a test environment has three lines, and the page is a little slower. A customer's may have sixty.

use super::backend::Visit;
use super::store::pool::Trouble;
use super::store::queries::Line;

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
            visit.inside.keep(&key, line.product.clone());
            lines.push(line);
        }
    }
    Ok(lines)
}
