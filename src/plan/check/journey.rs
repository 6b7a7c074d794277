//! Journeys: their steps in order, and which variables are set when.

use std::time::Duration;

use super::answer;
use super::desk::Desk;
use super::step;
use super::tables::{Known, Tables};
use super::think::think;
use crate::plan::program::{Journey, OnFailure, Op};
use crate::spec::names::Named;
use crate::spec::scenario::{Journey as Written, OnFailure as WrittenOnFailure};
use crate::spec::source::{Mark, Spanned};
use crate::spec::step::WrittenStep;

/// What a step needs to know of the rest of the scenario.
#[derive(Debug)]
pub(super) struct Paths<'a> {
    /// Names of further hosts, with the index of their origin.
    pub(super) hosts: &'a [(String, usize)],
    /// Longest time of a whole request.
    pub(super) total: Duration,
}

pub(super) fn journeys(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &Known,
    (paths, written): (&Paths<'_>, &Spanned<Named<Written>>),
) -> Vec<Journey> {
    let Some(named) = desk.open(written) else { return Vec::new() };
    if named.0.is_empty() {
        desk.error("empty_scenario", written.mark, "there is no journey", "add a journey with a step");
    }
    let mut found = Vec::new();
    for (name, at, spanned) in desk.entries(named, "journeys") {
        let mut known = known.clone();
        known.setter = format!("no earlier step of journey `{name}`");
        let Some(journey) = desk.open(spanned) else {
            // Known by name all the same, so that the mixes that name it are not reported too.
            tables.has_gaps = true;
            found.push(Journey {
                name: name.to_owned(),
                steps: Vec::new(),
                think: think(desk, None),
                on_failure: OnFailure::default(),
            });
            continue;
        };
        found.push(self::journey(desk, tables, &mut known, (paths, journey, name, at)));
    }
    found
}

fn journey(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &mut Known,
    (paths, written, name, at): (&Paths<'_>, &Written, &str, Mark),
) -> Journey {
    let on_failure = match desk.open_if(written.on_failure.as_ref()) {
        Some(WrittenOnFailure::Continue) => OnFailure::Continue,
        Some(WrittenOnFailure::EndJourney) | None => OnFailure::EndJourney,
    };
    let think = think(desk, written.think.as_ref());
    let mut steps = Vec::new();
    let mut was_sent = false;
    let list = desk.open(&written.steps);
    for spanned in list.map_or(&[][..], Vec::as_slice) {
        let Some(step) = desk.open(spanned) else {
            was_sent = true;
            known.has_gaps = true;
            tables.has_gaps = true;
            continue;
        };
        let op = match step {
            WrittenStep::Http(http) => {
                step::http(desk, tables, known, (paths, http, on_failure)).map(|http| Op::Http(Box::new(http)))
            }
            WrittenStep::Pause(pause) => Some(Op::Pause(super::think::think(desk, Some(pause)))),
            WrittenStep::Extract(named) => {
                Some(Op::Extract(answer::extractions(desk, tables, known, (named, on_failure))))
            }
            WrittenStep::Check(checks) => Some(Op::Check(answer::checks(desk, tables, checks))),
        };
        let reads_answer = matches!(step, WrittenStep::Extract(_) | WrittenStep::Check(_));
        if reads_answer && !was_sent {
            desk.error(
                "empty_journey",
                spanned.mark,
                "there is no answer yet to look at",
                "put it behind an Http step",
            );
        }
        was_sent |= matches!(step, WrittenStep::Http(_));
        steps.extend(op);
    }
    if list.is_some_and(Vec::is_empty) {
        let help = "add a step or remove the journey";
        desk.error("empty_journey", written.steps.mark, format!("journey `{name}` has no steps"), help);
    } else if !was_sent && list.is_some() {
        let message = format!("journey `{name}` sends no request, so its users would go round for ever");
        desk.error("endless", at, message, "add an Http step");
    }
    Journey { name: name.to_owned(), steps, think, on_failure }
}
