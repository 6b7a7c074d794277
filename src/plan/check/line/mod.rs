//! The scenario's `checks`: every line read, its names resolved, its globs expanded to one check per match.

mod canonical;
mod expansion;
mod relative;

use std::time::Duration;

use super::desk::{Desk, suggest};
use super::tables::Tables;
use crate::measure::sample::StepId;
use crate::plan::diagnostic::Place;
use crate::plan::program::{self, Journey};
use crate::plan::threshold::{Aspect, ClockKind, Cmp, Level, Outcomes, Scope, Subject, Threshold, Window};
use crate::spec::source::{Mark, Spanned};
use crate::spec::threshold::{self as written, Bound, Key, Line, Modifier, Value};
use canonical::{id, selector_text};
use expansion::{Names, is_glob, step_sets};
pub(super) use relative::{Against, Lines};

/// More expanded checks than this are a mistake: somebody selects by something that is not a kind of step.
const EXPANDED_MOST: usize = 200;
const PHASES: [&str; 3] = ["steady", "warmup", "drain"];

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
        scope: Scope { phases: PHASES.map(str::to_owned).to_vec(), ..Scope::default() },
        cmp: Cmp::More,
        bound: 0.0,
        window: Window::Whole,
        after: Duration::ZERO,
        abort: None,
        n_least: None,
        place: Place::default(),
    }
}

fn expand(
    desk: &mut Desk,
    names: &Names<'_>,
    (line, text, at): (&Line, &str, Mark),
    against: Against,
) -> Option<Lines> {
    let unbuilt = |desk: &mut Desk, word: &str, part: std::ops::Range<usize>| {
        desk.error_inside(
            "not_built",
            (at, part),
            format!("`{word}` is known but not built yet"),
            "leave it out for now",
        );
    };
    if let (Some(subject), Some(slack)) = (subject(line), relative::slack(line, against)) {
        return relative::expand(desk, names, (line, text, at), (subject, slack));
    }
    let (subject, bound) = match (subject(line), bound(line)) {
        (Some(subject), Some(bound)) => (subject, bound),
        (subject, bound) => {
            if subject.is_none() {
                let word = text.get(line.subject_at.clone()).unwrap_or_default();
                unbuilt(desk, word, line.subject_at.clone());
            }
            if let (None, Bound::Reference { to, .. }) = (bound, line.bound) {
                unbuilt(desk, to.name(), line.bound_at.clone());
            }
            return None;
        }
    };
    let base = scope(desk, line, at)?;
    let sets = step_sets(desk, names, line, at)?;
    let place = desk.place(at);
    let mut found = Vec::new();
    for (matches, steps) in sets {
        let mut check = Threshold {
            id: id(line, text, &matches),
            level: level(line.level),
            subject,
            scope: names.scope(line, steps, &base),
            cmp: cmp(line.cmp),
            bound,
            window: Window::Whole,
            after: Duration::ZERO,
            abort: None,
            n_least: None,
            place: place.clone(),
        };
        modify(&mut check, &line.modifiers);
        found.push(check);
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

/// The subject; `None` for those nobody measures yet.
fn subject(line: &Line) -> Option<Subject> {
    Some(match line.subject {
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
        written::Subject::Apdex(_)
        | written::Subject::Recovery
        | written::Subject::Unavailable
        | written::Subject::GeneratorCpu => return None,
    })
}

fn bound(line: &Line) -> Option<f64> {
    match line.bound {
        Bound::Value(
            Value::Time(value) | Value::Share(value) | Value::Points(value) | Value::Rate(value) | Value::Number(value),
        ) => Some(value),
        Bound::Reference { .. } => None,
    }
}

/// The parts of a scope that are not expanded: phases, outcome, clock.
fn scope(desk: &mut Desk, line: &Line, at: Mark) -> Option<Scope> {
    let mut scope = Scope::default();
    let mut is_whole = true;
    for one in &line.scope {
        let part = (at, one.at.clone());
        match one.key {
            Key::Step | Key::Journey => {}
            Key::Outcome => {
                scope.outcome = match one.glob.as_str() {
                    "ok" => Outcomes::Ok,
                    "failed" => Outcomes::Failed,
                    _ => Outcomes::Any,
                }
            }
            Key::Clock if one.glob == "service" => scope.clock = ClockKind::Service,
            Key::Clock => scope.clock = ClockKind::Response,
            Key::Phase if !one.is_negated && PHASES.contains(&one.glob.as_str()) => scope.phases.push(one.glob.clone()),
            Key::Phase if !one.is_negated && !is_glob(&one.glob) && !is_fault_phase(&one.glob) => {
                is_whole = false;
                let help = suggest(&one.glob, &PHASES);
                desk.error_inside("bad_check", part, format!("no phase matches {}", one.glob), help);
            }
            Key::Label if !one.is_negated && scope.aspect == Aspect::Requests => {
                scope.aspect = Aspect::Label(one.glob.clone());
            }
            Key::Phase | Key::Label | Key::Fault | Key::Status => {
                is_whole = false;
                let word = selector_text(one, &one.glob);
                let message = format!("`{word}` is known but not built yet");
                desk.error_inside("not_built", part, message, "leave it out for now");
            }
        }
    }
    is_whole.then_some(scope)
}

fn is_fault_phase(phase: &str) -> bool {
    phase.starts_with("fault:") || phase.starts_with("recovery:")
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
