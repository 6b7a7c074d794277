//! A fault in words, for the journal and the documents: `latency of 80ms on proxy db`.
//!
//! Not here: how it acts (`fault`).

use super::rule::postgres::Moment;
use super::rule::{Place, Rule, http, postgres};
use super::{Fault, Inject, Time, Toxic};
use crate::base::duration::show;
use crate::base::ratio::Ratio;
use crate::base::size::Size;

impl Fault {
    /// In words: `latency of 80ms on proxy db`.
    pub fn words(&self) -> String {
        let units = match &self.inject {
            Inject::Toxic(_) => "connections",
            Inject::Rule(Rule::Http(_)) => "requests that match",
            Inject::Rule(Rule::Postgres(_)) => "statements that match",
        };
        let share = match self.share {
            Ratio::ONE => String::new(),
            share => format!(" of {} % of its {units}", share.get() * 100.0),
        };
        format!("{} on proxy {}{share}", self.inject.words(), self.on)
    }
}

impl Inject {
    fn words(&self) -> String {
        match self {
            Self::Toxic(toxic) => toxic.words(),
            Self::Rule(Rule::Http(rule)) => rule.act.words(),
            Self::Rule(Rule::Postgres(rule)) => rule.act.words(),
        }
    }
}

impl http::Act {
    fn words(&self) -> String {
        match self {
            Self::Delay(hold) => {
                let held = match hold.place {
                    Place::Response => "responses",
                    Place::Body(_) => "bodies",
                    Place::Request | Place::Server => "requests",
                };
                format!("{held} held for {}", hold.time.words())
            }
            Self::Abort { status, reach: http::Reach::Never, .. } => {
                format!("answers {status} instead of the server's")
            }
            Self::Abort { status, reach: http::Reach::Server, .. } => {
                format!("answers {status} after the work is done")
            }
            Self::Truncate { after } => format!("content cut to {}", Size(*after)),
            Self::Drop { after, .. } => format!("responses that end after {} of their content", Size(*after)),
            Self::Rewrite { .. } => "changed fields".to_owned(),
        }
    }
}

impl postgres::Act {
    fn words(&self) -> String {
        match self {
            Self::Delay(hold) => {
                let held = match hold.place {
                    Place::Response | Place::Body(_) => "answers to statements held for",
                    Place::Request => "statements held for",
                    Place::Server => "statements slow inside the server by",
                };
                format!("{held} {}", hold.time.words())
            }
            Self::Error { sqlstate, .. } => format!("errors {sqlstate} raised by the server"),
            Self::Kill { moment: Moment::UnknownCommit, .. } => "commits that nobody hears of".to_owned(),
            Self::Kill { .. } => "connections killed".to_owned(),
            Self::Cap { limit, .. } => format!("at most {limit} connections"),
            Self::ReadOnly => "writes refused".to_owned(),
            Self::Failover { .. } => "a failover".to_owned(),
            Self::RowStall { after, .. } => format!("answers that stop after {after} rows"),
        }
    }
}

impl Toxic {
    fn words(&self) -> String {
        match self {
            Self::Latency { time, jitter, .. } if jitter.is_zero() => format!("latency of {}", time.words()),
            Self::Latency { time, jitter, .. } => format!("latency of {} ± {}", time.words(), show(*jitter)),
            Self::Bandwidth { rate } => format!("a bandwidth of {}/s", Size(*rate)),
            Self::Slicer { size, .. } => format!("slices of {}", Size(*size)),
            Self::SlowClose { delay } => format!("ends that are {} late", show(*delay)),
            Self::Timeout { after } if after.is_zero() => "silence".to_owned(),
            Self::Timeout { after } => format!("silence, then an end after {}", show(*after)),
            Self::Blackhole { .. } => "silence without an end".to_owned(),
            Self::ResetPeer { after, .. } if after.is_zero() => "resets".to_owned(),
            Self::ResetPeer { after, .. } => format!("resets after {}", show(*after)),
            Self::LimitData { bytes, .. } => format!("a cut after {}", Size(*bytes)),
            Self::Corrupt { one_in, .. } => format!("one byte in {one_in} corrupted"),
            Self::Down { .. } => "an outage".to_owned(),
            Self::MaxLifetime { after, .. } => format!("a longest life of {}", after.words()),
            Self::Loss { rate, .. } => format!("a packet loss of {rate}"),
            Self::Noop => "nothing".to_owned(),
        }
    }
}

impl Time {
    fn words(&self) -> String {
        match self {
            Self::Fixed(time) => show(*time),
            Self::Uniform { from, to } => format!("{} to {}", show(*from), show(*to)),
            Self::Exponential { mean } | Self::Normal { mean, .. } => format!("{} on average", show(*mean)),
            Self::LogNormal { median, p95 } => format!("{} in the middle, {} at p95", show(*median), show(*p95)),
            Self::Pareto { min, .. } => format!("{} and more", show(*min)),
            Self::Quantiles(_) => "a recorded distribution".to_owned(),
        }
    }
}
