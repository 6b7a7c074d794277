//! Rules on PostgreSQL: SQLSTATEs, regexes, fingerprints, limits and times with their ranges.

use std::ops::RangeInclusive;
use std::time::Duration;

use regex::RegexBuilder;

use super::nth;
use crate::plan::check::desk::Desk;
use crate::plan::check::inject::{duration, time};
use crate::plan::fault::rule::postgres::{Act, Death, Glob, Moment, Only, Per, Postgres};
use crate::plan::fault::rule::{Hold, Place};
use crate::spec::rule::postgres as spec;
use crate::spec::source::Spanned;
use crate::wire::sql::{Fingerprint, Verb};

/// Bytes that a compiled regex may take.
const REGEX_MOST: usize = 1 << 20;
/// Connections that a cap may allow.
const CONNECTIONS: RangeInclusive<u64> = 0..=1_000_000;
/// What is said when the file says nothing.
const MESSAGE: &str = "injected by squall";

pub(in crate::plan::check) fn rule(desk: &mut Desk, written: &spec::Postgres) -> Option<Postgres> {
    let only = match &written.only {
        None => Some(Only::default()),
        Some(only) => match desk.open(only) {
            Some(open) => matcher(desk, open),
            None => None,
        },
    };
    let act = desk.open(&written.act).and_then(|one| act(desk, one));
    let (only, act) = (only?, act?);
    if matches!(act, Act::Cap { .. } | Act::Failover { .. })
        && !only.is_about_connections()
        && let Some(place) = &written.only
    {
        let message = "this act is done to connections, which name no statement";
        desk.error("out-of-range", place.mark, message, "match by application, users or databases alone");
    }
    Some(Postgres { only, act })
}

fn matcher(desk: &mut Desk, written: &spec::Only) -> Option<Only> {
    // Every field is read before any is missed: all mistakes are told at once.
    let fingerprint = written.fingerprint.as_ref().map_or(Some(None), |text| fingerprint(desk, text).map(Some));
    let text = written.text.as_ref().map_or(Some(None), |text| regex(desk, text).map(Some));
    let verbs = written.verbs.as_ref().map_or(Some(Vec::new()), |list| verbs(desk, list));
    let glob = |glob: &str| Glob(glob.to_owned());
    let application = written.application.as_ref().map_or(Some(None), |text| desk.text(text).map(glob).map(Some));
    let tables = names(desk, written.tables.as_ref());
    let users = names(desk, written.users.as_ref());
    let databases = names(desk, written.databases.as_ref());
    let in_transaction = desk.open_if(written.in_transaction.as_ref()).copied();
    let nth = Some(nth(desk, written.nth.as_ref()));
    Some(Only {
        fingerprint: fingerprint?,
        text: text?,
        verbs: verbs?,
        tables: tables?,
        application: application?,
        users: users?,
        databases: databases?,
        in_transaction,
        nth: nth?,
    })
}

fn fingerprint(desk: &mut Desk, written: &Spanned<String>) -> Option<Fingerprint> {
    let text = desk.text(written)?;
    let read = Fingerprint::parse(text);
    if read.is_none() {
        let help = "write 16 hexadecimal digits, as GET /squall/v1/proxies/{p}/fingerprints shows them";
        desk.error("bad-fingerprint", written.mark, format!("`{text}` is no fingerprint"), help);
    }
    read
}

fn regex(desk: &mut Desk, written: &Spanned<String>) -> Option<regex::Regex> {
    let text = desk.text(written)?;
    match RegexBuilder::new(text).size_limit(REGEX_MOST).build() {
        Ok(regex) => Some(regex),
        Err(regex::Error::CompiledTooBig(_)) => {
            desk.error("bad-regex", written.mark, "this regex is too large", "match less, or by verbs and tables");
            None
        }
        Err(error) => {
            // Its last line says what is wrong; the lines before draw it.
            let whole = error.to_string();
            let reason = whole.lines().last().unwrap_or_default().trim_start_matches("error: ");
            desk.error_inside(
                "bad-regex",
                (written.mark, 0..text.len()),
                format!("no regex: {reason}"),
                "mend it here",
            );
            None
        }
    }
}

fn verbs(desk: &mut Desk, written: &Spanned<Vec<Spanned<spec::Verb>>>) -> Option<Vec<Verb>> {
    let list = desk.open(written)?;
    let read: Vec<Option<Verb>> = list.iter().map(|one| desk.open(one).map(|verb| verb_of(*verb))).collect();
    read.into_iter().collect()
}

fn verb_of(written: spec::Verb) -> Verb {
    match written {
        spec::Verb::Select => Verb::Select,
        spec::Verb::Insert => Verb::Insert,
        spec::Verb::Update => Verb::Update,
        spec::Verb::Delete => Verb::Delete,
        spec::Verb::Merge => Verb::Merge,
        spec::Verb::Truncate => Verb::Truncate,
        spec::Verb::Begin => Verb::Begin,
        spec::Verb::Commit => Verb::Commit,
        spec::Verb::Rollback => Verb::Rollback,
        spec::Verb::Savepoint => Verb::Savepoint,
        spec::Verb::Set => Verb::Set,
        spec::Verb::Show => Verb::Show,
        spec::Verb::Define => Verb::Define,
        spec::Verb::Call => Verb::Call,
        spec::Verb::Cursor => Verb::Cursor,
        spec::Verb::Prepare => Verb::Prepare,
        spec::Verb::Notify => Verb::Notify,
    }
}

fn names(desk: &mut Desk, written: Option<&Spanned<Vec<Spanned<String>>>>) -> Option<Vec<String>> {
    let Some(spanned) = written else { return Some(Vec::new()) };
    let list = desk.open(spanned)?;
    let read: Vec<Option<String>> = list.iter().map(|one| desk.text(one).map(str::to_owned)).collect();
    read.into_iter().collect()
}

fn act(desk: &mut Desk, written: &spec::Act) -> Option<Act> {
    Some(match written {
        spec::Act::Delay(one) => {
            let place = match desk.open_if(one.hold.as_ref()) {
                Some(spec::Place::Response) => Place::Response,
                Some(spec::Place::Server) => Place::Server,
                Some(spec::Place::Request) | None => Place::Request,
            };
            Act::Delay(Hold { time: time(desk, &one.time)?, place })
        }
        spec::Act::Error(one) => {
            let sqlstate = sqlstate(desk, &one.sqlstate);
            let message = one.message.as_ref().map_or(Some(MESSAGE), |message| desk.text(message));
            Act::Error { sqlstate: sqlstate?, message: message?.to_owned() }
        }
        spec::Act::Kill(one) => {
            let how = match desk.open_if(one.how.as_ref()) {
                Some(spec::Death::Fatal(code)) => Death::Fatal(sqlstate(desk, code)?),
                Some(spec::Death::Rst) | None => Death::Rst,
            };
            let moment = match desk.open_if(one.moment.as_ref()) {
                Some(spec::Moment::InTransaction) => Moment::InTransaction,
                Some(spec::Moment::UnknownCommit) => Moment::UnknownCommit,
                Some(spec::Moment::Statement) | None => Moment::Statement,
            };
            Act::Kill { how, moment }
        }
        spec::Act::Cap(one) => cap(desk, one)?,
        spec::Act::ReadOnly => Act::ReadOnly,
        spec::Act::Failover(one) => {
            let (refuse, read_only) = (duration(desk, &one.refuse), duration(desk, &one.read_only));
            Act::Failover { refuse: refuse?, read_only: read_only? }
        }
        spec::Act::RowStall(one) => {
            let (after, time) = (desk.open(&one.after).copied(), time(desk, &one.time));
            Act::RowStall { after: after?, time: time? }
        }
    })
}

/// Five of 0-9 and A-Z, and no class that means success or a warning.
fn sqlstate(desk: &mut Desk, written: &Spanned<String>) -> Option<String> {
    let text = desk.text(written)?;
    let help = "write five of 0-9 and A-Z, such as \"40P01\"; classes 00, 01 and 02 are no errors";
    let plain = text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    let quiet = ["00", "01", "02"].iter().any(|class| text.starts_with(class));
    // PL/pgSQL takes no condition whose last three characters are zeros for an error of its own, but raises it.
    if !plain || quiet {
        desk.error("bad-sqlstate", written.mark, format!("`{text}` is no SQLSTATE of an error"), help);
        return None;
    }
    Some(text.to_owned())
}

fn cap(desk: &mut Desk, written: &spec::Cap) -> Option<Act> {
    let limit = desk.open(&written.limit).copied();
    let per = match desk.open_if(written.per.as_ref()) {
        Some(spec::Per::User) => Per::User,
        Some(spec::Per::Database) => Per::Database,
        Some(spec::Per::Application) => Per::Application,
        Some(spec::Per::Proxy) | None => Per::Proxy,
    };
    desk.open_if(written.how.as_ref());
    let every = match &written.release {
        None => None,
        Some(rate) => {
            let per_second = desk.rate(rate)?;
            if per_second <= 0.0 {
                desk.error("out-of-range", rate.mark, "no place would ever come back", "write a rate above 0");
                return None;
            }
            Some(Duration::from_secs_f64(1.0 / per_second))
        }
    };
    let limit = limit?;
    if !CONNECTIONS.contains(&limit) {
        desk.error("out-of-range", written.limit.mark, format!("{limit} connections"), "write at most 1000000");
    }
    Some(Act::Cap { limit, per, every })
}
