//! Rules on HTTP: patterns that compile, statuses that exist, fields that may be changed.

use regex::RegexBuilder;

use super::{cut, place, time};
use crate::plan::check::answer::pattern;
use crate::plan::check::desk::Desk;
use crate::plan::fault::rule::http::{Act, Http, Only, Reach};
use crate::plan::fault::rule::{Hold, Place};
use crate::plan::good::StatusSet;
use crate::spec::names::Named;
use crate::spec::rule as spec;
use crate::spec::source::{Mark, Spanned};
use crate::wire::http1::Edit;

/// A compiled pattern takes at most so much memory.
const REGEX_SIZE: usize = 1 << 20;
/// Fields that say where a message ends, which is not for a rule to say.
const FRAMING: [&str; 7] =
    ["content-length", "transfer-encoding", "connection", "upgrade", "trailer", "te", "keep-alive"];

/// The rule of `written`.
pub(in crate::plan::check) fn http(desk: &mut Desk, written: &spec::Http) -> Option<Http> {
    let only = match &written.only {
        None => Some(Only::default()),
        Some(spanned) => desk.open(spanned).and_then(|one| only(desk, one)),
    };
    let act = desk.open(&written.act).and_then(|one| act(desk, one));
    let (only, act) = (only?, act?);
    let before = match &act {
        Act::Delay(hold) => hold.place == Place::Request,
        Act::Abort { reach, .. } => *reach == Reach::Never,
        Act::Rewrite { request, .. } => !request.is_empty(),
        Act::Truncate { .. } | Act::Drop { .. } => false,
    };
    if let Some(status) = written.only.as_ref().and_then(|only| only.value.as_ref().ok()?.status.as_ref())
        && before
    {
        let help = "act on the response (hold: Response, reach: Server, response: [..]), or leave the status out";
        desk.error("out-of-range", status.mark, "nothing has a status before the server answered", help);
    }
    Some(Http { only, act })
}

fn only(desk: &mut Desk, written: &spec::HttpOnly) -> Option<Only> {
    let mut methods = Vec::new();
    for one in desk.open_if(written.methods.as_ref()).map_or(&[][..], Vec::as_slice) {
        let Some(method) = desk.text(one) else { continue };
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-') {
            let help = "write it as it is sent, such as \"GET\"";
            desk.error("out-of-range", one.mark, format!("`{method}` is no method"), help);
        }
        methods.push(method.to_owned());
    }
    let route = written.route.as_ref().and_then(|spanned| route(desk, spanned));
    let path = written.path.as_ref().and_then(|spanned| regex(desk, spanned));
    let host = written.host.as_ref().and_then(|spanned| desk.text(spanned)).map(str::to_owned);
    let headers = match &written.headers {
        None => Vec::new(),
        Some(named) => fields(desk, named)?,
    };
    let status = written.status.as_ref().and_then(|spanned| status(desk, spanned));
    let opt_in = written.opt_in.as_ref().and_then(|spanned| field_name(desk, spanned));
    Some(Only { methods, route, path, host, headers, status, opt_in })
}

fn act(desk: &mut Desk, written: &spec::HttpAct) -> Option<Act> {
    match written {
        spec::HttpAct::Delay(one) => {
            let (drawn, at) = (time(desk, &one.time), place(desk, one.hold.as_ref()));
            if let (Some(Place::Server), Some(hold)) = (at, &one.hold) {
                let help = "write Request, Response or Body(\"1KiB\")";
                desk.error("out-of-range", hold.mark, "nobody can hold a request inside an HTTP server", help);
            }
            Some(Act::Delay(Hold { time: drawn?, place: at? }))
        }
        spec::HttpAct::Abort(one) => abort(desk, one),
        spec::HttpAct::Truncate(one) => Some(Act::Truncate { after: desk.size(&one.after)? }),
        spec::HttpAct::Drop(one) => {
            let (after, close) = cut(desk, one)?;
            Some(Act::Drop { after, close })
        }
        spec::HttpAct::Rewrite(one) => {
            let request = edits(desk, one.request.as_ref());
            let response = edits(desk, one.response.as_ref());
            Some(Act::Rewrite { request, response })
        }
    }
}

fn abort(desk: &mut Desk, written: &spec::Abort) -> Option<Act> {
    let status = *desk.open(&written.status)?;
    let legal = u16::try_from(status).ok().filter(|status| (200..=599).contains(status));
    if legal.is_none() {
        let help = "write 200 to 599, such as 503";
        desk.error("out-of-range", written.status.mark, format!("{status} is no status of an answer"), help);
    }
    let headers = match &written.headers {
        None => Some(Vec::new()),
        Some(named) => fields(desk, named),
    };
    let body = written.body.as_ref().map_or(Some(""), |spanned| desk.text(spanned));
    if let Some(spanned) = written.body.as_ref().filter(|_| matches!(status, 204 | 304) && body != Some("")) {
        desk.error("out-of-range", spanned.mark, format!("an answer {status} has no content"), "leave it out");
    }
    let reach = match desk.open_if(written.reach.as_ref()) {
        Some(spec::Reach::Server) => Reach::Server,
        Some(spec::Reach::Never) | None => Reach::Never,
    };
    Some(Act::Abort { status: legal?, headers: headers?, body: body?.to_owned(), reach })
}

fn route(desk: &mut Desk, written: &Spanned<String>) -> Option<Vec<Option<String>>> {
    let text = desk.text(written)?;
    let Some(path) = text.strip_prefix('/').filter(|path| !path.contains(['?', '#'])) else {
        let help = "write a path with its variable parts in braces, such as \"/orders/{id}\"";
        desk.error("out-of-range", written.mark, format!("`{text}` is no route"), help);
        return None;
    };
    let variable = |part: &str| part.starts_with('{') && part.ends_with('}');
    Some(path.split('/').map(|part| (!variable(part)).then(|| part.to_owned())).collect())
}

fn regex(desk: &mut Desk, written: &Spanned<String>) -> Option<regex::Regex> {
    let text = pattern(desk, written)?;
    let regex = RegexBuilder::new(&text).size_limit(REGEX_SIZE).build().ok();
    if regex.is_none() {
        let help = "repeat less: compiled, it may take 1 MiB";
        desk.error("bad_regex", written.mark, "this pattern is too large", help);
    }
    regex
}

fn status(desk: &mut Desk, written: &Spanned<String>) -> Option<StatusSet> {
    let text = desk.text(written)?;
    let set = StatusSet::parse(text);
    if set.is_none() {
        let help = "write classes, codes and ranges, such as \"5xx, 429\"";
        desk.error("out-of-range", written.mark, format!("`{text}` is no set of statuses"), help);
    }
    set
}

/// Names and values of a map.
fn fields(desk: &mut Desk, written: &Spanned<Named<String>>) -> Option<Vec<(String, String)>> {
    let named = desk.open(written)?;
    let mut all = Vec::new();
    for (name, at, value) in desk.entries(named, "headers") {
        legal_name(desk, name, at);
        let Some(value) = desk.text(value).map(str::to_owned) else { continue };
        all.push((name.to_owned(), value));
    }
    Some(all)
}

fn edits(desk: &mut Desk, written: Option<&Spanned<Vec<Spanned<spec::Edit>>>>) -> Vec<Edit> {
    let mut all = Vec::new();
    for spanned in desk.open_if(written).map_or(&[][..], Vec::as_slice) {
        let Some(one) = desk.open(spanned) else { continue };
        let edit = match one {
            spec::Edit::Set(name, value) => {
                let (name, text) = (field_name(desk, name), desk.text(value).map(str::to_owned));
                if text.as_ref().is_some_and(|text| text.contains(['\r', '\n'])) {
                    desk.error("out-of-range", value.mark, "a field has one line", "leave the line ends out");
                }
                name.zip(text).map(|(name, text)| Edit::Set(name, text))
            }
            spec::Edit::Remove(name) => field_name(desk, name).map(Edit::Remove),
        };
        all.extend(edit);
    }
    all
}

fn field_name(desk: &mut Desk, written: &Spanned<String>) -> Option<String> {
    let name = desk.text(written)?;
    legal_name(desk, name, written.mark);
    Some(name.to_owned())
}

fn legal_name(desk: &mut Desk, name: &str, at: Mark) {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if FRAMING.iter().any(|framing| name.eq_ignore_ascii_case(framing)) {
        let message = format!("`{name}` frames the message");
        desk.error("out-of-range", at, message, "leave it alone: use Truncate or Drop to change what arrives");
    } else if name.is_empty() || !name.bytes().all(token) {
        desk.error("out-of-range", at, format!("`{name}` is no name of a field"), "write it as in \"x-request-id\"");
    }
}
