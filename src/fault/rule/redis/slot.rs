//! The place of one reply, and what becomes of it.
//!
//! Pure. Not here: whose turn it is (`redis`).

use bytes::Bytes;

use crate::fault::parcel::{Close, Signal, Way};
use crate::fault::rule::{Hit, Post};

/// The place of one reply.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) does: Does,
    /// Active until the reply is whole.
    pub(super) hits: Vec<Hit>,
}

/// What becomes of the reply.
#[derive(Debug)]
pub(super) enum Does {
    /// It passes.
    Pass,
    /// The server gives none: this is it.
    Made(Bytes),
    /// The server's is left out, and this stands in its place.
    Instead(Bytes),
    /// So many bytes of it pass, then the connection ends.
    Cut { left: u64, how: Close },
}

impl Slot {
    pub(super) fn new() -> Self {
        Self { does: Does::Pass, hits: Vec::new() }
    }

    /// True when the reply passes as it comes.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.does, Does::Pass)
    }

    /// More of the server's reply.
    pub(super) fn reply(&mut self, mut bytes: Bytes, post: &mut Post) {
        match &mut self.does {
            Does::Pass => post.send(Way::Down, Signal::Data(bytes)),
            Does::Made(_) | Does::Instead(_) => {}
            Does::Cut { left, how } => {
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= take as u64;
                post.send(Way::Down, Signal::Data(bytes.split_to(take)));
                if !bytes.is_empty() {
                    self.hits.iter().for_each(Hit::cut);
                    post.cut(Way::Down, *how);
                    // Nothing follows a cut.
                    self.does = Does::Instead(Bytes::new());
                }
            }
        }
    }

    /// The server's reply is whole.
    pub(super) fn end(self, post: &mut Post) {
        if let Does::Instead(bytes) = self.does
            && !bytes.is_empty()
        {
            post.send(Way::Down, Signal::Data(bytes));
        }
    }
}
