//! The flag, the backends' views of it and the leases on it, moved together; every move says what to write down.
//!
//! Pure: the time is an argument. Called by the admin address (changes, renewals) and the caretaker (time).

use std::time::Duration;

use serde_json::{Value, json};

use super::flags::{Flag, Look, SMART_CART, Setting, View};
use super::leases::{Closed, Lease, Leases, Terms};
use crate::base::clock::Tick;

/// Names of the backends, in the order of everything that is kept per backend.
pub(super) const BACKENDS: [&str; 2] = ["a", "b"];

/// Something that happened: name and data of a line of the log.
pub(super) type Happened = (&'static str, Value);

#[derive(Debug)]
pub(super) struct Switchboard {
    flag: Flag,
    views: [View; 2],
    leases: Leases,
}

impl Switchboard {
    /// Everything off; `a` and `b` look at the flag at these intervals.
    pub(super) fn new(polls: (Duration, Duration), now: Tick) -> Self {
        let views = [View::new(polls.0, now), View::new(polls.1, now)];
        Self { flag: Flag::default(), views, leases: Leases::default() }
    }

    /// What was asked for.
    pub(super) fn wanted(&self) -> Setting {
        self.flag.wanted
    }

    /// What backend `n` acts on.
    pub(super) fn serving(&self, backend: usize) -> Setting {
        self.views.get(backend).map_or(Setting::OFF, |view| view.serving)
    }

    /// True while some backend acts on the flag.
    pub(super) fn is_serving(&self) -> bool {
        self.views.iter().any(|view| view.serving.acts())
    }

    /// The open leases by id.
    pub(super) fn leases(&self) -> impl Iterator<Item = (u64, &Lease)> {
        self.leases.iter()
    }

    /// Somebody sets the flag. Gives the id of the lease, if there are `terms`.
    pub(super) fn change(
        &mut self,
        wanted: Setting,
        look: Look,
        terms: Option<Terms>,
        now: Tick,
    ) -> (Option<u64>, Vec<Happened>) {
        let before = self.flag.change(wanted);
        let mut happened = vec![flag_event(wanted, "admin")];
        let lease = terms.map(|terms| self.leases.open(SMART_CART, (self.flag.revision, before), terms, now));
        if let Some(id) = lease {
            happened.push(lease_event(id, "opened"));
        } else {
            let undone = self.leases.undone(SMART_CART);
            happened.extend(undone.into_iter().map(|id| lease_event(id, "undone by a later change")));
        }
        if look == Look::Pushed {
            happened.extend(self.look(Look::Pushed, now));
        }
        (lease, happened)
    }

    /// Renews a lease; why not, when it is not open.
    pub(super) fn renew(&mut self, id: u64, length: Option<Duration>, now: Tick) -> Result<Lease, Option<Closed>> {
        self.leases.renew(id, length, now)
    }

    /// Lets time pass: ends leases, and lets the backends look when it is their time.
    pub(super) fn tick(&mut self, now: Tick) -> Vec<Happened> {
        let mut happened = Vec::new();
        for id in self.leases.expired(now) {
            happened.push(lease_event(id, "expired"));
            if let Some((_, Some(back))) = self.leases.settle(id, self.flag.revision) {
                self.flag.change(back);
                happened.push(flag_event(back, "lease"));
                happened.extend(self.look(Look::Pushed, now));
            }
        }
        happened.extend(self.look(Look::WhenDue, now));
        happened
    }

    fn look(&mut self, look: Look, now: Tick) -> Vec<Happened> {
        let flag = self.flag;
        let views = self.views.iter_mut().zip(BACKENDS);
        views
            .filter_map(|(view, backend)| {
                let serving = view.look(flag, look, now)?;
                Some(("serving", json!({"flag": SMART_CART, "backend": backend, "serving": serving})))
            })
            .collect()
    }
}

fn flag_event(setting: Setting, by: &str) -> Happened {
    let data = json!({"flag": SMART_CART, "enabled": setting.enabled, "rollout_pct": setting.rollout_pct, "by": by});
    ("flag", data)
}

fn lease_event(id: u64, what: &str) -> Happened {
    ("lease", json!({"lease": lease_name(id), "what": what}))
}

/// A lease's id as people and machines write it: `l-7`.
pub(super) fn lease_name(id: u64) -> String {
    format!("l-{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ON: Setting = Setting { enabled: true, rollout_pct: 100 };

    fn board() -> Switchboard {
        Switchboard::new((Duration::from_secs(5), Duration::from_secs(15)), Tick::ZERO)
    }

    fn names(happened: &[Happened]) -> Vec<&'static str> {
        happened.iter().map(|(name, _)| *name).collect()
    }

    #[test]
    fn a_change_without_push_reaches_a_and_then_b() {
        let mut board = board();
        board.change(ON, Look::Pushed, None, Tick::ZERO);
        let (lease, happened) = board.change(Setting::OFF, Look::WhenDue, None, Tick::from_secs(1));
        assert_eq!((lease, names(&happened)), (None, vec!["flag"]));
        assert!(board.tick(Tick::from_millis(4_999)).is_empty());
        let happened = board.tick(Tick::from_secs(5));
        assert_eq!(happened[0].1["backend"], "a");
        assert!(board.is_serving(), "b still acts on it");
        assert_eq!(board.tick(Tick::from_secs(15))[0].1["backend"], "b");
        assert!(!board.is_serving());
    }

    #[test]
    fn an_expired_lease_sets_the_flag_back_and_pushes() {
        let mut board = board();
        let terms = Terms { length: Duration::from_secs(15), drill: None };
        let (lease, _) = board.change(ON, Look::Pushed, Some(terms), Tick::ZERO);
        assert_eq!((lease, board.is_serving()), (Some(1), true));
        board.renew(1, None, Tick::from_secs(10)).unwrap();
        board.tick(Tick::from_secs(24));
        assert!(board.is_serving());
        let happened = board.tick(Tick::from_secs(25));
        assert_eq!(names(&happened), ["lease", "flag", "serving", "serving"]);
        assert_eq!(happened[1].1["by"], "lease");
        assert!(!board.is_serving() && board.leases().next().is_none());
    }

    #[test]
    fn a_change_by_hand_ends_the_lease_and_is_not_set_back() {
        let mut board = board();
        let terms = Terms { length: Duration::from_secs(15), drill: None };
        board.change(ON, Look::Pushed, Some(terms), Tick::ZERO);
        board.change(Setting::OFF, Look::WhenDue, None, Tick::from_secs(3));
        assert_eq!(board.renew(1, None, Tick::from_secs(4)), Err(Some(Closed::Undone)));
        board.change(ON, Look::Pushed, None, Tick::from_secs(4));
        board.tick(Tick::from_secs(60));
        assert!(board.is_serving(), "the later change is somebody else's");
    }
}
