//! Rules as written, and what a proxy reads of its connections.
//!
//! Not here: ranges (`plan::check::rule`), toxics (`inject`).

pub(crate) mod postgres;

use serde::Deserialize;

use super::source::Spanned;
use super::written::{Extra, Written, plain, written};

/// What the connections of a proxy carry.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Speaks {
    Bytes,
    Http(Box<Reads>),
    Postgres(Box<Reads>),
}

impl Written for Speaks {
    fn extra(&self) -> Extra<'_> {
        match self {
            Self::Bytes => Extra::default(),
            Self::Http(reads) | Self::Postgres(reads) => reads.extra(),
        }
    }
}

written! {
    /// How a protocol is read.
    Reads { tls: Option<Spanned<Tls>> } later {}
}

/// What becomes of connections that want to be encrypted.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Tls {
    Refuse,
    Pass,
}

written! {
    /// Only one of those that match.
    Nth { n: Spanned<u64>, of: Option<Spanned<Within>> } later {}
}

/// Where they are counted.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Within {
    Connection,
    Transaction,
    Fault,
}

plain!(Tls, Within);
