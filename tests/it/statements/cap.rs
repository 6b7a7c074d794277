//! Limits of connections are exact.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use futures::future::join_all;
use squall::plan::fault::rule::Place;
use squall::plan::fault::rule::postgres::{Act, Only, Per};
use squall::wire::sql::Verb;
use tokio_postgres::NoTls;

use super::bed::{Watch, bed, code, connect_as, delay, url, verbs};

#[test]
fn a_thousand_concurrent_connects_fill_a_cap_exactly() {
    let Some(bed) = bed() else { return };
    bed.put("cap", Only::default(), Act::Cap { limit: 100, per: Per::Proxy, every: None });
    bed.runtime.block_on(async {
        let (open, peak) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let connects = (0..1_000).map(|_| async {
            let client = connect_as(bed.listen, "postgres").await;
            if client.is_ok() {
                peak.fetch_max(open.fetch_add(1, Relaxed) + 1, Relaxed);
            }
            client
        });
        let made = join_all(connects).await;
        let (held, refused): (Vec<_>, Vec<_>) = made.into_iter().partition(Result::is_ok);
        assert_eq!((held.len(), refused.len(), peak.load(Relaxed)), (100, 900, 100));
        assert!(refused.iter().all(|one| one.as_ref().is_err_and(|error| code(error) == "53300")));
        let stats = bed.proxies.stats("cap").unwrap();
        assert_eq!((stats.considered, stats.touched), (900, 900));
        // One that goes makes room for exactly one.
        let mut held: Vec<_> = held.into_iter().map(Result::unwrap).collect();
        drop(held.pop());
        let mut more = connect_as(bed.listen, "postgres").await;
        while more.is_err() {
            tokio::task::yield_now().await;
            more = connect_as(bed.listen, "postgres").await;
        }
        assert_eq!(code(&connect_as(bed.listen, "postgres").await.unwrap_err()), "53300");
    });
}

#[test]
fn a_cap_for_each_user_counts_them_apart_and_a_leaving_holder_frees_its_place() {
    let Some(bed) = bed() else { return };
    bed.direct("CREATE ROLE ann LOGIN; CREATE ROLE bob LOGIN; CREATE TABLE t (a int); GRANT ALL ON t TO ann");
    bed.put("cap", Only::default(), Act::Cap { limit: 2, per: Per::User, every: None });
    bed.put("slow", verbs(&[Verb::Insert]), delay(20_000, Place::Request));
    bed.runtime.block_on(async {
        let (first, connection) = tokio_postgres::connect(&url(bed.listen, "ann"), NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let _second = connect_as(bed.listen, "ann").await.unwrap();
        assert_eq!(code(&connect_as(bed.listen, "ann").await.unwrap_err()), "53300");
        let bobs = [connect_as(bed.listen, "bob").await, connect_as(bed.listen, "bob").await];
        assert!(bobs.iter().all(Result::is_ok));
        // Held in a delay of 20 s, and gone: its place is free at once.
        let asked = tokio::spawn(async move { first.batch_execute("INSERT INTO t VALUES (1)").await });
        while bed.proxies.stats("slow").unwrap().active == 0 {
            tokio::task::yield_now().await;
        }
        connection.abort();
        assert!(asked.await.unwrap().is_err());
        let since = Watch::start();
        while connect_as(bed.listen, "ann").await.is_err() {
            assert!(since.elapsed().as_secs() < 5, "the place of a client that left is not free");
        }
    });
}
