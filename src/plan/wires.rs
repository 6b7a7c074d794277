//! How a target is reached: protocol, TLS, names, own addresses, and how long a connection lives.
//!
//! Made by `check`; used by `load::client`. Not here: who may be reached (`guard`), how many connections there are (`load`).

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How connections are made and how long they live.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wires {
    /// Which protocol is spoken.
    pub http: Version,
    /// How `https` is spoken.
    pub tls: Tls,
    /// Local addresses, used in turn; empty: the system's choice. No part of the plan hash.
    pub source: Vec<IpAddr>,
    /// Names are looked up again for new connections after this long; `None`: once, at the start.
    pub dns: Option<Duration>,
    /// The life of one connection.
    pub life: Life,
}

impl Wires {
    /// What every report must say of them.
    pub fn notes(&self) -> Vec<(String, String)> {
        let insecure = self.tls.trust == Trust::Insecure;
        insecure.then(|| ("certificates".to_owned(), "not checked (insecure)".to_owned())).into_iter().collect()
    }
}

/// Which HTTP is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// What the server prefers of both over TLS, HTTP/1.1 in clear.
    #[default]
    Auto,
    /// HTTP/1.1 alone.
    Http1,
    /// HTTP/2 alone, agreed on by ALPN.
    Http2,
    /// HTTP/2 from the first byte, in clear too.
    Http2Prior,
}

/// How `https` is spoken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Whose certificates are believed.
    pub roots: Roots,
    /// How much is checked.
    pub trust: Trust,
    /// Our own certificate and key, PEM files.
    pub client: Option<(PathBuf, PathBuf)>,
    /// The name asked for and checked; `None`: the host.
    pub sni: Option<String>,
    /// Oldest version that is accepted.
    pub min: TlsVersion,
}

/// Whose certificates are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Roots {
    /// Those the system believes.
    #[default]
    Platform,
    /// Those of a PEM file, and no others.
    File(PathBuf),
    /// Both.
    Both(PathBuf),
}

/// How much of a server's certificate is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// Name, dates and issuer.
    #[default]
    Checked,
    /// Nothing; every report says so.
    Insecure,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsVersion {
    /// 1.2
    #[default]
    V12,
    /// 1.3
    V13,
}

/// The life of one connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Life {
    /// Requests at once on an HTTP/2 connection (100); the server may allow fewer.
    pub streams: usize,
    /// Connections opened before the first arrival, in all.
    pub open_first: usize,
    /// New connections per second at most, in all.
    pub open_rate: Option<f64>,
    /// A connection is closed after this many requests.
    pub max_requests: Option<u64>,
    /// A connection is closed at its first rest after this long.
    pub max_age: Option<Duration>,
    /// An unused connection is closed after this long (90 s).
    pub idle: Duration,
}

impl Default for Life {
    fn default() -> Self {
        Self {
            streams: 100,
            open_first: 0,
            open_rate: None,
            max_requests: None,
            max_age: None,
            idle: Duration::from_secs(90),
        }
    }
}
