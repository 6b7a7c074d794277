//! What is taken from an answer, and what an answer must be.

use std::str::FromStr;
use std::time::Duration;

use jsonpath_rust::parser::parse_json_path;
use regex::Regex;
use scraper::Selector;

use super::audit;
use super::desk::Desk;
use super::tables::{Known, Set, Tables};
use super::turns;
use crate::plan::audit::Booking;
use crate::plan::good::StatusSet;
use crate::plan::program::{Check, Extraction, From, Is, OnFailure, Pick, Truth, Versioned, What};
use crate::plan::template::Escape;
use crate::spec::names::Named;
use crate::spec::source::Spanned;
use crate::spec::step::{
    Check as WrittenCheck, Extract, FromCss, FromRegex, Is as WrittenIs, Pick as WrittenPick, Truth as WrittenTruth,
};

/// How long a read may lag behind the user's own write, unless the author says otherwise.
const LAG: Duration = Duration::from_secs(2);

/// Extractions in file order; from here on their variables are set.
pub(super) fn extractions(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &mut Known,
    (named, on_failure): (&Named<Extract>, OnFailure),
) -> Vec<Extraction> {
    let mut found = Vec::new();
    for (name, at, spanned) in desk.entries(named, "extractions") {
        let into = tables.variable(name, at, vec!["0".to_owned()]);
        let label = tables.label(name);
        // A variable whose extraction has a mistake counts as set, so that its uses are not reported too.
        let mut set = Set::Surely;
        if let Some(kind) = desk.open(spanned) {
            let (from, or, pick) = source(desk, kind);
            let pick = pick.map(|pick| self::pick(desk, pick)).unwrap_or_default();
            if pick == Pick::All {
                tables.lists.0.insert(into);
            }
            let or = or.and_then(|or| desk.text(or)).map(str::to_owned);
            if on_failure == OnFailure::Continue && or.is_none() && known.set.get(&into) != Some(&Set::Surely) {
                set = Set::Maybe;
            }
            found.extend(from.map(|from| Extraction { label, into, from, pick, or }));
        }
        known.set.insert(into, set);
    }
    found
}

/// Where a value comes from, its default, and which of several is meant.
pub(super) fn source<'a>(
    desk: &mut Desk,
    kind: &'a Extract,
) -> (Option<From>, Option<&'a Spanned<String>>, Option<&'a Spanned<WrittenPick>>) {
    match kind {
        Extract::Json(json) => (json_path(desk, &json.path).map(From::Json), json.or.as_ref(), json.pick.as_ref()),
        Extract::Css(css) => (selected(desk, css), css.or.as_ref(), css.pick.as_ref()),
        Extract::Regex(regex) => (pattern_of(desk, regex), regex.or.as_ref(), regex.pick.as_ref()),
        Extract::Header(header) => {
            let name = desk.text(&header.name).map(|name| From::Header(name.to_ascii_lowercase()));
            (name, header.or.as_ref(), header.pick.as_ref())
        }
        Extract::Cookie(cookie) => {
            let name = desk.text(&cookie.name).map(|name| From::Cookie(name.to_owned()));
            (name, cookie.or.as_ref(), cookie.pick.as_ref())
        }
        Extract::Status => (Some(From::Status), None, None),
        Extract::Body => (Some(From::Body), None, None),
    }
}

/// What a request says about the truth of the system.
pub(super) fn truths(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &Known,
    list: &[Spanned<WrittenTruth>],
) -> Vec<Truth> {
    let mut found = Vec::new();
    for spanned in list {
        let (key, version, lag) = match desk.open(spanned) {
            Some(WrittenTruth::Writes { key, version }) => (key, version, None),
            Some(WrittenTruth::Reads { key, version, lag }) => {
                (key, version, Some(desk.duration_or(lag.as_ref(), LAG)))
            }
            Some(WrittenTruth::Ledger { book, id, seq, content }) => {
                let (book, id) = (audit::book(desk, tables, book), place(desk, id));
                let seq = seq.as_ref().and_then(|seq| place(desk, seq));
                let content = tables.template(desk, known, content, Escape::Plain);
                let parts = book.zip(id).zip(content);
                found.extend(parts.map(|((book, id), content)| Truth::Ledger(Booking { book, id, seq, content })));
                continue;
            }
            None => continue,
        };
        let key = desk.text(key).map(str::to_owned);
        let from = place(desk, version);
        found.extend(key.zip(from).map(|(key, version)| Truth::Version(Versioned { key, version, lag })));
    }
    found
}

fn place(desk: &mut Desk, written: &Spanned<Extract>) -> Option<From> {
    desk.open(written).and_then(|written| source(desk, written).0)
}

fn pick(desk: &mut Desk, written: &Spanned<WrittenPick>) -> Pick {
    match desk.open(written) {
        None | Some(WrittenPick::First) => Pick::First,
        Some(WrittenPick::Last) => Pick::Last,
        Some(WrittenPick::Random) => Pick::Random,
        Some(WrittenPick::All) => Pick::All,
        Some(WrittenPick::Nth(n)) => Pick::Nth(desk.open(n).copied().unwrap_or(0)),
    }
}

/// A CSS selector that can be followed.
fn selected(desk: &mut Desk, written: &FromCss) -> Option<From> {
    let attr = written.attr.as_ref().and_then(|attr| desk.text(attr)).map(str::to_owned);
    let select = desk.text(&written.select)?;
    // The library's own words are made for its developers.
    if Selector::parse(select).is_err() {
        let message = format!("`{select}` is not a CSS selector");
        let help = "write it as `span.price`, `#cart > li`, `input[name=csrf]`";
        desk.error("bad_select", written.select.mark, message, help);
        return None;
    }
    Some(From::Css { select: select.to_owned(), attr })
}

fn pattern_of(desk: &mut Desk, written: &FromRegex) -> Option<From> {
    let find = pattern(desk, &written.find)?;
    let groups = Regex::new(&find).map_or(1, |regex| regex.captures_len());
    let group = desk.open_if(written.group.as_ref()).copied().unwrap_or(u64::from(groups > 1));
    let group = usize::try_from(group).unwrap_or(usize::MAX);
    if let Some(spanned) = written.group.as_ref().filter(|_| group >= groups) {
        let message = format!("the pattern has no group {group}");
        desk.error("bad_regex", spanned.mark, message, format!("its groups are 0 to {}", groups - 1));
    }
    Some(From::Regex { find, group })
}

/// A regular expression that can be followed; a mistake is shown at its column.
pub(super) fn pattern(desk: &mut Desk, written: &Spanned<String>) -> Option<String> {
    let text = desk.text(written)?;
    if let Err(error) = Regex::new(text) {
        let sentence = error.to_string();
        // The last line of the parser's picture is its sentence; the line of carets before it shows the column.
        let last = sentence.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let column = sentence.lines().find_map(|line| line.trim_end().ends_with('^').then(|| line.find('^'))).flatten();
        let start = column.unwrap_or(4).saturating_sub(4).min(text.len().saturating_sub(1));
        let end = text.get(start..).and_then(|rest| rest.chars().next()).map_or(start, |c| start + c.len_utf8());
        let message = format!("`{text}` is not a regular expression: {last}");
        desk.error_inside(
            "bad_regex",
            (written.mark, start..end),
            message,
            "see docs.rs/regex for what can be written",
        );
        return None;
    }
    Some(text.to_owned())
}

/// The checks of a request: an answer that says it failed is refused unless a status check of the author says otherwise.
pub(super) fn step_checks(
    desk: &mut Desk,
    tables: &mut Tables,
    (known, written): (&Known, Option<&Spanned<Vec<Spanned<WrittenCheck>>>>),
) -> Vec<Check> {
    let mut found = desk.open_if(written).map(|list| checks(desk, tables, known, list)).unwrap_or_default();
    if !found.iter().any(|check| matches!(check.what, What::Status(_)))
        && let Some(usual) = StatusSet::parse("2xx, 3xx")
    {
        found.insert(0, Check { label: tables.label("status"), what: What::Status(usual) });
    }
    found
}

pub(super) fn checks(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &Known,
    list: &[Spanned<WrittenCheck>],
) -> Vec<Check> {
    let mut found = Vec::new();
    for spanned in list {
        let Some(kind) = desk.open(spanned) else { continue };
        let Some((label, what)) = check(desk, tables, known, kind) else { continue };
        found.push(Check { label: tables.label(&label), what });
    }
    found
}

fn check(desk: &mut Desk, tables: &mut Tables, known: &Known, kind: &WrittenCheck) -> Option<(String, What)> {
    Some(match kind {
        WrittenCheck::Status(text) => ("status".to_owned(), What::Status(statuses(desk, text)?)),
        WrittenCheck::Header { name, is } => {
            let (name, is) = (desk.text(name).map(str::to_ascii_lowercase), demand(desk, is));
            let name = name?;
            (format!("header {name}"), What::Header { name, is: is? })
        }
        WrittenCheck::Body(is) => ("body".to_owned(), What::Body(demand(desk, is)?)),
        WrittenCheck::Json { path, is } => {
            let (path, is) = (json_path(desk, path), demand(desk, is));
            let path = path?;
            (format!("json {path}"), What::Json { path, is: is? })
        }
        WrittenCheck::Var { name, is } => {
            let (var, is) = (turns::variable(desk, tables, known, name), demand(desk, is));
            (format!("var {}", desk.text(name)?), What::Var { var: var?, is: is? })
        }
        WrittenCheck::Size { at_least, at_most } => {
            let low = at_least.as_ref().map_or(Some(0), |size| desk.size(size));
            let high = at_most.as_ref().map_or(Some(u64::MAX), |size| desk.size(size));
            let (low, high) = (low?, high?);
            if let Some(at) = at_most.as_ref().filter(|_| low > high) {
                desk.error("shares", at.mark, format!("{low} bytes is above {high}"), "no answer could have this size");
            }
            ("size".to_owned(), What::Size { at_least: low, at_most: high })
        }
        WrittenCheck::Time { at_most } => ("time".to_owned(), What::Time { at_most: desk.duration(at_most)? }),
    })
}

/// `2xx, 304` as a set.
pub(super) fn statuses(desk: &mut Desk, written: &Spanned<String>) -> Option<StatusSet> {
    let text = desk.text(written)?;
    let set = StatusSet::parse(text);
    if set.is_none() {
        let message = format!("`{text}` is not a set of statuses");
        desk.error(desk.id("bad_number", "out-of-range"), written.mark, message, "write it as `2xx, 304, 500-503`");
    }
    set
}

pub(super) fn demand(desk: &mut Desk, written: &Spanned<WrittenIs>) -> Option<Is> {
    let text = |desk: &mut Desk, spanned: &Spanned<String>| desk.text(spanned).map(str::to_owned);
    match desk.open(written)? {
        WrittenIs::Exists => Some(Is::Exists),
        WrittenIs::Absent => Some(Is::Absent),
        WrittenIs::Equals(spanned) => text(desk, spanned).map(Is::Equals),
        WrittenIs::Not(spanned) => text(desk, spanned).map(Is::Not),
        WrittenIs::Contains(spanned) => text(desk, spanned).map(Is::Contains),
        WrittenIs::Lacks(spanned) => text(desk, spanned).map(Is::Lacks),
        WrittenIs::Matches(spanned) => pattern(desk, spanned).map(Is::Matches),
        WrittenIs::AtLeast(number) => finite(desk, number).map(Is::AtLeast),
        WrittenIs::AtMost(number) => finite(desk, number).map(Is::AtMost),
    }
}

fn finite(desk: &mut Desk, written: &Spanned<f64>) -> Option<f64> {
    let number = *desk.open(written)?;
    if !number.is_finite() {
        desk.error(
            "bad_number",
            written.mark,
            format!("{number} is not a number to compare with"),
            "write a finite one",
        );
    }
    Some(number)
}

/// A JSON path that can be followed; a mistake is shown at its column.
pub(super) fn json_path(desk: &mut Desk, written: &Spanned<String>) -> Option<String> {
    let text = desk.text(written)?;
    match parse_json_path(text) {
        Ok(_) => Some(text.to_owned()),
        Err(error) => {
            // The parser draws a picture; its first place, as ` --> 1:6`, is the column.
            let picture = error.to_string();
            let column = picture.split("--> 1:").nth(1).map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
            let column = column.flatten().and_then(|digits| usize::from_str(digits).ok()).unwrap_or(1);
            let start =
                text.char_indices().nth(column.saturating_sub(1)).map_or(text.len().saturating_sub(1), |(n, _)| n);
            let id = desk.id("bad_path", "not-a-json-path");
            let message = format!("`{text}` is not a JSON path");
            let end = text.get(start..).and_then(|rest| rest.chars().next()).map_or(start, |c| start + c.len_utf8());
            desk.error_inside(id, (written.mark, start..end), message, "write it as `$.items[0].name`");
            None
        }
    }
}
