//! What the shop does when it is in trouble: it refuses at once, pages once, and lets go of what nobody waits for.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::*;
use crate::staging::store::filling::block_writers;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes one HTTP request, answers 202, gives the body.
async fn page(receiver: &TcpListener) -> Value {
    let (mut stream, _) = receiver.accept().await.unwrap();
    let mut text = String::new();
    loop {
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await.unwrap();
        text.push_str(std::str::from_utf8(&chunk[..read]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length: usize =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
        if body.len() == length {
            assert!(head.starts_with("POST /v2/enqueue HTTP/1.1"), "{head}");
            stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            return serde_json::from_str(body).unwrap();
        }
    }
}

#[test]
fn above_the_limit_in_flight_requests_are_refused_and_somebody_is_paged_once() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let receiver = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (clock, hand) = Clock::manual();
        let settings = Settings {
            in_flight: 0,
            alerts_to: Some(format!("http://{}/v2/enqueue", receiver.local_addr().unwrap())),
            ..settings(clock, &database)
        };
        let shop = Shop::start(settings).await.unwrap();
        for _ in 0..30 {
            let (status, refused) = ask(&shop, "GET /", "t1-1", "").await;
            assert_eq!((status, &refused["error"]), (503, &json!("too_many_in_flight")));
        }
        hand.advance(Duration::from_secs(1));
        let trigger = timeout(PATIENCE, page(&receiver)).await.unwrap();
        assert_eq!(
            (&trigger["event_action"], &trigger["payload"]["severity"]),
            (&json!("trigger"), &json!("critical"))
        );
        assert_eq!(trigger["payload"]["custom_details"]["status_5xx"], 30);
        until(&shop, |state| state["alert"]["open"] == true).await;
        // No request any more: each of these seconds is judged, and after the window and ten more it is over.
        let mut resolve = Box::pin(page(&receiver));
        let mut resolved = None;
        for _ in 0..40 {
            hand.advance(Duration::from_secs(1));
            let (_, state) = admin(&shop, "GET /admin/state", &[], "").await;
            if state["alert"]["open"] == false {
                resolved = Some(timeout(PATIENCE, resolve.as_mut()).await.unwrap());
                break;
            }
        }
        let resolved = resolved.expect("the page was never resolved");
        assert_eq!(resolved["event_action"], "resolve");
        assert_eq!(resolved["dedup_key"], trigger["dedup_key"]);
        shop.stop().await;
    });
}

#[test]
fn a_client_that_goes_away_frees_its_place_and_its_connection() {
    let database = Embedded::start().unwrap();
    runtime().block_on(async {
        let shop = Shop::start(settings(Clock::start(), &database)).await.unwrap();
        let blocker = block_writers(&database.url()).await;
        let mut client = TcpStream::connect(shop.gateway()).await.unwrap();
        let body = r#"{"product":1}"#;
        let head =
            format!("POST /api/cart/items HTTP/1.1\r\nhost: x\r\nx-user: t1-1\r\ncontent-length: {}", body.len());
        client.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await.unwrap();
        until(&shop, |state| state["in_flight"]["now"] == 1).await;
        drop(client);
        until(&shop, |state| state["in_flight"]["now"] == 0).await;
        let (_, truth) = admin(&shop, "GET /admin/truth", &[], "").await;
        assert_eq!(truth["requests"]["abandoned"], 1);
        drop(blocker);
        assert_eq!(ask(&shop, "POST /api/cart/items", "t1-1", body).await.0, 201);
        shop.stop().await;
    });
}
