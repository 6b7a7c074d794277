//! Keyed draws: whether a fault hits a connection, and how long it holds a parcel.
//!
//! Pure. A draw is a function of seed, fault, proxy, connection (and parcel), so no draw consumes another's number:
//! neighbours and other faults change nothing. Slot 0 decides hit or not, slot 1 the time.

use std::sync::Arc;

use super::parcel::Way;
use crate::base::ratio::Ratio;
use crate::base::seed::{Seed, unit};

/// The draws of one fault on one connection.
#[derive(Clone, Debug)]
pub struct Draws {
    seed: Seed,
    fault: Arc<str>,
    proxy: u64,
    connection: u64,
}

impl Draws {
    /// The draws of the fault called `fault` on connection number `connection` of proxy `proxy` (see [`proxy_number`]).
    pub fn new(seed: Seed, fault: Arc<str>, proxy: u64, connection: u64) -> Self {
        Self { seed, fault, proxy, connection }
    }

    /// True when the connection belongs to the `share` that the fault acts on. 0 % never hits, 100 % always; a larger
    /// share keeps every connection of a smaller one.
    pub fn hit(&self, share: Ratio) -> bool {
        unit(self.seed.decide(&self.fault, &[self.proxy, self.connection], 0)) < share.get()
    }

    /// True when message `ordinal` of the connection belongs to the `share` that the rule acts on.
    pub fn hit_message(&self, share: Ratio, ordinal: u64) -> bool {
        self.message(ordinal, 0) < share.get()
    }

    /// Uniform in [0, 1) for message `ordinal` of the connection: slot 0 hits or not, slot 1 is the time.
    pub fn message(&self, ordinal: u64, slot: u64) -> f64 {
        unit(self.seed.decide(&self.fault, &[self.proxy, self.connection, ordinal], slot))
    }

    /// Uniform in [0, 1) for the time of parcel number `parcel` that travels `way`.
    pub fn time(&self, way: Way, parcel: u64) -> f64 {
        self.draw(way, parcel, 1)
    }

    /// Uniform in [0, 1) for the unit number `nth` that travels `way`. Slots from 2 on are free for each kind of toxic.
    pub fn draw(&self, way: Way, nth: u64, slot: u64) -> f64 {
        unit(self.seed.decide(&self.fault, &[self.proxy, self.connection, way.number(), nth], slot))
    }
}

/// The number that stands for the proxy called `name` in every key.
pub fn proxy_number(seed: Seed, name: &str) -> u64 {
    seed.key(name, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(seed: u64, fault: &str, share: f64, connections: u64) -> Vec<u64> {
        let proxy = proxy_number(Seed(seed), "db");
        (0..connections).filter(|c| Draws::new(Seed(seed), fault.into(), proxy, *c).hit(Ratio::new(share))).collect()
    }

    #[test]
    fn a_share_is_hit_as_often_as_it_says() {
        let n = hits(1, "slow", 0.25, 100_000).len();
        // 99.9 % interval of the binomial: 3.29 standard deviations of 136.9.
        assert!((24_550..=25_450).contains(&n), "{n}");
        assert!(hits(1, "slow", 0.0, 10_000).is_empty());
        assert_eq!(hits(1, "slow", 1.0, 10_000).len(), 10_000);
    }

    #[test]
    fn a_larger_share_keeps_the_connections_of_a_smaller_one() {
        let few = hits(1, "slow", 0.1, 5_000);
        let many = hits(1, "slow", 0.3, 5_000);
        assert!(few.iter().all(|c| many.contains(c)));
    }

    #[test]
    fn a_decision_depends_on_seed_and_fault_alone() {
        assert_eq!(hits(1, "slow", 0.5, 1_000), hits(1, "slow", 0.5, 1_000));
        assert_ne!(hits(1, "slow", 0.5, 1_000), hits(2, "slow", 0.5, 1_000));
        assert_ne!(hits(1, "slow", 0.5, 1_000), hits(1, "other", 0.5, 1_000));
    }
}
