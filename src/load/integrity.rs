//! Is what the system says true for this user? Another owner's data is a leak, an older version than its own write is stale.
//!
//! Pure: told the answer and the time. Not here: other checks of an answer (`step::check`).

use std::time::Duration;

use super::LoadError;
use super::client::answer::Answer;
use super::step::booking::Booking;
use super::step::extract::{Reading, Source};
use super::user::User;
use crate::base::clock::Tick;
use crate::plan::program::{Owner, Truth, Versioned};
use crate::plan::template::Template;
use regex::bytes::Regex;

/// Looks for the tags of other owners.
#[derive(Debug)]
pub struct Isolation {
    tag: Template,
    pattern: Regex,
}

impl Isolation {
    /// Compiles `owner`.
    pub fn new(owner: &Owner) -> Result<Self, LoadError> {
        let wrong = |why: regex::Error| LoadError::Pattern { pattern: owner.pattern.clone(), why: why.to_string() };
        Ok(Self { tag: owner.tag.clone(), pattern: Regex::new(&owner.pattern).map_err(wrong)? })
    }

    /// True when `answer` holds a tag that is not the user's own, in a header or in the body.
    pub fn is_broken(&self, answer: &Answer, user: &User) -> bool {
        let mut own = String::new();
        self.tag.render(|variable| user.value(variable), &mut own);
        let is_foreign = |bytes: &[u8]| self.pattern.find_iter(bytes).any(|tag| tag.as_bytes() != own.as_bytes());
        is_foreign(answer.body()) || answer.header_values().any(is_foreign)
    }
}

/// What the answers of a request say about the truth of the system, compiled.
#[derive(Debug, Default)]
pub struct Truths {
    /// Versions they show.
    pub versions: Vec<Version>,
    /// Writes they acknowledge.
    pub bookings: Vec<Booking>,
}

impl Truths {
    /// Compiles `truths`.
    pub fn new(truths: &[Truth]) -> Result<Self, LoadError> {
        let mut all = Self::default();
        for truth in truths {
            match truth {
                Truth::Version(version) => all.versions.push(Version::new(version)?),
                Truth::Ledger(booking) => all.bookings.push(Booking::new(booking)?),
            }
        }
        Ok(all)
    }

    /// True when nothing is looked at.
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty() && self.bookings.is_empty()
    }
}

/// A version that an answer shows, compiled.
#[derive(Debug)]
pub struct Version {
    key: String,
    from: Source,
    lag: Option<Duration>,
}

/// The last version a user wrote, by key, and when that was acknowledged.
pub type Memory = Vec<(String, String, Tick)>;

impl Version {
    /// Compiles `truth`.
    pub fn new(truth: &Versioned) -> Result<Self, LoadError> {
        Ok(Self { key: truth.key.clone(), from: Source::new(&truth.version)?, lag: truth.lag })
    }

    /// Remembers an acknowledged write; tells a read that is older than it should be, by how long after that write it was asked.
    pub fn judge(&self, reading: &Reading<'_>, memory: &mut Memory, (sent, done): (Tick, Tick)) -> Option<Duration> {
        let shown = self.from.first(reading)?;
        let held = memory.iter_mut().find(|(key, ..)| *key == self.key);
        match (self.lag, held) {
            (None, Some((_, version, at))) => (*version, *at) = (shown, done),
            (None, None) => memory.push((self.key.clone(), shown, done)),
            (Some(lag), Some((_, version, at))) if sent > *at + lag && is_older(&shown, version) => {
                return Some(sent - *at);
            }
            (Some(_), _) => {}
        }
        None
    }
}

/// Numbers by their size, other versions by their letters.
fn is_older(shown: &str, written: &str) -> bool {
    match (shown.parse::<f64>(), written.parse::<f64>()) {
        (Ok(shown), Ok(written)) => shown < written,
        _ => shown < written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers_when_they_are_numbers() {
        assert!(is_older("9", "10") && !is_older("10", "9") && !is_older("7", "7"));
        assert!(is_older("2026-01-01", "2026-01-02"));
    }
}
