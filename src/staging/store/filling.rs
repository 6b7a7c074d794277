//! Makes the shop's schema in a database and fills it.
//!
//! In a real PostgreSQL everything is in the schema `squall_shop`, which must be absent or carry the shop's marker
//! table: a schema of that name that is somebody else's is refused. Called once, when a shop starts.

use std::io;
use std::str::FromStr;

use tokio_postgres::{Client, Config, NoTls};

use super::queries::Product;
use super::schema::{Carts, SCHEMA, TABLES, inserts};
use crate::base::seed::Seed;

/// Why a database could not be filled.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    /// The address is not one.
    #[error("the database address is not a postgres:// address: {0}")]
    Address(tokio_postgres::Error),
    /// It cannot be reached, or refused a statement.
    #[error("fill the shop's database: {0}")]
    Database(#[from] tokio_postgres::Error),
    /// No thread for reading.
    #[error("read the shop's database: {0}")]
    Thread(io::Error),
    /// The pool could not be made.
    #[error("make a pool of database connections: {0}")]
    Pool(String),
    /// A schema of our name without our marker.
    #[error("the database has a schema {SCHEMA} that this shop did not make: rename or drop it yourself")]
    Foreign,
}

/// The settings of a connection to `url`; in a real PostgreSQL names mean the shop's own schema.
pub(super) fn config(url: &str) -> Result<Config, FillError> {
    let mut config = Config::from_str(url).map_err(FillError::Address)?;
    config.application_name("squall shop").options(format!("-c search_path={SCHEMA}"));
    Ok(config)
}

/// Makes and fills the schema; gives every product, to warm the cache with, and the last order's number.
pub(in crate::staging) async fn fill(url: &str, seed: Seed, carts: &Carts) -> Result<(Vec<Product>, i64), FillError> {
    let (mut client, connection) = config(url)?.connect(NoTls).await?;
    let real = connection.parameter("squall_database") != Some("embedded");
    let task = tokio::spawn(connection);
    if real {
        make_schema(&client).await?;
    }
    let transaction = client.transaction().await?;
    transaction.batch_execute(TABLES).await?;
    for insert in inserts(seed, carts) {
        transaction.batch_execute(&insert).await?;
    }
    transaction.commit().await?;
    client.batch_execute("ANALYZE").await?;
    let rows = client.query("SELECT id, name, price_cents FROM products ORDER BY id", &[]).await?;
    let products = rows.iter().map(Product::read).collect::<Result<_, _>>()?;
    let last: i64 = client.query_one("SELECT seq FROM orders ORDER BY seq DESC LIMIT 1", &[]).await?.try_get(0)?;
    drop(client);
    // Its end is the end of the connection, whatever it says.
    drop(task.await);
    Ok((products, last))
}

/// How many orders and how many lines of carts the database at `url` holds.
pub(in crate::staging) async fn row_counts(url: &str) -> Result<(i64, i64), FillError> {
    let (client, connection) = config(url)?.connect(NoTls).await?;
    tokio::spawn(connection);
    let orders = client.query_one("SELECT count(*) AS count_orders FROM orders", &[]).await?.try_get(0)?;
    let lines = client.query_one("SELECT count(*) AS count_lines FROM cart_items", &[]).await?.try_get(0)?;
    Ok((orders, lines))
}

/// Keeps every writer of the database at `url` waiting until the answer is dropped.
#[cfg(test)]
pub(in crate::staging) async fn block_writers(url: &str) -> Client {
    let (client, connection) = config(url).unwrap().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("BEGIN").await.unwrap();
    client
}

async fn make_schema(client: &Client) -> Result<(), FillError> {
    let known = "SELECT 1 FROM information_schema.schemata WHERE schema_name = $1";
    if client.query_opt(known, &[&SCHEMA]).await?.is_some() {
        let marker = "SELECT 1 FROM information_schema.tables WHERE table_schema = $1 AND table_name = 'squall_marker'";
        if client.query_opt(marker, &[&SCHEMA]).await?.is_none() {
            return Err(FillError::Foreign);
        }
        client.batch_execute(&format!("DROP SCHEMA {SCHEMA} CASCADE")).await?;
    }
    client.batch_execute(&format!("CREATE SCHEMA {SCHEMA}")).await?;
    Ok(())
}
