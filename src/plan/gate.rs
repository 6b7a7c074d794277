//! How findings become a verdict, and what two runs are compared by: the `gate` block of a scenario.
//!
//! Made by `check`; read by `judge` and `cli`. No part of the plan hash but what it sends: a stricter gate judges the same runs.

use std::time::Duration;

/// What has to be proven before a check fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Fails when the whole interval lies beyond the bound.
    Ci,
    /// Fails when the point value lies beyond the bound.
    Drill,
    /// Passes only when the whole interval lies inside the bound.
    Launch,
}

/// Which earlier runs a run is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// The newest accepted ones, so many at most.
    History(usize),
    /// The newest one alone: advice.
    Single,
}

/// A gate.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// What has to be proven; `None`: what the command suggests.
    pub decide: Option<Profile>,
    /// Chance of any false red of the whole gate, above 0 and at most 0.25.
    pub alpha: f64,
    /// Blocks of an interleaved comparison.
    pub blocks: usize,
    /// The measured part of a slot, whole seconds.
    pub slot: Duration,
    /// The part before it.
    pub settle: Duration,
    /// 1 or 2.
    pub stages: usize,
    /// Least number of independent arrivals on the thin side of a quantile.
    pub min_tail: u64,
    /// A ledger must prove fewer false reds than this share before a stored baseline may fail a run.
    pub max_false_red: f64,
    /// What stands on the other side.
    pub earlier: Earlier,
    /// Steps that a change cannot touch.
    pub control: Vec<String>,
    /// What may turn a run red.
    pub powers: Powers,
}

/// What may turn a run red, beside what is proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Powers {
    /// A single earlier run may.
    pub single: bool,
    /// No comparison may without a ledger.
    pub only_calibrated: bool,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            decide: None,
            alpha: 0.01,
            blocks: 10,
            slot: Duration::from_secs(12),
            settle: Duration::from_secs(3),
            stages: 1,
            min_tail: 20,
            max_false_red: 0.05,
            earlier: Earlier::History(20),
            control: Vec::new(),
            powers: Powers::default(),
        }
    }
}
