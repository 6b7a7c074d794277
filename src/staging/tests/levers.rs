//! What people can do to the shop: the balancer, releases, the cache, limits and backends, over loopback.

use super::*;
use crate::staging::pricing::Pricing;
use crate::staging::settings::{Behind, Pass};

/// Which backends answer `n` requests for a page.
async fn answering(shop: &Shop, n: usize) -> Vec<String> {
    let mut backends = Vec::new();
    for _ in 0..n {
        let (status, backend, _) = send(shop.gateway(), "GET /healthz", &[], "").await;
        assert!(status.is_success());
        backends.push(backend);
    }
    backends
}

#[test]
fn the_balancer_is_set_reverted_and_set_back_by_a_lease() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let (clock, hand) = Clock::manual();
        let shop = Shop::start(settings(clock, &database)).await.unwrap();
        assert_eq!(answering(&shop, 4).await, ["a", "b", "a", "b"]);
        let all_on_a = r#"{"weights":{"a":1,"b":0},"health_path":"/healthz"}"#;
        let (status, set) = admin(&shop, "PUT /admin/lb/config", &[], all_on_a).await;
        assert_eq!((status, &set["config"]["number"]), (200, &json!(18)));
        assert_eq!(answering(&shop, 3).await, ["a", "a", "a"]);
        let to_dr = r#"{"weights":{"a":0,"b":0,"dr":1}}"#;
        let (_, leased) = admin(&shop, "PUT /admin/lb/config", &[("x-squall-lease", "15s; drill=d1")], to_dr).await;
        assert_eq!((&leased["config"]["number"], &leased["lease"]), (&json!(19), &json!("l-1")));
        let (_, backend, body) = send(shop.gateway(), "GET /p/7", &[], "").await;
        assert_eq!((backend.as_str(), String::from_utf8_lossy(&body).matches("data-product").count()), ("dr", 20));
        hand.advance(Duration::from_secs(15));
        until(&shop, |state| state["lb"]["config"]["number"] == 18).await;
        assert_eq!(answering(&shop, 2).await, ["a", "a"], "the lease has ended");
        let (_, back) = admin(&shop, "POST /admin/lb/revert", &[], "").await;
        assert_eq!(back["config"]["number"], 17);
        assert_eq!(admin(&shop, "POST /admin/lb/revert", &[], "").await.0, 400, "there is nothing before it");
        admin(&shop, "POST /admin/lb/backends/b/drain", &[], "").await;
        assert_eq!(answering(&shop, 2).await, ["a", "a"]);
        assert_eq!(admin(&shop, "POST /admin/lb/backends/c/in", &[], "").await.0, 404);
        assert_eq!(admin(&shop, "POST /admin/lb/backends/b/up", &[], "").await.0, 400);
        shop.stop().await;
    });
}

#[test]
fn a_killed_backend_is_gone_and_its_requests_are_tried_once_more_elsewhere() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let shop = Shop::start(settings(Clock::start(), &database)).await.unwrap();
        answering(&shop, 2).await;
        assert_eq!(admin(&shop, "POST /admin/backends/b/kill", &[], "").await.1["up"], false);
        assert_eq!(answering(&shop, 4).await, ["a", "a", "a", "a"], "every second one was sent again");
        let mut statuses = Vec::new();
        for _ in 0..2 {
            let headers = [("x-user", "t1-1"), ("idempotency-key", "k")];
            statuses.push(send(shop.gateway(), "POST /api/orders", &headers, "").await.0.as_u16());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 502], "an order is never sent twice");
        admin(&shop, "POST /admin/backends/b/start", &[], "").await;
        // It listens again within a look or two; until then requests go to `a`.
        let mut seen = false;
        for _ in 0..2_000 {
            seen |= answering(&shop, 1).await == ["b"];
        }
        assert!(seen, "b serves again");
        shop.stop().await;
    });
}

#[test]
fn release_r42_shows_customers_the_accounts_of_others_and_a_purge_ends_it() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let (clock, hand) = Clock::manual();
        let shop = Shop::start(settings(clock, &database)).await.unwrap();
        let own = |user: &'static str| ask(&shop, "GET /api/me", user, "");
        assert_eq!((own("t1-1").await.1["user"].clone(), own("t1-2").await.1["user"].clone()), (json!(1), json!(2)));
        let (_, deployed) = admin(&shop, "POST /admin/deploy", &[], r#"{"release":"r42"}"#).await;
        assert_eq!((&deployed["wanted"], &deployed["serving"]), (&json!("r42"), &json!("rolling")));
        for _ in 0..2 {
            hand.advance(Duration::from_secs(20));
        }
        until(&shop, |state| state["release"]["serving"] == "r42").await;
        let (_, _, first) = send(shop.gateway(), "GET /api/me", &[("x-user", "t1-1")], "").await;
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let headers = [("x-user", "t1-2"), ("traceparent", trace)];
        let (status, _, second) = send(shop.gateway(), "GET /api/me", &headers, "").await;
        assert_eq!((status, &parsed(&second)["owner_tag"]), (StatusCode::OK, &parsed(&first)["owner_tag"]));
        let (_, truth) = admin(&shop, "GET /admin/truth", &[], "").await;
        let each = json!({"request": "0af7651916cd43dd8448eb211c80319c", "viewer": "t1-2", "owner": "t1-1", "path": "/api/me"});
        assert_eq!((&truth["leaks"]["answers"], &truth["leaks"]["each"][0]), (&json!(1), &each));
        admin(&shop, "POST /admin/rollback", &[], r#"{"to":"r41"}"#).await;
        for _ in 0..2 {
            hand.advance(Duration::from_secs(20));
        }
        until(&shop, |state| state["release"]["serving"] == "r41").await;
        assert_eq!(own("t1-2").await.1["user"], 2, "the good release has keys of its own");
        let (_, purged) = admin(&shop, "POST /admin/cache/purge?prefix=me", &[], "").await;
        assert_eq!(purged["entries_gone"], 3, "two good entries and the one of r42");
        shop.stop().await;
    });
}

#[test]
fn a_placed_order_is_on_the_list_although_the_list_is_cached() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let shop = Shop::start(settings(Clock::start(), &database)).await.unwrap();
        let before = ask(&shop, "GET /api/orders", "t2-9", "").await.1;
        assert_eq!(ask(&shop, "GET /api/orders", "t2-9", "").await.1["version"], before["version"]);
        let (_, order) = ask(&shop, "POST /api/orders", "t2-9", "").await;
        assert_eq!(ask(&shop, "GET /api/orders", "t2-9", "").await.1["version"], order["seq"]);
        shop.stop().await;
    });
}

#[test]
fn above_a_limit_customers_are_asked_to_come_back() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let (clock, _hand) = Clock::manual();
        let shop = Shop::start(settings(clock, &database)).await.unwrap();
        let (status, _) = admin(&shop, "PUT /admin/ratelimit", &[], r#"{"tenant":2}"#).await;
        assert_eq!(status, 200);
        let mut statuses = Vec::new();
        for user in ["t1-1", "t1-2", "t1-3", "t2-1"] {
            statuses.push(ask(&shop, "GET /api/me", user, "").await.0);
        }
        assert_eq!(statuses, [200, 200, 429, 200], "one tenant's limit is its own");
        let (_, state) = admin(&shop, "GET /admin/state", &[], "").await;
        assert_eq!(state["ratelimit"], json!({"limits": {"global": null, "tenant": 2, "classes": {}}, "throttled": 1}));
        assert_eq!(admin(&shop, "PUT /admin/ratelimit", &[], r#"{"classes":{"buy":3}}"#).await.0, 400);
        admin(&shop, "PUT /admin/ratelimit", &[], "{}").await;
        assert_eq!(ask(&shop, "GET /api/me", "t1-3", "").await.0, 200);
        shop.stop().await;
    });
}

#[test]
fn the_cache_is_bypassed_flushed_and_warmed() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let shop = Shop::start(settings(Clock::start(), &database)).await.unwrap();
        let mark = async || {
            ask(&shop, "GET /api/catalog?page=3", "t1-1", "").await;
            let (_, truth) = admin(&shop, "GET /admin/truth", &[], "").await;
            truth["cache"]["misses"].as_u64().unwrap()
        };
        assert_eq!(mark().await, 0);
        assert_eq!(admin(&shop, "PUT /admin/cache", &[], r#"{"mode":"bypass"}"#).await.1["mode"], "bypass");
        assert_eq!(mark().await, 20);
        admin(&shop, "PUT /admin/cache", &[], r#"{"mode":"normal"}"#).await;
        assert_eq!(mark().await, 20, "what was put meanwhile is found");
        assert!(admin(&shop, "POST /admin/cache/flush", &[], "").await.1["entries_gone"].as_u64().unwrap() > 10_000);
        assert_eq!(mark().await, 40);
        assert_eq!(admin(&shop, "POST /admin/cache/warm", &[], "").await.1["entries"], 10_010);
        assert_eq!(mark().await, 40);
        assert_eq!(admin(&shop, "POST /admin/cache/purge", &[], "").await.0, 400, "a purge names what it purges");
        shop.stop().await;
    });
}

#[test]
fn the_control_cohort_is_answered_by_the_backup_without_a_database() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let shop = Shop::start(settings(Clock::start(), &database)).await.unwrap();
        let before = admin(&shop, "GET /admin/truth", &[], "").await.1["queries"].clone();
        for (line, status) in [
            ("GET /", 200),
            ("GET /api/catalog?page=2", 200),
            ("GET /api/me", 200),
            ("GET /api/cart", 200),
            ("POST /api/cart/items", 201),
            ("POST /api/checkout", 201),
            ("GET /api/orders/c-1", 200),
            ("GET /api/orders/c-9", 404),
            ("PUT /api/profile", 200),
        ] {
            let headers = [("x-user", "t4-4"), ("x-cohort", "control")];
            let (got, backend, _) = send(shop.gateway(), line, &headers, "{}").await;
            assert_eq!((got.as_u16(), backend.as_str()), (status, "dr"), "{line}");
        }
        assert_eq!(admin(&shop, "GET /admin/truth", &[], "").await.1["queries"], before);
        shop.stop().await;
    });
}

#[test]
fn in_a_promotion_every_page_asks_for_prices_and_says_when_there_are_none() {
    let database = Embedded::start().unwrap();
    let pricing = Pricing::start(Clock::start()).unwrap();
    runtime().block_on(async {
        let settings = settings(Clock::start(), &database);
        let behind = Behind { pricing: Some(pricing.address()), ..settings.behind };
        let shop = Shop::start(Settings { pass: Pass::Promo, behind, ..settings }).await.unwrap();
        assert_eq!(ask(&shop, "GET /api/catalog?page=3", "t1-1", "").await.0, 200);
        let (_, state) = admin(&shop, "GET /admin/state", &[], "").await;
        assert_eq!(
            (&state["lb"]["config"]["health_path"], &state["backends"]["a"]["prices_asked_for"]),
            (&json!("/readyz"), &json!(0))
        );
        drop(pricing);
        let (status, refused) = ask(&shop, "GET /api/catalog?page=3", "t1-1", "").await;
        assert_eq!((status, &refused["error"]), (503, &json!("no_prices")));
        assert_eq!(ask(&shop, "GET /api/me", "t1-1", "").await.0, 200, "an account needs no prices");
        shop.stop().await;
    });
}
