//! The embedded database as its clients see it: types, transactions, errors, waiting writers.

use super::*;
use crate::wire::postgres::write;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

async fn connect(database: &Embedded) -> Client {
    let (client, connection) = tokio_postgres::connect(&database.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn things(database: &Embedded) -> Client {
    let client = connect(database).await;
    client
        .batch_execute(
            "CREATE TABLE things (id BIGINT PRIMARY KEY, name TEXT NOT NULL); INSERT INTO things VALUES (1, 'a;''b')",
        )
        .await
        .unwrap();
    client
}

#[test]
fn both_protocols_answer_with_types() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let client = things(&database).await;
        let insert =
            client.prepare_typed("INSERT INTO things VALUES ($2, $1)", &[Type::TEXT, Type::INT8]).await.unwrap();
        assert_eq!(client.execute(&insert, &[&"two", &2_i64]).await.unwrap(), 1);
        let row = client.query_one("SELECT id, name FROM things WHERE name = $1", &[&"two"]).await.unwrap();
        assert_eq!((row.get::<_, i64>(0), row.get::<_, &str>(1)), (2, "two"));
        let row = client
            .query_one("SELECT count(*) AS count_all, CAST(sum(id) AS BIGINT) AS sum_ids FROM things", &[])
            .await
            .unwrap();
        assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (2, 3));
        let written = client.prepare_typed("UPDATE things SET name = $1 RETURNING id", &[Type::TEXT]).await.unwrap();
        assert_eq!(client.query(&written, &[&"x"]).await.unwrap()[1].get::<_, i64>("id"), 2);
        assert_eq!(client.execute(&written, &[&"y"]).await.unwrap(), 2);
        let texts = client.simple_query("SELECT name, id FROM things WHERE id = 1").await.unwrap();
        let found = texts.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some((row.get(0).map(str::to_owned), row.get(1).map(str::to_owned))),
            _ => None,
        });
        assert_eq!(found, Some((Some("y".to_owned()), Some("1".to_owned()))));
    });
}

#[test]
fn an_error_in_a_transaction_refuses_everything_until_its_end() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let mut client = things(&database).await;
        let transaction = client.transaction().await.unwrap();
        transaction.execute("INSERT INTO things VALUES (7, 'seven')", &[]).await.unwrap();
        let error = transaction.execute("INSERT INTO things VALUES (7, 'again')", &[]).await.unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::UNIQUE_VIOLATION));
        let error = transaction.query("SELECT id FROM things", &[]).await.unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::IN_FAILED_SQL_TRANSACTION));
        // PostgreSQL answers this COMMIT with ROLLBACK.
        transaction.commit().await.unwrap();
        assert!(client.query("SELECT id FROM things WHERE id = 7", &[]).await.unwrap().is_empty());
        // The simple protocol keeps the same rule.
        client.batch_execute("BEGIN; INSERT INTO things VALUES (8, 'eight')").await.unwrap();
        assert!(client.batch_execute("INSERT INTO nothing VALUES (1)").await.is_err());
        let error = client.batch_execute("INSERT INTO things VALUES (9, 'nine')").await.unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::IN_FAILED_SQL_TRANSACTION));
        client.batch_execute("COMMIT").await.unwrap();
        assert!(client.query("SELECT id FROM things WHERE id > 7", &[]).await.unwrap().is_empty());
    });
}

#[test]
fn a_dropped_transaction_is_rolled_back_and_a_committed_one_is_seen_by_others() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let mut client = things(&database).await;
        let other = connect(&database).await;
        let count =
            async || other.query_one("SELECT count(*) AS count_all FROM things", &[]).await.unwrap().get::<_, i64>(0);
        let transaction = client.transaction().await.unwrap();
        transaction.execute("INSERT INTO things VALUES (2, 'b')", &[]).await.unwrap();
        assert_eq!(count().await, 1, "others do not see it before the commit");
        drop(transaction);
        let transaction = client.transaction().await.unwrap();
        transaction.execute("INSERT INTO things VALUES (3, 'c')", &[]).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(count().await, 2);
        let failed =
            client.batch_execute("INSERT INTO things VALUES (4, 'd'); INSERT INTO things VALUES (4, 'e')").await;
        assert!(failed.is_err());
        assert_eq!(count().await, 2, "several statements in one message are one transaction");
    });
}

#[test]
fn a_writer_that_waits_too_long_gets_55p03_and_readers_never_wait() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let mut client = things(&database).await;
        let other = connect(&database).await;
        let transaction = client.transaction().await.unwrap();
        assert_eq!(other.query("SELECT id FROM things", &[]).await.unwrap().len(), 1);
        let error = other.execute("INSERT INTO things VALUES (5, 'e')", &[]).await.unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::LOCK_NOT_AVAILABLE));
        transaction.rollback().await.unwrap();
        assert_eq!(other.execute("INSERT INTO things VALUES (5, 'e')", &[]).await.unwrap(), 1);
    });
}

#[test]
fn mistakes_have_the_codes_of_postgresql() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let client = things(&database).await;
        let cases = [
            ("SELEC 1", "42601"),
            ("SELECT 1 FROM nowhere", "42P01"),
            ("SELECT colour FROM things", "42703"),
            ("INSERT INTO things VALUES (9, NULL)", "23502"),
            ("CREATE TABLE things (id BIGINT)", "42P07"),
        ];
        for (sql, code) in cases {
            let error = client.execute(sql, &[]).await.unwrap_err();
            assert_eq!(error.code().map(SqlState::code), Some(code), "{sql}");
            assert_eq!(client.query("SELECT id FROM things", &[]).await.unwrap().len(), 1, "after {sql}");
        }
    });
}

#[test]
fn the_folder_and_the_port_are_gone_afterwards() {
    let database = Embedded::start().unwrap();
    let (folder, address) = (database.folder().to_owned(), database.address());
    runtime().block_on(async {
        let client = things(&database).await;
        assert!(folder.join("shop.db").exists());
        drop(database);
        assert!(!folder.exists());
        assert!(client.query("SELECT id FROM things", &[]).await.is_err(), "its connections are cut");
        assert!(std::net::TcpStream::connect(address).is_err());
    });
}

#[test]
fn an_error_that_a_fault_rule_asks_for_is_raised_as_by_postgres() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let client = things(&database).await;
        let raise = write::raise("40P01", "it's so");
        let failed = client.batch_execute(&raise).await.unwrap_err();
        assert_eq!(
            failed.as_db_error().map(|error| (error.code().code(), error.message())),
            Some(("40P01", "it's so"))
        );
        client.batch_execute("BEGIN").await.unwrap();
        client.batch_execute("INSERT INTO things VALUES (2, 'two')").await.unwrap();
        let prepared = client.prepare(&raise).await.unwrap();
        let failed = client.execute(&prepared, &[]).await.unwrap_err();
        assert_eq!(failed.code().map(SqlState::code), Some("40P01"));
        let next = client.batch_execute("SELECT 1").await.unwrap_err();
        assert_eq!(next.code().map(SqlState::code), Some("25P02"));
        client.batch_execute("COMMIT").await.unwrap();
        let count: i64 = client.query_one("SELECT count(*) AS count_all FROM things", &[]).await.unwrap().get(0);
        assert_eq!(count, 1, "COMMIT of a failed transaction rolls back");
        client.batch_execute(&write::sleep(0.02)).await.unwrap();
    });
}
