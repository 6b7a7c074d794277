//! How clients behave: connections, limits of time, headers of every request.

use std::time::Duration;

use super::desk::Desk;
use super::step::headers;
use super::tables::{Known, Tables};
use super::{chores, retry};
use crate::base::duration::show;
use crate::plan::load::{Client, Connections, Timeouts};
use crate::plan::manner::{Manner, Span};
use crate::plan::program::{Draw, Drawn};
use crate::plan::template::{Escape, Piece, Template};
use crate::plan::wires::Life;
use crate::spec::scenario::{Auth, Client as Written, Connections as WrittenConnections, Timeouts as WrittenTimeouts};
use crate::spec::source::{Mark, Spanned};

/// More hops than browsers follow are no way to an answer.
const REDIRECTS_MOST: u64 = 50;
const TOTAL_MOST: Duration = Duration::from_secs(3600);

/// Where a client is written, and the client around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting<'a> {
    /// The client that holds where nothing is written.
    pub(super) around: &'a Client,
    /// Whether connections belong there: in the scenario and its workloads.
    pub(super) connections: Connecting,
    /// What is known when a journey begins: credentials are drawn then.
    pub(super) start: &'a Known,
}

/// Whether connections may be written in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connecting {
    Here,
    Elsewhere,
}

/// How the clients of one place differ from those around them.
pub(super) fn manner(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &Known,
    (setting, written): (Setting<'_>, Option<&Spanned<Written>>),
) -> Option<Manner> {
    let written = desk.open_if(written)?;
    let mut manner = Manner::default();
    if let Some(connections) = &written.connections {
        let mut life = Life::default();
        let how = connections_of(desk, connections, &mut life);
        manner.connections = Some((how, life));
        if setting.connections == Connecting::Elsewhere {
            let help = "write them in the `client` of the scenario or of a workload";
            desk.error(
                "unknown_field",
                connections.mark,
                "journeys and steps share their workload's connections",
                help,
            );
        }
    }
    if let Some(limits) = desk.open_if(written.timeouts.as_ref()) {
        manner.timeouts = timeouts(desk, limits, &setting.around.timeouts);
    }
    manner.body_limit = written.body_limit.as_ref().and_then(|limit| desk.size(limit));
    manner.patience = written.patience.as_ref().and_then(|patience| retry::patience(desk, patience));
    manner.retry = written.retry.as_ref().and_then(|retry| retry::retry(desk, retry));
    manner.cookies = desk.open_if(written.cookies.as_ref()).copied();
    if let Some(redirects) = &written.redirects {
        let hops = desk.open(redirects).copied().unwrap_or(0);
        if hops > REDIRECTS_MOST {
            desk.error(
                "bad_number",
                redirects.mark,
                format!("{hops} redirects"),
                format!("write at most {REDIRECTS_MOST}"),
            );
        }
        manner.redirects = u32::try_from(hops).ok();
    }
    manner.headers = headers(desk, tables, known, written.headers.as_ref());
    if let Some(auth) = &written.auth
        && let Some(value) = authorization(desk, tables, (known, setting.start), auth)
    {
        manner.headers.retain(|(name, _)| name != "authorization");
        manner.headers.push(("authorization".to_owned(), value));
    }
    Some(manner)
}

/// The value of `authorization`; credentials become a variable of their own, drawn last.
fn authorization(
    desk: &mut Desk,
    tables: &mut Tables,
    (known, start): (&Known, &Known),
    written: &Spanned<Auth>,
) -> Option<Template> {
    match desk.open(written)? {
        Auth::Bearer(token) => {
            let token = tables.template(desk, known, token, Escape::Plain)?;
            let mut pieces = vec![Piece::Text("Bearer ".to_owned())];
            pieces.extend(token.pieces);
            Some(Template { pieces })
        }
        Auth::Token(token) => {
            let name = desk.text(token)?;
            let Some(into) = tables.find(&chores::variable(name)) else {
                let known: Vec<&str> = tables.tokens.iter().map(|(name, _)| name.as_str()).collect();
                desk.unknown("token", name, token.mark, &known);
                return None;
            };
            Some(Template { pieces: vec![Piece::Text("Bearer ".to_owned()), Piece::Var(into, Escape::Plain)] })
        }
        Auth::Basic(user, password) => {
            let name = desk.text(user)?;
            if name.contains(':') {
                desk.error("bad_header", user.mark, "a user name holds no `:`", "it parts the name from the password");
            }
            let password = tables.template(desk, start, password, Escape::Plain)?;
            let mut pieces = vec![Piece::Text(format!("{name}:"))];
            pieces.extend(password.pieces);
            let place = format!("auth.basic.{}", tables.draws.len());
            let into = tables.variable(&place, Mark::default(), Vec::new());
            tables.draws.push(Drawn { name: place, into, draw: Draw::Basic(Template { pieces }) });
            Some(Template { pieces: vec![Piece::Text("Basic ".to_owned()), Piece::Var(into, Escape::Plain)] })
        }
    }
}

fn connections_of(desk: &mut Desk, written: &Spanned<WrittenConnections>, life: &mut Life) -> Connections {
    match desk.open(written) {
        None => Connections::ByWorkload,
        Some(WrittenConnections::Fresh) => Connections::Fresh,
        Some(WrittenConnections::PerUser(own)) => {
            life.streams = number(desk, own.streams.as_ref(), 100);
            let first = desk.open_if(own.open_first.as_ref()).copied().unwrap_or(0);
            life.open_first = usize::try_from(first).unwrap_or(usize::MAX);
            let lasting = (own.open_rate.as_ref(), own.max_requests.as_ref(), own.max_age.as_ref());
            lasts(desk, lasting, own.idle.as_ref(), life);
            Connections::PerUser
        }
        Some(WrittenConnections::Shared(shared)) => {
            let max = number(desk, shared.max.as_ref(), 100);
            life.streams = number(desk, shared.streams.as_ref(), 100);
            life.open_first = desk
                .open_if(shared.open_first.as_ref())
                .map_or(0, |first| usize::try_from(*first).unwrap_or(usize::MAX));
            if let Some(first) = shared.open_first.as_ref().filter(|_| life.open_first > max) {
                let message = format!("{} connections at first, of at most {max}", life.open_first);
                desk.error("bad_number", first.mark, message, "write at most `max`");
            }
            let lasting = (shared.open_rate.as_ref(), shared.max_requests.as_ref(), shared.max_age.as_ref());
            lasts(desk, lasting, shared.idle.as_ref(), life);
            Connections::Shared { max }
        }
    }
}

/// A number of at least one.
fn number(desk: &mut Desk, written: Option<&Spanned<u64>>, usual: usize) -> usize {
    let Some(spanned) = written else { return usual };
    let Some(&number) = desk.open(spanned) else { return usual };
    if number == 0 {
        desk.error("bad_number", spanned.mark, "none at all", "write a number of at least 1");
    }
    usize::try_from(number).unwrap_or(usize::MAX)
}

type Text<'a> = Option<&'a Spanned<String>>;

fn lasts(
    desk: &mut Desk,
    (rate, requests, age): (Text<'_>, Option<&Spanned<u64>>, Text<'_>),
    idle: Text<'_>,
    life: &mut Life,
) {
    life.open_rate = rate.and_then(|rate| desk.rate(rate));
    if let Some(rate) = rate.filter(|_| life.open_rate == Some(0.0)) {
        desk.error("zero_rate", rate.mark, "never opens a connection", "write a rate above 0, or leave it out");
    }
    life.max_requests = requests.map(|requests| number(desk, Some(requests), 1) as u64);
    life.max_age = age.and_then(|age| desk.duration(age));
    life.idle = desk.duration_or(idle, life.idle);
    for spanned in [age, idle].into_iter().flatten() {
        if desk.duration(spanned).is_some_and(|time| time.is_zero()) {
            desk.error(
                "timeouts",
                spanned.mark,
                "a connection that lives no time",
                "write a time above 0s, or `Fresh`",
            );
        }
    }
}

/// A written limit above `total` is a mistake; a limit nobody wrote is lowered to `total`.
fn timeouts(desk: &mut Desk, written: &WrittenTimeouts, around: &Timeouts) -> Span {
    let total = written.total.as_ref().and_then(|total| desk.duration(total));
    let whole = total.unwrap_or(around.total);
    if let Some(at) = written.total.as_ref().filter(|_| whole > TOTAL_MOST || whole.is_zero()) {
        desk.error("timeouts", at.mark, format!("a total of {}", show(whole)), "write a time above 0s, at most 1h");
    }
    let mut limit = |phase: Option<&Spanned<String>>| {
        let spanned = phase?;
        let limit = desk.duration(spanned)?;
        if limit > whole || limit.is_zero() {
            let message = format!("{} is not within the total of {}", show(limit), show(whole));
            desk.error("timeouts", spanned.mark, message, "a phase lasts longer than 0s and at most `total`");
            if let Some(total) = written.total.as_ref().filter(|_| limit > whole) {
                desk.relate(total.mark, "the total is here");
            }
        }
        Some(limit)
    };
    Span {
        resolve: limit(written.resolve.as_ref()),
        connect: limit(written.connect.as_ref()),
        tls: limit(written.tls.as_ref()),
        wait: limit(written.wait.as_ref()),
        first_byte: limit(written.first_byte.as_ref()),
        idle: limit(written.idle.as_ref()),
        total,
    }
}
