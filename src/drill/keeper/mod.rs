//! The keeper of a run: a process of its own that runs the system's proxies and holds every lease and every undo, so that nothing
//! stays broken when the drill dies, hangs or is stopped.
//!
//! ```text
//! controller ── requests, one line each ──► keeper: proxies, leases, undos      keeper.json  where it is
//!            ◄── answers ───────────────────                                    keeper.jsonl what it did by itself
//! ```
//! | what happens | what the keeper does |
//! |---|---|
//! | the stream ends without a farewell | heals everything at once; the path stays up for ten minutes, or until `squall recover` |
//! | a lease is not renewed | heals that one |
//! | a farewell | ends |
//! | SIGTERM | heals everything and ends |
//!
//! Not here: when a fault is due (`director`), what a fault or an undo is (`fault`, `lever::undo`).

mod controller;
mod diary;
mod holdings;
mod link;
mod message;
mod place;
mod serve;

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::lever::process;
use crate::fault::FaultError;
use crate::measure::journal::JournalError;

pub use controller::{Answer, Hold, Keeper, Program};
pub use place::{Place, end};
pub use serve::{Duty, LINGERS, serve};

/// What a keeper wrote about itself, in the run's folder.
const LOG: &str = "keeper.log";
/// What it did while nobody else could write the run's journal.
const JOURNAL: &str = "keeper.jsonl";

/// Why a keeper does not do what it is asked.
#[derive(Debug, Error)]
pub enum KeeperError {
    /// Its process does not start.
    #[error("start the keeper of this run: {0}")]
    Start(#[source] io::Error),
    /// Its process has ended.
    #[error("the keeper of this run is gone; keeper.log in the run's folder may say why")]
    Gone,
    /// It does not answer.
    #[error("the keeper of this run did not answer within {limit_s} s")]
    Silent {
        /// The limit, s.
        limit_s: u64,
    },
    /// It says no.
    #[error("{0}")]
    Refused(String),
    /// Its answer belongs to another question.
    #[error("the keeper of this run answered strangely: {0}")]
    Strange(String),
    /// A file of the run's folder.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Its proxies.
    #[error(transparent)]
    Fault(#[from] FaultError),
    /// Its journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Leaves the terminal and the group of whoever started this process, so that what ends those does not end it.
///
/// # Errors
/// The system refuses.
pub fn detach() -> io::Result<()> {
    process::detach().map_err(Into::into)
}
