//! Rules on PostgreSQL as written.

use serde::Deserialize;

use super::Nth;
use crate::spec::inject::Time;
use crate::spec::source::Spanned;
use crate::spec::written::{Extra, Written, plain, written};

written! {
    /// Which statements or connections, and what becomes of them.
    Postgres { only: Option<Spanned<Only>>, act: Spanned<Act> } later {}
}

written! {
    /// All that is given must hold.
    Only {
        fingerprint: Option<Spanned<String>>,
        text: Option<Spanned<String>>,
        verbs: Option<Spanned<Vec<Spanned<Verb>>>>,
        tables: Option<Spanned<Vec<Spanned<String>>>>,
        application: Option<Spanned<String>>,
        users: Option<Spanned<Vec<Spanned<String>>>>,
        databases: Option<Spanned<Vec<Spanned<String>>>>,
        in_transaction: Option<Spanned<bool>>,
        nth: Option<Spanned<Nth>>,
    } later {}
}

/// What a statement does.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Verb {
    Select,
    Insert,
    Update,
    Delete,
    Merge,
    Truncate,
    Begin,
    Commit,
    Rollback,
    Savepoint,
    Set,
    Show,
    Define,
    Call,
    Cursor,
    Prepare,
    Notify,
}

/// What becomes of them.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Act {
    Delay(Box<Delay>),
    Error(Box<Raise>),
    Kill(Box<Kill>),
    Cap(Box<Cap>),
    ReadOnly,
    Failover(Box<Failover>),
    RowStall(Box<RowStall>),
}

impl Written for Act {
    fn extra(&self) -> Extra<'_> {
        match self {
            Self::Delay(one) => one.extra(),
            Self::Error(one) => one.extra(),
            Self::Kill(one) => one.extra(),
            Self::Cap(one) => one.extra(),
            Self::Failover(one) => one.extra(),
            Self::RowStall(one) => one.extra(),
            Self::ReadOnly => Extra::default(),
        }
    }
}

written! {
    /// They wait.
    Delay { time: Spanned<Time>, hold: Option<Spanned<Place>> } later {}
}

/// Where.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Place {
    Request,
    Response,
    Server,
}

written! {
    /// The server raises an error.
    Raise { sqlstate: Spanned<String>, message: Option<Spanned<String>> } later {}
}

written! {
    /// The connection ends.
    Kill { how: Option<Spanned<Death>>, moment: Option<Spanned<Moment>> } later {}
}

/// How a connection ends.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Death {
    Rst,
    Fatal(Spanned<String>),
}

/// When a connection ends.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Moment {
    Statement,
    InTransaction,
    UnknownCommit,
}

written! {
    /// No more connections than this.
    Cap { limit: Spanned<u64>, per: Option<Spanned<Per>>, how: Option<Spanned<Full>>, release: Option<Spanned<String>> } later {}
}

/// For what connections are counted.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Per {
    Proxy,
    User,
    Database,
    Application,
}

/// Who refuses.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Full {
    Answer,
}

written! {
    /// A failover.
    Failover { refuse: Spanned<String>, read_only: Spanned<String> } later {}
}

written! {
    /// The answer stops.
    RowStall { after: Spanned<u64>, time: Spanned<Time> } later {}
}

plain!(Verb, Place, Death, Moment, Per, Full);
