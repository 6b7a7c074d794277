//! Variables that are drawn at the start of every journey.

use super::desk::Desk;
use super::tables::{Known, Set, Tables};
use crate::plan::program::{Draw, Drawn, Stamp};
use crate::plan::template::Escape;
use crate::spec::names::Named;
use crate::spec::scenario::{Stamp as WrittenStamp, Var};
use crate::spec::source::{Mark, Spanned};

/// The draws, in the order they are written: a `Text` may use what stands before it.
pub(super) fn vars(desk: &mut Desk, tables: &mut Tables, written: Option<&Spanned<Named<Var>>>) -> Vec<Drawn> {
    let Some(named) = desk.open_if(written) else { return Vec::new() };
    let mut known = Known { setter: "no variable before it".to_owned(), ..Known::default() };
    drawn(desk, tables, &mut known, named)
}

/// The draws of a map of variables; from here on they are set.
pub(super) fn drawn(desk: &mut Desk, tables: &mut Tables, known: &mut Known, named: &Named<Var>) -> Vec<Drawn> {
    let mut draws = Vec::new();
    for (name, at, var) in desk.entries(named, "variables") {
        let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if !is_name || !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            desk.error("bad_name", at, format!("`{name}` cannot be written as `${{{name}}}`"), "use a-z 0-9 _ -");
        }
        let draw = desk.open(var).and_then(|kind| draw(desk, (tables, known), kind, var.mark));
        // A variable with a mistake is known all the same, so that its uses are not reported too.
        let samples = draw.as_ref().map_or_else(Vec::new, |draw| samples(tables, draw));
        let variable = tables.variable(name, at, samples);
        known.set.insert(variable, Set::Surely);
        draws.push(Drawn { name: name.to_owned(), into: variable, draw: draw.unwrap_or(Draw::Uuid) });
    }
    draws
}

fn draw(desk: &mut Desk, (tables, known): (&mut Tables, &Known), kind: &Var, at: Mark) -> Option<Draw> {
    match kind {
        Var::Text(text) => tables.template(desk, known, text, Escape::Plain).map(Draw::Text),
        Var::Uuid => Some(Draw::Uuid),
        Var::Hex(digits) => {
            let count = *desk.open(digits)?;
            let fits = u16::try_from(count).ok().filter(|n| (1..=1024).contains(n));
            if fits.is_none() {
                desk.error("bad_number", digits.mark, format!("{count} digits"), "write 1 to 1024");
            }
            fits.map(Draw::Hex)
        }
        Var::Int(low, high) => {
            let (first, last) = (desk.open(low).copied(), desk.open(high).copied());
            let (first, last) = (first?, last?);
            if first > last {
                desk.error("shares", at, format!("{first} is above {last}"), "write the smaller number first");
            }
            Some(Draw::Int(first, last))
        }
        Var::Choice(options) => choice(desk, (tables, known), options, at),
        Var::Counter { start, step } => {
            let start = desk.open_if(start.as_ref()).copied().unwrap_or(0);
            let step = desk.open_if(step.as_ref()).copied().unwrap_or(1);
            Some(Draw::Counter { start, step })
        }
        Var::Zipf { items, s, from } => {
            let (count, exponent) = (desk.open(items).copied(), desk.open(s).copied());
            let from = desk.open_if(from.as_ref()).copied().unwrap_or(1);
            let (count, exponent) = (count?, exponent?);
            if count == 0 || !(exponent.is_finite() && exponent > 0.0 && exponent <= 20.0) {
                let help = "write at least one item, and an exponent above 0, at most 20";
                desk.error("bad_number", at, format!("{count} items with exponent {exponent}"), help);
                return None;
            }
            Some(Draw::Zipf { items: count, s: exponent, from })
        }
        Var::Timestamp(stamp) => Some(Draw::Timestamp(match desk.open(stamp)? {
            WrittenStamp::Rfc3339 => Stamp::Rfc3339,
            WrittenStamp::UnixSeconds => Stamp::UnixSeconds,
            WrittenStamp::UnixMillis => Stamp::UnixMillis,
        })),
    }
}

fn choice(
    desk: &mut Desk,
    (tables, known): (&mut Tables, &Known),
    options: &[Spanned<(Spanned<String>, Spanned<u64>)>],
    at: Mark,
) -> Option<Draw> {
    let mut all = Vec::new();
    for option in options {
        let Some((text, weight)) = desk.open(option) else { continue };
        let (value, weight) = (tables.template(desk, known, text, Escape::Plain), desk.open(weight));
        all.extend(value.zip(weight).map(|(value, weight)| (value, *weight)));
    }
    if all.iter().try_fold(0_u64, |sum, (_, weight)| sum.checked_add(*weight)).is_none_or(|sum| sum == 0) {
        desk.error(
            "bad_number",
            at,
            "the weights add up to nothing that can be drawn from",
            "give one a weight above 0",
        );
        return None;
    }
    Some(Draw::Choice(all))
}

/// Values the variable may take, to try a body with.
fn samples(tables: &Tables, draw: &Draw) -> Vec<String> {
    match draw {
        Draw::Text(template) => (0..tables.rounds()).map(|n| tables.sample(template, n)).collect(),
        Draw::Uuid => vec!["00000000-0000-4000-8000-00000000000a".to_owned()],
        Draw::Hex(digits) => vec!["a".repeat(usize::from(*digits))],
        Draw::Int(low, high) => vec![low.to_string(), high.to_string()],
        Draw::Choice(options) => {
            options.iter().flat_map(|(text, _)| (0..tables.rounds()).map(|n| tables.sample(text, n))).collect()
        }
        Draw::Counter { start, .. } => vec![start.to_string()],
        Draw::Zipf { from, .. } => vec![from.to_string()],
        Draw::Timestamp(Stamp::Rfc3339) => vec!["2026-11-20T15:04:05.123Z".to_owned()],
        Draw::Timestamp(_) => vec!["1".to_owned()],
        Draw::Basic(_) => vec!["x".to_owned()],
    }
}
