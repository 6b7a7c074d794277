//! Lines against a baseline, such as `p95 <= baseline +5% or 10ms`: resolved only where two runs are compared.
//!
//! Not here: how such a line is judged (`judge::blocks`).

use std::time::Duration;

use super::expansion::{Expansion, Names, step_sets};
use super::scope::scopes;
use super::{canonical, cmp, level};
use crate::plan::check::desk::Desk;
use crate::plan::diagnostic::Place;
use crate::plan::threshold::{Comparison, Ground, Lean, Margin, Subject, Threshold, Window};
use crate::spec::source::Mark;
use crate::spec::threshold::{self as written, Bound, Line, Modifier, Reference, Value};

/// What stands at the other side of a relative bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::plan::check) enum Against {
    /// Nothing: one run alone.
    Nothing,
    /// The other arm of an interleaved comparison.
    Baseline,
}

/// The lines of a scenario, by what they demand.
#[derive(Debug, Default)]
pub(in crate::plan::check) struct Lines {
    /// Against a number.
    pub(in crate::plan::check) checks: Vec<Threshold>,
    /// Against the baseline.
    pub(in crate::plan::check) comparisons: Vec<Comparison>,
}

/// What is compared when no line says it.
const USUAL: [&str; 3] = ["p50 <= baseline +10%", "p95 <= baseline +10%", "errors <= baseline +0.5pp"];

/// What a line leans on, and how far from it its bound lies; `None` for a number.
pub(super) fn slack(line: &Line) -> Option<(Ground, Margin)> {
    let Bound::Reference { to, slack, or } = line.bound else { return None };
    let (Value::Share(slack) | Value::Points(slack) | Value::Time(slack) | Value::Rate(slack) | Value::Number(slack)) =
        slack;
    let on = match to {
        Reference::Steady => Ground::Steady,
        Reference::Baseline => Ground::Baseline,
        Reference::Anchor => Ground::Anchor,
    };
    Some((on, Margin { slack, least_us: or }))
}

/// True when the line may lean on a measured value with this margin; else the desk has been told.
fn fits(desk: &mut Desk, (line, at): (&Line, Mark), (subject, margin): (Subject, Margin)) -> bool {
    let mut mistake = |message: &str, help: &str| {
        desk.error_inside("bad_check", (at, line.bound_at.clone()), message.to_owned(), help);
        false
    };
    if subject.is_clock() || subject.is_about_us() {
        let message = "only what users get is compared: a clock of a fault and the generator have no such reference";
        return mistake(message, "write a number");
    }
    if margin.least_us.is_some() && !subject.is_latency() {
        return mistake("a time after `or` widens the margin of a time only", "leave it out");
    }
    if !(margin.slack > -1.0 && margin.slack.is_finite()) {
        return mistake("a margin of -100 % and below leaves nothing to compare with", "write a smaller one");
    }
    true
}

/// True when the line may lean on the run's own steady phase; else the desk has been told.
pub(super) fn can_lean(
    desk: &mut Desk,
    (line, at): (&Line, Mark),
    (subject, margin): (Subject, Margin),
    against: Against,
) -> bool {
    let aborts = line.modifiers.iter().any(|one| matches!(one, Modifier::Abort(_)));
    let message = match against {
        Against::Baseline => "between two targets there is no steady phase: compare with baseline",
        Against::Nothing if aborts => "what steady was is known only when it is over: abort needs a number",
        Against::Nothing => return fits(desk, (line, at), (subject, margin)),
    };
    desk.error_inside("bad_check", (at, line.bound_at.clone()), message.to_owned(), "");
    false
}

/// Comparisons where they can be judged: as such between two arms, else as checks that lean on other runs.
pub(super) fn placed(found: Vec<Comparison>, on: Ground, against: Against) -> Lines {
    if against == Against::Baseline && on == Ground::Baseline {
        return Lines { checks: Vec::new(), comparisons: found };
    }
    let leaning = |one: Comparison| Threshold {
        id: one.id,
        level: one.level,
        subject: one.subject,
        scope: one.scope,
        cmp: one.cmp,
        bound: f64::NAN,
        window: Window::Whole,
        after: Duration::ZERO,
        abort: None,
        n_least: None,
        lean: Some(Lean { on, margin: one.margin }),
        place: one.place,
    };
    Lines { checks: found.into_iter().map(leaning).collect(), comparisons: Vec::new() }
}

/// One comparison for each match of the line's selectors.
pub(super) fn expand(
    desk: &mut Desk,
    names: &Names<'_>,
    (line, text, at): (&Line, &str, Mark),
    (subject, margin): (Subject, Margin),
) -> Option<Vec<Comparison>> {
    let mistake = |desk: &mut Desk, part: std::ops::Range<usize>, message: String, help: &str| {
        desk.error_inside("bad_check", (at, part), message, help);
    };
    if line.modifiers.iter().any(|one| !matches!(one, Modifier::As(_))) {
        let part = line.bound_at.end..text.len();
        let message = "a comparison is judged over its blocks and takes no window".to_owned();
        mistake(desk, part, message, "leave out all behind the margin but `as`");
        return None;
    }
    if !fits(desk, (line, at), (subject, margin)) {
        return None;
    }
    let (_, mut base) = scopes(desk, names.faults, line, at)?.into_iter().next()?;
    if base.phases.iter().any(|phase| phase != "steady") || !base.but.is_empty() {
        let part = line.subject_at.end..line.bound_at.start;
        mistake(desk, part, "a comparison is about the measured part of its slots".to_owned(), "leave the phase out");
        return None;
    }
    base.phases.clear();
    let place = desk.place(at);
    let one = |(matches, steps): Expansion| Comparison {
        id: canonical::id(line, text, &matches),
        level: level(line.level),
        subject,
        scope: names.scope(line, steps, &base),
        cmp: cmp(line.cmp),
        margin,
        place: place.clone(),
    };
    Some(step_sets(desk, names, line, at)?.into_iter().map(one).collect())
}

/// The comparisons of a scenario that names none.
pub(super) fn usual(desk: &mut Desk, names: &Names<'_>, whole: Mark) -> Vec<Comparison> {
    let mut found = Vec::new();
    for text in USUAL {
        let Ok(line) = written::parse(text) else { continue };
        let Some(lines) = super::expand(desk, names, (&line, text, whole), Against::Baseline) else { continue };
        // Nobody wrote them anywhere.
        found.extend(lines.comparisons.into_iter().map(|one| Comparison { place: Place::default(), ..one }));
    }
    found
}
