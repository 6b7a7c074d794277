//! Journeys: their steps in order, and which variables are set when.

use std::time::Duration;

use super::answer;
use super::desk::Desk;
use super::tables::{Known, Tables};
use super::think::think;
use super::{misbehave, step, turns, vars};
use crate::plan::program::{Journey, OnFailure, Op, Owner};
use crate::plan::template::Escape;
use crate::spec::names::Named;
use crate::spec::scenario::{Journey as Written, OnFailure as WrittenOnFailure, Owner as WrittenOwner};
use crate::spec::source::{Mark, Spanned};
use crate::spec::step::{Steps, WrittenStep};

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
                owner: None,
                misbehave: Vec::new(),
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
    let owner = desk.open_if(written.owner.as_ref()).and_then(|owner| self::owner(desk, tables, known, owner));
    let misbehave = written.misbehave.as_ref().map(|list| misbehave::shares(desk, list)).unwrap_or_default();
    let mut walk = Walk { paths, on_failure, was_sent: false, is_unclear: false };
    let found = steps(desk, tables, known, (&mut walk, &written.steps));
    if written.steps.value.as_ref().is_ok_and(Vec::is_empty) {
        let help = "add a step or remove the journey";
        desk.error("empty_journey", written.steps.mark, format!("journey `{name}` has no steps"), help);
    } else if !walk.was_sent && written.steps.value.is_ok() {
        let message = format!("journey `{name}` sends no request, so its users would go round for ever");
        desk.error("endless", at, message, "add an Http step");
    }
    Journey { name: name.to_owned(), steps: found, think, on_failure, owner, misbehave }
}

fn owner(desk: &mut Desk, tables: &mut Tables, known: &Known, written: &WrittenOwner) -> Option<Owner> {
    let tag = tables.template(desk, known, &written.tag, Escape::Plain);
    let pattern = answer::pattern(desk, &written.pattern)?;
    Some(Owner { tag: tag?, pattern })
}

/// A journey while its steps are checked.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    pub(super) paths: &'a Paths<'a>,
    pub(super) on_failure: OnFailure,
    /// A request came before.
    pub(super) was_sent: bool,
    /// Which answer is the last one depends on the way that was gone.
    pub(super) is_unclear: bool,
}

/// Steps in order.
pub(super) fn steps(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &mut Known,
    (walk, written): (&mut Walk<'_>, &Steps),
) -> Vec<Op> {
    let mut found = Vec::new();
    for spanned in desk.open(written).map_or(&[][..], Vec::as_slice) {
        let Some(step) = desk.open(spanned) else {
            walk.was_sent = true;
            known.has_gaps = true;
            tables.has_gaps = true;
            continue;
        };
        let reads_answer = matches!(step, WrittenStep::Extract(_) | WrittenStep::Check(_));
        if reads_answer && !walk.was_sent {
            desk.error(
                "empty_journey",
                spanned.mark,
                "there is no answer yet to look at",
                "put it behind an Http step",
            );
        }
        if reads_answer && walk.is_unclear {
            let help = "put it into the branch, repetition or request itself";
            desk.error("unclear_answer", spanned.mark, "which answer is looked at depends on the way before", help);
        }
        found.extend(self::step(desk, tables, known, (walk, step, spanned.mark)));
    }
    found
}

fn step(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &mut Known,
    (walk, step, at): (&mut Walk<'_>, &WrittenStep, Mark),
) -> Option<Op> {
    match step {
        WrittenStep::Http(http) => {
            (walk.was_sent, walk.is_unclear) = (true, false);
            let http = step::http(desk, tables, known, (walk.paths, http, walk.on_failure));
            http.map(|http| Op::Http(Box::new(http)))
        }
        WrittenStep::Pause(pause) => Some(Op::Pause(think(desk, Some(pause)))),
        WrittenStep::Extract(named) => {
            Some(Op::Extract(answer::extractions(desk, tables, known, (named, walk.on_failure))))
        }
        WrittenStep::Check(checks) => Some(Op::Check(answer::checks(desk, tables, known, checks))),
        WrittenStep::Set(named) => Some(Op::Set(vars::drawn(desk, tables, known, named))),
        WrittenStep::Branch(branch) => turns::branch(desk, tables, known, (walk, branch)),
        WrittenStep::Repeat(repeat) => turns::repeat(desk, tables, known, (walk, repeat, at)),
        WrittenStep::Group(group) => turns::group(desk, tables, known, (walk, group)),
        WrittenStep::Audit(_) => {
            let help = "a book is read back in `teardown`";
            desk.error("misplaced", at, "an Audit is no step of a journey", help);
            None
        }
    }
}
