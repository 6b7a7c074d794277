//! Sends pages: HTTP POST to an address on loopback, in order, a few tries each.
//!
//! Called by the caretaker, which hands over what the alert decided.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::handshake;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use super::inside::Inside;
use crate::base::timer::Timer;

/// The longest a try takes.
const PATIENCE: Duration = Duration::from_secs(5);
/// Tries per page, a second apart.
const TRIES: u32 = 5;

/// Where pages go: an `http://` address on loopback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Receiver {
    socket: SocketAddr,
    path: String,
}

impl Receiver {
    /// Reads `http://127.0.0.1:9000/v2/enqueue`; why not, when it is something else.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is not an http:// address on loopback, such as http://127.0.0.1:9000/v2/enqueue");
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let host = if host == "localhost" { "127.0.0.1" } else { host };
        let address: IpAddr = host.parse().map_err(|_| wrong())?;
        if uri.scheme_str() != Some("http") || !address.is_loopback() {
            return Err(wrong());
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { socket: SocketAddr::new(address, uri.port_u16().unwrap_or(80)), path })
    }

    async fn post(&self, event: &Value) -> Result<(), String> {
        let stream = TcpStream::connect(self.socket).await.map_err(|error| error.to_string())?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        let request = Request::post(&self.path)
            .header(HOST, self.socket.to_string())
            .header(CONTENT_TYPE, "application/json")
            .header(CONNECTION, "close")
            .body(Full::new(Bytes::from(event.to_string())))
            .map_err(|error| error.to_string())?;
        let exchange = async {
            let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
            let status = answer.status();
            // Read to the end, so that the receiver does not see a cut connection.
            drop(answer.into_body().collect().await);
            if status.is_success() { Ok(()) } else { Err(format!("it answered {status}")) }
        };
        let driver = tokio::spawn(connection);
        let sent = timeout(PATIENCE, exchange).await;
        driver.abort();
        sent.map_err(|_| format!("it did not answer within {} s", PATIENCE.as_secs()))?
    }
}

/// Sends what comes through `pages` until the shop ends.
pub(super) async fn send(inside: Arc<Inside>, mut pages: UnboundedReceiver<(Receiver, Value)>) {
    let clock = inside.settings.clock.clone();
    let Ok(mut timer) = Timer::new(&clock) else { return };
    while let Some((receiver, event)) = pages.recv().await {
        let mut sent = Err(String::new());
        for _ in 0..TRIES {
            sent = receiver.post(&event).await;
            if sent.is_ok() {
                break;
            }
            timer.until(clock.now() + Duration::from_secs(1)).await;
        }
        let outcome = sent.err().map_or_else(|| "sent".to_owned(), |reason| format!("not sent: {reason}"));
        let data = json!({"action": event["event_action"], "dedup_key": event["dedup_key"], "outcome": outcome});
        inside.log.event("page", clock.now(), &data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_go_to_loopback_only() {
        let receiver = Receiver::parse("http://127.0.0.1:9000/v2/enqueue?a=1").unwrap();
        assert_eq!((receiver.socket.port(), receiver.path.as_str()), (9000, "/v2/enqueue?a=1"));
        assert!(Receiver::parse("http://localhost:1").is_ok() && Receiver::parse("http://[::1]:1/x").is_ok());
        for wrong in
            ["https://127.0.0.1/", "http://10.0.0.1/", "http://events.pagerduty.com/v2/enqueue", "nonsense", ""]
        {
            assert!(Receiver::parse(wrong).is_err(), "{wrong}");
        }
    }
}
