//! What becomes of the replies in a slot: who sees them, and what follows when it ends.
//!
//! Pure. Carried in every slot of `wire::postgres::track`; read by `server`.

use super::client::Asked;

use super::judge::{Tied, Verdict};
use crate::plan::fault::rule::postgres::Death;

/// Of one slot.
#[derive(Debug, Default)]
pub(super) struct Role {
    pub(super) show: Show,
    pub(super) then: Then,
    /// An error was among its replies.
    pub(super) failed: bool,
    /// Its replies wait.
    pub(super) response: Vec<Tied>,
    /// Its replies stop after so many rows.
    pub(super) stall: Option<(u64, Tied)>,
}

/// Which replies the client sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Show {
    /// All.
    #[default]
    All,
    /// None.
    Nothing,
    /// Errors, with the `ReadyForQuery` behind them.
    Errors,
    /// Only `ReadyForQuery`.
    Ready,
}

/// What follows.
#[derive(Debug, Default)]
pub(super) enum Then {
    /// Nothing.
    #[default]
    Nothing,
    /// A transaction that is still open is rolled back before the client hears of the end.
    Rollback,
    /// The completion is kept, and the server sleeps.
    Sleep(Vec<Tied>),
    /// The completion is kept until the sleep before the next `Sync` is over.
    Keep,
    /// The sleep is over: what was kept is let go.
    Wake(Vec<Tied>),
    /// The sleep is over: the statement goes to the server.
    Send(Box<(Asked, Verdict, Vec<Tied>)>),
    /// The connection ends.
    Cut(Death),
    /// The answer says whether the role may raise.
    Probe(bool),
}

impl Role {
    /// A reply of the client's own, untouched.
    pub(super) fn own() -> Self {
        Self::default()
    }

    /// A reply to something the client never sent.
    pub(super) fn of(show: Show, then: Then) -> Self {
        Self { show, then, ..Self::default() }
    }

    /// A sleep in the server: its error takes the place of what the client asked for.
    pub(super) fn is_sleep(&self) -> bool {
        matches!(self.then, Then::Wake(_))
    }
}
