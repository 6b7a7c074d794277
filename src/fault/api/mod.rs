//! The control plane over HTTP: the Toxiproxy 2.x API, squall's own routes beside it, and metrics.
//!
//! No route waits for data: a change is made under a short lock, and workers confirm after a sweep of their links.
//!
//! | file | holds |
//! |---|---|
//! | `door` | who may speak, which route is meant, headers |
//! | `compat` | the calls of published clients |
//! | `book` | what those clients have written |
//! | `attributes` `json` `address` `errors` `reply` | reading, and refusing |
//! | `own` `runs` `events` `metrics` | squall's own routes |
//!
//! Called by `cli::proxy`.

mod address;
mod attributes;
mod book;
mod compat;
mod door;
mod errors;
mod events;
mod json;
mod metrics;
mod own;
mod reply;
mod runs;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Collected, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use super::{FaultError, Proxies, ProxySpec};
use crate::base::secret::Secret;
use crate::plan::fault::Fault;
use crate::plan::fault::rule::Speaks;
use crate::plan::guard::{Guard, Net};
use book::Book;
use errors::Refusal;
use events::Body;

/// How long the dial of a proxied connection may take.
const DIAL: Duration = Duration::from_secs(5);
/// Bytes that may wait in each direction of a connection.
const BUFFER: usize = 8 << 20;

/// Who may command, who may be dialled, where may be listened.
#[derive(Debug, Default)]
pub struct Gate {
    /// For every upstream.
    pub guard: Guard,
    /// Listeners may be outside of loopback within these.
    pub listen: Vec<Net>,
    /// Names of the API's host beside loopback and `localhost`.
    pub hosts: Vec<String>,
    /// Must come as `Authorization: Bearer …`; the API may be off loopback only with one.
    pub token: Option<Secret>,
}

/// The control plane of one process.
#[derive(Debug)]
pub struct Api {
    proxies: Proxies,
    gate: Gate,
    /// The life of a toxic made by a client that cannot renew, from its last change; `None`: until it is removed.
    ttl: Option<Duration>,
    book: Mutex<Book>,
    requests: AtomicU64,
}

impl Api {
    /// A control plane for `proxies`.
    pub fn new(proxies: Proxies, gate: Gate, ttl: Option<Duration>) -> Self {
        Self { proxies, gate, ttl, book: Mutex::default(), requests: AtomicU64::new(0) }
    }

    /// Makes a proxy with faults in force before it listens, outside of any request; gives its address.
    ///
    /// # Errors
    /// Addresses that are refused or cannot be used, and names that are taken, in words.
    pub async fn add(
        &self,
        name: &str,
        (listen, upstream): (&str, &str),
        faults: Vec<Fault>,
    ) -> Result<SocketAddr, String> {
        let made = async {
            let from = address::listen(listen, &self.gate.listen).await?;
            let to = address::upstream(upstream, &self.gate.guard).await?;
            let spec = ProxySpec { listen: from, ..spec(name, to) };
            Ok::<_, Refusal>(self.proxies.add_with(spec, faults).await?)
        };
        made.await.map_err(|refusal| refusal.message)
    }

    /// What `POST /populate` does with `body`, for a file in that form.
    ///
    /// # Errors
    /// The refusal, in words.
    pub async fn populate_from(&self, body: &[u8]) -> Result<(), String> {
        let reply = self.populate(body).await.map_err(|refusal| refusal.message)?;
        if reply.status == 201 { Ok(()) } else { Err(reply.body) }
    }

    /// Answers requests on `listener` for ever. Ends when dropped.
    ///
    /// # Errors
    /// When connections cannot be accepted any more.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) -> Result<(), FaultError> {
        loop {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a control connection was not accepted");
                    tokio::task::yield_now().await;
                    continue;
                }
            };
            stream.set_nodelay(true).ok();
            let api = Arc::clone(&self);
            let service = service_fn(move |request| {
                let api = Arc::clone(&api);
                async move { Ok::<_, Infallible>(api.answer(request).await) }
            });
            tokio::spawn(async move {
                // A client that goes away in the middle is its own affair.
                http1::Builder::new().pipeline_flush(true).serve_connection(TokioIo::new(stream), service).await.ok();
            });
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let Some(route) = door::route(head.uri.path()) else { return whole(door::unknown()) };
        let listens = head.method == Method::GET && route == door::Route::Own(vec!["events".to_owned()]);
        let own = matches!(route, door::Route::Own(_));
        let done = async {
            door::admit(&head.headers, &self.gate)?;
            if listens {
                return Ok(None);
            }
            let body = Limited::new(body, json::LONGEST).collect().await.map(Collected::to_bytes);
            let body = body.map_err(|_| Refusal::body(format!("longer than {} bytes", json::LONGEST)))?;
            self.dispatch(&head.method, route, &body).await.map(Some)
        };
        let refused = |refusal: Refusal| if own { own::refused(&refusal) } else { refusal.into() };
        match done.await {
            Ok(None) => events::answer(self.proxies.clone()),
            Ok(Some(reply)) => whole(door::dress(reply, &self.requests)),
            Err(refusal) => whole(door::dress(refused(refusal), &self.requests)),
        }
    }
}

fn whole(response: Response<Full<Bytes>>) -> Response<Body> {
    response.map(BodyExt::boxed)
}

/// A proxy as the API makes them; where it listens is filled in.
fn spec(name: &str, upstream: SocketAddr) -> ProxySpec {
    ProxySpec {
        name: name.to_owned(),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        upstream,
        dial_timeout: DIAL,
        buffer: BUFFER,
        base: Vec::new(),
        speaks: Speaks::default(),
    }
}
