//! Further tries of one request: reloads of a user who gave up, retries of a client; both only where the scenario says so.
//!
//! Not here: one try (`http`).

use std::cell::RefCell;
use std::time::Duration;

use super::Ask;
use super::http::Tried;
use super::pause::Pause;
use crate::base::clock::Tick;
use crate::load::client::Trip;
use crate::load::core::Worker;
use crate::load::crew::Crew;
use crate::load::tokens;
use crate::load::user::User;
use crate::load::vars::Dice;
use crate::measure::outcome::Kind;

/// Seconds a budget looks back.
const WINDOW: usize = 10;

/// How often one request was tried again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tries {
    retries: u32,
    reloads: u32,
    renewed: bool,
}

impl Tries {
    /// How many tries went before.
    pub fn further(self) -> u32 {
        self.retries + self.reloads
    }

    /// How long the user waits in this try.
    pub fn patience(self, pause: &Pause, dice: Dice) -> Duration {
        pause.length(dice.seed, self.key(dice), dice.n)
    }

    /// Every try has draws of its own.
    fn key(self, dice: Dice) -> u64 {
        dice.key ^ (u64::from(self.retries) << 32) ^ u64::from(self.reloads)
    }

    /// Whether the answer says that the request's token is over, for the first time: it is forgotten then.
    pub fn renews(&mut self, worker: &Worker, user: &mut User, (ask, trip): (&Ask, &Trip)) -> bool {
        let (Some(number), Ok(answer), false) = (ask.token, &trip.result, self.renewed) else { return false };
        let says = worker.script.logins.get(number).is_some_and(|login| login.renew_on.holds(answer.status));
        if says {
            self.renewed = true;
            tokens::refuse(worker, user, number);
        }
        says
    }

    /// Whether a try with this outcome is followed by another, and after which pause.
    pub(super) fn again(
        &mut self,
        worker: &Worker,
        crew: &Crew,
        (ask, tried, dice): (&Ask, &Tried, Dice),
    ) -> Option<Duration> {
        let (kind, done) = (tried.outcome.kind()?, tried.trip.done);
        let client = &ask.client;
        if kind == Kind::Abandoned {
            let patience = client.patience.as_ref()?;
            self.reloads += 1;
            return (self.reloads <= patience.reloads).then_some(Duration::ZERO);
        }
        let retry = client.retry.as_ref().filter(|retry| retry.on.holds(kind))?;
        if self.retries >= retry.times || !crew.budget.as_ref().is_none_or(|budget| budget.allows(done, retry.budget)) {
            return None;
        }
        self.retries += 1;
        let drawn = Dice { key: self.key(dice), ..dice }.unit(&ask.further.1);
        let asked = tried.trip.result.as_ref().ok().and_then(|answer| answer.retry_after);
        let asked = asked.filter(|_| retry.retry_after).map(|asked| asked.from(|| worker.pace.utc()));
        Some(retry.pause(self.retries, drawn).max(asked.unwrap_or_default()))
    }
}

/// First and further tries of the last ten seconds.
#[derive(Debug, Default)]
pub struct Budget(RefCell<[(u32, u64, u64); WINDOW]>);

impl Budget {
    fn change(&self, now: Tick, change: impl FnOnce(&mut (u32, u64, u64))) {
        let second = now.second();
        let mut window = self.0.borrow_mut();
        let slot = &mut window[second as usize % WINDOW];
        if slot.0 != second {
            *slot = (second, 0, 0);
        }
        change(slot);
    }

    /// Counts a first try.
    pub fn first(&self, now: Tick) {
        self.change(now, |slot| slot.1 += 1);
    }

    /// Counts a further try when `share` of the first tries leaves room for it; without a share there always is.
    pub fn allows(&self, now: Tick, share: Option<f64>) -> bool {
        let since = now.second().saturating_sub(u32::try_from(WINDOW).unwrap_or(0) - 1);
        let (first, further) = self
            .0
            .borrow()
            .iter()
            .filter(|slot| slot.0 >= since)
            .fold((0, 0), |sum, slot| (sum.0 + slot.1, sum.1 + slot.2));
        let is_allowed = share.is_none_or(|share| (further + 1) as f64 <= share * first as f64);
        if is_allowed {
            self.change(now, |slot| slot.2 += 1);
        }
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_a_share_of_the_first_tries_of_ten_seconds() {
        let budget = Budget::default();
        let at = Tick::from_secs;
        (0..20).for_each(|_| budget.first(at(3)));
        let allowed = (0..10).filter(|_| budget.allows(at(4), Some(0.1))).count();
        assert_eq!(allowed, 2);
        (0..10).for_each(|_| budget.first(at(12)));
        assert!(budget.allows(at(12), Some(0.1)) && !budget.allows(at(12), Some(0.1)));
        // The twenty of second 3 and the two of second 4 are over.
        assert!(!budget.allows(at(14), Some(0.1)) && budget.allows(at(14), None));
    }
}
