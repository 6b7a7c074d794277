//! How clients behave: connections, limits of time, headers of every request.

use std::time::Duration;

use super::desk::Desk;
use super::retry;
use super::step::headers;
use super::tables::{Known, Tables};
use crate::base::duration::show;
use crate::plan::load::{Client, Connections, Timeouts};
use crate::plan::program::{Draw, Drawn};
use crate::plan::template::{Escape, Piece, Template};
use crate::plan::wires::Life;
use crate::spec::scenario::{Auth, Client as Written, Connections as WrittenConnections, Timeouts as WrittenTimeouts};
use crate::spec::source::{Mark, Spanned};

/// More hops than browsers follow are no way to an answer.
const REDIRECTS_MOST: u64 = 50;
const TOTAL_MOST: Duration = Duration::from_secs(3600);

pub(super) fn client(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &Known,
    (written, draws): (Option<&Spanned<Written>>, &mut Vec<Drawn>),
) -> Client {
    let mut client = Client::default();
    let Some(written) = desk.open_if(written) else { return client };
    if let Some(connections) = &written.connections {
        client.connections = connections_of(desk, connections, &mut client.wires.life);
    }
    if let Some(limits) = desk.open_if(written.timeouts.as_ref()) {
        client.timeouts = timeouts(desk, limits);
    }
    if let Some(limit) = &written.body_limit {
        client.body_limit = desk.size(limit).unwrap_or(client.body_limit);
    }
    client.patience = written.patience.as_ref().and_then(|patience| retry::patience(desk, patience));
    client.retry = written.retry.as_ref().and_then(|retry| retry::retry(desk, retry));
    client.cookies = desk.open_if(written.cookies.as_ref()).copied().unwrap_or(true);
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
        client.redirects = u32::try_from(hops).unwrap_or(0);
    }
    client.headers = headers(desk, tables, known, written.headers.as_ref());
    if let Some(auth) = &written.auth
        && let Some(value) = authorization(desk, tables, known, (auth, draws))
    {
        client.headers.push(("authorization".to_owned(), value));
    }
    client
}

/// The value of `authorization`; credentials become a variable of their own, drawn last.
fn authorization(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &Known,
    (written, draws): (&Spanned<Auth>, &mut Vec<Drawn>),
) -> Option<Template> {
    match desk.open(written)? {
        Auth::Bearer(token) => {
            let token = tables.template(desk, known, token, Escape::Plain)?;
            let mut pieces = vec![Piece::Text("Bearer ".to_owned())];
            pieces.extend(token.pieces);
            Some(Template { pieces })
        }
        Auth::Basic(user, password) => {
            let name = desk.text(user)?;
            if name.contains(':') {
                desk.error("bad_header", user.mark, "a user name holds no `:`", "it parts the name from the password");
            }
            let password = tables.template(desk, known, password, Escape::Plain)?;
            let mut pieces = vec![Piece::Text(format!("{name}:"))];
            pieces.extend(password.pieces);
            let place = format!("auth.basic.{}", draws.len());
            let into = tables.variable(&place, Mark::default(), Vec::new());
            draws.push(Drawn { name: place, into, draw: Draw::Basic(Template { pieces }) });
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
fn timeouts(desk: &mut Desk, written: &WrittenTimeouts) -> Timeouts {
    let usual = Timeouts::default();
    let total = desk.duration_or(written.total.as_ref(), usual.total);
    if let Some(at) = written.total.as_ref().filter(|_| total > TOTAL_MOST || total.is_zero()) {
        desk.error("timeouts", at.mark, format!("a total of {}", show(total)), "write a time above 0s, at most 1h");
    }
    let mut limit = |written: Option<&Spanned<String>>, usual: Duration| {
        let Some(spanned) = written else { return usual.min(total) };
        let limit = desk.duration(spanned).unwrap_or(usual);
        if limit > total || limit.is_zero() {
            let message = format!("{} is not within the total of {}", show(limit), show(total));
            desk.error("timeouts", spanned.mark, message, "a phase lasts longer than 0s and at most `total`");
        }
        limit
    };
    Timeouts {
        resolve: limit(written.resolve.as_ref(), usual.resolve),
        connect: limit(written.connect.as_ref(), usual.connect),
        tls: limit(written.tls.as_ref(), usual.tls),
        wait: limit(written.wait.as_ref(), usual.wait),
        first_byte: limit(written.first_byte.as_ref(), usual.first_byte),
        idle: limit(written.idle.as_ref(), usual.idle),
        total,
    }
}
