//! `record.sqr`: the durable measurements of a run, as a list of checked chunks that merge by adding.
//!
//! Magic, then chunks: tag (4 bytes), length (u32 LE), payload, CRC-32 of tag and payload. Unknown tags are skipped, so a
//! newer writer does not blind an older reader of the same schema. Not here: the journal, any judgement, percentiles.
//!
//! | tag | payload |
//! |---|---|
//! | `HEAD` | JSON [`Head`], first and once |
//! | `DEFS` | JSON: series and counters new since the last one, by number |
//! | `DATA` | deflated: worker, sequence, seconds with histograms, counters, gauges |
//! | `SLOW` | JSON [`Exemplar`]s |
//! | `DONE` | JSON [`Done`]; missing = truncated |

mod chunk;
mod codec;
mod merge;
mod read;
mod relay;
mod write;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::host::Fingerprint;
use super::interval::Interval;

pub use merge::merge;
pub use read::read;
pub use relay::Relay;
pub use write::RecordWriter;

/// The only schema this squall reads and writes.
pub const SCHEMA: u32 = 1;

/// Facts of a run that its measurements need.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Version of squall that wrote it.
    pub squall: String,
    /// Name of the scenario or drill.
    pub name: String,
    /// Seed of the run.
    pub seed: u64,
    /// SHA-256 of the checked plan.
    pub plan_hash: String,
    /// Wall-clock time at tick 0, RFC 3339.
    pub start_utc: String,
    /// Width of an interval, ms.
    pub grid_ms: u32,
    /// Index and number of the shard.
    pub shard: (u32, u32),
    /// Names of the steps, by step id.
    pub steps: Vec<String>,
    /// Names of the journeys, by journey id.
    pub journeys: Vec<String>,
    /// What it was measured on.
    pub host: Fingerprint,
}

/// How a run ended, as its generator saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Length of the run, µs.
    pub duration_us: u64,
    /// `finished`, or why it was stopped.
    pub reason: String,
    /// Arrivals of the plan, begun or not.
    pub planned: u64,
    /// Arrivals that were not begun because the run was stopped early.
    pub not_started: u64,
    /// Frames written, by worker.
    pub frames: Vec<u32>,
    /// Frames that a worker sent and nobody wrote: a gap in their numbers.
    #[serde(default)]
    pub lost_frames: u32,
    /// CPU time of the generator's threads, µs.
    pub cpu_us: u64,
    /// Largest resident memory of the process, KiB.
    pub max_rss_kib: u64,
}

impl Done {
    /// Adds the end of another load of the same run: the later word on why, the sum of everything counted.
    pub fn join(&mut self, later: Self) {
        self.duration_us += later.duration_us;
        self.reason = later.reason;
        self.planned += later.planned;
        self.not_started += later.not_started;
        self.frames.resize(self.frames.len().max(later.frames.len()), 0);
        self.frames.iter_mut().zip(&later.frames).for_each(|(ours, theirs)| *ours += theirs);
        self.lost_frames += later.lost_frames;
        self.cpu_us += later.cpu_us;
        self.max_rss_kib = self.max_rss_kib.max(later.max_rss_kib);
    }
}

/// One request kept as an example: among the slowest, or the first or last of its kind of failure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exemplar {
    /// Step name.
    pub step: String,
    /// When it was due, µs since tick 0.
    pub due_us: u64,
    /// Response time, µs.
    pub response_us: u64,
    /// Service time, µs.
    pub service_us: u64,
    /// Kind of failure; empty when answered.
    pub kind: String,
    /// Status, 0 when none came.
    pub status: u16,
    /// Position in the request (while sending) or in the answer where it broke off; `None` for a whole answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub byte: Option<u64>,
    /// Where the failure lies, such as `read`; empty when answered.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phase: String,
    /// Status and place of each redirect on its way, secrets and values of queries masked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<String>,
    /// How old a stale answer is: µs from the acknowledgement of the write it does not show to the read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_us: Option<u64>,
    /// From sent to the first byte of a whole answer, µs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_byte_us: Option<u64>,
}

/// A record, read whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Facts of the run.
    pub head: Head,
    /// Seconds by due time, rising, without gaps from the first to the last.
    pub seconds: Vec<Interval>,
    /// Examples, slowest first.
    pub exemplars: Vec<Exemplar>,
    /// How it ended; `None` when the file was cut off.
    pub done: Option<Done>,
    /// Chunks dropped because their checksum is wrong.
    pub damaged: u32,
}

/// Why a record cannot be written or read.
#[derive(Debug, Error)]
pub enum RecordError {
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not one of ours.
    #[error("{path} is not a squall record ({why})")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// How one can tell.
        why: &'static str,
    },
    /// Written by a later squall.
    #[error("{path}: record has schema {found}, this squall reads {SCHEMA}: upgrade")]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
    },
    /// Two records that do not belong together.
    #[error("{field} differs: {} has `{ours}`, {} has `{theirs}`; only shards of one run can be merged", first.display(), second.display())]
    Unlike {
        /// What differs.
        field: &'static str,
        /// One file.
        first: PathBuf,
        /// What it says.
        ours: String,
        /// The other file.
        second: PathBuf,
        /// What that says.
        theirs: String,
    },
    /// Two files claim one chunk with different bytes.
    #[error("{} and {} both hold the same part of the run, with different bytes: one of them was changed", first.display(), second.display())]
    Clash {
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
}

#[cfg(test)]
mod tests;
