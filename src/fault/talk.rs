//! Hosts a speaker between the two chains of a link: lines in which messages wait for their instant.
//!
//! ```text
//! up chain -> speaker -> [ line ] -> server          down chain <- [ line ] <- speaker
//! ```
//! Pure. Not here: what a speaker does (`rule`), sockets (`pump`). Owned by `link`.

use std::sync::Arc;
use std::task::Context;

use super::chain::Chain;
use super::decide::Unit;
use super::delay_line::{DelayLine, Transit};
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
    /// What waits on its way to the server.
    up: DelayLine,
    /// What waits before it enters the downstream toxics.
    down: DelayLine,
    /// What waits to be written to the server.
    pub(super) server: Chain,
    wake: Option<Tick>,
}

impl Talk {
    pub(super) fn new((speaker, bell): (Box<dyn Speaker>, Arc<Bell>), unit: Unit, snapshot: &Snapshot) -> Self {
        let mut docket = Docket::new(unit);
        docket.sync(snapshot);
        let (up, down) = (DelayLine::default(), DelayLine::default());
        Self { speaker, bell, docket, up, down, server: Chain::default(), wake: None }
    }

    /// Brings the rules to those of `snapshot`; holds of faults that went end now.
    pub(super) fn sync(&mut self, snapshot: &Snapshot, now: Tick) {
        let holders = [&self.up, &self.down].map(DelayLine::holders).concat();
        let gone: Vec<FaultId> = holders.into_iter().filter(|id| !snapshot.holds(*id)).collect();
        self.release(&gone, now);
        if self.docket.sync(snapshot) {
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
            Signal::Rst => self.down.push(plain(Piece::Pass(Signal::Rst), now)),
            signal => self.hear(Heard::From(Way::Down, signal), now),
        }
    }

    /// What the upstream toxics let through. How the connection ends, when the client has reset it.
    pub(super) fn ask(&mut self, piece: Piece, now: Tick) -> Option<Close> {
        match piece {
            Piece::Pass(Signal::Rst) => return Some(Close::Rst),
            cut @ Piece::Cut(_) => self.up.push(plain(cut, now)),
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
            let holders = [&self.up, &self.down].map(DelayLine::holders).concat();
            self.release(&holders, now);
        }
        self.wake = post.wake.or(self.wake);
        for (way, transit) in post.out {
            // Empty data carries nothing but its holds.
            if !matches!(&transit.piece, Piece::Pass(Signal::Data(bytes)) if bytes.is_empty()) {
                self.line(way).push(transit);
            }
        }
    }

    /// Ends the holds of `holders`, one entry for each piece they hold.
    fn release(&mut self, holders: &[FaultId], now: Tick) {
        if holders.is_empty() {
            return;
        }
        self.docket.early(holders);
        self.up.release(holders, now);
        self.down.release(holders, now);
    }

    /// The next piece that may go on in direction `way` at `now`.
    pub(super) fn take(&mut self, way: Way, now: Tick) -> Option<Piece> {
        let transit = self.line(way).take(now)?;
        for (fault, held) in transit.realised(now) {
            self.docket.realised(fault, held);
        }
        Some(transit.piece)
    }

    fn line(&mut self, way: Way) -> &mut DelayLine {
        match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        }
    }

    /// When something may go on, or the speaker wants to be woken.
    pub(super) fn due(&self) -> Option<Tick> {
        [self.up.head_due(), self.down.head_due(), self.wake].into_iter().flatten().min()
    }

    /// Bytes that may pass `way` unheard, now.
    pub(super) fn unread(&self, way: Way) -> u64 {
        let clear = match way {
            Way::Up => self.up.is_empty() && self.server.is_clear(),
            Way::Down => self.down.is_empty(),
        };
        if clear { self.speaker.unread(way) } else { 0 }
    }

    /// `n` bytes have passed unheard.
    pub(super) fn passed(&mut self, way: Way, n: usize) {
        self.speaker.passed(way, n as u64);
    }

    /// Bytes that wait in direction `way`.
    pub(super) fn waits(&self, way: Way) -> usize {
        match way {
            Way::Up => self.up.bytes() + self.server.waiting() + self.bell.backlog(),
            Way::Down => self.down.bytes(),
        }
    }

    /// The destination of `way` is gone.
    pub(super) fn abandon(&mut self, way: Way) {
        self.line(way).clear();
    }
}

fn plain(piece: Piece, now: Tick) -> Transit {
    Transit { own: now, piece, came: now, holds: Vec::new() }
}
