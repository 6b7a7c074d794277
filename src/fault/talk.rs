//! Hosts a speaker between the two chains of a link: lines in which messages wait for their instant.
//!
//! ```text
//! up chain -> speaker -> [ to the server ]          down chain <- [ to the client ] <- speaker
//! ```
//! Pure. Not here: what a speaker does (`rule`), sockets (`pump`). Owned by `link`.

use std::sync::Arc;
use std::task::Context;

use super::chain::Chain;
use super::decide::Draws;
use super::parcel::{Close, Piece, Signal, Way};
use super::rule::{Bell, Docket, Heard, Post, Speaker};
use super::snapshot::{FaultId, Snapshot};
use crate::base::clock::Tick;

/// A conversation that is read.
#[derive(Debug)]
pub(super) struct Talk {
    speaker: Box<dyn Speaker>,
    /// Rung from other connections.
    bell: Arc<Bell>,
    docket: Docket,
    /// What waits to be written to the server.
    pub(super) server: Chain,
    /// What waits to enter the downstream toxics.
    pub(super) client: Chain,
    wake: Option<Tick>,
}

impl Talk {
    pub(super) fn new(
        (speaker, bell): (Box<dyn Speaker>, Arc<Bell>),
        snapshot: &Snapshot,
        draws: impl Fn(&str) -> Draws,
    ) -> Self {
        let mut docket = Docket::default();
        docket.sync(snapshot, draws);
        Self { speaker, bell, docket, server: Chain::default(), client: Chain::default(), wake: None }
    }

    /// Brings the rules to those of `snapshot`; holds of faults that went end now.
    pub(super) fn sync(&mut self, snapshot: &Snapshot, draws: impl Fn(&str) -> Draws, now: Tick) {
        let before: Vec<FaultId> = self.docket.faults().collect();
        if self.docket.sync(snapshot, draws) {
            let gone: Vec<FaultId> = before.into_iter().filter(|id| !snapshot.holds(*id)).collect();
            self.server.remove(&gone, now);
            self.client.remove(&gone, now);
            self.hear(Heard::Woken, now);
        }
    }

    /// The faults whose rules are on the docket.
    pub(super) fn faults(&self) -> impl Iterator<Item = FaultId> + '_ {
        self.docket.faults()
    }

    /// What the server sent.
    pub(super) fn answer(&mut self, signal: Signal, now: Tick) {
        match signal {
            Signal::Rst => self.client.arrive(now, Signal::Rst),
            signal => self.hear(Heard::From(Way::Down, signal), now),
        }
    }

    /// What the upstream toxics let through. How the connection ends when the client has reset it.
    pub(super) fn ask(&mut self, piece: Piece, now: Tick) -> Option<Close> {
        match piece {
            Piece::Pass(Signal::Rst) => return Some(Close::Rst),
            Piece::Cut(how) => self.server.cut(now, how),
            Piece::Pass(signal) => self.hear(Heard::From(Way::Up, signal), now),
        }
        None
    }

    /// The task that moves the bytes, which the bell wakes.
    pub(super) fn attend(&self, cx: &Context<'_>) {
        self.bell.attend(cx);
    }

    /// Wakes the speaker if its instant has come, or somebody rang.
    pub(super) fn wake(&mut self, now: Tick) {
        if self.wake.is_some_and(|at| at <= now) || self.bell.is_ringing() {
            self.wake = None;
            self.hear(Heard::Woken, now);
        }
    }

    fn hear(&mut self, heard: Heard, now: Tick) {
        let mut post = Post::new(now);
        self.speaker.hear(heard, &mut self.docket, &mut post);
        if post.released {
            self.server.let_go(now);
            self.client.let_go(now);
        }
        self.wake = post.wake.or(self.wake);
        for (way, transit) in post.out {
            match way {
                Way::Up => self.server.queue(transit),
                Way::Down => self.client.queue(transit),
            }
        }
    }

    /// When something may leave for the downstream toxics, or the speaker wants to be woken.
    pub(super) fn due(&self) -> Option<Tick> {
        self.client.head_due().into_iter().chain(self.wake).min()
    }

    /// Bytes that may pass `way` unheard, now.
    pub(super) fn unread(&self, way: Way) -> u64 {
        let line = if way == Way::Up { &self.server } else { &self.client };
        if line.is_clear() { self.speaker.unread(way) } else { 0 }
    }

    /// `n` bytes have passed unheard.
    pub(super) fn passed(&mut self, way: Way, n: usize) {
        self.speaker.passed(way, n as u64);
    }

    /// Bytes that wait inside the speaker.
    pub(super) fn backlog(&self) -> usize {
        self.bell.backlog()
    }

    /// Bytes that wait.
    pub(super) fn waiting(&self) -> usize {
        self.server.waiting() + self.client.waiting() + self.bell.backlog()
    }
}
