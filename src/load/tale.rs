//! What was said between one user and the target, request by request, as it is shown to people: without secrets.
//!
//! Kept for a single journey that is looked at; ordinary users keep none. Called by `step::http` and `cli::once`.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::client::Trip;
use super::secrets::Mask;
use crate::base::clock::Tick;

/// Headers whose values are never shown.
const HIDDEN: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];
/// Of a body so many characters are shown.
const SHOWN: usize = 4_000;

/// Names and values.
pub type Headers = Vec<(String, String)>;

/// Requests and answers in order.
#[derive(Clone, Debug, Default)]
pub struct Tale(Vec<Said>);

/// One request and what came of it.
#[derive(Clone, Debug)]
struct Said {
    step: String,
    /// `GET http://host/path`
    line: String,
    headers: Headers,
    body: String,
    /// Status, headers and body of the answer, or the kind of failure.
    answer: Result<(u16, Headers, String), String>,
    took: Duration,
}

impl Default for Said {
    fn default() -> Self {
        let (step, line, body) = (String::new(), String::new(), String::new());
        Self { step, line, headers: Vec::new(), body, answer: Err(String::new()), took: Duration::ZERO }
    }
}

impl Tale {
    /// A request that is about to leave.
    pub fn asked(&mut self, step: &str, (line, headers, body): (String, Headers, String)) {
        self.0.push(Said { step: step.to_owned(), line, headers, body, ..Said::default() });
    }

    /// Adds what `other` heard.
    pub fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// What came of it; it was sent at `sent`.
    pub fn answered(&mut self, trip: &Trip, sent: Tick) {
        let Some(last) = self.0.last_mut() else { return };
        last.took = trip.done - sent;
        last.answer = match &trip.result {
            Ok(answer) => Ok((answer.status, answer.shown(), String::from_utf8_lossy(answer.body()).into_owned())),
            Err(failure) => Err(failure.kind.key(&[])),
        };
    }

    /// The whole of it, without what `mask` hides.
    pub fn text(&self, mask: &Mask) -> String {
        let mut text = String::new();
        for one in &self.0 {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "── {} · {:.1} ms", one.step, one.took.as_secs_f64() * 1e3);
            let _ = writeln!(text, "> {}", mask.text(&one.line));
            part(&mut text, ("> ", &one.headers, &one.body), mask);
            match &one.answer {
                Ok((status, headers, body)) => {
                    let _ = writeln!(text, "< {status}");
                    part(&mut text, ("< ", headers, body), mask);
                }
                Err(kind) => drop(writeln!(text, "< no answer: {kind}")),
            }
            text.push('\n');
        }
        text
    }

    /// As [`Self::text`], for machines.
    pub fn json(&self, mask: &Mask) -> Value {
        let headers = |headers: &Headers| {
            let shown = headers.iter().map(|(name, value)| (name.clone(), hidden(name, value, mask).into()));
            shown.collect::<Map<_, _>>()
        };
        let one = |said: &Said| {
            let answer = match &said.answer {
                Ok((status, heads, body)) => {
                    json!({ "status": status, "headers": headers(heads), "body": mask.text(body) })
                }
                Err(kind) => json!({ "error": kind }),
            };
            json!({
                "step": said.step,
                "request": mask.text(&said.line),
                "headers": headers(&said.headers),
                "body": mask.text(&said.body),
                "took_us": u64::try_from(said.took.as_micros()).unwrap_or(u64::MAX),
                "answer": answer,
            })
        };
        self.0.iter().map(one).collect()
    }
}

/// The value of a header as it may be shown.
fn hidden(name: &str, value: &str, mask: &Mask) -> String {
    if HIDDEN.contains(&name) { "***".to_owned() } else { mask.text(value) }
}

fn part(text: &mut String, (sign, headers, body): (&str, &[(String, String)], &str), mask: &Mask) {
    for (name, value) in headers {
        let _ = writeln!(text, "{sign}{name}: {}", hidden(name, value, mask));
    }
    let shown: String = body.chars().take(SHOWN).collect();
    for line in mask.text(&shown).lines() {
        let _ = writeln!(text, "{sign}  {line}");
    }
    let left = body.chars().count().saturating_sub(SHOWN);
    if left > 0 {
        let _ = writeln!(text, "{sign}  … {left} characters more");
    }
}
