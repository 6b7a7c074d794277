//! A checked scenario: what is sent where, by whom, when, and what must hold.
//!
//! Made by `check`; run by `load`; read by `judge` and `report`. Addresses and secrets are not part of the plan hash.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::audit::Books;
use super::curve::Curve;
use super::deck::Deck;
use super::gate::Gate;
use super::good::Good;
use super::guard::{Guard, Refusal};
use super::program::{Journey, Think};
use super::retry::{Patience, Retry};
use super::staff::Staff;
use super::template::Template;
use super::threshold::Threshold;
use super::values::Values;
use super::wires::Wires;
use crate::base::rate::Rate;

/// A checked scenario.
#[derive(Clone, Debug)]
pub struct LoadPlan {
    /// Its name: `[a-z0-9_-]`.
    pub name: String,
    /// Where requests go; `Http::origin` indexes it, 0 is the target's base.
    pub origins: Vec<Origin>,
    /// How clients behave.
    pub client: Client,
    /// At least one.
    pub workloads: Vec<Workload>,
    /// `Deck` cards and journey ids index it.
    pub journeys: Vec<Journey>,
    /// Names of the steps, by step id.
    pub steps: Vec<String>,
    /// Names of checks and extractions, by label.
    pub labels: Arc<Vec<String>>,
    /// Variables and where their values come from.
    pub values: Values,
    /// What a good request is.
    pub good: Good,
    /// What must hold.
    pub checks: Vec<Threshold>,
    /// Books of acknowledged writes.
    pub books: Books,
    /// How that becomes a verdict.
    pub gate: Gate,
    /// SHA-256 over the checked plan with all defaults filled in, and the seed.
    pub hash: String,
}

impl LoadPlan {
    /// The plan of a run of which only the record is left: its name, its steps and its digest, and nothing to judge it by.
    pub fn lost(name: &str, steps: &[String], hash: &str) -> Self {
        Self {
            name: name.to_owned(),
            origins: Vec::new(),
            client: Client::default(),
            workloads: Vec::new(),
            journeys: Vec::new(),
            steps: steps.to_vec(),
            labels: Arc::default(),
            values: Values::default(),
            good: Good::default(),
            checks: Vec::new(),
            books: Books::default(),
            gate: Gate::default(),
            hash: hash.to_owned(),
        }
    }

    /// Highest planned rate of journeys, per second, over all open workloads.
    pub fn peak_rate(&self) -> f64 {
        self.workloads
            .iter()
            .map(|one| if let Pattern::Open { curve, .. } = &one.pattern { curve.peak() } else { 0.0 })
            .sum()
    }

    /// When the last planned arrival or user is over, answers not counted.
    pub fn length(&self) -> Duration {
        self.workloads.iter().map(Workload::length).max().unwrap_or_default()
    }
}

/// Scheme, host and port of a target, and where it is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// In clear or over TLS.
    pub scheme: Scheme,
    /// Host as written: name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Where it is connected to instead of its name's addresses.
    pub via: Option<Via>,
    /// Addresses the guard has vouched for, pinned; empty until resolved, and for a socket file.
    pub pinned: Vec<SocketAddr>,
    /// At most this many attempts a second, over all workloads; `None`: as fast as it goes.
    pub ceiling: Option<Rate>,
    /// Who vouches for addresses its name may have later; `None`: nobody but those who vouch for loopback.
    pub guard: Option<Arc<Guard>>,
}

/// In clear or over TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// `http`
    #[default]
    Http,
    /// `https`
    Https,
}

impl Scheme {
    /// As it is written.
    pub fn name(self) -> &'static str {
        if self == Self::Https { "https" } else { "http" }
    }

    /// The port that need not be written.
    pub fn port(self) -> u16 {
        if self == Self::Https { 443 } else { 80 }
    }
}

/// Where an origin is connected to instead of its name's addresses; `Host` and SNI stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// Another address.
    Address(SocketAddr),
    /// A socket file on this machine.
    Unix(PathBuf),
}

impl Origin {
    /// An origin in clear, reached at `pinned`.
    pub fn clear(host: impl Into<String>, port: u16, pinned: Vec<SocketAddr>) -> Self {
        Self { scheme: Scheme::Http, host: host.into(), port, via: None, pinned, ceiling: None, guard: None }
    }

    /// Whether `address`, which its name has now, may be sent traffic.
    ///
    /// # Errors
    /// When nobody vouches for it.
    pub fn vouches(&self, address: SocketAddr) -> Result<(), Refusal> {
        let guard = self.guard.as_deref().cloned().unwrap_or_default();
        guard.admit_later(address, &self.host, &self.pinned)
    }

    /// Lowers the ceiling to `rate`, never raises it.
    pub fn limit(&mut self, rate: Rate) {
        self.ceiling = Some(self.ceiling.map_or(rate, |held| if held < rate { held } else { rate }));
    }

    /// `host:port` as the `Host` header wants it; the scheme's own port is left out.
    pub fn authority(&self) -> String {
        if self.port == self.scheme.port() { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }
}

/// How clients behave.
#[derive(Clone, Debug)]
pub struct Client {
    /// Connections and how they are shared.
    pub connections: Connections,
    /// Limits of time.
    pub timeouts: Timeouts,
    /// Headers of every request, names in lower case.
    pub headers: Vec<(String, Template)>,
    /// What is kept of a body for checks, bytes.
    pub body_limit: u64,
    /// Whether users keep cookies, each in a jar of its own.
    pub cookies: bool,
    /// Redirects that are followed, each to an origin of the scenario; 0: none, a redirect is an answer.
    pub redirects: u32,
    /// When users give up; `None`: they wait for as long as the request may take.
    pub patience: Option<Patience>,
    /// What is tried again; `None`: nothing.
    pub retry: Option<Retry>,
    /// How connections are made and how long they live.
    pub wires: Wires,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            connections: Connections::ByWorkload,
            timeouts: Timeouts::default(),
            headers: Vec::new(),
            body_limit: 8 << 20,
            cookies: true,
            redirects: 0,
            patience: None,
            retry: None,
            wires: Wires::default(),
        }
    }
}

/// How connections are shared. (Open: `Shared(max: 100)`, Closed: `PerUser`, unless written.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// What the workload's kind suggests.
    ByWorkload,
    /// At most this many for all journeys together; a journey waits for a free one.
    Shared {
        /// At most.
        max: usize,
    },
    /// One for each user.
    PerUser,
    /// A new one for each request.
    Fresh,
}

/// Limits of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Looking up a name (2 s).
    pub resolve: Duration,
    /// Opening a connection (3 s).
    pub connect: Duration,
    /// Agreeing on TLS, and on HTTP/2 (3 s).
    pub tls: Duration,
    /// Waiting for a free connection (30 s).
    pub wait: Duration,
    /// From sent to the first byte (30 s).
    pub first_byte: Duration,
    /// Silence inside the body (30 s).
    pub idle: Duration,
    /// The whole request (60 s).
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let secs = Duration::from_secs;
        Self {
            resolve: secs(2),
            connect: secs(3),
            tls: secs(3),
            wait: secs(30),
            first_byte: secs(30),
            idle: secs(30),
            total: secs(60),
        }
    }
}

/// One stream of arrivals, or one group of users.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Its name: part of every draw.
    pub name: String,
    /// When and who.
    pub pattern: Pattern,
    /// Which journeys, exactly; cards are journey ids.
    pub mix: Deck,
    /// Begins this long after the start.
    pub start: Duration,
    /// The first part of it, measured but outside every check.
    pub warmup: Duration,
    /// How long the last answers are awaited.
    pub drain: Duration,
}

impl Workload {
    /// From the start of the run to its last arrival.
    pub fn length(&self) -> Duration {
        self.start
            + match &self.pattern {
                Pattern::Open { curve, .. } => curve.length(),
                Pattern::Closed { hold, .. } => *hold,
            }
    }
}

/// When and who.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Arrivals that do not wait for the server.
    Open {
        /// The rate of journeys.
        curve: Curve,
        /// Where between its neighbours an arrival lies.
        spacing: Spacing,
        /// The workload ends after this many; `None`: all of the curve.
        arrivals: Option<u64>,
        /// Journeys under way at once; one more is shed.
        max_in_flight: u64,
        /// Whether users stay for another journey.
        stay: Option<Stay>,
    },
    /// Users that wait for answers.
    Closed {
        /// How many at most.
        users: u32,
        /// For how long.
        hold: Duration,
        /// Pause between a user's journeys.
        think: Think,
        /// Who is there when.
        staff: Staff,
        /// What ends a user's work before its time is over.
        rounds: Rounds,
    },
}

/// What a user of a closed workload does before it leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rounds {
    /// How many journeys; `None`: as many as its time allows.
    pub most: Option<Iterations>,
    /// A journey begins this long after the one before at the earliest; one that overruns makes the next due at once.
    pub cycle: Duration,
}

/// A limit on the journeys of a closed workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Iterations {
    /// This many for each user.
    PerUser(u64),
    /// This many tickets for all users together; a journey's number is its ticket's.
    Shared(u64),
}

/// Partly open sessions: after a journey the user thinks and begins another.
#[derive(Clone, Debug, PartialEq)]
pub struct Stay {
    /// The chance of another journey, in [0, 1].
    pub chance: f64,
    /// The pause before it.
    pub think: Think,
    /// Journeys of one session at most, the first among them.
    pub at_most: u64,
}

impl Stay {
    /// Journeys of a session on average: (1 - pᵏ) / (1 - p), k at p = 1.
    pub fn visits(&self) -> f64 {
        let most = self.at_most as f64;
        if self.chance >= 1.0 {
            return most;
        }
        let power = i32::try_from(self.at_most).unwrap_or(i32::MAX);
        (1.0 - self.chance.powi(power)) / (1.0 - self.chance)
    }
}

/// Where between its neighbours an arrival lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spacing {
    /// Equal areas.
    #[default]
    Even,
    /// As independent users come, with the exact total.
    Poisson,
}
