//! Is the baseline steady enough to begin? If not, the drill ends before anything was done to the system.
//!
//! bad ratio ≤ 2 · (1 − objective), judged by the lower end of its Wilson interval, so that one hiccup in a short baseline is
//! not an alarm; at least 50 requests per 10 s; our own lateness in bounds. The first seconds warm caches and connections and
//! do not count. Not here: the live impact. Called by the director's view.

use std::time::Duration;

use super::command::Ending;
use crate::base::clock::Tick;
use crate::measure::histogram::Bins;
use crate::measure::interval::Interval;
use crate::measure::outcome::{Class, Classes};
use crate::plan::drill::DrillPlan;
use crate::stats::proportion::wilson;

/// The part at the start that does not count.
const SETTLING: Duration = Duration::from_secs(5);
/// The least number of requests in ten seconds.
const LEAST_PER_WINDOW: u64 = 50;

/// What was seen of the baseline.
#[derive(Debug)]
pub(super) struct Baseline {
    /// Largest tolerated bad ratio.
    tolerated: f64,
    /// Largest tolerated lateness, p99, µs.
    lateness_us: u64,
    counts_from: Tick,
    seconds: u64,
    classes: Classes,
    lateness: Bins,
}

impl Baseline {
    pub(super) fn new(plan: &DrillPlan) -> Self {
        let within = plan.load.good.within.unwrap_or(Duration::from_secs(1));
        let lateness = (within / 20).max(Duration::from_millis(1)) * 5;
        Self {
            tolerated: 2.0 * (1.0 - plan.objective),
            lateness_us: u64::try_from(lateness.as_micros()).unwrap_or(u64::MAX),
            counts_from: Tick::ZERO,
            seconds: 0,
            classes: Classes::default(),
            lateness: Bins::default(),
        }
    }

    pub(super) fn begin(&mut self, now: Tick) {
        self.counts_from = now + SETTLING;
    }

    /// Takes a second that closed at `now`.
    pub(super) fn fold(&mut self, now: Tick, second: &Interval) {
        if now < self.counts_from + Duration::from_secs(1) {
            return;
        }
        self.seconds += 1;
        self.classes.merge(&second.classes());
        for cell in second.steps.values() {
            self.lateness.merge(&cell.lateness);
        }
    }

    /// `Ok` when it was steady, else how the drill ends.
    pub(super) fn judge(&self) -> Result<(), Ending> {
        if let Some(late) = self.lateness.value_at(0.99).filter(|late| *late > self.lateness_us) {
            let (late, bound) = (late as f64 / 1e3, self.lateness_us as f64 / 1e3);
            return Err(Ending::Invalid(format!(
                "the generator was late by {late:.1} ms (p99) in the baseline, {bound:.1} ms is the most"
            )));
        }
        let (bad, n) = (self.classes.bad(), self.classes.total());
        if n * 10 < LEAST_PER_WINDOW * self.seconds.max(10) {
            return Err(Ending::Unsteady(format!(
                "{n} requests in {} s of baseline are too few to judge; {LEAST_PER_WINDOW} per 10 s are needed",
                self.seconds
            )));
        }
        let harmed = [Class::Leak, Class::Wrong].map(|class| self.classes.get(class)).iter().sum::<u64>();
        if harmed > 0 {
            return Err(Ending::Unsteady(format!("{harmed} answers with wrong or foreign data in the baseline")));
        }
        if wilson(bad as f64 / n as f64, n as f64, 1.96).low > self.tolerated {
            return Err(Ending::Unsteady(format!(
                "{:.2} % of {n} requests were bad in the baseline, at most {:.2} % are tolerated",
                100.0 * bad as f64 / n as f64,
                100.0 * self.tolerated
            )));
        }
        Ok(())
    }
}
