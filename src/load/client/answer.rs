//! A whole answer, as far as the step asked to keep it: everything else is counted and dropped.
//!
//! Not here: what it must be (`load::step::check`).

use std::io::Read;
use std::time::Duration;

use brotli_decompressor::Decompressor;
use flate2::read::MultiGzDecoder;
use hyper::http::header::{CONTENT_ENCODING, HeaderValue, RETRY_AFTER, SET_COOKIE};
use hyper::http::{HeaderMap, response};
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::failure::Failure;
use crate::base::clock::Tick;
use crate::load::pace::Limits;
use crate::measure::outcome::Kind;

/// What is kept of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// The headers.
    pub headers: bool,
    /// At most this many bytes of the body; `None`: none of them.
    pub body: Option<u64>,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// When a 429 or 503 says it is worth trying again; `None`: it says nothing.
    pub retry_after: Option<After>,
    /// Size of its body, bytes.
    pub size: u64,
    /// True when the body exceeds what may be kept.
    pub too_large: bool,
    /// When its first byte was there, unless all of it came at once.
    first: Option<Tick>,
    headers: Option<HeaderMap>,
    body: Vec<u8>,
    limit: Option<u64>,
    coding: Option<Coding>,
}

/// When a server says it is worth trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// So much later.
    In(Duration),
    /// At a moment.
    At(Timestamp),
    /// It cannot be understood.
    Sometime,
}

impl After {
    /// Seconds, or a date as HTTP writes it.
    fn read(text: &str) -> Self {
        let text = text.trim();
        if let Ok(seconds) = text.parse() {
            return Self::In(Duration::from_secs(seconds));
        }
        rfc2822::parse(text).map_or(Self::Sometime, |moment| Self::At(moment.timestamp()))
    }

    /// How long that is from `now`.
    pub fn from(self, now: impl FnOnce() -> Timestamp) -> Duration {
        match self {
            Self::In(time) => time,
            Self::At(moment) => Duration::try_from(moment.duration_since(now())).unwrap_or_default(),
            Self::Sometime => Duration::ZERO,
        }
    }
}

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Brotli,
}

impl Coding {
    fn of(headers: &HeaderMap) -> Option<Self> {
        match headers.get(CONTENT_ENCODING)?.as_bytes() {
            b"gzip" | b"x-gzip" => Some(Self::Gzip),
            b"br" => Some(Self::Brotli),
            _ => None,
        }
    }
}

impl Answer {
    /// An answer of which only the head has come.
    pub(in crate::load::client) fn new(head: response::Parts, keep: Keep) -> Self {
        let status = head.status.as_u16();
        // Only these two statuses are classed by it.
        let asks = matches!(status, 429 | 503).then(|| head.headers.get(RETRY_AFTER)).flatten();
        let retry_after = asks.map(|value| After::read(value.to_str().unwrap_or_default()));
        // A body that nobody reads is counted and dropped as it came.
        let coding = keep.body.and_then(|_| Coding::of(&head.headers));
        let headers = keep.headers.then_some(head.headers);
        Self {
            status,
            retry_after,
            size: 0,
            too_large: false,
            first: None,
            headers,
            body: Vec::new(),
            limit: keep.body,
            coding,
        }
    }

    /// The answer with its body unpacked, up to what may be kept: what would grow beyond that is cut there and is too large.
    ///
    /// # Errors
    /// When the body is not what its `content-encoding` says; `byte` is the size of what came.
    pub(in crate::load::client) fn unpacked(mut self) -> Result<Self, Failure> {
        let (Some(coding), Some(limit)) = (self.coding, self.limit) else { return Ok(self) };
        if self.body.is_empty() {
            return Ok(self);
        }
        let packed = std::mem::take(&mut self.body);
        let most = limit.saturating_add(1);
        let read = match coding {
            Coding::Gzip => MultiGzDecoder::new(packed.as_slice()).take(most).read_to_end(&mut self.body),
            Coding::Brotli => Decompressor::new(packed.as_slice(), 4096).take(most).read_to_end(&mut self.body),
        };
        if read.is_err() {
            return Err(Failure { kind: Kind::Decode, byte: self.size });
        }
        if self.body.len() as u64 > limit {
            self.too_large = true;
            self.body = Vec::new();
        }
        Ok(self)
    }

    /// Its body is waited for: what has come until now came first.
    pub(in crate::load::client) fn waits(&mut self, limits: &Limits<'_>) {
        if self.first.is_none() {
            self.first = Some(limits.now());
        }
    }

    /// When its first byte was there, where the answer was whole at `done`.
    pub fn first(&self, done: Tick) -> Tick {
        self.first.unwrap_or(done)
    }

    /// A chunk of the body.
    pub(in crate::load::client) fn take(&mut self, chunk: &[u8]) {
        self.size += chunk.len() as u64;
        let Some(limit) = self.limit else { return };
        if self.size > limit {
            self.too_large = true;
            self.body = Vec::new();
            self.limit = None;
        } else {
            self.body.extend_from_slice(chunk);
        }
    }

    /// The first header of this name (in lower case) that is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.as_ref()?.get(name)?.to_str().ok()
    }

    /// True when it sets a cookie, and its headers are kept.
    pub fn sets_cookies(&self) -> bool {
        self.headers.as_ref().is_some_and(|headers| headers.contains_key(SET_COOKIE))
    }

    /// Every header of this name (in lower case) that is text.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let all = self.headers.as_ref().map(|headers| headers.get_all(name));
        all.into_iter().flatten().filter_map(|value| value.to_str().ok())
    }

    /// The values of all headers that are kept.
    pub fn header_values(&self) -> impl Iterator<Item = &[u8]> {
        self.headers.iter().flat_map(HeaderMap::values).map(HeaderValue::as_bytes)
    }

    /// The body, when it is kept.
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-11-20T23:40:00Z".parse().unwrap();
        for (text, seconds) in [
            ("7", 7),
            (" 0 ", 0),
            ("Fri, 20 Nov 2026 23:41:30 GMT", 90),
            ("Fri, 20 Nov 2026 23:39:00 GMT", 0),
            ("soon", 0),
            ("-3", 0),
        ] {
            assert_eq!(After::read(text).from(|| now), Duration::from_secs(seconds), "{text}");
        }
    }
}
