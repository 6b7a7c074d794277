//! Every way an answer can fail to come has its kind, and nothing is sent twice.

use std::time::Duration;

use super::server::{Answer, Server};
use super::{Seen, get, http, open, plan, run};
use crate::plan::load::{Connections, LoadPlan};
use crate::plan::program::{Body, Http};
use crate::plan::template::Template;

fn one_kind(answer: impl Fn() -> Answer + Send + Sync + 'static, kind: &str) -> Seen {
    let server = Server::start(move |_| answer());
    let seen = run(plan(&server, open(50.0, 200), vec![http(get(0, "/"))]), 1);
    assert_eq!(seen.errors(kind), 10, "{kind}: {:?}", seen.all.total().errors);
    assert_eq!(server.requests(), 10, "{kind}");
    assert_eq!(seen.travel().failed, 10);
    assert_eq!(seen.step(0).response.rest.n(), 10, "failures are inside the histograms");
    seen
}

#[test]
fn every_tenth_connection_dropped_is_ten_percent_whatever_the_method() {
    for method in ["GET", "POST"] {
        let server =
            Server::start(|request| if request.number % 10 == 9 { Answer::nothing() } else { Answer::ok("hello") });
        let ask = Http {
            method: method.to_owned(),
            body: (method == "POST").then(|| Body::text(Template::fixed("x=1"))),
            ..get(0, "/")
        };
        let seen = run(plan(&server, open(400.0, 500), vec![http(ask)]), 1);
        assert_eq!(seen.errors("eof_before_status"), 20, "{method}: {:?}", seen.all.total().errors);
        assert_eq!((server.requests(), seen.all.flow.sent, seen.all.flow.good), (200, 200, 180), "{method}");
        let ends: Vec<_> = seen.record.exemplars.iter().filter(|one| one.kind == "eof_before_status").collect();
        assert!(ends.len() >= 2, "the first and the last are kept");
    }
}

#[test]
fn broken_answers_are_told_apart() {
    one_kind(|| Answer::raw("HTTP/1.1 200 OK\r\ncontent-le").closing(), "eof_mid_body");
    one_kind(|| Answer::raw("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").closing(), "eof_mid_body");
    one_kind(|| Answer::raw("SSH-2.0-OpenSSH_9.6\r\n\r\n"), "protocol");
    one_kind(|| Answer::raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"), "protocol");
    one_kind(|| Answer::status(503, "no"), "status_503");
}

#[test]
fn a_connection_the_server_closes_after_its_answer_is_no_failure() {
    let polite = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi";
    let server = Server::start(|_| Answer::raw(polite).closing());
    let seen = run(plan(&server, open(100.0, 300), vec![http(get(0, "/"))]), 1);
    assert_eq!((seen.all.flow.good, server.requests()), (30, 30), "{:?}", seen.all.total().errors);
    assert_eq!(server.connections(), 30);
}

#[test]
fn an_idle_connection_that_was_closed_is_replaced_before_anything_is_sent_on_it() {
    let server = Server::start(|_| Answer::ok("hello").closing());
    let mut plan = plan(&server, open(4.0, 750), vec![http(get(0, "/"))]);
    plan.client.connections = Connections::Shared { max: 1 };
    let seen = run(plan, 1);
    assert_eq!((seen.all.flow.good, server.requests()), (3, 3), "{:?}", seen.all.total().errors);
    assert_eq!((server.connections(), seen.all.flow.opened), (3, 3));
}

#[test]
fn a_server_that_closes_every_connection_at_once_is_asked_once_per_request() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::start(|_| Answer::nothing());
    let mut plan = plan(&server, open(50.0, 100), vec![http(get(0, "/"))]);
    plan.origins[0].pinned = vec![listener.local_addr().unwrap()];
    let accepted = std::thread::spawn(move || listener.incoming().take(5).flatten().count());
    let seen = run(plan, 1);
    assert_eq!((accepted.join().unwrap(), seen.all.flow.opened), (5, 5));
    assert_eq!(seen.all.total().failed(), 5);
}

fn timed(change: impl FnOnce(&mut LoadPlan), answer: fn() -> Answer) -> Seen {
    let server = Server::start(move |_| answer());
    let mut plan = plan(&server, open(50.0, 100), vec![http(get(0, "/"))]);
    change(&mut plan);
    run(plan, 1)
}

#[test]
fn limits_of_time_are_told_apart() {
    let slow = || Answer::ok("late").after(Duration::from_secs(3_600));
    let short = Duration::from_millis(50);
    let seen = timed(|plan| plan.client.timeouts.total = short, slow);
    assert_eq!(seen.errors("timeout_total"), 5);
    let given_up = seen.step(0).service.rest;
    assert!(given_up.value_at(0.0).unwrap() >= 50_000, "a limit never passes early");
    assert_eq!(timed(|plan| plan.client.timeouts.first_byte = short, slow).errors("timeout_first_byte"), 5);
    let half = || Answer::raw("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
    assert_eq!(timed(|plan| plan.client.timeouts.idle = short, half).errors("timeout_idle"), 5);
    let queue = |plan: &mut LoadPlan| {
        plan.client.connections = Connections::Shared { max: 1 };
        plan.client.timeouts.wait = short;
        plan.client.timeouts.first_byte = Duration::from_millis(400);
    };
    let seen = timed(queue, slow);
    assert_eq!((seen.errors("pool_timeout"), seen.errors("timeout_first_byte")), (4, 1));
}
