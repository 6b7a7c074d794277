//! The shop over loopback: a real database, real ports, a clock moved by hand.

mod disaster;
mod levers;
mod overload;
mod trouble;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::handshake;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

use super::settings::{Data, Settings};
use super::shop::{Shop, ShopError};
use super::store::embedded::Embedded;
use crate::base::clock::{Clock, Manual};
use crate::base::secret::Secret;

pub(super) const TOKEN: &str = "a-token-of-the-test";

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn settings(clock: Clock, database: &Embedded) -> Settings {
    let token = Secret::new(TOKEN);
    Settings { data: Data::TestLike, ..Settings::new(clock, database.url(), token) }
}

/// Sends one request on a connection of its own; gives status, the `X-Backend` header and the body.
async fn send(to: SocketAddr, line: &str, headers: &[(&str, &str)], body: &str) -> (StatusCode, String, Bytes) {
    let stream = TcpStream::connect(to).await.unwrap();
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let (method, path) = line.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(path).header("host", "shop");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = sender.send_request(request.body(Full::new(Bytes::from(body.to_owned()))).unwrap()).await.unwrap();
    let (head, body) = answer.into_parts();
    let backend = head.headers.get("x-backend").map_or("", |value| value.to_str().unwrap()).to_owned();
    (head.status, backend, body.collect().await.unwrap().to_bytes())
}

fn parsed(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap()
}

async fn ask(shop: &Shop, line: &str, user: &str, body: &str) -> (u16, Value) {
    let (status, _, body) = send(shop.gateway(), line, &[("x-user", user)], body).await;
    (status.as_u16(), parsed(&body))
}

async fn admin(shop: &Shop, line: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
    let bearer = format!("Bearer {TOKEN}");
    let headers = [&[("authorization", bearer.as_str())], headers].concat();
    let (status, _, body) = send(shop.admin(), line, &headers, body).await;
    (status.as_u16(), parsed(&body))
}

/// Asks for the state until `want` holds; the caretaker acts within one look.
async fn until(shop: &Shop, want: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..2_000 {
        let (_, state) = admin(shop, "GET /admin/state", &[], "").await;
        if want(&state) {
            return state;
        }
        tokio::task::yield_now().await;
    }
    panic!("the shop's state did not become what it should");
}

#[test]
fn customers_see_their_own_things_and_orders_are_placed_once() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let shop = Shop::start(settings(Clock::start(), &database)).await.unwrap();
        let (status, login) = ask(&shop, "POST /api/login", "t1-1", r#"{"tenant":"t3","user":17}"#).await;
        assert_eq!(status, 200);
        let bearer = format!("Bearer {}", login["token"].as_str().unwrap());
        let (_, _, body) = send(shop.gateway(), "GET /api/me", &[("authorization", &bearer)], "").await;
        assert_eq!((&parsed(&body)["owner_tag"], &parsed(&body)["tenant_id"]), (&login["owner_tag"], &json!("t3")));
        assert_eq!(ask(&shop, "GET /api/me", "t3-17", "").await.1["owner_tag"], login["owner_tag"]);
        assert_ne!(ask(&shop, "GET /api/me", "t3-18", "").await.1["owner_tag"], login["owner_tag"]);

        let (_, profile) = ask(&shop, "PUT /api/profile", "t3-17", r#"{"city":"Ulm'; --"}"#).await;
        assert_eq!((&profile["city"], &profile["version"]), (&json!("Ulm'; --"), &json!(2)));
        assert_eq!(ask(&shop, "GET /api/profile", "t3-17", "").await.1["version"], 2);

        let (status, added) = ask(&shop, "POST /api/cart/items", "t3-17", r#"{"product":301,"quantity":2}"#).await;
        assert_eq!((status, &added["line"], &added["version"]), (201, &json!(1), &json!(2)));
        let (_, cart) = ask(&shop, "GET /api/cart", "t3-17", "").await;
        assert_eq!(cart["items"].as_array().unwrap().len(), 3, "a cart does not grow");
        assert!(cart["items"].as_array().unwrap().iter().any(|item| item["product"] == 301 && item["quantity"] == 2));

        let headers = [("x-user", "t3-17"), ("idempotency-key", "k1")];
        let (status, _, first) = send(shop.gateway(), "POST /api/orders", &headers, "").await;
        let (_, _, again) = send(shop.gateway(), "POST /api/orders", &headers, "").await;
        let (first, again) = (parsed(&first), parsed(&again));
        assert_eq!((status, &first["seq"], &first["version"]), (StatusCode::CREATED, &json!(50_001), &json!(1)));
        assert_eq!(first["id"], again["id"]);
        assert_eq!(first["total_cents"], cart["total_cents"]);
        let (status, bought) = ask(&shop, "POST /api/checkout", "t3-17", "").await;
        assert_eq!((status, &bought["cart_version"]), (201, &json!(2)));
        let (_, orders) = ask(&shop, "GET /api/orders", "t3-17", "").await;
        assert_eq!(orders["orders"][0]["id"], bought["id"]);
        let path = format!("GET /api/orders/{}", first["id"].as_str().unwrap());
        assert_eq!(ask(&shop, &path, "t3-17", "").await.1["seq"], first["seq"]);
        assert_eq!(ask(&shop, &path, "t3-18", "").await.0, 404, "somebody else's order does not exist");
        let (_, truth) = admin(&shop, "GET /admin/truth", &[], "").await;
        assert_eq!((&truth["rows"]["orders"], &truth["acknowledged"]["orders"]), (&json!(50_002), &json!(2)));
        shop.stop().await;
    });
}

#[test]
fn pages_come_from_the_cache_and_mistakes_are_named() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let shop = Shop::start(settings(Clock::start(), &database)).await.unwrap();
        let mut backends = Vec::new();
        for _ in 0..4 {
            let (status, backend, body) = send(shop.gateway(), "GET /p/7", &[], "").await;
            assert_eq!(status, StatusCode::OK);
            assert_eq!(String::from_utf8_lossy(&body).matches("class=\"price\"").count(), 20);
            backends.push(backend);
        }
        assert_eq!(backends, ["a", "b", "a", "b"]);
        let (_, truth) = admin(&shop, "GET /admin/truth", &[], "").await;
        assert_eq!((&truth["cache"]["hits"], &truth["cache"]["misses"]), (&json!(80), &json!(0)), "it starts warm");
        admin(&shop, "POST /admin/db/restart", &[], "{}").await;
        assert_eq!(ask(&shop, "GET /api/catalog?page=7", "t1-1", "").await.0, 200, "new connections are made");
        let (_, truth) = admin(&shop, "GET /admin/truth", &[], "").await;
        assert_eq!(truth["cache"]["misses"], 20, "the cache is cold after a restart");

        let (_, _, target) = send(shop.gateway(), "GET /.well-known/squall-target", &[], "").await;
        assert_eq!((&parsed(&target)["allow_drill"], &parsed(&target)["id"]), (&json!(true), &json!("shop")));
        for (line, user, body, status) in [
            ("GET /p/1001", "t1-1", "", 404),
            ("GET /nothing", "t1-1", "", 404),
            ("GET /api/me", "t9-1", "", 401),
            ("POST /api/login", "t1-1", "{\"tenant\":", 400),
            ("POST /api/login", "t1-1", r#"{"tenant":"t1","user":900}"#, 400),
            ("PUT /api/profile", "t1-1", "{}", 400),
            ("POST /api/cart/items", "t1-1", r#"{"product":-1}"#, 400),
        ] {
            assert_eq!(ask(&shop, line, user, body).await.0, status, "{line} {body}");
        }
        let (status, _, _) = send(shop.gateway(), "GET /api/cart", &[], "").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        shop.stop().await;
    });
}

async fn shop_by_hand(database: &Embedded) -> (Shop, Manual) {
    let (clock, hand) = Clock::manual();
    (Shop::start(settings(clock, database)).await.unwrap(), hand)
}

#[test]
fn a_lease_that_is_not_renewed_undoes_the_flag() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let (shop, hand) = shop_by_hand(&database).await;
        let lease = [("x-squall-lease", "15s; drill=test")];
        let on = r#"{"enabled":true,"rollout_pct":100,"push":true}"#;
        let (status, flag) = admin(&shop, "PUT /admin/flags/smart_cart", &lease, on).await;
        assert_eq!((status, &flag["serving"], &flag["lease"]), (200, &json!(true), &json!("l-1")));
        let (_, cart) = ask(&shop, "GET /api/cart", "t1-1", "").await;
        let (_, truth) = admin(&shop, "GET /admin/truth", &[], "").await;
        assert_eq!(cart["items"].as_array().unwrap().len(), 3);
        // The cart's own row, the numbers of its lines, and three lines.
        assert_eq!((&truth["queries"], &truth["requests"]["smart_carts"]), (&json!(5), &json!(1)));
        hand.advance(Duration::from_secs(10));
        let (status, renewed) = admin(&shop, "PUT /admin/leases/l-1", &[], r#"{"for":"20s"}"#).await;
        assert_eq!((status, &renewed["expires_in_s"]), (200, &json!(20.0)));
        hand.advance(Duration::from_secs(19));
        let state = until(&shop, |state| state["at_us"] == 29_000_000).await;
        assert_eq!(state["leases"][0]["drill"], "test");
        assert_eq!(state["flags"]["smart_cart"]["serving"], true);
        hand.advance(Duration::from_secs(1));
        let state = until(&shop, |state| state["flags"]["smart_cart"]["serving"] == false).await;
        assert_eq!((&state["flags"]["smart_cart"]["enabled"], &state["leases"]), (&json!(false), &json!([])));
        assert_eq!(admin(&shop, "PUT /admin/leases/l-1", &[], "").await.0, 410);
        assert_eq!(admin(&shop, "PUT /admin/leases/l-9", &[], "").await.0, 404);
        shop.stop().await;
    });
}

#[test]
fn the_backends_look_at_a_flag_at_their_own_intervals() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let (shop, hand) = shop_by_hand(&database).await;
        admin(&shop, "PUT /admin/flags/smart_cart", &[], r#"{"enabled":true}"#).await;
        hand.advance(Duration::from_secs(5));
        let state = until(&shop, |state| state["flags"]["smart_cart"]["serving"] == true).await;
        assert_eq!(state["flags"]["smart_cart"]["backends"], json!({"a": true, "b": false}));
        hand.advance(Duration::from_secs(10));
        until(&shop, |state| state["flags"]["smart_cart"]["backends"]["b"] == true).await;
        assert_eq!(admin(&shop, "GET /admin/state", &[], "").await.1["release"]["serving"], "r41");
        shop.stop().await;
    });
}

#[test]
fn the_admin_address_wants_its_token_and_names_mistakes() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let shop = Shop::start(settings(Clock::start(), &database)).await.unwrap();
        for wrong in [&[][..], &[("authorization", "Bearer no")], &[("authorization", TOKEN)]] {
            assert_eq!(send(shop.admin(), "GET /admin/state", wrong, "").await.0, StatusCode::UNAUTHORIZED);
        }
        for (line, headers, body, status) in [
            ("GET /admin/nothing", &[][..], "", 404),
            ("PUT /admin/flags/dark_mode", &[], r#"{"enabled":true}"#, 404),
            ("PUT /admin/flags/smart_cart", &[], r#"{"enabled":true,"colour":1}"#, 400),
            ("PUT /admin/flags/smart_cart", &[], r#"{"enabled":true,"rollout_pct":101}"#, 400),
            ("PUT /admin/flags/smart_cart", &[("x-squall-lease", "15")], r#"{"enabled":true}"#, 400),
            ("PUT /admin/alerts", &[("x-squall-lease", "15s")], "{}", 400),
            ("POST /admin/cache/flush", &[("x-squall-lease", "15s")], "", 400),
            ("PUT /admin/alerts", &[], r#"{"to":"http://example.org/"}"#, 400),
            ("PUT /admin/alerts", &[], r#"{"threshold":0.2}"#, 200),
            ("POST /admin/rollback", &[], r#"{"to":"r4"}"#, 400),
            ("POST /admin/deploy", &[], r#"{"release":"r42","share_pct":0}"#, 400),
            ("PUT /admin/lb/config", &[], r#"{"weights":{"a":0,"b":0}}"#, 400),
            ("PUT /admin/autoscale", &[], "{}", 501),
        ] {
            let (got, data) = admin(&shop, line, headers, body).await;
            assert_eq!(got, status, "{line} {body}: {data}");
        }
        let (_, data) = admin(&shop, "PUT /admin/flags/smart_cart", &[], "{\n\"enabled\": yes}").await;
        assert_eq!((&data["error"], &data["at"]["line"]), (&json!("bad_json"), &json!(2)));
        shop.stop().await;
    });
}

#[test]
fn a_stopped_shop_leaves_its_ports_and_a_whole_log() {
    let database = Embedded::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("truth.jsonl");
    runtime().block_on(async {
        let settings = Settings { log: Some(log.clone()), ..settings(Clock::start(), &database) };
        let shop = Shop::start(settings.clone()).await.unwrap();
        let ports = [shop.gateway(), shop.admin(), shop.backends()[0], shop.backends()[1]];
        admin(&shop, "PUT /admin/flags/smart_cart", &[], r#"{"enabled":true,"push":true}"#).await;
        for path in ["GET /p/1", "GET /", "GET /p/9999"] {
            send(shop.gateway(), path, &[], "").await;
        }
        let taken = Settings {
            ports: super::settings::Ports { b: ports[3].port(), ..super::settings::Ports::default() },
            ..settings
        };
        let error = Shop::start(taken).await.unwrap_err();
        assert!(matches!(error, ShopError::Listen { part: "b", .. }), "{error}");
        shop.stop().await;
        for port in ports {
            assert!(TcpStream::connect(port).await.is_err());
        }
    });
    let lines: Vec<Value> =
        std::fs::read_to_string(&log).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<&str> = lines.iter().filter_map(|line| line["event"].as_str()).collect();
    assert_eq!(events.first(), Some(&"boot"));
    assert_eq!(events.last(), Some(&"closed"));
    assert_eq!(events.iter().filter(|event| **event == "serving").count(), 2);
    let sum = |field: &str| lines.iter().filter_map(|line| line[field].as_u64()).sum::<u64>();
    assert_eq!((sum("n"), sum("not_good"), sum("status_5xx")), (3, 1, 0));
}

#[test]
fn a_database_that_is_not_there_is_named() {
    runtime().block_on(async {
        let settings = Settings::new(Clock::start(), "postgres://shop@127.0.0.1:1/shop", Secret::new(TOKEN));
        let error = Shop::start(settings).await.unwrap_err();
        assert!(matches!(error, ShopError::Fill(_)), "{error}");
        let settings = Settings::new(Clock::start(), "mysql://x", Secret::new(TOKEN));
        assert!(Shop::start(settings).await.unwrap_err().to_string().contains("postgres://"));
    });
}
