//! A backend: admits requests up to the limit in flight, gives each a database connection, and renders its answer.
//!
//! ```text
//! request ─► in flight (a and b together) ─► who? ─► one connection ─► pages, account, cart, orders ─► answer
//!               full: 503 at once                      none in 2 s: 503
//! ```
//!
//! No handler sleeps: what takes time is the database. A request whose client goes away is dropped where it stands.
//! The backup `dr` is outside the limit in flight; users of the control cohort are answered there without a database.

mod account;
mod cart;
mod control;
mod orders;
mod pages;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::gateway::balance::{DR, NAMES};
use super::inside::{Inside, Kept};
use super::leaks::Leak;
use super::owner::Owner;
use super::releases::Release;
use super::serve::{Reply, holding, json_reply, read_body, read_json, refusal};
use super::store::pool::{Held, Trouble};
use super::store::queries::Line;
use super::switchboard::Writes;
use super::weakness::{drag, mini_cart, private_key};

/// One of the backends.
#[derive(Clone, Debug)]
pub(super) struct Backend {
    inside: Arc<Inside>,
    index: usize,
}

/// A request that was admitted and has its connection.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) inside: Arc<Inside>,
    pub(super) held: Held,
    pub(super) owner: Option<Owner>,
    /// The number of the request.
    pub(super) request: u64,
    /// True when the visitor gets the smart cart.
    pub(super) smart_cart: bool,
    /// The release that serves this request, and the draw that chose it.
    pub(super) release: Release,
    pub(super) draw: u64,
    /// The request as its sender names it.
    pub(super) name: String,
    /// The place of the backend that serves it; the backup's catalogue is as old as the shop.
    pub(super) index: usize,
}

/// What a handler was asked, besides who asks.
#[derive(Debug)]
struct Asked {
    method: Method,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Bytes,
}

/// Which release serves a request, and by which draw of its name.
struct Served {
    name: String,
    draw: u64,
    release: Release,
}

/// A request whose body is still to be read.
struct Question {
    method: Method,
    path: String,
    query: String,
    headers: HeaderMap,
    served: Served,
}

/// A request's name: the trace of its `traceparent`, its `X-Request-Id`, or a number of the shop's own.
fn name_of(headers: &HeaderMap, inside: &Inside) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let trace = text("traceparent").and_then(|parent| parent.split('-').nth(1)).filter(|trace| trace.len() == 32);
    let name = trace.or_else(|| text("x-request-id").filter(|id| (1..=100).contains(&id.len())));
    name.map_or_else(|| format!("r-{}", inside.counters.named.fetch_add(1, Ordering::Relaxed)), str::to_owned)
}

/// Why a handler gives no answer.
#[derive(Debug)]
enum Refusal {
    Unknown,
    SignIn,
    Wrong(String),
    Json(Box<Reply>),
    Trouble(Trouble),
    /// The shop takes no changes at the moment.
    ReadOnly,
    /// The pricing service gave none; why.
    NoPrices(String),
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl Backend {
    pub(super) fn new(inside: Arc<Inside>, index: usize) -> Self {
        Self { inside, index }
    }

    /// Answers one request.
    pub(super) async fn answer(self, request: Request<Incoming>) -> Reply {
        let (head, body) = request.into_parts();
        let name = name_of(&head.headers, &self.inside);
        let draw = self.inside.settings.seed.key(&name, &[]);
        let release = self.inside.board().rolling().serving(self.index).of(draw);
        let mut reply = match head.uri.path() {
            "/healthz" => json_reply(StatusCode::OK, &json!({"ok": true})),
            "/readyz" => self.ready().await,
            path => {
                let path = path.to_owned();
                let query = head.uri.query().unwrap_or_default().to_owned();
                let served = Served { name: name.clone(), draw, release };
                self.admit(Question { method: head.method, path, query, headers: head.headers, served }, body).await
            }
        };
        let headers = reply.headers_mut();
        headers.insert("x-backend", HeaderValue::from_static(NAMES[self.index]));
        headers.insert("x-release", HeaderValue::from_static(release.name()));
        headers.entry("x-cache").or_insert(HeaderValue::from_static("none"));
        if let Ok(name) = HeaderValue::from_str(&name) {
            headers.insert("x-request-id", name);
        }
        reply
    }

    async fn ready(&self) -> Reply {
        match self.inside.pools[self.index].take().await {
            Ok(_) => json_reply(StatusCode::OK, &json!({"ready": true})),
            Err(trouble) => refusal(StatusCode::SERVICE_UNAVAILABLE, "not_ready", &trouble.to_string()),
        }
    }

    async fn admit(&self, question: Question, body: Incoming) -> Reply {
        let flight = if self.index == DR { None } else { Flight::enter(&self.inside) };
        if flight.is_none() && self.index != DR {
            let limit = self.inside.settings.in_flight;
            let reason = format!("{limit} requests are in flight, which is the limit; try again later");
            return refusal(StatusCode::SERVICE_UNAVAILABLE, "too_many_in_flight", &reason);
        }
        let body = match read_body(body).await {
            Ok(body) => body,
            Err(refused) => return *refused,
        };
        let Question { method, path, query, headers, served } = question;
        let owner = match self.inside.keys.who(&headers) {
            Ok(owner) => owner,
            Err(reason) => return refusal(StatusCode::UNAUTHORIZED, "who", reason),
        };
        let asked = Asked { method, path, query, headers, body };
        if self.index == DR && asked.headers.get("x-cohort").is_some_and(|cohort| cohort == "control") {
            return control::answer(&self.inside, owner, &asked).unwrap_or_else(|refused| self.refused(refused));
        }
        let (reply, held) = match self.visit(owner, served).await {
            Ok(mut visit) => {
                let reply = visit.answer(&asked).await.unwrap_or_else(|refused| self.refused(refused));
                (reply, Some(visit.held))
            }
            Err(trouble) => (self.refused(trouble.into()), None),
        };
        holding(reply, (held, flight.map(Flight::answered)))
    }

    async fn visit(&self, owner: Option<Owner>, served: Served) -> Result<Visit, Trouble> {
        let held = self.inside.pools[self.index].take().await?;
        let Served { name, draw, release } = served;
        // Read after the wait: a flag that was switched off meanwhile must not act any more.
        let serving = self.inside.board().serving(self.index);
        let covered = owner.is_some_and(|owner| serving.covers(owner.bucket(self.inside.settings.seed)));
        let smart_cart = covered && release != Release::R40;
        if smart_cart {
            self.inside.counters.smart_carts.fetch_add(1, Ordering::Relaxed);
        }
        let request = self.inside.next_request();
        let index = self.index;
        Ok(Visit { inside: Arc::clone(&self.inside), held, owner, request, smart_cart, release, draw, name, index })
    }

    fn refused(&self, refused: Refusal) -> Reply {
        match refused {
            Refusal::Unknown => refusal(StatusCode::NOT_FOUND, "not_found", "the shop has no such page"),
            Refusal::SignIn => refusal(StatusCode::UNAUTHORIZED, "who", "sign in: POST /api/login, or X-User: t1-1"),
            Refusal::Wrong(reason) => refusal(StatusCode::BAD_REQUEST, "bad_request", &reason),
            Refusal::Json(reply) => *reply,
            Refusal::Trouble(trouble @ Trouble::Refused(_)) => {
                tracing::warn!(%trouble, "a request failed");
                refusal(StatusCode::INTERNAL_SERVER_ERROR, "database", "the database refused a statement")
            }
            Refusal::ReadOnly => {
                self.inside.counters.refused_read_only.fetch_add(1, Ordering::Relaxed);
                refusal(StatusCode::SERVICE_UNAVAILABLE, "read_only", "the shop takes no changes at the moment")
            }
            Refusal::NoPrices(reason) => refusal(StatusCode::SERVICE_UNAVAILABLE, "no_prices", &reason),
            Refusal::Trouble(trouble) => {
                self.inside.counters.refused_connection.fetch_add(1, Ordering::Relaxed);
                refusal(StatusCode::SERVICE_UNAVAILABLE, "no_connection", &trouble.to_string())
            }
        }
    }
}

impl Visit {
    async fn answer(&mut self, asked: &Asked) -> Result<Reply, Refusal> {
        if asked.method != Method::GET && self.inside.board().writes() == Writes::Refused {
            return Err(Refusal::ReadOnly);
        }
        drag(self).await?;
        let segments: Vec<&str> = asked.path.split('/').filter(|segment| !segment.is_empty()).collect();
        match (asked.method.as_str(), segments.as_slice()) {
            ("GET", []) => pages::page(self, 0).await,
            ("GET", ["p", page]) => pages::page(self, pages::number(page)?).await,
            ("GET", ["api", "catalog"]) => pages::catalog(self, &asked.query).await,
            ("POST", ["api", "login"]) => account::login(self, &asked.json()?).await,
            ("GET", ["api", "me"]) => account::me(self).await,
            ("GET", ["api", "profile"]) => account::profile(self).await,
            ("PUT", ["api", "profile"]) => account::write_profile(self, &asked.json()?).await,
            ("GET", ["api", "cart"]) => cart::cart(self).await,
            ("POST", ["api", "cart", "items"]) => cart::add(self, &asked.json()?).await,
            ("POST", ["api", "checkout"]) => orders::check_out(self, &asked.headers).await,
            ("POST", ["api", "orders"]) => orders::place(self, &asked.headers).await,
            ("GET", ["api", "orders"]) => orders::list(self).await,
            ("GET", ["api", "orders", id]) => orders::show(self, id).await,
            _ => Err(Refusal::Unknown),
        }
    }

    /// Today's prices, where pages ask for them.
    async fn prices(&self) -> Result<(), Refusal> {
        match &self.inside.prices {
            Some(prices) => prices[self.index].ask().await.map_err(Refusal::NoPrices),
            None => Ok(()),
        }
    }

    /// A private answer whose own part is cached with whose it is, and made by `fetch` when it is not there.
    async fn cached_part<F>(&self, part: &str, path: &str, fetch: F) -> Result<Reply, Refusal>
    where
        F: AsyncFnOnce() -> Result<Value, Refusal>,
    {
        let viewer = self.owner()?;
        let key = private_key(self.release, part, viewer);
        if let Some(Kept::Private(owner, value)) = self.inside.cached(&key) {
            if owner != viewer {
                let (request, path) = (self.name.clone(), path.to_owned());
                self.inside.leaks().add(Leak { request, viewer, owner, path });
            }
            return self.marked(owner, &value, "hit").await;
        }
        let value = Arc::new(fetch().await?);
        self.inside.keep(&key, Kept::Private(viewer, Arc::clone(&value)));
        self.marked(viewer, &value, "miss").await
    }

    async fn marked(&self, owner: Owner, part: &Value, mark: &'static str) -> Result<Reply, Refusal> {
        let lines = mini_cart(self).await?;
        let mut reply = json_reply(StatusCode::OK, &self.private(owner, &lines, part.clone()));
        reply.headers_mut().insert("x-cache", HeaderValue::from_static(mark));
        Ok(reply)
    }

    /// Who visits, for what only a signed-in visitor may see.
    fn owner(&self) -> Result<Owner, Refusal> {
        self.owner.ok_or(Refusal::SignIn)
    }

    /// A private answer: `data` with the owner's tag, tenant and user, and with the mini-cart that every page renders.
    fn private(&self, owner: Owner, lines: &[Line], mut data: Value) -> Value {
        data["owner_tag"] = json!(self.inside.keys.tag(owner));
        data["tenant_id"] = json!(owner.tenant_id());
        data["user"] = json!(owner.user);
        data["mini_cart"] = summary(lines);
        data
    }
}

/// The mini-cart: how many lines, and what they cost.
fn summary(lines: &[Line]) -> Value {
    json!({"lines": lines.len(), "total_cents": total(lines)})
}

fn total(lines: &[Line]) -> i64 {
    lines.iter().map(|line| line.quantity * line.product.price_cents).sum()
}

impl Asked {
    fn json(&self) -> Result<Value, Refusal> {
        read_json(&self.body).map_err(Refusal::Json)
    }
}

/// A place in flight; freed when dropped, whether the answer was written or the client has gone.
#[derive(Debug)]
struct Flight {
    inside: Arc<Inside>,
    answered: bool,
}

impl Flight {
    fn enter(inside: &Arc<Inside>) -> Option<Self> {
        let limit = u64::from(inside.settings.in_flight);
        let entered = inside
            .counters
            .in_flight
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| (now < limit).then_some(now + 1));
        if entered.is_err() {
            inside.counters.refused_in_flight.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(Self { inside: Arc::clone(inside), answered: false })
    }

    fn answered(mut self) -> Self {
        self.answered = true;
        self
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.inside.counters.in_flight.fetch_sub(1, Ordering::Relaxed);
        if !self.answered {
            self.inside.counters.abandoned.fetch_add(1, Ordering::Relaxed);
        }
    }
}
