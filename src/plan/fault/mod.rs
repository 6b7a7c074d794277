//! A fault as checked: which proxy, which toxic, which side, how much of the traffic.
//!
//! Made by `check` from the drill file; read by `fault`, which builds chains from it. Not here: leases and levers (`drill`).

mod envelope;
mod time;
mod toxic;
mod words;

use std::time::Duration;

use crate::base::ratio::Ratio;

pub use envelope::{Caps, Envelope, Of, Pattern, Per, Ramp, Scale};
pub use time::Time;
pub use toxic::{Corruption, Data, Draw, Ending, Existing, Origin, Outage, Silence, Toxic};

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
    /// Units, pattern, ramp and caps.
    pub envelope: Box<Envelope>,
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
