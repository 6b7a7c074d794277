//! The toxics and their parameters, as checked: what acts on the bytes of a connection.
//!
//! Not here: what they do (`fault::toxic`, one file each).

use std::mem::discriminant;
use std::time::Duration;

use super::Time;
use crate::base::ratio::Ratio;

/// One toxic with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum Toxic {
    /// `due += time` plus a uniform draw in [-jitter, jitter), at least 0; parcels overlap, throughput is not limited.
    Latency {
        /// Delay.
        time: Time,
        /// Half-width of the uniform jitter; only beside a fixed time.
        jitter: Duration,
        /// For what it is drawn.
        draw: Draw,
    },
    /// At most `rate` bytes per second; 0: nothing passes, and nothing is lost when it heals.
    Bandwidth {
        /// Bytes per second.
        rate: u64,
    },
    /// Data leaves in pieces of `size` bytes, give or take `variation`, each followed by a pause.
    Slicer {
        /// Bytes, at least 1.
        size: u64,
        /// Bytes, at most `size`.
        variation: u64,
        /// After each piece.
        pause: Duration,
    },
    /// Only the end of the direction is late.
    SlowClose {
        /// How late.
        delay: Duration,
    },
    /// Data is swallowed; the connection is closed (FIN) `after` later, never when zero.
    Timeout {
        /// Zero: hold for ever.
        after: Duration,
    },
    /// Nothing passes, nothing closes.
    Blackhole {
        /// What becomes of the bytes.
        how: Silence,
    },
    /// A true RST to both peers `after` arming.
    ResetPeer {
        /// From injection, or from the opening of a later connection.
        after: Duration,
        /// What becomes of the bytes until then.
        data: Data,
        /// What a new connection gets to send its first byte (50 ms by default), so that its write succeeds and its read sees the reset.
        grace: Duration,
    },
    /// Exactly `bytes` pass on the connection, then it is cut.
    LimitData {
        /// 0 cuts at the first byte.
        bytes: u64,
        /// How it is cut.
        close: Ending,
    },
    /// Bytes are changed at random places of the stream; the application receives them.
    Corrupt {
        /// One byte in so many, on average; at least 1.
        one_in: u64,
        /// What happens at such a place.
        how: Corruption,
        /// Bytes at the beginning of the stream that are left alone.
        skip: u64,
    },
    /// The proxy is down.
    Down {
        /// What a new connection meets.
        how: Outage,
        /// What becomes of living connections.
        existing: Existing,
    },
    /// The connection is cut after a time, even while data flows.
    MaxLifetime {
        /// Drawn once per connection.
        after: Time,
        /// From when it counts.
        from: Origin,
        /// How it is cut.
        close: Ending,
        /// When, once its time is over.
        at: Moment,
    },
    /// Packet loss as the delay that a retransmission takes; no byte is lost.
    Loss {
        /// Probability that a segment of 1448 bytes is lost.
        rate: Ratio,
        /// How much likelier right after a loss: p + correlation * (1 - p).
        correlation: Ratio,
        /// A lost segment waits so long when three more follow it (fast retransmit).
        rtt: Duration,
        /// Otherwise so long, doubled with every loss of its retransmission.
        rto: Duration,
    },
    /// Passes everything.
    Noop,
}

impl Toxic {
    /// True for the same kind, whatever the parameters.
    pub fn is_like(&self, other: &Self) -> bool {
        discriminant(self) == discriminant(other)
    }

    /// True when a ramp has something to multiply: a time, or a probability.
    pub fn has_severity(&self) -> bool {
        matches!(self, Self::Latency { .. } | Self::Loss { .. } | Self::SlowClose { .. } | Self::Corrupt { .. })
    }

    /// Every parcel is late by `time`.
    pub const fn latency(time: Duration) -> Self {
        Self::Latency { time: Time::Fixed(time), jitter: Duration::ZERO, draw: Draw::Parcel }
    }
}

/// For what a time is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Draw {
    /// For each parcel anew.
    #[default]
    Parcel,
    /// Once for the connection.
    Connection,
}

/// What a blackhole does with the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Keeps them until it heals; reading stops when the buffer is full.
    Stall,
    /// Reads and discards them; connections that lost bytes are cut when it heals.
    Swallow,
}

/// What becomes of bytes before a reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Data {
    /// They never arrive.
    #[default]
    Swallow,
    /// They pass.
    Pass,
}

/// How a toxic ends a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// Orderly, after all that was sent before.
    #[default]
    Fin,
    /// By a reset.
    Rst,
}

/// What happens at a place that is corrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corruption {
    /// One bit of the byte is flipped.
    Flip,
    /// The byte becomes another one.
    Replace,
    /// So many drawn bytes come before it.
    Insert(u32),
    /// So many bytes from here on are missing.
    Remove(u32),
}

/// What a new connection meets when the proxy is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// The listener is closed.
    Refuse,
    /// Accepted, then reset.
    Reset,
    /// Accepted, then closed.
    Close,
    /// Accepted, then silence.
    Hang,
}

/// What becomes of living connections when the proxy goes down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// They go on.
    #[default]
    Keep,
    /// They are closed.
    Close,
}

/// When a connection is cut whose time is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Moment {
    /// At once, even while data flows.
    #[default]
    Now,
    /// Between two messages: when neither peer has said anything for 20 ms, and nothing waits.
    Idle,
}

/// From when a lifetime counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// From the opening of the connection.
    #[default]
    Opened,
    /// From the injection, for connections that were open then.
    Injected,
}
