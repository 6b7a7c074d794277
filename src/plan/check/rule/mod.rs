//! Rules as written become rules as run; and whether a proxy reads what its rules act on.
//!
//! Called by the checks of drills and of proxy files. Not here: toxics (`inject`).

mod postgres;

use super::desk::Desk;
use super::envelope::{Allows, Severity};
use super::inject::toxic;
use crate::plan::fault::rule::{Nth, Protocol, Rule, Speaks, Tls, Within};
use crate::plan::fault::{Inject, Per};
use crate::spec::inject::Inject as Written;
use crate::spec::rule as spec;
use crate::spec::source::{Mark, Spanned};

/// What is injected: a toxic, or a rule.
pub(super) fn inject(desk: &mut Desk, written: &Spanned<Written>) -> Option<Inject> {
    match desk.open(written)? {
        Written::Postgres(rule) => Some(Rule::Postgres(Box::new(postgres::rule(desk, rule)?)).into()),
        other => toxic(desk, other).map(Inject::from),
    }
}

/// What the envelope of a fault may say of it.
pub(super) fn allows(inject: Option<&Inject>) -> Allows {
    match inject {
        Some(Inject::Rule(Rule::Postgres(rule))) => {
            let severity = if rule.act.has_time() { Severity::Yes } else { Severity::No };
            Allows { per: Per::Message, severity }
        }
        Some(Inject::Rule(_)) => Allows { per: Per::Message, severity: Severity::Yes },
        Some(Inject::Toxic(toxic)) => super::inject::allows(Some(toxic)),
        None => super::inject::allows(None),
    }
}

/// What a proxy reads.
pub(super) fn speaks(desk: &mut Desk, written: Option<&Spanned<spec::Speaks>>) -> Option<Speaks> {
    let Some(spanned) = written else { return Some(Speaks::default()) };
    let (protocol, reads) = match desk.open(spanned)? {
        spec::Speaks::Bytes => return Some(Speaks::default()),
        spec::Speaks::Http(reads) => (Protocol::Http, reads),
        spec::Speaks::Postgres(reads) => (Protocol::Postgres, reads),
    };
    let tls = match &reads.tls {
        None => Tls::Refuse,
        Some(tls) => match desk.open(tls)? {
            spec::Tls::Refuse => Tls::Refuse,
            spec::Tls::Pass => Tls::Pass,
        },
    };
    Some(Speaks { protocol, tls })
}

/// Says that the rule `inject` acts on what the proxy `name` does not read.
pub(super) fn heard(desk: &mut Desk, at: Mark, inject: &Inject, (name, speaks): (&str, (&Speaks, Option<Mark>))) {
    let Inject::Rule(rule) = inject else { return };
    let (speaks, place) = speaks;
    let (wants, has) = (rule.protocol(), speaks.protocol);
    if wants != has {
        let message = format!("a rule on {} cannot act on proxy `{name}`, which speaks {}", wants.name(), has.name());
        desk.error("speaks-otherwise", at, message, format!("give the proxy `speaks: {}(tls: Refuse)`", wants.name()));
        if let Some(place) = place {
            desk.related(place, "it is said here");
        }
    } else if speaks.tls == Tls::Pass {
        let message = format!("proxy `{name}` passes encrypted connections unread");
        desk.error("speaks-otherwise", at, message, "write `tls: Refuse`, so that the rule sees what passes");
        if let Some(place) = place {
            desk.related(place, "it is said here");
        }
    }
}

fn nth(desk: &mut Desk, spanned: &Spanned<spec::Nth>) -> Option<Nth> {
    let nth = desk.open(spanned)?;
    let n = *desk.open(&nth.n)?;
    if n == 0 {
        desk.error("out-of-range", nth.n.mark, "there is no message number 0", "count from 1");
    }
    let of = match desk.open_if(nth.of.as_ref()) {
        Some(spec::Within::Transaction) => Within::Transaction,
        Some(spec::Within::Fault) => Within::Fault,
        Some(spec::Within::Connection) | None => Within::Connection,
    };
    Some(Nth { n, of })
}
