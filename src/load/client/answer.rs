//! A whole answer, as far as the step asked to keep it: everything else is counted and dropped.
//!
//! Not here: what it must be (`load::step::check`).

use std::io::Read;

use brotli_decompressor::Decompressor;
use flate2::read::MultiGzDecoder;
use hyper::http::header::{CONTENT_ENCODING, HeaderValue, RETRY_AFTER, SET_COOKIE};
use hyper::http::{HeaderMap, response};

use super::failure::Failure;
use crate::measure::outcome::Kind;

/// What is kept of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// The headers.
    pub headers: bool,
    /// At most this many bytes of the body; `None`: none of them.
    pub body: Option<u64>,
}

/// An answer, filled as it comes. What one exchange left is overwritten by the next.
#[derive(Debug, Default)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// True when a `Retry-After` came with it.
    pub retry_after: bool,
    /// Size of its body, bytes.
    pub size: u64,
    /// True when the body exceeds what may be kept.
    pub too_large: bool,
    headers: Option<HeaderMap>,
    body: Vec<u8>,
    limit: Option<u64>,
    coding: Option<Coding>,
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
    /// Its head has come.
    pub(in crate::load::client) fn begin(&mut self, head: response::Parts, keep: Keep) {
        self.status = head.status.as_u16();
        // Only these two statuses are classed by it.
        self.retry_after = matches!(self.status, 429 | 503) && head.headers.contains_key(RETRY_AFTER);
        (self.size, self.too_large) = (0, false);
        self.body.clear();
        self.limit = keep.body;
        // A body that nobody reads is counted and dropped as it came.
        self.coding = keep.body.and_then(|_| Coding::of(&head.headers));
        self.headers = keep.headers.then_some(head.headers);
    }

    /// Unpacks its body, up to what may be kept: what would grow beyond that is cut there and is too large.
    ///
    /// # Errors
    /// When the body is not what its `content-encoding` says; `byte` is the size of what came.
    pub(in crate::load::client) fn unpack(&mut self) -> Result<(), Failure> {
        let (Some(coding), Some(limit)) = (self.coding, self.limit) else { return Ok(()) };
        if self.body.is_empty() {
            return Ok(());
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
        Ok(())
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
