//! Leases on changes: a change made under a lease is undone when nobody renews it.
//!
//! Pure: the time is an argument. A lease remembers what to set back, and the revision its change made; if somebody
//! has changed the same thing since without a lease, there is nothing left to undo. Called by the switchboard.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::base::clock::Tick;
use crate::base::duration::Period;

/// The longest lease that is granted.
pub(super) const LONGEST: Duration = Duration::from_secs(600);

/// An open lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lease<T, W> {
    /// What was changed.
    pub(super) topic: T,
    /// The revision that its change made.
    revision: u64,
    /// What its end sets back.
    pub(super) inverse: W,
    pub(super) length: Duration,
    pub(super) until: Tick,
    /// `ID` of `X-Squall-Lease: 15s; drill=ID`.
    pub(super) drill: Option<String>,
}

/// Why a lease is not open any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    Expired,
    Undone,
}

/// What was asked for in `X-Squall-Lease`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) length: Duration,
    pub(super) drill: Option<String>,
}

impl Terms {
    /// Reads `15s; drill=ID`; the second part may be absent.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.split(';').map(str::trim);
        let first = parts.next().unwrap_or_default();
        let length = first.parse::<Period>().map_err(|e| format!("{e}; {}", e.help))?.0;
        if length.is_zero() || length > LONGEST {
            return Err(format!("a lease lasts from 1ms to {} s, not {first}", LONGEST.as_secs()));
        }
        let drill = parts.find_map(|part| part.strip_prefix("drill=")).map(str::to_owned);
        Ok(Self { length, drill })
    }
}

#[derive(Debug)]
pub(super) struct Leases<T, W> {
    open: BTreeMap<u64, Lease<T, W>>,
    closed: HashMap<u64, Closed>,
    next: u64,
}

impl<T, W> Default for Leases<T, W> {
    fn default() -> Self {
        Self { open: BTreeMap::new(), closed: HashMap::new(), next: 0 }
    }
}

impl<T: Copy + PartialEq, W: Clone> Leases<T, W> {
    /// Opens a lease on the change of `topic` that made `revision` and replaced `inverse`.
    pub(super) fn open(&mut self, topic: T, change: (u64, W), terms: Terms, now: Tick) -> u64 {
        self.next += 1;
        let Terms { length, drill } = terms;
        let (revision, inverse) = change;
        let lease = Lease { topic, revision, inverse, length, until: now + length, drill };
        self.open.insert(self.next, lease);
        self.next
    }

    /// Renews lease `id` for `length`, or for its own length.
    pub(super) fn renew(
        &mut self,
        id: u64,
        length: Option<Duration>,
        now: Tick,
    ) -> Result<Lease<T, W>, Option<Closed>> {
        let Some(lease) = self.open.get_mut(&id) else { return Err(self.closed.get(&id).copied()) };
        lease.length = length.unwrap_or(lease.length);
        lease.until = now + lease.length;
        Ok(lease.clone())
    }

    /// Somebody changed `topic` without a lease: there is nothing left to undo.
    pub(super) fn undone(&mut self, topic: T) -> Vec<u64> {
        let ids: Vec<u64> = self.open.iter().filter(|(_, lease)| lease.topic == topic).map(|(id, _)| *id).collect();
        for id in &ids {
            self.open.remove(id);
            self.closed.insert(*id, Closed::Undone);
        }
        ids
    }

    /// The leases that end at `now`. Each must be settled before the next is asked for: see [`Leases::settle`].
    pub(super) fn expired(&self, now: Tick) -> Vec<u64> {
        self.open.iter().filter(|(_, lease)| lease.until <= now).map(|(id, _)| *id).collect()
    }

    /// Ends lease `id` of a topic that is at `revision`. Gives what to set back, when its change is the latest one.
    ///
    /// A later lease on the same topic would bring this lease's change back at its own end: it inherits the inverse.
    pub(super) fn settle(&mut self, id: u64, revision: u64) -> Option<(Lease<T, W>, Option<W>)> {
        let lease = self.open.remove(&id)?;
        self.closed.insert(id, Closed::Expired);
        if lease.revision == revision {
            // Setting back is the change `revision + 1`; it restores what the latest earlier lease had made.
            let earlier = self.open.values_mut().filter(|other| other.topic == lease.topic);
            if let Some(previous) = earlier.max_by_key(|other| other.revision) {
                previous.revision = revision + 1;
            }
            let inverse = lease.inverse.clone();
            return Some((lease, Some(inverse)));
        }
        let later =
            self.open.values_mut().filter(|other| other.topic == lease.topic && other.revision > lease.revision);
        if let Some(next) = later.min_by_key(|other| other.revision) {
            next.inverse = lease.inverse.clone();
        }
        Some((lease, None))
    }

    /// What lease `id` is about, while it is open.
    pub(super) fn topic(&self, id: u64) -> Option<T> {
        self.open.get(&id).map(|lease| lease.topic)
    }

    /// The open leases by id.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Lease<T, W>)> {
        self.open.iter().map(|(id, lease)| (*id, lease))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staging::flags::Setting;

    const ON: Setting = Setting { enabled: true, rollout_pct: 100 };
    const HALF: Setting = Setting { enabled: true, rollout_pct: 50 };

    fn terms(seconds: u64) -> Terms {
        Terms { length: Duration::from_secs(seconds), drill: None }
    }

    #[test]
    fn a_lease_that_nobody_renews_sets_the_old_value_back() {
        let mut leases = Leases::default();
        let id = leases.open("smart_cart", (1, Setting::OFF), terms(15), Tick::ZERO);
        assert!(leases.expired(Tick::from_millis(14_999)).is_empty());
        leases.renew(id, None, Tick::from_secs(10)).unwrap();
        assert!(leases.expired(Tick::from_secs(24)).is_empty());
        leases.renew(id, Some(Duration::from_secs(2)), Tick::from_secs(24)).unwrap();
        assert_eq!(leases.expired(Tick::from_secs(26)), [id]);
        assert_eq!(leases.settle(id, 1).unwrap().1, Some(Setting::OFF));
        assert_eq!(leases.renew(id, None, Tick::from_secs(27)), Err(Some(Closed::Expired)));
        assert_eq!(leases.renew(99, None, Tick::from_secs(27)), Err(None));
    }

    #[test]
    fn what_somebody_else_undid_is_left_alone() {
        let mut leases = Leases::default();
        let id = leases.open("smart_cart", (1, Setting::OFF), terms(15), Tick::ZERO);
        assert_eq!(leases.undone("smart_cart"), [id]);
        assert!(leases.expired(Tick::from_secs(99)).is_empty());
        assert_eq!(leases.renew(id, None, Tick::from_secs(1)), Err(Some(Closed::Undone)));
    }

    #[test]
    fn two_leases_on_one_flag_end_where_the_first_began_in_either_order() {
        for first_ends_first in [true, false] {
            let mut leases = Leases::default();
            let first = leases.open("smart_cart", (1, Setting::OFF), terms(15), Tick::ZERO);
            let second = leases.open("smart_cart", (2, ON), terms(15), Tick::ZERO);
            let (mut revision, mut value) = (2, HALF);
            let order = if first_ends_first { [first, second] } else { [second, first] };
            for id in order {
                if let Some(back) = leases.settle(id, revision).unwrap().1 {
                    value = back;
                    revision += 1;
                }
            }
            assert_eq!(value, Setting::OFF, "first ends first: {first_ends_first}");
        }
    }

    #[test]
    fn terms_are_read_and_mistakes_are_named() {
        let read = Terms::parse("15s; drill=midnight-1").unwrap();
        assert_eq!(read, Terms { length: Duration::from_secs(15), drill: Some("midnight-1".to_owned()) });
        assert_eq!(Terms::parse("500ms").unwrap().drill, None);
        for wrong in ["15", "", "0s", "2h", "drill=x"] {
            assert!(Terms::parse(wrong).is_err(), "{wrong}");
        }
    }
}
