//! What can be known of an SQL text without a database: its shape, what its statements do, which tables they name.
//!
//! ```text
//! text -> lexer -> tokens -> verbs        what each statement does
//!                         -> tables       which tables are named
//!                         -> fingerprint  the shape without values, and its number
//! ```
//! Pure. It is a lexer and no parser: what it cannot tell it leaves out, and it never fails. Called by `fault::rule`.

mod fingerprint;
mod lexer;
mod tables;
#[cfg(test)]
mod tests;
mod verbs;

use std::collections::BTreeSet;
use std::fmt;

use lexer::tokens;
pub use verbs::{Effect, Statement, Verb};

/// A text without its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Of the text below.
    pub fingerprint: Fingerprint,
    /// Words, names and marks; every value is `?`.
    pub text: String,
    /// What the statements between semicolons do, in order.
    pub statements: Vec<Statement>,
    /// Every table named, in lower case unless it was quoted, with the schema if it was written.
    pub tables: BTreeSet<String>,
}

/// Names a shape: 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub u64);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Fingerprint {
    /// Reads 16 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        plain.then(|| u64::from_str_radix(text, 16).ok().map(Self)).flatten()
    }
}

impl Shape {
    /// The shape of `text`.
    pub fn of(text: &str) -> Self {
        let tokens = tokens(text);
        let statements = tokens.split(|token| token.is_mark(b';')).filter_map(verbs::statement).collect();
        let text = fingerprint::shape(&tokens);
        Self { fingerprint: Fingerprint(fingerprint::number(&text)), text, statements, tables: tables::tables(&tokens) }
    }

    /// True when a statement of the text has this verb.
    pub fn does(&self, verb: Verb) -> bool {
        self.statements.iter().any(|statement| statement.verb == verb)
    }

    /// True when a statement of the text writes or locks rows.
    pub fn writes(&self) -> bool {
        self.statements.iter().any(|statement| statement.writes)
    }

    /// True when `table` is named, with or without its schema.
    pub fn names(&self, table: &str) -> bool {
        let bare = |name: &str| name.rsplit_once('.').is_some_and(|(_, bare)| bare == table);
        self.tables.iter().any(|name| name == table || bare(name))
    }

    /// The one statement of the text, if it has only one.
    pub fn single(&self) -> Option<Statement> {
        match self.statements.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }
}

/// The W3C `traceparent` that a comment of `text` carries.
pub fn trace_of(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("traceparent")?;
    let start = rest.find("00-").filter(|start| *start <= 4)?;
    let id = rest.get(start + 3..start + 35)?;
    let whole = id.bytes().all(|byte| byte.is_ascii_hexdigit()) && rest.get(start + 35..start + 36) == Some("-");
    let end = rest.len().min(start + 55);
    rest.get(start..end).filter(|_| whole)
}
