//! What a decision is made about, and the key under which it is drawn.
//!
//! Pure. Not here: the decisions (`decide`).

use std::collections::{HashMap, VecDeque};

use crate::plan::fault::Of;

/// Traces whose occurrences are remembered.
const TRACES: usize = 65_536;

/// What a decision is made about: what is known of a message, or of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    /// See `draws::proxy_number`.
    pub proxy: u64,
    /// Ordinal of the connection on its proxy.
    pub connection: u64,
    /// Ordinal of the message on its connection; `None`: the unit is the connection.
    pub message: Option<u64>,
    /// The trace that the message carries.
    pub trace: Option<Trace>,
    /// User and ordinal of that user's connection, from the private preface.
    pub user: Option<(u64, u64)>,
    /// The shape of the query, and how often this connection had sent it before.
    pub fingerprint: Option<(u64, u64)>,
    /// Hash of a store's key.
    pub key: Option<u64>,
}

/// A trace id as the load makes it: a hash of the user, and one of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Trace {
    /// First half.
    pub user: u64,
    /// Second half.
    pub request: u64,
}

impl Trace {
    /// The trace of a W3C `traceparent`; `None` when it is none.
    pub(in crate::fault) fn parse(traceparent: &str) -> Option<Self> {
        let id = traceparent.trim().split('-').nth(1).filter(|id| id.len() == 32)?;
        let half = |range| u64::from_str_radix(id.get(range)?, 16).ok();
        Some(Self { user: half(0..16)?, request: half(16..32)? })
    }
}

impl Unit {
    /// The user, by the trace before the preface.
    pub fn user(&self) -> Option<u64> {
        self.trace.map(|trace| trace.user).or(self.user.map(|(user, _)| user))
    }

    /// The group of this kind to which the unit belongs.
    pub(in crate::fault) fn group(&self, of: Of) -> Option<u64> {
        match of {
            Of::Fault => Some(0),
            Of::Connection => Some(self.connection_number()),
            Of::User => self.user(),
            Of::Fingerprint => self.fingerprint.map(|(fingerprint, _)| fingerprint),
            Of::Key => self.key,
        }
    }

    /// The same number for the same connection, different ones on different proxies.
    pub(super) fn connection_number(&self) -> u64 {
        self.proxy.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.connection
    }

    /// The connection's key: by its user when the preface names one.
    pub(in crate::fault) fn connection_key(&self) -> [u64; 2] {
        self.user.map_or([self.proxy, self.connection], |(user, ordinal)| [user, ordinal])
    }
}

/// The key of a draw: up to four numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    numbers: [u64; 4],
    length: usize,
}

impl Scope {
    pub(super) fn new<const N: usize>(given: [u64; N]) -> Self {
        let mut numbers = [0; 4];
        for (to, from) in numbers.iter_mut().zip(given) {
            *to = from;
        }
        Self { numbers, length: N.min(4) }
    }

    pub(super) fn numbers(&self) -> &[u64] {
        self.numbers.get(..self.length).unwrap_or_default()
    }
}

/// How often recent traces were seen.
#[derive(Debug, Default)]
pub(super) struct Occurrences {
    seen: HashMap<Trace, u32>,
    order: VecDeque<Trace>,
}

impl Occurrences {
    /// How often `trace` was seen before.
    pub(super) fn next(&mut self, trace: Trace) -> u32 {
        if let Some(count) = self.seen.get_mut(&trace) {
            *count = count.saturating_add(1);
            return *count;
        }
        if self.order.len() >= TRACES
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        self.order.push_back(trace);
        self.seen.insert(trace, 0);
        0
    }
}
