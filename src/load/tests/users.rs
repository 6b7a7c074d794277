//! What a user keeps: cookies, the way of redirects, whose data it sees and how old they are.

use std::sync::{Arc, Mutex};

use super::server::{Answer, Server};
use super::{run, written};
use crate::measure::outcome::Class;
use crate::plan::load::Origin;

const TEN: &str = r#"load: [Open(rate: [Hold(rate: "100/s", for: "100ms")])]"#;

#[test]
fn a_user_sends_back_the_cookies_it_was_given() {
    let go = |client: &str| {
        let server = Server::start(|request| {
            let has = request.head.contains("cookie: own=1; sid=7\r\n");
            match request.path() {
                "/login" => Answer::raw("HTTP/1.1 200 OK\r\nset-cookie: sid=7; Path=/\r\ncontent-length: 0\r\n\r\n"),
                _ if has => Answer::ok("in"),
                _ => Answer::status(401, "out"),
            }
        });
        let steps =
            r#"Http(name: "login", url: "/login"), Http(name: "home", url: "/home", headers: {"cookie": "own=1"})"#;
        run(written(&server, &format!(r#"{TEN}, {client} journeys: {{"a": (steps: [{steps}])}}"#)), 1)
    };
    assert_eq!(go("").travel().completed, 10);
    let without = go("client: (cookies: false),");
    assert_eq!((without.travel().failed, without.errors("status_401")), (10, 10));
}

#[test]
fn redirects_are_followed_to_origins_of_the_scenario_only() {
    let other = Server::start(|request| {
        let is_clean = !request.head.contains("authorization") && request.head.starts_with("GET /end ");
        if is_clean { Answer::ok("end") } else { Answer::status(400, "bad") }
    });
    let port = other.port();
    let paths: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&paths);
    let server = Server::start(move |request| {
        kept.lock().unwrap().push(request.head.lines().next().unwrap_or_default().to_owned());
        let to = |status: u16, place: &str| {
            Answer::raw(&format!("HTTP/1.1 {status} X\r\nlocation: {place}\r\ncontent-length: 0\r\n\r\n"))
        };
        match request.path() {
            "/post" => to(307, "/again"),
            "/again" if request.head.starts_with("POST") && request.body == b"x=1" => to(302, "seen"),
            "/seen" if request.head.starts_with("GET") && request.body.is_empty() => {
                to(301, &format!("http://127.0.0.1:{port}/end"))
            }
            "/round" => to(302, "/round"),
            "/away" => to(302, "http://example.com/"),
            _ => Answer::status(500, "no"),
        }
    });
    let steps = r#"Http(name: "post", method: "POST", url: "/post", body: Form({"x": "1"}), check: [Body(Equals("end"))]),
        Http(name: "round", url: "/round"), Http(name: "away", url: "/away")"#;
    let parts = format!(
        r#"{TEN}, client: (redirects: 4, headers: {{"authorization": "Bearer t"}}), journeys: {{"a": (on_failure: Continue, steps: [{steps}])}}"#
    );
    let mut plan = written(&server, &parts);
    plan.origins.push(Origin::clear("127.0.0.1", port, vec![other.address()]));
    let seen = run(plan, 1);
    assert_eq!((seen.errors("redirects"), seen.errors("not_allowed")), (10, 10), "{:?}", seen.all.total().errors);
    assert_eq!((seen.step(0).answered(), other.requests()), (10, 10), "{:?}", paths.lock().unwrap());
    // post, again, seen; round and its four hops; away: and what was sent is done.
    assert_eq!(server.requests(), 10 * (3 + 5 + 1));
    assert_eq!((seen.all.flow.sent, seen.all.flow.done), (100, 100));
}

#[test]
fn another_owners_tag_is_a_leak_and_an_older_version_is_stale() {
    let server = Server::start(|request| match request.path() {
        "/own/1" => Answer::ok("mine: own-1"),
        "/own/2" => Answer::ok("mine: own-2, whose: own-1"),
        "/own/3" => Answer::raw("HTTP/1.1 200 OK\r\nx-tag: own-9\r\ncontent-length: 0\r\n\r\n"),
        "/old" => Answer::ok(r#"{"v": 9}"#),
        _ => Answer::ok(r#"{"v": 10}"#),
    });
    let parts = r#"load: [Closed(users: [Hold(users: 3, for: "9s")], iterations: PerUser(1))], vars: {"n": Counter(start: 1)},
        journeys: {"a": (owner: (tag: "own-${n}", pattern: "own-[0-9]"), on_failure: Continue, steps: [
          Http(name: "own", url: "/own/${n}"),
          Http(name: "write", method: "PUT", url: "/write", truth: [Writes(key: "cart", version: Json(path: "$.v"))]),
          Http(name: "soon", url: "/old", truth: [Reads(key: "cart", version: Json(path: "$.v"), lag: "9s")]),
          Http(name: "new", url: "/new", truth: [Reads(key: "cart", version: Json(path: "$.v"), lag: "0s")]),
          Pause(Fixed("2ms")),
          Http(name: "old", url: "/old", truth: [Reads(key: "cart", version: Json(path: "$.v"), lag: "1ms")]),
        ])}"#;
    let seen = run(written(&server, parts), 1);
    assert_eq!((seen.errors("leak"), seen.errors("stale")), (2, 3), "{:?}", seen.all.total().errors);
    let classes = seen.all.total().classes;
    assert_eq!((classes.get(Class::Leak), classes.get(Class::Stale), classes.get(Class::Ok)), (2, 3, 10));
    assert_eq!((seen.step(0).failed(), seen.step(4).failed()), (2, 3));
}
