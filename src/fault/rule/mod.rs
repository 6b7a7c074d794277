//! Rules: what acts on the messages of a protocol. One folder for each protocol.
//!
//! ```text
//! client -> [ upstream toxics ] -> speaker -> server      server -> speaker -> [ downstream toxics ] -> client
//! ```
//! Pure: a [`Speaker`] reads both directions of one connection and is told the time; it knows which answer belongs to
//! which request, asks the [`Docket`] which faults hit a message, and puts what becomes of it into the [`Post`]. What it
//! does not understand it passes as bytes from there on, and says so by [`Docket::lose`].
//!
//! | who | does |
//! |---|---|
//! | `talk` | hosts a speaker between the two chains of a link, and keeps the lines in which messages wait |
//! | [`Docket`] | the faults on this connection: matched, drawn, counted; a [`Hit`] is one fault's hold on one message |
//! | [`Post`] | what leaves, in order: a hold delays all behind it in its direction, and ends early when its fault heals or the client closes |
//!
//! To add a protocol: a framer in `wire`, parameters in `plan::fault::rule`, a folder here with a `Speaker`, an arm in
//! [`speaker`]. Not here: sockets (`pump`), toxics (`toxic`).

mod docket;
mod http;
mod post;
pub(in crate::fault) mod postgres;
#[cfg(test)]
pub(in crate::fault) mod stand;

use std::fmt::Debug;
use std::sync::Arc;

use super::parcel::{Signal, Way};
use crate::plan::fault::rule::{Protocol, Speaks};

pub(super) use docket::{Docket, Hit};
pub(super) use post::{Hold, Post};
pub use postgres::world::Asked;
pub(super) use postgres::world::{Bell, World};

/// What a speaker is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// This came from the client (up) or from the server (down). Never a reset, which ends the connection.
    From(Way, Signal),
    /// The instant of [`Post::wake_at`] has come, or the faults are others.
    Woken,
}

/// One protocol on one connection.
pub(super) trait Speaker: Debug {
    /// Something happened: says by `post` what leaves.
    fn hear(&mut self, heard: Heard, docket: &mut Docket, post: &mut Post);

    /// So many bytes may pass `way` without being heard: content that is already judged, or all once nothing is read.
    fn unread(&self, way: Way) -> u64;

    /// `n` of the bytes of [`Speaker::unread`] have passed.
    fn passed(&mut self, way: Way, n: u64);
}

/// The speaker of a new connection, which shares `world` with the others of its proxy and is woken by `bell`; `None` when
/// nothing reads it.
pub(super) fn speaker(speaks: &Speaks, world: &Arc<World>, bell: &Arc<Bell>) -> Option<Box<dyn Speaker>> {
    match speaks.protocol {
        Protocol::Http => Some(Box::new(http::Http::new(speaks.tls))),
        Protocol::Postgres => Some(Box::new(postgres::Postgres::new(speaks.tls, Arc::clone(world), Arc::clone(bell)))),
        Protocol::Bytes | Protocol::Redis => None,
    }
}
