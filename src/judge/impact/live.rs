//! The reading of impact while it happens, told one second at a time by completion: late by as long as answers take.
//!
//! Called by a drill's director. Not here: the instants of the report, which are made from due seconds.

use super::{IN_A_ROW, OFF, Second, Window, baseline, threshold, window};
use crate::measure::outcome::Classes;

/// Seconds at or below the limit that make it clear.
const CLEAR_FOR: usize = 5;

/// Live impact and all-clear.
#[derive(Clone, Debug)]
pub struct Live {
    /// Baseline first, then everything folded.
    series: Vec<Second>,
    baseline: Vec<Second>,
    /// The window ratio that is an impact.
    on: f64,
    folded: u32,
    above: usize,
    below: usize,
    impact: Option<u32>,
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}

impl Live {
    /// Nothing seen yet; without a baseline no impact is ever proven.
    pub fn new() -> Self {
        let on = threshold(baseline(&[]).high);
        Self { series: Vec::new(), baseline: Vec::new(), on, folded: 0, above: 0, below: 0, impact: None }
    }

    /// Takes a second of the baseline.
    pub fn baseline(&mut self, classes: &Classes) {
        self.baseline.push(Second::of(classes));
        self.series.push(Second::of(classes));
        self.on = threshold(baseline(&self.baseline).high);
    }

    /// Takes the next second of the exercise.
    pub fn fold(&mut self, classes: &Classes) {
        self.series.push(Second::of(classes));
        let seen = self.window();
        self.above = if seen.is_some_and(|window| window.lower() > self.on) { self.above + 1 } else { 0 };
        self.below = if seen.is_some_and(|window| window.ratio() <= OFF) { self.below + 1 } else { 0 };
        if self.impact.is_none() && self.above >= IN_A_ROW {
            self.impact = Some(self.folded);
        }
        self.folded += 1;
    }

    /// How many seconds had been folded when impact was proven, counted from 0; `None`: not yet.
    pub fn impact(&self) -> Option<u32> {
        self.impact
    }

    /// True when the window has been at or below 1 % for five seconds after an impact.
    pub fn clear(&self) -> bool {
        self.impact.is_some() && self.below >= CLEAR_FOR
    }

    /// Seconds in a row with a window at or below 1 %.
    pub fn clean_for(&self) -> usize {
        self.below
    }

    /// The window's bad ratio; `None` with too few requests to say.
    pub fn ratio(&self) -> Option<f64> {
        self.window().map(Window::ratio)
    }

    fn window(&self) -> Option<Window> {
        window(&self.series, self.series.len().checked_sub(1)?)
    }
}
