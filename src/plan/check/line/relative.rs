//! Lines against a baseline, such as `p95 <= baseline +5% or 10ms`: resolved only where two runs are compared.
//!
//! Not here: how such a line is judged (`judge::blocks`).

use super::expansion::{Expansion, Names, step_sets};
use super::{canonical, cmp, level, scope};
use crate::plan::check::desk::Desk;
use crate::plan::diagnostic::Place;
use crate::plan::threshold::{Comparison, Margin, Subject, Threshold};
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

/// The margin of a line that leans on a baseline which is there.
pub(super) fn slack(line: &Line, against: Against) -> Option<Margin> {
    match (line.bound, against) {
        (
            Bound::Reference {
                to: Reference::Baseline,
                slack:
                    Value::Share(slack)
                    | Value::Points(slack)
                    | Value::Time(slack)
                    | Value::Rate(slack)
                    | Value::Number(slack),
                or,
            },
            Against::Baseline,
        ) => Some(Margin { slack, least_us: or }),
        _ => None,
    }
}

/// One comparison for each match of the line's selectors.
pub(super) fn expand(
    desk: &mut Desk,
    names: &Names<'_>,
    (line, text, at): (&Line, &str, Mark),
    (subject, margin): (Subject, Margin),
) -> Option<Lines> {
    let mistake = |desk: &mut Desk, part: std::ops::Range<usize>, message: String, help: &str| {
        desk.error_inside("bad_check", (at, part), message, help);
    };
    if line.modifiers.iter().any(|one| !matches!(one, Modifier::As(_))) {
        let part = line.bound_at.end..text.len();
        let message = "a comparison is judged over its blocks and takes no window".to_owned();
        mistake(desk, part, message, "leave out all behind the margin but `as`");
        return None;
    }
    if margin.least_us.is_some() && !subject.is_latency() {
        let message = "a time after `or` widens the margin of a time only".to_owned();
        mistake(desk, line.bound_at.clone(), message, "leave it out");
        return None;
    }
    if !(margin.slack > -1.0 && margin.slack.is_finite()) {
        let message = "a margin of -100 % and below leaves nothing to compare with".to_owned();
        mistake(desk, line.bound_at.clone(), message, "write a smaller one");
        return None;
    }
    let mut base = scope(desk, line, at)?;
    if base.phases.iter().any(|phase| phase != "steady") {
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
    let comparisons = step_sets(desk, names, line, at)?.into_iter().map(one).collect();
    Some(Lines { checks: Vec::new(), comparisons })
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
