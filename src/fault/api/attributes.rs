//! The toxics of the compatible API: their types, attributes and ranges, and what they are here.
//!
//! Pure. Attributes are whole numbers in the units of the API (ms, µs, bytes, KB/s of 1000 B). Not here: their stream and
//! their name (`compat`).

use std::time::Duration;

use serde::{Serialize, Serializer};

use super::errors::Refusal;
use super::json::Fields;
use crate::base::ratio::Ratio;
use crate::plan::fault::{Data, Draw, Ending, Time, Toxic};

/// What a new connection gets to send its first byte before a reset.
const GRACE: Duration = Duration::from_millis(50);
/// The round trip that a lost segment waits for; the API has no attribute for it.
const RTT: Duration = Duration::from_millis(50);
const RTO: Duration = Duration::from_millis(200);
const DAY: i64 = 86_400_000;

/// A type of toxic: its name and its attributes with their least and greatest values.
#[derive(Debug)]
pub(super) struct Type {
    pub(super) name: &'static str,
    whole: &'static [(&'static str, i64, i64)],
    /// Shares, 0..1, with their defaults.
    shares: &'static [(&'static str, f64)],
}

const TYPES: [Type; 9] = [
    Type { name: "latency", whole: &[("latency", 0, DAY), ("jitter", 0, DAY)], shares: &[] },
    Type { name: "bandwidth", whole: &[("rate", 0, 1_000_000_000)], shares: &[] },
    Type { name: "slow_close", whole: &[("delay", 0, DAY)], shares: &[] },
    Type { name: "timeout", whole: &[("timeout", 0, DAY)], shares: &[] },
    Type { name: "reset_peer", whole: &[("timeout", 0, DAY)], shares: &[] },
    Type {
        name: "slicer",
        whole: &[("average_size", 1, 2_147_483_647), ("size_variation", 0, 2_147_483_647), ("delay", 0, 60_000_000)],
        shares: &[],
    },
    Type { name: "limit_data", whole: &[("bytes", 0, i64::MAX)], shares: &[] },
    Type { name: "noop", whole: &[], shares: &[] },
    Type { name: "packet_loss", whole: &[], shares: &[("loss_rate", 0.1), ("correlation", 0.0)] },
];

/// The type of that name.
pub(super) fn find(name: &str) -> Option<&'static Type> {
    TYPES.iter().find(|one| one.name == name)
}

/// The attributes of one toxic, in the order of its type.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Attributes {
    whole: Vec<(&'static str, i64)>,
    shares: Vec<(&'static str, f64)>,
}

impl Attributes {
    /// As written over the defaults.
    pub(super) fn read(of: &Type, fields: &Fields) -> Result<Self, Refusal> {
        let whole = of.whole.iter().map(|(name, _, _)| (*name, 0)).collect();
        Self { whole, shares: of.shares.to_vec() }.merged(of, fields)
    }

    /// With what is written in place of what was; all or nothing.
    pub(super) fn merged(mut self, of: &Type, fields: &Fields) -> Result<Self, Refusal> {
        for ((name, value), (_, least, most)) in self.whole.iter_mut().zip(of.whole) {
            *value = fields.integer(name)?.unwrap_or(*value);
            if !(*least..=*most).contains(value) {
                return Err(fields.wrong(name, &format!("{least}..{most}")));
            }
        }
        for (name, value) in &mut self.shares {
            *value = fields.number(name)?.unwrap_or(*value);
            if !(0.0..=1.0).contains(value) {
                return Err(fields.wrong(name, "0..1"));
            }
        }
        if self.number("size_variation") > self.number("average_size") {
            return Err(fields.wrong("size_variation", "0..average_size"));
        }
        Ok(self)
    }

    fn number(&self, name: &str) -> u64 {
        let value = self.whole.iter().find(|(known, _)| *known == name).map_or(0, |(_, value)| *value);
        u64::try_from(value).unwrap_or(0)
    }

    fn millis(&self, name: &str) -> Duration {
        Duration::from_millis(self.number(name))
    }

    fn share(&self, name: &str) -> Ratio {
        Ratio::new(self.shares.iter().find(|(known, _)| *known == name).map_or(0.0, |(_, value)| *value))
    }

    /// The toxic of type `of` with these attributes.
    pub(super) fn toxic(&self, of: &Type) -> Toxic {
        match of.name {
            "latency" => {
                let (time, jitter) = (Time::Fixed(self.millis("latency")), self.millis("jitter"));
                Toxic::Latency { time, jitter, draw: Draw::Parcel }
            }
            "bandwidth" => Toxic::Bandwidth { rate: self.number("rate") * 1_000 },
            "slow_close" => Toxic::SlowClose { delay: self.millis("delay") },
            "timeout" => Toxic::Timeout { after: self.millis("timeout") },
            "reset_peer" => Toxic::ResetPeer { after: self.millis("timeout"), data: Data::Swallow, grace: GRACE },
            "slicer" => Toxic::Slicer {
                size: self.number("average_size"),
                variation: self.number("size_variation"),
                pause: Duration::from_micros(self.number("delay")),
            },
            "limit_data" => Toxic::LimitData { bytes: self.number("bytes"), close: Ending::Fin },
            "packet_loss" => {
                let (rate, correlation) = (self.share("loss_rate"), self.share("correlation"));
                Toxic::Loss { rate, correlation, rtt: RTT, rto: RTO }
            }
            _ => Toxic::Noop,
        }
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let whole = self.whole.iter().map(|(name, value)| (*name, serde_json::Value::from(*value)));
        let shares = self.shares.iter().map(|(name, value)| (*name, number(*value)));
        serializer.collect_map(whole.chain(shares))
    }
}

/// A number as the reference prints it: `1`, not `1.0`.
#[expect(clippy::cast_possible_truncation, reason = "only whole numbers from 0 to 1 are converted")]
pub(super) fn number(value: f64) -> serde_json::Value {
    if value.fract() == 0.0 { (value as i64).into() } else { value.into() }
}
