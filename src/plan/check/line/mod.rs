//! The scenario's `checks`: every line read, its names resolved, its globs expanded to one check per match.

mod canonical;
mod expansion;
mod relative;
mod scope;

use std::time::Duration;

use super::desk::Desk;
use super::tables::Tables;
use crate::measure::sample::StepId;
use crate::plan::diagnostic::Place;
use crate::plan::program::{self, Journey};
use crate::plan::threshold::{Cmp, EVERY_PHASE, Ground, Lean, Level, Scope, Subject, Threshold, Window};
use crate::spec::source::{Mark, Spanned};
use crate::spec::threshold::{self as written, Bound, Line, Modifier, Value};
use canonical::id;
use expansion::{Names, step_sets};
pub(super) use relative::{Against, Lines};

/// More expanded checks than this are a mistake: somebody selects by something that is not a kind of step.
const EXPANDED_MOST: usize = 200;

/// The checks of a scenario, and the one that is always there; lines against a baseline only where there is one.
pub(super) fn lines(
    desk: &mut Desk,
    (tables, journeys): (&Tables, &[Journey]),
    written: Option<&Spanned<Vec<Spanned<String>>>>,
    (against, whole): (Against, Mark),
) -> Lines {
    let names = Names {
        steps: tables.steps.iter().map(|(name, _)| name.as_str()).collect(),
        journeys: journeys.iter().map(|one| (one.name.as_str(), steps_of(one))).collect(),
        groups: groups(journeys),
        has_gaps: tables.has_gaps,
        faults: &tables.faults,
    };
    let mut lines = Lines { checks: vec![answered()], comparisons: Vec::new() };
    let mut seen: Vec<(String, Mark)> = Vec::new();
    for spanned in desk.open_if(written).map_or(&[][..], Vec::as_slice) {
        let Some(text) = desk.text(spanned) else { continue };
        match written::parse(text) {
            Err(refusal) => desk.error_inside("bad_check", (spanned.mark, refusal.at), refusal.message, ""),
            Ok(line) => {
                let found = expand(desk, &names, (&line, text, spanned.mark), against).unwrap_or_default();
                let ids = found.checks.iter().map(|one| &one.id).chain(found.comparisons.iter().map(|one| &one.id));
                for named in ids {
                    if let Some((id, first)) = seen.iter().find(|(id, _)| id == named) {
                        let (message, first) = (format!("two checks are named {id}"), desk.line(*first));
                        desk.error("duplicate_name", spanned.mark, message, format!("the first is at line {first}"));
                        break;
                    }
                    seen.push((named.clone(), spanned.mark));
                }
                lines.checks.extend(found.checks);
                lines.comparisons.extend(found.comparisons);
            }
        }
    }
    let count = lines.checks.len() + lines.comparisons.len();
    if let Some(at) = written.filter(|_| count > EXPANDED_MOST) {
        let message = format!("these lines expand to {count} checks");
        desk.error(
            "bad_check",
            at.mark,
            message,
            format!("at most {EXPANDED_MOST} are judged: pool with != or no selector"),
        );
    }
    if against == Against::Baseline && lines.comparisons.is_empty() {
        lines.comparisons = relative::usual(desk, &names, whole);
    }
    lines
}

/// The names of all groups of requests.
fn groups(journeys: &[Journey]) -> Vec<&str> {
    let mut found = Vec::new();
    for journey in journeys {
        program::groups(&journey.steps, &mut |group| {
            if !found.contains(&group) {
                found.push(group);
            }
        });
    }
    found
}

fn steps_of(journey: &Journey) -> Vec<StepId> {
    let mut found = Vec::new();
    program::requests(&journey.steps, 1.0, &mut |http, _| found.push(http.step));
    found
}

/// A dead target fails the run with or without checks.
fn answered() -> Threshold {
    Threshold {
        id: "squall.answered".to_owned(),
        level: Level::Hard,
        subject: Subject::Goodput,
        scope: Scope { phases: vec![EVERY_PHASE.to_owned()], ..Scope::default() },
        cmp: Cmp::More,
        bound: 0.0,
        window: Window::Whole,
        after: Duration::ZERO,
        abort: None,
        n_least: None,
        lean: None,
        place: Place::default(),
    }
}

fn expand(
    desk: &mut Desk,
    names: &Names<'_>,
    (line, text, at): (&Line, &str, Mark),
    against: Against,
) -> Option<Lines> {
    let subject = subject(line);
    if !scope::fits(desk, (line, text, at), subject) {
        return None;
    }
    if let Some((to, margin)) = relative::slack(line) {
        return match to {
            Ground::Steady => {
                relative::can_lean(desk, (line, at), (subject, margin), against).then_some(())?;
                absolute(desk, names, (line, text, at), (subject, Some(Lean { on: to, margin })))
            }
            _ => relative::expand(desk, names, (line, text, at), (subject, margin))
                .map(|found| relative::placed(found, to, against)),
        };
    }
    absolute(desk, names, (line, text, at), (subject, None))
}

/// One check for each match of the line's selectors.
fn absolute(
    desk: &mut Desk,
    names: &Names<'_>,
    (line, text, at): (&Line, &str, Mark),
    (subject, lean): (Subject, Option<Lean>),
) -> Option<Lines> {
    let scopes = scope::scopes(desk, names.faults, line, at)?;
    let sets = step_sets(desk, names, line, at)?;
    let place = desk.place(at);
    let mut found = Vec::new();
    for (phases, base) in &scopes {
        for (matches, steps) in &sets {
            let mut check = Threshold {
                id: id(line, text, &canonical::joined(matches, phases)),
                level: level(line.level),
                subject,
                scope: names.scope(line, steps.clone(), base),
                cmp: cmp(line.cmp),
                bound: bound(line),
                window: Window::Whole,
                after: Duration::ZERO,
                abort: None,
                n_least: None,
                lean,
                place: place.clone(),
            };
            modify(&mut check, &line.modifiers);
            found.push(check);
        }
    }
    Some(Lines { checks: found, comparisons: Vec::new() })
}

fn level(level: written::Level) -> Level {
    match level {
        written::Level::Hard => Level::Hard,
        written::Level::Must => Level::Must,
        written::Level::Should => Level::Should,
        written::Level::Info => Level::Info,
    }
}

fn cmp(cmp: written::Cmp) -> Cmp {
    match cmp {
        written::Cmp::Less => Cmp::Less,
        written::Cmp::AtMost => Cmp::AtMost,
        written::Cmp::More => Cmp::More,
        written::Cmp::AtLeast => Cmp::AtLeast,
    }
}

fn micros(time: f64) -> Duration {
    // A year is as good as for ever, and can be added up without care.
    Duration::from_secs_f64((time / 1e6).min(365.0 * 86_400.0))
}

fn subject(line: &Line) -> Subject {
    match line.subject {
        written::Subject::Quantile(q) => Subject::Quantile(q),
        written::Subject::Mean => Subject::Mean,
        written::Subject::Max => Subject::Max,
        written::Subject::Min => Subject::Min,
        written::Subject::Errors => Subject::Errors,
        written::Subject::Timeouts => Subject::Timeouts,
        written::Subject::Shed => Subject::Shed,
        written::Subject::Slow(time) => Subject::Slow(micros(time)),
        written::Subject::Offered => Subject::Offered,
        written::Subject::Achieved if matches!(line.bound, Bound::Value(Value::Share(_))) => Subject::AchievedShare,
        written::Subject::Achieved => Subject::Achieved,
        written::Subject::Goodput => Subject::Goodput,
        written::Subject::Requests => Subject::Requests,
        written::Subject::Lateness(q) => Subject::Lateness(q),
        written::Subject::Apdex(time) => Subject::Apdex(micros(time)),
        written::Subject::Recovery => Subject::Recovery,
        written::Subject::Unavailable => Subject::Unavailable,
        written::Subject::GeneratorCpu => Subject::GeneratorCpu,
    }
}

/// The number of a bound; none of a bound that leans on a measured value.
fn bound(line: &Line) -> f64 {
    match line.bound {
        Bound::Value(
            Value::Time(value) | Value::Share(value) | Value::Points(value) | Value::Rate(value) | Value::Number(value),
        ) => value,
        Bound::Reference { .. } => f64::NAN,
    }
}

fn modify(check: &mut Threshold, modifiers: &[Modifier]) {
    for modifier in modifiers {
        match modifier {
            Modifier::For(time) => check.window = Window::For(micros(*time)),
            Modifier::Over(time) => check.window = Window::Over(micros(*time)),
            Modifier::In(share, time) => check.window = Window::In(*share, micros(*time)),
            Modifier::After(time) => check.after = micros(*time),
            Modifier::Abort(times) => check.abort = Some(*times),
            Modifier::AtLeast(n) => check.n_least = Some(*n),
            Modifier::As(_) => {}
        }
    }
}
