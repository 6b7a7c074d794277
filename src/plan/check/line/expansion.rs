//! Selectors of steps and journeys: one check for each match of a glob, `!=` pools what is left.

use crate::base::name::{is_meant, nearest};
use crate::measure::sample::StepId;
use crate::plan::check::desk::Desk;
use crate::plan::threshold::{Aspect, Scope};
use crate::spec::source::Mark;
use crate::spec::threshold::{Key, Line, Selector};

/// What a selector or a glob may match.
pub(super) struct Names<'a> {
    pub(super) steps: Vec<&'a str>,
    /// Groups have numbers behind those of the steps, and are meant by their whole names only.
    pub(super) groups: Vec<&'a str>,
    pub(super) journeys: Vec<(&'a str, Vec<StepId>)>,
    /// Some step could not be read: names that are missing may be its own.
    pub(super) has_gaps: bool,
    /// Names of what is injected.
    pub(super) faults: &'a [String],
}

/// What each selector matched, in the order of the selectors, and the steps that are meant; no steps: all.
pub(super) type Expansion = (Vec<Option<String>>, Vec<StepId>);

pub(super) fn step_sets(desk: &mut Desk, names: &Names<'_>, line: &Line, at: Mark) -> Option<Vec<Expansion>> {
    let numbered = |count: usize| (0..count).filter_map(|n| u16::try_from(n).ok().map(StepId));
    let all: Vec<StepId> = numbered(names.steps.len() + names.groups.len()).collect();
    let mut sets: Vec<Expansion> = vec![(Vec::new(), all.clone())];
    let mut narrows = false;
    for one in &line.scope {
        let candidates: Vec<Candidate> = match one.key {
            Key::Step => {
                let steps = names.steps.iter().zip(&all).map(|(name, id)| (attempts(name, one), vec![*id]));
                let groups = names.groups.iter().zip(all.iter().skip(names.steps.len()));
                let groups = groups.filter(|(name, _)| !one.is_negated && **name == one.glob);
                steps.chain(groups.map(|(name, id)| ((*name).to_owned(), vec![*id]))).collect()
            }
            Key::Journey => names.journeys.iter().map(|(name, ids)| ((*name).to_owned(), ids.clone())).collect(),
            _ => {
                for (matched, _) in &mut sets {
                    matched.push(None);
                }
                continue;
            }
        };
        narrows = true;
        let hits: Vec<_> = candidates.iter().filter(|(name, _)| is_meant(name, &one.glob)).collect();
        if hits.is_empty() && names.has_gaps {
            return None;
        }
        if hits.is_empty() {
            let what = if one.key == Key::Step { "step" } else { "journey" };
            let near = nearest(&one.glob, candidates.iter().map(|(name, _)| name.as_str()));
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

/// What a selector may match, and the steps that are meant by it.
type Candidate = (String, Vec<StepId>);

/// The ending of the series that counts every attempt of a step by itself.
const ATTEMPTS: &str = "#attempts";

/// The step's name, or that of its attempts where the selector asks for those.
fn attempts(step: &str, one: &Selector) -> String {
    if one.glob.ends_with(ATTEMPTS) { format!("{step}{ATTEMPTS}") } else { step.to_owned() }
}

impl Names<'_> {
    /// The scope that is about `steps`, with everything else as in `base`.
    pub(super) fn scope(&self, line: &Line, steps: Vec<StepId>, base: &Scope) -> Scope {
        let behind = |step: &StepId| usize::from(step.0).checked_sub(self.steps.len());
        let group = steps.iter().find_map(|step| self.groups.get(behind(step)?));
        let asks = |one: &&Selector| one.key == Key::Step && !one.is_negated && one.glob.ends_with(ATTEMPTS);
        let aspect = match group {
            Some(group) => Aspect::Group((*group).to_owned()),
            None if line.scope.iter().any(|one| asks(&one)) => Aspect::Attempts,
            None => base.aspect.clone(),
        };
        let steps = steps.into_iter().filter(|step| behind(step).is_none()).collect();
        Scope { steps, aspect, ..base.clone() }
    }
}

/// `!=` pools what is left; `=` gives one set for each match.
fn narrowed((matched, steps): Expansion, one: &Selector, hits: &[&Candidate]) -> Vec<Expansion> {
    let with = |name: Option<String>| matched.iter().cloned().chain([name]).collect();
    if one.is_negated {
        let left = steps.iter().filter(|step| !hits.iter().any(|(_, ids)| ids.contains(step))).copied().collect();
        return vec![(with(None), left)];
    }
    hits.iter()
        .map(|(name, ids)| {
            let kept = steps.iter().filter(|step| ids.contains(step)).copied().collect();
            (with(Some(name.clone())), kept)
        })
        .collect()
}

pub(super) fn is_glob(text: &str) -> bool {
    text.contains(['*', '?'])
}
