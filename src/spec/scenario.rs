//! A scenario as written: target, client, load, variables, journeys, checks. Steps are in `step`.

use serde::Deserialize;

pub(crate) use super::client::{Auth, Backoff, Client, Connections, Jitter, Patience, Retry, Then, Timeouts};
use super::gate::Gate;
use super::names::Named;
use super::source::Spanned;
use super::step::{Steps, Think, WrittenStep};
use super::written::{Extra, Written, plain, written};

written! {
    /// The whole file.
    Scenario {
        name: Spanned<String>,
        target: Option<Spanned<Target>>,
        client: Option<Spanned<Client>>,
        load: Spanned<Vec<Spanned<Workload>>>,
        vars: Option<Spanned<Named<Var>>>,
        journeys: Spanned<Named<Journey>>,
        checks: Option<Spanned<Vec<Spanned<String>>>>,
        data: Option<Spanned<Named<Data>>>,
        secrets: Option<Spanned<Named<SecretFrom>>>,
        teardown: Option<Steps>,
        max_series: Option<Spanned<u64>>,
        gate: Option<Spanned<Gate>>,
    } later {
        tokens, setup, faults, fleet, evidence, fidelity, reactions, pages,
    }
}

written! {
    /// Where requests go.
    Target {
        base: Spanned<String>,
        hosts: Option<Spanned<Named<String>>>,
        max_rate: Option<Spanned<String>>,
        http: Option<Spanned<Version>>,
        tls: Option<Spanned<Tls>>,
        connect_to: Option<Spanned<Named<String>>>,
        unix: Option<Spanned<String>>,
        source: Option<Spanned<Vec<Spanned<String>>>>,
        dns: Option<Spanned<Dns>>,
        max_run: Option<Spanned<String>>,
    } later {}
}

/// When names are looked up.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Dns {
    Once,
    Every(Spanned<String>),
}

plain!(Dns);

/// Which HTTP is spoken.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Version {
    Auto,
    Http1,
    Http2,
    Http2Prior,
}

plain!(Version);

written! {
    /// How `https` is spoken.
    Tls {
        roots: Option<Spanned<Roots>>,
        insecure: Option<Spanned<bool>>,
        client: Option<Spanned<Identity>>,
        sni: Option<Spanned<String>>,
        min: Option<Spanned<String>>,
    } later {}
}

/// Whose certificates are believed.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Roots {
    Platform,
    File(Spanned<String>),
    Both(Spanned<String>),
}

plain!(Roots);

written! {
    /// Our own certificate and its key.
    Identity { cert: Spanned<String>, key: Spanned<String> } later {}
}

/// One stream of arrivals, or one group of users.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Workload {
    Open(Box<Open>),
    Closed(Box<Closed>),
}

impl Written for Workload {
    fn extra(&self) -> Extra<'_> {
        match self {
            Self::Open(open) => open.extra(),
            Self::Closed(closed) => closed.extra(),
        }
    }
}

written! {
    /// Arrivals that do not wait for the server.
    Open {
        name: Option<Spanned<String>>,
        rate: Spanned<Vec<Spanned<Piece>>>,
        spacing: Option<Spanned<Spacing>>,
        mix: Option<Spanned<Named<u64>>>,
        max_in_flight: Option<Spanned<u64>>,
        warmup: Option<Spanned<String>>,
        drain: Option<Spanned<String>>,
        start: Option<Spanned<Start>>,
        arrivals: Option<Spanned<u64>>,
        stay: Option<Spanned<Stay>>,
    } later { client }
}

written! {
    /// Users that wait for answers.
    Closed {
        name: Option<Spanned<String>>,
        users: Spanned<Vec<Spanned<UserPiece>>>,
        mix: Option<Spanned<Named<u64>>>,
        think: Option<Spanned<Think>>,
        warmup: Option<Spanned<String>>,
        drain: Option<Spanned<String>>,
        start: Option<Spanned<Start>>,
        iterations: Option<Spanned<Iterations>>,
        cycle: Option<Spanned<String>>,
    } later { client }
}

written! {
    /// After a journey its user thinks and begins another, with a chance.
    Stay {
        chance: Spanned<String>,
        think: Option<Spanned<Think>>,
        at_most: Option<Spanned<u64>>,
    } later {}
}

/// How many journeys users do before they leave.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Iterations {
    PerUser(Spanned<u64>),
    Shared(Spanned<u64>),
}

plain!(Iterations);

/// A piece of a rate.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) enum Piece {
    Hold {
        rate: Spanned<String>,
        r#for: Spanned<String>,
    },
    Ramp {
        from: Option<Spanned<String>>,
        to: Spanned<String>,
        over: Spanned<String>,
    },
    Step {
        from: Spanned<String>,
        by: Spanned<String>,
        every: Spanned<String>,
        times: Spanned<u64>,
    },
    Spike {
        base: Spanned<String>,
        peak: Spanned<String>,
        rise: Spanned<String>,
        r#for: Spanned<String>,
        fall: Spanned<String>,
    },
    Sine {
        mean: Spanned<String>,
        swing: Spanned<String>,
        period: Spanned<String>,
        r#for: Spanned<String>,
        phase: Option<Spanned<String>>,
    },
    Curve(Vec<Spanned<(Spanned<String>, Spanned<String>)>>),
    Table {
        file: Spanned<String>,
        scale: Option<Spanned<f64>>,
        speed: Option<Spanned<f64>>,
    },
}

plain!(Piece);

/// A piece of a number of users.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) enum UserPiece {
    Hold { users: Spanned<u64>, r#for: Spanned<String> },
    Ramp { from: Option<Spanned<u64>>, to: Spanned<u64>, over: Spanned<String> },
}

plain!(UserPiece);

/// Where between its neighbours an arrival lies.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Spacing {
    Even,
    Poisson,
}

plain!(Spacing);

/// When a workload begins.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Start {
    At(Spanned<String>),
    After(Spanned<String>),
}

plain!(Start);

/// A variable drawn once per journey.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) enum Var {
    Text(Spanned<String>),
    Uuid,
    Hex(Spanned<u64>),
    Int(Spanned<i64>, Spanned<i64>),
    Choice(Vec<Spanned<(Spanned<String>, Spanned<u64>)>>),
    Counter { start: Option<Spanned<i64>>, step: Option<Spanned<i64>> },
    Zipf { items: Spanned<u64>, s: Spanned<f64>, from: Option<Spanned<i64>> },
    Timestamp(Spanned<Stamp>),
}

plain!(Var);

/// How a moment is written.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Stamp {
    Rfc3339,
    UnixSeconds,
    UnixMillis,
}

plain!(Stamp);

/// Rows of values.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename = "Data")]
pub(crate) enum Data {
    Csv(Box<DataFile>),
    JsonLines(Box<DataFile>),
}

impl Written for Data {
    fn extra(&self) -> Extra<'_> {
        let (Self::Csv(file) | Self::JsonLines(file)) = self;
        file.extra()
    }
}

written! {
    /// A file of rows, and who takes which.
    DataFile {
        file: Spanned<String>,
        pick: Option<Spanned<RowPick>>,
        on_end: Option<Spanned<OnEnd>>,
        delimiter: Option<Spanned<String>>,
    } later {}
}

/// Which row a journey takes.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum RowPick {
    Sequential,
    Random,
    Unique,
    PerUser,
}

plain!(RowPick);

/// What happens when every row was taken.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum OnEnd {
    Stop,
    Recycle,
}

plain!(OnEnd);

/// Where a secret's value comes from.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename = "SecretFrom")]
pub(crate) enum SecretFrom {
    Env(Spanned<String>),
    File(Spanned<String>),
}

plain!(SecretFrom);

written! {
    /// A user's path.
    Journey {
        steps: Spanned<Vec<Spanned<WrittenStep>>>,
        think: Option<Spanned<Think>>,
        on_failure: Option<Spanned<OnFailure>>,
        owner: Option<Spanned<Owner>>,
        misbehave: Option<Spanned<Vec<Spanned<Misbehave>>>>,
    } later { walk, client }
}

written! {
    /// Whose data a journey may see.
    Owner { tag: Spanned<String>, pattern: Spanned<String> } later {}
}

written! {
    /// A share of a journey's users that misbehaves.
    Misbehave { share: Spanned<String>, how: Spanned<How> } later {}
}

/// What a bad client does.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum How {
    AbortAfter(Spanned<String>),
    AbortAtByte(Spanned<String>),
    SlowRead(Spanned<String>),
    SlowSend(Spanned<String>),
    HalfOpen(Spanned<String>),
}

plain!(How);

/// What a failed step does.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum OnFailure {
    EndJourney,
    Continue,
}

plain!(OnFailure);
