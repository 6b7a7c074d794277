//! What the director sees of the traffic: the baseline's steadiness, live impact, how long it has been clean, silence.
//!
//! By second of completion, so it is late by up to the clients' time-out; the timeline of the report is made from the record
//! instead. Not here: what impact and steadiness are (`judge`). Called by the director.

use std::time::Duration;

use super::command::Ending;
use crate::base::clock::Tick;
use crate::judge::finding::Verdict;
use crate::judge::impact::Live;
use crate::judge::steady::{self, Rules, SETTLING};
use crate::judge::validity::{Limits, Model, spoils};
use crate::measure::interval::Interval;
use crate::plan::drill::DrillPlan;

/// So long without a request finished, the drill ends: it cannot see what it does.
const SILENCE: Duration = Duration::from_secs(10);

/// The traffic as far as it has been seen.
#[derive(Debug)]
pub(super) struct View {
    rules: Rules,
    limits: Limits,
    baseline: Vec<Interval>,
    live: Live,
    /// When a request was last seen to finish; `None` before the load began.
    heard: Option<Tick>,
}

impl View {
    pub(super) fn new(plan: &DrillPlan) -> Self {
        let within = plan.load.good.within;
        Self {
            rules: Rules { objective: plan.objective, p95: within },
            limits: Limits::new(Model::Open, Some(within.map_or(1e6, |within| within.as_secs_f64() * 1e6))),
            baseline: Vec::new(),
            live: Live::new(),
            heard: None,
        }
    }

    /// The load begins.
    pub(super) fn begin(&mut self, now: Tick) {
        self.heard = Some(now);
    }

    /// Takes a second of the baseline, closed at `now`: nothing has been done to the system yet.
    pub(super) fn calm(&mut self, now: Tick, second: &Interval) {
        self.listen(now, second);
        // The first seconds fill caches and connections.
        if self.baseline.len() >= SETTLING {
            self.live.baseline(&second.classes());
        }
        self.baseline.push(second.clone());
    }

    /// Takes a later second, closed at `now`.
    pub(super) fn fold(&mut self, now: Tick, second: &Interval) {
        self.listen(now, second);
        self.live.fold(&second.classes());
    }

    fn listen(&mut self, now: Tick, second: &Interval) {
        if second.classes().total() > 0 {
            self.heard = Some(now);
        }
    }

    /// Whether the baseline was steady; if not, how the drill ends.
    pub(super) fn steady(&self) -> Result<(), Ending> {
        let settling = if self.baseline.len() > 2 * SETTLING { SETTLING } else { 0 };
        let seconds: Vec<&Interval> = self.baseline.iter().skip(settling).collect();
        if let Some(why) = spoils(&seconds, self.limits) {
            return Err(Ending::Invalid(why));
        }
        let finding = steady::finding(&seconds, self.rules);
        if finding.verdict == Verdict::Pass { Ok(()) } else { Err(Ending::Unsteady(finding.observed)) }
    }

    pub(super) fn impact(&self) -> bool {
        self.live.impact().is_some()
    }

    pub(super) fn clear(&self) -> bool {
        self.live.clear()
    }

    pub(super) fn ratio(&self) -> Option<f64> {
        self.live.ratio()
    }

    /// How long the window has been clean.
    pub(super) fn clean_for(&self) -> Duration {
        Duration::from_secs(self.live.clean_for() as u64)
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
