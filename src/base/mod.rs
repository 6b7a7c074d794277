//! Floor 0: time, randomness, stopping, and the quantities a user writes.
//!
//! Nothing here knows what a request, a fault or a drill is. Every other room may use this one.
//!
//! | file | holds |
//! |---|---|
//! | `clock` | [`clock::Tick`] (whole nanoseconds since the start of the run) and the only reader of the system's clocks |
//! | `timer` | one precise absolute timer per worker |
//! | `stop` | the one word that ends a run |
//! | `seed` | named, keyed random streams |
//! | `shard` | which part of a plan is ours |
//! | `duration` `rate` `ratio` `size` | quantities with their units |
//! | `name` `glob` | nearest-name suggestions; what `*` and `?` match |
//! | `secret` `digest` | values that never print; SHA-256 and HMAC |

pub mod clock;
pub mod digest;
pub mod duration;
pub mod glob;
pub mod name;
pub mod rate;
pub mod ratio;
pub mod secret;
pub mod seed;
pub mod shard;
pub mod size;
pub mod stop;
pub mod timer;

use thiserror::Error;

/// Why a text is not the quantity it should be. `help` is a remedy in the form "did you mean `500/s`?".
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{problem}")]
pub struct QuantityError {
    /// Stable id of the mistake: `missing_unit` or `bad_number`.
    pub id: &'static str,
    /// What is wrong, naming the text.
    pub problem: String,
    /// What to write instead.
    pub help: String,
}

impl QuantityError {
    pub(crate) fn new(id: &'static str, problem: String, help: impl Into<String>) -> Self {
        Self { id, problem, help: help.into() }
    }
}

/// Splits `"12.5ms"` into the number and the unit; both may be empty.
fn split_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-' || c == '+')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number.trim(), unit.trim())
}

/// A finite number of at least zero, or the mistake that says so.
fn non_negative(number: &str, whole: &str, example: &str) -> Result<f64, QuantityError> {
    match number.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 && !number.starts_with('+') => Ok(value),
        Ok(_) => Err(QuantityError::new(
            "bad_number",
            format!("`{whole}` is below zero or not finite"),
            format!("write a number of at least zero, such as `{example}`"),
        )),
        Err(_) => Err(QuantityError::new(
            "bad_number",
            format!("`{whole}` does not start with a number"),
            format!("write a number and its unit, such as `{example}`"),
        )),
    }
}
