//! What the connections of one proxy know together: who is connected, which keys cancel whom, which shapes passed, and
//! whether an upstream's role may raise errors.
//!
//! Shared by all workers; every lock is held for a look-up, never across I/O. Not here: one connection (`super`).

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;

use crate::base::clock::Tick;
use crate::fault::snapshot::FaultId;
use crate::plan::fault::rule::postgres::Per;
use crate::wire::postgres::startup::Who;
use crate::wire::sql::Shape;

/// Shapes that are remembered; beyond, the rarer half is forgotten.
const SHAPES: usize = 8_192;
/// Shapes that are shown.
const SHOWN: usize = 1_000;

/// Of one proxy.
#[derive(Debug, Default)]
pub(in crate::fault) struct World {
    census: Mutex<Census>,
    bells: Mutex<HashMap<Bytes, Arc<Bell>>>,
    shapes: Mutex<HashMap<u64, Arc<Known>>>,
    /// Statements that matched a fault, over all connections.
    matched: Mutex<HashMap<u64, u64>>,
    /// Whether `DO` raises, by role.
    raisers: Mutex<HashMap<String, bool>>,
}

/// A shape that passed a proxy, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Of the text below: what a rule's `fingerprint` names.
    pub fingerprint: String,
    /// Words, names and marks; every value is `?`.
    pub text: String,
    /// Statements of this shape that were carried out.
    pub count: u64,
}

/// A shape, and how often it was asked.
#[derive(Debug)]
pub(in crate::fault) struct Known {
    pub(in crate::fault) shape: Shape,
    pub(in crate::fault) count: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// The shape of `text`, shared with every connection that asks alike.
    pub(super) fn known(&self, text: &str) -> Arc<Known> {
        let shape = Shape::of(text);
        let mut shapes = lock(&self.shapes);
        if shapes.len() >= SHAPES && !shapes.contains_key(&shape.fingerprint.0) {
            forget_rare(&mut shapes);
        }
        let fresh = || Arc::new(Known { shape: shape.clone(), count: AtomicU64::new(0) });
        Arc::clone(shapes.entry(shape.fingerprint.0).or_insert_with(fresh))
    }

    /// Which statement that matches `fault` this is, over all connections, from 1.
    pub(super) fn matches(&self, fault: FaultId) -> u64 {
        let mut matched = lock(&self.matched);
        let count = matched.entry(fault.0).or_default();
        *count += 1;
        *count
    }

    /// The most frequent shapes, at most 1 000.
    pub(in crate::fault) fn frequent(&self) -> Vec<Asked> {
        let shapes = lock(&self.shapes);
        let row = |known: &Arc<Known>| Asked {
            fingerprint: known.shape.fingerprint.to_string(),
            text: known.shape.text.clone(),
            count: known.count.load(Relaxed),
        };
        let mut all: Vec<_> = shapes.values().map(row).filter(|asked| asked.count > 0).collect();
        drop(shapes);
        all.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.fingerprint.cmp(&other.fingerprint)));
        all.truncate(SHOWN);
        all
    }

    /// Whether the role may raise; `None` until it was probed.
    pub(super) fn raises(&self, role: &str) -> Option<bool> {
        lock(&self.raisers).get(role).copied()
    }

    pub(super) fn learned(&self, role: &str, raises: bool) {
        lock(&self.raisers).insert(role.to_owned(), raises);
    }

    /// The connection of `key` is reached by `bell`.
    pub(super) fn hang(&self, key: Bytes, bell: &Arc<Bell>) {
        lock(&self.bells).insert(key, Arc::clone(bell));
    }

    pub(super) fn unhang(&self, key: &Bytes) {
        lock(&self.bells).remove(key);
    }

    /// A cancel request for `key` came at `now`. True when it ended an injected hold and must not reach the server.
    pub(super) fn ring(&self, key: &Bytes, now: Tick) -> bool {
        let bell = lock(&self.bells).get(key).cloned();
        bell.is_some_and(|bell| bell.ring(now))
    }

    /// Takes a place for a connection of `who`, unless `refuses` says so when one of `caps` is full: it is told which.
    pub(super) fn enter(
        self: &Arc<Self>,
        who: &Who,
        caps: &[Limit],
        now: Tick,
        mut refuses: impl FnMut(usize) -> bool,
    ) -> Option<Place> {
        let mut census = lock(&self.census);
        for (at, limit) in caps.iter().enumerate() {
            if census.is_full(&key(limit.per, who), limit, now) && refuses(at) {
                return None;
            }
        }
        let keys = [Per::Proxy, Per::User, Per::Database, Per::Application].map(|per| key(per, who));
        for (at, limit) in caps.iter().enumerate() {
            census.admit(&key(caps[at].per, who), limit, now);
        }
        for key in &keys {
            census.taken.entry(key.clone()).or_default().count += 1;
        }
        Some(Place { world: Arc::clone(self), keys })
    }
}

fn forget_rare(shapes: &mut HashMap<u64, Arc<Known>>) {
    let mut counts: Vec<u64> = shapes.values().map(|known| known.count.load(Relaxed)).collect();
    counts.sort_unstable();
    let median = counts.get(counts.len() / 2).copied().unwrap_or(0);
    let mut drops = shapes.len() / 2;
    shapes.retain(|_, known| {
        let goes = drops > 0 && known.count.load(Relaxed) <= median;
        drops -= usize::from(goes);
        !goes
    });
}

/// One limit of connections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) per: Per,
    pub(super) most: u64,
    /// Once it was full, places come back at most so often.
    pub(super) every: Option<Duration>,
}

/// Connections by what they are counted by.
#[derive(Debug, Default)]
struct Census {
    taken: HashMap<Key, Taken>,
}

type Key = (Per, String);

#[derive(Debug, Default)]
struct Taken {
    count: u64,
    /// It was full, and no place comes back before this.
    next: Option<Tick>,
}

fn key(per: Per, who: &Who) -> Key {
    let name = match per {
        Per::Proxy => String::new(),
        Per::User => who.user.clone(),
        Per::Database => who.database.clone(),
        Per::Application => who.application.clone(),
    };
    (per, name)
}

impl Census {
    fn is_full(&mut self, key: &Key, limit: &Limit, now: Tick) -> bool {
        let taken = self.taken.entry(key.clone()).or_default();
        let full = taken.count >= limit.most;
        if full && limit.every.is_some() {
            taken.next = Some(taken.next.unwrap_or(now));
        }
        full || (limit.every.is_some() && taken.next.is_some_and(|next| next > now))
    }

    fn admit(&mut self, key: &Key, limit: &Limit, now: Tick) {
        if let (Some(every), Some(taken)) = (limit.every, self.taken.get_mut(key))
            && taken.next.is_some()
        {
            taken.next = Some(now + every);
        }
    }
}

/// A connection's place in the census, free when dropped.
#[derive(Debug)]
pub(super) struct Place {
    world: Arc<World>,
    keys: [Key; 4],
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut census = lock(&self.world.census);
        for key in &self.keys {
            if let Some(taken) = census.taken.get_mut(key) {
                taken.count = taken.count.saturating_sub(1);
                if taken.count == 0 && taken.next.is_none() {
                    census.taken.remove(key);
                }
            }
        }
    }
}

/// How another connection reaches this one: to cancel what a fault holds.
#[derive(Debug, Default)]
pub(in crate::fault) struct Bell {
    rope: Mutex<Rope>,
    rung: AtomicBool,
    /// Bytes that wait inside the connection's speaker.
    backlog: AtomicUsize,
}

#[derive(Debug, Default)]
struct Rope {
    /// A fault holds a message until then, and the server is done with it or has not seen it.
    held_until: Tick,
    waker: Option<Waker>,
}

impl Bell {
    /// The task to wake when it rings.
    pub(in crate::fault) fn attend(&self, cx: &Context<'_>) {
        let mut rope = lock(&self.rope);
        if !rope.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            rope.waker = Some(cx.waker().clone());
        }
    }

    /// Somebody rang, and the speaker has not heard of it.
    pub(in crate::fault) fn is_ringing(&self) -> bool {
        self.rung.load(Relaxed)
    }

    /// True once for each ringing.
    pub(super) fn was_rung(&self) -> bool {
        self.rung.swap(false, Relaxed)
    }

    /// Bytes that wait inside the speaker.
    pub(in crate::fault) fn backlog(&self) -> usize {
        self.backlog.load(Relaxed)
    }

    pub(super) fn keeps(&self, bytes: usize) {
        self.backlog.store(bytes, Relaxed);
    }

    pub(super) fn held_until(&self, until: Tick) {
        lock(&self.rope).held_until = until;
    }

    fn ring(&self, now: Tick) -> bool {
        let mut rope = lock(&self.rope);
        self.rung.store(true, Relaxed);
        if let Some(waker) = rope.waker.take() {
            waker.wake();
        }
        rope.held_until > now
    }
}
