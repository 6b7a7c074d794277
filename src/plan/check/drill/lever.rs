//! Levers: requests to the admin side, and the probes that look whether they took.

use super::pace::Paces;
use crate::plan::check::answer::json_path;
use crate::plan::check::desk::{Desk, suggest};
use crate::plan::drill::{Lever, Probe};
use crate::spec::act::{HttpLever, Probe as WrittenProbe};
use crate::spec::source::Spanned;

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

pub(super) fn http(desk: &mut Desk, written: &HttpLever) -> Option<Lever> {
    let method = desk.text(&written.method);
    if let Some(bad) = method.filter(|method| !METHODS.contains(method)) {
        let help = suggest(bad, &METHODS);
        desk.error("unknown-variant", written.method.mark, format!("`{bad}` is not a method of a lever"), help);
    }
    let path = path(desk, &written.path);
    let json = written.json.as_ref().map_or(Some(String::new()), |json| self::json(desk, json));
    Some(Lever::Http { method: method?.to_owned(), path: path?, json: json? })
}

fn path(desk: &mut Desk, written: &Spanned<String>) -> Option<String> {
    let path = desk.text(written)?;
    if !path.starts_with('/') || path.contains(|c: char| c.is_whitespace() || c.is_control()) {
        let message = format!("`{path}` is not a path on the admin address");
        desk.error("out-of-range", written.mark, message, "write it as `/admin/flags/name`");
    }
    Some(path.to_owned())
}

fn json(desk: &mut Desk, written: &Spanned<String>) -> Option<String> {
    let text = desk.text(written)?;
    let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) else { return Some(text.to_owned()) };
    let sentence = error.to_string();
    let message = format!("this is not JSON: {}", sentence.split(" at line ").next().unwrap_or_default());
    if error.line() == 1 && (1..=text.len()).contains(&error.column()) {
        let column = error.column() - 1;
        desk.error_inside("not-json", (written.mark, column..column + 1), message, "names and texts need quotes");
    } else {
        desk.error("not-json", written.mark, message, "names and texts need quotes");
    }
    None
}

pub(super) fn probe(desk: &mut Desk, paces: Paces, written: &WrittenProbe) -> Option<Probe> {
    let get = path(desk, &written.get);
    let at = json_path(desk, &written.at);
    let is = desk.text(&written.is).map(str::to_owned);
    let within = paces.read_plain(desk, &written.within);
    if within.is_some_and(|within| within.is_zero()) {
        desk.error("out-of-range", written.within.mark, "no time to look in", "write a time above 0s");
    }
    Some(Probe { get: get?, at: at?, is: is?, within: within? })
}
