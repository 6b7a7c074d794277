//! The steps of a journey as written: requests, pauses, extractions, checks.

use serde::Deserialize;

use super::names::Named;
use super::scenario::Var;
use super::source::Spanned;
use super::written::{Extra, Written, plain, written};

/// One step.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename = "Step")]
pub(crate) enum WrittenStep {
    Http(Box<Http>),
    Pause(Box<Spanned<Think>>),
    Extract(Named<Extract>),
    Check(Vec<Spanned<Check>>),
    Set(Named<Var>),
    Branch(Box<Branch>),
    Repeat(Box<Repeat>),
    Group(Box<Group>),
    Audit(Box<Audit>),
}

impl Written for WrittenStep {
    fn extra(&self) -> Extra<'_> {
        match self {
            Self::Http(http) => http.extra(),
            Self::Branch(branch) => branch.extra(),
            Self::Repeat(repeat) => repeat.extra(),
            Self::Group(group) => group.extra(),
            Self::Audit(audit) => audit.extra(),
            Self::Pause(_) | Self::Extract(_) | Self::Check(_) | Self::Set(_) => Extra::default(),
        }
    }
}

/// Steps in order, as written.
pub(crate) type Steps = Spanned<Vec<Spanned<WrittenStep>>>;

written! {
    /// One way or the other.
    Branch { when: Spanned<When>, then: Steps, otherwise: Option<Steps> } later {}
}

written! {
    /// Steps that are done more than once.
    Repeat {
        times: Option<Spanned<Times>>,
        each: Option<Spanned<(Spanned<String>, Spanned<String>)>>,
        until: Option<Spanned<When>>,
        at_most: Option<Spanned<u64>>,
        think: Option<Spanned<Think>>,
        steps: Steps,
    } later {}
}

written! {
    /// Requests side by side.
    Group { name: Spanned<String>, parallel: Option<Spanned<u64>>, steps: Steps } later {}
}

written! {
    /// Reads a book of acknowledged writes back.
    Audit {
        book: Spanned<String>,
        read: Spanned<Read>,
        content: Spanned<Extract>,
        rate: Option<Spanned<String>>,
        list: Option<Spanned<List>>,
    } later {}
}

written! {
    /// How one write is read.
    Read { url: Spanned<String> } later {}
}

written! {
    /// How all writes are listed, and where their contents stand.
    List { url: Spanned<String>, content: Spanned<Extract> } later {}
}

/// How often steps are repeated.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) enum Times {
    Exactly(Spanned<u64>),
    Between(Spanned<u64>, Spanned<u64>),
    Geometric { mean: Spanned<f64>, at_most: Option<Spanned<u64>> },
}

plain!(Times);

/// A condition.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename = "Condition")]
pub(crate) enum When {
    Chance(Spanned<String>),
    Status(Spanned<String>),
    Var { name: Spanned<String>, is: Spanned<Is> },
    Not(Box<Spanned<When>>),
    All(Vec<Spanned<When>>),
    Any(Vec<Spanned<When>>),
}

plain!(When);

written! {
    /// A request.
    Http {
        name: Option<Spanned<String>>,
        method: Option<Spanned<String>>,
        url: Spanned<String>,
        query: Option<Spanned<Named<String>>>,
        headers: Option<Spanned<Named<String>>>,
        body: Option<Spanned<Body>>,
        extract: Option<Spanned<Named<Extract>>>,
        check: Option<Spanned<Vec<Spanned<Check>>>>,
        truth: Option<Spanned<Vec<Spanned<Truth>>>>,
    } later { labels, client }
}

/// What a request says about the truth of the system.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename = "Truth")]
pub(crate) enum Truth {
    Writes { key: Spanned<String>, version: Spanned<Extract> },
    Reads { key: Spanned<String>, version: Spanned<Extract>, lag: Option<Spanned<String>> },
    Ledger { book: Spanned<String>, id: Spanned<Extract>, seq: Option<Spanned<Extract>>, content: Spanned<String> },
}

plain!(Truth);

/// What is sent.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Body {
    Json(Spanned<String>),
    Text(Spanned<String>),
    Form(Named<String>),
}

plain!(Body);

/// A pause or think time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) enum Think {
    Off,
    Fixed(Spanned<String>),
    Uniform(Spanned<String>, Spanned<String>),
    Exponential { mean: Spanned<String>, at_most: Option<Spanned<String>> },
    LogNormal { median: Spanned<String>, p95: Spanned<String>, at_most: Option<Spanned<String>> },
    Empirical(Vec<Spanned<String>>),
    File(Spanned<String>),
}

plain!(Think);

/// Where an extracted value comes from.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Extract {
    Json(Box<FromJson>),
    Regex(Box<FromRegex>),
    Header(Box<FromHeader>),
    Cookie(Box<FromHeader>),
    Status,
    Body,
}

impl Written for Extract {
    fn extra(&self) -> Extra<'_> {
        match self {
            Self::Json(json) => json.extra(),
            Self::Regex(regex) => regex.extra(),
            Self::Header(header) | Self::Cookie(header) => header.extra(),
            Self::Status | Self::Body => Extra::default(),
        }
    }
}

written! {
    /// A value of a JSON body.
    FromJson { path: Spanned<String>, or: Option<Spanned<String>>, pick: Option<Spanned<Pick>> } later {}
}

written! {
    /// A header's value.
    FromHeader { name: Spanned<String>, or: Option<Spanned<String>>, pick: Option<Spanned<Pick>> } later {}
}

written! {
    /// A stretch of the body that a pattern finds.
    FromRegex {
        find: Spanned<String>,
        group: Option<Spanned<u64>>,
        or: Option<Spanned<String>>,
        pick: Option<Spanned<Pick>>,
    } later {}
}

/// Which of several values.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Pick {
    First,
    Last,
    Random,
    All,
    Nth(Spanned<u64>),
}

plain!(Pick);

/// What an answer must be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) enum Check {
    Status(Spanned<String>),
    Header { name: Spanned<String>, is: Spanned<Is> },
    Body(Spanned<Is>),
    Json { path: Spanned<String>, is: Spanned<Is> },
    Var { name: Spanned<String>, is: Spanned<Is> },
    Size { at_least: Option<Spanned<String>>, at_most: Option<Spanned<String>> },
    Time { at_most: Spanned<String> },
}

plain!(Check);

/// A demand on a value.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Is {
    Exists,
    Absent,
    Equals(Spanned<String>),
    Not(Spanned<String>),
    Contains(Spanned<String>),
    Lacks(Spanned<String>),
    Matches(Spanned<String>),
    AtLeast(Spanned<f64>),
    AtMost(Spanned<f64>),
}

plain!(Is);
