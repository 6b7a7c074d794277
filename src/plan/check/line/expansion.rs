//! Selectors of steps and journeys: one check for each match of a glob, `!=` pools what is left.

use crate::base::name::nearest;
use crate::measure::sample::StepId;
use crate::plan::check::desk::Desk;
use crate::spec::source::Mark;
use crate::spec::threshold::{Key, Line, Selector};

/// What a selector or a glob may match.
pub(super) struct Names<'a> {
    pub(super) steps: Vec<&'a str>,
    pub(super) journeys: Vec<(&'a str, Vec<StepId>)>,
    /// Some step could not be read: names that are missing may be its own.
    pub(super) has_gaps: bool,
    /// Names of what is injected.
    pub(super) faults: &'a [String],
}

/// What each selector matched, in the order of the selectors, and the steps that are meant; no steps: all.
pub(super) type Expansion = (Vec<Option<String>>, Vec<StepId>);

pub(super) fn step_sets(desk: &mut Desk, names: &Names<'_>, line: &Line, at: Mark) -> Option<Vec<Expansion>> {
    let all: Vec<StepId> = (0..names.steps.len()).filter_map(|n| u16::try_from(n).ok().map(StepId)).collect();
    let mut sets: Vec<Expansion> = vec![(Vec::new(), all.clone())];
    let mut narrows = false;
    for one in &line.scope {
        let candidates: Vec<(&str, Vec<StepId>)> = match one.key {
            Key::Step => names.steps.iter().zip(&all).map(|(name, id)| (*name, vec![*id])).collect(),
            Key::Journey => names.journeys.clone(),
            _ => {
                for (matched, _) in &mut sets {
                    matched.push(None);
                }
                continue;
            }
        };
        narrows = true;
        let hits: Vec<_> = candidates.iter().filter(|(name, _)| matches(&one.glob, name)).collect();
        if hits.is_empty() && names.has_gaps {
            return None;
        }
        if hits.is_empty() {
            let what = if one.key == Key::Step { "step" } else { "journey" };
            let near = nearest(&one.glob, candidates.iter().map(|(name, _)| *name));
            let near = near.map(|near| format!(": did you mean {near}?")).unwrap_or_default();
            let message = format!("no {what} matches {}{near}", one.glob);
            desk.error_inside("bad_check", (at, one.at.clone()), message, "");
            return None;
        }
        sets = sets.into_iter().flat_map(|set| narrowed(set, one, &hits)).collect();
    }
    sets.retain(|(_, steps)| !steps.is_empty());
    if sets.is_empty() && names.has_gaps {
        return None;
    }
    if sets.is_empty() {
        desk.error("bad_check", at, "no step matches all of these selectors", "");
        return None;
    }
    if !narrows {
        for (_, steps) in &mut sets {
            steps.clear();
        }
    }
    Some(sets)
}

/// `!=` pools what is left; `=` gives one set for each match.
fn narrowed((matched, steps): Expansion, one: &Selector, hits: &[&(&str, Vec<StepId>)]) -> Vec<Expansion> {
    let with = |name: Option<String>| matched.iter().cloned().chain([name]).collect();
    if one.is_negated {
        let left = steps.iter().filter(|step| !hits.iter().any(|(_, ids)| ids.contains(step))).copied().collect();
        return vec![(with(None), left)];
    }
    hits.iter()
        .map(|(name, ids)| {
            let kept = steps.iter().filter(|step| ids.contains(step)).copied().collect();
            (with(Some((*name).to_owned())), kept)
        })
        .collect()
}

pub(super) fn is_glob(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// `*` any run, `?` one character.
pub(super) fn matches(glob: &str, name: &str) -> bool {
    let mut glob_chars = glob.chars();
    match glob_chars.next() {
        None => name.is_empty(),
        Some('*') => {
            let rest = glob_chars.as_str();
            name.char_indices()
                .map(|(n, _)| n)
                .chain([name.len()])
                .any(|n| matches(rest, name.get(n..).unwrap_or_default()))
        }
        Some(wanted) => {
            let mut name_chars = name.chars();
            name_chars.next().is_some_and(|c| wanted == '?' || wanted == c)
                && matches(glob_chars.as_str(), name_chars.as_str())
        }
    }
}
