//! Values taken from an answer into the variables of a journey.
//!
//! Scalars become their text, other JSON values stay JSON. Not here: what an answer must be (`check`).

use std::cell::OnceCell;

use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use regex::Regex;
use serde_json::Value;

use super::gate;
use crate::load::LoadError;
use crate::load::client::answer::Answer;
use crate::load::vars::Dice;
use crate::measure::outcome::Kind;
use crate::plan::program::{Extraction, From, Pick};
use crate::plan::template::VarId;
use crate::plan::values::SEPARATOR;

/// An answer under judgement; its body is parsed once, when somebody asks.
#[derive(Debug)]
pub struct Reading<'a> {
    /// The answer.
    pub answer: &'a Answer,
    json: OnceCell<Option<Value>>,
}

impl<'a> Reading<'a> {
    /// Reads `answer`.
    pub fn new(answer: &'a Answer) -> Self {
        Self { answer, json: OnceCell::new() }
    }

    /// The body as text; `None` when it is not UTF-8.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(self.answer.body()).ok()
    }

    fn value(&self) -> Option<&Value> {
        self.json.get_or_init(|| serde_json::from_slice(self.answer.body()).ok()).as_ref()
    }

    /// The first match of `path` in the body, as text.
    pub fn json(&self, path: &JpQuery) -> Option<String> {
        js_path_process(path, self.value()?).ok()?.into_iter().next().map(|found| shown(found.val()))
    }

    fn every_json(&self, path: &JpQuery) -> Vec<String> {
        let found = self.value().and_then(|value| js_path_process(path, value).ok()).unwrap_or_default();
        found.into_iter().map(|one| shown(one.val())).collect()
    }
}

/// Scalars as their text, other values as JSON.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Parses a JSON path.
pub fn path(text: &str) -> Result<JpQuery, LoadError> {
    parse_json_path(text).map_err(|why| LoadError::Path { path: text.to_owned(), why: why.to_string() })
}

/// A compiled extraction.
#[derive(Debug)]
pub struct Taking {
    label: u16,
    into: VarId,
    from: Source,
    pick: Pick,
    /// Names its draws.
    place: String,
    or: Option<String>,
}

/// Where a value comes from, compiled.
#[derive(Debug)]
pub enum Source {
    /// Matches of a JSON path.
    Json(JpQuery),
    /// Matches of a pattern; the text of a group.
    Regex(Regex, usize),
    /// Headers of a name.
    Header(String),
    /// Cookies of a name that the answer sets.
    Cookie(String),
    /// The status.
    Status,
    /// The whole body.
    Body,
}

impl Taking {
    /// Compiles `one`; its draws are named after `place`.
    pub fn new(one: &Extraction, place: &str) -> Result<Self, LoadError> {
        let from = Source::new(&one.from)?;
        let place = format!("extract/{place}/{}", one.into.0);
        Ok(Self { label: one.label, into: one.into, from, pick: one.pick, place, or: one.or.clone() })
    }

    /// The variable it sets.
    pub fn into(&self) -> VarId {
        self.into
    }

    /// True when it reads the body.
    pub fn reads_body(&self) -> bool {
        matches!(self.from, Source::Json(_) | Source::Regex(..) | Source::Body)
    }

    /// True when it reads a header.
    pub fn reads_header(&self) -> bool {
        matches!(self.from, Source::Header(_) | Source::Cookie(_))
    }

    /// Takes the value; the reason when there is none.
    pub fn take(&self, reading: &Reading<'_>, values: &mut [String], dice: Dice) -> Option<Kind> {
        let reads_text = matches!(self.from, Source::Body | Source::Regex(..));
        if reads_text && reading.text().is_none() {
            return Some(Kind::NotUtf8);
        }
        let found = match self.pick {
            Pick::First => self.from.first(reading),
            _ => self.pick(self.from.every(reading), dice),
        };
        let Some(value) = found.or_else(|| self.or.clone()) else { return Some(Kind::Extract(self.label)) };
        if let Some(slot) = values.get_mut(usize::from(self.into.0)) {
            *slot = value;
        }
        None
    }

    fn pick(&self, mut all: Vec<String>, dice: Dice) -> Option<String> {
        let nth = match self.pick {
            _ if all.is_empty() => return None,
            Pick::All => return Some(all.join(&SEPARATOR.to_string())),
            Pick::First => 0,
            Pick::Last => all.len() - 1,
            Pick::Random => dice.below(&self.place, all.len()),
            Pick::Nth(n) => usize::try_from(n).unwrap_or(usize::MAX),
        };
        (nth < all.len()).then(|| all.swap_remove(nth))
    }
}

impl Source {
    /// Compiles `from`.
    pub fn new(from: &From) -> Result<Self, LoadError> {
        Ok(match from {
            From::Json(text) => Self::Json(path(text)?),
            From::Regex { find, group } => Self::Regex(gate::pattern(find)?, *group),
            From::Header(name) => Self::Header(name.clone()),
            From::Cookie(name) => Self::Cookie(name.clone()),
            From::Status => Self::Status,
            From::Body => Self::Body,
        })
    }

    /// The first value.
    pub fn first(&self, reading: &Reading<'_>) -> Option<String> {
        match self {
            Self::Json(path) => reading.json(path),
            Self::Regex(regex, group) => {
                let found = regex.captures(reading.text()?)?;
                found.get(*group).map(|part| part.as_str().to_owned())
            }
            Self::Header(name) => reading.answer.header(name).map(str::to_owned),
            Self::Cookie(_) => self.every(reading).into_iter().next(),
            Self::Status => Some(reading.answer.status.to_string()),
            Self::Body => reading.text().map(str::to_owned),
        }
    }

    /// Every value.
    pub fn every(&self, reading: &Reading<'_>) -> Vec<String> {
        match self {
            Self::Json(path) => reading.every_json(path),
            Self::Regex(regex, group) => {
                let all = regex.captures_iter(reading.text().unwrap_or_default());
                all.filter_map(|found| found.get(*group).map(|part| part.as_str().to_owned())).collect()
            }
            Self::Header(name) => reading.answer.headers(name).map(str::to_owned).collect(),
            Self::Cookie(name) => {
                let cookies = reading.answer.headers("set-cookie").filter_map(|line| {
                    let (found, value) = line.split(';').next()?.split_once('=')?;
                    (found.trim() == name).then(|| value.trim().to_owned())
                });
                cookies.collect()
            }
            Self::Status | Self::Body => self.first(reading).into_iter().collect(),
        }
    }
}
