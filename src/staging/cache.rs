//! The shop's cache: least recently used goes first, entries have a time to live, `a` and `b` share it.
//!
//! Pure: the time is an argument. A doubly linked list through a vector keeps every operation constant, but for a purge,
//! which looks at every key. Called by the pages and the account (which fill it) and by `weakness` (which pollutes it).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::clock::Tick;

/// Entries the shop's cache holds.
pub(super) const ENTRIES: usize = 24_000;
/// How long an entry is good, before jitter.
pub(super) const TTL: Duration = Duration::from_secs(600);

/// How the cache is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    /// Entries are good until their time.
    #[default]
    Normal,
    /// Nothing is found; what is put is kept for later.
    Bypass,
    /// Entries are good for ever.
    Stale,
}

const NONE: usize = usize::MAX;

#[derive(Debug)]
struct Slot<V> {
    key: Arc<str>,
    value: V,
    until: Tick,
    newer: usize,
    older: usize,
}

/// What a cache has done since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) hits: u64,
    pub(super) misses: u64,
    /// Entries that had to go for a newer one.
    pub(super) pushed_out: u64,
}

#[derive(Debug)]
pub(super) struct Cache<V> {
    places: HashMap<Arc<str>, usize>,
    slots: Vec<Slot<V>>,
    newest: usize,
    oldest: usize,
    room: usize,
    tally: Tally,
}

impl<V: Clone> Cache<V> {
    /// An empty cache for `room` entries, at least one.
    pub(super) fn new(room: usize) -> Self {
        let room = room.max(1);
        Self {
            places: HashMap::with_capacity(room),
            slots: Vec::with_capacity(room),
            newest: NONE,
            oldest: NONE,
            room,
            tally: Tally::default(),
        }
    }

    /// The value of `key` unless it is too old; it becomes the most recently used.
    pub(super) fn get(&mut self, key: &str, now: Tick, mode: Mode) -> Option<V> {
        let good = |at: &usize| match mode {
            Mode::Normal => self.slots[*at].until > now,
            Mode::Bypass => false,
            Mode::Stale => true,
        };
        let found = self.places.get(key).copied().filter(good);
        let Some(at) = found else {
            self.tally.misses += 1;
            return None;
        };
        self.tally.hits += 1;
        self.unlink(at);
        self.link(at);
        Some(self.slots[at].value.clone())
    }

    /// Keeps `value` under `key` until `until`; pushes the least recently used entry out when the cache is full.
    pub(super) fn put(&mut self, key: &str, value: V, until: Tick) {
        if let Some(at) = self.places.get(key).copied() {
            self.unlink(at);
            self.slots[at].value = value;
            self.slots[at].until = until;
            self.link(at);
            return;
        }
        let key: Arc<str> = key.into();
        let slot = Slot { key: Arc::clone(&key), value, until, newer: NONE, older: NONE };
        let at = if self.slots.len() < self.room {
            self.slots.push(slot);
            self.slots.len() - 1
        } else {
            let at = self.oldest;
            self.unlink(at);
            self.places.remove(&self.slots[at].key);
            self.slots[at] = slot;
            self.tally.pushed_out += 1;
            at
        };
        self.places.insert(key, at);
        self.link(at);
    }

    /// Forgets one entry, if it is there.
    pub(super) fn forget(&mut self, key: &str) {
        if let Some(at) = self.places.remove(key) {
            self.take_out(at);
        }
    }

    /// Forgets every entry whose key begins with `prefix`; gives how many.
    pub(super) fn purge(&mut self, prefix: &str) -> usize {
        let keys: Vec<Arc<str>> = self.places.keys().filter(|key| key.starts_with(prefix)).map(Arc::clone).collect();
        for key in &keys {
            self.forget(key);
        }
        keys.len()
    }

    /// Removes a slot whose key is already gone; the last slot takes its place.
    fn take_out(&mut self, at: usize) {
        self.unlink(at);
        self.slots.swap_remove(at);
        let moved = self.slots.len();
        let Some(slot) = self.slots.get(at) else { return };
        let (newer, older) = (slot.newer, slot.older);
        self.places.insert(Arc::clone(&slot.key), at);
        match newer {
            NONE => self.newest = at,
            newer => self.slots[newer].older = at,
        }
        match older {
            NONE => self.oldest = at,
            older => self.slots[older].newer = at,
        }
        debug_assert!(self.newest != moved && self.oldest != moved, "nothing points to the place that is gone");
    }

    /// Forgets everything.
    pub(super) fn flush(&mut self) {
        self.places.clear();
        self.slots.clear();
        (self.newest, self.oldest) = (NONE, NONE);
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    fn unlink(&mut self, at: usize) {
        let (newer, older) = (self.slots[at].newer, self.slots[at].older);
        match newer {
            NONE => self.newest = older,
            newer => self.slots[newer].older = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => self.slots[older].newer = newer,
        }
    }

    /// Puts an unlinked slot at the newest end.
    fn link(&mut self, at: usize) {
        self.slots[at].newer = NONE;
        self.slots[at].older = self.newest;
        match self.newest {
            NONE => self.oldest = at,
            newest => self.slots[newest].newer = at,
        }
        self.newest = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::seed::Seed;

    const LATER: Tick = Tick::from_secs(100);

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut cache = Cache::new(3);
        for key in ["a", "b", "c"] {
            cache.put(key, key.len(), LATER);
        }
        assert!(cache.get("a", Tick::ZERO, Mode::Normal).is_some());
        cache.put("d", 4, LATER);
        assert_eq!(cache.get("b", Tick::ZERO, Mode::Normal), None, "b was not used since");
        assert!(["a", "c", "d"].iter().all(|key| cache.get(key, Tick::ZERO, Mode::Normal).is_some()));
        assert_eq!(cache.tally(), Tally { hits: 4, misses: 1, pushed_out: 1 });
    }

    #[test]
    fn an_entry_is_good_until_its_time() {
        let mut cache = Cache::new(2);
        cache.put("a", 1, Tick::from_secs(10));
        assert_eq!(cache.get("a", Tick::from_millis(9_999), Mode::Normal), Some(1));
        assert_eq!(cache.get("a", Tick::from_secs(10), Mode::Normal), None);
        cache.put("a", 2, Tick::from_secs(20));
        assert_eq!((cache.get("a", Tick::from_secs(10), Mode::Normal), cache.len()), (Some(2), 1));
        cache.flush();
        assert_eq!((cache.get("a", Tick::ZERO, Mode::Normal), cache.len()), (None, 0));
    }

    #[test]
    fn a_purge_takes_what_begins_with_its_words_and_nothing_else() {
        let mut cache = Cache::new(10);
        for key in ["me:t1-1", "me:t1-2", "me", "product:1"] {
            cache.put(key, 1, LATER);
        }
        assert_eq!((cache.purge("me:"), cache.len()), (2, 2));
        assert_eq!((cache.purge("m"), cache.purge("x"), cache.len()), (1, 0, 1));
        assert!(cache.get("product:1", Tick::ZERO, Mode::Normal).is_some());
    }

    #[test]
    fn a_bypassed_cache_finds_nothing_and_a_stale_one_everything() {
        let mut cache = Cache::new(2);
        cache.put("a", 1, Tick::from_secs(10));
        assert_eq!(cache.get("a", Tick::ZERO, Mode::Bypass), None);
        assert_eq!(cache.get("a", Tick::from_secs(99), Mode::Stale), Some(1));
        assert_eq!(cache.get("a", Tick::from_secs(99), Mode::Normal), None);
    }

    #[test]
    fn it_agrees_with_a_simple_list_over_many_draws() {
        let mut stream = Seed(5).stream("cache");
        let mut cache = Cache::new(20);
        let mut list: Vec<(String, u64)> = Vec::new();
        for n in 0..20_000 {
            let key = stream.below(40).to_string();
            let at = list.iter().position(|(known, _)| *known == key);
            if stream.below(8) == 0 {
                cache.forget(&key);
                at.map(|at| list.remove(at));
            } else if stream.below(2) == 0 {
                assert_eq!(cache.get(&key, Tick::ZERO, Mode::Normal), at.map(|at| list[at].1), "draw {n}");
                if let Some(at) = at {
                    let used = list.remove(at);
                    list.push(used);
                }
            } else {
                cache.put(&key, n, LATER);
                at.map(|at| list.remove(at));
                list.push((key, n));
                if list.len() > 20 {
                    list.remove(0);
                }
            }
            assert_eq!(cache.len(), list.len());
        }
    }
}
