//! The parts of a scope that are no steps: phases, faults, statuses, outcome, clock; and what a subject can have of them.
//!
//! `=` with a glob on phase or fault gives one check for each match; `!=` takes what matches out. Not here: steps and journeys
//! (`expansion`).

use super::canonical::selector_text;
use super::expansion::is_glob;
use crate::base::name::{is_meant, nearest};
use crate::plan::check::desk::Desk;
use crate::plan::threshold::{Aspect, ClockKind, Outcomes, Scope, Statuses, Subject};
use crate::spec::source::Mark;
use crate::spec::threshold::{Key, Line, Modifier, Selector};

const PHASES: [&str; 3] = ["steady", "warmup", "drain"];

/// What each selector of phases matched (others: nothing), in the order of the selectors, and the scope that is left.
pub(super) type Scoped = (Vec<Option<String>>, Scope);

/// The scopes of a line, without their steps; `faults` are the names of what is injected.
pub(super) fn scopes(desk: &mut Desk, faults: &[String], line: &Line, at: Mark) -> Option<Vec<Scoped>> {
    let mut found: Vec<Scoped> = vec![(Vec::new(), Scope::default())];
    let mut is_whole = true;
    for one in &line.scope {
        if matches!(one.key, Key::Phase | Key::Fault) {
            match phases(desk, faults, one, at) {
                Some(names) => found = found.into_iter().flat_map(|scoped| narrowed(&scoped, one, &names)).collect(),
                None => is_whole = false,
            }
            continue;
        }
        let Some(set) = plain(desk, line, one, at) else {
            is_whole = false;
            continue;
        };
        for (matched, scope) in &mut found {
            matched.push(None);
            set(scope);
        }
    }
    is_whole.then_some(found)
}

/// What a selector that is not expanded does to a scope.
type Set = Box<dyn Fn(&mut Scope)>;

fn plain(desk: &mut Desk, line: &Line, one: &Selector, at: Mark) -> Option<Set> {
    match one.key {
        Key::Step | Key::Journey => Some(Box::new(|_| {})),
        Key::Outcome => {
            let outcome = match one.glob.as_str() {
                "ok" => Outcomes::Ok,
                "failed" => Outcomes::Failed,
                _ => Outcomes::Any,
            };
            Some(Box::new(move |scope| scope.outcome = outcome))
        }
        Key::Clock => {
            let clock = if one.glob == "service" { ClockKind::Service } else { ClockKind::Response };
            Some(Box::new(move |scope| scope.clock = clock))
        }
        Key::Status => {
            let statuses = status(desk, line, one, at)?;
            Some(Box::new(move |scope| scope.statuses.push(statuses.clone())))
        }
        Key::Label if !one.is_negated && line.scope.iter().filter(|other| other.key == Key::Label).count() == 1 => {
            let glob = one.glob.clone();
            Some(Box::new(move |scope| scope.aspect = Aspect::Label(glob.clone())))
        }
        Key::Label | Key::Phase | Key::Fault => {
            let word = selector_text(one, &one.glob);
            let message = format!("`{word}` is known but not built yet");
            desk.error_inside("not_built", (at, one.at.clone()), message, "leave it out for now");
            None
        }
    }
}

fn status(desk: &mut Desk, line: &Line, one: &Selector, at: Mark) -> Option<Statuses> {
    use crate::spec::threshold::Subject as Written;
    let mut mistake = |message: String, help: &str| {
        desk.error_inside("bad_check", (at, one.at.clone()), message, help);
        None
    };
    if line.subject != Written::Errors {
        return mistake(
            "status narrows errors: of accepted answers no status is kept".to_owned(),
            "write errors{status=5xx}, or leave the status out",
        );
    }
    let pattern = one.glob.to_ascii_lowercase();
    let is_status = pattern.len() == 3
        && pattern.starts_with(|c| matches!(c, '1'..='5' | 'x'))
        && pattern.bytes().all(|c| c == b'x' || c.is_ascii_digit());
    if !is_status {
        return mistake(format!("{} is no status: write 503 or 5xx", one.glob), "");
    }
    Some(Statuses { pattern, is_negated: one.is_negated })
}

/// The names of phases that a selector matches.
fn phases(desk: &mut Desk, faults: &[String], one: &Selector, at: Mark) -> Option<Vec<String>> {
    let of_faults = |kind: &str| faults.iter().map(|name| format!("{kind}:{name}")).collect::<Vec<_>>();
    let known: Vec<String> = match one.key {
        Key::Fault => of_faults("fault"),
        _ => {
            PHASES.iter().map(|&name| name.to_owned()).chain(of_faults("fault")).chain(of_faults("recovery")).collect()
        }
    };
    let shown = |name: &str| if one.key == Key::Fault { name.replacen("fault:", "", 1) } else { name.to_owned() };
    let found: Vec<String> = known.iter().filter(|name| is_meant(&shown(name), &one.glob)).cloned().collect();
    if !found.is_empty() {
        return Some(found);
    }
    let what = if one.key == Key::Fault { "fault" } else { "phase" };
    let known: Vec<String> = known.iter().map(|name| shown(name)).collect();
    let near = nearest(&one.glob, known.iter().map(String::as_str));
    let near = near.map(|near| format!(": did you mean {near}?")).unwrap_or_default();
    let is_of_fault = one.key == Key::Fault || one.glob.contains(':');
    let help = if faults.is_empty() && is_of_fault { "nothing is injected while this scenario runs" } else { "" };
    let help =
        if help.is_empty() && near.is_empty() { format!("there are: {}", known.join(", ")) } else { help.to_owned() };
    desk.error_inside("bad_check", (at, one.at.clone()), format!("no {what} matches {}{near}", one.glob), help);
    None
}

/// `!=` takes out what matched; `=` gives one scope for each match of a glob.
fn narrowed((matched, scope): &Scoped, one: &Selector, names: &[String]) -> Vec<Scoped> {
    let with = |name: Option<String>| matched.iter().cloned().chain([name]).collect::<Vec<_>>();
    if one.is_negated {
        let mut scope = scope.clone();
        scope.but.extend(names.iter().cloned());
        return vec![(with(None), scope)];
    }
    let narrow = |name: &String| {
        let mut scope = scope.clone();
        scope.phases.push(name.clone());
        let shown = if one.key == Key::Fault { name.replacen("fault:", "", 1) } else { name.clone() };
        (with(is_glob(&one.glob).then_some(shown)), scope)
    };
    names.iter().map(narrow).collect()
}

/// True when the line can have this scope and these modifiers; else the desk has been told.
pub(super) fn fits(desk: &mut Desk, (line, text, at): (&Line, &str, Mark), subject: Subject) -> bool {
    let selects = |keys: &[Key]| line.scope.iter().find(|one| keys.contains(&one.key)).map(|one| one.at.clone());
    let mut mistake = |part, message: &str, help: &str| {
        desk.error_inside("bad_check", (at, part), message.to_owned(), help);
        false
    };
    if subject == Subject::GeneratorCpu {
        let other = [Key::Step, Key::Journey, Key::Label, Key::Status, Key::Outcome, Key::Clock];
        if let Some(part) = selects(&other) {
            return mistake(
                part,
                "generator_cpu is about the generator: it has phases, and nothing else",
                "leave it out",
            );
        }
    }
    if !subject.is_clock() {
        return true;
    }
    if let Some(part) = selects(&[Key::Step, Key::Journey, Key::Label, Key::Status, Key::Outcome, Key::Clock]) {
        return mistake(part, "a clock of a fault is about all users", "leave it out, and name the fault only");
    }
    let names_one = line.scope.len() == 1
        && line.scope.iter().all(|one| {
            !one.is_negated && (one.key == Key::Fault || (one.key == Key::Phase && one.glob.starts_with("fault:")))
        });
    if !names_one {
        let part = line.subject_at.clone();
        return mistake(part, "this is a clock of a fault: name one, as in recovery{fault=db-latency}", "");
    }
    if line.modifiers.iter().any(|one| !matches!(one, Modifier::As(_))) {
        let part = line.bound_at.end..text.len();
        return mistake(part, "a clock has no window", "leave out all behind the bound but `as`");
    }
    true
}
