//! Requests to a system's admin side, and to its handshake: one connection each, one limit of time, a bearer token.
//!
//! The address is pinned when the endpoint is made; nothing here resolves names. Not here: what is asked (`lever`, `probe`).

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::LeverError;
use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::base::timer::Timer;

/// Longest time from dialling to the last byte of the answer, unless the lever says otherwise.
pub const LIMIT: Duration = Duration::from_secs(2);
/// Longest body that is read, bytes.
const BODY: usize = 1 << 20;

/// Gives the pinned addresses of a host that may be sent traffic, or says why it may not be.
pub type Vouch = dyn Fn(&str, u16) -> Result<SocketAddr, String> + Send + Sync;

/// The strictest [`Vouch`]: loopback only.
///
/// # Errors
/// When `host` is not a loopback address or `localhost`.
pub fn loopback_only(host: &str, port: u16) -> Result<SocketAddr, String> {
    let bare = host.trim_matches(['[', ']']);
    let address = if bare == "localhost" { Some(IpAddr::V4(Ipv4Addr::LOCALHOST)) } else { bare.parse().ok() };
    match address.filter(IpAddr::is_loopback) {
        Some(address) => Ok(SocketAddr::new(address, port)),
        None => Err(format!("`{host}` is not on loopback; name it in squall.targets.ron if it may be shaken")),
    }
}

/// One side of a system: where it listens, and the token it wants.
#[derive(Clone, Debug)]
pub struct Endpoint {
    address: SocketAddr,
    /// As the `Host` header and messages name it.
    authority: String,
    token: Option<Secret>,
    clock: Clock,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// `GET`, `PUT`, `POST`, `DELETE`.
    pub method: &'a str,
    /// Path, with its query.
    pub path: &'a str,
    /// JSON body; empty for none.
    pub json: &'a str,
    /// Value of `X-Squall-Lease`; empty for none.
    pub lease: &'a str,
    /// Longest time from dialling to the last byte of the answer.
    pub limit: Duration,
}

impl<'a> Ask<'a> {
    /// A plain request.
    pub fn new(method: &'a str, path: &'a str, json: &'a str) -> Self {
        Self { method, path, json, lease: "", limit: LIMIT }
    }

    /// Asks for `path`.
    pub fn get(path: &'a str) -> Self {
        Self::new("GET", path, "")
    }
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body, at most 1 MiB.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON, `null` when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The answer itself when it is a 2xx, else the mistake that names the request.
    ///
    /// # Errors
    /// When the status is not 2xx.
    pub fn accepted(self, ask: &Ask<'_>) -> Result<Self, LeverError> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let text: String = String::from_utf8_lossy(&self.body).chars().take(160).collect();
        let (method, path) = (ask.method.to_owned(), ask.path.to_owned());
        Err(LeverError::Refused { method, path, status: self.status, text })
    }
}

impl Endpoint {
    /// The side that listens on `address`.
    pub fn new(address: SocketAddr, token: Option<Secret>, clock: &Clock) -> Self {
        Self { address, authority: address.to_string(), token, clock: clock.clone() }
    }

    /// The side at an `http://host:port` address that `vouch` lets pass.
    ///
    /// # Errors
    /// When it is no such address, or may not be sent traffic.
    pub fn at(url: &str, token: Option<Secret>, clock: &Clock, vouch: &Vouch) -> Result<Self, LeverError> {
        let refused = |why: String| LeverError::Address { url: url.to_owned(), why };
        let uri: Uri = url.parse().map_err(|_| refused("it is not a URL".to_owned()))?;
        if uri.scheme_str() != Some("http") {
            return Err(refused("only http:// is built".to_owned()));
        }
        let host = uri.host().ok_or_else(|| refused("it names no host".to_owned()))?;
        let address = vouch(host, uri.port_u16().unwrap_or(80)).map_err(refused)?;
        let authority = uri.authority().map_or_else(|| address.to_string(), ToString::to_string);
        Ok(Self { address, authority, token, clock: clock.clone() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its host as it was written.
    pub fn host(&self) -> String {
        let end = self.authority.rfind(':').filter(|_| !self.authority.ends_with(']')).unwrap_or(self.authority.len());
        self.authority.chars().take(end).collect()
    }

    /// The whole URL of `path`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.authority)
    }

    /// Sends `ask`; any status is an answer.
    ///
    /// # Errors
    /// No connection, no answer in time, or one that is not HTTP.
    pub async fn send(&self, ask: &Ask<'_>) -> Result<Answer, LeverError> {
        let broken = |source: io::Error| LeverError::Io { address: self.authority.clone(), source };
        let mut timer = Timer::new(&self.clock).map_err(broken)?;
        let exchange = pin!(self.exchange(ask));
        tokio::select! {
            biased;
            answer = exchange => answer.map_err(broken),
            () = timer.until(self.clock.now() + ask.limit) => Err(LeverError::Late {
                method: ask.method.to_owned(),
                url: self.url(ask.path),
                limit_s: ask.limit.as_secs(),
            }),
        }
    }

    async fn exchange(&self, ask: &Ask<'_>) -> io::Result<Answer> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let request = self.request(ask)?;
        let mut exchange = pin!(async move {
            let answer = sender.send_request(request).await.map_err(io::Error::other)?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), BODY).collect().await.map_err(io::Error::other)?.to_bytes();
            Ok(Answer { status, body })
        });
        tokio::select! {
            biased;
            done = &mut exchange => done,
            // The connection may close behind an answer that has already been read.
            _ = connection => exchange.await,
        }
    }

    fn request(&self, ask: &Ask<'_>) -> io::Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(ask.method)
            .uri(ask.path)
            .header(HOST, &self.authority)
            .header(ACCEPT, "application/json")
            .header(CONNECTION, "close");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.expose()));
        }
        if !ask.json.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if !ask.lease.is_empty() {
            request = request.header("x-squall-lease", ask.lease);
        }
        request.body(Full::new(Bytes::copy_from_slice(ask.json.as_bytes()))).map_err(io::Error::other)
    }
}
