//! Rules on messages as written, and what a proxy speaks.
//!
//! Not here: ranges and patterns (`plan::check::rule`), what they do (`fault::rule`).

pub(crate) mod postgres;

use serde::Deserialize;

use super::inject::{Ending, Time};
use super::names::Named;
use super::source::Spanned;
use super::written::{Extra, Written, plain, written};

/// What a proxy reads of its connections.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Speaks {
    Bytes,
    Http(Box<Spoken>),
    Postgres(Box<Spoken>),
    Redis(Box<Spoken>),
}

impl Written for Speaks {
    fn extra(&self) -> Extra<'_> {
        match self {
            Self::Bytes => Extra::default(),
            Self::Http(one) | Self::Postgres(one) | Self::Redis(one) => one.extra(),
        }
    }
}

written! {
    /// How a protocol is spoken.
    Spoken { tls: Option<Spanned<Tls>> } later {}
}

/// What becomes of connections that want to be encrypted.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Tls {
    Refuse,
    Pass,
}

written! {
    /// A rule on HTTP.
    Http { only: Option<Spanned<HttpOnly>>, act: Spanned<HttpAct> } later {}
}

written! {
    /// Which requests.
    HttpOnly {
        methods: Option<Spanned<Vec<Spanned<String>>>>,
        route: Option<Spanned<String>>,
        path: Option<Spanned<String>>,
        host: Option<Spanned<String>>,
        headers: Option<Spanned<Named<String>>>,
        status: Option<Spanned<String>>,
        opt_in: Option<Spanned<String>>,
    } later {}
}

/// What becomes of a request or its answer.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum HttpAct {
    Delay(Box<Delay>),
    Abort(Box<Abort>),
    Truncate(Box<Truncate>),
    Drop(Box<Cut>),
    Rewrite(Box<Rewrite>),
}

impl Written for HttpAct {
    fn extra(&self) -> Extra<'_> {
        match self {
            Self::Delay(one) => one.extra(),
            Self::Abort(one) => one.extra(),
            Self::Truncate(one) => one.extra(),
            Self::Drop(one) => one.extra(),
            Self::Rewrite(one) => one.extra(),
        }
    }
}

written! {
    /// A hold.
    Delay { time: Spanned<Time>, hold: Option<Spanned<Hold>> } later {}
}

/// Where a message waits.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Hold {
    Request,
    Response,
    Body(Spanned<String>),
    Server,
}

written! {
    /// An answer that the proxy makes.
    Abort {
        status: Spanned<u64>,
        headers: Option<Spanned<Named<String>>>,
        body: Option<Spanned<String>>,
        reach: Option<Spanned<Reach>>,
    } later {}
}

/// How far the request comes.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Reach {
    Never,
    Server,
}

written! {
    /// Less content in a correct frame.
    Truncate { after: Spanned<String> } later {}
}

written! {
    /// A connection that ends in the middle.
    Cut { after: Spanned<String>, close: Option<Spanned<Ending>> } later {}
}

written! {
    /// Other fields.
    Rewrite { request: Option<Spanned<Vec<Spanned<Edit>>>>, response: Option<Spanned<Vec<Spanned<Edit>>>> } later {}
}

/// One change of a field.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Edit {
    Set(Spanned<String>, Spanned<String>),
    Remove(Spanned<String>),
}

written! {
    /// A rule on Redis.
    Redis { only: Option<Spanned<RedisOnly>>, act: Spanned<RedisAct> } later {}
}

written! {
    /// Which commands.
    RedisOnly {
        commands: Option<Spanned<Vec<Spanned<String>>>>,
        keys: Option<Spanned<String>>,
        nth: Option<Spanned<Nth>>,
    } later {}
}

written! {
    /// Only this one of those that match.
    Nth { n: Spanned<u64>, of: Option<Spanned<Within>> } later {}
}

/// Where messages are counted.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Within {
    Connection,
    Transaction,
    Fault,
}

/// What becomes of a command.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum RedisAct {
    Delay(Box<Wait>),
    Error(Spanned<Failure>),
    Miss,
    Drop(Box<Cut>),
    Flush(Spanned<Flush>),
    Cap(Box<Ceiling>),
}

impl Written for RedisAct {
    fn extra(&self) -> Extra<'_> {
        match self {
            Self::Delay(one) => one.extra(),
            Self::Drop(one) => one.extra(),
            Self::Cap(one) => one.extra(),
            Self::Error(_) | Self::Miss | Self::Flush(_) => Extra::default(),
        }
    }
}

written! {
    /// A hold of the command.
    Wait { time: Spanned<Time> } later {}
}

written! {
    /// No more than this.
    Ceiling { limit: Spanned<u64> } later {}
}

/// How a command fails.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Failure {
    Oom,
    ReadOnly,
    Loading,
    Busy,
    ClusterDown,
    MasterDown,
    NoAuth,
    Text(Spanned<String>),
}

/// How keys go missing.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Flush {
    Masked,
}

plain!(Tls, Hold, Reach, Edit, Within, Failure, Flush);
