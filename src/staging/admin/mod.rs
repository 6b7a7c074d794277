//! The admin address: what can be set (`levers`), what can be done (`moves`, `database`), leases, alerts, and what the shop knows of
//! itself.
//!
//! Every request carries the bearer token. A word of the shop's full set of levers that this build does not have yet is
//! answered with 501 `not_built`; anything else unknown with 404.

mod database;
mod levers;
mod moves;
mod state;
mod truth;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderMap};
use hyper::{Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use self::levers::Pull;
use super::flags::SMART_CART;
use super::gateway::balance::NAMES;
use super::inside::Inside;
use super::leases::{Closed, Terms};
use super::pager::Receiver;
use super::serve::{Reply, json_reply, read_body, read_json, refusal, reply};
use crate::base::digest::sha256;

const LEASE: &str = "x-squall-lease";

/// First words of levers that are not built yet.
const LATER: [&str; 3] = ["autoscale", "cost", "failover"];

#[derive(Debug)]
pub(super) struct Admin {
    inside: Arc<Inside>,
    backends: [SocketAddr; NAMES.len()],
}

/// Body of `PUT /admin/leases/{id}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Renewal {
    #[serde(rename = "for")]
    length: Option<String>,
}

/// Body of `PUT /admin/alerts`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AlertChange {
    enabled: Option<bool>,
    threshold: Option<f64>,
    to: Option<String>,
}

fn bad(reason: &str) -> Reply {
    refusal(StatusCode::BAD_REQUEST, "bad_request", reason)
}

fn terms(headers: &HeaderMap) -> Result<Option<Terms>, Box<Reply>> {
    let Some(value) = headers.get(LEASE) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    Terms::parse(text).map(Some).map_err(|reason| Box::new(bad(&format!("X-Squall-Lease: {reason}"))))
}

impl Admin {
    pub(super) fn new(inside: Arc<Inside>, backends: [SocketAddr; NAMES.len()]) -> Arc<Self> {
        Arc::new(Self { inside, backends })
    }

    /// Answers one request.
    pub(super) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Reply {
        let (head, body) = request.into_parts();
        if !self.may(&head.headers) {
            let reason = "the admin address wants Authorization: Bearer and the token the shop was started with";
            return refusal(StatusCode::UNAUTHORIZED, "unauthorized", reason);
        }
        let body = match read_body(body).await {
            Ok(body) => body,
            Err(refused) => return *refused,
        };
        let path = head.uri.path();
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let pull = Pull { inside: &self.inside, headers: &head.headers, body: &body };
        let answered = match (head.method.as_str(), segments.as_slice()) {
            ("GET", ["metrics"]) => {
                Ok(reply(StatusCode::OK, "text/plain; version=0.0.4", truth::metrics(&self.inside)))
            }
            ("GET", ["admin", "state"]) => Ok(json_reply(StatusCode::OK, &state::state(&self.inside, self.backends))),
            ("GET", ["admin", "truth"]) => Ok(json_reply(StatusCode::OK, &truth::truth(&self.inside).await)),
            ("GET", ["admin", "flags", SMART_CART]) => Ok(json_reply(StatusCode::OK, &state::flag(&self.inside))),
            ("PUT", ["admin", "flags", SMART_CART]) => levers::flag(pull),
            ("POST", ["admin", "deploy"]) => levers::deploy(pull),
            ("POST", ["admin", "rollback"]) => levers::rollback(pull),
            ("PUT", ["admin", "lb", "config"]) => levers::balance(pull),
            ("POST", ["admin", "lb", "revert"]) => levers::revert_balance(pull),
            ("POST", ["admin", "lb", "backends", name, word]) => moves::serve(pull, name, word),
            ("POST", ["admin", "backends", name, word]) => moves::power(pull, name, word),
            ("PUT", ["admin", "ratelimit"]) => levers::limits(pull),
            ("PUT", ["admin", "cache"]) => levers::cache(pull),
            ("POST", ["admin", "cache", word]) => moves::cache(pull, word, head.uri.query().unwrap_or_default()),
            ("PUT", ["admin", "leases", id]) => self.renew(id, &head.headers, &body),
            ("PUT", ["admin", "alerts"]) => self.change_alerts(&head.headers, &body),
            ("PUT", ["admin", "guardrail"]) => levers::guardrail(pull),
            ("PUT", ["admin", "db", "writes"]) => levers::writes(pull),
            ("GET", ["admin", "db", "backups"]) => {
                Ok(json_reply(StatusCode::OK, &self.inside.vault().list(self.inside.now())))
            }
            ("POST", ["admin", "db", "backup"]) => database::backup(pull).await,
            ("POST", ["admin", "db", "restore"]) => database::restore(pull, &self.inside).await,
            ("POST", ["admin", "db", "exec"]) => database::execute(pull).await,
            ("POST", ["admin", "db", "restart"]) => moves::restart_database(pull),
            (_, ["admin", word, ..]) if LATER.contains(word) => {
                Ok(refusal(StatusCode::NOT_IMPLEMENTED, "not_built", &format!("{path} is not built yet")))
            }
            (method, _) => Ok(refusal(StatusCode::NOT_FOUND, "not_found", &format!("there is no {method} {path}"))),
        };
        answered.unwrap_or_else(|refused| *refused)
    }

    fn may(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let wanted = self.inside.settings.tokens.admin.expose();
        // Digests: how long the comparison takes says nothing about the token.
        given.is_some_and(|given| sha256(given.as_bytes()) == sha256(wanted.as_bytes()))
    }

    fn renew(&self, name: &str, headers: &HeaderMap, body: &[u8]) -> Result<Reply, Box<Reply>> {
        let renewal: Renewal = read_json(body)?;
        let length = match (renewal.length, terms(headers)?) {
            (Some(text), _) => Some(Terms::parse(&text).map_err(|reason| Box::new(bad(&format!("`for`: {reason}"))))?),
            (None, terms) => terms,
        };
        let id = name.strip_prefix("l-").and_then(|id| id.parse().ok()).unwrap_or(0);
        let now = self.inside.now();
        let renewed = self.inside.board().renew(id, length.map(|terms| terms.length), now);
        match renewed {
            Ok(lease) => Ok(json_reply(StatusCode::OK, &state::lease(id, &lease, now))),
            Err(Some(Closed::Expired)) => {
                Ok(refusal(StatusCode::GONE, "lease_expired", &format!("{name} was not renewed in time")))
            }
            Err(Some(Closed::Undone)) => Ok(refusal(
                StatusCode::GONE,
                "lease_undone",
                &format!("the change of {name} was undone by a later one"),
            )),
            Err(None) => Ok(refusal(StatusCode::NOT_FOUND, "not_found", &format!("there is no lease {name}"))),
        }
    }

    fn change_alerts(&self, headers: &HeaderMap, body: &[u8]) -> Result<Reply, Box<Reply>> {
        refuse_lease(headers)?;
        let change: AlertChange = read_json(body)?;
        let to = change.to.map(|to| Receiver::parse(&to)).transpose().map_err(|reason| Box::new(bad(&reason)))?;
        if change.threshold.is_some_and(|threshold| !(threshold > 0.0 && threshold <= 1.0)) {
            return Err(Box::new(bad("`threshold` is a share above 0, at most 1")));
        }
        let mut alert = self.inside.alert();
        alert.rule.enabled = change.enabled.unwrap_or(alert.rule.enabled);
        alert.rule.threshold = change.threshold.unwrap_or(alert.rule.threshold);
        alert.rule.to = to.or_else(|| alert.rule.to.take());
        drop(alert);
        Ok(json_reply(StatusCode::OK, &state::alert(&self.inside)))
    }
}

/// A lease promises an undo; these changes have none.
fn refuse_lease(headers: &HeaderMap) -> Result<(), Box<Reply>> {
    if headers.contains_key(LEASE) {
        let reason = "this cannot be taken back by a lease: send it without X-Squall-Lease, and its reverse by hand";
        return Err(Box::new(bad(reason)));
    }
    Ok(())
}

/// A number of the shop, for the two that read counters.
fn whole(counter: &AtomicU64) -> Value {
    json!(counter.load(Ordering::Relaxed))
}
