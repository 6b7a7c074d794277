//! Bad input: what each mistake is answered, and that random bodies never bring the process down.

use super::*;
use crate::base::seed::Seed;
use crate::fault::ledger;
use crate::plan::check;

/// Path, body, status, and the message.
const MISTAKES: &[(&str, &str, u16, &str)] = &[
    (
        "/proxies/a/toxics",
        r#"{"type":"slicer"}"#,
        400,
        "bad request body: attributes.average_size must be 1..2147483647",
    ),
    (
        "/proxies/a/toxics",
        r#"{"type":"slicer","attributes":{"average_size":10,"size_variation":11}}"#,
        400,
        "bad request body: attributes.size_variation must be 0..average_size",
    ),
    (
        "/proxies/a/toxics",
        r#"{"type":"slicer","attributes":{"average_size":1,"delay":60000001}}"#,
        400,
        "bad request body: attributes.delay must be 0..60000000",
    ),
    (
        "/proxies/a/toxics",
        r#"{"type":"bandwidth","attributes":{"rate":-1}}"#,
        400,
        "bad request body: attributes.rate must be 0..1000000000",
    ),
    (
        "/proxies/a/toxics",
        r#"{"type":"bandwidth","attributes":{"rate":1000000001}}"#,
        400,
        "bad request body: attributes.rate must be 0..1000000000",
    ),
    (
        "/proxies/a/toxics",
        r#"{"type":"latency","attributes":{"latency":-1}}"#,
        400,
        "bad request body: attributes.latency must be 0..86400000",
    ),
    (
        "/proxies/a/toxics",
        r#"{"type":"latency","attributes":{"jitter":9223372036854775807}}"#,
        400,
        "bad request body: attributes.jitter must be 0..86400000",
    ),
    (
        "/proxies/a/toxics",
        r#"{"type":"timeout","attributes":{"timeout":86400001}}"#,
        400,
        "bad request body: attributes.timeout must be 0..86400000",
    ),
    (
        "/proxies/a/toxics",
        r#"{"type":"latency","attributes":{"latency":1.5}}"#,
        400,
        "bad request body: attributes.latency must be an integer",
    ),
    (
        "/proxies/a/toxics",
        r#"{"type":"latency","attributes":{"latency":"100"}}"#,
        400,
        "bad request body: attributes.latency must be an integer",
    ),
    (
        "/proxies/a/toxics",
        r#"{"type":"latency","attributes":{"latency":1e3}}"#,
        400,
        "bad request body: attributes.latency must be an integer",
    ),
    (
        "/proxies/a/toxics",
        r#"{"type":"latency","attributes":{"latency":9223372036854775808}}"#,
        400,
        "bad request body: attributes.latency must be an integer",
    ),
    ("/proxies/a/toxics", r#"{"type":"latency","toxicity":7.5}"#, 400, "bad request body: toxicity must be 0..1"),
    ("/proxies/a/toxics", r#"{"type":"latency","toxicity":-0.1}"#, 400, "bad request body: toxicity must be 0..1"),
    (
        "/proxies/a/toxics",
        r#"{"type":"latency","attributes":[]}"#,
        400,
        "bad request body: attributes must be an object",
    ),
    (
        "/proxies/a/toxics",
        r#"{"type":"packet_loss","attributes":{"loss_rate":2}}"#,
        400,
        "bad request body: attributes.loss_rate must be 0..1",
    ),
    ("/proxies/a/toxics", r#"{"type":"nonsense"}"#, 400, "invalid toxic type"),
    (
        "/proxies/a/toxics",
        r#"{"type":"noop","stream":"sideways"}"#,
        400,
        "stream was invalid, can be either upstream or downstream",
    ),
    ("/proxies", "x", 400, "bad request body: expected value at line 1 column 1"),
    ("/proxies", r#"{"name":1,"upstream":"$UP"}"#, 400, "bad request body: name must be a string"),
    ("/proxies", r#"{"name":"","upstream":"$UP"}"#, 400, "missing required field: name"),
    ("/proxies", r#"{"name":"x","upstream":""}"#, 400, "missing required field: upstream"),
    (
        "/proxies",
        r#"{"name":"x","upstream":"$UP","enabled":"yes"}"#,
        400,
        "bad request body: enabled must be true or false",
    ),
    ("/proxies", r#"{"name":"a","upstream":"$UP"}"#, 409, "proxy already exists"),
    ("/proxies", r#"{"name":"x","upstream":"bogus"}"#, 500, "listen tcp: address bogus: missing port in address"),
    (
        "/proxies",
        r#"{"name":"x","upstream":"$UP","listen":"0.0.0.0:0"}"#,
        403,
        "listen 0.0.0.0:0 is not loopback; start with --allow-listen 0.0.0.0/32 to allow it",
    ),
    ("/proxies/a", r#"{"upstream":""}"#, 400, "missing required field: upstream"),
];

#[tokio::test]
async fn each_mistake_is_named_and_changes_nothing() {
    let rig = Rig::new().await;
    rig.proxy("a").await;
    let before = rig.say("GET", "/proxies", "").await.body;
    for (path, body, status, message) in MISTAKES {
        let heard = rig.say("POST", path, body).await;
        let want = serde_json::json!({ "error": message, "status": status });
        assert_eq!((heard.status, heard.value()), (*status, want), "{path} {body}");
    }
    assert_eq!(rig.say("GET", "/proxies", "").await.body, before);
}

#[tokio::test]
async fn bodies_that_are_too_long_or_too_deep_are_refused_and_the_port_that_is_taken_is_named() {
    let rig = Rig::new().await;
    let long = format!(r#"{{"name":"{}"}}"#, "a".repeat(1 << 20));
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    let deepest = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    for (body, part) in
        [(&long, "longer than 1048576 bytes"), (&deep, "nested over 64 deep"), (&deepest, "recursion limit")]
    {
        let heard = rig.say("POST", "/proxies", body).await;
        assert!(heard.status == 400 && heard.body.contains(part), "{heard:?}");
    }
    let taken = rig.address;
    let heard = rig.say("POST", "/proxies", &format!(r#"{{"name":"x","upstream":"$UP","listen":"{taken}"}}"#)).await;
    let want = format!("listen tcp {taken}: bind: address already in use");
    assert_eq!((heard.status, heard.value()["error"].as_str().unwrap().to_owned()), (500, want));
}

#[tokio::test]
async fn upstreams_that_nobody_listed_are_refused_without_looking_them_up() {
    let rig = Rig::new().await;
    for upstream in ["10.0.0.7:5432", "db.prod.example:5432", "nowhere.invalid:1"] {
        let body = format!(r#"{{"name":"x","upstream":"{upstream}"}}"#);
        let heard = rig.say("POST", "/proxies", &body).await;
        let part = format!("upstream {upstream} is not on the allow list");
        assert!(heard.status == 403 && heard.body.contains(&part), "{heard:?}");
    }
    let guard = Guard::new(None, &["10.0.0.7:5432".to_owned()]).unwrap();
    let rig = Rig::with(Gate { guard, ..Gate::default() }).await;
    let listed = rig.say("POST", "/proxies", r#"{"name":"x","upstream":"10.0.0.7:5432"}"#).await;
    assert_eq!(listed.status, 201, "{listed:?}");
    let moved = rig.say("POST", "/proxies/x", r#"{"upstream":"10.0.0.8:5432"}"#).await;
    assert_eq!(moved.status, 403);
    assert_eq!(rig.say("GET", "/proxies/x", "").await.value()["upstream"], "10.0.0.7:5432");
}

/// Words that bring random bodies near to real ones.
const WORDS: [&str; 32] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"name\"",
    "\"type\"",
    "\"latency\"",
    "\"attributes\"",
    "\"upstream\"",
    "\"listen\"",
    "\"stream\"",
    "\"a\"",
    "\"127.0.0.1:1\"",
    "0",
    "-1",
    "1e309",
    "null",
    "true",
    "\"slicer\"",
    "\"toxicity\"",
    "\u{0}",
    "\"\\ud800\"",
    "\"fault\"",
    "\"Fault(on: \\\"a\\\", inject: Noop)\"",
    "Fault(",
    "on: \"a\"",
    "inject: ",
    "Latency(time: Fixed(\"1ms\"))",
    "pattern: All([First(n: 1)])",
    ")",
];
const PATHS: [(&str, &str); 16] = [
    ("POST", "/proxies"),
    ("POST", "/populate"),
    ("POST", "/proxies/a"),
    ("PATCH", "/proxies/a"),
    ("POST", "/proxies/a/toxics"),
    ("POST", "/proxies/a/toxics/t"),
    ("PATCH", "/proxies/a/toxics/t"),
    ("POST", "/reset"),
    ("POST", "/squall/v1/leases"),
    ("POST", "/squall/v1/leases/night"),
    ("POST", "/squall/v1/heal"),
    ("PUT", "/squall/v1/faults/slow"),
    ("DELETE", "/squall/v1/faults/slow"),
    ("GET", "/squall/v1/proxies/a/connections"),
    ("DELETE", "/squall/v1/proxies/a/connections/0"),
    ("DELETE", "/proxies/a/toxics/%00"),
];

/// A connection through every proxy that there is, whatever has become of it.
async fn traffic(rig: &Rig) {
    let all = rig.say("GET", "/proxies", "").await.value();
    for proxy in all.as_object().unwrap().values() {
        if let Ok(mut client) = TcpStream::connect(proxy["listen"].as_str().unwrap()).await {
            client.write_all(b"hello").await.ok();
        }
    }
}

/// Random bytes, some of them the words of the API: the readers answer, and never end the process.
#[test]
fn random_bytes_are_read_or_refused() {
    let mut stream = Seed(2).stream("bytes");
    for _ in 0..60_000 {
        let mut bytes = Vec::new();
        while stream.below(12) > 0 {
            let word = WORDS[usize::try_from(stream.below(WORDS.len() as u64)).unwrap()];
            match stream.below(3) {
                0 => bytes.extend(stream.bits().to_le_bytes()),
                _ => bytes.extend(word.bytes()),
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        drop((json::first(&bytes), json::Fields::read(&bytes), door::route(&text)));
        drop(check::fault("slow", &text));
        drop(ledger::read(&[&ledger::MAGIC, bytes.as_slice()].concat()));
    }
}

async fn random_bodies(count: u64) {
    let rig = Rig::new().await;
    rig.proxy("a").await;
    let mut stream = Seed(1).stream("bodies");
    let mut pick = |n: usize| usize::try_from(stream.below(n as u64)).unwrap();
    for nth in 0..count {
        let body: String = (0..pick(14)).map(|_| WORDS[pick(WORDS.len())]).collect();
        let (method, path) = PATHS[pick(PATHS.len())];
        let heard = rig.say_raw(method, path, "", body.as_bytes()).await;
        let listen = heard.body.contains("listen tcp") || heard.body.contains("upstream is this proxy");
        assert!(heard.status < 500 || listen, "{method} {path} {body:?}: {heard:?}");
        if nth % 100 == 0 {
            traffic(&rig).await;
            assert_eq!(rig.say("GET", "/version", "").await.status, 200);
            // A body may have moved or removed it.
            rig.say("POST", "/populate", r#"[{"name":"a","upstream":"$UP","listen":"127.0.0.1:0"}]"#).await;
        }
    }
    assert_eq!(rig.say("GET", "/version", "").await.status, 200);
}

#[tokio::test]
async fn random_bodies_never_end_the_process_nor_meet_an_inner_error() {
    random_bodies(2_000).await;
}

#[tokio::test]
#[ignore = "100 000 requests take minutes"]
async fn full_a_hundred_thousand_random_bodies_never_meet_an_inner_error() {
    random_bodies(100_000).await;
}
