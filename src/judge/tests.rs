//! Measured seconds and checks for the tests of this room.

use crate::measure::interval::{Cell, Health, Interval};
use crate::measure::outcome::Class;
use crate::measure::sample::{JourneyId, StepId};
use crate::plan::diagnostic::Place;
use crate::plan::threshold::{Cmp, Level, Scope, Subject, Threshold, Window};

/// A must-check over the whole run.
pub(super) fn check(subject: Subject, cmp: Cmp, bound: f64) -> Threshold {
    Threshold {
        id: "it".into(),
        level: Level::Must,
        subject,
        scope: Scope::default(),
        cmp,
        bound,
        window: Window::Whole,
        after: std::time::Duration::ZERO,
        abort: None,
        n_least: None,
        lean: None,
        place: Place::default(),
    }
}

/// Adds `n` answers that took `took_us` and left `late_us` after they were due.
pub(super) fn answers(cell: &mut Cell, n: u64, took_us: u64, late_us: u64) {
    for _ in 0..n {
        cell.response.ok.record(took_us + late_us);
        cell.service.ok.record(took_us);
        cell.lateness.record(late_us);
    }
    cell.classes.add(Class::Ok, n);
}

/// Adds `n` failures that were given up after `took_us`.
pub(super) fn failures(cell: &mut Cell, n: u64, took_us: u64) {
    for _ in 0..n {
        cell.response.rest.record(took_us);
        cell.service.rest.record(took_us);
        cell.lateness.record(20);
    }
    cell.classes.add(Class::Error, n);
    if n > 0 {
        *cell.errors.entry("status_503".into()).or_default() += n;
    }
}

/// Second `second` of `total` requests of one step, of which `failed` fail at once; the others take `took_us`.
pub(super) fn second(second: u32, total: u64, failed: u64, took_us: u64) -> Interval {
    let mut interval = Interval::at(second);
    let cell = interval.steps.entry(StepId(0)).or_default();
    answers(cell, total - failed, took_us, 20);
    failures(cell, failed, 1_000);
    let travel = interval.journeys.entry(JourneyId(0)).or_default();
    (travel.planned, travel.started) = (total, total);
    (travel.completed, travel.failed) = (total - failed, failed);
    (interval.flow.sent, interval.flow.done, interval.flow.good) = (total, total, total - failed);
    interval.health.insert(0, Health { cpu_us: 100_000, stall_us: 900, waited_us: 1_000, ..Health::default() });
    interval
}
