//! What travels through a chain: one read of a socket, or its end, and when it is due.
//!
//! Pure. Not here: order and cuts (`chain`), waiting (`pump`). Toxics write into an [`Outbox`], chains read it.

use std::time::Duration;

use bytes::Bytes;

use crate::base::clock::Tick;

/// Silence that counts as the border between two messages.
const PAUSE: Duration = Duration::from_millis(20);

/// The direction of a stream through the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// Client to server.
    Up,
    /// Server to client.
    Down,
}

impl Way {
    /// The opposite direction.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }

    /// 0 for up, 1 for down: part of the key of a draw.
    pub const fn number(self) -> u64 {
        match self {
            Self::Up => 0,
            Self::Down => 1,
        }
    }
}

/// How a connection ends, in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// An orderly end: both peers read end-of-file.
    Fin,
    /// A true reset: both peers get `ECONNRESET`.
    Rst,
}

/// What one read of a socket gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Bytes, at most 32 KiB.
    Data(Bytes),
    /// This direction has ended; the other goes on.
    Fin,
    /// The peer reset the connection.
    Rst,
}

impl Signal {
    /// Bytes carried; 0 for an end.
    pub fn len(&self) -> usize {
        match self {
            Self::Data(bytes) => bytes.len(),
            Self::Fin | Self::Rst => 0,
        }
    }

    /// True for an end, and for data without bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A signal and the instant at which it may leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Not written before this.
    pub due: Tick,
    /// What is written.
    pub signal: Signal,
}

/// What leaves a toxic in order: a signal, or the end of the whole connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Goes on through the later toxics.
    Pass(Signal),
    /// Ends both directions once everything before it was written.
    Cut(Close),
}

impl Piece {
    /// Nothing may follow this in its direction.
    pub(super) fn is_last(&self) -> bool {
        !matches!(self, Self::Pass(Signal::Data(_)))
    }

    /// Bytes carried; 0 for an end.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Pass(signal) => signal.len(),
            Self::Cut(_) => 0,
        }
    }
}

/// An end that stands beside the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ring {
    pub(super) at: Tick,
    pub(super) how: Close,
    /// It waits for a pause.
    pub(super) patient: bool,
}

impl Ring {
    /// When it ends the connection, if nothing is heard from the peers after `heard`.
    pub(super) fn due(self, heard: Tick) -> Tick {
        if self.patient { self.at.max(heard + PAUSE) } else { self.at }
    }
}

/// Where a toxic puts what it lets through, and when.
#[derive(Debug, Default)]
pub struct Outbox {
    pub(super) sent: Vec<(Tick, Piece)>,
    pub(super) alarms: Vec<Ring>,
    pub(super) changed: bool,
}

impl Outbox {
    /// Lets `signal` through at `due`, or later when something before it is due later; at [`Tick::MAX`]: when the toxic goes.
    pub fn send(&mut self, due: Tick, signal: Signal) {
        self.sent.push((due, Piece::Pass(signal)));
    }

    /// Bytes of the parcel were changed: that counts as touching the connection.
    pub fn changed(&mut self) {
        self.changed = true;
    }

    /// Ends the connection in order: after all that was sent before.
    pub fn cut(&mut self, due: Tick, how: Close) {
        self.sent.push((due, Piece::Cut(how)));
    }

    /// Ends the connection out of order: at `at`, whatever is still queued is dropped. The earliest alarm wins.
    pub fn alarm(&mut self, at: Tick, how: Close) {
        self.alarms.push(Ring { at, how, patient: false });
    }

    /// The same, at the first pause of both directions at `at` or later.
    pub fn alarm_when_idle(&mut self, at: Tick, how: Close) {
        self.alarms.push(Ring { at, how, patient: true });
    }
}
