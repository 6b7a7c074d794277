//! What is done beside the journeys: `setup`, `teardown` and `tokens`.
//!
//! Setup is checked before all else, since what it sets is known everywhere. Not here: the steps themselves (`journey`).

use std::time::Duration;

use super::desk::Desk;
use super::journey::{self, Paths, Walk};
use super::tables::{Known, Set, Tables};
use super::{answer, sets};
use crate::base::duration::show;
use crate::plan::chores::{Chores, Lasting, Share, Token};
use crate::plan::good::StatusSet;
use crate::plan::load::Client;
use crate::plan::program::{OnFailure, Op, requests};
use crate::plan::template::{Escape, VarId};
use crate::spec::names::Named;
use crate::spec::scenario::{Share as WrittenShare, Token as Written};
use crate::spec::source::{Mark, Spanned};
use crate::spec::step::{Steps, WrittenStep};

/// A token is fetched anew so long before its end, unless the author says otherwise.
const RENEW_BEFORE: Duration = Duration::from_secs(30);

/// The variable that holds token `name`.
pub(super) fn variable(name: &str) -> String {
    format!("token.{name}")
}

/// Makes every token known by name, so that `auth: Token(name)` finds it wherever it stands.
pub(super) fn announce(tables: &mut Tables, written: Option<&Spanned<Named<Written>>>) {
    let Some(Spanned { value: Ok(named), .. }) = written else { return };
    for (name, _) in &named.0 {
        if let Ok(text) = &name.value {
            tables.variable(&variable(text), Mark::default(), vec!["x".to_owned()]);
            tables.tokens.push((text.clone(), name.mark));
        }
    }
}

/// What headers of every request may carry: what is `known`, and all that `setup` will set.
pub(super) fn everywhere(tables: &mut Tables, known: &Known, setup: Option<&Steps>) -> Known {
    let mut known = known.clone();
    for (name, at) in setup.map(sets::names).unwrap_or_default() {
        let variable = tables.variable(&name, at, vec!["0".to_owned()]);
        known.set.insert(variable, Set::Surely);
    }
    known
}

/// The steps of `setup`; from here on what they set is known.
pub(super) fn setup(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &mut Known,
    (paths, written): (&Paths<'_>, Option<&Steps>),
) -> (Vec<Op>, Vec<VarId>) {
    let Some(written) = written else { return (Vec::new(), Vec::new()) };
    let before: Vec<VarId> = known.set.keys().copied().collect();
    let setter = std::mem::replace(&mut known.setter, "no earlier step of `setup`".to_owned());
    let steps = steps(desk, tables, known, (paths, written, OnFailure::EndJourney));
    known.setter = setter;
    (steps, known.set.keys().copied().filter(|variable| !before.contains(variable)).collect())
}

/// The steps of `teardown`, each of which is done whatever became of the one before.
pub(super) fn teardown(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &Known,
    (paths, written): (&Paths<'_>, Option<&Steps>),
) -> Vec<Op> {
    let mut known = Known { setter: "neither `setup` nor an earlier step of `teardown`".to_owned(), ..known.clone() };
    let Some(written) = written else { return Vec::new() };
    // Audits are no steps of users: see `audit`.
    let mut others = written.clone();
    if let Ok(list) = &mut others.value {
        list.retain(|step| !matches!(step.value, Ok(WrittenStep::Audit(_))));
    }
    steps(desk, tables, &mut known, (paths, &others, OnFailure::Continue))
}

fn steps(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &mut Known,
    (paths, written, on_failure): (&Paths<'_>, &Steps, OnFailure),
) -> Vec<Op> {
    journey::steps(desk, tables, known, (&mut Walk::new(paths, on_failure), written))
}

/// The tokens, in file order.
pub(super) fn tokens(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &Known,
    (paths, written): (&Paths<'_>, Option<&Spanned<Named<Written>>>),
) -> Vec<Token> {
    let Some(named) = desk.open_if(written) else { return Vec::new() };
    let mut found = Vec::new();
    for (name, _, spanned) in desk.entries(named, "tokens") {
        if let Some(written) = desk.open(spanned) {
            found.extend(token(desk, tables, known.clone(), (paths, name, written)));
        }
    }
    found
}

fn token(
    desk: &mut Desk,
    tables: &mut Tables,
    mut known: Known,
    (paths, name, written): (&Paths<'_>, &str, &Written),
) -> Option<Token> {
    known.setter = format!("no earlier step of token `{name}`");
    let steps = steps(desk, tables, &mut known, (paths, &written.steps, OnFailure::EndJourney));
    let mut sends = false;
    requests(&steps, 1.0, &mut |_, _| sends = true);
    if !sends && written.steps.value.is_ok() && !known.has_gaps {
        let message = format!("token `{name}` sends no request");
        desk.error("empty_journey", written.steps.mark, message, "add the Http step that answers with it");
    }
    let value = tables.template(desk, &known, &written.value, Escape::Plain);
    let lifetime = written.lifetime.as_ref().and_then(|lifetime| desk.duration(lifetime));
    let renew_before = desk.duration_or(written.renew_before.as_ref(), RENEW_BEFORE);
    let renew_before = match (lifetime, &written.renew_before) {
        (Some(lifetime), Some(spanned)) if renew_before >= lifetime => {
            let (early, life) = (show(renew_before), show(lifetime));
            let message = format!("renewing {early} before the end leaves nothing of a life of {life}");
            desk.error("shares", spanned.mark, message, "write a shorter time than `lifetime`");
            renew_before
        }
        // Nobody wrote it: a token shorter than the usual margin is renewed at half its life.
        (Some(lifetime), None) => renew_before.min(lifetime / 2),
        _ => renew_before,
    };
    let renew_on = match &written.renew_on {
        Some(set) => answer::statuses(desk, set),
        None => StatusSet::parse("401"),
    };
    let share = match desk.open_if(written.share.as_ref()) {
        Some(WrittenShare::All) => Share::All,
        Some(WrittenShare::PerUser) | None => Share::PerUser,
    };
    let into = tables.find(&variable(name))?;
    let life = Lasting { lifetime, renew_before };
    Some(Token { name: name.to_owned(), steps, value: value?, into, life, renew_on: renew_on?, share })
}

/// Tokens whose own requests carry the token itself, or carry each other's in a ring.
pub(super) fn rings(desk: &mut Desk, tables: &Tables, (tokens, client): (&[Token], &Client)) {
    let needs = |token: &Token| {
        let mut used = Vec::new();
        requests(&token.steps, 1.0, &mut |http, _| {
            let client = client.with(http.client.as_deref());
            used.extend(client.headers.iter().chain(&http.headers).flat_map(|(_, value)| value.variables()));
        });
        (0..tokens.len()).filter(|one| used.contains(&tokens[*one].into)).collect()
    };
    let edges: Vec<Vec<usize>> = tokens.iter().map(needs).collect();
    let mut told = vec![false; tokens.len()];
    for first in 0..tokens.len() {
        let Some(ring) = ring(&edges, first).filter(|ring| ring.iter().all(|one| !told[*one])) else { continue };
        for one in &ring {
            told[*one] = true;
        }
        let names: Vec<&str> = ring.iter().chain(ring.first()).map(|one| tokens[*one].name.as_str()).collect();
        let place = tables.tokens.iter().find(|(name, _)| *name == tokens[first].name);
        let message = format!("this token can never be fetched: {}", names.join(" → "));
        let help = "give its own steps another `client: (auth: …)`";
        desk.error("cyclic_token", place.map_or_else(Mark::default, |(_, at)| *at), message, help);
    }
}

/// The shortest way from `first` back to itself along `edges`.
fn ring(edges: &[Vec<usize>], first: usize) -> Option<Vec<usize>> {
    let mut ways = vec![vec![first]];
    let mut seen = vec![false; edges.len()];
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for &next in way.last().and_then(|last| edges.get(*last)).into_iter().flatten() {
                if next == first {
                    return Some(way);
                }
                if !std::mem::replace(&mut seen[next], true) {
                    longer.push(way.iter().copied().chain([next]).collect());
                }
            }
        }
        ways = longer;
    }
    None
}

/// Requests of `setup` that would carry, in a header of every request, what `setup` is only about to learn.
pub(super) fn ahead(desk: &mut Desk, written: Option<&Steps>, (chores, client): (&Chores, &Client)) {
    let Some(written) = written else { return };
    let mut names = Vec::new();
    requests(&chores.setup, 1.0, &mut |http, _| {
        let client = client.with(http.client.as_deref());
        let used = client.headers.iter().filter(|(name, _)| !http.headers.iter().any(|(own, _)| own == name));
        let early = used.filter(|(_, value)| value.variables().any(|variable| chores.sets.contains(&variable)));
        names.extend(early.map(|(name, _)| name.clone()));
    });
    if let Some(name) = names.first() {
        let message = format!("the client's header `{name}` carries what setup is only about to learn");
        desk.error("unknown_variable", written.mark, message, format!("write `{name}` in the steps of setup as well"));
    }
}
