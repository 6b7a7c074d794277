//! What can be injected, as written: toxics with their parameters, times, and sides.
//!
//! Not here: ranges (`plan::check::inject`), what they do (`fault::toxic`).

use serde::Deserialize;

use super::source::Spanned;
use super::written::{Extra, Written, plain, written};

/// A toxic.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Inject {
    Latency(Box<Latency>),
    Bandwidth(Box<Bandwidth>),
    Slicer(Box<Slicer>),
    SlowClose(Box<SlowClose>),
    Timeout(Box<Timeout>),
    Blackhole(Box<Blackhole>),
    ResetPeer(Box<ResetPeer>),
    LimitData(Box<LimitData>),
    Corrupt(Box<Corrupt>),
    Down(Box<Down>),
    MaxLifetime(Box<MaxLifetime>),
    Loss(Box<Loss>),
    Noop,
}

impl Written for Inject {
    fn extra(&self) -> Extra<'_> {
        match self {
            Self::Latency(one) => one.extra(),
            Self::Bandwidth(one) => one.extra(),
            Self::Slicer(one) => one.extra(),
            Self::SlowClose(one) => one.extra(),
            Self::Timeout(one) => one.extra(),
            Self::Blackhole(one) => one.extra(),
            Self::ResetPeer(one) => one.extra(),
            Self::LimitData(one) => one.extra(),
            Self::Corrupt(one) => one.extra(),
            Self::Down(one) => one.extra(),
            Self::MaxLifetime(one) => one.extra(),
            Self::Loss(one) => one.extra(),
            Self::Noop => Extra::default(),
        }
    }
}

written! {
    /// Every parcel is late.
    Latency { time: Spanned<Time>, jitter: Option<Spanned<String>>, draw: Option<Spanned<Draw>> } later {}
}

written! {
    /// Bytes leave at a rate.
    Bandwidth { rate: Spanned<String> } later {}
}

written! {
    /// Data leaves in pieces.
    Slicer { size: Spanned<String>, variation: Option<Spanned<String>>, pause: Option<Spanned<String>> } later {}
}

written! {
    /// The end is late.
    SlowClose { delay: Spanned<String> } later {}
}

written! {
    /// Data is swallowed, then the connection is closed.
    Timeout { after: Spanned<String> } later {}
}

written! {
    /// Nothing passes.
    Blackhole { how: Option<Spanned<Silence>> } later {}
}

written! {
    /// A true reset to both peers.
    ResetPeer { after: Spanned<String>, data: Option<Spanned<Data>>, grace: Option<Spanned<String>> } later {}
}

written! {
    /// So many bytes, then a cut.
    LimitData { bytes: Spanned<String>, close: Option<Spanned<Ending>> } later {}
}

written! {
    /// Bytes are changed.
    Corrupt { one_in: Spanned<String>, how: Option<Spanned<Corruption>>, skip: Option<Spanned<String>> } later {}
}

written! {
    /// The proxy is down.
    Down { how: Option<Spanned<Outage>>, existing: Option<Spanned<Existing>> } later {}
}

written! {
    /// Connections are cut when they are old.
    MaxLifetime { after: Spanned<Time>, from: Option<Spanned<Origin>>, close: Option<Spanned<Ending>>, at: Option<Spanned<Moment>> } later {}
}

written! {
    /// Segments arrive late.
    Loss {
        rate: Spanned<String>,
        correlation: Option<Spanned<String>>,
        rtt: Spanned<String>,
        rto: Option<Spanned<String>>,
    } later {}
}

/// How long.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) enum Time {
    Fixed(Spanned<String>),
    Uniform(Spanned<String>, Spanned<String>),
    Exponential { mean: Spanned<String> },
    LogNormal { median: Spanned<String>, p95: Spanned<String> },
    Normal { mean: Spanned<String>, sd: Spanned<String> },
    Pareto { min: Spanned<String>, alpha: Spanned<f64> },
    Quantiles(Vec<(Spanned<String>, Spanned<String>)>),
    Recorded { file: Spanned<String> },
}

/// For what a time is drawn.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Draw {
    Parcel,
    Connection,
}

/// What a blackhole does with bytes.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Silence {
    Stall,
    Swallow,
}

/// What becomes of bytes before a reset.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Data {
    Swallow,
    Pass,
}

/// How a connection is ended.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Ending {
    Fin,
    Rst,
}

/// What happens to a byte.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Corruption {
    Flip,
    Replace,
    Insert(Spanned<u64>),
    Remove(Spanned<u64>),
}

/// What a new connection meets.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Outage {
    Refuse,
    Reset,
    Close,
    Hang,
}

/// What becomes of living connections.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Existing {
    Keep,
    Close,
}

/// From when a lifetime counts.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Origin {
    Opened,
    Injected,
}

/// When a connection that is old is cut.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Moment {
    Now,
    Idle,
}

/// Which direction.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Side {
    Upstream,
    Downstream,
    Both,
}

plain!(Time, Draw, Silence, Data, Ending, Corruption, Outage, Existing, Moment, Origin, Side);
