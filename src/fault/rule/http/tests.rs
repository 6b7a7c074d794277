//! Conversations between a client and a server whose parts are played by hand.

use std::time::Duration;

use super::*;
use crate::fault::rule::stand::{Stand, active};
use crate::fault::snapshot::Snapshot;
use crate::plan::fault::rule::http::{Http as Kind, Only};
use crate::plan::fault::rule::{Hold as HoldKind, Protocol, Speaks};
use crate::plan::fault::{Ending, Time};
use crate::wire::http1::Edit;

const GET: &str = "GET /a HTTP/1.1\r\nhost: x\r\n\r\n";
const POST: &str = "POST /b HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

fn speaks(tls: Tls) -> Speaks {
    Speaks { protocol: Protocol::Http, tls }
}

fn rule(only: Only, act: Act) -> Rule {
    Rule::Http(Box::new(Kind { only, act }))
}

fn stand(rules: &[Rule]) -> Stand {
    Stand::new(&speaks(Tls::Refuse), rules, 0)
}

fn delay(place: Place) -> Act {
    Act::Delay(HoldKind { time: Time::Fixed(Duration::from_millis(100)), place })
}

fn abort(reach: Reach) -> Act {
    Act::Abort { status: 503, headers: vec![("retry-after".into(), "1".into())], body: "no".into(), reach }
}

const ABORTED: &str = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 2\r\n\r\nno";

fn method(method: &str) -> Only {
    Only { methods: vec![method.into()], ..Only::default() }
}

#[test]
fn without_a_hit_everything_passes_as_it_came() {
    let mut stand = stand(&[rule(method("DELETE"), abort(Reach::Never))]);
    assert_eq!(stand.client(format!("{GET}{POST}hel")), format!("{GET}{POST}hel"));
    assert_eq!(stand.client("lo"), "lo");
    let answers = format!("{OK}helloHTTP/1.1 100 Continue\r\n\r\n{CHUNKED}1\r\nx\r\n0\r\n\r\n");
    assert_eq!(stand.server(&answers), answers);
    assert_eq!(stand.seen().considered, 0);
}

#[test]
fn a_held_request_reaches_the_server_late_and_what_follows_waits_behind_it() {
    let mut stand = stand(&[rule(method("GET"), delay(Place::Request))]);
    assert_eq!(stand.client(format!("{GET}{POST}hello")), "");
    stand.wait(99);
    assert_eq!(stand.take(Way::Up), "");
    stand.wait(1);
    assert_eq!(stand.take(Way::Up), format!("{GET}{POST}hello"));
    let seen = stand.seen();
    assert_eq!((seen.considered, seen.touched, seen.active, seen.drawn.longest), (1, 1, 1, Duration::from_millis(100)));
    stand.server(format!("{OK}hello"));
    assert_eq!(stand.seen().active, 0);
}

#[test]
fn a_held_response_and_a_held_body_reach_the_client_late() {
    let mut one = stand(&[rule(Only::default(), delay(Place::Response))]);
    assert_eq!(one.client(GET), GET);
    assert_eq!(one.server(format!("{OK}hello")), "");
    one.wait(100);
    assert_eq!(one.take(Way::Down), format!("{OK}hello"));
    let mut one = stand(&[rule(Only::default(), delay(Place::Body(2)))]);
    one.client(GET);
    assert_eq!(one.server(format!("{OK}hello")), format!("{OK}he"));
    one.wait(100);
    assert_eq!(one.take(Way::Down), "llo");
    assert_eq!(one.seen().touched, 1);
    one.client(GET);
    assert_eq!(one.server("HTTP/1.1 204 No Content\r\n\r\n"), "HTTP/1.1 204 No Content\r\n\r\n");
    let seen = one.seen();
    assert_eq!((seen.considered, seen.touched), (1, 1), "no content to hold");
}

#[test]
fn an_abort_takes_the_place_of_its_answer() {
    let mut stand = stand(&[rule(method("POST"), abort(Reach::Never))]);
    assert_eq!(stand.client(format!("{GET}{POST}hello{GET}")), format!("{GET}{GET}"), "its content goes with it");
    assert_eq!(stand.take(Way::Down), "", "the first answer is not there yet");
    assert_eq!(stand.server(format!("{OK}hel")), format!("{OK}hel"));
    assert_eq!(stand.server(format!("lo{OK}")), format!("lo{ABORTED}{OK}"));
    assert_eq!(stand.seen().touched, 1);
}

#[test]
fn an_abort_after_the_work_takes_the_place_of_the_answer_that_the_server_gave() {
    let mut stand = stand(&[rule(method("POST"), abort(Reach::Server))]);
    assert_eq!(stand.client(format!("{POST}hello")), format!("{POST}hello"));
    assert_eq!(stand.server("HTTP/1.1 100 Continue\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(stand.server(format!("{CHUNKED}5\r\nhello\r\n")), ABORTED);
    stand.client(GET);
    assert_eq!(stand.server(format!("0\r\n\r\n{OK}")), OK);
}

#[test]
fn an_abort_answers_a_client_that_waits_for_leave_and_ends_the_connection() {
    let mut stand = stand(&[rule(Only::default(), abort(Reach::Never))]);
    assert_eq!(stand.client("POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n"), "");
    let answer = stand.take(Way::Down);
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("connection: close") && answer.ends_with("no<cut>"));
    assert_eq!(stand.verdict(), Some(Close::Fin));
}

#[test]
fn an_aborted_head_request_has_no_content() {
    let mut stand = stand(&[rule(Only::default(), abort(Reach::Never))]);
    stand.client("HEAD / HTTP/1.1\r\n\r\n");
    assert_eq!(stand.take(Way::Down), ABORTED.strip_suffix("no").unwrap());
}

#[test]
fn truncation_keeps_the_frame_correct() {
    let mut stand = stand(&[rule(Only::default(), Act::Truncate { after: 2 })]);
    stand.client(format!("{GET}{GET}{GET}"));
    assert_eq!(stand.server(format!("{OK}hello")), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhe");
    assert_eq!(
        stand.server(format!("{CHUNKED}5\r\nhello\r\n3\r\nxyz\r\n0\r\n\r\n")),
        format!("{CHUNKED}2\r\nhe\r\n0\r\n\r\n")
    );
    assert_eq!(
        stand.server("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx"),
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx"
    );
    let seen = stand.seen();
    assert_eq!((seen.considered, seen.touched), (2, 2), "the last one is short as it is");
}

#[test]
fn a_drop_promises_a_length_and_cuts_within_it() {
    for (after, came) in [(2, "he"), (0, "")] {
        let mut stand = stand(&[rule(Only::default(), Act::Drop { after, close: Ending::Rst })]);
        stand.client(GET);
        assert_eq!(stand.server(format!("{OK}hello")), format!("{OK}{came}<cut>"));
        assert_eq!(stand.verdict(), Some(Close::Rst));
        let seen = stand.seen();
        assert_eq!((seen.touched, seen.cut), (1, 1));
    }
}

#[test]
fn fields_are_set_and_removed_on_both_sides() {
    let set = |value: &str| Edit::Set("x-a".into(), value.into());
    let act = Act::Rewrite { request: vec![set("1"), Edit::Remove("host".into())], response: vec![set("2")] };
    let mut stand = stand(&[rule(Only::default(), act)]);
    assert_eq!(stand.client(GET), "GET /a HTTP/1.1\r\nx-a: 1\r\n\r\n");
    assert_eq!(stand.server(format!("{OK}hello")), "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-a: 2\r\n\r\nhello");
    assert_eq!(stand.seen().touched, 1);
}

#[test]
fn a_rule_for_a_status_is_judged_when_there_is_one() {
    let only = Only { status: vec![(500, 599)], methods: vec!["GET".into()], ..Only::default() };
    let mut stand = stand(&[rule(only, delay(Place::Response))]);
    stand.client(format!("{GET}{GET}"));
    assert_eq!(stand.server(format!("{OK}hello")), format!("{OK}hello"));
    assert_eq!(stand.server("HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n"), "");
    stand.wait(100);
    assert_eq!(stand.take(Way::Down), "HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(stand.seen().considered, 1);
}

#[test]
fn a_client_that_closes_ends_the_hold_at_once() {
    let mut one = stand(&[rule(Only::default(), delay(Place::Request))]);
    assert_eq!(one.client(GET), "");
    one.end(Way::Up, Signal::Fin);
    assert_eq!(one.take(Way::Up), format!("{GET}<fin>"));
    assert_eq!(one.seen().active, 0, "its place under a cap is free");
    let mut one = stand(&[rule(Only::default(), delay(Place::Request))]);
    one.client(GET);
    one.end(Way::Up, Signal::Rst);
    assert_eq!(one.verdict(), Some(Close::Rst));
}

#[test]
fn healing_ends_the_hold_at_once() {
    let mut one = stand(&[rule(Only::default(), delay(Place::Request))]);
    assert_eq!(one.client(GET), "");
    let healed = one.snapshot.retaining(|_| false);
    one.swap(healed);
    assert_eq!(one.take(Way::Up), GET);
    assert_eq!(one.client(GET), GET);
}

#[test]
fn a_rule_acts_on_living_connections_from_its_injection_on() {
    let mut stand = Stand::under(&speaks(Tls::Refuse), Snapshot::default(), 0);
    assert_eq!(stand.client(POST), POST);
    stand.swap(Snapshot::default().with(active(1, rule(Only::default(), abort(Reach::Never)), 1.0)));
    assert_eq!(stand.client(format!("hello{GET}")), "hello");
    assert_eq!(stand.server(format!("{OK}hello")), format!("{OK}hello{ABORTED}"));
}

#[test]
fn other_protocols_pass_as_bytes_and_are_counted_once() {
    let act = || rule(Only::default(), abort(Reach::Never));
    for text in [
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "SSH-2.0\x01\r\n",
        "GET / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
    ] {
        let mut one = stand(&[act()]);
        assert_eq!(one.client(text), text);
        assert_eq!(one.client("GET / HTTP/1.1\r\n\r\n"), "GET / HTTP/1.1\r\n\r\n");
        assert_eq!(one.server("\x00\x01"), "\u{0}\u{1}");
        assert_eq!((one.straight(Way::Up), one.straight(Way::Down)), (usize::MAX, usize::MAX), "{text}");
        let seen = one.seen();
        assert_eq!((seen.considered, seen.touched, seen.untouched.unparsed), (1, 0, 1));
    }
    let mut one = Stand::new(&speaks(Tls::Pass), &[act()], 0);
    assert_eq!(one.client("\x16\x03\x01"), "\x16\x03\x01");
    assert_eq!(one.seen().untouched.unparsed, 1);
    let mut one = stand(&[act()]);
    assert_eq!(one.client("\x16\x03\x01"), "");
    assert_eq!(one.take(Way::Down), "<cut>");
}

#[test]
fn after_an_upgrade_everything_is_bytes() {
    let mut one = stand(&[rule(method("GET"), abort(Reach::Never))]);
    let upgrade = "POST /ws HTTP/1.1\r\nupgrade: websocket\r\n\r\n";
    assert_eq!(one.client(upgrade), upgrade);
    let agreed = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n\u{1}";
    assert_eq!(one.server(agreed), agreed);
    assert_eq!(one.client(GET), GET);
    assert_eq!((one.straight(Way::Up), one.straight(Way::Down)), (usize::MAX, usize::MAX));
    assert_eq!(one.seen().considered, 0);
}

#[test]
fn long_content_goes_straight_once_it_is_judged() {
    let long = "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n";
    let mut one = stand(&[rule(method("POST"), delay(Place::Response))]);
    one.client(GET);
    assert_eq!(one.straight(Way::Down), 0, "an answer is to be read");
    one.server(long);
    assert_eq!(one.straight(Way::Down), 999_999);
    let mut one = stand(&[rule(Only::default(), Act::Truncate { after: 10 })]);
    one.client(GET);
    one.server(long);
    assert_eq!(one.straight(Way::Down), 0, "not judged to the end");
}

#[test]
fn the_share_of_a_rule_is_drawn_for_every_request() {
    let fault = active(1, rule(Only::default(), abort(Reach::Never)), 0.25);
    let snapshot = Snapshot::default().with(fault);
    let mut hits = 0;
    for connection in 0..100 {
        let mut one = Stand::under(&speaks(Tls::Refuse), snapshot.clone(), connection);
        for _ in 0..100 {
            if one.client(GET).is_empty() {
                assert_eq!(one.take(Way::Down), ABORTED);
                hits += 1;
            } else {
                one.server(format!("{OK}hello"));
            }
        }
    }
    // 99.9 % interval of the binomial: 3.29 standard deviations of 43.3.
    assert!((2_358..=2_642).contains(&hits), "{hits}");
    let seen = snapshot.faults[0].decider.stats();
    assert_eq!((seen.considered, seen.touched, seen.untouched.share), (10_000, hits, 10_000 - hits));
    assert_eq!((seen.untouched.idle, seen.active), (0, 0));
}
