//! The draws of a toxic on one connection, and the bounds of what it draws.
//!
//! Pure. A draw is a function of seed, fault, connection (and parcel), so no draw consumes another's number: neighbours and
//! other faults change nothing. Slot 1 is the time; whether the connection is hit at all is `decide`'s (slot 0).

use std::sync::Arc;
use std::time::Duration;

use super::decide::{Decider, Unit};
use super::parcel::Way;
use crate::base::clock::Tick;
use crate::base::seed::{Seed, unit};

/// The draws of one fault on one connection.
#[derive(Clone, Debug)]
pub struct Draws {
    seed: Seed,
    fault: Arc<str>,
    /// Of the connection.
    key: [u64; 2],
    /// Ramp and caps; a toxic of a proxy's definition has none.
    decider: Option<Arc<Decider>>,
}

impl Draws {
    /// The draws of the fault called `fault` on connection number `connection` of proxy `proxy` (see [`proxy_number`]).
    pub fn new(seed: Seed, fault: Arc<str>, proxy: u64, connection: u64) -> Self {
        Self { seed, fault, key: [proxy, connection], decider: None }
    }

    /// Those of `decider`'s fault on the connection `unit`.
    pub(super) fn of(decider: &Arc<Decider>, unit: &Unit) -> Self {
        let fault = Arc::from(decider.fault().name.as_str());
        Self { seed: decider.seed(), fault, key: unit.connection_key(), decider: Some(Arc::clone(decider)) }
    }

    /// Uniform in [0, 1) for the time of parcel number `parcel` that travels `way`.
    pub fn time(&self, way: Way, parcel: u64) -> f64 {
        self.draw(way, parcel, 1)
    }

    /// Uniform in [0, 1) for the unit number `nth` that travels `way`. Slots from 2 on are free for each kind of toxic.
    pub fn draw(&self, way: Way, nth: u64, slot: u64) -> f64 {
        let [first, second] = self.key;
        unit(self.seed.decide(&self.fault, &[first, second, way.number(), nth], slot))
    }

    /// What the ramp multiplies times and probabilities by at `at`.
    pub fn severity(&self, at: Tick) -> f64 {
        self.decider.as_ref().map_or(1.0, |decider| decider.severity(at))
    }

    /// A time as it was drawn, multiplied by the ramp at `at`, and cut by the caps.
    pub fn hold(&self, drawn: Duration, at: Tick) -> Duration {
        let severity = self.severity(at);
        // Exact to the nanosecond without a ramp.
        self.bound(if severity < 1.0 { drawn.mul_f64(severity) } else { drawn })
    }

    /// A time as it was drawn, cut by the caps.
    pub fn bound(&self, drawn: Duration) -> Duration {
        self.decider.as_ref().map_or(drawn, |decider| decider.bound(drawn))
    }
}

/// The number that stands for the proxy called `name` in every key.
pub fn proxy_number(seed: Seed, name: &str) -> u64 {
    seed.key(name, &[])
}
