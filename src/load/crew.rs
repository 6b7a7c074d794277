//! One workload on one worker: its connections, its place in the cap, its deck, and when it is over.
//!
//! Not here: who begins when (`open`, `closed`), the worker itself (`core`).

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::arrivals::owned;
use super::client::Client;
use super::core::Post;
use super::lounge::Lounge;
use super::step::tries::Budget;
use crate::base::clock::Tick;
use crate::base::seed::Seed;
use crate::base::shard::Shard;
use crate::plan::deck::Deck;
use crate::plan::load::{Connections, Pattern, Workload};

/// The cap on journeys under way, shared by all workers.
#[derive(Debug)]
pub struct Cap {
    under_way: Arc<Vec<AtomicU64>>,
    workload: usize,
    most: u64,
}

impl Cap {
    /// Takes a place; false when there is none.
    pub fn enter(&self) -> bool {
        let Some(count) = self.under_way.get(self.workload) else { return true };
        let entered = count.fetch_add(1, Ordering::Relaxed) < self.most;
        if !entered {
            count.fetch_sub(1, Ordering::Relaxed);
        }
        entered
    }

    /// Gives a place back.
    pub fn leave(&self) {
        if let Some(count) = self.under_way.get(self.workload) {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Tickets for journeys that all users of a workload share; machines take every `of`th.
#[derive(Debug)]
pub struct Tickets {
    taken: Arc<Vec<AtomicU64>>,
    workload: usize,
    index: u64,
    of: u64,
}

impl Tickets {
    /// The next one.
    pub fn take(&self) -> u64 {
        let count = self.taken.get(self.workload).map_or(0, |count| count.fetch_add(1, Ordering::Relaxed));
        count * self.of + self.index
    }
}

/// What became of a workload's arrivals on one worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub planned: u64,
    /// Not begun and not shed.
    pub waiting: u64,
}

/// One workload on one worker.
#[derive(Debug)]
pub struct Crew {
    /// Its index in the plan.
    pub workload: usize,
    /// Its key in every draw.
    pub key: u64,
    /// When it begins.
    pub origin: Tick,
    /// When the last answers are given up.
    pub cut: Cell<Tick>,
    /// Journeys under way.
    pub cap: Cap,
    /// Numbers of journeys that its users share.
    pub tickets: Tickets,
    /// Its connections.
    pub client: Client,
    /// True while it may still begin journeys.
    pub driving: Cell<bool>,
    /// Arrivals that fell to this worker, and those it has not begun.
    pub arrivals: Cell<Tally>,
    /// How many further tries there may be; `None` unless the client tries again.
    pub budget: Option<Budget>,
    /// Where its users wait for another journey, when sessions are partly open.
    pub lounge: Option<Lounge>,
    /// The deck in use and its number.
    deck: RefCell<Option<(u64, Vec<u16>)>>,
}

/// The key of the workload of this name in every draw.
pub fn key(seed: Seed, workload: &str) -> u64 {
    seed.key("workload", &[]) ^ seed.key(workload, &[])
}

impl Crew {
    /// The part of `workload`, number `index` of the plan, that falls to the worker at `post`.
    pub fn new(post: &Post, index: usize, workload: &Workload) -> Self {
        let (suggested, most) = match &workload.pattern {
            Pattern::Open { max_in_flight, .. } => (Connections::Shared { max: 100 }, *max_in_flight),
            Pattern::Closed { .. } => (Connections::PerUser, u64::MAX),
        };
        let client = post.script.plan.client.with(workload.client.as_ref());
        let how = match client.connections {
            Connections::ByWorkload => suggested,
            written => written,
        };
        Self {
            workload: index,
            key: key(post.seed, &workload.name),
            origin: post.start_at + workload.start,
            cut: Cell::new(post.start_at + workload.length() + workload.drain),
            cap: Cap { under_way: Arc::clone(&post.under_way), workload: index, most: most.div_ceil(post.shards) },
            tickets: Tickets {
                taken: Arc::clone(&post.tickets),
                workload: index,
                index: u64::from(post.shard.index) % post.shards,
                of: post.shards,
            },
            client: Client::new(&post.script, (&client, how), post.shard),
            driving: Cell::new(true),
            arrivals: Cell::default(),
            budget: post.script.has_retries.then(Budget::default),
            lounge: match &workload.pattern {
                Pattern::Open { stay: Some(stay), .. } => Some(Lounge::new(stay, &workload.name)),
                _ => None,
            },
            deck: RefCell::default(),
        }
    }

    /// How many connections this worker opens before the first arrival.
    pub fn opens_first(&self, shard: Shard) -> u64 {
        owned(self.client.life().open_first as u64, shard)
    }

    /// The card of arrival `n` in `mix`: card n mod size of deck n / size.
    pub fn card(&self, mix: &Deck, seed: Seed, n: u64) -> u16 {
        if mix.size() == 1 {
            return mix.card(0);
        }
        let (number, card) = (n / mix.size(), n % mix.size());
        let mut held = self.deck.borrow_mut();
        let (deck, cards) = held.get_or_insert_with(|| (number, mix.shuffled(seed, number)));
        if *deck != number {
            (*deck, *cards) = (number, mix.shuffled(seed, number));
        }
        usize::try_from(card).ok().and_then(|card| cards.get(card)).copied().unwrap_or(0)
    }
}
