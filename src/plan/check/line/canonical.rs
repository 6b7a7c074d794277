//! The canonical text of an expanded check: its id.

use super::expansion::is_glob;
use crate::spec::threshold::{self as written, Cmp, Key, Line, Modifier, Selector};

pub(super) fn selector_text(one: &Selector, glob: &str) -> String {
    let key = match one.key {
        Key::Step => "step",
        Key::Journey => "journey",
        Key::Label => "label",
        Key::Phase => "phase",
        Key::Fault => "fault",
        Key::Status => "status",
        Key::Outcome => "outcome",
        Key::Clock => "clock",
    };
    let needs_quotes = glob.contains([' ', ',', '{', '}', '"']);
    let glob = if needs_quotes { format!("'{glob}'") } else { glob.to_owned() };
    format!("{key}{}{glob}", if one.is_negated { "!=" } else { "=" })
}

/// What each selector matched, of two readers who each know some of them.
pub(super) fn joined(some: &[Option<String>], others: &[Option<String>]) -> Vec<Option<String>> {
    some.iter().zip(others).map(|(one, other)| one.clone().or_else(|| other.clone())).collect()
}

/// The expanded text in canonical spacing, or the `as` name with what a glob matched.
pub(super) fn id(line: &Line, text: &str, matched: &[Option<String>]) -> String {
    let globbed = line.scope.iter().zip(matched).filter(|(one, _)| is_glob(&one.glob) && !one.is_negated);
    let found: Vec<&str> = globbed.filter_map(|(_, name)| name.as_deref()).collect();
    let named = line.modifiers.iter().find_map(|one| if let Modifier::As(name) = one { Some(name) } else { None });
    if let Some(name) = named {
        return if found.is_empty() { name.clone() } else { format!("{name}[{}]", found.join(", ")) };
    }
    let spaced = |part: &str| part.split_whitespace().collect::<Vec<_>>().join(" ");
    let selectors: Vec<String> = line
        .scope
        .iter()
        .zip(matched)
        .map(|(one, name)| selector_text(one, name.as_deref().unwrap_or(&one.glob)))
        .collect();
    let scope = if selectors.is_empty() { String::new() } else { format!("{{{}}}", selectors.join(", ")) };
    let level = match line.level {
        written::Level::Hard => "hard: ",
        written::Level::Must => "",
        written::Level::Should => "should: ",
        written::Level::Info => "info: ",
    };
    let part = |range: std::ops::Range<usize>| spaced(text.get(range).unwrap_or_default());
    let behind = spaced(text.get(line.bound_at.end..).unwrap_or_default().trim_start());
    let behind = behind.replace(" ,", ",");
    format!(
        "{level}{}{scope} {} {}{behind}",
        part(line.subject_at.clone()),
        sign(line.cmp),
        part(line.bound_at.clone())
    )
}

fn sign(cmp: Cmp) -> &'static str {
    match cmp {
        Cmp::Less => "<",
        Cmp::AtMost => "<=",
        Cmp::More => ">",
        Cmp::AtLeast => ">=",
    }
}
