//! Reading a value back: a JSON path on an admin answer, compared by the scalar's text.
//!
//! A healed state is read, never assumed from a status code. Not here: when to look (`director`).

use std::time::Duration;

use jsonpath_rust::JsonPath;
use serde_json::Value;

use super::LeverError;
use super::http::{Ask, Endpoint};
use crate::base::clock::Clock;
use crate::base::timer::Timer;

/// Between two looks.
const EVERY: Duration = Duration::from_millis(100);

/// The text of the one scalar at `path` in `body`.
///
/// # Errors
/// When the body is not JSON, nothing or more than one value is there, or it is not a scalar; in words.
pub fn scalar_at(body: &[u8], path: &str) -> Result<String, String> {
    let value: Value = serde_json::from_slice(body).map_err(|error| format!("the answer is not JSON: {error}"))?;
    let found = value.query(path).map_err(|error| format!("`{path}` is not a JSON path: {error}"))?;
    match found.as_slice() {
        [] => Err(format!("nothing is at `{path}`")),
        [Value::String(text)] => Ok(text.clone()),
        [Value::Array(_) | Value::Object(_)] => Err(format!("what is at `{path}` is not a single value")),
        [scalar] => Ok(scalar.to_string()),
        many => Err(format!("{} values are at `{path}`, one is wanted", many.len())),
    }
}

/// What to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// This text.
    Is(&'a str),
    /// Any other text.
    IsNot(&'a str),
}

impl Wanted<'_> {
    fn holds(self, text: &str) -> bool {
        match self {
            Self::Is(wanted) => text == wanted,
            Self::IsNot(unwanted) => text != unwanted,
        }
    }
}

/// Reads the text at `at` of `GET path` once.
///
/// # Errors
/// No answer, a refusal, or no scalar there.
pub async fn read(endpoint: &Endpoint, path: &str, at: &str) -> Result<String, LeverError> {
    let ask = Ask::get(path);
    let answer = endpoint.send(&ask).await?.accepted(&ask)?;
    scalar_at(&answer.body, at).map_err(|why| LeverError::Probe { url: endpoint.url(path), why })
}

/// A value to look at, again and again.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// Path on the admin side.
    pub path: &'a str,
    /// JSON path.
    pub at: &'a str,
    /// What to look for.
    pub wanted: Wanted<'a>,
}

/// Looks every 100 ms until the wanted text is seen, at most `within`; at least once. Gives what was seen, in words.
///
/// # Errors
/// What was seen last, in words, when the time is over.
pub async fn wait_for(endpoint: &Endpoint, look: Look<'_>, clock: &Clock, within: Duration) -> Result<String, String> {
    let mut timer = Timer::new(clock).map_err(|error| format!("no timer: {error}"))?;
    let end = clock.now() + within;
    loop {
        let last = match read(endpoint, look.path, look.at).await {
            Ok(text) if look.wanted.holds(&text) => return Ok(format!("{} = {text}", look.at)),
            Ok(text) => format!("{} = {text}", look.at),
            Err(error) => error.to_string(),
        };
        let next = clock.now() + EVERY;
        if next > end {
            return Err(format!("after {} s still {last}", within.as_secs_f64()));
        }
        timer.until(next).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scalar_is_compared_by_its_text() {
        let body = br#"{"flags":{"smart_cart":{"serving":true,"pct":100}},"release":"r40","none":null,"list":[1,2]}"#;
        for (path, text) in [
            ("$.flags.smart_cart.serving", "true"),
            ("$.flags.smart_cart.pct", "100"),
            ("$.release", "r40"),
            ("$.none", "null"),
            ("$.list[1]", "2"),
        ] {
            assert_eq!(scalar_at(body, path).as_deref(), Ok(text), "{path}");
        }
    }

    #[test]
    fn what_is_no_scalar_is_said() {
        let body = br#"{"a":{"b":1},"list":[1,2]}"#;
        for (path, why) in [
            ("$.x", "nothing is at"),
            ("$.a", "not a single value"),
            ("$.list[*]", "2 values"),
            ("$[", "not a JSON path"),
        ] {
            assert!(scalar_at(body, path).unwrap_err().contains(why), "{path}");
        }
        assert!(scalar_at(b"<html>", "$.a").unwrap_err().contains("not JSON"));
    }
}
