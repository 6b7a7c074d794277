//! Who waits until when on one worker: instants in an ordered map, timeouts in queues of one length each.
//!
//! Waits of equal length end in the order they began, so a timeout enters its queue at the end and leaves it wherever it stands
//! without a search. Lengths that do not recur, or are too many, wait in the map. Not here: the clock and the timer (`pace`).

use std::collections::BTreeMap;
use std::task::Waker;
use std::time::Duration;

use crate::base::clock::Tick;

/// Queues at most; a further length waits in the map.
const QUEUES: usize = 12;
/// No place.
const NONE: u32 = u32::MAX;

/// One wait, as its owner knows it. It may be over already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// When it ends.
    pub at: Tick,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// By its number in the map.
    Map(u64),
    /// By its slot, and how often that was used before.
    Queue(u32, u32),
}

/// A queue of waits of one length, soonest first.
#[derive(Debug)]
struct Queue {
    length: Duration,
    first: u32,
    last: u32,
}

/// One wait in a queue, or a free place.
#[derive(Debug)]
struct Slot {
    at: Tick,
    waker: Option<Waker>,
    queue: usize,
    before: u32,
    after: u32,
    used: u32,
}

/// All waits of one worker.
#[derive(Debug, Default)]
pub struct Waits {
    map: BTreeMap<(Tick, u64), Waker>,
    count: u64,
    queues: Vec<Queue>,
    slots: Vec<Slot>,
    free: Vec<u32>,
}

impl Waits {
    /// Enters a wait until `at`. A timeout says its `length`: waits of that length are expected to end in the order they began.
    pub fn enter(&mut self, at: Tick, length: Option<Duration>, waker: &Waker) -> Key {
        let queue = length.and_then(|length| self.queue_of(length));
        let place = if let Some(queue) = queue {
            self.append(queue, at, waker)
        } else {
            self.count += 1;
            self.map.insert((at, self.count), waker.clone());
            Place::Map(self.count)
        };
        Key { at, place }
    }

    /// Ends a wait; one that is over already is left alone.
    pub fn leave(&mut self, key: Key) {
        match key.place {
            Place::Map(number) => drop(self.map.remove(&(key.at, number))),
            Place::Queue(slot, used) => {
                if self.slots.get(slot as usize).is_some_and(|slot| slot.used == used) {
                    drop(self.unlink(slot));
                }
            }
        }
    }

    /// When the next wait ends.
    pub fn next(&self) -> Option<Tick> {
        let firsts = self.queues.iter().filter(|queue| queue.first != NONE).map(|queue| self.slot(queue.first).at);
        firsts.chain(self.map.first_key_value().map(|(key, _)| key.0)).min()
    }

    /// Takes out a wait that ends at `now` or before.
    pub fn over(&mut self, now: Tick) -> Option<Waker> {
        if let Some(first) = self.map.first_entry()
            && first.key().0 <= now
        {
            return Some(first.remove());
        }
        let is_over = |queue: &&Queue| queue.first != NONE && self.slot(queue.first).at <= now;
        let slot = self.queues.iter().find(is_over)?.first;
        self.unlink(slot)
    }

    /// Everyone who waits.
    pub fn wakers(&self) -> Vec<Waker> {
        self.map.values().chain(self.slots.iter().filter_map(|slot| slot.waker.as_ref())).cloned().collect()
    }

    fn slot(&self, slot: u32) -> &Slot {
        &self.slots[slot as usize]
    }

    fn slot_mut(&mut self, slot: u32) -> &mut Slot {
        &mut self.slots[slot as usize]
    }

    /// The queue for `length`: its own, an empty one, or a new one.
    fn queue_of(&mut self, length: Duration) -> Option<usize> {
        if let Some(found) = self.queues.iter().position(|queue| queue.length == length) {
            return Some(found);
        }
        if let Some(empty) = self.queues.iter().position(|queue| queue.first == NONE) {
            self.queues[empty].length = length;
            return Some(empty);
        }
        if self.queues.len() == QUEUES {
            return None;
        }
        self.queues.push(Queue { length, first: NONE, last: NONE });
        Some(self.queues.len() - 1)
    }

    /// Puts a wait behind all that end no later: as a rule, behind all.
    fn append(&mut self, queue: usize, at: Tick, waker: &Waker) -> Place {
        let mut before = self.queues[queue].last;
        while before != NONE && self.slot(before).at > at {
            before = self.slot(before).before;
        }
        let after = if before == NONE { self.queues[queue].first } else { self.slot(before).after };
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { at, waker: None, queue, before, after, used: 0 });
            u32::try_from(self.slots.len() - 1).unwrap_or(NONE)
        });
        let here = self.slot_mut(slot);
        (here.at, here.queue, here.before, here.after) = (at, queue, before, after);
        here.waker = Some(waker.clone());
        let used = here.used;
        self.join(queue, before, slot);
        self.join(queue, slot, after);
        Place::Queue(slot, used)
    }

    /// Makes two places neighbours; an end of the queue is no place.
    fn join(&mut self, queue: usize, before: u32, after: u32) {
        match before {
            NONE => self.queues[queue].first = after,
            before => self.slot_mut(before).after = after,
        }
        match after {
            NONE => self.queues[queue].last = before,
            after => self.slot_mut(after).before = before,
        }
    }

    fn unlink(&mut self, slot: u32) -> Option<Waker> {
        let here = self.slot_mut(slot);
        here.used = here.used.wrapping_add(1);
        let (queue, before, after) = (here.queue, here.before, here.after);
        let waker = here.waker.take();
        self.join(queue, before, after);
        self.free.push(slot);
        waker
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use proptest::prelude::*;

    use super::*;

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    proptest! {
        /// Against a plain list: whatever enters and leaves, the same waits are over at every instant, none early.
        #[test]
        fn exactly_the_waits_that_end_are_over(
            steps in prop::collection::vec((0_u64..50, 0_u64..20, any::<bool>(), any::<u8>()), 1..200),
        ) {
            let mut waits = Waits::default();
            let mut plain: Vec<(Tick, Arc<Count>, Key)> = Vec::new();
            let mut now = 0;
            for (ahead, length, queued, choice) in steps {
                let count = Arc::new(Count(AtomicUsize::new(0)));
                let at = Tick::from_millis(now + 1 + ahead);
                let length = queued.then(|| Duration::from_millis(length));
                let key = waits.enter(at, length, &Waker::from(Arc::clone(&count)));
                plain.push((at, count, key));
                if choice % 3 == 0 {
                    let (_, count, key) = plain.swap_remove(usize::from(choice) % plain.len());
                    waits.leave(key);
                    waits.leave(key);
                    prop_assert_eq!(Arc::strong_count(&count), 1);
                }
                prop_assert_eq!(waits.next(), plain.iter().map(|(at, ..)| *at).min());
                prop_assert_eq!(waits.wakers().len(), plain.len());
                now += u64::from(choice % 7);
                let instant = Tick::from_millis(now);
                while let Some(waker) = waits.over(instant) {
                    waker.wake();
                }
                let (over, rest): (Vec<_>, Vec<_>) = plain.into_iter().partition(|(at, ..)| *at <= instant);
                prop_assert!(over.iter().all(|(_, count, _)| count.0.load(Ordering::Relaxed) == 1));
                prop_assert!(rest.iter().all(|(_, count, _)| count.0.load(Ordering::Relaxed) == 0));
                for (_, _, key) in over {
                    waits.leave(key);
                }
                plain = rest;
            }
        }
    }

    #[test]
    fn a_place_is_used_again() {
        let mut waits = Waits::default();
        for n in 0..1_000 {
            let key = waits.enter(Tick::from_secs(n), Some(Duration::from_secs(30)), Waker::noop());
            waits.leave(key);
        }
        assert_eq!((waits.slots.len(), waits.queues.len()), (1, 1));
    }
}
