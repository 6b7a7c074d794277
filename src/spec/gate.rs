//! The `gate` block of a scenario as written: how findings become a verdict, and what two runs are compared by.

use serde::Deserialize;

use super::source::Spanned;
use super::written::{Extra, Written, plain, written};

written! {
    /// How findings become a verdict.
    Gate {
        decide: Option<Spanned<Decide>>,
        alpha: Option<Spanned<String>>,
        blocks: Option<Spanned<u64>>,
        slot: Option<Spanned<String>>,
        settle: Option<Spanned<String>>,
        stages: Option<Spanned<u64>>,
        min_tail: Option<Spanned<u64>>,
        max_false_red: Option<Spanned<String>>,
        baseline: Option<Spanned<Earlier>>,
        control: Option<Spanned<Vec<Spanned<String>>>>,
        allow_single: Option<Spanned<bool>>,
        require_calibration: Option<Spanned<bool>>,
    } later {}
}

/// What has to be proven.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Decide {
    Ci,
    Drill,
    Launch,
}

plain!(Decide);

/// Which earlier runs a run is compared with.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Earlier {
    History(Box<History>),
    Single,
}

impl Written for Earlier {
    fn extra(&self) -> Extra<'_> {
        if let Self::History(history) = self { history.extra() } else { Extra::default() }
    }
}

written! {
    /// The newest accepted runs.
    History { last: Option<Spanned<u64>> } later {}
}
