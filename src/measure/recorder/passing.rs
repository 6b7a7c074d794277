//! What passes in a second under way: bytes and requests, and journeys with their latencies, counted without a search.
//!
//! Each is kept for the newest second and the one before, by parity; what is older goes to the sparse table. Requests by step
//! have a pair of seconds of their own: a slow server finishes today what was due seconds ago. Called by the recorder alone.

use super::{Sparse, part};
use crate::measure::histogram::Hist;
use crate::measure::interval::{Flow, Split, Travel};
use crate::measure::sample::JourneyId;

/// What flowed in one second under way.
#[derive(Debug)]
pub(super) struct Running {
    second: u32,
    pub(super) flow: Flow,
}

impl Running {
    /// Nothing yet.
    pub(super) fn at(second: u32) -> Self {
        Self { second, flow: Flow::default() }
    }

    /// Makes `second` the one under way; false when it is older than that.
    pub(super) fn turn_to(&mut self, second: u32, sparse: &mut Sparse) -> bool {
        if self.second < second {
            self.close(sparse);
            self.second = second;
        }
        self.second == second
    }

    /// Moves what was counted to the sparse table.
    pub(super) fn close(&mut self, sparse: &mut Sparse) {
        let flow = std::mem::take(&mut self.flow);
        if flow != Flow::default() {
            part(sparse, self.second).flow.merge(&flow);
        }
    }
}

/// One journey in one second under way: counts, and its dense latencies.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) counts: Travel,
    pub(super) ok: Hist,
    pub(super) rest: Hist,
}

impl Way {
    fn new() -> Option<Self> {
        Some(Self { counts: Travel::default(), ok: Hist::new()?, rest: Hist::new()? })
    }

    fn drain(&mut self) -> Travel {
        let mut travel = std::mem::take(&mut self.counts);
        travel.latency = Split { ok: self.ok.drain(), rest: self.rest.drain() };
        travel
    }
}

/// The journeys of one second under way.
#[derive(Debug)]
pub(super) struct Ways {
    second: u32,
    journeys: Vec<Option<Box<Way>>>,
}

impl Ways {
    /// None yet.
    pub(super) fn at(second: u32) -> Self {
        Self { second, journeys: Vec::new() }
    }

    /// Where `journey` is counted in `second`, which is made the one under way; `None` when it is older than that.
    pub(super) fn turn_to(&mut self, second: u32, sparse: &mut Sparse, journey: JourneyId) -> Option<&mut Way> {
        if self.second < second {
            self.close(sparse);
            self.second = second;
        }
        if self.second != second {
            return None;
        }
        let place = usize::from(journey.0);
        if self.journeys.len() <= place {
            self.journeys.resize_with(place + 1, || None);
        }
        let way = &mut self.journeys[place];
        if way.is_none() {
            *way = Way::new().map(Box::new);
        }
        way.as_deref_mut()
    }

    /// Moves what was counted to the sparse table.
    pub(super) fn close(&mut self, sparse: &mut Sparse) {
        for (n, way) in self.journeys.iter_mut().enumerate() {
            let travel = way.as_mut().map(|way| way.drain()).filter(|travel| *travel != Travel::default());
            if let Some(travel) = travel {
                let journey = JourneyId(u16::try_from(n).unwrap_or(u16::MAX));
                part(sparse, self.second).journeys.entry(journey).or_default().merge(&travel);
            }
        }
    }
}

/// How a journey that was measured ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// At its end, every step answered.
    Well,
    /// At its end, though a step failed.
    Badly,
    /// Early, because a step failed.
    Not,
}

impl Arrived {
    pub(super) fn count(self, travel: &mut Travel) {
        if self == Self::Not {
            travel.failed += 1;
        } else {
            travel.completed += 1;
        }
    }
}
