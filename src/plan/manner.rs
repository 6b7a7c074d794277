//! How the clients of a workload, a journey or a single step differ from those around them: field by field, the innermost holds.
//!
//! Made by `check`, joined by `load::step` when a plan is compiled. Not here: what the fields mean (`load`, `wires`, `retry`).

use std::time::Duration;

use super::load::{Client, Connections, Timeouts};
use super::retry::{Patience, Retry};
use super::template::Template;
use super::wires::Life;

/// What is written of a client in one place; `None`: as around it.
#[derive(Clone, Debug, Default)]
pub struct Manner {
    /// Connections and how long they live; of scenarios and workloads only.
    pub connections: Option<(Connections, Life)>,
    /// Limits of time.
    pub timeouts: Span,
    /// Headers, names in lower case; one of these replaces one of the same name around it.
    pub headers: Vec<(String, Template)>,
    /// What is kept of a body for checks, bytes.
    pub body_limit: Option<u64>,
    /// Whether users keep cookies.
    pub cookies: Option<bool>,
    /// Redirects that are followed.
    pub redirects: Option<u32>,
    /// When users give up.
    pub patience: Option<Patience>,
    /// What is tried again.
    pub retry: Option<Retry>,
}

/// Limits of time that are written in one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Looking up a name.
    pub resolve: Option<Duration>,
    /// Opening a connection.
    pub connect: Option<Duration>,
    /// Agreeing on TLS, and on HTTP/2.
    pub tls: Option<Duration>,
    /// Waiting for a free connection.
    pub wait: Option<Duration>,
    /// From sent to the first byte.
    pub first_byte: Option<Duration>,
    /// Silence inside the body.
    pub idle: Option<Duration>,
    /// The whole request.
    pub total: Option<Duration>,
}

impl Span {
    /// These limits where they are written, those of `around` elsewhere; none is longer than the total.
    pub fn within(&self, around: &Timeouts) -> Timeouts {
        let total = self.total.unwrap_or(around.total);
        let limit = |own: Option<Duration>, around: Duration| own.unwrap_or(around).min(total);
        Timeouts {
            resolve: limit(self.resolve, around.resolve),
            connect: limit(self.connect, around.connect),
            tls: limit(self.tls, around.tls),
            wait: limit(self.wait, around.wait),
            first_byte: limit(self.first_byte, around.first_byte),
            idle: limit(self.idle, around.idle),
            total,
        }
    }
}

impl Client {
    /// This client with what `manner` says instead.
    #[must_use]
    pub fn with(&self, manner: Option<&Manner>) -> Self {
        let mut client = self.clone();
        let Some(manner) = manner else { return client };
        if let Some((connections, life)) = manner.connections {
            (client.connections, client.wires.life) = (connections, life);
        }
        client.timeouts = manner.timeouts.within(&client.timeouts);
        client.headers.retain(|(name, _)| !manner.headers.iter().any(|(own, _)| own == name));
        client.headers.extend(manner.headers.iter().cloned());
        client.body_limit = manner.body_limit.unwrap_or(client.body_limit);
        client.cookies = manner.cookies.unwrap_or(client.cookies);
        client.redirects = manner.redirects.unwrap_or(client.redirects);
        client.patience = manner.patience.clone().or(client.patience);
        client.retry = manner.retry.clone().or(client.retry);
        client
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_field_holds_and_the_others_stay() {
        let header = |name: &str, value: &str| (name.to_owned(), Template::fixed(value));
        let seconds = Duration::from_secs;
        let outer = Manner {
            headers: vec![header("accept", "a"), header("x-zone", "north")],
            timeouts: Span { connect: Some(seconds(2)), ..Span::default() },
            redirects: Some(3),
            ..Manner::default()
        };
        let inner = Manner {
            headers: vec![header("x-zone", "south")],
            timeouts: Span { total: Some(seconds(1)), ..Span::default() },
            cookies: Some(false),
            ..Manner::default()
        };
        let client = Client::default().with(Some(&outer)).with(None).with(Some(&inner));
        assert_eq!(client.headers, [header("accept", "a"), header("x-zone", "south")]);
        assert_eq!((client.timeouts.connect, client.timeouts.idle), (seconds(1), seconds(1)));
        assert_eq!((client.redirects, client.cookies, client.body_limit), (3, false, 8 << 20));
    }
}
