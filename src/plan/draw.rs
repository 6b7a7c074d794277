//! Variables and how their values are drawn.
//!
//! Made by `check`, drawn by `load::vars`. Not here: values that come from rows, secrets and lists (`values`).

use super::template::{Template, VarId};

/// A variable with its draw. Draws are named after the variable, so that one variable more changes no other's values.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// Its name as the author wrote it.
    pub name: String,
    /// Where the value goes.
    pub into: VarId,
    /// How it is drawn.
    pub draw: Draw,
}

/// A variable drawn once per journey, keyed by seed, workload and arrival.
#[derive(Clone, Debug, PartialEq)]
pub enum Draw {
    /// A fixed text with other variables in it.
    Text(Template),
    /// A random UUID (version 4 form).
    Uuid,
    /// That many hexadecimal digits.
    Hex(u16),
    /// Uniform whole number between two, both included.
    Int(i64, i64),
    /// One of several texts, by weight.
    Choice(Vec<(Template, u64)>),
    /// start + step × arrival number: unique without sharing.
    Counter {
        /// First.
        start: i64,
        /// Distance.
        step: i64,
    },
    /// Rank r from 1 with a weight of 1 / r^s; the value is from + r - 1.
    Zipf {
        /// Ranks.
        items: u64,
        /// Exponent, above 0.
        s: f64,
        /// Value of the first rank.
        from: i64,
    },
    /// Base64 of a text: the credentials of `Basic` authentication.
    Basic(Template),
    /// The moment it is drawn at, by the wall clock.
    Timestamp(Stamp),
}

impl Draw {
    /// The texts with variables in it.
    pub fn templates(&self) -> Vec<&Template> {
        match self {
            Self::Text(template) | Self::Basic(template) => vec![template],
            Self::Choice(choices) => choices.iter().map(|(template, _)| template).collect(),
            _ => Vec::new(),
        }
    }
}

/// How a moment is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// `2026-11-20T15:04:05.123Z`
    Rfc3339,
    /// Seconds since 1970.
    UnixSeconds,
    /// Milliseconds since 1970.
    UnixMillis,
}
