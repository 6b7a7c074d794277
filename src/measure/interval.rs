//! One second of a run: per step and journey, plus what flowed and how the generator fared.
//!
//! `merge` joins cores, shards and machines; it is associative and exact. The same type serves the record (by due second)
//! and the live view (by the second of completion); the owner says which. Not here: files (`record`), judgement (`judge`).

use std::collections::BTreeMap;

use super::histogram::Bins;
use super::outcome::{Class, Classes};
use super::sample::{Aside, JourneyId, StepId};

/// A distribution parted into the answered and the rest (time until given up).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Requests answered and accepted.
    pub ok: Bins,
    /// Requests refused or failed, at the time they were given up.
    pub rest: Bins,
}

impl Split {
    /// Adds every count of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.ok.merge(&other.ok);
        self.rest.merge(&other.rest);
    }

    /// Both parts in one, as charts read them.
    pub fn both(&self) -> Bins {
        let mut all = self.ok.clone();
        all.merge(&self.rest);
        all
    }
}

/// One step in one second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Response time: done - due, microseconds.
    pub response: Split,
    /// Service time: done - sent, microseconds.
    pub service: Split,
    /// Lateness: sent - due, microseconds.
    pub lateness: Bins,
    /// How many requests of each class; shed arrivals are here and in no histogram.
    pub classes: Classes,
    /// How many failures of each kind, by the kind's stable key.
    pub errors: BTreeMap<String, u64>,
    /// Requests of clients that misbehave on purpose: in nothing else here.
    pub staged: u64,
}

impl Cell {
    /// Adds every count of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.response.merge(&other.response);
        self.service.merge(&other.service);
        self.lateness.merge(&other.lateness);
        self.classes.merge(&other.classes);
        self.staged += other.staged;
        for (kind, n) in &other.errors {
            *self.errors.entry(kind.clone()).or_default() += n;
        }
    }

    /// Requests that were answered and accepted (good or slow).
    pub fn answered(&self) -> u64 {
        self.response.ok.n()
    }

    /// Requests refused, failed or abandoned.
    pub fn failed(&self) -> u64 {
        self.response.rest.n()
    }

    /// Arrivals of this step: answered, failed and shed.
    pub fn arrivals(&self) -> u64 {
        self.answered() + self.failed() + self.classes.get(Class::Shed)
    }
}

/// One journey in one second, by the second its first step was due.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Travel {
    /// Arrivals of the plan.
    pub planned: u64,
    /// Arrivals that began.
    pub started: u64,
    /// Journeys that reached their end.
    pub completed: u64,
    /// Journeys that ended early because a step failed.
    pub failed: u64,
    /// Arrivals that were not begun because the in-flight cap was reached.
    pub shed: u64,
    /// Journeys cut off by the end of the run.
    pub unfinished: u64,
    /// Journeys of users who misbehaved on purpose, to whatever end.
    pub staged: u64,
    /// Journeys of users with a cycle that took longer than it, so that the next was due at once.
    pub overran: u64,
    /// End of the last step - due - think time, microseconds.
    pub latency: Split,
}

impl Travel {
    /// Adds every count of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.planned += other.planned;
        self.started += other.started;
        self.completed += other.completed;
        self.failed += other.failed;
        self.shed += other.shed;
        self.unfinished += other.unfinished;
        self.staged += other.staged;
        self.overran += other.overran;
        self.latency.merge(&other.latency);
    }
}

/// What passed in a second, counted when it happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Requests sent in this second.
    pub sent: u64,
    /// Requests finished in this second, however.
    pub done: u64,
    /// Requests finished well in this second.
    pub good: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Connections opened.
    pub opened: u64,
    /// Most journeys under way at once.
    pub in_flight: u64,
}

impl Flow {
    /// Adds every count of `other`; journeys under way at once add up over cores.
    pub fn merge(&mut self, other: &Self) {
        self.sent += other.sent;
        self.done += other.done;
        self.good += other.good;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.opened += other.opened;
        self.in_flight += other.in_flight;
    }
}

/// How one worker of the generator fared in one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// CPU time of its thread, microseconds.
    pub cpu_us: u64,
    /// Longest lateness of its 10 ms heartbeat, microseconds.
    pub stall_us: u64,
    /// Time ready to run but waiting for a processor, or taken by other guests of the machine, microseconds.
    pub waited_us: u64,
    /// Longest jump of the wall clock against the monotonic one within a heartbeat, microseconds.
    pub jump_us: u64,
}

impl Health {
    /// Joins two readings of the same worker and second.
    pub fn merge(&mut self, other: &Self) {
        self.cpu_us += other.cpu_us;
        self.stall_us = self.stall_us.max(other.stall_us);
        self.waited_us += other.waited_us;
        self.jump_us = self.jump_us.max(other.jump_us);
    }
}

/// One second of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interval {
    /// Seconds since the origin of the run's clock.
    pub second: u32,
    /// By step.
    pub steps: BTreeMap<StepId, Cell>,
    /// By journey.
    pub journeys: BTreeMap<JourneyId, Travel>,
    /// Series that show the same requests otherwise: part of no total.
    pub asides: BTreeMap<Aside, Cell>,
    /// What passed.
    pub flow: Flow,
    /// By worker of the generator.
    pub health: BTreeMap<u16, Health>,
}

impl Interval {
    /// An empty second.
    pub fn at(second: u32) -> Self {
        Self { second, ..Self::default() }
    }

    /// Adds every count of `other`; the second stays ours.
    pub fn merge(&mut self, other: &Self) {
        for (step, cell) in &other.steps {
            self.steps.entry(*step).or_default().merge(cell);
        }
        for (journey, travel) in &other.journeys {
            self.journeys.entry(*journey).or_default().merge(travel);
        }
        for (aside, cell) in &other.asides {
            self.asides.entry(aside.clone()).or_default().merge(cell);
        }
        self.flow.merge(&other.flow);
        for (worker, health) in &other.health {
            self.health.entry(*worker).or_default().merge(health);
        }
    }

    /// All steps as one.
    pub fn total(&self) -> Cell {
        let mut all = Cell::default();
        self.steps.values().for_each(|cell| all.merge(cell));
        all
    }

    /// All journeys as one.
    pub fn travel(&self) -> Travel {
        let mut all = Travel::default();
        self.journeys.values().for_each(|travel| all.merge(travel));
        all
    }

    /// How many requests of each class, over all steps.
    pub fn classes(&self) -> Classes {
        let mut all = Classes::default();
        self.steps.values().for_each(|cell| all.merge(&cell.classes));
        all
    }
}
