//! Orders as rows, for backup and restore: read whole, written back in statements of twenty, and counted.
//!
//! Each function makes a connection of its own, so that nothing here waits behind the shop's pools. Called by `backup` and
//! the admin address.

use std::fmt::Write as _;
use std::io;

use tokio::runtime::Builder;
use tokio::task::spawn_blocking;
use tokio_postgres::{Client, NoTls};

use super::filling::{FillError, config};

/// Rows of one statement of a restore.
pub(in crate::staging) const TOGETHER: usize = 20;

/// An order as the table holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::staging) struct OrderRow {
    pub(in crate::staging) seq: i64,
    pub(in crate::staging) user: i64,
    pub(in crate::staging) key: String,
    pub(in crate::staging) total_cents: i64,
    pub(in crate::staging) version: i64,
}

async fn connect(url: &str) -> Result<Client, FillError> {
    let (client, connection) = config(url)?.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Every order in the database at `url`, by number. Read on a thread of its own: fifty thousand rows would keep the
/// shop's thread from serving.
pub(in crate::staging) async fn all_orders(url: &str) -> Result<Vec<OrderRow>, FillError> {
    let url = url.to_owned();
    let read = spawn_blocking(move || {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(FillError::Thread)?;
        runtime.block_on(read_orders(&url))
    });
    read.await.map_err(|error| FillError::Thread(io::Error::other(error)))?
}

async fn read_orders(url: &str) -> Result<Vec<OrderRow>, FillError> {
    let client = connect(url).await?;
    let text = "SELECT seq, user_id, request_key, total_cents, version FROM orders ORDER BY seq";
    let rows = client.query(text, &[]).await?;
    let read = rows.iter().map(|row| {
        Ok(OrderRow {
            seq: row.try_get(0)?,
            user: row.try_get(1)?,
            key: row.try_get(2)?,
            total_cents: row.try_get(3)?,
            version: row.try_get(4)?,
        })
    });
    Ok(read.collect::<Result<_, tokio_postgres::Error>>()?)
}

/// The numbers of the orders in the database at `url`, rising.
pub(in crate::staging) async fn order_numbers(url: &str) -> Result<Vec<i64>, FillError> {
    let rows = connect(url).await?.query("SELECT seq FROM orders ORDER BY seq", &[]).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, tokio_postgres::Error>>()?)
}

/// A connection that writes orders back.
#[derive(Debug)]
pub(in crate::staging) struct Writer(Client);

impl Writer {
    /// Over the way the shop itself takes to its database.
    pub(in crate::staging) async fn connect(url: &str) -> Result<Self, FillError> {
        connect(url).await.map(Self)
    }

    /// Empties the table.
    pub(in crate::staging) async fn empty(&self) -> Result<(), FillError> {
        Ok(self.0.batch_execute("DELETE FROM orders").await?)
    }

    /// Writes rows that are not there; those that are stay as they are. One statement.
    pub(in crate::staging) async fn add(&self, rows: &[OrderRow]) -> Result<(), FillError> {
        Ok(self.0.batch_execute(&insert(rows)).await?)
    }
}

fn insert(rows: &[OrderRow]) -> String {
    let mut text = "INSERT INTO orders (seq, user_id, request_key, total_cents, version) VALUES ".to_owned();
    for (n, OrderRow { seq, user, key, total_cents, version }) in rows.iter().enumerate() {
        let comma = if n == 0 { "" } else { ", " };
        let key = key.replace('\'', "''");
        // Writing to a string cannot fail.
        let _ = write!(text, "{comma}({seq}, {user}, '{key}', {total_cents}, {version})");
    }
    text.push_str(" ON CONFLICT DO NOTHING");
    text
}

/// What running a statement did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::staging) struct Ran {
    /// Rows it changed.
    pub(in crate::staging) rows: u64,
}

/// The number that a `SELECT count(*)` gives.
pub(in crate::staging) async fn count(url: &str, text: &str) -> Result<i64, FillError> {
    Ok(connect(url).await?.query_one(text, &[]).await?.try_get(0)?)
}

/// Runs one statement as it is.
pub(in crate::staging) async fn run(url: &str, text: &str) -> Result<Ran, FillError> {
    Ok(Ran { rows: connect(url).await?.execute(text, &[]).await? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_a_quote_stays_a_key() {
        let row = |seq, key: &str| OrderRow { seq, user: 3, key: key.to_owned(), total_cents: 99, version: 1 };
        let text = insert(&[row(1, "plain"), row(2, "it's; DROP TABLE orders")]);
        assert!(
            text.contains("(1, 3, 'plain', 99, 1), (2, 3, 'it''s; DROP TABLE orders', 99, 1) ON CONFLICT"),
            "{text}"
        );
    }
}
