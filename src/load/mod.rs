//! Floor 4: the load engine. Generates what `plan` says, on time, and records what came back.
//!
//! ```text
//! local ── N threads ── core (one worker) ┬ open · closed ── user ── step ── client ── kernel
//!    └── collector: record.sqr, live      └ pace (all waiting), arrivals (who is due when)
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `arrivals` | which arrivals are ours, and when each is due (pure) |
//! | `gate` | the ceiling of a target, over all attempts |
//! | `pace` `waits` | all waiting of one worker, on one precise timer; how waits are kept |
//! | `core` `crew` `pulse` | one worker; a workload on it; its heartbeat and frames |
//! | `local` | all workers of this machine, and the collector |
//! | `open` `closed` `lounge` | who begins when, and who stays |
//! | `surge` | all open rates multiplied while they run |
//! | `user` `vars` `rows` `secrets` | one journey; its variables, their draws, rows and secrets |
//! | `listing` | the plan of arrivals as a text, for people and for comparison |
//! | `errand` `tale` | steps that are done once; what was said, for people |
//! | `tokens` | credentials that are fetched and renewed |
//! | `cookies` `integrity` `audit` | a user's cookies; leaks and stale reads; acknowledged writes read back |
//! | `step` `client` | one move of a journey; connections and HTTP |
//! | `reach` | names to addresses, and a first connection to each origin |
//! | `truth` | a scripted target, and the arrivals of a plan on paper: what the engine is tested against |
//! | `exemplars` | the requests kept as examples |
//!
//! Not here: who may be sent traffic (`plan::guard`; the caller pins addresses), judgement (`judge`).

pub mod arrivals;
mod audit;
pub mod client;
pub mod closed;
pub mod cookies;
pub mod core;
pub mod crew;
pub mod errand;
pub mod exemplars;
pub mod gate;
pub mod integrity;
pub mod listing;
pub mod local;
pub mod lounge;
pub mod open;
pub mod pace;
pub mod pulse;
pub mod reach;
pub mod rows;
pub mod secrets;
pub mod step;
pub mod surge;
pub mod tale;
pub mod tokens;
pub mod truth;
pub mod user;
pub mod vars;
pub mod waits;

use std::io;
use std::net::IpAddr;

use thiserror::Error;

use crate::base::clock::{Clock, Tick};
use crate::base::seed::Seed;
use crate::base::shard::Shard;
use crate::base::stop::Stop;
use crate::measure::host;
use crate::measure::record::{Head, RecordError, RecordWriter, SCHEMA};
use crate::plan::load::LoadPlan;

#[cfg(test)]
mod tests;

pub use audit::audit;
pub use local::{Running, start, start_surging};
pub use reach::{preflight, resolve};

/// The head of a record of `plan` that begins with `clock`.
pub fn head(plan: &LoadPlan, clock: &Clock, seed: Seed) -> Head {
    Head {
        schema: SCHEMA,
        squall: env!("CARGO_PKG_VERSION").to_owned(),
        name: plan.name.clone(),
        seed: seed.0,
        plan_hash: plan.hash.clone(),
        start_utc: clock.utc(Tick::ZERO).to_string(),
        grid_ms: 1000,
        shard: (0, 1),
        steps: plan.steps.clone(),
        journeys: plan.journeys.iter().map(|journey| journey.name.clone()).collect(),
        host: host::fingerprint(),
    }
}

/// What a run stands in.
#[derive(Debug)]
pub struct Env {
    /// The run's clock.
    pub clock: Clock,
    /// Seed of every draw.
    pub seed: Seed,
    /// Which part of the plan is ours.
    pub shard: Shard,
    /// Ends the run early.
    pub stop: Stop,
    /// How many worker threads; `None`: what rate and users need.
    pub threads: Option<usize>,
    /// Where measurements go.
    pub record: RecordWriter,
    /// When the plan begins; some 20 ms ahead, or the first arrivals are late.
    pub start_at: Tick,
}

/// Why load cannot be generated.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The system refused a thread, a timer or a runtime.
    #[error("{what}: {source}")]
    System {
        /// What was asked for.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The measurements could not be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A fixed part of a request that HTTP does not allow.
    #[error("{what} `{text}` cannot be sent over HTTP: correct it in the scenario")]
    Unsendable {
        /// Which part.
        what: String,
        /// Its text.
        text: String,
    },
    /// A JSON path that cannot be read.
    #[error("JSON path `{path}`: {why}")]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A check or extraction stands before every request of its journey.
    #[error("journey `{journey}` looks at an answer before its first request: move the step behind a request")]
    NoAnswer {
        /// The journey.
        journey: String,
    },
    /// A host without an address.
    #[error("`{host}` has no address: {source}")]
    Unresolvable {
        /// The host.
        host: String,
        /// What the resolver says.
        source: io::Error,
    },
    /// An origin that nobody answers at.
    #[error("connect to {origin}: {source}; is the target up?")]
    Preflight {
        /// Host, port and address.
        origin: String,
        /// What the system says.
        source: io::Error,
    },
    /// A secret whose place is empty.
    #[error("secret `{name}`: {place} is not there: set it before the run")]
    Secret {
        /// Its name.
        name: String,
        /// Where it was looked for.
        place: String,
    },
    /// A pattern that cannot be read.
    #[error("pattern `{pattern}`: {why}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// A certificate, key or root that cannot be used.
    #[error("{what}: {why}")]
    Tls {
        /// The file, or what it is.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// An origin that TLS cannot be agreed on with.
    #[error("TLS with {origin}: {why}")]
    Handshake {
        /// Host and port.
        origin: String,
        /// What is wrong, and the remedy where there is one.
        why: String,
    },
    /// Fewer file descriptors than users and connections need.
    #[error("{need} users and connections need {need} file descriptors, the limit is {limit}: raise it (`ulimit -n`)")]
    Descriptors {
        /// How many are needed at least.
        need: u64,
        /// How many there may be.
        limit: u64,
    },
    /// An address to connect from that is not this machine's.
    #[error("`source` {address} is no address of this machine; there are: {own}")]
    Source {
        /// The address.
        address: IpAddr,
        /// Those there are.
        own: String,
    },
    /// A file that is to be sent.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: String,
        /// What the system says.
        why: io::Error,
    },
    /// A step of `setup` failed.
    #[error("setup failed at {broken}; nothing was sent but setup's own requests")]
    Setup {
        /// Which step, and why.
        broken: errand::Broken,
    },
    /// Our bug: a worker thread ended without its report.
    #[error("worker {worker} died: the measurements are incomplete")]
    Died {
        /// Which one.
        worker: usize,
    },
}
