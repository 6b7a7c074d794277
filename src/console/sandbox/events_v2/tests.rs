//! The receiver over a real socket, and its rules.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::event::read;
use super::*;

fn trigger() -> Value {
    json!({
        "routing_key": "squall-staging", "event_action": "trigger", "dedup_key": "shop/http-5xx/1",
        "payload": {"summary": "shop: 60 % of answers were 5xx over 10 s", "source": "shop", "severity": "critical"},
    })
}

#[test]
fn an_event_is_read_and_its_mistakes_are_named_together() {
    let page = read(trigger().to_string().as_bytes()).unwrap();
    assert_eq!((page.action.as_str(), page.origin.as_str()), ("trigger", "shop"));
    let resolve = json!({"routing_key": "k", "event_action": "resolve", "dedup_key": "a"});
    assert_eq!(read(resolve.to_string().as_bytes()).unwrap().action, "resolve");
    let mut nameless = trigger();
    nameless["dedup_key"].take();
    assert_eq!(read(nameless.to_string().as_bytes()).unwrap().dedup_key.len(), 32, "one is made up");
    let all = read(br#"{"event_action": "trigger", "payload": {"severity": "loud"}}"#).unwrap_err();
    assert_eq!(all.len(), 4, "{all:?}");
    for (field, value, says) in [
        ("event_action", json!("explode"), "explode"),
        ("dedup_key", json!("k".repeat(256)), "255"),
        ("payload", json!({"summary": "s".repeat(1025), "source": "shop", "severity": "info"}), "1024"),
    ] {
        let mut event = trigger();
        event[field] = value;
        let wrong = read(event.to_string().as_bytes()).unwrap_err();
        assert!(wrong.iter().any(|one| one.contains(says)), "{wrong:?}");
    }
    assert_eq!(read(b"{\n  \"a\": }").unwrap_err(), ["broken JSON at line 2, column 8: expected value"]);
}

async fn send(address: SocketAddr, head: &str, host: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let text =
        format!("{head} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    // A refusal may come, and close, before the whole body is written.
    drop(stream.write_all(text.as_bytes()).await);
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn pages_reach_the_drill_and_everything_else_is_refused() {
    let (tell, mut told) = mpsc::channel(4);
    let sandbox = Sandbox::start(&Clock::start(), tell).await.unwrap();
    let (at, post) = (sandbox.address(), "POST /v2/enqueue");
    let good = trigger().to_string();
    let answer = send(at, post, "127.0.0.1", &good).await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    assert!(answer.contains(r#""dedup_key":"shop/http-5xx/1""#) && answer.contains("Event processed"), "{answer}");
    assert_eq!(told.try_recv().unwrap().dedup_key, "shop/http-5xx/1");
    let long = "x".repeat(BODY + 1);
    for (head, host, body, status) in [
        (post, "127.0.0.1", "{", 400),
        (post, "127.0.0.1", long.as_str(), 413),
        ("GET /v2/enqueue", "localhost:80", "", 404),
        ("POST /v2/change", "[::1]:80", good.as_str(), 404),
        (post, "evil.example", good.as_str(), 403),
        (post, "127.0.0.1.evil.example", good.as_str(), 403),
    ] {
        let answer = send(at, head, host, body).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{head} {host}: {answer}");
    }
    assert!(told.try_recv().is_err(), "nothing refused reaches the drill");
}
