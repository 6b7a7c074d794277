//! Errors and ends of connections never make a client believe an untruth about a transaction.

use std::time::Duration;

use squall::plan::fault::Time;
use squall::plan::fault::rule::postgres::{Act, Death, Moment, Only};
use squall::plan::fault::rule::{Nth, Within};
use squall::wire::sql::Verb;
use tokio_postgres::SimpleQueryMessage;

use super::bed::{Bed, Watch, bed, code, connect, connect_as, error, verbs};

const TABLE: &str = "CREATE TABLE t (a int); CREATE TABLE u (a int)";

async fn count(client: &tokio_postgres::Client) -> i64 {
    client.query_one("SELECT count(*) FROM t", &[]).await.unwrap().get(0)
}

/// Starts a bed with the tables in place.
fn prepared() -> Option<Bed> {
    let bed = bed()?;
    bed.direct(TABLE);
    Some(bed)
}

#[test]
fn an_error_in_a_transaction_is_the_servers_own() {
    let Some(bed) = prepared() else { return };
    let only = Only { tables: vec!["u".into()], ..verbs(&[Verb::Insert]) };
    bed.put("deadlock", only, error("40P01"));
    bed.runtime.block_on(async {
        let client = connect(bed.listen).await;
        // Simple.
        client.batch_execute("BEGIN").await.unwrap();
        client.batch_execute("INSERT INTO t VALUES (1)").await.unwrap();
        assert_eq!(code(&client.batch_execute("INSERT INTO u VALUES (1)").await.unwrap_err()), "40P01");
        assert_eq!(code(&client.batch_execute("SELECT 1").await.unwrap_err()), "25P02");
        client.batch_execute("COMMIT").await.unwrap();
        assert_eq!(count(&client).await, 0, "COMMIT of a failed transaction rolls back");
        // Extended, with statements that are used again afterwards.
        let (into_t, into_u) = (
            client.prepare("INSERT INTO t VALUES ($1)").await.unwrap(),
            client.prepare("INSERT INTO u VALUES ($1)").await.unwrap(),
        );
        for _ in 0..3 {
            client.batch_execute("BEGIN").await.unwrap();
            client.execute(&into_t, &[&1]).await.unwrap();
            let failed = client.execute(&into_u, &[&1]).await.unwrap_err();
            assert_eq!((code(&failed).as_str(), failed.as_db_error().unwrap().message()), ("40P01", "it was to be"));
            assert_eq!(code(&client.execute(&into_t, &[&1]).await.unwrap_err()), "25P02");
            client.batch_execute("COMMIT").await.unwrap();
            assert_eq!(count(&client).await, 0);
        }
        // Outside of a transaction, and savepoints.
        assert_eq!(code(&client.execute(&into_u, &[&1]).await.unwrap_err()), "40P01");
        client.batch_execute("BEGIN; INSERT INTO t VALUES (7); SAVEPOINT s").await.unwrap();
        assert_eq!(code(&client.execute(&into_u, &[&1]).await.unwrap_err()), "40P01");
        client.batch_execute("ROLLBACK TO s; COMMIT").await.unwrap();
        assert_eq!(count(&client).await, 1);
        let left: i64 = client
            .query_one("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE '_squall%'", &[])
            .await
            .unwrap()
            .get(0);
        assert_eq!(left, 0, "what was prepared in secret is closed");
    });
    let stats = bed.proxies.stats("deadlock").unwrap();
    assert_eq!((stats.considered, stats.touched), (6, 6), "{stats:?}");
}

#[test]
fn a_commit_that_fails_leaves_no_transaction_behind() {
    let Some(bed) = prepared() else { return };
    bed.put("serialise", verbs(&[Verb::Commit]), error("40001"));
    bed.runtime.block_on(async {
        let client = connect(bed.listen).await;
        client.batch_execute("BEGIN; INSERT INTO t VALUES (1)").await.unwrap();
        assert_eq!(code(&client.batch_execute("COMMIT").await.unwrap_err()), "40001");
        assert_eq!(count(&client).await, 0, "and the connection is usable at once");
        let commit = client.prepare("COMMIT").await.unwrap();
        client.batch_execute("BEGIN; INSERT INTO t VALUES (1)").await.unwrap();
        assert_eq!(code(&client.execute(&commit, &[]).await.unwrap_err()), "40001");
        assert_eq!(count(&client).await, 0);
        // A pipeline of BEGIN, INSERT and COMMIT in one go.
        let (begin, insert) =
            (client.prepare("BEGIN").await.unwrap(), client.prepare("INSERT INTO t VALUES (2)").await.unwrap());
        let (a, b, c) =
            futures::join!(client.execute(&begin, &[]), client.execute(&insert, &[]), client.execute(&commit, &[]));
        assert!(a.is_ok() && b.is_ok());
        assert_eq!(code(&c.unwrap_err()), "40001");
        assert_eq!(count(&client).await, 0);
    });
}

#[test]
fn a_role_without_the_right_to_raise_gets_the_truth_all_the_same() {
    let Some(bed) = prepared() else { return };
    bed.direct("CREATE ROLE poor LOGIN; REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC; GRANT ALL ON t TO poor");
    bed.put("fails", verbs(&[Verb::Insert]), error("53100"));
    bed.runtime.block_on(async {
        let client = connect_as(bed.listen, "poor").await.unwrap();
        // Outside a transaction nothing is owed: the proxy may answer.
        assert_eq!(code(&client.batch_execute("INSERT INTO t VALUES (1)").await.unwrap_err()), "53100");
        let insert = client.prepare("INSERT INTO t VALUES (1)").await.unwrap();
        assert_eq!(code(&client.execute(&insert, &[]).await.unwrap_err()), "53100");
        assert_eq!(count(&client).await, 0);
        // Inside one the connection ends, and with it the transaction.
        client.batch_execute("BEGIN").await.unwrap();
        assert_eq!(code(&client.execute(&insert, &[]).await.unwrap_err()), "53100");
        assert!(client.batch_execute("SELECT 1").await.is_err(), "the connection is gone");
        assert_eq!(count(&connect(bed.server.address()).await).await, 0);
    });
}

#[test]
fn a_killed_connection_loses_what_was_not_committed_and_only_the_unknown_commit_lies() {
    let Some(bed) = prepared() else { return };
    let third = Only { nth: Some(Nth { n: 3, of: Within::Transaction }), ..verbs(&[Verb::Insert]) };
    bed.put("killed", third, Act::Kill { how: Death::Fatal("57P01".into()), moment: Moment::InTransaction });
    bed.runtime.block_on(async {
        let client = connect(bed.listen).await;
        client.batch_execute("INSERT INTO t VALUES (1)").await.unwrap();
        client.batch_execute("BEGIN; INSERT INTO t VALUES (2)").await.unwrap();
        client.batch_execute("INSERT INTO t VALUES (3)").await.unwrap();
        client.batch_execute("INSERT INTO t VALUES (3)").await.unwrap();
        assert_eq!(code(&client.batch_execute("INSERT INTO t VALUES (4)").await.unwrap_err()), "57P01");
        assert_eq!(count(&connect(bed.server.address()).await).await, 1);
    });
    bed.heal("killed");
    bed.put("unknown", Only::default(), Act::Kill { how: Death::Rst, moment: Moment::UnknownCommit });
    bed.runtime.block_on(async {
        for extended in [false, true] {
            let client = connect(bed.listen).await;
            client.batch_execute("INSERT INTO t VALUES (1)").await.unwrap();
            client.batch_execute("BEGIN").await.unwrap();
            client.batch_execute("INSERT INTO t VALUES (5)").await.unwrap();
            let heard = if extended {
                let commit = client.prepare("COMMIT").await.unwrap();
                client.execute(&commit, &[]).await.map(drop)
            } else {
                client.batch_execute("COMMIT").await
            };
            assert_eq!(code(&heard.unwrap_err()), "lost");
        }
        assert_eq!(count(&connect(bed.server.address()).await).await, 5, "it was committed");
    });
}

#[test]
fn a_failover_ends_everybody_refuses_then_reads_only_and_is_over() {
    let Some(bed) = prepared() else { return };
    let client = bed.runtime.block_on(connect(bed.listen));
    let (refuse, read_only) = (Duration::from_millis(400), Duration::from_secs(2));
    bed.put("failover", Only::default(), Act::Failover { refuse, read_only });
    bed.runtime.block_on(async {
        let said = client.batch_execute("SELECT 1").await.unwrap_err();
        assert!(matches!(code(&said).as_str(), "57P01" | "lost"), "{said}");
        let refused = connect_as(bed.listen, "postgres").await.unwrap_err();
        assert_eq!(code(&refused), "57P03");
        let mut again = connect_as(bed.listen, "postgres").await;
        while again.is_err() {
            tokio::task::yield_now().await;
            again = connect_as(bed.listen, "postgres").await;
        }
        let client = again.unwrap();
        assert_eq!(count(&client).await, 0);
        assert_eq!(code(&client.batch_execute("INSERT INTO t VALUES (1)").await.unwrap_err()), "25006");
        let mut written = client.batch_execute("INSERT INTO t VALUES (1)").await;
        while written.is_err() {
            tokio::task::yield_now().await;
            written = client.batch_execute("INSERT INTO t VALUES (1)").await;
        }
        assert_eq!(count(&client).await, 1);
    });
}

#[test]
fn writes_are_refused_and_rows_stall_where_it_is_said() {
    let Some(bed) = prepared() else { return };
    bed.put("frozen", Only::default(), Act::ReadOnly);
    let time = Time::Fixed(Duration::from_millis(300));
    let only = Only { text: Some(regex::Regex::new("generate_series").unwrap()), ..Only::default() };
    bed.put("stall", only, Act::RowStall { after: 10, time });
    bed.runtime.block_on(async {
        let client = connect(bed.listen).await;
        assert_eq!(code(&client.batch_execute("CREATE TABLE x (a int)").await.unwrap_err()), "25006");
        assert_eq!(count(&client).await, 0);
        let since = Watch::start();
        let rows = client.simple_query("SELECT generate_series(1, 20)").await.unwrap();
        let n = rows.iter().filter(|row| matches!(row, SimpleQueryMessage::Row(_))).count();
        assert!(n == 20 && since.elapsed() >= Duration::from_millis(290), "{n} {:?}", since.elapsed());
    });
}
