//! The plan of arrivals as a text: who is due when, on which journey, and how long it thinks.
//!
//! Made from the same parts that send, shard by shard, so that it shows whether shards join to the whole. Called by `cli`.
//! Not here: what comes back.

use std::fmt::Write as _;

use super::LoadError;
use super::arrivals::{Arrivals, Order};
use super::rows::{self, Asking};
use super::step::{Move, Script};
use super::vars::Dice;
use crate::base::duration::show;
use crate::base::seed::Seed;
use crate::base::shard::Shard;
use crate::plan::load::{Iterations, LoadPlan, Pattern, Workload};

/// How many arrivals of each workload the short listing shows.
const FIRST: u64 = 20;

/// How much is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Totals, and the first 20 arrivals of each workload.
    First,
    /// Every arrival.
    Full,
}

/// The plan as a text, put together from `shards` parts; the same text for every number of them.
///
/// # Errors
/// When the plan holds something that cannot be sent or read; `check` finds these first.
pub fn text(plan: &std::sync::Arc<LoadPlan>, seed: Seed, detail: Detail, shards: u32) -> Result<String, LoadError> {
    let script = Script::new(std::sync::Arc::clone(plan))?;
    let mut out = format!("plan {} seed {}\n", plan.hash, seed.0);
    let _ = writeln!(out, "length {} peak {:.3}/s", show(plan.length()), plan.peak_rate());
    for workload in &plan.workloads {
        head(&mut out, plan, workload, seed);
        match &workload.pattern {
            Pattern::Open { .. } => open(&mut out, &script, workload, (seed, detail, shards.max(1))),
            Pattern::Closed { users, rounds, .. } => {
                let planned = match rounds.most {
                    Some(Iterations::PerUser(most)) => most.saturating_mul(u64::from(*users)),
                    Some(Iterations::Shared(most)) => most,
                    None => u64::MAX,
                };
                let most = if detail == Detail::Full && planned < u64::MAX { planned } else { planned.min(FIRST) };
                for n in 0..most {
                    line(&mut out, &script, workload, (seed, n), "-");
                }
            }
        }
    }
    Ok(out)
}

fn head(out: &mut String, plan: &LoadPlan, workload: &Workload, seed: Seed) {
    let total = match &workload.pattern {
        Pattern::Open { curve, arrivals, .. } => {
            let all = arrivals.unwrap_or(u64::MAX).min(curve.arrivals());
            format!("open {all} arrivals, peak {:.3}/s", curve.peak())
        }
        Pattern::Closed { users, .. } => format!("closed {users} users"),
    };
    let cards = workload.mix.shuffled(seed, 0);
    let shares = plan.journeys.iter().enumerate().filter_map(|(n, journey)| {
        let count = cards.iter().filter(|card| usize::from(**card) == n).count();
        (count > 0).then(|| format!("{} {count}/{}", journey.name, cards.len()))
    });
    let mix = shares.collect::<Vec<_>>().join(", ");
    let _ = writeln!(out, "workload {} {total}, start {}, mix {mix}", workload.name, show(workload.start));
}

fn open(out: &mut String, script: &Script, workload: &Workload, (seed, detail, shards): (Seed, Detail, u32)) {
    let Pattern::Open { curve, spacing, arrivals, .. } = &workload.pattern else { return };
    let order = Order { spacing: *spacing, most: *arrivals, seed, workload: &workload.name };
    let part = |index| Arrivals::new(curve, &order, Shard { index, of: shards });
    let mut parts: Vec<_> = (0..shards).map(|index| part(index).peekable()).collect();
    let most = if detail == Detail::Full { u64::MAX } else { FIRST };
    for n in 0..most {
        let Some(next) = parts.iter_mut().find_map(|part| part.next_if(|one| one.n == n)) else { break };
        let due = (workload.start.as_micros() + u128::from(next.due.micros())).to_string();
        line(out, script, workload, (seed, n), &due);
    }
}

/// One arrival: due time in µs, workload, number, journey, the rows it takes, and the pauses on its way.
fn line(out: &mut String, script: &Script, workload: &Workload, (seed, n): (Seed, u64), due: &str) {
    let deck = workload.mix.shuffled(seed, n / workload.mix.size());
    let place = usize::try_from(n % workload.mix.size()).unwrap_or(0);
    let card = usize::from(deck.get(place).copied().unwrap_or(0));
    let index = script.plan.workloads.iter().position(|one| one.name == workload.name).unwrap_or(0);
    let Some(course) = script.courses(index).get(card) else { return };
    let journey = script.plan.journeys.get(card).map_or("?", |journey| journey.name.as_str());
    let _ = write!(out, "{due} {} {n} {journey}", workload.name);
    let key = super::crew::key(seed, &workload.name);
    let users = if let Pattern::Closed { users, .. } = &workload.pattern { u64::from(*users).max(1) } else { u64::MAX };
    let asking = Asking { workload: index, of: script.plan.workloads.len(), user: n % users };
    for feed in &script.plan.values.feeds {
        if let Some(row) = rows::index(feed, Dice { seed, key, n }, asking) {
            let _ = write!(out, " {}:{row}", feed.name);
        }
    }
    for one in &course.moves {
        if let Move::Rest(pause) = one {
            let _ = write!(out, " {}", pause.length(seed, key, n).as_micros());
        }
    }
    out.push('\n');
}
