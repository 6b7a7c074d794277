//! What one fault does to one connection, as its toxics tell it; a connection is touched once.
//!
//! Local to a worker's thread. Not here: the counters (`stats`).

use std::cell::Cell;
use std::time::Duration;

use super::{Count, Tally};
use crate::fault::decide::Hit;

/// Sees what one fault does to one connection, in both directions; a connection is touched once.
#[derive(Debug)]
pub(in crate::fault) struct Witness {
    hit: Hit,
    touched: Cell<bool>,
    cut: Cell<bool>,
    /// Its toxics stand in the chains.
    carries: Cell<bool>,
}

impl Witness {
    /// A connection was hit and carries the fault from now on.
    pub(in crate::fault) fn new(hit: Hit) -> Self {
        Self { hit, touched: Cell::new(false), cut: Cell::new(false), carries: Cell::new(true) }
    }

    /// The connection carries the fault no longer, though it keeps its place under the caps.
    pub(in crate::fault) fn rest(&self) {
        if self.carries.replace(false) {
            self.tally().leave();
        }
    }

    /// It carries the fault again.
    pub(in crate::fault) fn resume(&self) {
        if !self.carries.replace(true) {
            self.tally().enter();
        }
    }

    fn tally(&self) -> &Tally {
        self.hit.tally()
    }

    fn touch(&self) {
        if !self.touched.replace(true) {
            self.tally().touched();
        }
    }

    pub(in crate::fault) fn held(&self, drawn: Duration) {
        self.touch();
        self.tally().add(Count::Parcels, 1);
        // What is held until the fault goes was not drawn.
        if drawn < Duration::MAX {
            self.tally().drawn(drawn);
        }
    }

    /// A parcel left after so long.
    pub(in crate::fault) fn realised(&self, held: Duration) {
        self.tally().realised(held);
    }

    /// `parcels` leave before their time, because the fault goes.
    pub(in crate::fault) fn early(&self, parcels: usize) {
        self.tally().add(Count::Early, parcels as u64);
    }

    /// A parcel did not leave whole: `bytes` of it are gone (0 for an end of a direction).
    pub(in crate::fault) fn swallowed(&self, bytes: usize) {
        self.touch();
        self.tally().add(Count::Swallowed, bytes as u64);
        self.tally().add(Count::Parcels, 1);
    }

    /// Bytes of a parcel were changed.
    pub(in crate::fault) fn changed(&self) {
        self.touch();
        self.tally().add(Count::Changed, 1);
        self.tally().add(Count::Parcels, 1);
    }

    pub(in crate::fault) fn cut(&self) {
        self.touch();
        if !self.cut.replace(true) {
            self.tally().add(Count::Cut, 1);
        }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        // The hit itself leaves when it goes.
        self.resume();
    }
}
