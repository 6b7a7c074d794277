//! The public address: shares requests out to the backends in turn, and keeps the shop's own account of every second.
//!
//! It waits for nothing but the backend. When a client goes away, its request is dropped here and at the backend, and
//! counted as abandoned. Not here: health checks, weights, a second try on another backend.

pub(in crate::staging) mod seconds;
mod upstream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderMap, HeaderName, TRANSFER_ENCODING};
use hyper::{Request, Response, StatusCode};
use serde_json::json;

use self::seconds::Ending;
use self::upstream::Upstream;
use super::inside::Inside;
use super::serve::{Reply, json_reply, read_body, refusal, reply};
use crate::base::clock::Tick;

/// The most requests per second that the handshake allows.
const MAX_RATE: u32 = 5_000;

/// Headers that belong to one connection and are not passed on.
const OWN: [HeaderName; 3] = [CONNECTION, TRANSFER_ENCODING, HeaderName::from_static("keep-alive")];

#[derive(Debug)]
pub(super) struct Gateway {
    inside: Arc<Inside>,
    upstreams: [Arc<Upstream>; 2],
    turn: AtomicUsize,
}

impl Gateway {
    pub(super) fn new(inside: Arc<Inside>, backends: [SocketAddr; 2]) -> Arc<Self> {
        Arc::new(Self { inside, upstreams: backends.map(Upstream::new), turn: AtomicUsize::new(0) })
    }

    /// Answers one request.
    pub(super) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Reply {
        match request.uri().path() {
            "/.well-known/squall-target" => self.handshake(),
            "/healthz" | "/readyz" => self.forward(request).await,
            _ => {
                let mut passage = Passage::enter(Arc::clone(&self.inside));
                let reply = self.forward(request).await;
                passage.ending = Ending::Status(reply.status().as_u16());
                reply
            }
        }
    }

    fn handshake(&self) -> Reply {
        let id = &self.inside.settings.id;
        json_reply(
            StatusCode::OK,
            &json!({"environment": "staging", "allow_drill": true, "id": id, "max_rate": MAX_RATE}),
        )
    }

    async fn forward(&self, request: Request<Incoming>) -> Reply {
        let (head, body) = request.into_parts();
        let body = match read_body(body).await {
            Ok(body) => body,
            Err(refused) => return *refused,
        };
        let mut onward = Request::new(Full::new(body));
        *onward.method_mut() = head.method;
        *onward.uri_mut() = head.uri;
        *onward.headers_mut() = passed_on(head.headers);
        let upstream = &self.upstreams[self.turn.fetch_add(1, Ordering::Relaxed) % self.upstreams.len()];
        match upstream.send(onward).await {
            Ok(answer) => passed_back(answer),
            Err(reason) => refusal(StatusCode::BAD_GATEWAY, "bad_gateway", &reason),
        }
    }
}

fn passed_on(mut headers: HeaderMap) -> HeaderMap {
    for name in &OWN {
        headers.remove(name);
    }
    headers
}

fn passed_back(answer: Response<Bytes>) -> Reply {
    let (head, body) = answer.into_parts();
    let mut back = reply(head.status, "application/octet-stream", body);
    *back.headers_mut() = passed_on(head.headers);
    back
}

/// A request on its way through the gateway, counted when it leaves however it leaves.
#[derive(Debug)]
struct Passage {
    inside: Arc<Inside>,
    arrived: Tick,
    ending: Ending,
}

impl Passage {
    fn enter(inside: Arc<Inside>) -> Self {
        let arrived = inside.now();
        inside.seconds().arrived(arrived);
        // Until there is an answer: dropped before that means that the client has gone.
        Self { inside, arrived, ending: Ending::Abandoned }
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        let now = self.inside.now();
        self.inside.seconds().ended(self.arrived, now, self.ending);
    }
}
