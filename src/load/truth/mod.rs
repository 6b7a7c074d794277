//! What the engine is measured against: a target that does exactly what its script says, and the arrivals of a plan on paper.
//!
//! | file | holds |
//! |---|---|
//! | `target` | a scripted HTTP target on loopback, byte for byte |
//! | `still` | a process that stands still for a while |
//!
//! Not here: the table of cases and their tolerances (`cli::selftest`). Called by `squall selftest`.

pub mod still;
pub mod target;

use super::arrivals::{Arrivals, Order};
use super::local::part;
use crate::base::clock::Tick;
use crate::base::seed::Seed;
use crate::base::shard::Shard;
use crate::plan::load::{LoadPlan, Pattern};

/// A planned arrival: due, its number, and its journey.
pub type Listed = (Tick, u64, u16);

/// The arrivals of the open workloads of `plan` on `threads` threads of `shard`, in order of due time: what the workers of that
/// machine would begin, workload by workload.
pub fn listing(plan: &LoadPlan, seed: Seed, shard: Shard, threads: usize) -> Vec<Listed> {
    let mut all = Vec::new();
    for workload in &plan.workloads {
        let Pattern::Open { curve, spacing, arrivals, .. } = &workload.pattern else { continue };
        let order = Order { spacing: *spacing, most: *arrivals, seed, workload: &workload.name };
        let size = workload.mix.size();
        for thread in 0..threads.max(1) {
            let mut deck = (u64::MAX, Vec::new());
            for arrival in Arrivals::new(curve, &order, part(shard, thread, threads.max(1))) {
                if deck.0 != arrival.n / size {
                    deck = (arrival.n / size, workload.mix.shuffled(seed, arrival.n / size));
                }
                let card = usize::try_from(arrival.n % size).ok().and_then(|card| deck.1.get(card)).copied();
                all.push((arrival.due + workload.start, arrival.n, card.unwrap_or(0)));
            }
        }
    }
    all.sort_unstable();
    all
}
