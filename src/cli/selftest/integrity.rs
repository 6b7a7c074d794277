//! The case of the self-test in which the target shows other users' data, serves old versions, and loses, alters, doubles and
//! resurrects writes: it counts its own sins, and squall must find every one.

use std::sync::{Arc, Mutex, PoisonError};

use super::lab::Lab;
use super::line::Line;
use crate::cli::exit::Failure;
use crate::load::truth::target::{Asked, Reply, Then};

/// Journeys a second, four requests each.
const RATE: u32 = 100;

const JOURNEY: &str = r#"vars: {"me": Counter(start: 0, step: 1), "key": Uuid},
    journeys: {"j": (on_failure: Continue, owner: (tag: "own-${me}x", pattern: "own-[0-9]+x"), steps: [
        Http(name: "write", method: "PUT", url: "/cart", truth: [Writes(key: "cart", version: Json(path: "$.version"))]),
        Http(name: "read", url: "/cart", truth: [Reads(key: "cart", version: Json(path: "$.version"), lag: "0s")]),
        Http(name: "page", url: "/page/${me}"),
        Http(name: "order", method: "POST", url: "/orders", body: Text("${key}"), truth: [
            Ledger(book: "orders", id: Json(path: "$.id"), seq: Json(path: "$.id"), content: "${key}")]),
    ])},
    teardown: [Audit(book: "orders", rate: "1000/s", read: (url: "/orders/${id}"), content: Json(path: "$.key"),
        list: (url: "/orders", content: Json(path: "$[*].key")))]"#;

/// A target without morals.
#[derive(Debug, Default)]
struct Shop {
    reads: u64,
    stale: u64,
    leaks: u64,
    /// Orders by number; `None`: lost.
    orders: Vec<Option<String>>,
    /// Keys that are listed once more.
    doubled: Vec<String>,
    counts: Sins,
}

/// What became of orders.
#[derive(Clone, Copy, Debug, Default)]
struct Sins {
    acknowledged: u64,
    lost: u64,
    altered: u64,
    doubled: u64,
    resurrected: u64,
    unknown: u64,
}

impl Shop {
    fn answer(&mut self, asked: &Asked<'_>) -> Reply {
        let method = asked.head.split(' ').next().unwrap_or_default();
        match (method, asked.path().split('/').nth(1).unwrap_or_default(), asked.path().split('/').nth(2)) {
            ("PUT", ..) => Reply::ok(r#"{"version": 10}"#),
            ("GET", "cart", _) => {
                self.reads += 1;
                let is_old = self.reads.is_multiple_of(25);
                self.stale += u64::from(is_old);
                Reply::ok(if is_old { r#"{"version": 9}"# } else { r#"{"version": 10}"# })
            }
            ("GET", "page", Some(me)) => {
                let me: u64 = me.parse().unwrap_or_default();
                let is_leak = me % 20 == 7;
                self.leaks += u64::from(is_leak);
                Reply::ok(&format!("own-{}x", if is_leak { me + 1 } else { me }))
            }
            ("POST", ..) => self.order(&String::from_utf8_lossy(asked.body)),
            ("GET", "orders", None) => Reply::ok(&self.list()),
            ("GET", "orders", Some(id)) => {
                let order = id.parse().ok().and_then(|n: usize| self.orders.get(n)).cloned().flatten();
                order.map_or(Reply::status(404, "no"), |key| Reply::ok(&format!(r#"{{"key": "{key}"}}"#)))
            }
            _ => Reply::status(500, "what?"),
        }
    }

    fn order(&mut self, key: &str) -> Reply {
        let id = self.orders.len();
        let mut kept = Some(key.to_owned());
        let sins = &mut self.counts;
        let mut reply = Reply::ok(&format!(r#"{{"id": {id}}}"#));
        match id % 20 {
            3 | 13 => {
                kept = None;
                sins.lost += 1;
            }
            5 => {
                kept = Some("another".to_owned());
                sins.altered += 1;
            }
            7 => {
                self.doubled.push(key.to_owned());
                sins.doubled += 1;
            }
            9 => {
                reply = Reply::bytes("", Then::Close);
                sins.unknown += 1;
            }
            11 => {
                reply = Reply::status(503, "no");
                sins.resurrected += 1;
            }
            _ => {}
        }
        sins.acknowledged += u64::from(![9, 11].contains(&(id % 20)));
        self.orders.push(kept);
        reply
    }

    fn list(&self) -> String {
        let keys = self.orders.iter().flatten().chain(&self.doubled);
        let all: Vec<String> = keys.map(|key| format!(r#"{{"key": "{key}"}}"#)).collect();
        format!("[{}]", all.join(","))
    }
}

/// Everything the target did wrong, found and counted.
pub(super) fn broken(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let shop = Arc::new(Mutex::new(Shop::default()));
    let open = Arc::clone(&shop);
    let parts = format!("load: [{}], {JOURNEY}", Lab::arrivals(RATE, lab.seconds, ""));
    let seen = lab.written(&parts, move |asked| open.lock().unwrap_or_else(PoisonError::into_inner).answer(&asked))?;
    let shop = shop.lock().unwrap_or_else(PoisonError::into_inner);
    let sins = shop.counts;
    let audit = seen.audits.first().cloned().unwrap_or_default();
    let age = seen.examples("stale").iter().all(|one| one.age_us.is_some());
    let mut lines = vec![
        Line::exact("leaks", &shop.leaks, &seen.errors("leak")),
        Line::exact("stale reads", &shop.stale, &seen.errors("stale")),
        Line::exact("stale reads have an age", &true, &age),
        Line::exact("duplicated", &sins.doubled, &audit.duplicated.unwrap_or(u64::MAX)),
    ];
    let counts = [
        ("acknowledged", sins.acknowledged, audit.acknowledged),
        ("never answered", sins.unknown, audit.unknown),
        ("read back", sins.acknowledged, audit.read),
        ("lost", sins.lost, audit.lost),
        ("altered", sins.altered, audit.altered),
        ("resurrected", sins.resurrected, audit.resurrected),
    ];
    lines.extend(counts.map(|(what, truth, seen)| Line::exact(what, &truth, &seen)));
    for id in ["integrity.leaks", "integrity.stale", "audit.orders"] {
        lines.push(Line::exact(id, &"fail", &seen.finding(id)));
    }
    Ok(lines)
}
