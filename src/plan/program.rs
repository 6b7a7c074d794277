//! Journeys as an index program: steps, variables and series are numbers.
//!
//! Made by `check`, run by `load`. Not here: running a step, or the texts of a scenario.

use std::sync::Arc;
use std::time::Duration;

use super::good::StatusSet;
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
}

impl Journey {
    /// The series of its first request: where shed arrivals are counted.
    pub fn first_step(&self) -> Option<StepId> {
        self.steps.iter().find_map(|op| if let Op::Http(http) = op { Some(http.step) } else { None })
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
}

impl Http {
    /// True when an extraction or check reads the body, so that it must be kept.
    pub fn reads_body(&self) -> bool {
        self.extract.iter().any(|one| matches!(one.from, From::Json(_) | From::Body))
            || self.check.iter().any(|one| matches!(one.what, What::Json { .. } | What::Body(_)))
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
    /// Value when there is none; without it a missing value fails the step.
    pub or: Option<String>,
}

/// Where an extracted value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// First match of a JSON path in the body; scalars as their text, others as JSON.
    Json(String),
    /// A header, name in lower case.
    Header(String),
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
    /// It is a number of at least.
    AtLeast(f64),
    /// It is a number of at most.
    AtMost(f64),
}

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
    Choice(Vec<(String, u64)>),
    /// start + step × arrival number: unique without sharing.
    Counter {
        /// First.
        start: i64,
        /// Distance.
        step: i64,
    },
}
