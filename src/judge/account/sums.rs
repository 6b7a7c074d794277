//! Sums over a run: by step, by journey, and per planned second.
//!
//! Called by `account::make`.

use super::{Totals, confidence};
use crate::measure::interval::{Cell, Interval};
use crate::measure::record::{Done, Head};

/// The sums; rates are those of `planned_s` seconds, where the plan says.
pub(super) fn totals(head: &Head, seconds: &[Interval], done: Option<&Done>, planned_s: Option<u32>) -> Totals {
    let mut totals = Totals { not_started: done.map_or(0, |done| done.not_started), ..Totals::default() };
    let name = |names: &[String], n: u16, what: &str| {
        names.get(usize::from(n)).cloned().unwrap_or_else(|| format!("{what} {n}"))
    };
    for second in seconds {
        totals.flow.merge(&second.flow);
        for (step, cell) in &second.steps {
            totals.all.merge(cell);
            totals.steps.entry(name(&head.steps, step.0, "step")).or_default().merge(cell);
        }
        for (aside, cell) in &second.asides {
            totals.asides.entry(aside.name(&head.steps)).or_default().merge(cell);
        }
        for (journey, travel) in &second.journeys {
            totals.journeys.entry(name(&head.journeys, journey.0, "journey")).or_default().merge(travel);
        }
    }
    totals.intervals = confidence::of(seconds, |step| name(&head.steps, step.0, "step"));
    let arrivals = |one: &&Interval| one.steps.values().any(|cell| cell.arrivals() > 0);
    if let (Some(first), Some(last)) = (seconds.iter().find(arrivals), seconds.iter().rev().find(arrivals)) {
        totals.duration_s = f64::from(last.second + 1 - first.second);
        // Later steps and late answers trail behind the last arrival: a rate is that of the seconds that were planned.
        let past =
            planned_s.map_or(last.second + 1, |length| (last.second + 1).min(first.second.saturating_add(length)));
        let planned = seconds.iter().filter(|one| (first.second..past).contains(&one.second));
        let (mut due, mut sent) = (0, 0);
        for second in planned {
            due += second.steps.values().map(Cell::arrivals).sum::<u64>();
            sent += second.flow.sent;
        }
        let length = f64::from(past - first.second);
        (totals.offered, totals.achieved) = (due as f64 / length, sent as f64 / length);
    }
    totals
}
