//! The numbers that names become while a scenario is checked: variables, labels, series.
//!
//! Filled by the other files of `check`, read into the plan at the end.

use std::collections::BTreeSet;

use super::data::Sheet;
use super::desk::{Desk, suggest};
pub(super) use super::known::{Known, Set};
use crate::base::name::nearest;
use crate::measure::sample::StepId;
use crate::plan::program::Drawn;
use crate::plan::template::{Escape, Piece, Template, VarId};
use crate::plan::values::{ListPick, SecretPlace};
use crate::spec::source::{Mark, Spanned};

/// Names and their numbers.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// By number: name, where it is first set, and values it may take (for trying a body).
    pub(super) variables: Vec<(String, Mark, Vec<String>)>,
    pub(super) labels: Vec<String>,
    /// Drawn at the start of every journey.
    pub(super) draws: Vec<Drawn>,
    /// By step id: name, and where it stands.
    pub(super) steps: Vec<(String, Mark)>,
    /// Groups of requests: name, and where it stands.
    pub(super) groups: Vec<(String, Mark)>,
    /// Some step could not be read: names that are missing may be its own.
    pub(super) has_gaps: bool,
    /// Variables that hold a list, and the picks from them that are used.
    pub(super) lists: (BTreeSet<VarId>, Vec<ListPick>),
    /// Books of acknowledged writes, and where each is first written.
    pub(super) books: Vec<(String, Mark)>,
    /// Rows of data, and secrets, by name.
    pub(super) sheets: Vec<Sheet>,
    /// Tokens, and where they stand.
    pub(super) tokens: Vec<(String, Mark)>,
    pub(super) secrets: Vec<(String, SecretPlace, Option<VarId>)>,
    /// Names of what is injected while the load runs.
    pub(super) faults: Vec<String>,
}

impl Tables {
    /// The number of variable `name`, new or known.
    pub(super) fn variable(&mut self, name: &str, at: Mark, samples: Vec<String>) -> VarId {
        if let Some(known) = self.find(name) {
            // Set again: any of its values may be met.
            if let Some((_, _, all)) = self.variables.get_mut(usize::from(known.0)) {
                all.extend(samples);
            }
            return known;
        }
        self.variables.push((name.to_owned(), at, samples));
        VarId(narrow(self.variables.len() - 1))
    }

    pub(super) fn find(&self, name: &str) -> Option<VarId> {
        self.variables.iter().position(|(known, ..)| known == name).map(|n| VarId(narrow(n)))
    }

    /// The number of label `name`, new or known.
    pub(super) fn label(&mut self, name: &str) -> u16 {
        let known = self.labels.iter().position(|known| known == name);
        narrow(known.unwrap_or_else(|| {
            self.labels.push(name.to_owned());
            self.labels.len() - 1
        }))
    }

    /// The series of a step: a new one, or that of the very same place, which several journeys may share; equal names of
    /// different places are reported.
    pub(super) fn step(&mut self, desk: &mut Desk, name: String, at: Mark) -> StepId {
        if let Some(shared) = self.steps.iter().position(|known| *known == (name.clone(), at)) {
            return StepId(narrow(shared));
        }
        self.alone(desk, &name, at);
        self.steps.push((name, at));
        StepId(narrow(self.steps.len() - 1))
    }

    /// Gives a group its series, by the same rules.
    pub(super) fn group(&mut self, desk: &mut Desk, name: &str, at: Mark) {
        if !self.groups.iter().any(|known| *known == (name.to_owned(), at)) {
            self.alone(desk, name, at);
            self.groups.push((name.to_owned(), at));
        }
    }

    /// Reports a name that another step or group has.
    fn alone(&self, desk: &mut Desk, name: &str, at: Mark) {
        if let Some((_, first)) = self.steps.iter().chain(&self.groups).find(|(known, _)| known == name) {
            desk.duplicate("steps", name, at, *first);
        }
    }

    /// `text` as a template; mistakes are reported with their place inside the text.
    pub(super) fn template(
        &mut self,
        desk: &mut Desk,
        known: &Known,
        text: &Spanned<String>,
        escape: Escape,
    ) -> Option<Template> {
        let literal = desk.text(text)?;
        let parts = match cut(literal) {
            Ok(parts) => parts,
            Err(wrong) => {
                let help = "a variable is written `${name}`, a plain `${` is written `$${`";
                desk.error_inside("bad_template", (text.mark, wrong.at), wrong.message, help);
                return None;
            }
        };
        let mut pieces = Vec::new();
        let mut is_whole = true;
        for part in parts {
            match part {
                Part::Text(text) => pieces.push(Piece::Text(text)),
                Part::Name { name, at } => match self.resolve(desk, known, &name, (text.mark, at)) {
                    Some(variable) => pieces.push(Piece::Var(variable, escape)),
                    None => is_whole = false,
                },
            }
        }
        is_whole.then_some(Template { pieces })
    }

    fn resolve(
        &mut self,
        desk: &mut Desk,
        known: &Known,
        name: &str,
        at: (Mark, std::ops::Range<usize>),
    ) -> Option<VarId> {
        if let Some((base, part)) = name.split_once('.')
            && let Some(found) = self.dotted(desk, known, (base, part), at.clone())
        {
            return found;
        }
        let found = self.find(name).and_then(|variable| known.set.get(&variable).map(|set| (variable, *set)));
        match found {
            Some((variable, Set::Surely)) => {
                if self.lists.0.contains(&variable) {
                    let message = format!("`${{{name}}}` is a list");
                    let help = format!("take one of it: `${{{name}.random}}`, `${{{name}.0}}`");
                    desk.error_inside("unknown_variable", at, message, help);
                    return None;
                }
                Some(variable)
            }
            Some((_, Set::Maybe)) => {
                let message = format!("`${{{name}}}` may have no value: the step that sets it can fail");
                desk.error_inside("maybe_unset", at, message, "give the extraction an `or`");
                None
            }
            None => {
                if known.has_gaps {
                    return None;
                }
                let message = format!("`${{{name}}}` is set by {}", known.setter);
                let help = self.help(desk, known, name);
                desk.error_inside("unknown_variable", at, message, help);
                None
            }
        }
    }

    /// `${base.part}`: a column of data, a secret, or one value of a list; `None` when `base` is none of these.
    #[expect(clippy::option_option, reason = "not ours, reported, found")]
    fn dotted(
        &mut self,
        desk: &mut Desk,
        known: &Known,
        (base, part): (&str, &str),
        at: (Mark, std::ops::Range<usize>),
    ) -> Option<Option<VarId>> {
        if base == "secret" {
            return Some(self.secret(desk, part, at));
        }
        if let Some(place) = self.sheets.iter().position(|sheet| sheet.name == base) {
            return Some(self.column(desk, (place, part), at));
        }
        let list = self.find(base).filter(|list| self.lists.0.contains(list) && known.set.contains_key(list))?;
        if known.set.get(&list) == Some(&Set::Maybe) {
            let message = format!("`${{{base}}}` may have no value: the step that sets it can fail");
            desk.error_inside("maybe_unset", at, message, "give the extraction an `or`");
            return Some(None);
        }
        let nth = part.parse::<usize>().ok();
        if nth.is_none() && part != "random" {
            let message = format!("a list has no `{part}`");
            desk.error_inside(
                "unknown_variable",
                at,
                message,
                format!("write `${{{base}.random}}` or `${{{base}.0}}`"),
            );
            return Some(None);
        }
        let name = format!("{base}.{part}");
        if let Some(known) = self.find(&name) {
            return Some(Some(known));
        }
        let samples = self.variables.get(usize::from(list.0)).map(|(_, _, all)| all.clone()).unwrap_or_default();
        let into = self.variable(&name, at.0, samples);
        self.lists.1.push(ListPick { name, into, list, nth });
        Some(Some(into))
    }

    fn secret(&mut self, desk: &mut Desk, name: &str, at: (Mark, std::ops::Range<usize>)) -> Option<VarId> {
        let Some(place) = self.secrets.iter().position(|(known, ..)| known == name) else {
            let known: Vec<&str> = self.secrets.iter().map(|(name, ..)| name.as_str()).collect();
            desk.error_inside("unknown_name", at, format!("there is no secret `{name}`"), suggest(name, &known));
            return None;
        };
        let variable = self.variable(&format!("secret.{name}"), Mark::default(), vec!["x".to_owned()]);
        if let Some((_, _, into)) = self.secrets.get_mut(place) {
            *into = Some(variable);
        }
        Some(variable)
    }

    /// The name of the secret that `variable` holds, if it is one.
    pub(super) fn secret_name(&self, variable: VarId) -> Option<&str> {
        let held = self.secrets.iter().find(|(.., into)| *into == Some(variable));
        held.map(|(name, ..)| name.as_str())
    }

    fn column(
        &mut self,
        desk: &mut Desk,
        (place, column): (usize, &str),
        at: (Mark, std::ops::Range<usize>),
    ) -> Option<VarId> {
        let sheet = self.sheets.get(place)?;
        let name = format!("{}.{column}", sheet.name);
        let Some(index) = sheet.columns.iter().position(|known| known == column) else {
            // A file that could not be read was reported; its columns are not known.
            if !sheet.columns.is_empty() {
                let known: Vec<&str> = sheet.columns.iter().map(String::as_str).collect();
                let message = format!("`{}` has no column `{column}`", sheet.name);
                desk.error_inside("unknown_column", at, message, suggest(column, &known));
            }
            return None;
        };
        let samples = sheet.rows.iter().take(3).filter_map(|row| row.get(index).cloned()).collect();
        let variable = self.variable(&name, Mark::default(), samples);
        let used = &mut self.sheets.get_mut(place)?.used;
        if !used.iter().any(|(_, known)| *known == variable) {
            used.push((index, variable));
        }
        Some(variable)
    }

    pub(super) fn help(&self, desk: &Desk, known: &Known, wrong: &str) -> String {
        let set: Vec<&(String, Mark, Vec<String>)> = known
            .set
            .keys()
            .filter_map(|variable| self.variables.get(usize::from(variable.0)))
            .filter(|(_, at, _)| *at != Mark::default())
            .collect();
        let names: Vec<&str> = set.iter().map(|(name, ..)| name.as_str()).collect();
        match nearest(wrong, names.iter().copied()) {
            Some(near) => {
                let line = set.iter().find(|(name, ..)| name == near).map_or(0, |(_, at, _)| desk.line(*at));
                format!("did you mean `${{{near}}}`, set at line {line}?")
            }
            None => suggest(wrong, &names),
        }
    }

    /// The template filled with sample values: round `n` takes the n-th value of each variable, or its last.
    pub(super) fn sample(&self, template: &Template, n: usize) -> String {
        let mut text = String::new();
        let value = |variable: VarId| {
            let samples = self.variables.get(usize::from(variable.0)).map(|(_, _, samples)| samples.as_slice());
            samples.and_then(|all| all.get(n).or(all.last())).map_or("0", String::as_str)
        };
        template.render(value, &mut text);
        text
    }

    /// How many rounds of [`Self::sample`] show every value.
    pub(super) fn rounds(&self) -> usize {
        self.variables.iter().map(|(_, _, samples)| samples.len()).max().unwrap_or(0).max(1)
    }
}

fn narrow(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

enum Part {
    Text(String),
    Name { name: String, at: std::ops::Range<usize> },
}

struct Wrong {
    message: String,
    at: std::ops::Range<usize>,
}

/// Cuts `a ${b} $${c}` into text `a `, name `b`, text ` ${c}`.
fn cut(text: &str) -> Result<Vec<Part>, Wrong> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some(after) = rest.strip_prefix("$${") {
            plain.push_str("${");
            at = text.len() - after.len();
        } else if let Some(after) = rest.strip_prefix("${") {
            let Some((name, _)) = after.split_once('}') else {
                return Err(Wrong { message: "`${` is not closed".to_owned(), at: at..text.len() });
            };
            let range = at..at + name.len() + 3;
            let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
            if !is_name {
                return Err(Wrong { message: format!("`{name}` is not the name of a variable"), at: range });
            }
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            at = range.end;
            parts.push(Part::Name { name: name.to_owned(), at: range });
        } else {
            let end = rest.char_indices().skip(1).find(|(_, c)| *c == '$').map_or(rest.len(), |(n, _)| n);
            plain.push_str(rest.get(..end).unwrap_or_default());
            at += end;
        }
    }
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    Ok(parts)
}
