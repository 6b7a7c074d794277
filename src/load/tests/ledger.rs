//! Books of acknowledged writes: every fate is noted once, whatever the number of threads, and read back as it was written.

use std::sync::Arc;

use super::server::{Answer, Server};
use super::{run_in, runtime, written};
use crate::base::clock::Clock;
use crate::base::digest::sha256;
use crate::load::audit;
use crate::measure::ledger::{self, Audit, Fate};

const ORDERS: &str = r#"load: [Open(rate: [Hold(rate: "100/s", for: "400ms")])], vars: {"key": Counter(start: 0, step: 1)},
    journeys: {"a": (steps: [Http(name: "order", method: "POST", url: "/orders", body: Text("${key}"), truth: [
        Ledger(book: "orders", id: Header(name: "x-id"), content: "order ${key}")])])},
    teardown: [Audit(book: "orders", rate: "1000/s", read: (url: "/orders/${id}"), content: Body)]"#;

/// Acknowledges orders by their own key; the tenth of each ten is refused, the ninth never answered; order 7 is lost.
fn shop() -> Server {
    Server::start(|request| {
        if let Some(id) = request.path().strip_prefix("/orders/") {
            return if id == "7" { Answer::status(404, "no") } else { Answer::ok(&format!("order {id}")) };
        }
        let key = String::from_utf8(request.body.clone()).unwrap();
        match key.parse::<u64>().unwrap() % 10 {
            9 => Answer::status(409, "no"),
            8 => Answer::nothing(),
            _ => Answer::raw(&format!("HTTP/1.1 201 X\r\nx-id: {key}\r\ncontent-length: 0\r\n\r\n")),
        }
    })
}

#[test]
fn every_write_is_booked_with_its_fate_and_read_back() {
    for threads in [1, 3] {
        let (server, folder) = (shop(), tempfile::tempdir().unwrap());
        let plan = written(&server, ORDERS);
        let seen = run_in(folder.path(), plan.clone(), threads, |_, _| {});
        assert_eq!((seen.all.flow.sent, server.requests()), (40, 40));
        let mut entries = ledger::read(&ledger::path(folder.path(), "orders")).unwrap();
        entries.sort_by_key(|entry| entry.id.as_ref().and_then(|id| id.parse::<u64>().ok()));
        let of = |fate: Fate| entries.iter().filter(|entry| entry.fate == fate).count();
        assert_eq!((of(Fate::Acknowledged), of(Fate::Unknown), of(Fate::Refused)), (32, 4, 4), "{threads}");
        let first = entries.iter().find(|entry| entry.id.as_deref() == Some("0")).unwrap();
        assert_eq!(first.hash, sha256(b"order 0"));
        let plan = Arc::new(plan);
        let look = || runtime().block_on(audit(&plan, folder.path(), &Clock::start())).unwrap().remove(0);
        let expected = Audit { acknowledged: 32, unknown: 4, read: 32, lost: 1, ..Audit::default() };
        assert_eq!(look(), ("orders".to_owned(), expected.clone()));
        // What was lost is known to be, and is lost still.
        assert_eq!(look().1, expected);
    }
}

#[test]
fn a_dead_target_loses_nothing_that_anybody_could_see() {
    let (server, folder) = (shop(), tempfile::tempdir().unwrap());
    let mut plan = written(&server, ORDERS);
    run_in(folder.path(), plan.clone(), 1, |_, _| {});
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    plan.origins[0].pinned = vec![unused.local_addr().unwrap()];
    drop(unused);
    let found = runtime().block_on(audit(&Arc::new(plan), folder.path(), &Clock::start())).unwrap().remove(0).1;
    assert_eq!((found.read, found.unclear, found.wrong()), (32, 32, 0));
}
