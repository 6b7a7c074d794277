//! What the connections of one fault share, on all workers: messages counted, places taken, keys written.
//!
//! Not here: caps of the envelope (`caps`), which every fault has.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// Keys that are remembered as written.
const KEYS: usize = 1_000_000;

/// Shared by the connections of one injection.
#[derive(Debug, Default)]
pub(in crate::fault) struct Shared {
    matched: AtomicU64,
    places: AtomicU64,
    /// Hashes of keys; keys themselves are never kept.
    written: Mutex<HashSet<u64>>,
    /// Too many were written to go on.
    full: AtomicBool,
}

/// A connection's place; free again when it is dropped.
#[derive(Debug)]
pub(in crate::fault) struct Seat(Arc<Shared>);

impl Shared {
    /// Counts a message that matched; gives its number, from 1.
    pub(in crate::fault) fn match_one(&self) -> u64 {
        self.matched.fetch_add(1, Relaxed) + 1
    }

    /// A place below `limit`, if there is one: never more are given.
    pub(in crate::fault) fn seat(self: &Arc<Self>, limit: u64) -> Option<Seat> {
        let taken = self.places.fetch_update(Relaxed, Relaxed, |taken| (taken < limit).then_some(taken + 1));
        taken.is_ok().then(|| Seat(Arc::clone(self)))
    }

    /// Notes that `key` was written. True when this was one too many, for the first time.
    pub(in crate::fault) fn write(&self, key: &[u8]) -> bool {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.len() >= KEYS && !written.contains(&hash(key)) {
            return !self.full.swap(true, Relaxed);
        }
        written.insert(hash(key));
        false
    }

    /// True while `key` reads as missing.
    pub(in crate::fault) fn masks(&self, key: &[u8]) -> bool {
        !self.full.load(Relaxed) && !self.written.lock().unwrap_or_else(PoisonError::into_inner).contains(&hash(key))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.places.fetch_sub(1, Relaxed);
    }
}

fn hash(key: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn sixteen_threads_never_take_more_places_than_there_are() {
        let shared = Arc::new(Shared::default());
        let most = AtomicU64::new(0);
        let sit = || {
            let _seat = shared.seat(100);
            most.fetch_max(shared.places.load(Relaxed), Relaxed);
        };
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| (0..2_000).for_each(|_| sit()));
            }
        });
        assert!(most.load(Relaxed) <= 100);
        let seats: Vec<_> = (0..101).filter_map(|_| shared.seat(100)).collect();
        assert_eq!(seats.len(), 100);
        drop(seats);
        assert_eq!(shared.places.load(Relaxed), 0);
    }

    #[test]
    fn a_key_is_masked_until_it_is_written_and_nothing_is_when_too_many_were() {
        let shared = Shared::default();
        assert!(shared.masks(b"a"));
        assert!(!shared.write(b"a"));
        assert!(!shared.masks(b"a") && shared.masks(b"b"));
        for n in 1..KEYS as u64 {
            assert!(!shared.write(&n.to_le_bytes()));
        }
        assert!(shared.write(b"one too many") && !shared.write(b"another"), "said once");
        assert!(!shared.masks(b"b"));
    }
}
