//! Ways through a journey: branches, repetitions, groups, lists, rows, secrets, credentials.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::server::{Answer, Server};
use super::{run, written};
use crate::measure::sample::Aside;
use crate::plan::check::{self, Files, ScenarioOptions};

/// A server that answers every path with `answer`, and the paths it saw.
fn watched(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> (Server, Arc<Mutex<Vec<String>>>) {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let paths = Arc::clone(&seen);
    let server = Server::start(move |request| {
        paths.lock().unwrap().push(request.path().to_owned());
        answer(request.path())
    });
    (server, seen)
}

fn count(paths: &Mutex<Vec<String>>, start: &str) -> usize {
    paths.lock().unwrap().iter().filter(|path| path.starts_with(start)).count()
}

const TEN: &str = r#"load: [Open(rate: [Hold(rate: "100/s", for: "100ms")])]"#;

#[test]
fn branches_and_repetitions_go_the_way_that_is_written() {
    let (server, paths) =
        watched(|path| Answer::ok(if path == "/home" { r#"{"left": 2, "ids": [7, 8, 9]}"# } else { "{}" }));
    let steps = r#"
        Http(name: "home", url: "/home", extract: {"left": Json(path: "$.left"), "ids": Json(path: "$.ids[*]", pick: All)}),
        Branch(when: Var(name: "left", is: Equals("2")), then: [Http(name: "then", url: "/then")], otherwise: [Http(name: "never", url: "/never")]),
        Branch(when: Any([Status("5xx"), Not(Var(name: "left", is: Matches("^[0-9]$")))]), then: [Http(name: "never 2", url: "/never")]),
        Repeat(times: Exactly(3), steps: [Http(name: "three", url: "/three")]),
        Repeat(each: ("id", "ids"), steps: [
          Repeat(times: Exactly(2), steps: [Http(name: "each", url: "/each/${id}")]),
        ]),
        Set({"n": Text("0")}),
        Repeat(until: Status("200"), at_most: 5, think: Fixed("1ms"), steps: [Http(name: "until", url: "/until/${ids.2}/${n}")]),
        Repeat(until: Status("404"), at_most: 4, steps: [Http(name: "cap", url: "/cap")])"#;
    let seen = run(written(&server, &format!(r#"{TEN}, journeys: {{"a": (steps: [{steps}])}}"#)), 2);
    assert_eq!(seen.travel().completed, 10, "{:?}", seen.all.total().errors);
    for (path, times) in [
        ("/home", 1),
        ("/then", 1),
        ("/never", 0),
        ("/three", 3),
        ("/each/", 6),
        ("/each/8", 2),
        ("/until/9/0", 1),
        ("/cap", 4),
    ] {
        assert_eq!(count(&paths, path), times * 10, "{path}");
    }
}

#[test]
fn turns_draw_anew_and_alike_in_every_run() {
    let steps = r#"Repeat(times: Geometric(mean: 3.0, at_most: 12), steps: [
        Set({"product": Zipf(items: 50, s: 1.1)}), Branch(when: Chance("50%"), then: [Http(name: "p", url: "/p/${product}")],
        otherwise: [Http(name: "q", url: "/q/${product}")])])"#;
    let go = || {
        let (server, paths) = watched(|_| Answer::ok("x"));
        let seen = run(written(&server, &format!(r#"{TEN}, journeys: {{"a": (steps: [{steps}])}}"#)), 1);
        assert_eq!(seen.travel().completed, 10);
        let mut paths = paths.lock().unwrap().clone();
        paths.sort();
        paths
    };
    let first = go();
    assert_eq!(first, go());
    assert!((15..60).contains(&first.len()), "{}", first.len());
    assert!(first.iter().collect::<BTreeSet<_>>().len() > 5, "{first:?}");
}

#[test]
fn a_group_sends_side_by_side_and_hands_on_what_it_found() {
    let slow = Duration::from_millis(60);
    let (server, paths) = watched(move |path| match path {
        "/a" => Answer::ok(r#"{"x": "1"}"#).after(slow),
        "/b" => Answer::ok(r#"{"y": "2"}"#).after(slow),
        _ => Answer::ok("x").after(slow),
    });
    let steps = r#"Group(name: "front", parallel: 3, steps: [
        Http(name: "a", url: "/a", extract: {"x": Json(path: "$.x")}), Http(name: "b", url: "/b", extract: {"y": Json(path: "$.y")}),
        Http(name: "c", url: "/c"), Http(name: "d", url: "/d")]),
        Http(name: "after", url: "/after/${x}/${y}")"#;
    for load in [
        "Open(rate: [Hold(rate: \"50/s\", for: \"100ms\")])",
        "Closed(users: [Hold(users: 5, for: \"9s\")], iterations: PerUser(1))",
    ] {
        let seen = run(written(&server, &format!(r#"load: [{load}], journeys: {{"a": (steps: [{steps}])}}"#)), 1);
        assert_eq!(seen.travel().completed, 5, "{:?}", seen.all.total().errors);
        let group = &seen.all.asides[&Aside::Group("front".to_owned())];
        // As one: until its last answer, and in no total.
        assert_eq!((group.answered(), seen.all.total().answered()), (5, 25));
        assert!((115_000..220_000).contains(&group.response.ok.value_at(1.0).unwrap()));
        let slowest = seen.travel().latency.ok.value_at(1.0).unwrap();
        // Three, then one, then the step after: three times 60 ms where one after the other would take five.
        assert!((170_000..300_000).contains(&slowest), "{slowest} us");
    }
    assert_eq!(count(&paths, "/after/1/2"), 10);
}

#[test]
fn values_are_picked_from_every_part_of_an_answer() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 29\r\nset-cookie: sid=abc%20; Path=/\r\nset-cookie: b=2\r\n\r\n<i>one</i><i>two</i><i>3</i>\n";
    let (server, paths) = watched(move |_| Answer::raw(answer));
    let steps = r#"Http(name: "home", url: "/", check: [Var(name: "three", is: AtLeast(3.0)), Body(Matches("(?s)one.*3"))], extract: {
        "one": Regex(find: "<i>(.*?)</i>"), "last": Regex(find: "<i>(.*?)</i>", pick: Last), "tag": Regex(find: "<i>(.*?)</i>", group: 0, pick: Nth(1)),
        "three": Regex(find: "<i>([0-9])", or: "0"), "none": Regex(find: "z", or: "-"), "any": Regex(find: "<i>(.*?)</i>", pick: Random),
        "sid": Cookie(name: "sid"), "b": Cookie(name: "b", pick: Last)}),
        Http(name: "next", url: "/${one}/${last}/${tag}/${three}/${none}/${sid}/${b}")"#;
    let seen = run(written(&server, &format!(r#"{TEN}, journeys: {{"a": (steps: [{steps}])}}"#)), 1);
    assert_eq!(seen.travel().completed, 10, "{:?}", seen.all.total().errors);
    assert_eq!(count(&paths, "/one/3/%3Ci%3Etwo%3C%2Fi%3E/3/-/abc%2520/2"), 10, "{:?}", paths.lock().unwrap().last());
}

#[test]
fn rows_secrets_and_credentials_reach_the_server_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("key");
    std::fs::write(&secret, "canary-5f\n").unwrap();
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&heads);
    let server = Server::start(move |request| {
        kept.lock().unwrap().push(request.head.clone());
        Answer::ok("x")
    });
    let users = folder.path().join("users.csv");
    std::fs::write(&users, "id,email\n1,\"a, b@x\"\n2,c@x\n3,d@x\n").unwrap();
    let parts = format!(
        r#"client: (auth: Basic("me", "${{secret.key}}")), load: [Closed(users: [Hold(users: 3, for: "9s")], iterations: PerUser(2))],
        data: {{"users": Csv(file: "{}", pick: PerUser)}}, secrets: {{"key": File("{}")}},
        journeys: {{"a": (steps: [Http(name: "home", url: "/u/${{users.id}}", query: {{"m": "${{users.email}}"}}, headers: {{"x-key": "${{secret.key}}"}})])}}"#,
        users.display(),
        secret.display()
    );
    let server_port = server.port();
    let text = format!("(name: \"trial\", target: (base: \"http://127.0.0.1:{server_port}\"), {parts})");
    let path = folder.path().join("trial.ron");
    std::fs::write(&path, text).unwrap();
    let mut files = Files::disk();
    let checked = check::scenario(&mut files, path.to_str().unwrap(), &ScenarioOptions::default());
    let (mut plan, _) = checked.unwrap_or_else(|found| panic!("{}", found.0[0]));
    plan.origins[0].pinned = vec![server.address()];
    assert!(!format!("{plan:?} {files:?}").contains("canary"));
    let seen = run(plan, 1);
    assert_eq!(seen.travel().completed, 6, "{:?}", seen.all.total().errors);
    let heads = heads.lock().unwrap();
    for (row, times) in [("/u/1?m=a%2C%20b%40x", 2), ("/u/2?m=c%40x", 2), ("/u/3?m=d%40x", 2)] {
        assert_eq!(heads.iter().filter(|head| head.contains(row)).count(), times, "{row}");
    }
    // base64 of `me:canary-5f`
    assert!(
        heads.iter().all(|head| head.contains("x-key: canary-5f\r\n") && head.contains("Basic bWU6Y2FuYXJ5LTVm\r\n"))
    );
}
