//! What passes through a link: from a socket into it, from stage to stage inside, and out to the other socket.
//!
//! Pure. Called by `pump`, which moves the bytes. Not here: faults that come and go (`link`).

use std::task::Context;

use super::Link;
use crate::base::clock::Tick;
use crate::fault::chain::Chain;
use crate::fault::parcel::{Signal, Way};

/// Content that is shorter is read with the rest: a read of its own would cost more.
const SHORT: u64 = 16 * 1024;

impl Link {
    /// A socket gave `signal`, which travels `way`.
    pub(in crate::fault) fn arrive(&mut self, way: Way, now: Tick, signal: Signal) {
        match (way, &mut self.talk) {
            (Way::Down, Some(talk)) => talk.answer(signal, now),
            _ => self.chain(way).arrive(now, signal),
        }
    }

    /// The task that moves the bytes, which other connections may wake.
    pub(in crate::fault) fn attend(&self, cx: &Context<'_>) {
        if let Some(talk) = &self.talk {
            talk.attend(cx);
        }
    }

    /// Moves on what is due inside: through the speaker, and from it into the downstream toxics. True when something moved.
    pub(in crate::fault) fn ferry(&mut self, now: Tick, buffer: usize) -> bool {
        let Some(talk) = &mut self.talk else { return false };
        let mut moved = false;
        talk.wake(now);
        while talk.waits(Way::Up) < buffer {
            let Some(piece) = self.up.take(now) else { break };
            moved = true;
            if let Some(how) = talk.ask(piece, now) {
                self.doom.get_or_insert(how);
                break;
            }
        }
        while let Some(piece) = talk.take(Way::Down, now) {
            moved = true;
            self.down.enter(now, piece);
        }
        while let Some(piece) = talk.take(Way::Up, now) {
            moved = true;
            talk.server.enter(now, piece);
        }
        moved
    }

    /// What is written to the destination of `way`.
    pub(in crate::fault) fn outlet(&mut self, way: Way) -> &mut Chain {
        match way {
            Way::Up => self.talk.as_mut().map_or(&mut self.up, |talk| &mut talk.server),
            Way::Down => &mut self.down,
        }
    }

    /// Bytes that may go straight from socket to socket, up to `most`; 0 when they must pass through here.
    pub(in crate::fault) fn straight(&mut self, way: Way, most: usize) -> usize {
        if !self.chain(way).is_clear() {
            return 0;
        }
        match &self.talk {
            None => most,
            Some(talk) => match talk.unread(way) {
                0..SHORT => 0,
                unread => usize::try_from(unread).unwrap_or(most).min(most),
            },
        }
    }

    /// `n` bytes went straight.
    pub(in crate::fault) fn passed(&mut self, way: Way, n: usize) {
        if let Some(talk) = &mut self.talk {
            talk.passed(way, n);
        }
    }

    /// Bytes that may still be read when at most `buffer` wait in this direction.
    pub(in crate::fault) fn room(&mut self, way: Way, buffer: usize, now: Tick) -> usize {
        let room = self.chain(way).room(buffer);
        let Some(talk) = &self.talk else { return room };
        // What may leave and does not waits for its destination: then nothing more is read, as without a proxy.
        let blocked = way == Way::Up && talk.server.head(now).is_some();
        if blocked { 0 } else { room.min(buffer.saturating_sub(talk.waits(way))) }
    }

    /// The destination of `way` is gone: drops what waits for it.
    pub(in crate::fault) fn abandon(&mut self, way: Way) {
        self.chain(way).abandon();
        self.outlet(way).abandon();
        if let Some(talk) = &mut self.talk {
            talk.abandon(way);
        }
    }
}
