//! What controller and keeper say to each other: one JSON value a line, on a socket that both inherit and nobody else can open.
//!
//! The end of the stream without a farewell is a message too: heal at once. Not here: who sends what when (`controller`, `serve`).

use serde::{Deserialize, Serialize};

use crate::measure::journal::Undo;

/// What the controller asks, by number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) n: u64,
    pub(super) request: Request,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Request {
    /// Open the proxies, at these addresses where a keeper before had them open: name and address.
    Open { listens: Vec<(String, String)> },
    /// Hold the undo of a change that is about to be made.
    Hold { id: String, undo: Undo, lease_ms: u64 },
    /// Put the fault of this act in force.
    Inject { id: String, lease_ms: u64 },
    /// The lease of that generation goes on.
    Renew { id: String, lease_ms: u64, generation: u64 },
    /// The controller undoes it now: stand by.
    Healing { id: String },
    /// End the fault of this act, and see that it is gone.
    Heal { id: String },
    /// It was undone and read back.
    Release { id: String },
    /// Nobody holds it any more: undo it.
    Drop { id: String },
    /// How many connections has the fault of this act touched?
    Touched { id: String },
    /// The run is over, and nothing is left in force.
    Farewell,
}

/// The keeper's answer to number `n`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Answered {
    pub(super) n: u64,
    pub(super) reply: Reply,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Reply {
    /// Done.
    Done,
    /// The proxies, with the addresses they listen on.
    Opened { proxies: Vec<(String, String)> },
    /// It is held, under this generation.
    Held { generation: u64 },
    /// So many connections.
    Touched { connections: u64 },
    /// The fault is gone; whether every worker confirmed.
    Healed { verified: bool },
    /// That lease is over; what became of the change.
    Over { why: String },
    /// It could not be done.
    Failed { why: String },
}
