//! Signals, conditions, abort rules and reference alerts of a drill as written.

use serde::Deserialize;

use super::drill::Stated;
use super::source::Spanned;
use super::written::{Extra, Written, plain, written};

/// What is watched in a drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum Signal {
    Bad,
    Errors,
    LatencyP95,
    BadMinutes,
    Goodput,
    Leaks,
    Stale,
    Wrong,
    LostWrites,
    Throttled,
    Fairness,
    ControlBad,
    LatenessP99,
}

plain!(Signal);

/// Something that is true or not at every instant.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Condition {
    Over(Spanned<Signal>, Spanned<String>),
    Under(Spanned<Signal>, Spanned<String>),
    Marked(Spanned<Stated>),
    Unmarked(Spanned<Stated>),
    Fired(Spanned<String>),
    Healed(Spanned<String>),
    All(Spanned<Vec<Spanned<Condition>>>),
    Any(Spanned<Vec<Spanned<Condition>>>),
    Not(Box<Spanned<Condition>>),
}

plain!(Condition);

written! {
    /// Due once a condition has held.
    Holds { is: Spanned<Condition>, hold: Option<Spanned<String>>, else_at: Option<Spanned<String>> } later {}
}

written! {
    /// A condition that ends the drill.
    Abort {
        when: Spanned<Condition>,
        hold: Option<Spanned<String>>,
        because: Spanned<String>,
        verdict: Option<Spanned<AbortVerdict>>,
    } later {}
}

/// What the drill is then.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum AbortVerdict {
    Aborted,
    Invalid,
}

plain!(AbortVerdict);

/// An alert rule of squall's own.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Reference {
    Burn(Box<Burn>),
    Above(Box<Above>),
}

impl Written for Reference {
    fn extra(&self) -> Extra<'_> {
        match self {
            Self::Burn(burn) => burn.extra(),
            Self::Above(above) => above.extra(),
        }
    }
}

written! {
    /// The budget burns too fast over two windows.
    Burn { long: Spanned<String>, short: Spanned<String>, times: Spanned<f64> } later {}
}

written! {
    /// Too many bad requests for too long.
    Above { bad: Spanned<String>, hold: Spanned<String> } later {}
}
