//! Feature flags: what was asked for, and what each backend acts on since it last looked.
//!
//! Pure. A backend looks at its own interval, or at once when a change is pushed; between the two, `serving` differs
//! from `enabled`. Called by the admin address (changes) and the backends (acting on them).

use std::time::Duration;

use super::dial::Dial;
use crate::base::clock::Tick;

/// The one flag of this shop.
pub(super) const SMART_CART: &str = "smart_cart";

/// What a flag is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) enabled: bool,
    /// 0 to 100: the share of users, by a fixed draw per user.
    pub(super) rollout_pct: u8,
}

impl Setting {
    pub(super) const OFF: Self = Self { enabled: false, rollout_pct: 100 };

    /// True for a user whose place in the roll-out is `bucket`.
    pub(super) fn covers(self, bucket: u64) -> bool {
        self.enabled && bucket < u64::from(self.rollout_pct)
    }

    /// True when it covers somebody.
    pub(super) fn acts(self) -> bool {
        self.covers(0)
    }
}

/// One backend's view of the flag.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    every: Duration,
    next: Tick,
    pub(super) serving: Setting,
}

impl View {
    /// A backend that looks every `every` (at least 100 ms), first after one interval.
    pub(super) fn new(every: Duration, now: Tick) -> Self {
        let every = every.max(Duration::from_millis(100));
        Self { every, next: now + every, serving: Setting::OFF }
    }

    /// Looks if it is time, or if the change was `pushed`. `Some` when the backend starts or stops acting on the flag.
    pub(super) fn look(&mut self, flag: &Dial<Setting>, look: Look, now: Tick) -> Option<bool> {
        if matches!(look, Look::WhenDue) && now < self.next {
            return None;
        }
        while self.next <= now {
            self.next += self.every;
        }
        let before = self.serving.acts();
        self.serving = flag.wanted;
        (self.serving.acts() != before).then_some(self.serving.acts())
    }
}

/// Why a backend looks at the flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    WhenDue,
    Pushed,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ON: Setting = Setting { enabled: true, rollout_pct: 100 };

    #[test]
    fn a_backend_acts_on_a_change_when_it_next_looks() {
        let mut flag = Dial::at(Setting::OFF);
        let mut view = View::new(Duration::from_secs(5), Tick::ZERO);
        assert_eq!(flag.change(ON), Setting::OFF);
        assert_eq!(view.look(&flag, Look::WhenDue, Tick::from_millis(4_999)), None);
        assert!(!view.serving.acts());
        assert_eq!(view.look(&flag, Look::WhenDue, Tick::from_secs(5)), Some(true));
        assert_eq!(view.look(&flag, Look::WhenDue, Tick::from_secs(60)), None, "nothing new");
        flag.change(Setting::OFF);
        assert_eq!(view.look(&flag, Look::WhenDue, Tick::from_secs(61)), None, "its interval goes on from 60 s");
        assert_eq!(view.look(&flag, Look::Pushed, Tick::from_secs(61)), Some(false));
    }

    #[test]
    fn a_rollout_covers_its_share_of_users() {
        let half = Setting { enabled: true, rollout_pct: 50 };
        assert_eq!((0..100).filter(|bucket| half.covers(*bucket)).count(), 50);
        assert!(!Setting { enabled: true, rollout_pct: 0 }.acts());
        assert!(!Setting { enabled: false, rollout_pct: 100 }.acts());
    }
}
