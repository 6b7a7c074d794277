//! A fault as checked: which proxy, which toxic or rule, which side, how much of the traffic.
//!
//! Made by `check` from the drill file; read by `fault`, which builds chains from it. Not here: leases and levers (`drill`).

mod envelope;
pub mod rule;
mod time;
mod toxic;
mod words;

use std::time::Duration;

use crate::base::ratio::Ratio;

pub use envelope::{Caps, Envelope, Keep, Of, Pattern, Per, Ramp, Scale};
pub use rule::Rule;
pub use time::Time;
pub use toxic::{Corruption, Data, Draw, Ending, Existing, Moment, Origin, Outage, Silence, Toxic};

/// A fault on the bytes of one proxy's connections.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The act's name; part of every draw.
    pub name: String,
    /// The proxy it acts on.
    pub on: String,
    /// What it does.
    pub inject: Inject,
    /// Which direction; rules read both.
    pub side: Side,
    /// Share of the connections, drawn once per connection; of a rule, of the messages that match.
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

/// What a fault does: to bytes, or to messages.
#[derive(Clone, Debug, PartialEq)]
pub enum Inject {
    /// To the bytes of a connection.
    Toxic(Toxic),
    /// To the messages of a protocol.
    Rule(Rule),
}

impl Inject {
    /// True for the same kind, whatever the parameters.
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Toxic(one), Self::Toxic(other)) => one.is_like(other),
            (Self::Rule(one), Self::Rule(other)) => one.is_like(other),
            _ => false,
        }
    }
}

impl From<Toxic> for Inject {
    fn from(toxic: Toxic) -> Self {
        Self::Toxic(toxic)
    }
}

impl From<Rule> for Inject {
    fn from(rule: Rule) -> Self {
        Self::Rule(rule)
    }
}
