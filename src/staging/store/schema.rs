//! The shop's tables, and what is in them: a pure function of the seed.
//!
//! 1 000 customers with a profile and a cart each, 1 001 pages of 20 products, of which each page shares ten with the
//! next, 50 000 orders. A cart has a fixed number of slots, so that no load makes it grow: what is added takes the place of what was in its slot.
//! Called by `filling`, and by the cart for the number of slots.

use std::fmt::Write as _;

use crate::base::seed::Seed;
use crate::staging::owner::{Owner, TENANTS, USERS};
use crate::staging::settings::Data;

/// The schema's name in a real PostgreSQL.
pub(super) const SCHEMA: &str = "squall_shop";
/// Pages are 0 (the front page) to 1 000.
pub(in crate::staging) const PAGES: i64 = 1_001;
/// Products of a page.
const PER_PAGE: i64 = 20;
/// From the first product of a page to the first of the next.
const STEP: i64 = 10;
/// Products are 0 to 10 009: with pages that overlap they fill less than half of the cache.
pub(in crate::staging) const PRODUCTS: i64 = PAGES * STEP;
/// Orders at the start.
const ORDERS: i64 = 50_000;
/// Lines of a large cart.
const LARGE: i64 = 60;
/// Rows of one INSERT.
const BATCH: usize = 500;

/// Every table, in a dialect that PostgreSQL and SQLite both take.
pub(super) const TABLES: &str = "
CREATE TABLE squall_marker (shop TEXT NOT NULL);
INSERT INTO squall_marker VALUES ('this schema belongs to squall and is dropped without asking');
CREATE TABLE users (id BIGINT PRIMARY KEY, tenant BIGINT NOT NULL, name TEXT NOT NULL);
CREATE TABLE profiles (user_id BIGINT PRIMARY KEY, email TEXT NOT NULL, city TEXT NOT NULL, version BIGINT NOT NULL);
CREATE TABLE products (id BIGINT PRIMARY KEY, name TEXT NOT NULL, price_cents BIGINT NOT NULL, stock BIGINT NOT NULL);
CREATE TABLE carts (user_id BIGINT PRIMARY KEY, version BIGINT NOT NULL);
CREATE TABLE cart_items (user_id BIGINT NOT NULL, line BIGINT NOT NULL, product_id BIGINT NOT NULL,
    quantity BIGINT NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (user_id, line));
CREATE TABLE orders (seq BIGINT PRIMARY KEY, user_id BIGINT NOT NULL, request_key TEXT NOT NULL,
    total_cents BIGINT NOT NULL, version BIGINT NOT NULL, UNIQUE (user_id, request_key));
CREATE TABLE cart_items_tmp (user_id BIGINT NOT NULL, line BIGINT NOT NULL);
CREATE INDEX orders_of_user ON orders (user_id, seq);
";

/// The products that page `page` shows, in order.
pub(in crate::staging) fn products_of(page: i64) -> impl Iterator<Item = i64> {
    (0..PER_PAGE).map(move |at| (page * STEP + at).rem_euclid(PRODUCTS))
}

/// The number of slots of every customer's cart.
#[derive(Clone, Debug)]
pub(in crate::staging) struct Carts(Vec<i64>);

impl Carts {
    pub(in crate::staging) fn new(seed: Seed, data: Data) -> Self {
        let mut stream = seed.stream("shop/carts");
        let customers = usize::try_from(TENANTS * USERS).unwrap_or(0);
        let mut slots: Vec<i64> = match data {
            Data::TestLike => vec![3; customers],
            Data::Realistic => (0..customers)
                .map(|n| if n < customers * 3 / 10 { LARGE } else { stream.below(3).cast_signed() + 1 })
                .collect(),
        };
        stream.shuffle(&mut slots);
        Self(slots)
    }

    /// Slots of the cart of customer `id`; 1 for nobody.
    pub(in crate::staging) fn slots(&self, id: i64) -> i64 {
        usize::try_from(id).ok().and_then(|id| self.0.get(id)).copied().unwrap_or(1)
    }
}

const ADJECTIVES: [&str; 8] = ["plain", "quiet", "bright", "sturdy", "small", "woollen", "copper", "folding"];
const NOUNS: [&str; 10] = ["lamp", "chair", "kettle", "blanket", "desk", "mug", "shelf", "clock", "basket", "tray"];

/// The INSERTs that fill the tables, in order; together a few megabytes of text.
pub(super) fn inserts(seed: Seed, carts: &Carts) -> impl Iterator<Item = String> {
    let customers: Vec<i64> = (0..TENANTS * USERS).collect();
    let mut prices = seed.stream("shop/products");
    let mut picks = seed.stream("shop/cart_items");
    let mut buyers = seed.stream("shop/orders");
    let users = customers.iter().map(|id| {
        let owner = Owner::of(*id);
        format!("({id},{},'user {} of {}')", owner.tenant, owner.user, owner.tenant_id())
    });
    let profiles = customers.iter().map(|id| {
        let owner = Owner::of(*id);
        format!("({id},'u{}@{}.example','Town {}',1)", owner.user, owner.tenant_id(), id % 97)
    });
    let products = (0..PRODUCTS).map(|id| {
        let word = |list: &'static [&'static str], n: u64| list[usize::try_from(n).unwrap_or(0) % list.len()];
        let (adjective, noun) = (word(&ADJECTIVES, prices.below(8)), word(&NOUNS, prices.below(10)));
        format!("({id},'{adjective} {noun} {id}',{},{})", 199 + prices.below(20_000), prices.below(500))
    });
    let empty = customers.iter().map(|id| format!("({id},1)"));
    let lines = customers.iter().flat_map(|id| (0..carts.slots(*id)).map(move |line| (*id, line))).map(|(id, line)| {
        let product = picks.below((PRODUCTS).unsigned_abs());
        format!("({id},{line},{product},{},1)", 1 + picks.below(3))
    });
    let orders = (1..=ORDERS).map(|seq| {
        let buyer = buyers.below(customers.len() as u64);
        format!("({seq},{buyer},'seed-{seq}',{},1)", 500 + buyers.below(40_000))
    });
    let mut inserts = Vec::new();
    inserts.extend(batches("users", users));
    inserts.extend(batches("profiles", profiles));
    inserts.extend(batches("products", products));
    inserts.extend(batches("carts", empty));
    inserts.extend(batches("cart_items", lines));
    inserts.extend(batches("orders", orders));
    inserts.into_iter()
}

fn batches(table: &str, rows: impl Iterator<Item = String>) -> Vec<String> {
    let mut inserts: Vec<String> = Vec::new();
    for (n, row) in rows.enumerate() {
        match inserts.last_mut() {
            Some(insert) if !n.is_multiple_of(BATCH) => {
                let _ = write!(insert, ",{row}");
            }
            _ => inserts.push(format!("INSERT INTO {table} VALUES {row}")),
        }
    }
    inserts
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn three_realistic_carts_in_ten_are_large() {
        let carts = Carts::new(Seed(1), Data::Realistic);
        assert_eq!(carts.0.iter().filter(|slots| **slots == LARGE).count(), 300);
        assert!(carts.0.iter().all(|slots| *slots == LARGE || (1..=3).contains(slots)));
        assert!(Carts::new(Seed(1), Data::TestLike).0.iter().all(|slots| *slots == 3));
        assert_ne!(carts.0, Carts::new(Seed(2), Data::Realistic).0);
    }

    #[test]
    fn every_page_shows_twenty_products_that_exist() {
        assert_eq!(products_of(7).collect::<Vec<_>>(), (70..90).collect::<Vec<_>>());
        let all: HashSet<i64> = (0..PAGES).flat_map(products_of).collect();
        assert_eq!(all.len(), 10_010);
        assert!(all.iter().all(|id| (0..PRODUCTS).contains(id)));
    }

    #[test]
    fn the_same_seed_fills_the_same_tables() {
        let carts = Carts::new(Seed(1), Data::TestLike);
        let all: Vec<String> = inserts(Seed(1), &carts).collect();
        assert_eq!(all, inserts(Seed(1), &carts).collect::<Vec<_>>());
        let rows = |table: &str| {
            let start = format!("INSERT INTO {table} ");
            all.iter().filter(|text| text.starts_with(&start)).map(|text| text.matches('(').count()).sum::<usize>()
        };
        let counts = ["users", "products", "cart_items", "orders"].map(rows);
        assert_eq!(counts, [1_000, 10_010, 3_000, 50_000]);
    }
}
