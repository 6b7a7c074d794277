//! A fault as checked: which proxy, which toxic, which side, how much of the traffic.
//!
//! Made by `check` from the drill file; read by `fault`, which builds chains from it. Not here: leases and levers (`drill`).

use std::time::Duration;

use crate::base::duration::show;
use crate::base::ratio::Ratio;

/// A fault on the bytes of one proxy's connections.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The act's name; part of every draw.
    pub name: String,
    /// The proxy it acts on.
    pub on: String,
    /// What it does.
    pub inject: Toxic,
    /// Which direction.
    pub side: Side,
    /// Share of the connections, drawn once per connection.
    pub share: Ratio,
    /// Heals by itself after this long; `None`: until reverted.
    pub lasts: Option<Duration>,
}

/// One toxic with its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toxic {
    /// `due += time` plus a uniform draw in [-jitter, jitter), at least 0; parcels overlap, throughput is not limited.
    Latency {
        /// Delay of every parcel.
        time: Duration,
        /// Half-width of the uniform jitter, at most `time`.
        jitter: Duration,
    },
    /// Data is swallowed; the connection is closed (FIN) `after` later, never when zero.
    Timeout {
        /// Zero: hold for ever.
        after: Duration,
    },
    /// A true RST to both peers `after` arming.
    ResetPeer {
        /// From injection, or from the opening of a later connection.
        after: Duration,
        /// What a new connection gets to send its first byte (50 ms by default), so that its write succeeds and its read sees the reset.
        grace: Duration,
    },
}

impl Fault {
    /// In words: `latency of 80ms on proxy db`.
    pub fn words(&self) -> String {
        let share = match self.share {
            Ratio::ONE => String::new(),
            share => format!(" of {} % of its connections", share.get() * 100.0),
        };
        format!("{} on proxy {}{share}", self.inject.words(), self.on)
    }
}

impl Toxic {
    fn words(self) -> String {
        match self {
            Self::Latency { time, jitter } if jitter.is_zero() => format!("latency of {}", show(time)),
            Self::Latency { time, jitter } => format!("latency of {} ± {}", show(time), show(jitter)),
            Self::Timeout { after } if after.is_zero() => "silence".to_owned(),
            Self::Timeout { after } => format!("silence, then an end after {}", show(after)),
            Self::ResetPeer { after, .. } if after.is_zero() => "resets".to_owned(),
            Self::ResetPeer { after, .. } => format!("resets after {}", show(after)),
        }
    }
}

/// The direction a toxic acts on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// Client to server.
    Upstream,
    /// Server to client.
    #[default]
    Downstream,
    /// Both.
    Both,
}
