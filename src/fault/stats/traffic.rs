//! Bytes of a proxy, counted by its workers, readable at any time.
//!
//! Not here: what faults did to them (`stats`).

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::fault::parcel::Way;

/// Bytes of one proxy, by direction.
#[derive(Debug, Default)]
pub(in crate::fault) struct Traffic {
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
    pub(in crate::fault) fn received(&self, way: Way, n: usize) {
        let [received, _] = self.of(way);
        received.fetch_add(n as u64, Relaxed);
    }

    /// `n` bytes were written to its destination.
    pub(in crate::fault) fn sent(&self, way: Way, n: usize) {
        let [_, sent] = self.of(way);
        sent.fetch_add(n as u64, Relaxed);
    }

    /// Received and sent so far.
    pub(in crate::fault) fn read(&self, way: Way) -> [u64; 2] {
        let [received, sent] = self.of(way);
        [received.load(Relaxed), sent.load(Relaxed)]
    }
}
