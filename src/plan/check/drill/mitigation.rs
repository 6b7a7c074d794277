//! Mitigations: what the players may do, who may, and how one sees that it took.

use super::act::name;
use super::condition::level;
use super::lever;
use super::pace::Paces;
use super::people::role;
use super::system::said;
use crate::plan::check::desk::Desk;
use crate::plan::drill::{Lever, Mitigation, MitigationKind, Role};
use crate::spec::act::{Kind, Mitigation as Written, Remedy, Verify};
use crate::spec::drill::Role as WrittenRole;
use crate::spec::source::{Mark, Spanned};

/// Mitigations with the places of their names.
#[derive(Debug, Default)]
pub(super) struct Mitigations {
    pub(super) list: Vec<(Mitigation, Mark)>,
    /// Some of them could not be read: names that are missing may be theirs.
    pub(super) has_gaps: bool,
}

impl Mitigations {
    pub(super) fn names(&self) -> Vec<&str> {
        self.list.iter().map(|(one, _)| one.name.as_str()).collect()
    }
}

pub(super) fn mitigations(
    desk: &mut Desk,
    paces: Paces,
    written: Option<&Spanned<Vec<Spanned<Written>>>>,
) -> Mitigations {
    let mut found = Mitigations::default();
    let Some(list) = desk.open_if(written) else {
        found.has_gaps = written.is_some();
        return found;
    };
    for spanned in list {
        let read = desk.open(spanned).and_then(|one| Some((one, name(desk, &one.name)?)));
        let Some((one, name)) = read else {
            found.has_gaps = true;
            continue;
        };
        found.has_gaps |= one.kind.value.is_err();
        if let Some((_, first)) = found.list.iter().find(|(known, _)| known.name == name) {
            desk.duplicate("mitigations", &name, one.name.mark, *first);
        }
        found.list.push((mitigation(desk, paces, (name, one, spanned.mark)), one.name.mark));
    }
    let is_way_out = |one: &(Mitigation, Mark)| one.0.kind == MitigationKind::Correct;
    if let Some(at) = written.filter(|_| !found.has_gaps && !found.list.iter().any(is_way_out)) {
        let help = "nobody can win this drill: add one with `kind: Correct`";
        desk.warn("no-way-out", at.mark, "no mitigation is the correct one", help);
    }
    found
}

fn mitigation(desk: &mut Desk, paces: Paces, (name, written, at): (String, &Written, Mark)) -> Mitigation {
    let label = said(desk, &written.label);
    let kind = desk.open(&written.kind).copied();
    let allowed = allowed(desk, &name, &written.allowed);
    let remedy = desk.open(&written.does);
    let does = match remedy {
        Some(Remedy::Http(http)) => lever::http(desk, http).map(Lever::Http),
        Some(Remedy::Command(command)) => lever::command(desk, command).map(Lever::Command),
        Some(Remedy::Manual) | None => None,
    };
    let needs_none = matches!(remedy, Some(Remedy::Manual) | None) || matches!(kind, Some(Kind::Harmful) | None);
    if written.verify.is_none() && !needs_none {
        let message = format!("nothing shows that mitigation `{name}` took");
        desk.error("unverifiable-mitigation", at, message, "add `verify: Probe(…)`");
    }
    let verify = match desk.open_if(written.verify.as_ref()) {
        Some(Verify::Probe(probe)) => lever::probe(desk, paces, probe),
        None => None,
    };
    if let Some(effect) = desk.open_if(written.effect.as_ref()) {
        level(desk, &effect.signal, &effect.falls_to);
        paces.read_plain(desk, &effect.within);
    }
    let kind = match kind {
        Some(Kind::Correct) => MitigationKind::Correct,
        Some(Kind::CorrectSlow) => MitigationKind::CorrectSlow,
        Some(Kind::Partial) => MitigationKind::Partial,
        Some(Kind::NoEffect) | None => MitigationKind::NoEffect,
        Some(Kind::Harmful) => MitigationKind::Harmful,
    };
    Mitigation { name, label, kind, allowed, does, verify }
}

fn allowed(desk: &mut Desk, name: &str, written: &Spanned<Vec<Spanned<WrittenRole>>>) -> Vec<Role> {
    let Some(list) = desk.open(written) else { return Vec::new() };
    if list.is_empty() {
        let message = format!("nobody may do `{name}`");
        desk.error("nobody-may", written.mark, message, "name a role, such as `allowed: [Ops]`");
    }
    list.iter().filter_map(|one| role(desk, one)).collect()
}
