//! What a speaker lets out: messages in order, holds, cuts, and the wish to be woken.
//!
//! Pure. Filled by a speaker, carried out by `talk`.

use std::time::Duration;

use super::Hit;
use crate::base::clock::Tick;
use crate::fault::delay_line::Transit;
use crate::fault::parcel::{Close, Piece, Signal, Way};
use crate::fault::snapshot::FaultId;

/// The part of a message's wait that one fault is answerable for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::fault) struct Hold {
    pub(in crate::fault) fault: FaultId,
    pub(in crate::fault) time: Duration,
}

impl Hold {
    /// `hit` holds a message for the time it drew.
    pub(in crate::fault) fn new(hit: &Hit) -> Self {
        Self { fault: hit.fault(), time: hit.time() }
    }
}

/// What leaves.
#[derive(Debug)]
pub(in crate::fault) struct Post {
    now: Tick,
    pub(in crate::fault) out: Vec<(Way, Transit)>,
    pub(in crate::fault) wake: Option<Tick>,
    pub(in crate::fault) released: bool,
}

impl Post {
    pub(in crate::fault) fn new(now: Tick) -> Self {
        Self { now, out: Vec::new(), wake: None, released: false }
    }

    /// The present.
    pub(in crate::fault) fn now(&self) -> Tick {
        self.now
    }

    /// Lets `signal` leave, behind what waits in its direction.
    pub(in crate::fault) fn send(&mut self, way: Way, signal: Signal) {
        self.held(way, signal, &[]);
    }

    /// Lets `signal` leave after `holds`, which add up; what follows waits behind it.
    pub(in crate::fault) fn held(&mut self, way: Way, signal: Signal, holds: &[Hold]) {
        let wait: Duration = holds.iter().map(|hold| hold.time).sum();
        let holds = holds.iter().map(|hold| (hold.fault, hold.time)).collect();
        self.out.push((way, Transit { own: self.now + wait, piece: Piece::Pass(signal), came: self.now, holds }));
    }

    /// Ends the connection in both directions, once what was sent `way` has left.
    pub(in crate::fault) fn cut(&mut self, way: Way, how: Close) {
        self.out.push((way, Transit { own: self.now, piece: Piece::Cut(how), came: self.now, holds: Vec::new() }));
    }

    /// Ends every hold of this connection now: the client has closed, or cancelled.
    pub(in crate::fault) fn release(&mut self) {
        self.released = true;
    }

    /// The speaker wants to hear [`super::Heard::Woken`] at `at`; the last wish counts.
    pub(in crate::fault) fn wake_at(&mut self, at: Tick) {
        self.wake = Some(at);
    }
}
