//! One line of a scenario's `checks`, such as `p99{step=order} < 800ms, over 10s`: its grammar and its parts.
//!
//! ```text
//! check = [ level ":" ] subject [ "{" selector { "," selector } "}" ] cmp bound { "," modifier }
//! ```
//!
//! `parse` reads a line by itself. Not here: whether a step of that name exists, or what a bound means (`plan::check`).

mod bound;
mod parse;
mod scan;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub(crate) use parse::parse;

/// A line that cannot be read: what is wrong, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) at: Range<usize>,
}

/// A line as written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) level: Level,
    pub(crate) subject: Subject,
    pub(crate) scope: Vec<Selector>,
    pub(crate) cmp: Cmp,
    pub(crate) bound: Bound,
    pub(crate) modifiers: Vec<Modifier>,
    /// Where subject and bound stand in the line.
    pub(crate) subject_at: Range<usize>,
    pub(crate) bound_at: Range<usize>,
}

/// How much a line counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Level {
    Hard,
    #[default]
    Must,
    Should,
    Info,
}

/// What is measured. Durations are in µs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Subject {
    Quantile(f64),
    Mean,
    Max,
    Min,
    Errors,
    Timeouts,
    Shed,
    Slow(f64),
    Apdex(f64),
    Offered,
    Achieved,
    Goodput,
    Requests,
    Recovery,
    Unavailable,
    Lateness(f64),
    GeneratorCpu,
}

/// Which bounds a subject takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Time,
    Share,
    Rate,
    RateOrShare,
    Number,
}

impl Subject {
    pub(crate) fn family(self) -> Family {
        match self {
            Self::Quantile(_)
            | Self::Mean
            | Self::Max
            | Self::Min
            | Self::Recovery
            | Self::Unavailable
            | Self::Lateness(_) => Family::Time,
            Self::Errors | Self::Timeouts | Self::Shed | Self::Slow(_) | Self::GeneratorCpu => Family::Share,
            Self::Offered | Self::Goodput => Family::Rate,
            Self::Achieved => Family::RateOrShare,
            Self::Apdex(_) | Self::Requests => Family::Number,
        }
    }
}

/// One selector of a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selector {
    pub(crate) key: Key,
    pub(crate) is_negated: bool,
    pub(crate) glob: String,
    pub(crate) at: Range<usize>,
}

/// What a selector selects by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Step,
    Journey,
    Label,
    Phase,
    Fault,
    Status,
    Outcome,
    Clock,
}

/// The comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cmp {
    Less,
    AtMost,
    More,
    AtLeast,
}

/// What it is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bound {
    Value(Value),
    /// Another run, the last release, or the same run's steady phase, with a margin; the largest of the two applies.
    Reference {
        to: Reference,
        slack: Value,
        or: Option<f64>,
    },
}

/// What a relative bound leans on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    Baseline,
    Anchor,
    Steady,
}

/// A number with its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value {
    /// µs.
    Time(f64),
    /// A share, 1 is the whole.
    Share(f64),
    /// Percentage points, as a share.
    Points(f64),
    /// Per second.
    Rate(f64),
    /// No unit.
    Number(f64),
}

/// What may follow a bound. Durations are in µs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Modifier {
    For(f64),
    Over(f64),
    In(f64, f64),
    After(f64),
    Abort(u32),
    AtLeast(u64),
    As(String),
}
