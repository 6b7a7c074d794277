//! Toxics: what acts on the bytes of a connection. One file per kind, named as the user writes it.
//!
//! Pure: a toxic is told the time and says what leaves, and when; it never reorders and never looks at a clock. To add
//! one: a file here, and an arm in `build`. Called by `chain` alone.

mod bandwidth;
mod blackhole;
mod corrupt;
mod down;
mod latency;
mod limit_data;
mod loss;
mod max_lifetime;
mod noop;
mod reset_peer;
mod slicer;
mod slow_close;
#[cfg(test)]
mod tests;
mod timeout;

use std::fmt::Debug;
use std::time::Duration;

use super::draws::Draws;
use super::parcel::{Close, Outbox, Parcel, Way};
use crate::base::clock::Tick;
use crate::plan::fault::{Data, Ending, Side, Toxic as Kind};

/// Acts on one direction of one connection.
pub trait Toxic: Debug + Send {
    /// The connection was opened, or the fault was injected into it: what happens without traffic is armed here.
    fn open(&mut self, _arming: Arming, _out: &mut Outbox) {}

    /// A parcel came, due at `parcel.due` as far as the toxics before this one are concerned.
    fn pass(&mut self, parcel: Parcel, out: &mut Outbox);

    /// The parameters became `to`, of the same kind: counts and draws stay. What this toxic holds in the queue may be
    /// held shorter or longer from now on, and alarms are set anew.
    fn retune(&mut self, _to: &Kind, _queue: &mut Queue, _out: &mut Outbox) {}
}

/// What one toxic holds of the queue, in order.
#[derive(Clone, Debug)]
pub struct Queue {
    /// The present.
    pub now: Tick,
    /// Its pieces.
    pub held: Vec<Held>,
}

/// A queued piece that a toxic holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// When it came to the toxic.
    pub came: Tick,
    /// Bytes that are left of it.
    pub bytes: usize,
    /// How long the toxic holds it; [`Duration::MAX`]: until the toxic goes.
    pub time: Duration,
}

impl Queue {
    /// A hold is kept, but not beyond the new maximum.
    fn at_most(&mut self, longest: Duration) {
        for held in &mut self.held {
            held.time = held.time.min(longest);
        }
    }
}

/// When a toxic was armed on a connection, and which of the two is older.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arming {
    /// The connection was opened at this instant, under the toxic.
    Opened(Tick),
    /// The toxic was injected into a living connection.
    Injected {
        /// Into this connection, at this instant.
        at: Tick,
        /// The connection is as old as this.
        opened: Tick,
    },
}

impl Arming {
    /// The instant from which the toxic counts.
    pub const fn at(self) -> Tick {
        match self {
            Self::Opened(at) | Self::Injected { at, .. } => at,
        }
    }

    /// The opening of the connection.
    pub const fn opened(self) -> Tick {
        match self {
            Self::Opened(opened) | Self::Injected { opened, .. } => opened,
        }
    }
}

impl From<Ending> for Close {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Fin => Self::Fin,
            Ending::Rst => Self::Rst,
        }
    }
}

/// The toxic of `kind` for the direction `way`.
pub(super) fn build(kind: &Kind, way: Way, draws: Draws) -> Box<dyn Toxic> {
    match kind {
        Kind::Latency { time, jitter, draw } => {
            Box::new(latency::Latency::new((time.clone(), *jitter, *draw), way, draws))
        }
        Kind::Bandwidth { rate } => Box::new(bandwidth::Bandwidth::new(*rate)),
        Kind::Slicer { size, variation, pause } => {
            Box::new(slicer::Slicer::new((*size, *variation), *pause, way, draws))
        }
        Kind::SlowClose { delay } => Box::new(slow_close::SlowClose::new(*delay, draws)),
        Kind::Timeout { after } => Box::new(timeout::Timeout::new(*after)),
        Kind::Blackhole { how } => Box::new(blackhole::Blackhole::new(*how)),
        // Downstream it only keeps the answers back: the reset is armed where the client's first byte is seen.
        Kind::ResetPeer { data: Data::Swallow, .. } if way == Way::Down => {
            Box::new(timeout::Timeout::new(Duration::ZERO))
        }
        Kind::ResetPeer { after, data, grace } => Box::new(reset_peer::ResetPeer::new(*after, *data, *grace)),
        Kind::LimitData { bytes, close } => Box::new(limit_data::LimitData::new(*bytes, *close)),
        Kind::Corrupt { one_in, how, skip } => Box::new(corrupt::Corrupt::new((*one_in, *skip), *how, way, draws)),
        Kind::Down { how, existing } => Box::new(down::Down::new(*how, *existing)),
        Kind::MaxLifetime { after, from, close, at } => {
            Box::new(max_lifetime::MaxLifetime::new((after.clone(), *from), (*close, *at), draws))
        }
        Kind::Loss { rate, correlation, rtt, rto } => {
            Box::new(loss::Loss::new((*rate, *correlation), (*rtt, *rto), way, draws))
        }
        Kind::Noop => Box::new(noop::Noop),
    }
}

/// The directions in which `kind` is installed when the user says `side`.
pub(super) fn ways(kind: &Kind, side: Side) -> &'static [Way] {
    match (kind, side) {
        // Both ends of a connection go down together.
        (Kind::Down { .. } | Kind::ResetPeer { data: Data::Swallow, .. }, _) => &[Way::Up, Way::Down],
        // A reset ends both directions whatever the side, and has to see the client's first byte.
        (Kind::ResetPeer { .. } | Kind::MaxLifetime { .. }, _) | (_, Side::Upstream) => &[Way::Up],
        (_, Side::Downstream) => &[Way::Down],
        (_, Side::Both) => &[Way::Up, Way::Down],
    }
}
