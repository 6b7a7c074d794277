//! Measuring on a machine that others use too: one measurement at a time, and another try when the machine spoilt it.
//!
//! Noise can only spoil a run, never mend one, so a second try proves as much as the first. What is broken fails every try.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::program::Ran;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Waits until no other test measures.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The first of `tries` runs that the machine did not spoil: one that neither doubts its own generator (5) nor lacks a
/// steady ground to judge on (4), unless that is what is wanted; else the last.
pub(crate) fn unspoilt(tries: u32, wanted: i32, mut run: impl FnMut() -> Ran) -> Ran {
    let mut ran = run();
    for _ in 1..tries {
        if ran.code() == Some(wanted) || !matches!(ran.code(), Some(4 | 5)) {
            break;
        }
        ran = run();
    }
    ran.exits(wanted)
}
