//! The wrong table is emptied, and what each way back gives back: over loopback, with a clock moved by hand.

use super::*;
use crate::staging::settings::Tokens;

async fn order(shop: &Shop, n: usize) {
    for k in 0..n {
        let headers = [("x-user", "t1-1")];
        assert_eq!(send(shop.gateway(), "POST /api/orders", &headers, "").await.0.as_u16(), 201, "order {k}");
    }
}

/// A shop with 10 orders before its latest snapshot, 6 before the delete and 4 after it.
async fn night(database: &Embedded) -> Shop {
    let shop = Shop::start(settings(Clock::start(), database)).await.unwrap();
    order(&shop, 10).await;
    assert_eq!(admin(&shop, "POST /admin/db/backup", &[], "").await.0, 200);
    order(&shop, 6).await;
    let (status, ran) = admin(&shop, "POST /admin/db/exec", &[], r#"{"sql":"DELETE FROM orders"}"#).await;
    assert_eq!((status, &ran["rows"]), (200, &json!(50_016)));
    order(&shop, 4).await;
    shop
}

async fn restored(shop: &Shop, how: &str) -> (u64, u64) {
    let (status, begun) = admin(shop, "POST /admin/db/restore", &[], how).await;
    assert_eq!(status, 202, "{begun}");
    // Fifty thousand rows, twenty at a time.
    let mut done = false;
    for _ in 0..60_000 {
        let (_, state) = admin(shop, "GET /admin/state", &[], "").await;
        done = state["db"]["restore"]["state"] == "done";
        if done {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(done, "the restore has ended");
    let (_, truth) = admin(shop, "GET /admin/truth", &[], "").await;
    (truth["acknowledged"]["lost"].as_u64().unwrap(), truth["rows"]["orders"].as_u64().unwrap())
}

#[test]
fn merging_with_the_log_loses_nothing_and_replacing_without_it_everything_since_the_snapshot() {
    for (how, lost, rows) in [
        (r#"{"mode":"merge_missing","replay_wal":true}"#, 0, 50_020),
        (r#"{"mode":"merge_missing"}"#, 6, 50_014),
        (r#"{"mode":"replace"}"#, 10, 50_010),
    ] {
        let database = Embedded::start().unwrap();
        runtime().block_on(async {
            let shop = night(&database).await;
            assert_eq!(admin(&shop, "GET /admin/truth", &[], "").await.1["acknowledged"]["lost"], 16);
            assert_eq!(restored(&shop, how).await, (lost, rows), "{how}");
            shop.stop().await;
        });
    }
}

#[test]
fn a_dry_run_changes_nothing_and_mistakes_are_named() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let shop = night(&database).await;
        let dry = r#"{"mode":"replace","dry_run":true}"#;
        let (status, effect) = admin(&shop, "POST /admin/db/restore", &[], dry).await;
        assert_eq!((status, &effect["brought_back"], &effect["thrown_away"]), (200, &json!(50_010), &json!(4)));
        assert_eq!(admin(&shop, "GET /admin/truth", &[], "").await.1["rows"]["orders"], 4);
        let (_, list) = admin(&shop, "GET /admin/db/backups", &[], "").await;
        assert_eq!(list["snapshots"][0]["acknowledged_since"], 10);
        assert_eq!(admin(&shop, "POST /admin/db/restore", &[], r#"{"mode":"merge"}"#).await.0, 400);
        assert_eq!(admin(&shop, "POST /admin/db/restore", &[], r#"{"mode":"replace","snapshot":99}"#).await.0, 400);
        shop.stop().await;
    });
}

#[test]
fn the_guardrail_refuses_the_wrong_table_unless_a_second_person_types_its_name() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let plain = settings(Clock::start(), &database);
        let tokens = Tokens { approver: Some(Secret::new("second")), ..plain.tokens };
        let shop = Shop::start(Settings { tokens, ..plain }).await.unwrap();
        let wrong = r#"{"sql":"DELETE FROM orders WHERE seq > 49990"}"#;
        admin(&shop, "PUT /admin/guardrail", &[], r#"{"mode":"warn"}"#).await;
        let (status, ran) = admin(&shop, "POST /admin/db/exec", &[], wrong).await;
        assert_eq!((status, &ran["rows"], &ran["warning"]), (200, &json!(10), &json!("G1-protected-table")));
        admin(&shop, "PUT /admin/guardrail", &[], r#"{"mode":"enforce"}"#).await;
        let (status, refused) = admin(&shop, "POST /admin/db/exec", &[], wrong).await;
        assert_eq!((status, &refused["rule"]), (403, &json!("G1-protected-table")));
        let cleaning = r#"{"sql":"DELETE FROM cart_items_tmp"}"#;
        assert_eq!(admin(&shop, "POST /admin/db/exec", &[], cleaning).await.0, 200, "the job as it was meant");
        for (approver, table, status) in [("first", "orders", 403), ("second", "order", 403), ("second", "orders", 200)]
        {
            let sql = "DELETE FROM orders WHERE seq = 49990";
            let body = json!({"sql": sql, "approver": approver, "table": table}).to_string();
            assert_eq!(admin(&shop, "POST /admin/db/exec", &[], &body).await.0, status, "{approver} {table}");
        }
        assert_eq!(admin(&shop, "PUT /admin/guardrail", &[], r#"{"mode":"strict"}"#).await.0, 400);
        shop.stop().await;
    });
}

#[test]
fn a_shop_that_takes_no_changes_says_so_and_is_read_as_always() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let shop = Shop::start(settings(Clock::start(), &database)).await.unwrap();
        admin(&shop, "PUT /admin/db/writes", &[], r#"{"read_only":true}"#).await;
        let (status, refused) = ask(&shop, "POST /api/orders", "t1-1", "").await;
        assert_eq!((status, &refused["error"]), (503, &json!("read_only")));
        assert_eq!(ask(&shop, "GET /api/cart", "t1-1", "").await.0, 200);
        admin(&shop, "PUT /admin/db/writes", &[], r#"{"read_only":false}"#).await;
        assert_eq!(ask(&shop, "POST /api/orders", "t1-1", "").await.0, 201);
        shop.stop().await;
    });
}
