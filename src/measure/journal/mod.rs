//! `journal.jsonl`: what happened, one JSON line per event, each line chained to the one before by SHA-256 and fsynced.
//!
//! Intent is written before effect, so that whatever a killed run left behind can be healed from this file alone.
//! Not here: measurements (`record`), what to do about open entries (`drill::recover`).

mod file;
mod undo;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::measure::ledger;

use crate::base::clock::Tick;

pub use file::{Contents, Journal, JournalError, read};
pub use undo::{PinnedProcess, Undo, UndoCommand, UndoProbe, UndoProcess};

/// Who says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The drill itself, or the load run.
    Controller,
    /// An alert that came in.
    Alert,
    /// A person.
    Player,
    /// The robot that plays the people.
    Robot,
    /// Made from measured traffic.
    Measured,
    /// `squall recover`.
    Recovery,
    /// The keeper of a run whose controller is gone or hangs.
    Keeper,
}

/// What happened. One enum for every room; the kind is the variant's name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// The run began: everything a report needs beside the record.
    Run(RunFacts),
    /// A phase began; a drill's names, or `steady`, `warmup`, `drain` of a load run.
    Phase {
        /// The phase.
        name: String,
    },
    /// A change is about to be made; `undo` heals it.
    Intent {
        /// The act.
        id: String,
        /// In words, without secrets.
        what: String,
        /// How to heal it after a crash.
        undo: Undo,
        /// Length of the lease, ms.
        lease_ms: u64,
    },
    /// The change is in force, and the proof that it touched something.
    Injected {
        /// The act.
        id: String,
        /// The proof, in words; empty when none came.
        proof: String,
        /// True when the proof was seen in time.
        proved: bool,
    },
    /// The lease was renewed.
    Renewed {
        /// The act.
        id: String,
    },
    /// Healing began.
    Healing {
        /// The act.
        id: String,
    },
    /// The undo was carried out.
    Healed {
        /// The act.
        id: String,
    },
    /// The healed state was read back.
    Verified {
        /// The act.
        id: String,
    },
    /// The undo, or reading it back, did not work.
    HealFailed {
        /// The act.
        id: String,
        /// Why.
        reason: String,
    },
    /// Whoever held the change let go of it without healing it; the keeper does.
    Dropped {
        /// The act.
        id: String,
    },
    /// An alert arrived.
    Page {
        /// `trigger`, `acknowledge` or `resolve`.
        action: String,
        /// The alert's own words.
        summary: String,
        /// Which system it names.
        origin: String,
        /// Its deduplication key.
        dedup_key: String,
    },
    /// A timed statement by a person or a machine: detected, acknowledged, command, mitigated, resolved, note.
    Mark {
        /// What is stated.
        mark: String,
        /// Free text.
        text: String,
    },
    /// Somebody does something: a mitigation begins.
    Action {
        /// The mitigation.
        name: String,
    },
    /// A mitigation was verified, or not.
    Effect {
        /// The mitigation.
        name: String,
        /// True when its verification succeeded.
        verified: bool,
        /// What was seen.
        text: String,
    },
    /// Acknowledged writes were read back.
    Audit {
        /// Their book.
        book: String,
        /// What was found.
        found: ledger::Audit,
    },
    /// A judgement, as printed.
    Finding(Value),
    /// The run is over.
    End {
        /// `finished`, or why it was stopped. What the run came to is judged from all the lines, this one included.
        reason: String,
    },
}

/// What a report needs beside the record: the files as they were read, and what the command line changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFacts {
    /// `run` or `drill`.
    pub command: String,
    /// Name of the scenario or drill.
    pub name: String,
    /// The seed.
    pub seed: u64,
    /// SHA-256 of the checked plan.
    pub plan_hash: String,
    /// Version of squall.
    pub squall: String,
    /// Path and text of every file read, the main one first. Files hold no secrets.
    pub files: Vec<(String, String)>,
    /// Settings from the command line that change the plan, by flag name.
    pub settings: Vec<(String, String)>,
    /// Where the load goes.
    pub target: String,
    /// The command that repeats the run.
    pub repeat: String,
}

/// Stands for an act where the traffic itself is meant: whether users are back once everything is undone. No act has such a name.
pub const TRAFFIC: &str = "the traffic";

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Rising by one from 0.
    pub seq: u64,
    /// Since tick 0, µs.
    pub at_us: u64,
    /// Wall-clock label, RFC 3339.
    pub utc: String,
    /// Who says it.
    pub source: Source,
    /// The person's or role's name; empty for machines.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub actor: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
    /// SHA-256 of the line before; empty in the first.
    pub prev: String,
}

impl Line {
    /// The instant.
    pub fn at(&self) -> Tick {
        Tick::from_micros(self.at_us)
    }
}
