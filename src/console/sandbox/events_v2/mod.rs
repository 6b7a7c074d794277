//! A receiver of pages on loopback that speaks PagerDuty's Events API v2: `POST /v2/enqueue`.
//!
//! It answers as the real one does, and hands every accepted page to the drill; nothing leaves the machine. Not here: what is
//! a valid event (`event`). Called by the command that runs a drill.

mod event;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::Sender;
use tokio::task::JoinHandle;

use crate::base::clock::Clock;
use crate::base::timer::Timer;
use crate::drill::director::Page;

/// Where pages are posted.
const PATH: &str = "/v2/enqueue";
/// The largest body that is read, bytes.
const BODY: usize = 64 << 10;

/// A running receiver; dropping it closes its listener.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Sandbox {
    /// Listens on a free port of loopback, in the caller's runtime; accepted pages go to `pages`.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start(clock: &Clock, pages: Sender<Page>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(accept(listener, clock.clone(), pages));
        Ok(Self { address, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where a system posts its pages.
    pub fn url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }
}

async fn accept(listener: TcpListener, clock: Clock, pages: Sender<Page>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(serve(stream, pages.clone()))),
            Err(error) => {
                tracing::warn!(%error, "a page's connection was not accepted");
                // Out of descriptors: asking again at once would only burn the core.
                if let Ok(mut timer) = Timer::new(&clock) {
                    timer.until(clock.now() + Duration::from_millis(20)).await;
                }
            }
        }
    }
}

async fn serve(stream: TcpStream, pages: Sender<Page>) {
    let service = service_fn(move |request| {
        let pages = pages.clone();
        async move { Ok::<_, Infallible>(answer(request, &pages).await) }
    });
    // A sender that goes away in the middle has sent no page.
    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
}

type Reply = Response<Full<Bytes>>;

fn reply(status: StatusCode, body: &Value) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(body.to_string())));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}

fn refusal(status: StatusCode, errors: &[String]) -> Reply {
    reply(status, &json!({"status": "invalid event", "message": "Event object is invalid", "errors": errors}))
}

async fn answer(request: Request<Incoming>, pages: &Sender<Page>) -> Reply {
    if !names_loopback(request.headers()) {
        return refusal(StatusCode::FORBIDDEN, &["the Host header must name this machine".to_owned()]);
    }
    if request.method() != Method::POST || request.uri().path() != PATH {
        let there_is = format!("there is only POST {PATH} here");
        return refusal(StatusCode::NOT_FOUND, &[there_is]);
    }
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let too_long = || refusal(StatusCode::PAYLOAD_TOO_LARGE, &[format!("an event has at most {BODY} bytes")]);
    if declared.is_some_and(|length| length > BODY) {
        return too_long();
    }
    let Ok(body) = Limited::new(request.into_body(), BODY).collect().await else { return too_long() };
    let page = match event::read(&body.to_bytes()) {
        Ok(page) => page,
        Err(errors) => return refusal(StatusCode::BAD_REQUEST, &errors),
    };
    let dedup_key = page.dedup_key.clone();
    if pages.send(page).await.is_err() {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, &["the drill is over".to_owned()]);
    }
    reply(StatusCode::ACCEPTED, &json!({"status": "success", "message": "Event processed", "dedup_key": dedup_key}))
}

/// A page from a browser under a foreign name is not for us (DNS rebinding).
fn names_loopback(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST).and_then(|value| value.to_str().ok()) else { return false };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
