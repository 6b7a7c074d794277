//! Journeys as an index program: steps, variables and series are numbers.
//!
//! Made by `check`, run by `load`. Not here: running a step, or the texts of a scenario. Steps that hold steps are in `course`,
//! variables and their draws in `draw`; both are named here as well.

use std::sync::Arc;
use std::time::Duration;

use super::audit::Booking;
pub use super::course::{Branch, Condition, Group, Repeat, Turns, groups, requests};
pub use super::draw::{Draw, Drawn, Stamp};
use super::good::StatusSet;
use super::misbehave::Misbehaviour;
use super::template::{Template, VarId};
use crate::measure::sample::StepId;

/// A checked journey.
#[derive(Clone, Debug)]
pub struct Journey {
    /// Its name.
    pub name: String,
    /// Its steps, in order, at least one.
    pub steps: Vec<Op>,
    /// Pause between steps.
    pub think: Think,
    /// What a failed step does.
    pub on_failure: OnFailure,
    /// Whose data it may see; `None`: nobody looks.
    pub owner: Option<Owner>,
    /// Which of its users misbehave; shares add up to at most 1.
    pub misbehave: Vec<Misbehaviour>,
}

/// Whose data a journey may see: another owner's tag in any answer is a leak.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The tag of the user's own data.
    pub tag: Template,
    /// A pattern that every tag matches.
    pub pattern: String,
}

impl Journey {
    /// The series of its first request: where shed arrivals are counted.
    pub fn first_step(&self) -> Option<StepId> {
        let mut first = None;
        requests(&self.steps, 1.0, &mut |http, _| {
            first.get_or_insert(http.step);
        });
        first
    }
}

/// What a failed step does to its journey.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The journey ends.
    #[default]
    EndJourney,
    /// The next step follows.
    Continue,
}

/// One step.
#[derive(Clone, Debug)]
pub enum Op {
    /// A request.
    Http(Box<Http>),
    /// A pause.
    Pause(Think),
    /// Takes values from the last answer.
    Extract(Vec<Extraction>),
    /// Checks the last answer.
    Check(Vec<Check>),
    /// Draws variables again.
    Set(Vec<Drawn>),
    /// One way or the other.
    Branch(Box<Branch>),
    /// Steps done more than once.
    Repeat(Box<Repeat>),
    /// Requests side by side.
    Group(Box<Group>),
}

/// A pause or think time, drawn by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Think {
    /// None.
    #[default]
    Off,
    /// Always the same.
    Fixed(Duration),
    /// Uniform between two times.
    Uniform(Duration, Duration),
    /// Exponential with this mean, cut at the longest.
    Exponential {
        /// Mean before the cut.
        mean: Duration,
        /// Longest.
        at_most: Duration,
    },
    /// Log-normal by its median and 95th percentile: sigma = ln(p95 / median) / 1.6449.
    LogNormal {
        /// Median.
        median: Duration,
        /// 95th percentile, above the median.
        p95: Duration,
        /// Longest.
        at_most: Duration,
    },
    /// Equally spaced quantiles, rising, at least one; linear between them.
    Empirical(Arc<[Duration]>),
}

/// A request step.
#[derive(Clone, Debug)]
pub struct Http {
    /// Its series.
    pub step: StepId,
    /// Upper-case method.
    pub method: String,
    /// Index of the origin among the plan's.
    pub origin: usize,
    /// Path and query, beginning with `/`.
    pub path: Template,
    /// Headers, names in lower case; `host` and `content-length` are the client's.
    pub headers: Vec<(String, Template)>,
    /// Body; empty for none. JSON bodies bring their `content-type` in `headers`.
    pub body: Option<Template>,
    /// Longest time from sent to the end of the answer.
    pub total: Duration,
    /// Values taken from the answer.
    pub extract: Vec<Extraction>,
    /// What the answer must be.
    pub check: Vec<Check>,
    /// What it says about the truth of the system.
    pub truth: Vec<Truth>,
}

/// What an answer says about the truth of the system.
#[derive(Clone, Debug, PartialEq)]
pub enum Truth {
    /// A version that it shows.
    Version(Versioned),
    /// A write that it acknowledges.
    Ledger(Booking),
}

/// A version that an answer shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// What is versioned; one memory for each user and key.
    pub key: String,
    /// Where the version stands in the answer.
    pub version: From,
    /// A version older than the user's own write is stale when it is read this long after the write was acknowledged;
    /// `None`: the answer acknowledges a write.
    pub lag: Option<Duration>,
}

impl Http {
    /// True when an extraction or check reads the body, so that it must be kept.
    pub fn reads_body(&self) -> bool {
        self.extract.iter().any(|one| matches!(one.from, From::Json(_) | From::Regex { .. } | From::Body))
            || self.check.iter().any(|one| matches!(one.what, What::Json { .. } | What::Body(_)))
            || !self.truth.is_empty()
    }
}

/// A value taken from an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extraction {
    /// Index of its name among the plan's labels.
    pub label: u16,
    /// Where it goes.
    pub into: VarId,
    /// Where it comes from.
    pub from: From,
    /// Which of several.
    pub pick: Pick,
    /// Value when there is none; without it a missing value fails the step.
    pub or: Option<String>,
}

/// Which of several values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pick {
    /// The first.
    #[default]
    First,
    /// The last.
    Last,
    /// One of them, drawn by key.
    Random,
    /// All, as a list.
    All,
    /// The n-th, from 0.
    Nth(u64),
}

/// Where an extracted value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// First match of a JSON path in the body; scalars as their text, others as JSON.
    Json(String),
    /// Matches of a pattern in the body; the text of one of its groups.
    Regex {
        /// The pattern.
        find: String,
        /// Number of the group; 0 is the whole match.
        group: usize,
    },
    /// A header, name in lower case.
    Header(String),
    /// A cookie that the answer sets.
    Cookie(String),
    /// The status.
    Status,
    /// The whole body.
    Body,
}

/// What an answer must be.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Index of its name among the plan's labels.
    pub label: u16,
    /// What it looks at and demands.
    pub what: What,
}

/// A check's subject and demand.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// The status is in the set.
    Status(StatusSet),
    /// A header, name in lower case.
    Header {
        /// Its name.
        name: String,
        /// The demand.
        is: Is,
    },
    /// The whole body as text.
    Body(Is),
    /// First match of a JSON path in the body.
    Json {
        /// The path.
        path: String,
        /// The demand.
        is: Is,
    },
    /// A variable after the extractions of its step.
    Var {
        /// The variable.
        var: VarId,
        /// The demand.
        is: Is,
    },
    /// Size of the body in bytes.
    Size {
        /// At least.
        at_least: u64,
        /// At most.
        at_most: u64,
    },
    /// Service time.
    Time {
        /// At most.
        at_most: Duration,
    },
}

/// A demand on a value; a missing value meets only `Absent`.
#[derive(Clone, Debug, PartialEq)]
pub enum Is {
    /// It is there.
    Exists,
    /// It is not there.
    Absent,
    /// Its text equals.
    Equals(String),
    /// Its text differs.
    Not(String),
    /// Its text contains.
    Contains(String),
    /// Its text does not contain.
    Lacks(String),
    /// A pattern matches somewhere in its text.
    Matches(String),
    /// It is a number of at least.
    AtLeast(f64),
    /// It is a number of at most.
    AtMost(f64),
}
