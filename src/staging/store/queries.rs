//! The statements as functions of a held connection: rows in, values out. Called by the backends' handlers.

use std::sync::Arc;

use tokio_postgres::Row;

use super::pool::{Held, Trouble};
use super::statements as sql;

/// A product as pages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::staging) struct Product {
    pub(in crate::staging) id: i64,
    pub(in crate::staging) name: Arc<str>,
    pub(in crate::staging) price_cents: i64,
}

impl Product {
    pub(super) fn read(row: &Row) -> Result<Self, tokio_postgres::Error> {
        Ok(Self { id: row.try_get(0)?, name: row.try_get::<_, &str>(1)?.into(), price_cents: row.try_get(2)? })
    }
}

/// A line of a cart.
#[derive(Clone, Debug)]
pub(in crate::staging) struct Line {
    pub(in crate::staging) slot: i64,
    pub(in crate::staging) quantity: i64,
    pub(in crate::staging) version: i64,
    pub(in crate::staging) product: Product,
}

impl Line {
    fn read(row: &Row) -> Result<Self, tokio_postgres::Error> {
        let name = row.try_get::<_, &str>(4)?.into();
        let product = Product { id: row.try_get(1)?, name, price_cents: row.try_get(5)? };
        Ok(Self { slot: row.try_get(0)?, quantity: row.try_get(2)?, version: row.try_get(3)?, product })
    }
}

/// A customer's profile.
#[derive(Clone, Debug)]
pub(in crate::staging) struct Profile {
    pub(in crate::staging) email: String,
    pub(in crate::staging) city: String,
    pub(in crate::staging) version: i64,
}

impl Profile {
    fn read(row: &Row) -> Result<Self, tokio_postgres::Error> {
        Ok(Self { email: row.try_get(0)?, city: row.try_get(1)?, version: row.try_get(2)? })
    }
}

/// An order as it is stored.
#[derive(Clone, Copy, Debug)]
pub(in crate::staging) struct Order {
    pub(in crate::staging) seq: i64,
    pub(in crate::staging) total_cents: i64,
    pub(in crate::staging) version: i64,
}

impl Order {
    fn read(row: &Row) -> Result<Self, tokio_postgres::Error> {
        Ok(Self { seq: row.try_get(0)?, total_cents: row.try_get(1)?, version: row.try_get(2)? })
    }
}

/// What makes an order: a number of its own, who buys, and the key that makes a repetition the same order.
#[derive(Clone, Copy, Debug)]
pub(in crate::staging) struct Purchase<'a> {
    pub(in crate::staging) seq: i64,
    pub(in crate::staging) user: i64,
    pub(in crate::staging) key: &'a str,
}

fn one<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, tokio_postgres::Error>) -> Result<Option<T>, Trouble> {
    Ok(rows.first().map(read).transpose()?)
}

fn all<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, tokio_postgres::Error>) -> Result<Vec<T>, Trouble> {
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}

impl Held {
    pub(in crate::staging) async fn user_name(&self, user: i64) -> Result<Option<String>, Trouble> {
        one(&self.query(&sql::USER, &[&user]).await?, |row| row.try_get(0))
    }

    pub(in crate::staging) async fn profile(&self, user: i64) -> Result<Option<Profile>, Trouble> {
        one(&self.query(&sql::PROFILE, &[&user]).await?, Profile::read)
    }

    pub(in crate::staging) async fn write_profile(&self, user: i64, city: &str) -> Result<Option<Profile>, Trouble> {
        one(&self.query(&sql::WRITE_PROFILE, &[&user, &city]).await?, Profile::read)
    }

    pub(in crate::staging) async fn stock(&self, product: i64) -> Result<Option<i64>, Trouble> {
        one(&self.query(&sql::STOCK, &[&product]).await?, |row| row.try_get(0))
    }

    pub(in crate::staging) async fn product(&self, product: i64) -> Result<Option<Product>, Trouble> {
        one(&self.query(&sql::PRODUCT, &[&product]).await?, Product::read)
    }

    pub(in crate::staging) async fn cart_version(&self, user: i64) -> Result<Option<i64>, Trouble> {
        one(&self.query(&sql::CART, &[&user]).await?, |row| row.try_get(0))
    }

    /// The cart with one query.
    pub(in crate::staging) async fn cart_joined(&self, user: i64) -> Result<Vec<Line>, Trouble> {
        all(&self.query(&sql::CART_JOINED, &[&user]).await?, Line::read)
    }

    /// The numbers of the cart's lines.
    pub(in crate::staging) async fn cart_lines(&self, user: i64) -> Result<Vec<i64>, Trouble> {
        all(&self.query(&sql::CART_LINES, &[&user]).await?, |row| row.try_get(0))
    }

    /// One line of the cart.
    pub(in crate::staging) async fn cart_line(&self, user: i64, line: i64) -> Result<Option<Line>, Trouble> {
        one(&self.query(&sql::CART_LINE, &[&user, &line]).await?, Line::read)
    }

    /// Puts `quantity` of `product` into slot `line` of a cart; gives the line's new version.
    pub(in crate::staging) async fn put_item(
        &self,
        user: i64,
        line: i64,
        (product, quantity): (i64, i64),
    ) -> Result<Option<i64>, Trouble> {
        one(&self.query(&sql::PUT_ITEM, &[&user, &line, &product, &quantity]).await?, |row| row.try_get(0))
    }

    /// Stores an order of the cart's content; the same key again gives the first order.
    pub(in crate::staging) async fn place_order(&self, purchase: Purchase<'_>) -> Result<Option<Order>, Trouble> {
        let Purchase { seq, user, key } = purchase;
        one(&self.query(&sql::PLACE_ORDER, &[&seq, &user, &key]).await?, Order::read)
    }

    /// Raises the cart's version and stores the order, in one transaction. Gives both.
    pub(in crate::staging) async fn check_out(&mut self, purchase: Purchase<'_>) -> Result<(i64, Order), Trouble> {
        let Purchase { seq, user, key } = purchase;
        let (cart, order) = self.pair((&sql::TOUCH_CART, &[&user]), (&sql::PLACE_ORDER, &[&seq, &user, &key])).await?;
        Ok((cart.try_get(0)?, Order::read(&order)?))
    }

    /// The customer's latest orders, twenty at most.
    pub(in crate::staging) async fn orders(&self, user: i64) -> Result<Vec<Order>, Trouble> {
        all(&self.query(&sql::ORDERS, &[&user]).await?, Order::read)
    }

    pub(in crate::staging) async fn order(&self, user: i64, seq: i64) -> Result<Option<Order>, Trouble> {
        one(&self.query(&sql::ORDER, &[&user, &seq]).await?, Order::read)
    }
}
