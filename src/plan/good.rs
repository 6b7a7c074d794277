//! What a good request is: an accepted status, within the limit, with every check passed.
//!
//! Carried by the plan, applied by `load` as each request is recorded; everybody else reads the classes.

use std::time::Duration;

use crate::measure::outcome::{Class, Kind, Outcome};

/// A set of statuses as users write it: `2xx, 304`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusSet {
    /// Inclusive ranges.
    ranges: Vec<(u16, u16)>,
    text: String,
}

impl StatusSet {
    /// Reads `2xx, 304, 500-503`; `None` when a part is none of these.
    pub fn parse(text: &str) -> Option<Self> {
        let mut ranges = Vec::new();
        for part in text.split(',').map(str::trim) {
            let range = match part.as_bytes() {
                [class @ b'1'..=b'5', b'x', b'x'] => {
                    let class = u16::from(class - b'0') * 100;
                    (class, class + 99)
                }
                _ => match part.split_once('-') {
                    Some((low, high)) => (code(low)?, code(high)?),
                    None => (code(part)?, code(part)?),
                },
            };
            if range.0 > range.1 {
                return None;
            }
            ranges.push(range);
        }
        Some(Self { ranges, text: text.to_owned() })
    }

    /// True when `status` is in the set.
    pub fn holds(&self, status: u16) -> bool {
        self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&status))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn code(text: &str) -> Option<u16> {
    text.trim().parse().ok().filter(|code| (100..=599).contains(code))
}

/// The SLO's idea of a good request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Good {
    /// Accepted statuses.
    pub status: StatusSet,
    /// Longest response time (from due); `None`: any.
    pub within: Option<Duration>,
}

impl Default for Good {
    fn default() -> Self {
        Self { status: StatusSet { ranges: vec![(200, 399)], text: "2xx,3xx".to_owned() }, within: None }
    }
}

/// What the answer's head said, as far as classes need it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The status; `None` when no head came.
    pub status: Option<u16>,
    /// True when a `Retry-After` came with it.
    pub retry_after: bool,
}

impl Good {
    /// The first class that applies, worst first.
    pub fn class(&self, outcome: Outcome, said: Said, response: Duration) -> Class {
        match outcome.kind() {
            Some(Kind::Leak) => return Class::Leak,
            Some(Kind::Stale) => return Class::Stale,
            Some(kind) if kind.is_timeout() => return Class::Timeout,
            Some(Kind::Status(_)) if throttled(said) => return Class::Throttled,
            Some(_) => return Class::Error,
            None => {}
        }
        match said.status {
            Some(status) if !self.status.holds(status) => {
                if throttled(said) {
                    Class::Throttled
                } else {
                    Class::Error
                }
            }
            _ if self.within.is_some_and(|limit| response > limit) => Class::Slow,
            _ => Class::Ok,
        }
    }
}

fn throttled(said: Said) -> bool {
    said.status == Some(429) || (said.status == Some(503) && said.retry_after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_read_as_users_write_them() {
        let set = StatusSet::parse("2xx, 304,500-503").unwrap();
        assert!(set.holds(204) && set.holds(304) && set.holds(502));
        assert!(!set.holds(301) && !set.holds(504));
        for text in ["", "6xx", "20", "2xx,", "503-500", "ok"] {
            assert!(StatusSet::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn the_first_class_that_applies_wins() {
        let good = Good { within: Some(Duration::from_millis(500)), ..Good::default() };
        let said = |status, retry_after| Said { status: Some(status), retry_after };
        let (quick, slow) = (Duration::from_millis(20), Duration::from_millis(501));
        let refused = |status| Outcome::Refused(Kind::Status(status));
        let timeout = Outcome::Failed { kind: Kind::TimeoutTotal, byte: 0 };
        for (outcome, said, took, class) in [
            (Outcome::Answered, said(200, false), quick, Class::Ok),
            (Outcome::Answered, said(200, false), slow, Class::Slow),
            (Outcome::Answered, said(404, false), quick, Class::Error),
            (refused(503), said(503, false), quick, Class::Error),
            (refused(503), said(503, true), quick, Class::Throttled),
            (refused(429), said(429, false), slow, Class::Throttled),
            (timeout, Said::default(), slow, Class::Timeout),
            (Outcome::Refused(Kind::Leak), said(200, false), slow, Class::Leak),
            (Outcome::Refused(Kind::Stale), said(200, false), slow, Class::Stale),
            (Outcome::Refused(Kind::Check(0)), said(200, false), quick, Class::Error),
        ] {
            assert_eq!(good.class(outcome, said, took), class);
        }
    }
}
