//! What one connection keeps between two hearings.
//!
//! Pure values. Not here: what is done with them (`super`, `client`, `server`).

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::act;
use super::client::Held;
use super::judge::Tied;
use super::names::Names;
use super::world::Place;
use crate::base::clock::Tick;
use crate::plan::fault::rule::postgres::Death;
use crate::wire::postgres::frame::Frame;
use crate::wire::postgres::startup::Who;

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Before the startup packet.
    Door,
    /// The server was asked for TLS.
    Asking,
    /// Up to the first `ReadyForQuery`.
    Login,
    /// Statements.
    Live,
    /// Nothing is read any more.
    Blind,
    /// Nothing passes any more.
    Over,
}

/// Whether the client's next message is taken.
#[derive(Debug, Default)]
pub(super) enum Gate {
    /// It is.
    #[default]
    Open,
    /// A statement waits for its instant.
    Held(Box<Held>),
    /// A script waits for the server.
    Waiting,
    /// Up to the next `Sync`, messages are dropped.
    Skipping,
}

/// How a connection ends as soon as nothing is owed.
#[derive(Debug)]
pub(super) struct Doom {
    pub(super) death: Death,
    pub(super) message: String,
}

impl Doom {
    pub(super) fn of(death: Death) -> Self {
        let message = match &death {
            Death::Rst => String::new(),
            Death::Fatal(sqlstate) => act::last_words(sqlstate).to_owned(),
        };
        Self { death, message }
    }
}

/// Whose connection it is.
#[derive(Debug, Default)]
pub(super) struct Me {
    pub(super) who: Who,
    pub(super) place: Option<Place>,
    /// Under which others cancel it.
    pub(super) key: Option<Bytes>,
    /// It asked for TLS and was told no.
    pub(super) wanted_tls: bool,
}

/// The client's messages on their way.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) queue: VecDeque<Frame>,
    pub(super) names: Names,
    /// Not sent before the message that makes the server answer.
    pub(super) pending: Vec<Frame>,
    /// Before the next `Sync`.
    pub(super) sleep: Vec<Tied>,
    /// At the next `Sync`: the transaction is rolled back, or the connection ends.
    pub(super) rollback: bool,
    pub(super) cut: Option<Death>,
    /// Statements made in secret that are still to be closed.
    pub(super) litter: Vec<String>,
    pub(super) secrets: u64,
    pub(super) ordinal: u64,
    pub(super) transaction: u64,
}

/// What waits, and for what.
#[derive(Debug, Default)]
pub(super) struct Flow {
    pub(super) gate: Gate,
    pub(super) doom: Option<Doom>,
    /// A completion, and what follows it, while the server sleeps.
    pub(super) kept: Option<BytesMut>,
    /// Faults that hold the response.
    pub(super) held: Vec<(Tick, Tied)>,
    /// The last frame's beginning was shown.
    pub(super) showing: bool,
    /// The client has ended its direction.
    pub(super) left: bool,
    pub(super) opened: Option<Tick>,
}
