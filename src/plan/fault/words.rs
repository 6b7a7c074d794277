//! A fault in words, for the journal and the documents: `latency of 80ms on proxy db`.
//!
//! Not here: how it acts (`fault`).

use super::{Fault, Time, Toxic};
use crate::base::duration::show;
use crate::base::ratio::Ratio;
use crate::base::size::Size;

impl Fault {
    /// In words: `latency of 80ms on proxy db`.
    pub fn words(&self) -> String {
        let share = match self.share {
            Ratio::ONE => String::new(),
            share => format!(" of {} % of its connections", share.get() * 100.0),
        };
        format!("{} on proxy {}{share}", self.inject.words(), self.on)
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
