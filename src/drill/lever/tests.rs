//! Levers against a real shop over its admin address, and against systems that misbehave.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex as Log;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::http::Ask;
use super::*;
use crate::base::ratio::Ratio;
use crate::base::secret::Secret;
use crate::base::seed::Seed;
use crate::fault::{Proxies, ProxySpec};
use crate::plan::drill::{Act, Lever, Probe, Proof, Technical, When};
use crate::plan::fault::rule::Speaks;
use crate::plan::fault::{Fault, Side, Toxic};
use crate::staging::settings::Settings;
use crate::staging::shop::Shop;
use crate::staging::store::embedded::Embedded;

fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn put(json: &str) -> Lever {
    Lever::http("PUT", "/admin/flags/smart_cart", json)
}

fn ship(lease: Duration) -> Act {
    let probe = Probe {
        get: "/admin/state".into(),
        at: "$.flags.smart_cart.serving".into(),
        is: "true".into(),
        within: millis(500),
    };
    let does = Technical {
        apply: put(r#"{"enabled":true,"rollout_pct":100,"push":true}"#),
        revert: Some(put(r#"{"enabled":false,"push":true}"#)),
        lease,
        players_undo: true,
        proof: Proof::Probe(probe),
        moves_bad: None,
    };
    Act { name: "ship".into(), when: When::At(Duration::ZERO), hidden: true, does }
}

fn levers(admin: Endpoint, paths: Paths, clock: &Clock) -> Arc<Levers> {
    let ground = Ground {
        admin,
        outlives: None,
        paths,
        keeper: None,
        surge: None,
        undo: UndoEnv::new(clock.clone(), Arc::new(http::loopback_only), Arc::new(|_| None)),
        drill: "midnight".to_owned(),
        dir: PathBuf::new(),
    };
    Levers::new(ground, 1)
}

async fn shop() -> (Embedded, Shop, Endpoint) {
    let (clock, token) = (Clock::start(), Secret::new("t0ken"));
    let database = Embedded::start().unwrap();
    let shop = Shop::start(Settings::new(clock.clone(), database.url(), token.clone())).await.unwrap();
    let admin = Endpoint::new(shop.admin(), Some(token), &clock);
    (database, shop, admin)
}

/// A server that answers every request by its first line, and keeps what it was asked.
async fn scripted(
    answer: impl Fn(&str) -> (u16, &'static str) + Send + 'static,
) -> (SocketAddr, Arc<Log<Vec<String>>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let (address, asked) = (listener.local_addr().unwrap(), Arc::new(Log::new(Vec::new())));
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = vec![0; 4096];
            let n = stream.read(&mut bytes).await.unwrap();
            let text = String::from_utf8_lossy(&bytes[..n]).into_owned();
            let (status, body) = answer(&text);
            log.lock().unwrap().push(text);
            let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        }
    });
    (address, asked)
}

#[tokio::test]
async fn an_act_is_leased_proved_undone_by_a_player_and_read_back() {
    let (_database, shop, admin) = shop().await;
    let (levers, act) = (levers(admin, Paths::None, &Clock::start()), ship(Duration::from_secs(15)));
    assert!(levers.read_back(0, &act, Duration::ZERO).await.is_ok(), "not in force yet");
    levers.apply(0, &act).await.unwrap();
    assert!(levers.prove(0, &act).await.unwrap().contains("serving = true"));
    let ask = Ask::get("/admin/state");
    let state = levers.admin().send(&ask).await.unwrap().accepted(&ask).unwrap().json();
    assert_eq!((&state["leases"][0]["drill"], &state["leases"][0]["for_s"]), (&"midnight".into(), &15.0.into()));
    assert_eq!(levers.renew(0, &act).await, Renewal::Renewed);
    levers.perform(&put(r#"{"enabled":false,"push":true}"#)).await.unwrap();
    assert_eq!(levers.renew(0, &act).await, Renewal::Undone, "the shop says that somebody undid it");
    assert!(levers.read_back(0, &act, millis(500)).await.unwrap().contains("serving = false"));
    levers.revert(0, &act).await.unwrap();
    levers.revert(0, &act).await.unwrap();
    assert!(levers.read_back(0, &act, millis(500)).await.is_ok(), "an undo twice is an undo once");
    shop.stop().await;
}

#[tokio::test]
async fn a_lease_that_nobody_renewed_is_lost_and_the_system_has_healed_itself() {
    let (_database, shop, admin) = shop().await;
    let (levers, act) = (levers(admin, Paths::None, &Clock::start()), ship(millis(200)));
    levers.apply(0, &act).await.unwrap();
    levers.prove(0, &act).await.unwrap();
    levers.read_back(0, &act, Duration::from_secs(5)).await.unwrap();
    assert!(matches!(levers.renew(0, &act).await, Renewal::Lost(why) if why.contains("not renewed in time")));
    shop.stop().await;
}

#[tokio::test]
async fn a_wrong_token_and_a_missing_value_are_named() {
    let (_database, shop, admin) = shop().await;
    let clock = Clock::start();
    let stranger = Endpoint::new(admin.address(), Some(Secret::new("guess")), &clock);
    let levers = levers(stranger, Paths::None, &clock);
    let error = levers.apply(0, &ship(millis(5_000))).await.unwrap_err().to_string();
    assert!(error.contains("PUT /admin/flags/smart_cart was refused with 401") && !error.contains("guess"), "{error}");
    let error = probe::read(&admin, "/admin/state", "$.flags.nothing").await.unwrap_err().to_string();
    assert!(error.contains("nothing is at `$.flags.nothing`"), "{error}");
    shop.stop().await;
}

#[tokio::test]
async fn a_change_without_a_lease_is_undone_at_once() {
    let (address, asked) = scripted(|_| (200, "{}")).await;
    let clock = Clock::start();
    let levers = levers(Endpoint::new(address, None, &clock), Paths::None, &clock);
    let refused = levers.apply(0, &ship(millis(5_000))).await;
    assert!(matches!(refused, Err(LeverError::NoLease { .. })), "{refused:?}");
    let asked = asked.lock().unwrap();
    assert!(asked[0].contains("x-squall-lease: 5000ms; drill=midnight"), "{}", asked[0]);
    assert!(asked[1].contains(r#"{"enabled":false,"push":true}"#), "{}", asked[1]);
}

#[tokio::test]
async fn a_system_that_cannot_be_asked_keeps_the_lease_until_it_runs_out() {
    let answer =
        |text: &str| if text.starts_with("PUT /admin/leases/") { (503, "") } else { (200, r#"{"lease":"l-7"}"#) };
    let (address, asked) = scripted(answer).await;
    let (clock, hand) = Clock::manual();
    let levers = levers(Endpoint::new(address, None, &clock), Paths::None, &clock);
    let act = ship(Duration::from_secs(15));
    levers.apply(0, &act).await.unwrap();
    hand.advance(Duration::from_secs(5));
    assert!(matches!(levers.renew(0, &act).await, Renewal::Unasked(why) if why.contains("503")));
    hand.advance(Duration::from_secs(10));
    assert!(matches!(levers.renew(0, &act).await, Renewal::Lost(_)));
    assert!(asked.lock().unwrap()[1].starts_with("PUT /admin/leases/l-7 "));
}

#[tokio::test]
async fn a_silent_system_costs_two_seconds_and_no_more() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let (clock, hand) = Clock::manual();
    let admin = Endpoint::new(listener.local_addr().unwrap(), None, &clock);
    let ask = Ask::get("/state");
    let (answer, _open) = tokio::join!(admin.send(&ask), async {
        // Accepted and kept open, so that only the limit can end it.
        let open = listener.accept().await.unwrap();
        hand.advance(http::LIMIT);
        open
    });
    let error = answer.unwrap_err().to_string();
    assert!(error.contains("GET http://127.0.0.1") && error.contains("no answer within 2 s"), "{error}");
}

#[test]
fn only_loopback_passes_the_strictest_guard() {
    for host in ["127.0.0.1", "127.9.9.9", "localhost", "::1", "[::1]"] {
        assert_eq!(http::loopback_only(host, 80).unwrap().port(), 80, "{host}");
    }
    for host in ["10.0.0.7", "example.com", "0.0.0.0", "127.0.0.1.example.com", "localhost.example.com", "::"] {
        assert!(http::loopback_only(host, 80).is_err(), "{host}");
    }
    let clock = Clock::start();
    for (url, why) in [
        ("http://10.0.0.7:1", "not on loopback"),
        ("https://127.0.0.1:1", "only http://"),
        ("127.0.0.1:1", "only http://"),
        ("http://", "not a URL"),
    ] {
        let error = Endpoint::at(url, None, &clock, &http::loopback_only).unwrap_err().to_string();
        assert!(error.contains(why), "{url}: {error}");
    }
}

#[tokio::test]
async fn a_fault_is_injected_counted_healed_and_read_back() {
    let (upstream, _) = scripted(|_| (200, "{}")).await;
    let clock = Clock::start();
    let proxies = Proxies::start(clock.clone(), Seed(1)).unwrap();
    let spec = ProxySpec {
        name: "pay".into(),
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        upstream,
        dial_timeout: Duration::from_secs(1),
        buffer: 1 << 20,
        base: Vec::new(),
        speaks: Speaks::default(),
    };
    let near = Endpoint::new(proxies.add(spec).await.unwrap(), None, &clock);
    let levers = levers(near.clone(), Paths::Here(proxies.clone()), &clock);
    let mut act = ship(Duration::from_secs(15));
    act.does.revert = None;
    act.does.proof = Proof::Touched { at_least: 1, within: millis(300) };
    act.does.apply = Lever::Fault(Fault {
        name: "slow".into(),
        on: "pay".into(),
        inject: Toxic::latency(millis(20)).into(),
        side: Side::Downstream,
        share: Ratio::ONE,
        lasts: None,
        envelope: Box::default(),
    });
    assert!(levers.read_back(0, &act, Duration::ZERO).await.is_ok());
    levers.apply(0, &act).await.unwrap();
    assert!(levers.prove(0, &act).await.unwrap_err().contains("touched 0 connections"), "nothing has passed");
    near.send(&Ask::get("/")).await.unwrap();
    assert!(levers.prove(0, &act).await.unwrap().contains("touched 1 connections"));
    assert_eq!(levers.renew(0, &act).await, Renewal::Renewed);
    levers.revert(0, &act).await.unwrap();
    assert!(!proxies.is_active("slow"));
    assert!(levers.read_back(0, &act, Duration::ZERO).await.is_ok());
    assert!(matches!(levers.renew(0, &act).await, Renewal::Lost(_)));
    proxies.shutdown().await;
}
