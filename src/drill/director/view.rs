//! What the director sees of the traffic: the baseline's steadiness, live impact and signals, how long it has been clean, silence.
//!
//! By second of completion, so it is late by up to the clients' time-out; the timeline of the report is made from the record
//! instead. Not here: what impact and steadiness are (`judge`). Called by the director.

use std::collections::VecDeque;
use std::time::Duration;

use super::command::Ending;
use crate::base::clock::Tick;
use crate::judge::estimate;
use crate::judge::finding::Verdict;
use crate::judge::impact::{Live, WINDOW};
use crate::judge::steady::{self, Rules, SETTLING};
use crate::judge::validity::{Limits, Model, spoils};
use crate::measure::interval::Interval;
use crate::measure::outcome::{Class, Classes};
use crate::plan::condition::Signal;
use crate::plan::drill::DrillPlan;
use crate::plan::threshold::{Scope, Subject};

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
    /// The last ten seconds.
    recent: VecDeque<Interval>,
    /// Bad requests of the exercise, and the integral of their share, s.
    bad: (u64, f64),
}

impl View {
    pub(super) fn new(plan: &DrillPlan) -> Self {
        let within = plan.load.good.within;
        Self {
            rules: Rules { objective: plan.slo.objective, p95: within },
            limits: Limits::new(Model::Open, Some(within.map_or(1e6, |within| within.as_secs_f64() * 1e6))),
            baseline: Vec::new(),
            live: Live::new(),
            heard: None,
            recent: VecDeque::new(),
            bad: (0, 0.0),
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
        let classes = second.classes();
        self.live.fold(&classes);
        self.bad.0 += classes.bad();
        if classes.total() > 0 {
            self.bad.1 += classes.bad() as f64 / classes.total() as f64;
        }
    }

    fn listen(&mut self, now: Tick, second: &Interval) {
        if second.classes().total() > 0 {
            self.heard = Some(now);
        }
        self.recent.push_back(second.clone());
        if self.recent.len() > WINDOW {
            self.recent.pop_front();
        }
    }

    /// What `signal` is now; `None` before anything was measured.
    pub(super) fn signal(&self, signal: Signal) -> Option<f64> {
        let seconds: Vec<&Interval> = self.recent.iter().collect();
        let point = |subject| estimate::point(subject, &Scope::default(), &seconds).map(|one| one.value);
        match signal {
            Signal::Bad => self.live.ratio(),
            Signal::Errors => point(Subject::Errors),
            Signal::LatencyP95 => point(Subject::Quantile(0.95)).map(|us| us / 1e6),
            Signal::LatenessP99 => point(Subject::Lateness(0.99)).map(|us| us / 1e6),
            Signal::BadTime => Some(self.bad.1),
            Signal::Throttled => {
                let mut classes = Classes::default();
                for one in &seconds {
                    classes.merge(&one.classes());
                }
                (classes.total() > 0).then(|| classes.get(Class::Throttled) as f64 / classes.total() as f64)
            }
            Signal::Goodput if seconds.is_empty() => None,
            Signal::Goodput => {
                let completed: u64 = seconds.iter().map(|one| one.travel().completed).sum();
                Some(completed as f64 / seconds.len() as f64)
            }
        }
    }

    /// Bad requests since the exercise began.
    pub(super) fn bad_requests(&self) -> u64 {
        self.bad.0
    }

    /// Whether users are back where the baseline left them: the last ten whole seconds, all of them after `since`. `None`: they
    /// are not, or there are not yet as many. In words.
    pub(super) fn is_back(&self, since: Tick) -> Option<String> {
        let whole = self.recent.len() == WINDOW && self.recent.iter().all(|one| begins(one) >= since);
        if !whole {
            return None;
        }
        let (seconds, baseline): (Vec<&Interval>, Vec<&Interval>) =
            (self.recent.iter().collect(), self.baseline.iter().collect());
        steady::is_back(&seconds, &baseline, self.rules).then(|| steady::words(&seconds))
    }

    /// The last seconds in words.
    pub(super) fn words(&self) -> String {
        steady::words(&self.recent.iter().collect::<Vec<_>>())
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

fn begins(second: &Interval) -> Tick {
    Tick::from_secs(u64::from(second.second))
}
