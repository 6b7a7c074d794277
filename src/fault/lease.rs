//! How long a fault lives: a deadline that renewal moves, and an end that nothing moves.
//!
//! Pure. Not here: waiting for the deadline and healing then (`control`).

use std::time::Duration;

use crate::base::clock::Tick;

/// The life of one fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    deadline: Tick,
    /// `lasts` of the fault.
    end: Tick,
}

impl Lease {
    /// A lease of `term` from `now` (without: until it is healed), for a fault that lasts at most `lasts`.
    pub(super) fn new(now: Tick, term: Option<Duration>, lasts: Option<Duration>) -> Self {
        Self { deadline: term.map_or(Tick::MAX, |term| now + term), end: lasts.map_or(Tick::MAX, |lasts| now + lasts) }
    }

    /// When the fault heals by itself unless renewed.
    pub(super) fn due(self) -> Tick {
        self.deadline.min(self.end)
    }

    /// The lease moved to `term` from `now`; `None` when it is over, which cannot be undone. A renewal never shortens it.
    pub(super) fn renewed(self, now: Tick, term: Duration) -> Option<Self> {
        (now < self.due()).then(|| Self { deadline: self.deadline.max(now + term), ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn a_renewal_moves_the_deadline_and_never_past_the_end() {
        let lease = Lease::new(Tick::from_secs(10), Some(secs(15)), Some(secs(40)));
        assert_eq!(lease.due(), Tick::from_secs(25));
        let lease = lease.renewed(Tick::from_secs(20), secs(15)).unwrap();
        assert_eq!(lease.due(), Tick::from_secs(35));
        let lease = lease.renewed(Tick::from_secs(34), secs(3600)).unwrap();
        assert_eq!(lease.due(), Tick::from_secs(50));
    }

    #[test]
    fn a_renewal_after_expiry_is_refused() {
        let lease = Lease::new(Tick::ZERO, Some(secs(15)), None);
        assert!(lease.renewed(Tick::from_secs(15), secs(15)).is_none());
        assert_eq!(lease.renewed(Tick::from_secs(1), secs(1)).unwrap().due(), Tick::from_secs(15));
    }
}
