//! How clients behave, as written: connections, limits of time, credentials, patience, further tries.
//!
//! A part of a scenario (`scenario` names it as well). Not here: what a word means.

use serde::Deserialize;

use super::names::Named;
use super::source::Spanned;
use super::step::Think;
use super::written::{Extra, Written, plain, written};

written! {
    /// How clients behave.
    Client {
        connections: Option<Spanned<Connections>>,
        timeouts: Option<Spanned<Timeouts>>,
        headers: Option<Spanned<Named<String>>>,
        body_limit: Option<Spanned<String>>,
        auth: Option<Spanned<Auth>>,
        cookies: Option<Spanned<bool>>,
        redirects: Option<Spanned<u64>>,
        patience: Option<Spanned<Patience>>,
        retry: Option<Spanned<Retry>>,
    } later {}
}

/// Connections and how they are shared.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Connections {
    Shared(Box<Shared>),
    PerUser(Box<PerUser>),
    Fresh,
}

impl Written for Connections {
    fn extra(&self) -> Extra<'_> {
        match self {
            Self::Shared(shared) => shared.extra(),
            Self::PerUser(own) => own.extra(),
            Self::Fresh => Extra::default(),
        }
    }
}

written! {
    /// At most so many for all.
    Shared {
        max: Option<Spanned<u64>>,
        streams: Option<Spanned<u64>>,
        open_first: Option<Spanned<u64>>,
        open_rate: Option<Spanned<String>>,
        max_requests: Option<Spanned<u64>>,
        max_age: Option<Spanned<String>>,
        idle: Option<Spanned<String>>,
    } later {}
}

written! {
    /// Own ones for each user.
    PerUser {
        streams: Option<Spanned<u64>>,
        open_first: Option<Spanned<u64>>,
        open_rate: Option<Spanned<String>>,
        max_requests: Option<Spanned<u64>>,
        max_age: Option<Spanned<String>>,
        idle: Option<Spanned<String>>,
    } later {}
}

written! {
    /// Limits of time.
    Timeouts {
        connect: Option<Spanned<String>>,
        wait: Option<Spanned<String>>,
        first_byte: Option<Spanned<String>>,
        idle: Option<Spanned<String>>,
        total: Option<Spanned<String>>,
        tls: Option<Spanned<String>>,
        resolve: Option<Spanned<String>>,
    } later {}
}

written! {
    /// How long users wait, and what they do then.
    Patience { leaves_after: Spanned<Think>, then: Option<Spanned<Then>> } later {}
}

/// What a user does who has waited long enough.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Then {
    Leave,
    Reload(Spanned<u64>),
}

plain!(Then);

written! {
    /// Which failures are tried again, and how.
    #[expect(clippy::struct_field_names, reason = "the words of the file")]
    Retry {
        on: Spanned<String>,
        times: Spanned<u64>,
        backoff: Option<Spanned<Backoff>>,
        jitter: Option<Spanned<Jitter>>,
        budget: Option<Spanned<String>>,
        retry_after: Option<Spanned<bool>>,
    } later {}
}

/// The pause before a further try.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::large_enum_variant, reason = "one in a file")]
pub(crate) enum Backoff {
    Off,
    Fixed(Spanned<String>),
    Exponential { base: Spanned<String>, factor: Option<Spanned<f64>>, at_most: Option<Spanned<String>> },
}

plain!(Backoff);

/// How much of that pause is left to chance.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Jitter {
    Off,
    Equal,
    Full,
}

plain!(Jitter);

/// How clients say who they are.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename = "Auth")]
pub(crate) enum Auth {
    Basic(Spanned<String>, Spanned<String>),
    Bearer(Spanned<String>),
}

plain!(Auth);
