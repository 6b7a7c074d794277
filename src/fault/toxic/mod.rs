//! Toxics: what acts on the bytes of a connection. One file per kind, named as the user writes it.
//!
//! Pure: a toxic is told the time and says what leaves, and when; it never reorders and never looks at a clock. To add
//! one: a file here, and an arm in `build`. Called by `chain` alone.

mod latency;
mod reset_peer;
mod timeout;

use std::fmt::Debug;

use super::decide::Draws;
use super::parcel::{Outbox, Parcel, Way};
use crate::base::clock::Tick;
use crate::plan::fault::{Side, Toxic as Kind};

/// Acts on one direction of one connection.
pub trait Toxic: Debug + Send {
    /// The connection was opened, or the fault was injected into it: what happens without traffic is armed here.
    fn open(&mut self, _arming: Arming, _out: &mut Outbox) {}

    /// A parcel came, due at `parcel.due` as far as the toxics before this one are concerned.
    fn pass(&mut self, parcel: Parcel, out: &mut Outbox);
}

/// When a toxic was armed on a connection, and which of the two is older.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arming {
    /// The connection was opened at this instant, under the toxic.
    Opened(Tick),
    /// The toxic was injected at this instant, into a living connection.
    Injected(Tick),
}

impl Arming {
    /// The instant from which the toxic counts.
    pub const fn at(self) -> Tick {
        match self {
            Self::Opened(at) | Self::Injected(at) => at,
        }
    }
}

/// The toxic of `kind` for the direction `way`.
pub(super) fn build(kind: Kind, way: Way, draws: Draws) -> Box<dyn Toxic> {
    match kind {
        Kind::Latency { time, jitter } => Box::new(latency::Latency::new(time, jitter, way, draws)),
        Kind::Timeout { after } => Box::new(timeout::Timeout::new(after)),
        Kind::ResetPeer { after, grace } => Box::new(reset_peer::ResetPeer::new(after, grace)),
    }
}

/// The directions in which `kind` is installed when the user says `side`.
pub(super) fn ways(kind: Kind, side: Side) -> &'static [Way] {
    match (kind, side) {
        // A reset ends both directions whatever the side, and has to see the client's first byte.
        (Kind::ResetPeer { .. }, _) | (_, Side::Upstream) => &[Way::Up],
        (_, Side::Downstream) => &[Way::Down],
        (_, Side::Both) => &[Way::Up, Way::Down],
    }
}
