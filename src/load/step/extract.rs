//! Values taken from an answer into the variables of a journey.
//!
//! Scalars become their text, other JSON values stay JSON. Not here: what an answer must be (`check`).

use std::cell::OnceCell;

use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use serde_json::Value;

use crate::load::LoadError;
use crate::load::client::answer::Answer;
use crate::measure::outcome::Kind;
use crate::plan::program::{Extraction, From};
use crate::plan::template::VarId;

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

    /// The first match of `path` in the body, as text.
    pub fn json(&self, path: &JpQuery) -> Option<String> {
        let value = self.json.get_or_init(|| serde_json::from_slice(self.answer.body()).ok()).as_ref()?;
        let found = js_path_process(path, value).ok()?.into_iter().next()?.val();
        Some(match found {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
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
    or: Option<String>,
}

#[derive(Debug)]
enum Source {
    Json(JpQuery),
    Header(String),
    Status,
    Body,
}

impl Taking {
    /// Compiles `one`.
    pub fn new(one: &Extraction) -> Result<Self, LoadError> {
        let from = match &one.from {
            From::Json(text) => Source::Json(path(text)?),
            From::Header(name) => Source::Header(name.clone()),
            From::Status => Source::Status,
            From::Body => Source::Body,
        };
        Ok(Self { label: one.label, into: one.into, from, or: one.or.clone() })
    }

    /// True when it reads the body.
    pub fn reads_body(&self) -> bool {
        matches!(self.from, Source::Json(_) | Source::Body)
    }

    /// True when it reads a header.
    pub fn reads_header(&self) -> bool {
        matches!(self.from, Source::Header(_))
    }

    /// Takes the value; the reason when there is none.
    pub fn take(&self, reading: &Reading<'_>, values: &mut [String]) -> Option<Kind> {
        let found = match &self.from {
            Source::Json(path) => reading.json(path),
            Source::Header(name) => reading.answer.header(name).map(str::to_owned),
            Source::Status => Some(reading.answer.status.to_string()),
            Source::Body => match reading.text() {
                Some(text) => Some(text.to_owned()),
                None => return Some(Kind::NotUtf8),
            },
        };
        let Some(value) = found.or_else(|| self.or.clone()) else { return Some(Kind::Extract(self.label)) };
        if let Some(slot) = values.get_mut(usize::from(self.into.0)) {
            *slot = value;
        }
        None
    }
}
