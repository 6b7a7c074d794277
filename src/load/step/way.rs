//! The way of one try: its hops from redirect to redirect, each an attempt of its own in `<step>#attempts`.
//!
//! Where no request can have more than one attempt, nothing is counted twice and nothing is kept. Not here: following
//! (`redirect`), trying again (`tries`).

use std::time::Duration;

use super::Ask;
use super::http::{said, sample};
use crate::base::clock::Tick;
use crate::load::client::Trip;
use crate::load::client::answer::Answer;
use crate::load::core::Worker;
use crate::measure::outcome::Outcome;
use crate::plan::good::Said;
use crate::plan::load::Client;

/// True when a request of `client` may be more than one attempt.
pub(super) fn has_attempts(client: &Client) -> bool {
    let reloads = client.patience.as_ref().is_some_and(|patience| patience.reloads > 0);
    client.redirects > 0 || client.retry.is_some() || reloads
}

/// Where one try stands.
#[derive(Debug)]
pub(super) struct Way {
    /// When its hop under way was due and sent.
    clocks: (Tick, Tick),
    /// Bytes in and out of the hops before it.
    before: (u64, u64),
    /// Status and place of each redirect.
    pub(super) chain: Vec<String>,
    /// How old a stale answer is.
    pub(super) age: Option<Duration>,
}

impl Way {
    /// A try that was due and sent then.
    pub(super) fn new(clocks: (Tick, Tick)) -> Self {
        Self { clocks, before: (0, 0), chain: Vec::new(), age: None }
    }

    /// When the hop under way was sent.
    pub(super) fn sent(&self) -> Tick {
        self.clocks.1
    }

    /// Notes where `answer` leads.
    pub(super) fn led(&mut self, answer: &Answer, to: &str) {
        self.chain.push(format!("{} {to}", answer.status));
    }

    /// The hop under way ended with a redirect, and the next one leaves at `next`.
    pub(super) fn turns(&mut self, worker: &Worker, ask: &Ask, trip: &Trip, next: Tick) {
        let said = trip.result.as_ref().map(said).unwrap_or_default();
        self.ends(worker, ask, (Outcome::Answered, said), trip);
        self.before = (trip.bytes_in, trip.bytes_out);
        self.clocks = (trip.done, next);
    }

    /// The hop under way ended; `trip` counts the bytes of all hops.
    pub(super) fn ends(&self, worker: &Worker, ask: &Ask, (outcome, said): (Outcome, Said), trip: &Trip) {
        if has_attempts(&worker.script.plan.client) {
            let (due, sent) = self.clocks;
            let mut sample = sample(ask, (due, sent, trip.done), outcome, trip);
            sample.bytes_in -= self.before.0;
            sample.bytes_out -= self.before.1;
            worker.attempted(sample, said);
        }
    }
}
