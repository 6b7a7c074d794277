//! The steps of a journey as written: requests, pauses, extractions, checks.

use serde::Deserialize;

use super::names::Named;
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
}

impl Written for WrittenStep {
    fn extra(&self) -> Extra<'_> {
        if let Self::Http(http) = self { http.extra() } else { Extra::default() }
    }
}

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
    } later { labels, truth, client }
}

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
    Header(Box<FromHeader>),
    Status,
    Body,
}

impl Written for Extract {
    fn extra(&self) -> Extra<'_> {
        match self {
            Self::Json(json) => json.extra(),
            Self::Header(header) => header.extra(),
            Self::Status | Self::Body => Extra::default(),
        }
    }
}

written! {
    /// A value of a JSON body.
    FromJson { path: Spanned<String>, or: Option<Spanned<String>> } later { pick }
}

written! {
    /// A header's value.
    FromHeader { name: Spanned<String>, or: Option<Spanned<String>> } later { pick }
}

/// What an answer must be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) enum Check {
    Status(Spanned<String>),
    Header { name: Spanned<String>, is: Spanned<Is> },
    Body(Spanned<Is>),
    Json { path: Spanned<String>, is: Spanned<Is> },
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
    AtLeast(Spanned<f64>),
    AtMost(Spanned<f64>),
}

plain!(Is);
