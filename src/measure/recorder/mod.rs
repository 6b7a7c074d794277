//! The hot side of measuring: samples in, one frame per second out. One per worker, never shared, no lock.
//!
//! The current due second and the one before have dense histograms; samples due earlier (a stall, a slow server) go to a
//! sparse table. A frame empties everything, so memory does not grow with the number of requests.
//! Not here: files, other workers (`load` collects frames), classes (`plan::good` decides them).

mod passing;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use passing::Arrived;
use passing::{Running, Way, Ways};

use super::histogram::{Hist, micros};
use super::interval::{Cell, Flow, Health, Interval, Split, Travel};
use super::outcome::{Class, Classes, Kind};
use super::sample::{Aside, JourneyId, Sample, StepId};
use crate::base::clock::Tick;

/// What one worker measured since its last frame, by due second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Which worker.
    pub worker: u16,
    /// Rising by one from 0; a gap is a lost frame.
    pub seq: u32,
    /// Parts of seconds, rising; a second may appear in many frames, its parts add up.
    pub parts: Vec<Interval>,
}

/// Dense histograms of one step in one due second.
#[derive(Debug)]
struct Dense {
    ok: [Hist; 2],
    rest: [Hist; 2],
    lateness: Hist,
    classes: Classes,
    errors: BTreeMap<Kind, u64>,
}

impl Dense {
    fn new() -> Option<Self> {
        let hist = Hist::new;
        Some(Self {
            ok: [hist()?, hist()?],
            rest: [hist()?, hist()?],
            lateness: hist()?,
            classes: Classes::default(),
            errors: BTreeMap::new(),
        })
    }

    fn record(&mut self, sample: &Sample) {
        let part = if sample.outcome.is_ok() { &mut self.ok } else { &mut self.rest };
        part[0].record(micros(sample.response_time()));
        part[1].record(micros(sample.service_time()));
        self.lateness.record(micros(sample.lateness()));
        self.classes.add(sample.class, 1);
        if let Some(kind) = sample.outcome.kind() {
            *self.errors.entry(kind).or_default() += 1;
        }
    }

    fn drain(&mut self, labels: &[String]) -> Cell {
        let [ok_response, ok_service] = &mut self.ok;
        let [rest_response, rest_service] = &mut self.rest;
        Cell {
            response: Split { ok: ok_response.drain(), rest: rest_response.drain() },
            service: Split { ok: ok_service.drain(), rest: rest_service.drain() },
            lateness: self.lateness.drain(),
            classes: std::mem::take(&mut self.classes),
            errors: std::mem::take(&mut self.errors).into_iter().map(|(kind, n)| (kind.key(labels), n)).collect(),
            staged: 0,
        }
    }
}

/// One due second under way.
#[derive(Debug)]
struct Open {
    second: u32,
    steps: Vec<Option<Box<Dense>>>,
}

/// Counts samples of one worker.
#[derive(Debug)]
pub struct Recorder {
    worker: u16,
    seq: u32,
    labels: Arc<Vec<String>>,
    /// The newest due second and the one before, by parity.
    open: [Open; 2],
    /// What flowed in the newest second and the one before, by parity.
    running: [Running; 2],
    /// Journeys of the newest second in which one was due and the one before, by parity.
    ways: [Ways; 2],
    /// Shed arrivals, late samples, and what belongs to older seconds.
    sparse: Sparse,
}

impl Recorder {
    /// A recorder for `steps` series; `labels` are the plan's names of checks and extractions.
    pub fn new(worker: u16, steps: usize, labels: Arc<Vec<String>>) -> Self {
        let open = |second| Open { second, steps: (0..steps).map(|_| None).collect() };
        Self {
            worker,
            seq: 0,
            labels,
            open: [open(0), open(1)],
            running: [Running::at(0), Running::at(1)],
            ways: [Ways::at(0), Ways::at(1)],
            sparse: BTreeMap::new(),
        }
    }

    /// Counts one finished request.
    pub fn sample(&mut self, sample: &Sample) {
        self.flow(sample.done, |flow| {
            flow.done += 1;
            flow.good += u64::from(sample.class == Class::Ok);
            flow.bytes_in += sample.bytes_in;
            flow.bytes_out += sample.bytes_out;
        });
        let second = sample.due.second();
        if !self.turn_to(second) {
            self.late(second, sample);
            return;
        }
        let slot = &mut self.open[second as usize % 2].steps[usize::from(sample.step.0)];
        if slot.is_none() {
            *slot = Dense::new().map(Box::new);
        }
        if let Some(dense) = slot {
            dense.record(sample);
        }
    }

    /// Makes `second` one of the two open ones; false when it is older than both.
    fn turn_to(&mut self, second: u32) -> bool {
        let slot = second as usize % 2;
        let held = self.open[slot].second;
        if held == second {
            return true;
        }
        if held > second {
            return false;
        }
        self.close(slot);
        self.open[slot].second = second;
        true
    }

    /// Moves the dense counts of a second to the sparse table.
    fn close(&mut self, slot: usize) {
        let open = &mut self.open[slot];
        for (n, dense) in open.steps.iter_mut().enumerate() {
            let Some(dense) = dense else { continue };
            if dense.classes.total() == 0 {
                continue;
            }
            let step = StepId(u16::try_from(n).unwrap_or(u16::MAX));
            let cell = dense.drain(&self.labels);
            part(&mut self.sparse, open.second).steps.entry(step).or_default().merge(&cell);
        }
    }

    fn late(&mut self, second: u32, sample: &Sample) {
        let key = sample.outcome.kind().map(|kind| kind.key(&self.labels));
        add(part(&mut self.sparse, second).steps.entry(sample.step).or_default(), sample, key);
    }

    /// Counts `sample` once more, beside the steps: nothing flows, and no total changes.
    pub fn aside(&mut self, aside: &Aside, sample: &Sample) {
        let key = sample.outcome.kind().map(|kind| kind.key(&self.labels));
        let asides = &mut part(&mut self.sparse, sample.due.second()).asides;
        match asides.get_mut(aside) {
            Some(cell) => add(cell, sample, key),
            None => add(asides.entry(aside.clone()).or_default(), sample, key),
        }
    }

    /// Counts a request that leaves now.
    pub fn sent(&mut self, at: Tick, bytes: u64) {
        self.flow(at, |flow| {
            flow.sent += 1;
            flow.bytes_out += bytes;
        });
    }

    /// Counts a finished request of a client that misbehaves on purpose, in no histogram and no class.
    pub fn staged(&mut self, step: StepId, (due, done): (Tick, Tick), (bytes_in, bytes_out): (u64, u64)) {
        self.flow(done, |flow| {
            flow.done += 1;
            flow.bytes_in += bytes_in;
            flow.bytes_out += bytes_out;
        });
        part(&mut self.sparse, due.second()).steps.entry(step).or_default().staged += 1;
    }

    /// Changes what flowed in the second of `at`.
    pub fn flow(&mut self, at: Tick, change: impl FnOnce(&mut Flow)) {
        let second = at.second();
        let slot = &mut self.running[second as usize % 2];
        if slot.turn_to(second, &mut self.sparse) {
            change(&mut slot.flow);
        } else {
            change(&mut part(&mut self.sparse, second).flow);
        }
    }

    /// Where `journey` is counted in the second of `due`; `None` when that is older than both under way.
    fn way(&mut self, journey: JourneyId, due: Tick) -> Option<&mut Way> {
        let second = due.second();
        self.ways[second as usize % 2].turn_to(second, &mut self.sparse, journey)
    }

    /// Changes the counts of `journey` in the second its first step was due.
    pub fn journey(&mut self, journey: JourneyId, due: Tick, change: impl FnOnce(&mut Travel)) {
        match self.way(journey, due) {
            Some(way) => change(&mut way.counts),
            None => change(self.old_way(journey, due)),
        }
    }

    /// Counts a journey that ended: its first step was due at `due`, and it took `latency` microseconds without its pauses.
    pub fn arrived(&mut self, journey: JourneyId, due: Tick, (end, latency): (Arrived, u64)) {
        if let Some(way) = self.way(journey, due) {
            end.count(&mut way.counts);
            let part = if end == Arrived::Well { &mut way.ok } else { &mut way.rest };
            part.record(latency);
            return;
        }
        let travel = self.old_way(journey, due);
        end.count(travel);
        let part = if end == Arrived::Well { &mut travel.latency.ok } else { &mut travel.latency.rest };
        part.record(latency);
    }

    fn old_way(&mut self, journey: JourneyId, due: Tick) -> &mut Travel {
        part(&mut self.sparse, due.second()).journeys.entry(journey).or_default()
    }

    /// Counts an arrival that is not sent because the in-flight cap was reached, at its journey's first step.
    pub fn shed(&mut self, journey: JourneyId, step: Option<StepId>, due: Tick) {
        self.journey(journey, due, |travel| travel.shed += 1);
        if let Some(step) = step {
            part(&mut self.sparse, due.second()).steps.entry(step).or_default().classes.add(Class::Shed, 1);
        }
    }

    /// Counts a request that is not sent because it would exceed the ceiling of its target, in the second it was due.
    pub fn over_ceiling(&mut self, step: StepId, due: Tick) {
        let cell = part(&mut self.sparse, due.second()).steps.entry(step).or_default();
        cell.classes.add(Class::Shed, 1);
        *cell.errors.entry(Kind::OverCeiling.key(&self.labels)).or_default() += 1;
    }

    /// Everything since the last frame; `health` belongs to the second of `now`.
    pub fn frame(&mut self, now: Tick, health: Health) -> Frame {
        for slot in 0..2 {
            self.close(slot);
            self.ways[slot].close(&mut self.sparse);
            self.running[slot].close(&mut self.sparse);
        }
        part(&mut self.sparse, now.second()).health.entry(self.worker).or_default().merge(&health);
        let frame = Frame {
            worker: self.worker,
            seq: self.seq,
            parts: std::mem::take(&mut self.sparse).into_values().collect(),
        };
        self.seq += 1;
        frame
    }
}

fn add(cell: &mut Cell, sample: &Sample, kind: Option<String>) {
    let (response, service) = if sample.outcome.is_ok() {
        (&mut cell.response.ok, &mut cell.service.ok)
    } else {
        (&mut cell.response.rest, &mut cell.service.rest)
    };
    response.record(micros(sample.response_time()));
    service.record(micros(sample.service_time()));
    cell.lateness.record(micros(sample.lateness()));
    cell.classes.add(sample.class, 1);
    if let Some(kind) = kind {
        *cell.errors.entry(kind).or_default() += 1;
    }
}

/// The sparse table: whole seconds by number.
type Sparse = BTreeMap<u32, Interval>;

fn part(sparse: &mut Sparse, second: u32) -> &mut Interval {
    sparse.entry(second).or_insert_with(|| Interval::at(second))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::outcome::Outcome;

    fn sample(due_ms: u64, took_ms: u64, outcome: Outcome) -> Sample {
        let due = Tick::from_millis(due_ms);
        let class = if outcome.is_ok() { Class::Ok } else { Class::Error };
        Sample {
            step: StepId(0),
            due,
            sent: due + std::time::Duration::from_micros(30),
            done: due + std::time::Duration::from_millis(took_ms),
            outcome,
            class,
            bytes_out: 10,
            bytes_in: 20,
        }
    }

    #[test]
    fn a_sample_counts_in_the_second_it_was_due_however_late() {
        let mut recorder = Recorder::new(3, 1, Arc::new(Vec::new()));
        recorder.sample(&sample(5_500, 10, Outcome::Answered));
        recorder.sample(&sample(4_500, 1_200, Outcome::Answered));
        recorder.sample(&sample(1_500, 5_000, Outcome::Refused(Kind::Status(503))));
        recorder.shed(JourneyId(0), Some(StepId(0)), Tick::from_millis(5_600));
        let frame = recorder.frame(Tick::from_millis(6_600), Health::default());
        let seconds: Vec<_> = frame.parts.iter().map(|part| part.second).collect();
        assert_eq!(seconds, [1, 4, 5, 6]);
        let arrivals: Vec<_> = frame.parts.iter().map(|part| part.total().arrivals()).collect();
        assert_eq!(arrivals, [1, 1, 2, 0]);
        assert_eq!(frame.parts[0].total().errors.get("status_503"), Some(&1));
        assert_eq!(frame.parts[3].flow.done, 1);
        assert!(recorder.frame(Tick::from_millis(7_600), Health::default()).parts.iter().all(|p| p.steps.is_empty()));
    }

    #[test]
    fn response_is_service_plus_lateness_in_every_sample() {
        let s = sample(1_000, 7, Outcome::Answered);
        assert_eq!(s.response_time(), s.service_time() + s.lateness());
    }
}
