//! Between [`Interval`]s and numbered series: what `DEFS` names and `DATA` counts.
//!
//! A series is a histogram (of, name, clock, group); a counter is a count (of, name, what). Both are numbered when first seen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::chunk::{put, take};
use crate::measure::histogram::{Bins, Extent};
use crate::measure::interval::{Cell, Flow, Health, Interval, Travel};
use crate::measure::outcome::Class;
use crate::measure::sample::{Aside, JourneyId, StepId};

/// What a series or counter belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Of {
    /// The whole run.
    Run,
    /// A journey, by id.
    Journey(u16),
    /// A step, by id.
    Step(u16),
    /// What steps count, seen otherwise.
    Aside(Aside),
    /// A worker of the generator.
    Worker(u16),
}

/// A numbered thing: `what` is such as `response/ok`, `class/shed`, `error/status_503`, `flow/sent`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) of: Of,
    pub(super) what: String,
}

/// One second, taken apart.
#[derive(Default)]
struct Parts<'a> {
    bins: Vec<(Key, &'a Bins)>,
    counts: Vec<(Key, u64)>,
}

impl<'a> Parts<'a> {
    fn bins(&mut self, of: &Of, what: &str, bins: &'a Bins) {
        if !bins.is_empty() {
            self.bins.push((Key { of: of.clone(), what: what.to_owned() }, bins));
        }
    }

    fn count(&mut self, of: &Of, what: &str, n: u64) {
        if n > 0 {
            self.counts.push((Key { of: of.clone(), what: what.to_owned() }, n));
        }
    }

    fn of(second: &'a Interval) -> Self {
        let mut parts = Self::default();
        for (step, cell) in &second.steps {
            parts.cell(&Of::Step(step.0), cell);
        }
        for (journey, travel) in &second.journeys {
            parts.travel(&Of::Journey(journey.0), travel);
        }
        for (aside, cell) in &second.asides {
            parts.cell(&Of::Aside(aside.clone()), cell);
        }
        let flow = &second.flow;
        for (what, n) in FLOWS.iter().zip([
            flow.sent,
            flow.done,
            flow.good,
            flow.bytes_in,
            flow.bytes_out,
            flow.opened,
            flow.in_flight,
        ]) {
            parts.count(&Of::Run, what, n);
        }
        for (worker, health) in &second.health {
            // One more than the reading, so that a quiet worker still leaves a trace.
            for (what, n) in HEALTHS.iter().zip([health.cpu_us, health.stall_us, health.waited_us, health.jump_us]) {
                parts.count(&Of::Worker(*worker), what, n + 1);
            }
        }
        parts
    }

    fn cell(&mut self, of: &Of, cell: &'a Cell) {
        self.bins(of, "response/ok", &cell.response.ok);
        self.bins(of, "response/rest", &cell.response.rest);
        self.bins(of, "service/ok", &cell.service.ok);
        self.bins(of, "service/rest", &cell.service.rest);
        self.bins(of, "lateness", &cell.lateness);
        for class in Class::ALL {
            self.count(of, &format!("class/{class}"), cell.classes.get(class));
        }
        for (kind, n) in &cell.errors {
            self.count(of, &format!("error/{kind}"), *n);
        }
        self.count(of, STAGED, cell.staged);
    }

    fn travel(&mut self, of: &Of, travel: &'a Travel) {
        self.bins(of, "latency/ok", &travel.latency.ok);
        self.bins(of, "latency/rest", &travel.latency.rest);
        for (what, n) in TRAVELS.iter().zip([
            travel.planned,
            travel.started,
            travel.completed,
            travel.failed,
            travel.shed,
            travel.unfinished,
            travel.staged,
            travel.overran,
        ]) {
            self.count(of, what, n);
        }
    }
}

const FLOWS: [&str; 7] = ["sent", "done", "good", "bytes_in", "bytes_out", "opened", "in_flight"];
const HEALTHS: [&str; 4] = ["cpu_us", "stall_us", "waited_us", "jump_us"];
const TRAVELS: [&str; 8] = ["planned", "started", "completed", "failed", "shed", "unfinished", STAGED, "overran"];
const STAGED: &str = "staged";

/// Numbers given to keys, in the order they were first seen.
#[derive(Default)]
pub(super) struct Numbers {
    known: BTreeMap<Key, u64>,
    fresh: Vec<(u64, Key)>,
}

impl Numbers {
    fn of(&mut self, key: Key) -> u64 {
        let next = self.known.len() as u64;
        *self.known.entry(key).or_insert_with_key(|key| {
            self.fresh.push((next, key.clone()));
            next
        })
    }

    /// Keys numbered since the last call.
    pub(super) fn fresh(&mut self) -> Vec<(u64, Key)> {
        std::mem::take(&mut self.fresh)
    }
}

/// Appends `second` to a `DATA` payload.
pub(super) fn encode(second: &Interval, numbers: &mut Numbers, out: &mut Vec<u8>) {
    let parts = Parts::of(second);
    put(out, u64::from(second.second));
    put(out, parts.bins.len() as u64);
    for (key, bins) in parts.bins {
        let Extent { sum, min, max } = bins.extent();
        for number in [numbers.of(key), sum, min, max, bins.pairs().len() as u64] {
            put(out, number);
        }
        let mut last = 0;
        for &(bin, count) in bins.pairs() {
            put(out, u64::from(bin - last));
            put(out, count);
            last = bin;
        }
    }
    put(out, parts.counts.len() as u64);
    for (key, n) in parts.counts {
        put(out, numbers.of(key));
        put(out, n);
    }
}

/// Takes one second off a `DATA` payload; `None` when it is malformed.
pub(super) fn decode(bytes: &mut &[u8], keys: &BTreeMap<u64, Key>) -> Option<Interval> {
    let mut second = Interval::at(u32::try_from(take(bytes)?).ok()?);
    for _ in 0..take(bytes)? {
        let key = keys.get(&take(bytes)?);
        let extent = Extent { sum: take(bytes)?, min: take(bytes)?, max: take(bytes)? };
        let mut pairs = Vec::new();
        let mut bin = 0_u16;
        for _ in 0..take(bytes)? {
            bin = bin.checked_add(u16::try_from(take(bytes)?).ok()?)?;
            pairs.push((bin, take(bytes)?));
        }
        let bins = Bins::from_pairs(pairs, extent)?;
        if let Some(key) = key {
            place_bins(&mut second, key, &bins);
        }
    }
    for _ in 0..take(bytes)? {
        let (key, n) = (keys.get(&take(bytes)?), take(bytes)?);
        if let Some(key) = key {
            place_count(&mut second, key, n);
        }
    }
    Some(second)
}

fn cell_bins(cell: &mut Cell, what: &str, bins: &Bins) {
    match what {
        "response/ok" => cell.response.ok.merge(bins),
        "response/rest" => cell.response.rest.merge(bins),
        "service/ok" => cell.service.ok.merge(bins),
        "service/rest" => cell.service.rest.merge(bins),
        "lateness" => cell.lateness.merge(bins),
        _ => {}
    }
}

fn cell_count(cell: &mut Cell, what: &str, n: u64) {
    if let Some(class) = what.strip_prefix("class/") {
        if let Some(class) = Class::ALL.into_iter().find(|known| known.name() == class) {
            cell.classes.add(class, n);
        }
    } else if let Some(kind) = what.strip_prefix("error/") {
        *cell.errors.entry(kind.to_owned()).or_default() += n;
    } else if what == STAGED {
        cell.staged += n;
    }
}

fn place_bins(second: &mut Interval, key: &Key, bins: &Bins) {
    match &key.of {
        Of::Step(id) => cell_bins(second.steps.entry(StepId(*id)).or_default(), &key.what, bins),
        Of::Aside(aside) => cell_bins(second.asides.entry(aside.clone()).or_default(), &key.what, bins),
        Of::Journey(id) => {
            let travel = second.journeys.entry(JourneyId(*id)).or_default();
            match key.what.as_str() {
                "latency/ok" => travel.latency.ok.merge(bins),
                "latency/rest" => travel.latency.rest.merge(bins),
                _ => {}
            }
        }
        Of::Run | Of::Worker(_) => {}
    }
}

fn place_count(second: &mut Interval, key: &Key, n: u64) {
    match &key.of {
        Of::Step(id) => cell_count(second.steps.entry(StepId(*id)).or_default(), &key.what, n),
        Of::Aside(aside) => cell_count(second.asides.entry(aside.clone()).or_default(), &key.what, n),
        Of::Journey(id) => {
            let travel = second.journeys.entry(JourneyId(*id)).or_default();
            if let Some(slot) = TRAVELS.iter().position(|what| *what == key.what) {
                *travel_slot(travel, slot) += n;
            }
        }
        Of::Run => {
            if let Some(slot) = FLOWS.iter().position(|what| *what == key.what) {
                *flow_slot(&mut second.flow, slot) += n;
            }
        }
        Of::Worker(id) => {
            let Health { cpu_us, stall_us, waited_us, jump_us } = second.health.entry(*id).or_default();
            let n = n.saturating_sub(1);
            match key.what.as_str() {
                "cpu_us" => *cpu_us += n,
                "stall_us" => *stall_us = n.max(*stall_us),
                "waited_us" => *waited_us += n,
                "jump_us" => *jump_us = n.max(*jump_us),
                _ => {}
            }
        }
    }
}

fn travel_slot(travel: &mut Travel, slot: usize) -> &mut u64 {
    match slot {
        0 => &mut travel.planned,
        1 => &mut travel.started,
        2 => &mut travel.completed,
        3 => &mut travel.failed,
        4 => &mut travel.shed,
        5 => &mut travel.unfinished,
        6 => &mut travel.staged,
        _ => &mut travel.overran,
    }
}

fn flow_slot(flow: &mut Flow, slot: usize) -> &mut u64 {
    match slot {
        0 => &mut flow.sent,
        1 => &mut flow.done,
        2 => &mut flow.good,
        3 => &mut flow.bytes_in,
        4 => &mut flow.bytes_out,
        5 => &mut flow.opened,
        _ => &mut flow.in_flight,
    }
}
