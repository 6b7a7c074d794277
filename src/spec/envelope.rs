//! How much of what matches a fault touches, and when, as written: unit, pattern, ramp, caps.
//!
//! Not here: ranges (`plan::check::envelope`), what is injected (`inject`).

use serde::Deserialize;

use super::source::Spanned;
use super::written::{plain, written};

/// The unit of a decision.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Per {
    Connection,
    Request,
    Query,
    Command,
    User,
}

/// Which units.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) enum Pattern {
    Always,
    First { n: Spanned<u64>, of: Option<Spanned<Of>> },
    Every { n: Spanned<u64>, offset: Option<Spanned<u64>>, of: Option<Spanned<Of>> },
    Windows(Vec<(Spanned<String>, Spanned<String>)>),
    Burst { on: Spanned<String>, off: Spanned<String>, jitter: Option<Spanned<String>> },
    All(Vec<Spanned<Self>>),
}

/// What is counted together.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Of {
    Fault,
    Connection,
    User,
    Fingerprint,
    Key,
}

/// What a ramp multiplies.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Scale {
    Share,
    Severity,
}

/// Which decisions are taken down.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Keep {
    Hits,
    Full,
    Off,
}

plain!(Per, Pattern, Of, Scale, Keep);

written! {
    /// How share or severity grows.
    Ramp { of: Spanned<Scale>, points: Spanned<Vec<Spanned<(Spanned<String>, Spanned<String>)>>> } later {}
}

written! {
    /// What is never exceeded.
    Caps {
        active: Option<Spanned<u64>>,
        total: Option<Spanned<u64>>,
        rate: Option<Spanned<String>>,
        connections: Option<Spanned<u64>>,
        users: Option<Spanned<u64>>,
        delay: Option<Spanned<String>>,
        time: Option<Spanned<String>>,
    } later {}
}
