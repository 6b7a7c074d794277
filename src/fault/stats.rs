//! What a fault did: counters that the workers write and anybody may read, at any time and after the fault has healed.
//!
//! Not here: proof rules ("at least 50 within 30 s"), which the drill judges from [`FaultStats`].

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::parcel::Way;

/// Counters of one fault, over all its connections.
#[derive(Debug, Default)]
pub(super) struct Tally {
    considered: AtomicU64,
    spared: AtomicU64,
    touched: AtomicU64,
    active: AtomicU64,
    peak: AtomicU64,
    parcels: AtomicU64,
    swallowed: AtomicU64,
    cut: AtomicU64,
    holds: AtomicU64,
    hold_nanos: AtomicU64,
    hold_longest: AtomicU64,
    unparsed: AtomicU64,
    unsafe_: AtomicU64,
    matched: AtomicU64,
}

impl Tally {
    /// A connection was considered and its draw lost.
    pub(super) fn spare(&self) {
        self.considered.fetch_add(1, Relaxed);
        self.spared.fetch_add(1, Relaxed);
    }

    /// A connection that was spared is considered anew.
    pub(super) fn unspare(&self) {
        self.spared.fetch_sub(1, Relaxed);
        self.considered.fetch_sub(1, Relaxed);
    }

    /// A message was considered, and the fault acts on it until [`Tally::leave`].
    pub(super) fn enter(&self) {
        self.considered.fetch_add(1, Relaxed);
        let active = self.active.fetch_add(1, Relaxed) + 1;
        self.peak.fetch_max(active, Relaxed);
    }

    /// The fault is done with a message.
    pub(super) fn leave(&self) {
        self.active.fetch_sub(1, Relaxed);
    }

    /// A message was touched.
    pub(super) fn touch(&self) {
        self.touched.fetch_add(1, Relaxed);
        self.parcels.fetch_add(1, Relaxed);
    }

    /// A message is held for `drawn`.
    pub(super) fn hold(&self, drawn: Duration) {
        let nanos = u64::try_from(drawn.as_nanos()).unwrap_or(u64::MAX);
        self.holds.fetch_add(1, Relaxed);
        self.hold_nanos.fetch_add(nanos, Relaxed);
        self.hold_longest.fetch_max(nanos, Relaxed);
    }

    /// A connection ends by a rule.
    pub(super) fn cut(&self) {
        self.cut.fetch_add(1, Relaxed);
    }

    /// A connection is not read any more.
    pub(super) fn unparsed(&self) {
        self.considered.fetch_add(1, Relaxed);
        self.unparsed.fetch_add(1, Relaxed);
    }

    /// A message matched that must not be touched.
    pub(super) fn unsafe_to_touch(&self) {
        self.considered.fetch_add(1, Relaxed);
        self.unsafe_.fetch_add(1, Relaxed);
    }

    /// Counts a message that matched, over all connections; gives its number, from 1.
    pub(super) fn matched(&self) -> u64 {
        self.matched.fetch_add(1, Relaxed) + 1
    }

    /// The counters as they stand.
    pub(super) fn read(&self) -> FaultStats {
        // Read in this order, a count is never larger than the one it is a part of.
        let touched = self.touched.load(Relaxed);
        let share = self.spared.load(Relaxed);
        let (unparsed, unsafe_) = (self.unparsed.load(Relaxed), self.unsafe_.load(Relaxed));
        let known = touched + share + unparsed + unsafe_;
        let considered = self.considered.load(Relaxed).max(known);
        FaultStats {
            considered,
            touched,
            untouched: Untouched { share, unparsed, unsafe_, idle: considered - known },
            active: self.active.load(Relaxed),
            peak: self.peak.load(Relaxed),
            parcels: self.parcels.load(Relaxed),
            swallowed: self.swallowed.load(Relaxed),
            cut: self.cut.load(Relaxed),
            drawn: DrawnHold {
                count: self.holds.load(Relaxed),
                total: Duration::from_nanos(self.hold_nanos.load(Relaxed)),
                longest: Duration::from_nanos(self.hold_longest.load(Relaxed)),
            },
        }
    }
}

/// Bytes of one proxy, by direction.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    up: [AtomicU64; 2],
    down: [AtomicU64; 2],
}

impl Traffic {
    fn of(&self, way: Way) -> &[AtomicU64; 2] {
        match way {
            Way::Up => &self.up,
            Way::Down => &self.down,
        }
    }

    /// `n` bytes were read from the source of `way`.
    pub(super) fn received(&self, way: Way, n: usize) {
        let [received, _] = self.of(way);
        received.fetch_add(n as u64, Relaxed);
    }

    /// `n` bytes were written to its destination.
    pub(super) fn sent(&self, way: Way, n: usize) {
        let [_, sent] = self.of(way);
        sent.fetch_add(n as u64, Relaxed);
    }

    /// Received and sent so far.
    pub(super) fn read(&self, way: Way) -> [u64; 2] {
        let [received, sent] = self.of(way);
        [received.load(Relaxed), sent.load(Relaxed)]
    }
}

/// What a fault did so far. The unit is the connection, of a rule the message: `considered = touched + untouched`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultStats {
    /// Connections that lived on the proxy while the fault was in force.
    pub considered: u64,
    /// Connections on which it held, swallowed or cut something.
    pub touched: u64,
    /// The rest, by reason.
    pub untouched: Untouched,
    /// Connections that carry the fault now.
    pub active: u64,
    /// The most that carried it at once.
    pub peak: u64,
    /// Parcels (reads of at most 32 KiB, and ends of a direction) that it held or swallowed.
    pub parcels: u64,
    /// Bytes it swallowed.
    pub swallowed: u64,
    /// Connections that it ended, by itself or because it healed after swallowing bytes of them.
    pub cut: u64,
    /// The delays it drew.
    pub drawn: DrawnHold,
}

/// Why connections stayed untouched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Untouched {
    /// The draw against the fault's share was lost.
    pub share: u64,
    /// The connection is not read: another protocol, or what is not understood. One for each such connection.
    pub unparsed: u64,
    /// A peer would have been made to believe an untruth.
    pub unsafe_: u64,
    /// Nothing has passed on the connection that the fault could act on, so far.
    pub idle: u64,
}

/// The delays a fault drew, one per parcel that it held. What a peer waited can be longer: order is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DrawnHold {
    /// Number of delays.
    pub count: u64,
    /// Their sum.
    pub total: Duration,
    /// The longest.
    pub longest: Duration,
}

impl DrawnHold {
    /// The mean delay; zero when none was drawn.
    pub fn mean(&self) -> Duration {
        let count = u128::from(self.count.max(1));
        Duration::from_nanos(u64::try_from(self.total.as_nanos() / count).unwrap_or(u64::MAX))
    }
}

/// Sees what one fault does to one connection, in both directions; a connection is touched once.
#[derive(Debug)]
pub(super) struct Witness {
    tally: Arc<Tally>,
    touched: Cell<bool>,
    cut: Cell<bool>,
}

impl Witness {
    /// A connection was considered and carries the fault from now on.
    pub(super) fn new(tally: &Arc<Tally>) -> Self {
        tally.considered.fetch_add(1, Relaxed);
        let active = tally.active.fetch_add(1, Relaxed) + 1;
        tally.peak.fetch_max(active, Relaxed);
        Self { tally: Arc::clone(tally), touched: Cell::new(false), cut: Cell::new(false) }
    }

    fn touch(&self) {
        if !self.touched.replace(true) {
            self.tally.touched.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn held(&self, drawn: Duration) {
        self.touch();
        let nanos = u64::try_from(drawn.as_nanos()).unwrap_or(u64::MAX);
        self.tally.parcels.fetch_add(1, Relaxed);
        // What is held until the fault goes was not drawn.
        if drawn < Duration::MAX {
            self.tally.holds.fetch_add(1, Relaxed);
            self.tally.hold_nanos.fetch_add(nanos, Relaxed);
            self.tally.hold_longest.fetch_max(nanos, Relaxed);
        }
    }

    /// A parcel did not leave whole: `bytes` of it are gone (0 for an end of a direction).
    pub(super) fn swallowed(&self, bytes: usize) {
        self.touch();
        self.tally.swallowed.fetch_add(bytes as u64, Relaxed);
        self.tally.parcels.fetch_add(1, Relaxed);
    }

    /// Bytes of a parcel were changed.
    pub(super) fn changed(&self) {
        self.touch();
        self.tally.parcels.fetch_add(1, Relaxed);
    }

    pub(super) fn cut(&self) {
        self.touch();
        if !self.cut.replace(true) {
            self.tally.cut.fetch_add(1, Relaxed);
        }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.tally.active.fetch_sub(1, Relaxed);
    }
}
