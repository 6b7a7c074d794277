//! Which rules a statement meets, and what they do to it.
//!
//! Pure. Not here: how it is done (`act`), connections that are refused (`door`).

use std::time::Duration;

use super::names::Stated;
use super::world::World;
use crate::base::clock::Tick;
use crate::fault::decide::Unit;
use crate::fault::rule::{Docket, Hit};
use crate::plan::fault::Time;
use crate::plan::fault::rule::postgres::{Act, Death, Moment, Only};
use crate::plan::fault::rule::{Place, Rule, Within};
use crate::wire::postgres::startup::Who;
use crate::wire::sql::Verb;

/// What is known of a statement when it is judged.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) stated: &'a Stated,
    pub(super) who: &'a Who,
    /// On its connection.
    pub(super) ordinal: u64,
    /// Of the connection.
    pub(super) transaction: u64,
    /// `I`, `T` or `E`, in which the server will handle it.
    pub(super) status: u8,
    /// The server can be made to raise.
    pub(super) raises: bool,
    /// Nothing is owed, and no transaction is open: an answer of our own is no untruth.
    pub(super) idle: bool,
    /// How often its shape was judged on this connection before.
    pub(super) asked: u64,
    pub(super) now: Tick,
}

/// One fault's time on a statement.
#[derive(Debug)]
pub(super) struct Tied {
    pub(super) hit: Hit,
    pub(super) time: Duration,
}

/// What becomes of a statement.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// It waits before the server sees it.
    pub(super) request: Vec<Tied>,
    /// The server sleeps.
    pub(super) server: Vec<Tied>,
    /// Its answer waits.
    pub(super) response: Vec<Tied>,
    /// Its answer stops after so many rows.
    pub(super) stall: Option<(u64, Tied)>,
    /// It is not carried out, or not heard of.
    pub(super) end: Option<End>,
}

/// What befalls a statement instead.
#[derive(Debug)]
pub(super) enum End {
    /// The server raises an error in its place.
    Raise { sqlstate: String, message: String },
    /// The connection ends before it.
    Kill(Death),
    /// It commits, and nobody hears of it.
    Unknown(Death),
}

impl Verdict {
    /// Nothing befalls it.
    pub(super) fn is_empty(&self) -> bool {
        self.request.is_empty()
            && self.server.is_empty()
            && self.response.is_empty()
            && self.stall.is_none()
            && self.end.is_none()
    }
}

/// Judges a statement by every rule, in the order of their injection; the first that ends it is the last.
pub(super) fn judge(docket: &mut Docket, world: &World, message: &Message<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    for case in docket.cases() {
        let Some(Rule::Postgres(rule)) = case.rule() else { continue };
        if !concerns(&rule.act, message, case.injected()) || !holds(&rule.only, message) {
            continue;
        }
        let (act, nth) = (rule.act.clone(), rule.only.nth);
        let [of_connection, of_transaction] = case.count(message.transaction);
        let is_nth = nth.is_none_or(|nth| {
            nth.n
                == match nth.of {
                    Within::Connection => of_connection,
                    Within::Transaction => of_transaction,
                    Within::Fault => world.matches(case.fault()),
                }
        });
        if !is_nth {
            continue;
        }
        if !is_safe(&act, message) {
            case.spare();
            continue;
        }
        let fingerprint = Some((message.stated.known.shape.fingerprint.0, message.asked));
        let unit = Unit { trace: message.stated.trace, fingerprint, ..case.unit(message.ordinal) };
        let Some(hit) = case.judge(&unit, message.now, time(&act)) else { continue };
        if enter(act, hit, &mut verdict) {
            break;
        }
    }
    verdict
}

/// What an act draws.
fn time(act: &Act) -> Option<&Time> {
    match act {
        Act::Delay(hold) => Some(&hold.time),
        Act::RowStall { time, .. } => Some(time),
        _ => None,
    }
}

/// True when the act has anything to do with such a statement at all.
fn concerns(act: &Act, message: &Message<'_>, injected: Tick) -> bool {
    let shape = &message.stated.known.shape;
    match act {
        Act::Delay(_) | Act::Error { .. } | Act::RowStall { .. } | Act::Kill { moment: Moment::Statement, .. } => true,
        Act::Kill { moment: Moment::InTransaction, .. } => message.status == b'T',
        Act::Kill { moment: Moment::UnknownCommit, .. } => {
            message.status == b'T' && shape.single().is_some_and(|one| one.verb == Verb::Commit)
        }
        Act::ReadOnly => shape.writes(),
        Act::Failover { refuse, read_only } => {
            let since = message.now.since(injected);
            shape.writes() && since >= *refuse && since < *refuse + *read_only
        }
        Act::Cap { .. } => false,
    }
}

/// True when the act can be done without making the client believe an untruth.
fn is_safe(act: &Act, message: &Message<'_>) -> bool {
    let failed = message.status == b'E';
    match act {
        Act::Error { .. } | Act::ReadOnly | Act::Failover { .. } => {
            // In a failed transaction the server says 25P02 and nothing else.
            !failed && (message.raises || message.status == b'T' || message.idle)
        }
        Act::Delay(hold) if hold.place == Place::Server => !failed,
        _ => true,
    }
}

fn holds(only: &Only, message: &Message<'_>) -> bool {
    let (shape, who) = (&message.stated.known.shape, message.who);
    let any = |list: &[String], value: &str| list.is_empty() || list.iter().any(|one| one == value);
    only.fingerprint.is_none_or(|fingerprint| fingerprint == shape.fingerprint)
        && (only.verbs.is_empty() || only.verbs.iter().any(|verb| shape.does(*verb)))
        && (only.tables.is_empty() || only.tables.iter().any(|table| shape.names(table)))
        && only.in_transaction.is_none_or(|inside| inside == (message.status != b'I'))
        && meets(only, who)
        && any(&only.users, &who.user)
        && only.text.as_ref().is_none_or(|text| text.is_match(&message.stated.text))
}

/// True when the connection itself is meant.
pub(super) fn meets(only: &Only, who: &Who) -> bool {
    let any = |list: &[String], value: &str| list.is_empty() || list.iter().any(|one| one == value);
    any(&only.users, &who.user)
        && any(&only.databases, &who.database)
        && only.application.as_ref().is_none_or(|glob| glob.matches(&who.application))
}

/// Enters a hit into the verdict; true when it ends the statement.
fn enter(act: Act, hit: Hit, verdict: &mut Verdict) -> bool {
    match act {
        Act::Delay(hold) => {
            let tied = Tied { time: hit.time(), hit };
            match hold.place {
                Place::Request | Place::Body(_) => verdict.request.push(tied),
                Place::Response => verdict.response.push(tied),
                Place::Server => verdict.server.push(tied),
            }
            return false;
        }
        Act::RowStall { after, .. } => {
            verdict.stall = Some((after, Tied { time: hit.time(), hit }));
            return false;
        }
        Act::Error { sqlstate, message } => verdict.end = Some(End::Raise { sqlstate, message }),
        Act::ReadOnly | Act::Failover { .. } => {
            let message = "cannot execute this statement in a read-only transaction".to_owned();
            verdict.end = Some(End::Raise { sqlstate: "25006".to_owned(), message });
        }
        Act::Kill { how, moment: Moment::UnknownCommit } => {
            hit.cut();
            verdict.end = Some(End::Unknown(how));
        }
        Act::Kill { how, .. } => {
            hit.cut();
            verdict.end = Some(End::Kill(how));
        }
        Act::Cap { .. } => return false,
    }
    true
}
