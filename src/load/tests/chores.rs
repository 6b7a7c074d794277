//! What surrounds journeys: setup and teardown, tokens, and clients that differ from place to place.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::server::{Answer, Server};
use super::{run, runtime, written};
use crate::base::seed::Seed;
use crate::base::stop::Stop;
use crate::load::LoadError;
use crate::load::errand::{once, setup, teardown};
use crate::load::secrets::{Mask, reveal};
use crate::plan::load::LoadPlan;

/// The lines of all requests, with what `Authorization` they carried.
type Asked = Arc<Mutex<Vec<(String, String)>>>;

fn watched(answer: impl Fn(&str, &str) -> Answer + Send + Sync + 'static) -> (Server, Asked) {
    let asked: Asked = Arc::default();
    let kept = Arc::clone(&asked);
    let server = Server::start(move |request| {
        let shown = request.head.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap_or("").to_owned();
        let path = request.path().to_owned();
        kept.lock().unwrap().push((path.clone(), shown.clone()));
        answer(&path, &shown)
    });
    (server, asked)
}

fn count(asked: &Asked, path: &str, shown: &str) -> usize {
    asked.lock().unwrap().iter().filter(|one| one.0.starts_with(path) && one.1.contains(shown)).count()
}

fn ready(plan: LoadPlan) -> Arc<LoadPlan> {
    runtime().block_on(setup(&Arc::new(plan), Seed(1), &Stop::new())).unwrap_or_else(|error| panic!("{error}"))
}

const TEN: &str = r#"load: [Open(rate: [Hold(rate: "100/s", for: "100ms")])]"#;

#[test]
fn what_setup_learns_is_known_everywhere_and_teardown_comes_last() {
    let (server, asked) = watched(|path, _| match path {
        "/catalogue" => Answer::ok(r#"{"items": [{"sku": 7}, {"sku": 8}], "region": "north"}"#),
        _ => Answer::ok("x"),
    });
    let parts = format!(
        r#"{TEN}, client: (headers: {{"x-region": "${{region}}"}}),
        setup: [Http(name: "catalogue", url: "/catalogue", headers: {{"x-region": "none"}},
          extract: {{"skus": Json(path: "$.items[*].sku", pick: All), "region": Json(path: "$.region")}})],
        journeys: {{"a": (steps: [Http(name: "item", url: "/item/${{skus.1}}/${{region}}")])}},
        teardown: [Http(name: "gone", url: "/gone/${{region}}", check: [Status("500")]), Http(name: "closed", url: "/closed")]"#
    );
    let plan = ready(written(&server, &parts));
    let seen = run(LoadPlan::clone(&plan), 2);
    // Setup's own request is no part of what was measured.
    assert_eq!((seen.travel().completed, seen.all.flow.sent), (10, 10), "{:?}", seen.all.total().errors);
    let broken = runtime().block_on(teardown(&plan, Seed(1))).unwrap().unwrap();
    assert_eq!(broken.to_string(), "step `gone`: status_200");
    assert_eq!(count(&asked, "/item/8/north", ""), 10);
    let paths: Vec<String> = asked.lock().unwrap().iter().map(|one| one.0.clone()).collect();
    assert_eq!(
        (paths[0].as_str(), &paths[11..]),
        ("/catalogue", &["/gone/north".to_owned(), "/closed".to_owned()][..])
    );
}

#[test]
fn a_setup_that_fails_names_its_step_and_teardown_leaves_out_what_it_cannot_know() {
    let (server, asked) = watched(|path, _| if path == "/make" { Answer::status(503, "no") } else { Answer::ok("x") });
    let parts = format!(
        r#"{TEN}, setup: [Http(name: "make", url: "/make", extract: {{"id": Json(path: "$.id")}})],
        journeys: {{"a": (steps: [Http(name: "see", url: "/see/${{id}}")])}},
        teardown: [Http(name: "delete", url: "/delete/${{id}}"), Http(name: "close", url: "/close")]"#
    );
    let plan = Arc::new(written(&server, &parts));
    let error = runtime().block_on(setup(&plan, Seed(1), &Stop::new())).unwrap_err();
    assert!(matches!(&error, LoadError::Setup { broken } if broken.step == "make"), "{error}");
    assert!(error.to_string().contains("step `make`: status_503"), "{error}");
    assert!(runtime().block_on(teardown(&plan, Seed(1))).unwrap().is_none());
    assert_eq!((count(&asked, "/delete", ""), count(&asked, "/close", "")), (0, 1));
}

/// A server that gives out numbered tokens and takes those that `good` accepts.
fn guarded(good: fn(&str) -> bool) -> (Server, Asked) {
    let given = AtomicU64::new(0);
    watched(move |path, shown| match path {
        "/login" => Answer::ok(&format!(r#"{{"token": "t{}"}}"#, given.fetch_add(1, SeqCst))),
        _ if good(shown) => Answer::ok("x"),
        _ => Answer::status(401, "no"),
    })
}

fn tokens(more: &str, load: &str) -> String {
    format!(
        r#"load: [{load}], tokens: {{"login": (steps: [Http(name: "login", method: "POST", url: "/login", extract: {{"access": Json(path: "$.token")}})],
          value: "${{access}}", {more})}},
        journeys: {{"a": (client: (auth: Token("login")), steps: [Http(name: "one", url: "/one"), Http(name: "two", url: "/two")])}}"#
    )
}

#[test]
fn each_user_fetches_a_token_once_and_carries_it() {
    let (server, asked) = guarded(|shown| shown.starts_with("Bearer t"));
    let closed = r#"Closed(users: [Hold(users: 3, for: "9s")], iterations: PerUser(4))"#;
    let seen = run(written(&server, &tokens(r#"lifetime: "15m""#, closed)), 1);
    assert_eq!(seen.travel().completed, 12, "{:?}", seen.all.total().errors);
    assert_eq!((count(&asked, "/login", ""), count(&asked, "/two", "Bearer t")), (3, 12));
    // Its requests are a series of their own.
    assert_eq!((seen.step(0).answered(), seen.step(1).answered()), (3, 12));
}

#[test]
fn all_users_may_share_one_token() {
    let (server, asked) = guarded(|shown| shown == "Bearer t0");
    let open = r#"Open(rate: [Hold(rate: "200/s", for: "100ms")])"#;
    let seen = run(written(&server, &tokens("share: All", open)), 2);
    assert_eq!(seen.travel().completed, 20, "{:?}", seen.all.total().errors);
    assert_eq!((count(&asked, "/login", ""), count(&asked, "/one", "t0")), (1, 20));
    let late = seen.step(1).lateness.value_at(1.0).unwrap();
    assert!(late < 100_000, "waiting for a token is no lateness of ours: {late} us");
}

#[test]
fn a_token_is_renewed_before_its_end_and_once_after_it_was_refused() {
    // A life of 200 ms, renewed 150 ms before its end: six journeys 100 ms apart fetch it six times.
    let (server, asked) = guarded(|_| true);
    let paced = r#"Closed(users: [Hold(users: 1, for: "9s")], iterations: PerUser(6), cycle: "100ms")"#;
    let seen = run(written(&server, &tokens(r#"lifetime: "200ms", renew_before: "150ms""#, paced)), 1);
    assert_eq!((seen.travel().completed, count(&asked, "/login", "")), (6, 6));

    let (server, asked) = guarded(|shown| shown != "Bearer t0");
    let single = r#"Closed(users: [Hold(users: 1, for: "9s")], iterations: PerUser(3))"#;
    let seen = run(written(&server, &tokens("", single)), 1);
    assert_eq!((seen.travel().completed, seen.errors("status_401")), (3, 0), "{:?}", seen.all.total().errors);
    assert_eq!((count(&asked, "/login", ""), count(&asked, "/one", "t0"), count(&asked, "/one", "t1")), (2, 1, 3));

    // One that is never good is fetched once more for each request, and the request is refused.
    let (server, asked) = guarded(|_| false);
    let seen = run(written(&server, &tokens("", single)), 1);
    assert_eq!((seen.travel().failed, seen.errors("status_401")), (3, 3));
    assert_eq!((count(&asked, "/login", ""), count(&asked, "/one", "")), (4, 6));
}

#[test]
fn a_token_that_cannot_be_fetched_fails_the_journey_and_not_the_request() {
    let server = Server::start(|request| Answer::status(if request.path() == "/login" { 500 } else { 200 }, "x"));
    let single = r#"Closed(users: [Hold(users: 1, for: "9s")], iterations: PerUser(3))"#;
    let seen = run(written(&server, &tokens("", single)), 1);
    assert_eq!((seen.travel().failed, seen.errors("status_500"), seen.step(1).arrivals()), (3, 3, 0));
}

#[test]
fn the_innermost_client_holds_field_by_field() {
    let (server, asked) =
        watched(
            |path, _| if path == "/slow" { Answer::ok("x").after(Duration::from_secs(60)) } else { Answer::ok("x") },
        );
    let parts = r#"client: (auth: Bearer("outer"), timeouts: (total: "30s")),
        load: [Open(name: "plain", rate: [Hold(rate: "50/s", for: "100ms")], mix: {"a": 1}),
               Open(name: "other", rate: [Hold(rate: "50/s", for: "100ms")], mix: {"a": 1}, client: (auth: Bearer("load"), connections: Fresh)),
               Open(name: "third", rate: [Hold(rate: "50/s", for: "100ms")], mix: {"b": 1})],
        journeys: {"a": (steps: [Http(name: "open", url: "/open"), Http(name: "own", url: "/own", client: (auth: Bearer("step")))]),
                   "b": (client: (auth: Bearer("journey")), on_failure: Continue, steps: [
                     Http(name: "slow", url: "/slow", client: (timeouts: (total: "40ms"))), Http(name: "behind", url: "/behind")])}"#;
    let seen = run(written(&server, parts), 1);
    for (path, shown, times) in [
        ("/open", "Bearer outer", 5),
        ("/open", "Bearer load", 5),
        ("/own", "Bearer step", 10),
        ("/slow", "Bearer journey", 5),
        ("/behind", "Bearer journey", 5),
    ] {
        assert_eq!(count(&asked, path, shown), times, "{path} {shown}");
    }
    assert_eq!(seen.errors("timeout_total"), 5);
    // Ten requests of the second workload, each on a connection of its own.
    assert!(server.connections() >= 12, "{}", server.connections());
}

#[test]
fn a_journey_that_is_looked_at_tells_everything_but_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("key");
    std::fs::write(&secret, "canary-7c").unwrap();
    let (server, _) = watched(|path, _| match path {
        "/login" => {
            Answer::raw("HTTP/1.1 200 OK\r\ncontent-length: 13\r\nset-cookie: sid=hidden\r\n\r\n{\"token\": \"t\"}")
        }
        _ => Answer::status(404, "nobody knows canary-7c"),
    });
    let parts = format!(
        r#"{TEN}, secrets: {{"key": File("{}")}}, journeys: {{
        "a": (client: (auth: Bearer("${{secret.key}}")), steps: [
          Http(name: "enter", method: "POST", url: "/login", body: Json(r#BODY#)), Http(name: "find", url: "/find")]), "b": (steps: [Http(name: "b", url: "/b")])}}"#,
        secret.display()
    );
    let body = r##"r#"{"key": "${secret.key}"}"#"##;
    let plan = Arc::new(written(&server, &parts.replace("r#BODY#", body)));
    let came = runtime().block_on(once(&plan, Seed(1), "a", &Stop::new())).unwrap().unwrap();
    assert_eq!(came.broken.unwrap().to_string(), "step `find`: status_404");
    let secrets: Vec<_> = reveal(&plan).unwrap().into_iter().map(|(_, secret)| secret).collect();
    let (tale, mask) = (came.tale.unwrap(), Mask::new(&secrets));
    let told = [tale.text(&mask), tale.json(&mask).to_string()];
    for text in &told {
        for hidden in ["canary-7c", "hidden"] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
        for shown in ["enter", "POST http://127.0.0.1:", "404", "nobody knows ***", "set-cookie", "authorization"] {
            assert!(text.contains(shown), "no {shown} in {text}");
        }
    }
    assert!(runtime().block_on(once(&plan, Seed(1), "c", &Stop::new())).unwrap().is_none());
}
