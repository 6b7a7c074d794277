//! Workloads: the curve, the mix, and how many may be under way.

use std::time::Duration;

use super::desk::Desk;
use super::think::think;
use crate::base::duration::show;
use crate::plan::curve::{Curve, Ramp};
use crate::plan::deck::{CARDS_MOST, Deck};
use crate::plan::load::{Pattern, Spacing, Workload};
use crate::plan::program::Journey;
use crate::spec::names::Named;
use crate::spec::scenario::{Closed, Open, Piece, Spacing as WrittenSpacing, Start, UserPiece, Workload as Written};
use crate::spec::source::{Mark, Spanned};

/// The workloads of a scenario.
pub(super) fn workloads(
    desk: &mut Desk,
    journeys: &[Journey],
    total: Duration,
    written: &Spanned<Vec<Spanned<Written>>>,
) -> Vec<Workload> {
    let Some(list) = desk.open(written) else { return Vec::new() };
    if list.is_empty() {
        desk.error("empty_scenario", written.mark, "there is no workload", "add a workload, such as `Open(…)`");
    }
    let mut found: Vec<(Workload, Mark)> = Vec::new();
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
        let workload = match one {
            Written::Open(open) => self::open(desk, (name, journeys), total, (open, spanned.mark)),
            Written::Closed(closed) => self::closed(desk, (name, journeys), total, (closed, spanned.mark)),
        };
        found.extend(workload.map(|workload| (workload, at)));
    }
    found.into_iter().map(|(workload, _)| workload).collect()
}

fn open(
    desk: &mut Desk,
    (name, journeys): (String, &[Journey]),
    total: Duration,
    (written, at): (&Open, Mark),
) -> Option<Workload> {
    let mix = mix(desk, &name, journeys, (written.mix.as_ref(), at));
    let start = start(desk, written.start.as_ref());
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
    let curve = curve(desk, &written.rate)?;
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
        pattern: Pattern::Open { curve, spacing, arrivals, max_in_flight },
        mix: mix?,
        start,
        warmup,
        drain,
    })
}

/// Ten seconds' worth of arrivals, within 100 and 50 000.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
pub(crate) fn in_flight(peak: f64) -> u64 {
    (peak * 10.0).ceil().clamp(100.0, 50_000.0) as u64
}

fn closed(
    desk: &mut Desk,
    (name, journeys): (String, &[Journey]),
    total: Duration,
    (written, at): (&Closed, Mark),
) -> Option<Workload> {
    let mix = mix(desk, &name, journeys, (written.mix.as_ref(), at));
    let start = start(desk, written.start.as_ref());
    let warmup = desk.duration_or(written.warmup.as_ref(), Duration::ZERO);
    let drain = desk.duration_or(written.drain.as_ref(), total);
    let think = think(desk, written.think.as_ref());
    let list = desk.open(&written.users)?;
    let pieces: Vec<_> = list.iter().filter_map(|piece| desk.open(piece).map(|open| (open, piece.mark))).collect();
    if list.is_empty() {
        desk.error("zero_rate", written.users.mark, "never sends anything", "add `Hold(users: 1, for: \"30s\")`");
    }
    if let Some((_, second)) = pieces.get(1) {
        desk.not_built("a second piece of users", *second);
    }
    let (UserPiece::Hold { users, r#for }, _) = pieces.first()?;
    let (count, hold) = (desk.open(users).copied(), desk.duration(r#for));
    let (count, hold) = (count?, hold?);
    if count == 0 || hold.is_zero() {
        desk.error(
            "zero_rate",
            written.users.mark,
            "never sends anything",
            "write at least one user, for longer than 0s",
        );
    }
    within(desk, written.warmup.as_ref(), warmup, hold);
    let users = u32::try_from(count).ok().filter(|users| *users <= 1_000_000).unwrap_or_else(|| {
        desk.error("bad_number", users.mark, format!("{count} users"), "write at most 1000000");
        1
    });
    Some(Workload { name, pattern: Pattern::Closed { users, hold, think }, mix: mix?, start, warmup, drain })
}

fn start(desk: &mut Desk, written: Option<&Spanned<Start>>) -> Duration {
    match desk.open_if(written) {
        Some(Start::At(at)) => desk.duration(at).unwrap_or_default(),
        None => Duration::ZERO,
    }
}

fn within(desk: &mut Desk, written: Option<&Spanned<String>>, warmup: Duration, length: Duration) {
    if let Some(spanned) = written.filter(|_| warmup >= length) {
        let message = format!("a warm-up of {} leaves nothing of {}", show(warmup), show(length));
        desk.error("shares", spanned.mark, message, "make it shorter than the workload");
    }
}

fn curve(desk: &mut Desk, written: &Spanned<Vec<Spanned<Piece>>>) -> Option<Curve> {
    let list = desk.open(written)?;
    let mut ramps = Vec::new();
    let mut is_whole = true;
    let mut before = 0.0;
    for spanned in list {
        let ramp = desk.open(spanned).and_then(|piece| ramp(desk, piece, before));
        match ramp {
            Some(ramp) => {
                before = ramp.to;
                ramps.push(ramp);
            }
            None => is_whole = false,
        }
    }
    is_whole.then(|| Curve::new(ramps))
}

fn ramp(desk: &mut Desk, piece: &Piece, before: f64) -> Option<Ramp> {
    match piece {
        Piece::Hold { rate, r#for } => {
            let (rate, over) = (desk.rate(rate), desk.duration(r#for));
            let rate = rate?;
            Some(Ramp { from: rate, to: rate, over: over? })
        }
        Piece::Ramp { from, to, over } => {
            let from = from.as_ref().map_or(Some(before), |from| desk.rate(from));
            let (to, over) = (desk.rate(to), desk.duration(over));
            Some(Ramp { from: from?, to: to?, over: over? })
        }
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
            Pattern::Closed { hold, .. } => *hold = (*hold).max(left),
        }
    }
    workloads
}
