//! A cursor over one line of text: words, signs, numbers with units, quoted texts.

use std::ops::Range;

use super::{Refusal, Value};

/// Where we are in a line.
pub(super) struct Scan<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
}

impl<'t> Scan<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    pub(super) fn is_at_end(&mut self) -> bool {
        self.space();
        self.rest().is_empty()
    }

    /// Takes the characters that `wanted` accepts.
    pub(super) fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let taken = rest.get(..rest.find(|c| !wanted(c)).unwrap_or(rest.len())).unwrap_or_default();
        self.at += taken.len();
        taken
    }

    /// Takes `sign` when it is next.
    pub(super) fn sign(&mut self, sign: &str) -> bool {
        self.space();
        let is_next = self.rest().starts_with(sign);
        if is_next {
            self.at += sign.len();
        }
        is_next
    }

    /// A word of letters, digits, `_` and `.`; empty when none is next.
    pub(super) fn word(&mut self) -> &'t str {
        self.space();
        self.take(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
    }

    /// The word that is next, without taking it.
    pub(super) fn peek(&mut self) -> &'t str {
        let before = self.at;
        let word = self.word();
        self.at = before;
        word
    }

    /// Takes `word` when exactly this word is next.
    pub(super) fn keyword(&mut self, word: &str) -> bool {
        let is_next = self.peek() == word;
        if is_next {
            self.word();
        }
        is_next
    }

    /// A text in single or double quotes, when one is next.
    pub(super) fn quoted(&mut self) -> Result<Option<String>, Refusal> {
        self.space();
        let Some(quote) = self.rest().chars().next().filter(|c| *c == '\'' || *c == '"') else { return Ok(None) };
        let start = self.at;
        self.at += 1;
        let text = self.take(|c| c != quote && c != '\n').to_owned();
        if !self.sign(&quote.to_string()) {
            return Err(Refusal { message: format!("a closing {quote} is missing"), at: start..self.text.len() });
        }
        Ok(Some(text))
    }

    /// What is next, up to a space or comma: to name it in a message.
    pub(super) fn next_piece(&mut self) -> (&'t str, Range<usize>) {
        self.space();
        let before = self.at;
        let piece = self.take(|c| !c.is_whitespace() && c != ',');
        let range = before..self.at.max(before + 1).min(self.text.len());
        self.at = before;
        (piece, range)
    }

    pub(super) fn refuse<T>(&mut self, message: impl Into<String>) -> Result<T, Refusal> {
        let (_, at) = self.next_piece();
        Err(Refusal { message: message.into(), at })
    }

    /// A number with its unit, when one is next: `250ms`, `0.1%`, `5pp`, `2k/s`, `0.9`.
    pub(super) fn value(&mut self) -> Result<Option<Value>, Refusal> {
        self.space();
        let before = self.at;
        let digits = self.take(|c| c.is_ascii_digit() || c == '.');
        if digits.is_empty() {
            return Ok(None);
        }
        let Ok(number) = digits.parse::<f64>() else {
            return Err(Refusal { message: format!("{digits} is not a number"), at: before..self.at });
        };
        let space_before_unit = self.at;
        self.space();
        let unit = self.take(|c| c.is_ascii_alphabetic() || c == '%' || c == '/');
        let value = match unit {
            "us" => Value::Time(number),
            "ms" => Value::Time(number * 1e3),
            "s" => Value::Time(number * 1e6),
            "m" => Value::Time(number * 60e6),
            "h" => Value::Time(number * 3_600e6),
            // Moved by two digits as text, so that 0.1% is exactly 0.001.
            "%" => Value::Share(format!("{digits}e-2").parse().unwrap_or(number / 100.0)),
            "pp" => Value::Points(number / 100.0),
            "/s" => Value::Rate(number),
            "k/s" => Value::Rate(number * 1e3),
            "/min" => Value::Rate(number / 60.0),
            "k/min" => Value::Rate(number * 1e3 / 60.0),
            _ => {
                // Not a unit: it is the next word (or a mistake that the reader of the next word will name).
                let is_apart = self.at - unit.len() > space_before_unit;
                if !unit.is_empty() && !is_apart {
                    let message = format!("{unit} is not a unit: use us ms s m h, %, pp, /s or /min");
                    return Err(Refusal { message, at: space_before_unit..self.at });
                }
                self.at = space_before_unit;
                Value::Number(number)
            }
        };
        Ok(Some(value))
    }
}
