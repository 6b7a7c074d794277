//! The live reading of impact: a trailing window of seconds, told one at a time.
//!
//! Impact: three windows in a row whose lower Wilson bound is above 2 %. Clear: a window at or below 1 % for five seconds.
//! Not here: the timeline of the report, which is made from due seconds. Called by the director's view.

use std::collections::VecDeque;

use crate::measure::outcome::Classes;
use crate::stats::proportion::wilson;

/// Seconds of a window.
const WINDOW: usize = 10;

/// The live reading.
#[derive(Debug, Default)]
pub(super) struct Live {
    window: VecDeque<Classes>,
    above: u32,
    below: u32,
}

impl Live {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn fold(&mut self, second: &Classes) {
        self.window.push_back(*second);
        while self.window.len() > WINDOW {
            self.window.pop_front();
        }
        let (bad, n) = self.counts();
        let lower = if n >= 50 { wilson(bad as f64 / n as f64, n as f64, 1.96).low } else { 0.0 };
        self.above = if lower > 0.02 { self.above + 1 } else { 0 };
        self.below = if self.ratio().is_some_and(|ratio| ratio <= 0.01) { self.below + 1 } else { 0 };
    }

    fn counts(&self) -> (u64, u64) {
        self.window.iter().fold((0, 0), |(bad, n), one| (bad + one.bad(), n + one.total()))
    }

    pub(super) fn ratio(&self) -> Option<f64> {
        let (bad, n) = self.counts();
        (n > 0).then(|| bad as f64 / n as f64)
    }

    pub(super) fn impact(&self) -> bool {
        self.above >= 3
    }

    pub(super) fn clear(&self) -> bool {
        self.below >= 5
    }
}
