//! The door of the API: which route is meant, who may speak, and the headers of every answer.
//!
//! Not here: what the routes do (`compat`, `own`, `metrics`).

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, ORIGIN, USER_AGENT};
use hyper::{Method, Response, StatusCode};

use super::errors::Refusal;
use super::reply::{Reply, TEXT};
use super::{Api, Gate};
use crate::base::seed::Seed;

/// A path that somebody answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Reset,
    Populate,
    Version,
    Metrics,
    Proxies,
    Proxy(String),
    Toxics(String),
    Toxic(String, String),
    /// Below `/squall/v1/`.
    Own(Vec<String>),
}

/// The route of a path; a segment may hold an escaped `/`.
pub(super) fn route(path: &str) -> Option<Route> {
    let segments: Option<Vec<String>> = path.strip_prefix('/')?.split('/').map(unescape).collect();
    let segments = segments?;
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    if parts.iter().any(|part| part.is_empty()) {
        return None;
    }
    Some(match parts.as_slice() {
        ["reset"] => Route::Reset,
        ["populate"] => Route::Populate,
        ["version"] => Route::Version,
        ["metrics"] => Route::Metrics,
        ["proxies"] => Route::Proxies,
        ["proxies", name] => Route::Proxy((*name).to_owned()),
        ["proxies", name, "toxics"] => Route::Toxics((*name).to_owned()),
        ["proxies", name, "toxics", toxic] => Route::Toxic((*name).to_owned(), (*toxic).to_owned()),
        ["squall", "v1", rest @ ..] if super::own::knows(rest) => {
            Route::Own(segments.iter().skip(2).cloned().collect())
        }
        _ => return None,
    })
}

/// Percent escapes; `None` when they are not, or not text.
fn unescape(segment: &str) -> Option<String> {
    let mut bytes = segment.bytes();
    let mut plain = Vec::with_capacity(segment.len());
    while let Some(byte) = bytes.next() {
        plain.push(if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            u8::try_from(digit(bytes.next())? * 16 + digit(bytes.next())?).ok()?
        } else {
            byte
        });
    }
    String::from_utf8(plain).ok()
}

/// The answer for a path that nobody answers.
pub(super) fn unknown() -> Response<Full<Bytes>> {
    http(Reply::text(404, TEXT, "404 page not found\n"))
}

/// Refuses browsers, foreign hosts, and whoever lacks the token.
pub(super) fn admit(headers: &HeaderMap, gate: &Gate) -> Result<(), Refusal> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if text(USER_AGENT).is_some_and(|agent| agent.starts_with("Mozilla/")) {
        return Err(Refusal::new(BROWSER, String::new()));
    }
    let foreign = |what: &str, host: &str| {
        Refusal::new(403, format!("{what} {host} is not this machine; start with --api-host {host} to allow it"))
    };
    if let Some(host) = text(HOST).filter(|host| !is_ours(host, gate)) {
        return Err(foreign("host", host));
    }
    if let Some(origin) = text(ORIGIN) {
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        if !is_ours(host, gate) {
            return Err(foreign("origin", host));
        }
    }
    let bearer = text(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    match &gate.token {
        Some(token) if !bearer.is_some_and(|given| same(given, token.expose())) => {
            Err(Refusal::new(401, "send the token of --token-file as `Authorization: Bearer …`"))
        }
        _ => Ok(()),
    }
}

/// Stands for 403 with the reference's own words, until the answer is dressed.
const BROWSER: u16 = 1403;

/// Equal, in a time that does not tell where they differ.
fn same(given: &str, token: &str) -> bool {
    given.len() == token.len() && given.bytes().zip(token.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

fn is_ours(host: &str, gate: &Gate) -> bool {
    let bare = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.split(':').next().unwrap_or(host),
    };
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        || gate.hosts.iter().any(|known| known.eq_ignore_ascii_case(bare))
}

impl Api {
    /// The answer of a route for a method.
    pub(super) async fn dispatch(&self, method: &Method, route: Route, body: &[u8]) -> Result<Reply, Refusal> {
        let changes = *method == Method::POST || *method == Method::PATCH;
        let (get, post, delete) = (*method == Method::GET, *method == Method::POST, *method == Method::DELETE);
        match route {
            Route::Metrics => Ok(self.metrics().await),
            Route::Version if get => {
                Ok(Reply::text(200, "application/json;charset=utf-8", "{\"version\": \"2.12.0\"}\n"))
            }
            Route::Reset if post => self.reset().await,
            Route::Populate if post => self.populate(body).await,
            Route::Proxies if get => self.all().await,
            Route::Proxies if post => self.create(body).await,
            Route::Proxy(name) if get => self.one(&name).await,
            Route::Proxy(name) if changes => self.change(&name, body).await,
            Route::Proxy(name) if delete => self.delete(&name).await,
            Route::Toxics(name) if get => self.toxics(&name, None).await,
            Route::Toxics(name) if post => self.add_toxic(&name, body).await,
            Route::Toxic(name, toxic) if get => self.toxics(&name, Some(&toxic)).await,
            Route::Toxic(name, toxic) if changes => self.change_toxic(&name, &toxic, body).await,
            Route::Toxic(name, toxic) if delete => self.remove_toxic(&name, &toxic).await,
            Route::Own(path) => self.own(method, &path, body).await,
            _ => Ok(Reply::empty(405)),
        }
    }
}

/// The answer with its headers: every matched route gives a request an id.
pub(super) fn dress(reply: Reply, requests: &AtomicU64) -> Response<Full<Bytes>> {
    let reply = match reply.status {
        BROWSER => Reply::text(403, TEXT, "User agent not allowed\n"),
        _ => reply,
    };
    let mut response = http(reply);
    if let Ok(id) = HeaderValue::from_str(&request_id(requests.fetch_add(1, Relaxed))) {
        response.headers_mut().insert("x-toxiproxy-request-id", id);
    }
    response
}

/// Twenty characters, never the same twice in a process.
fn request_id(ordinal: u64) -> String {
    format!("{:016x}{:04x}", Seed(1).key("request", &[ordinal]), ordinal & 0xffff)
}

fn http(reply: Reply) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(reply.body)));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(kind) = reply.kind {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        if kind == TEXT {
            response.headers_mut().insert("x-content-type-options", HeaderValue::from_static("nosniff"));
        }
    }
    response
}
