//! What one hearing sends: bytes to either side, gathered, with the holds that stand before them.
//!
//! Pure. Filled by the speaker, emptied into the `Post`.

use bytes::{Bytes, BytesMut};

use crate::base::clock::Tick;
use crate::fault::parcel::{Close, Signal, Way};
use crate::fault::rule::{Docket, Hold, Post};

/// Bytes of one piece, at most.
const PIECE: usize = 32 * 1024;

/// One hearing.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pub(super) now: Tick,
    pub(super) docket: &'a mut Docket,
    pub(super) post: &'a mut Post,
    up: BytesMut,
    down: BytesMut,
    /// Before what is told next.
    holds: Vec<Hold>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(docket: &'a mut Docket, post: &'a mut Post) -> Self {
        let (up, down) = (BytesMut::new(), BytesMut::new());
        Self { now: post.now(), docket, post, up, down, holds: Vec::new() }
    }

    /// To the server.
    pub(super) fn ask(&mut self, bytes: &[u8]) {
        self.up.extend_from_slice(bytes);
    }

    /// To the client.
    pub(super) fn tell(&mut self, bytes: &[u8]) {
        self.down.extend_from_slice(bytes);
    }

    /// What is told from here on waits.
    pub(super) fn stall(&mut self, holds: Vec<Hold>) {
        self.flush_down();
        self.holds.extend(holds);
    }

    /// Ends the connection behind all that was told.
    pub(super) fn cut(&mut self, how: Close) {
        self.flush();
        self.post.cut(Way::Down, how);
    }

    /// Hands on what was gathered.
    pub(super) fn flush(&mut self) {
        for piece in pieces(self.up.split().freeze()) {
            self.post.send(Way::Up, Signal::Data(piece));
        }
        self.flush_down();
    }

    fn flush_down(&mut self) {
        for piece in pieces(self.down.split().freeze()) {
            let holds = std::mem::take(&mut self.holds);
            self.post.held(Way::Down, Signal::Data(piece), &holds);
        }
    }
}

fn pieces(mut bytes: Bytes) -> impl Iterator<Item = Bytes> {
    std::iter::from_fn(move || (!bytes.is_empty()).then(|| bytes.split_to(bytes.len().min(PIECE))))
}
