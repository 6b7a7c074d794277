//! What the director sees of the traffic: the baseline's steadiness, live impact, how long it has been clean, silence.
//!
//! By second of completion, so it is late by up to the clients' time-out; the timeline of the report is made from the record
//! instead. Not here: what impact is (`live`). Called by the director.

use std::time::Duration;

use super::command::Ending;
use super::live::Live;
use super::steady::Baseline;
use crate::base::clock::Tick;
use crate::measure::interval::Interval;
use crate::plan::drill::DrillPlan;

/// A window with a smaller share of bad requests is clean: θ_off.
const CLEAN: f64 = 0.01;
/// So long without a request finished, the drill ends: it cannot see what it does.
const SILENCE: Duration = Duration::from_secs(10);

/// The traffic as far as it has been seen.
#[derive(Debug)]
pub(super) struct View {
    baseline: Baseline,
    live: Live,
    clean_since: Option<Tick>,
    /// When a request was last seen to finish; `None` before the load began.
    heard: Option<Tick>,
    now: Tick,
}

impl View {
    pub(super) fn new(plan: &DrillPlan) -> Self {
        Self { baseline: Baseline::new(plan), live: Live::new(), clean_since: None, heard: None, now: Tick::ZERO }
    }

    /// The load begins.
    pub(super) fn begin(&mut self, now: Tick) {
        self.baseline.begin(now);
        self.heard = Some(now);
    }

    /// Takes a second that closed at `now`; `baseline`: nothing has been done to the system yet.
    pub(super) fn fold(&mut self, now: Tick, second: &Interval, baseline: bool) {
        self.now = now;
        if baseline {
            self.baseline.fold(now, second);
        }
        let classes = second.classes();
        if classes.total() > 0 {
            self.heard = Some(now);
        }
        self.live.fold(&classes);
        self.clean_since = match self.live.ratio() {
            Some(ratio) if ratio <= CLEAN => Some(self.clean_since.unwrap_or(now)),
            _ => None,
        };
    }

    /// Whether the baseline was steady.
    pub(super) fn steady(&self) -> Result<(), Ending> {
        self.baseline.judge()
    }

    pub(super) fn impact(&self) -> bool {
        self.live.impact()
    }

    pub(super) fn clear(&self) -> bool {
        self.live.clear()
    }

    pub(super) fn ratio(&self) -> Option<f64> {
        self.live.ratio()
    }

    /// How long the window has been clean, up to the last second seen.
    pub(super) fn clean_for(&self) -> Option<Duration> {
        self.clean_since.map(|since| self.now.since(since))
    }

    /// When the silence becomes too long.
    pub(super) fn silent_at(&self) -> Option<Tick> {
        self.heard.map(|at| at + SILENCE)
    }

    /// Why the drill must end, when no request has finished for too long.
    pub(super) fn silent(&self, now: Tick) -> Option<String> {
        self.silent_at()
            .filter(|at| *at <= now)
            .map(|_| format!("no request has finished for {} s: the drill cannot see what it does", SILENCE.as_secs()))
    }
}
