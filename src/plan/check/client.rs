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
use crate::spec::scenario::{Auth, Client as Written, Connections as WrittenConnections, Timeouts as WrittenTimeouts};
use crate::spec::source::{Mark, Spanned};

/// What is kept of a body for checks, unless the scenario says otherwise.
const BODY_LIMIT: u64 = 8 << 20;
/// More hops than browsers follow are no way to an answer.
const REDIRECTS_MOST: u64 = 50;
const TOTAL_MOST: Duration = Duration::from_secs(3600);

pub(super) fn client(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &Known,
    (written, draws): (Option<&Spanned<Written>>, &mut Vec<Drawn>),
) -> Client {
    let mut client = Client {
        connections: Connections::ByWorkload,
        timeouts: Timeouts::default(),
        headers: Vec::new(),
        body_limit: BODY_LIMIT,
        cookies: true,
        redirects: 0,
        patience: None,
        retry: None,
    };
    let Some(written) = desk.open_if(written) else { return client };
    if let Some(connections) = &written.connections {
        client.connections = connections_of(desk, connections);
    }
    if let Some(limits) = desk.open_if(written.timeouts.as_ref()) {
        client.timeouts = timeouts(desk, limits);
    }
    if let Some(limit) = &written.body_limit {
        client.body_limit = desk.size(limit).unwrap_or(BODY_LIMIT);
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

fn connections_of(desk: &mut Desk, written: &Spanned<WrittenConnections>) -> Connections {
    match desk.open(written) {
        None => Connections::ByWorkload,
        Some(WrittenConnections::Fresh) => Connections::Fresh,
        Some(WrittenConnections::PerUser(_)) => Connections::PerUser,
        Some(WrittenConnections::Shared(shared)) => {
            let max = desk.open_if(shared.max.as_ref()).copied().unwrap_or(100);
            if max == 0 {
                desk.error("bad_number", written.mark, "no connection at all", "write `max` of at least 1");
            }
            Connections::Shared { max: usize::try_from(max).unwrap_or(usize::MAX) }
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
        connect: limit(written.connect.as_ref(), usual.connect),
        wait: limit(written.wait.as_ref(), usual.wait),
        first_byte: limit(written.first_byte.as_ref(), usual.first_byte),
        idle: limit(written.idle.as_ref(), usual.idle),
        total,
    }
}
