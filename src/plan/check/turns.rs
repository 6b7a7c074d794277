//! Steps that hold steps: branches, repetitions, groups; and the conditions they stand under.

use super::answer::{demand, statuses};
use super::desk::Desk;
use super::journey::{Walk, steps};
use super::step;
use super::tables::{Known, Set, Tables};
use super::think::think;
use crate::plan::program::{Branch, Condition, Group, Op, Repeat, Turns};
use crate::plan::template::VarId;
use crate::spec::source::{Mark, Spanned};
use crate::spec::step::{
    Branch as WrittenBranch, Group as WrittenGroup, Repeat as WrittenRepeat, Times, When, WrittenStep,
};

/// Turns at most, unless the author says otherwise; and whatever the author says.
const TURNS: u64 = 1000;
const TURNS_MOST: u64 = 1_000_000;
/// Requests of a group at once, unless the author says otherwise: as browsers do.
const PARALLEL: u64 = 6;

pub(super) fn branch(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &mut Known,
    (walk, written): (&mut Walk<'_>, &WrittenBranch),
) -> Option<Op> {
    let when = condition(desk, tables, known, &written.when);
    let (mut one, mut other) = (known.clone(), known.clone());
    let then = steps(desk, tables, &mut one, (walk, &written.then));
    let otherwise = written.otherwise.as_ref().map(|list| steps(desk, tables, &mut other, (walk, list)));
    join(known, &one, &other);
    walk.is_unclear |= walk.was_sent;
    Some(Op::Branch(Box::new(Branch { when: when?, then, otherwise: otherwise.unwrap_or_default() })))
}

/// What is known when either way may have been gone.
fn join(known: &mut Known, one: &Known, other: &Known) {
    known.has_gaps |= one.has_gaps || other.has_gaps;
    for (variable, set) in one.set.iter().chain(&other.set) {
        let both = one.set.get(variable) == Some(&Set::Surely) && other.set.get(variable) == Some(&Set::Surely);
        known.set.insert(*variable, if both { *set } else { Set::Maybe });
    }
}

pub(super) fn repeat(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &mut Known,
    (walk, written, at): (&mut Walk<'_>, &WrittenRepeat, Mark),
) -> Option<Op> {
    let most = desk.open_if(written.at_most.as_ref()).copied().unwrap_or(TURNS);
    if most > TURNS_MOST {
        let at = written.at_most.as_ref().map_or(at, |most| most.mark);
        desk.error("endless", at, format!("{most} turns would never end"), format!("at most {TURNS_MOST}"));
    }
    let given = [written.times.is_some(), written.each.is_some(), written.until.is_some()];
    if given.iter().filter(|given| **given).count() != 1 {
        desk.error("shares", at, "a repetition has one of `times`, `each` and `until`", "keep one of them");
        return None;
    }
    let mut inside = known.clone();
    let mut most = most;
    let turns = if let Some(times) = &written.times {
        self::times(desk, times, &mut most)
    } else if let Some(each) = &written.each {
        self::each(desk, tables, &mut inside, each)
    } else {
        None
    };
    let think = think(desk, written.think.as_ref());
    walk.is_unclear |= walk.was_sent;
    let done = steps(desk, tables, &mut inside, (walk, &written.steps));
    let turns = match &written.until {
        Some(until) => condition(desk, tables, &inside, until).map(Turns::Until),
        None => turns,
    };
    // Turns that may never come set nothing for sure.
    let surely = match &turns {
        Some(Turns::Between(low, _)) => *low > 0,
        Some(Turns::Each { .. }) => false,
        Some(Turns::Geometric(_) | Turns::Until(_)) | None => true,
    };
    walk.is_unclear |= !surely;
    if surely {
        *known = inside;
    } else {
        let before = known.clone();
        join(known, &inside, &before);
    }
    Some(Op::Repeat(Box::new(Repeat { turns: turns?, at_most: most.min(TURNS_MOST), think, steps: done })))
}

fn times(desk: &mut Desk, written: &Spanned<Times>, most: &mut u64) -> Option<Turns> {
    match desk.open(written)? {
        Times::Exactly(count) => {
            let count = *desk.open(count)?;
            *most = (*most).max(count.min(TURNS_MOST));
            if count > TURNS_MOST {
                desk.error(
                    "endless",
                    written.mark,
                    format!("{count} turns would never end"),
                    format!("at most {TURNS_MOST}"),
                );
            }
            Some(Turns::Between(count, count))
        }
        Times::Between(low, high) => {
            let (first, last) = (desk.open(low).copied(), desk.open(high).copied());
            let (first, last) = (first?, last?);
            if first > last {
                desk.error(
                    "shares",
                    written.mark,
                    format!("{first} is above {last}"),
                    "write the smaller number first",
                );
            }
            Some(Turns::Between(first, last.max(first)))
        }
        Times::Geometric { mean, at_most } => {
            let average = *desk.open(mean)?;
            if let Some(limit) = desk.open_if(at_most.as_ref()) {
                *most = (*most).min(*limit);
            }
            if !(average.is_finite() && average >= 1.0) {
                let message = format!("a mean of {average} turns");
                desk.error("bad_number", mean.mark, message, "turns are counted from 1: write a mean of at least 1");
                return None;
            }
            Some(Turns::Geometric(average))
        }
    }
}

fn each(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &mut Known,
    written: &Spanned<(Spanned<String>, Spanned<String>)>,
) -> Option<Turns> {
    let (item, list) = desk.open(written)?;
    let (name, list_name) = (desk.text(item), desk.text(list));
    let (name, list_name) = (name?, list_name?);
    let found = tables.find(list_name).filter(|one| known.set.contains_key(one) && tables.lists.0.contains(one));
    let into = tables.variable(name, item.mark, vec!["0".to_owned()]);
    known.set.insert(into, Set::Surely);
    if found.is_none() && !known.has_gaps {
        let message = format!("`{list_name}` is no list that is set here");
        desk.error("unknown_variable", list.mark, message, "extract it before with `pick: All`");
    }
    Some(Turns::Each { item: into, list: found? })
}

pub(super) fn group(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &mut Known,
    (walk, written): (&mut Walk<'_>, &WrittenGroup),
) -> Option<Op> {
    let name = desk.text(&written.name).map(str::to_owned);
    if let Some(name) = &name {
        tables.group(desk, name, written.name.mark);
    }
    let parallel = desk.open_if(written.parallel.as_ref()).copied().unwrap_or(PARALLEL);
    if let Some(spanned) = written.parallel.as_ref().filter(|_| !(1..=1000).contains(&parallel)) {
        desk.error("bad_number", spanned.mark, format!("{parallel} requests at once"), "write 1 to 1000");
    }
    let list = desk.open(&written.steps)?;
    if list.is_empty() {
        desk.error("empty_journey", written.steps.mark, "the group has no steps", "add a request or remove the group");
    }
    let before = known.clone();
    let mut requests = Vec::new();
    for spanned in list {
        match desk.open(spanned) {
            Some(WrittenStep::Http(http)) => {
                // Requests side by side do not see what the others extract.
                let mut alone = before.clone();
                requests.extend(step::http(desk, tables, &mut alone, (walk.paths, http, walk.on_failure)));
                known.set.extend(alone.set);
            }
            Some(_) => {
                let help = "put other steps before or behind the group";
                desk.error("not_built", spanned.mark, "only requests stand side by side", help);
            }
            None => known.has_gaps = true,
        }
    }
    (walk.was_sent, walk.is_unclear) = (true, true);
    let parallel = usize::try_from(parallel).unwrap_or(1).max(1);
    Some(Op::Group(Box::new(Group { name: name?, parallel, requests })))
}

pub(super) fn condition(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &Known,
    written: &Spanned<When>,
) -> Option<Condition> {
    let all = |desk: &mut Desk, tables: &mut Tables, list: &[Spanned<When>]| {
        let found: Vec<_> = list.iter().map(|one| condition(desk, tables, known, one)).collect();
        found.into_iter().collect::<Option<Vec<_>>>()
    };
    match desk.open(written)? {
        When::Chance(chance) => desk.ratio(chance).map(|chance| Condition::Chance(chance.get())),
        When::Status(set) => statuses(desk, set).map(Condition::Status),
        When::Var { name, is } => {
            let variable = variable(desk, tables, known, name);
            let is = demand(desk, is);
            Some(Condition::Var(variable?, is?))
        }
        When::Not(inner) => condition(desk, tables, known, inner).map(|inner| Condition::Not(Box::new(inner))),
        When::All(list) => all(desk, tables, list).map(Condition::All),
        When::Any(list) => all(desk, tables, list).map(Condition::Any),
    }
}

/// A variable that is named without `${}`; one that may be unset is absent then.
pub(super) fn variable(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &Known,
    written: &Spanned<String>,
) -> Option<VarId> {
    let name = desk.text(written)?;
    let found = tables.find(name).filter(|variable| known.set.contains_key(variable));
    if found.is_none() && !known.has_gaps {
        let help = tables.help(desk, known, name);
        desk.error("unknown_variable", written.mark, format!("`{name}` is set by {}", known.setter), help);
    }
    found
}
