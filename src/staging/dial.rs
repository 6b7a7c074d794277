//! A dial: something that people set, with a number that every change raises.
//!
//! The number tells an undo whether the change it belongs to is still the latest. Pure; used by the switchboard.

use std::mem;

/// A setting and the number of its last change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Dial<T> {
    pub(super) wanted: T,
    pub(super) revision: u64,
}

impl<T> Dial<T> {
    /// A dial that nobody has touched.
    pub(super) fn at(wanted: T) -> Self {
        Self { wanted, revision: 0 }
    }

    /// Sets it; gives what it was.
    pub(super) fn change(&mut self, wanted: T) -> T {
        self.revision += 1;
        mem::replace(&mut self.wanted, wanted)
    }
}
