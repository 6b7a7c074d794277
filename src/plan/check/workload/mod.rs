//! Workloads: who begins what and when, the mix, and how many may be under way.
//!
//! | file | checks |
//! |---|---|
//! | `rate` | the rate of an open workload |
//! | `closed` | users that wait for answers |
//! | `start` | when a workload begins, also after another |
//!
//! Called by `scenario`. Not here: journeys, the ceiling of the target.

mod closed;
mod rate;
mod start;

use std::time::Duration;

use super::client::{self, Connecting, Setting};
use super::desk::Desk;
use super::journey::Paths;
use super::tables::Tables;
use super::think::think;
use crate::base::duration::show;
use crate::plan::deck::{CARDS_MOST, Deck};
use crate::plan::load::{Client, Pattern, Spacing, Stay, Workload};
use crate::plan::program::{self, Journey};
use crate::spec::names::Named;
use crate::spec::scenario::{Open, Spacing as WrittenSpacing, Stay as WrittenStay, Workload as Written};
use crate::spec::source::{Mark, Spanned};

/// The workloads of a scenario.
pub(super) fn workloads(
    desk: &mut Desk,
    tables: &mut Tables,
    (journeys, paths): (&[Journey], &Paths<'_>),
    written: &Spanned<Vec<Spanned<Written>>>,
) -> Vec<Workload> {
    let setting = Setting { around: paths.client, connections: Connecting::Here, start: paths.start };
    let Some(list) = desk.open(written) else { return Vec::new() };
    if list.is_empty() {
        desk.error("empty_scenario", written.mark, "there is no workload", "add a workload, such as `Open(…)`");
    }
    let mut found: Vec<(Workload, Mark)> = Vec::new();
    let mut starts = Vec::new();
    for (n, spanned) in list.iter().enumerate() {
        let Some(one) = desk.open(spanned) else { continue };
        let given = match one {
            Written::Open(open) => open.name.as_ref(),
            Written::Closed(closed) => closed.name.as_ref(),
        };
        let at = given.map_or(spanned.mark, |name| name.mark);
        let name = given.and_then(|name| desk.text(name)).map_or_else(|| (n + 1).to_string(), str::to_owned);
        if let Some((_, first)) = found.iter().find(|(known, _)| known.name == name) {
            desk.duplicate("workloads", &name, at, *first);
        }
        let client = match one {
            Written::Open(open) => open.client.as_ref(),
            Written::Closed(closed) => closed.client.as_ref(),
        };
        let client = client::manner(desk, tables, paths.start, (setting, client));
        let total = longest(&paths.client.with(client.as_ref()), journeys);
        let (workload, begins) = match one {
            Written::Open(open) => {
                (self::open(desk, (name.clone(), journeys), total, (open, spanned.mark)), open.start.as_ref())
            }
            Written::Closed(closed) => {
                let workload = closed::closed(desk, (name.clone(), journeys), total, (closed, spanned.mark));
                (workload, closed.start.as_ref())
            }
        };
        starts.push(start::read(desk, name, begins));
        found.extend(workload.map(|workload| (Workload { client, ..workload }, at)));
    }
    let mut workloads: Vec<Workload> = found.into_iter().map(|(workload, _)| workload).collect();
    start::settle(desk, &starts, &mut workloads);
    workloads
}

fn open(
    desk: &mut Desk,
    (name, journeys): (String, &[Journey]),
    total: Duration,
    (written, at): (&Open, Mark),
) -> Option<Workload> {
    let mix = mix(desk, &name, journeys, (written.mix.as_ref(), at));
    let (warmup, drain) = (desk.duration_or(written.warmup.as_ref(), Duration::ZERO), {
        desk.duration_or(written.drain.as_ref(), total)
    });
    let spacing = match desk.open_if(written.spacing.as_ref()) {
        Some(WrittenSpacing::Poisson) => Spacing::Poisson,
        Some(WrittenSpacing::Even) | None => Spacing::Even,
    };
    let arrivals = desk.open_if(written.arrivals.as_ref()).copied();
    let most = desk.open_if(written.max_in_flight.as_ref()).copied();
    for (number, spanned) in [(arrivals, &written.arrivals), (most, &written.max_in_flight)] {
        if let Some(spanned) = spanned.as_ref().filter(|_| number == Some(0)) {
            desk.error("zero_rate", spanned.mark, "never sends anything", "write a number of at least 1");
        }
    }
    let stay = desk.open_if(written.stay.as_ref()).and_then(|stay| self::stay(desk, stay));
    let curve = rate::curve(desk, &written.rate)?;
    if curve.arrivals() == 0 {
        desk.error(
            "zero_rate",
            written.rate.mark,
            "never sends anything",
            "the whole curve admits no arrival: raise a rate",
        );
    }
    within(desk, written.warmup.as_ref(), warmup, curve.length());
    let max_in_flight = most.unwrap_or_else(|| in_flight(curve.peak()));
    Some(Workload {
        name,
        pattern: Pattern::Open { curve, spacing, arrivals, max_in_flight, stay },
        mix: mix?,
        start: Duration::ZERO,
        warmup,
        drain,
        client: None,
    })
}

/// The longest time that a request of `journeys` may take, for clients that behave so.
fn longest(client: &Client, journeys: &[Journey]) -> Duration {
    let mut longest = client.timeouts.total;
    for journey in journeys {
        let client = client.with(journey.client.as_ref());
        longest = longest.max(client.timeouts.total);
        program::requests(&journey.steps, 1.0, &mut |http, _| {
            let own = http.client.as_ref().and_then(|manner| manner.timeouts.total);
            longest = longest.max(own.unwrap_or_default());
        });
    }
    longest
}

/// Journeys of one session at most, unless the author says otherwise.
const VISITS: u64 = 50;

fn stay(desk: &mut Desk, written: &WrittenStay) -> Option<Stay> {
    let chance = desk.ratio(&written.chance);
    let think = think(desk, written.think.as_ref());
    let most = desk.open_if(written.at_most.as_ref()).copied();
    if let Some(spanned) = written.at_most.as_ref().filter(|_| most == Some(0)) {
        desk.error("bad_number", spanned.mark, "a session of no journey", "write a number of at least 1");
    }
    let chance = chance?.get();
    if !(0.0..=1.0).contains(&chance) {
        let message = format!("a chance of {}%", chance * 100.0);
        desk.error("shares", written.chance.mark, message, "write a chance from 0% to 100%");
        return None;
    }
    if chance >= 1.0 && written.at_most.is_none() {
        desk.error("endless", written.chance.mark, "users who always stay would never end", "add `at_most: 20`");
    }
    Some(Stay { chance, think, at_most: most.unwrap_or(VISITS).max(1) })
}

/// Ten seconds' worth of arrivals, within 100 and 50 000.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
pub(crate) fn in_flight(peak: f64) -> u64 {
    (peak * 10.0).ceil().clamp(100.0, 50_000.0) as u64
}

fn within(desk: &mut Desk, written: Option<&Spanned<String>>, warmup: Duration, length: Duration) {
    if let Some(spanned) = written.filter(|_| warmup >= length) {
        let message = format!("a warm-up of {} leaves nothing of {}", show(warmup), show(length));
        desk.error("shares", spanned.mark, message, "make it shorter than the workload");
    }
}

fn mix(
    desk: &mut Desk,
    workload: &str,
    journeys: &[Journey],
    (written, at): (Option<&Spanned<Named<u64>>>, Mark),
) -> Option<Deck> {
    let names: Vec<&str> = journeys.iter().map(|journey| journey.name.as_str()).collect();
    let mut weights = vec![u64::from(written.is_none()); journeys.len()];
    let mut is_whole = true;
    if let Some(spanned) = written {
        let named = desk.open(spanned)?;
        for (name, name_at, weight) in desk.entries(named, "entries of the mix") {
            let weight = desk.open(weight).copied();
            if let Some(n) = names.iter().position(|known| *known == name) {
                weights[n] = weight.unwrap_or(1);
            } else {
                is_whole = false;
                desk.unknown("journey", name, name_at, &names);
            }
        }
    }
    if journeys.is_empty() || !is_whole {
        return None;
    }
    let deck = Deck::new(workload, &weights);
    if deck.is_none() {
        let at = written.map_or(at, |spanned| spanned.mark);
        let total = weights.iter().fold(0_u64, |sum, weight| sum.saturating_add(*weight));
        if total == 0 {
            desk.error("zero_rate", at, "never sends anything", "give a journey a weight above 0");
        } else {
            let help = format!("a deck has at most {CARDS_MOST} cards: {}", smaller(&names, &weights, total));
            desk.error("big_deck", at, "the weights need too large a deck to be exact", help);
        }
    }
    deck
}

/// The weights brought down to a deck of a thousand cards, with the largest relative error that costs.
fn smaller(names: &[&str], weights: &[u64], total: u64) -> String {
    let near = |weight: u64| ((weight as f64 / total as f64) * 1_000.0).round().max(f64::from(u8::from(weight > 0)));
    let pairs: Vec<String> = names
        .iter()
        .zip(weights)
        .filter(|(_, weight)| **weight > 0)
        .map(|(name, weight)| format!("\"{name}\": {}", near(*weight)))
        .collect();
    let errors = weights.iter().filter(|weight| **weight > 0).map(|weight| {
        let exact = *weight as f64 / total as f64 * 1_000.0;
        (near(*weight) / exact - 1.0).abs()
    });
    let worst = errors.fold(0.0, f64::max) * 100.0;
    format!("try {{{}}}, off by at most {worst:.2}%", pairs.join(", "))
}

/// A drill's load: the open workload takes the drill's rate, and all last for the longest course.
pub(super) fn for_drill(
    desk: &mut Desk,
    mut workloads: Vec<Workload>,
    (rate, longest): (Option<f64>, Duration),
    written: &Spanned<Vec<Spanned<Written>>>,
) -> Vec<Workload> {
    let open = workloads.iter().filter(|one| matches!(one.pattern, Pattern::Open { .. })).count();
    if rate.is_some() && open != 1 {
        let message = format!("the drill gives a rate for one open workload, and there are {open}");
        desk.error("unknown_name", written.mark, message, "keep one open workload, or leave the rate out of the drill");
        return workloads;
    }
    for workload in &mut workloads {
        let left = longest.saturating_sub(workload.start);
        match &mut workload.pattern {
            Pattern::Open { curve, max_in_flight, .. } => {
                let was = in_flight(curve.peak());
                if let Some(rate) = rate.filter(|_| curve.peak() > 0.0) {
                    *curve = curve.scaled(rate / curve.peak());
                }
                *curve = curve.held_for(left);
                // A cap nobody wrote follows the rate.
                if *max_in_flight == was {
                    *max_in_flight = in_flight(curve.peak());
                }
            }
            Pattern::Closed { hold, staff, .. } => {
                *staff = staff.held_for(left);
                *hold = (*hold).max(left);
            }
        }
    }
    workloads
}
