//! A request step: where it goes, what it carries, what its answer must be.

use std::fmt::Write as _;

use super::answer;
use super::desk::{Desk, suggest};
use super::journey::Paths;
use super::tables::{Known, Tables};
use crate::plan::program::{Http, OnFailure};
use crate::plan::template::{Escape, Piece, Template};
use crate::spec::names::Named;
use crate::spec::source::{Mark, Spanned};
use crate::spec::step::{Body, Http as Written};

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

pub(super) fn http(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &mut Known,
    (paths, written, on_failure): (&Paths<'_>, &Written, OnFailure),
) -> Option<Http> {
    let method = method(desk, written.method.as_ref());
    let (name, at) = name(desk, written, &method);
    let step = tables.step(desk, name, at);
    let target = place(desk, tables, known, (paths, &written.url, written.query.as_ref()));
    let mut headers = headers(desk, tables, known, written.headers.as_ref());
    let body = written.body.as_ref().and_then(|body| self::body(desk, tables, known, body));
    let body = body.map(|(body, kind)| {
        if !headers.iter().any(|(name, _)| name == "content-type") {
            headers.push(("content-type".to_owned(), Template::fixed(kind)));
        }
        body
    });
    let named = desk.open_if(written.extract.as_ref());
    let extract = named.map(|named| answer::extractions(desk, tables, known, (named, on_failure))).unwrap_or_default();
    let check = answer::step_checks(desk, tables, (known, written.check.as_ref()));
    let truth = desk.open_if(written.truth.as_ref());
    let truth = truth.map(|list| answer::truths(desk, tables, known, list)).unwrap_or_default();
    let (origin, path) = target?;
    Some(Http { step, method, origin, path, headers, body, total: paths.total, extract, check, truth })
}

fn method(desk: &mut Desk, written: Option<&Spanned<String>>) -> String {
    let Some(spanned) = written else { return "GET".to_owned() };
    let Some(text) = desk.text(spanned) else { return "GET".to_owned() };
    if !METHODS.contains(&text) {
        let help = suggest(text, &METHODS);
        desk.error("bad_method", spanned.mark, format!("`{text}` is not a method that can be sent"), help);
    }
    text.to_owned()
}

/// The written name, else method and url as written; names hold no `${}`, so that the number of series is known.
fn name(desk: &mut Desk, written: &Written, method: &str) -> (String, Mark) {
    if let Some(spanned) = &written.name {
        let name = desk.text(spanned).unwrap_or_default();
        if name.contains("${") {
            let message = format!("the name `{name}` would be a new series for every value");
            desk.error("bad_name", spanned.mark, message, "write the name without `${…}`");
        }
        if name.trim().is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
            desk.error("bad_name", spanned.mark, "this cannot name a series", "write 1 to 200 printable characters");
        }
        return (name.to_owned(), spanned.mark);
    }
    let url = written.url.value.as_deref().unwrap_or_default();
    (format!("{method} {url}"), written.url.mark)
}

/// The origin's index, and path and query.
pub(super) fn place(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &Known,
    (paths, url, query): (&Paths<'_>, &Spanned<String>, Option<&Spanned<Named<String>>>),
) -> Option<(usize, Template)> {
    let text = desk.text(url)?;
    let template = tables.template(desk, known, url, Escape::Percent);
    let query = self::query(desk, tables, known, query);
    let mut path = template?;
    let mut origin = 0;
    if let [Piece::Var(variable, _)] = path.pieces.as_slice() {
        // A url that is one variable is a whole path, taken as it is.
        path.pieces = vec![Piece::Var(*variable, Escape::Plain)];
    } else if let Some((host, _)) = text.split_once(":/").filter(|_| !text.starts_with('/')) {
        origin = self::origin(desk, paths, (host, url.mark), text)?;
        if let Some(Piece::Text(first)) = path.pieces.first_mut() {
            *first = first.get(host.len() + 1..).unwrap_or_default().to_owned();
        }
    } else if !text.starts_with('/') {
        let help = "a url begins with `/` or with a host's name and `:/`";
        desk.error("bad_url", url.mark, format!("`{text}` is not a path"), help);
        return None;
    }
    for piece in &mut path.pieces {
        if let Piece::Text(text) = piece {
            *text = percent(text, |c| c.is_ascii_graphic() && !"\"<>\\^`{|}#".contains(c));
        }
    }
    let mut sign = if text.contains('?') { "&" } else { "?" };
    for (name, value) in query {
        path.pieces.push(Piece::Text(format!("{sign}{name}=")));
        path.pieces.extend(value.pieces);
        sign = "&";
    }
    Some((origin, path))
}

fn origin(desk: &mut Desk, paths: &Paths<'_>, (host, at): (&str, Mark), text: &str) -> Option<usize> {
    if text.contains("://") {
        let help = "name the host in `target.hosts` and write `name:/path`";
        desk.error("bad_url", at, format!("`{text}` is a whole address"), help);
        return None;
    }
    if let Some((_, index)) = paths.hosts.iter().find(|(known, _)| known == host) {
        return Some(*index);
    }
    let known: Vec<&str> = paths.hosts.iter().map(|(name, _)| name.as_str()).collect();
    desk.unknown("host", host, at, &known);
    None
}

/// Pairs of a query or form: names percent-encoded, texts between variables too.
fn query(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &Known,
    written: Option<&Spanned<Named<String>>>,
) -> Vec<(String, Template)> {
    desk.open_if(written).map(|named| pairs(desk, tables, known, named)).unwrap_or_default()
}

fn pairs(desk: &mut Desk, tables: &mut Tables, known: &Known, named: &Named<String>) -> Vec<(String, Template)> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let mut pairs = Vec::new();
    for (name, _, text) in desk.entries(named, "fields") {
        let Some(mut value) = tables.template(desk, known, text, Escape::Percent) else { continue };
        for piece in &mut value.pieces {
            if let Piece::Text(text) = piece {
                *text = percent(text, is_plain);
            }
        }
        pairs.push((percent(name, is_plain), value));
    }
    pairs
}

fn percent(text: &str, keeps: impl Fn(char) -> bool) -> String {
    let mut encoded = String::new();
    for c in text.chars() {
        if keeps(c) {
            encoded.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

/// Headers with names in lower case; those that belong to the client itself are refused.
pub(super) fn headers(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &Known,
    written: Option<&Spanned<Named<String>>>,
) -> Vec<(String, Template)> {
    let Some(named) = desk.open_if(written) else { return Vec::new() };
    let mut headers: Vec<(String, Template)> = Vec::new();
    for (name, at, text) in desk.entries(named, "headers") {
        let lower = name.to_ascii_lowercase();
        let is_token =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
        if !is_token {
            desk.error("bad_header", at, format!("`{name}` is not a header's name"), "use letters, digits and `-`");
        } else if ["host", "content-length", "transfer-encoding", "connection"].contains(&lower.as_str()) {
            desk.error("bad_header", at, format!("`{name}` is set by the client itself"), "leave it out");
        } else if headers.iter().any(|(known, _)| *known == lower) {
            desk.error(
                "duplicate_name",
                at,
                format!("header `{lower}` is written twice"),
                "names do not differ by case",
            );
        }
        let Some(value) = tables.template(desk, known, text, Escape::Plain) else { continue };
        let has_break = |piece: &Piece| matches!(piece, Piece::Text(text) if text.contains(['\r', '\n', '\0']));
        if value.pieces.iter().any(has_break) {
            desk.error("bad_header", text.mark, "a header holds no line break and no NUL", "write it in one line");
        }
        headers.push((lower, value));
    }
    headers
}

/// The body and its content type.
fn body(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &Known,
    written: &Spanned<Body>,
) -> Option<(Template, &'static str)> {
    match desk.open(written)? {
        Body::Text(text) => Some((tables.template(desk, known, text, Escape::Plain)?, "text/plain; charset=utf-8")),
        Body::Json(text) => {
            let template = tables.template(desk, known, text, Escape::Json)?;
            json(desk, tables, (&template, text.mark));
            Some((template, "application/json"))
        }
        Body::Form(named) => {
            let mut template = Template::default();
            for (n, (name, value)) in pairs(desk, tables, known, named).into_iter().enumerate() {
                let sign = if n == 0 { "" } else { "&" };
                template.pieces.push(Piece::Text(format!("{sign}{name}=")));
                template.pieces.extend(value.pieces);
            }
            Some((template, "application/x-www-form-urlencoded"))
        }
    }
}

/// A JSON body must be JSON with every value its variables may take.
fn json(desk: &mut Desk, tables: &Tables, (template, at): (&Template, Mark)) {
    for round in 0..tables.rounds() {
        let filled = tables.sample(template, round);
        let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&filled) else { continue };
        let sentence = error.to_string();
        let sentence = sentence.split(" at line ").next().unwrap_or_default();
        if template.as_fixed().is_some() && error.line() == 1 && error.column() > 0 {
            let column = error.column() - 1;
            let message = format!("the body is not JSON: {sentence}");
            desk.error_inside("bad_json", (at, column..column + 1), message, "");
            return;
        }
        let message = format!("the body is not JSON once filled: {sentence} in `{filled}`");
        desk.error("bad_json", at, message, "a text needs quotes around its `${…}`, a number none");
        return;
    }
}
