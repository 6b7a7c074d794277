//! Levers: what a drill can pull, under a lease, with a proof and an undo that is read back.
//!
//! | lever | applied by | renewed at | healed by |
//! |---|---|---|---|
//! | `Http` | a request, with `X-Squall-Lease` on the admin side | the system, and the keeper | its `revert`, read back by its probe |
//! | `Fault` | the proxies, leased | the proxies, here or in the keeper | the proxies, which verify it themselves |
//! | `Process` | a signal to a pinned process | the keeper | resumed or started, and seen to run |
//! | `Command` | a program, no shell | the keeper | its `revert`, read back by its probe |
//! | `Toxiproxy` | somebody else's API | the keeper | the same API, seen to be rid of it |
//! | `Kube` | `kubectl apply` | the keeper | `kubectl delete`, seen to be gone |
//! | `Load` | the drill's own traffic | nobody: it ends with the drill | the traffic |
//!
//! Before a change is made, its undo is in the journal, and in the keeper's hands where there is one.
//! Not here: when to pull (`director`), the journal (`stage`).

mod command;
mod fault;
mod heal;
pub mod http;
mod kube;
pub mod probe;
pub(crate) mod process;
mod pull;
#[cfg(test)]
mod tests;
mod toxiproxy;
pub mod undo;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::Mutex;

use super::keeper::{Hold, Keeper, KeeperError};
use crate::base::clock::{Clock, Tick};
use crate::fault::FaultError;
use crate::load::surge::Surge;
use crate::measure::journal::Undo;
use fault::Guard;
pub use fault::Paths;
use http::Endpoint;
use undo::UndoEnv;

/// How often an undo is tried.
const TRIES: u32 = 3;
/// Longest time for reading a healed state back.
pub const READ_BACK: Duration = Duration::from_secs(30);

/// Why a lever could not be pulled.
#[derive(Debug, Error)]
pub enum LeverError {
    /// The address cannot be used.
    #[error("{url} cannot be used: {why}")]
    Address {
        /// As it is written.
        url: String,
        /// Why not.
        why: String,
    },
    /// No connection, or a broken one; or a file.
    #[error("{address}: {source}")]
    Io {
        /// Host and port.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// No answer in time.
    #[error("{method} {url} had no answer within {limit_s} s")]
    Late {
        /// The method.
        method: String,
        /// The URL.
        url: String,
        /// The limit, s.
        limit_s: u64,
    },
    /// Not a 2xx.
    #[error("{method} {path} was refused with {status}: {text}")]
    Refused {
        /// The method.
        method: String,
        /// The path.
        path: String,
        /// The status.
        status: u16,
        /// The beginning of the answer.
        text: String,
    },
    /// The value of a probe is not there.
    #[error("{url}: {why}")]
    Probe {
        /// The URL.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// The change has no lease, so a crash would leave it in force.
    #[error("{url} gave no lease on the change; it was undone")]
    NoLease {
        /// The URL.
        url: String,
    },
    /// The fault proxy refused.
    #[error(transparent)]
    Fault(#[from] FaultError),
    /// The system has no proxies.
    #[error("this system has no proxy called `{0}`")]
    NoProxy(String),
    /// A process that may not be touched, or took no notice.
    #[error("process{}: {why}", number(*pid))]
    Process {
        /// Its number; 0: none was found.
        pid: u32,
        /// What is wrong.
        why: String,
    },
    /// A program that could not be run.
    #[error("{program}: {why}")]
    Command {
        /// Its name.
        program: String,
        /// What happened.
        why: String,
    },
    /// The keeper.
    #[error(transparent)]
    Keeper(#[from] KeeperError),
    /// There is no traffic whose rate could be multiplied.
    #[error("there is no traffic to multiply")]
    NoTraffic,
}

fn number(pid: u32) -> String {
    if pid == 0 { String::new() } else { format!(" {pid}") }
}

/// What a renewal found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// The lease goes on.
    Renewed,
    /// Nobody could be asked; the lease has not yet run out.
    Unasked(String),
    /// Somebody has undone the change.
    Undone,
    /// It lasted as long as it should and ended by itself.
    Over,
    /// The lease ended by itself; why.
    Lost(String),
}

/// What is held of one act in force.
#[derive(Debug, Default)]
struct Held {
    /// How it is undone, once it was prepared.
    undo: Option<Undo>,
    /// The target's name of the lease.
    lease: Option<String>,
    /// When it ends unless renewed.
    until: Tick,
    /// The guard of a fault.
    guard: Option<Guard>,
    /// The keeper's word for it.
    hold: Option<Hold>,
    /// How many processes, programs or objects were touched.
    touched: u64,
}

/// What levers stand on.
#[derive(Debug)]
pub struct Ground {
    /// The admin side.
    pub admin: Endpoint,
    /// Environment variable with the admin token of a system that outlives us; `None` when it ends with us.
    pub outlives: Option<String>,
    /// Where the system's proxies are.
    pub paths: Paths,
    /// Who holds undos beside us.
    pub keeper: Option<Keeper>,
    /// The rate of the traffic.
    pub surge: Option<Surge>,
    /// Requests and programs.
    pub undo: UndoEnv,
    /// Names the drill in `X-Squall-Lease`.
    pub drill: String,
    /// The run's folder.
    pub dir: PathBuf,
}

/// The levers of one drill.
#[derive(Debug)]
pub struct Levers {
    ground: Ground,
    /// By act: whoever applies, renews or reverts one holds its lock, so that an undo never overtakes its change.
    held: Vec<Mutex<Held>>,
}

impl Levers {
    /// Levers for `acts` acts.
    pub fn new(ground: Ground, acts: usize) -> Arc<Self> {
        let held = (0..acts).map(|_| Mutex::default()).collect();
        Arc::new(Self { ground, held })
    }

    /// The admin side.
    pub fn admin(&self) -> &Endpoint {
        &self.ground.admin
    }

    /// The keeper, where there is one.
    pub fn keeper(&self) -> Option<&Keeper> {
        self.ground.keeper.as_ref()
    }

    fn clock(&self) -> &Clock {
        &self.ground.undo.clock
    }
}
