//! The public address: limits, shares requests out to the backends, and keeps the shop's own account of every second.
//!
//! ```text
//! request ─► limits ─► control cohort? ─► dr, without the database
//!                                     └─► balancer ─► backend, or one other if its connection fails and nothing is done twice
//! ```
//! It waits for nothing but the backend. When a client goes away, its request is dropped here and at the backend, and
//! counted as abandoned. Which backend is fit is decided in `balance`; `probe` asks them.

pub(in crate::staging) mod balance;
pub(in crate::staging) mod probe;
pub(in crate::staging) mod seconds;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;

use self::balance::{DR, NAMES};
use self::seconds::Ending;
use super::inside::Inside;
use super::limiter::{Limits, Sender, class_of};
use super::owner::Owner;
use super::serve::{Reply, json_reply, read_body, refusal, reply};
use super::upstream::Upstream;
use crate::base::clock::Tick;

/// The most requests per second that the handshake allows.
const MAX_RATE: u32 = 5_000;

/// Headers that belong to one connection and are not passed on.
const OWN: [HeaderName; 3] = [CONNECTION, TRANSFER_ENCODING, HeaderName::from_static("keep-alive")];

#[derive(Debug)]
pub(super) struct Gateway {
    inside: Arc<Inside>,
    upstreams: [Arc<Upstream>; NAMES.len()],
}

/// A request that has been read, so that it can be sent twice.
struct Kept {
    head: Parts,
    body: Bytes,
}

impl Kept {
    fn onward(&self) -> Request<Full<Bytes>> {
        let mut onward = Request::new(Full::new(self.body.clone()));
        onward.method_mut().clone_from(&self.head.method);
        onward.uri_mut().clone_from(&self.head.uri);
        onward.headers_mut().clone_from(&self.head.headers);
        onward
    }

    /// True when doing it twice does nothing more than doing it once.
    fn is_idempotent(&self) -> bool {
        [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT, Method::DELETE].contains(&self.head.method)
    }
}

impl Gateway {
    pub(super) fn new(inside: Arc<Inside>, backends: [SocketAddr; NAMES.len()]) -> Arc<Self> {
        Arc::new(Self { inside, upstreams: backends.map(Upstream::new) })
    }

    /// Answers one request.
    pub(super) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Reply {
        match request.uri().path() {
            "/.well-known/squall-target" => self.handshake(),
            "/healthz" | "/readyz" => self.forward(request).await,
            _ => {
                let mut passage = Passage::enter(Arc::clone(&self.inside));
                let reply = match self.limited(&request) {
                    Some(refused) => refused,
                    None => self.forward(request).await,
                };
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

    /// The refusal of a request that is above a limit.
    fn limited(&self, request: &Request<Incoming>) -> Option<Reply> {
        let board = self.inside.board();
        if *board.limits() == Limits::default() {
            return None;
        }
        let limits = board.limits().clone();
        drop(board);
        let tenant = self.inside.keys.who(request.headers()).ok().flatten().map(Owner::tenant_id);
        let sender = Sender { tenant: tenant.as_deref(), class: class_of(request.uri().path()) };
        let again = self.inside.limiter().pass(&limits, sender, self.inside.now()).err()?;
        let mut refused = refusal(StatusCode::TOO_MANY_REQUESTS, "throttled", "above a limit of the shop; try later");
        refused.headers_mut().insert(RETRY_AFTER, HeaderValue::from(again));
        Some(refused)
    }

    async fn forward(&self, request: Request<Incoming>) -> Reply {
        let (mut head, body) = request.into_parts();
        let body = match read_body(body).await {
            Ok(body) => body,
            Err(refused) => return *refused,
        };
        head.headers = passed_on(head.headers);
        let kept = Kept { head, body };
        if is_control(&kept.head.headers) {
            return self.exchange(DR, &kept).await.unwrap_or_else(|reason| bad_gateway(&reason));
        }
        let Some(first) = self.pick(None) else {
            return refusal(StatusCode::BAD_GATEWAY, "no_backend", "no backend is in service");
        };
        let reason = match self.exchange(first, &kept).await {
            Ok(answer) => return answer,
            Err(reason) => reason,
        };
        let again = self.inside.board().balance().retry && kept.is_idempotent();
        match self.pick(Some(first)).filter(|other| again && *other != first) {
            Some(other) => self.exchange(other, &kept).await.unwrap_or_else(|reason| bad_gateway(&reason)),
            None => bad_gateway(&reason),
        }
    }

    fn pick(&self, not: Option<usize>) -> Option<usize> {
        let now = self.inside.now();
        let mut balancer = self.inside.balancer();
        let board = self.inside.board();
        if balancer.config() != board.balance() {
            balancer.configure(board.balance().clone());
        }
        drop(board);
        balancer.pick(not, now)
    }

    async fn exchange(&self, backend: usize, kept: &Kept) -> Result<Reply, String> {
        let answered = self.upstreams[backend].send(kept.onward()).await;
        let (well, now) = (answered.as_ref().map(drop).map_err(drop), self.inside.now());
        if self.inside.balancer().connected(backend, well, now) {
            self.inside.log.event("ejected", now, &json!({"backend": NAMES[backend]}));
        }
        answered.map(passed_back)
    }
}

/// True for users that a drill must not touch.
fn is_control(headers: &HeaderMap) -> bool {
    headers.get("x-cohort").is_some_and(|cohort| cohort == "control")
}

fn bad_gateway(reason: &str) -> Reply {
    refusal(StatusCode::BAD_GATEWAY, "bad_gateway", reason)
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
