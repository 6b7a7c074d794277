//! What a fault never exceeds: reservations, taken in a fixed order and given back when a later one is refused.
//!
//! Nothing is checked and then added: each counter moves by compare-and-swap, and the rate is a GCRA in one word
//! (ITU-T I.371: theoretical arrival time, no tolerance). Not here: who asks (`decide`).

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::base::clock::Tick;
use crate::plan::fault::Caps;

/// Taken in this order, given back in the opposite one.
const ORDER: [Cap; 6] = [Cap::Connections, Cap::Users, Cap::Total, Cap::Rate, Cap::Time, Cap::Active];

/// Distinct connections or users that are told apart where no cap asks for more; the count stops there.
const DISTINCT: u64 = 1 << 20;

#[derive(Clone, Copy, Debug)]
enum Cap {
    Connections,
    Users,
    Total,
    Rate,
    Time,
    Active,
}

/// Who asks for a place, when, and how long it would be held.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking {
    /// The same number for the same connection.
    pub(super) connection: u64,
    pub(super) user: Option<u64>,
    pub(super) at: Tick,
    pub(super) hold: Duration,
}

/// Places taken so far, of one fault.
#[derive(Debug, Default)]
pub(super) struct Places {
    total: AtomicU64,
    active: AtomicU64,
    /// Theoretical arrival time of the next unit, in nanoseconds of the clock.
    next: AtomicU64,
    /// Nanoseconds of holds.
    time: AtomicU64,
    /// Admissions of each.
    connections: Mutex<HashMap<u64, u64>>,
    users: Mutex<HashMap<u64, u64>>,
}

/// A place among those active at the same time, until it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Places>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Relaxed);
    }
}

impl Places {
    /// A place under every one of `caps`, or none under any.
    pub(super) fn reserve(self: &Arc<Self>, caps: &Caps, asking: &Asking) -> Option<Place> {
        for (taken, cap) in ORDER.iter().enumerate() {
            if !self.take(*cap, caps, asking) {
                for undone in ORDER.iter().take(taken).rev() {
                    self.give_back(*undone, caps, asking);
                }
                return None;
            }
        }
        Some(Place(Arc::clone(self)))
    }

    /// Takes as much of `hold` as the cap on all holds has left.
    pub(super) fn charge(&self, caps: &Caps, hold: Duration) -> Duration {
        let Some(most) = caps.time else { return hold };
        let mut granted = 0;
        let grant = |used: u64| {
            granted = nanos(hold).min(nanos(most).saturating_sub(used));
            Some(used + granted)
        };
        self.time.fetch_update(Relaxed, Relaxed, grant).ok();
        Duration::from_nanos(granted)
    }

    /// Distinct connections admitted.
    pub(super) fn connections(&self) -> u64 {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    /// Distinct users admitted.
    pub(super) fn users(&self) -> u64 {
        self.users.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    fn take(&self, cap: Cap, caps: &Caps, asking: &Asking) -> bool {
        match cap {
            Cap::Connections => enter(&self.connections, asking.connection, caps.connections),
            Cap::Users => match (asking.user, caps.users) {
                (Some(user), most) => enter(&self.users, user, most),
                // Nobody knows whether this would be one user too many.
                (None, most) => most.is_none(),
            },
            Cap::Total => add(&self.total, 1, caps.total.unwrap_or(u64::MAX)),
            Cap::Active => add(&self.active, 1, caps.active.unwrap_or(u64::MAX)),
            Cap::Time => add(&self.time, nanos(asking.hold), caps.time.map_or(u64::MAX, nanos)),
            Cap::Rate => spacing(caps).is_none_or(|spacing| {
                let now = asking.at.nanos();
                let conforms = |next: u64| (next <= now).then(|| now.max(next).saturating_add(spacing));
                self.next.fetch_update(Relaxed, Relaxed, conforms).is_ok()
            }),
        }
    }

    fn give_back(&self, cap: Cap, caps: &Caps, asking: &Asking) {
        match cap {
            Cap::Connections => leave(&self.connections, asking.connection),
            Cap::Users => asking.user.into_iter().for_each(|user| leave(&self.users, user)),
            Cap::Total => sub(&self.total, 1),
            Cap::Active => sub(&self.active, 1),
            Cap::Time => sub(&self.time, nanos(asking.hold)),
            Cap::Rate => spacing(caps).into_iter().for_each(|spacing| sub(&self.next, spacing)),
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Nanoseconds between two units.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float becomes an integer within its range"
)]
fn spacing(caps: &Caps) -> Option<u64> {
    caps.rate.map(|rate| (1e9 / rate.get()).ceil() as u64)
}

fn add(counter: &AtomicU64, n: u64, most: u64) -> bool {
    counter.fetch_update(Relaxed, Relaxed, |now| now.checked_add(n).filter(|sum| *sum <= most)).is_ok()
}

fn sub(counter: &AtomicU64, n: u64) {
    counter.fetch_sub(n, Relaxed);
}

fn enter(set: &Mutex<HashMap<u64, u64>>, who: u64, most: Option<u64>) -> bool {
    let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
    let known = set.contains_key(&who);
    if !known && set.len() as u64 >= most.unwrap_or(DISTINCT) {
        return most.is_none();
    }
    *set.entry(who).or_default() += 1;
    true
}

/// Somebody else may have come in under the same name meanwhile: only the last to leave clears it.
fn leave(set: &Mutex<HashMap<u64, u64>>, who: u64) {
    let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(count) = set.get_mut(&who) {
        *count -= 1;
        if *count == 0 {
            set.remove(&who);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;
    use crate::base::rate::Rate;

    fn asking(connection: u64, at: Tick) -> Asking {
        Asking { connection, user: Some(connection / 2), at, hold: Duration::from_millis(10) }
    }

    fn sixteen(work: impl Fn(u64) + Sync) {
        let start = Barrier::new(16);
        thread::scope(|scope| {
            for thread in 0..16 {
                let (start, work) = (&start, &work);
                scope.spawn(move || {
                    start.wait();
                    work(thread);
                });
            }
        });
    }

    #[test]
    fn sixteen_threads_never_hold_more_than_a_hundred_places() {
        let caps = Caps { active: Some(100), ..Caps::NONE };
        let places = Arc::new(Places::default());
        let (held, most) = (AtomicU64::new(0), AtomicU64::new(0));
        sixteen(|thread| {
            let mut mine = Vec::new();
            for _ in 0..20_000 {
                if let Some(place) = places.reserve(&caps, &asking(thread, Tick::ZERO)) {
                    most.fetch_max(held.fetch_add(1, Relaxed) + 1, Relaxed);
                    mine.push(place);
                } else if mine.len() > 3 {
                    held.fetch_sub(mine.len() as u64, Relaxed);
                    mine.clear();
                }
            }
            held.fetch_sub(mine.len() as u64, Relaxed);
        });
        assert_eq!(most.load(Relaxed), 100, "never 101, and the last place is used");
        assert_eq!(places.active.load(Relaxed), 0);
    }

    #[test]
    fn a_total_is_exact_under_sixteen_threads() {
        let caps = Caps { total: Some(1_000), ..Caps::NONE };
        let places = Arc::new(Places::default());
        let taken = AtomicU64::new(0);
        sixteen(|thread| {
            let mine = (0..1_000).filter(|_| places.reserve(&caps, &asking(thread, Tick::ZERO)).is_some()).count();
            taken.fetch_add(mine as u64, Relaxed);
        });
        assert_eq!(taken.load(Relaxed), 1_000);
    }

    #[test]
    fn a_rate_is_kept_in_every_second_and_used_up() {
        let caps = Caps { rate: Some(Rate::per_second(50.0)), ..Caps::NONE };
        let places = Arc::new(Places::default());
        let ticks = (0..10_000_u64).map(Tick::from_millis);
        let taken: Vec<Tick> = ticks.filter(|at| places.reserve(&caps, &asking(1, *at)).is_some()).collect();
        assert_eq!(taken.len(), 500);
        for from in (0..9_000).step_by(7).map(Tick::from_millis) {
            let within = taken.iter().filter(|at| (from..from + Duration::from_secs(1)).contains(at)).count();
            assert!(within <= 50, "{within} in the second from {from}");
        }
    }

    #[test]
    fn what_a_later_cap_refuses_the_earlier_get_back() {
        let caps = Caps { connections: Some(2), users: Some(1), total: Some(3), active: Some(1), ..Caps::NONE };
        let places = Arc::new(Places::default());
        let first = places.reserve(&caps, &asking(0, Tick::ZERO)).unwrap();
        assert!(places.reserve(&caps, &asking(1, Tick::ZERO)).is_none(), "one at a time");
        assert_eq!((places.connections(), places.users(), places.total.load(Relaxed)), (1, 1, 1));
        drop(first);
        drop(places.reserve(&caps, &asking(1, Tick::ZERO)).unwrap());
        assert!(places.reserve(&caps, &asking(2, Tick::ZERO)).is_none(), "a third connection");
        drop(places.reserve(&caps, &asking(1, Tick::ZERO)).unwrap());
        assert!(places.reserve(&caps, &asking(1, Tick::ZERO)).is_none(), "three in all");
    }

    #[test]
    fn the_sum_of_all_holds_is_never_exceeded() {
        let caps = Caps { time: Some(Duration::from_millis(35)), ..Caps::NONE };
        let places = Arc::new(Places::default());
        let taken = (0..9).filter(|_| places.reserve(&caps, &asking(1, Tick::ZERO)).is_some()).count();
        assert_eq!(taken, 3);
        assert_eq!(places.charge(&caps, Duration::from_millis(20)), Duration::from_millis(5));
        assert_eq!(places.charge(&caps, Duration::from_millis(20)), Duration::ZERO);
    }
}
