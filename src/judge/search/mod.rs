//! Capacity search: which rate to hold next, and when the answer is known. A pure value that is told how every held rate went.
//!
//! Rates double from the first one until one is bad, then the bracket is halved geometrically until it is narrow, then the
//! best rate is held twice as long to confirm it. Called by `cli::find`, live and again for every report (`course`).
//! Not here: sending anything, reading seconds (`course`).

mod course;

use std::time::Duration;

use crate::plan::threshold::Threshold;

pub use course::{Course, Held, course, holds};

/// A failed confirmation lowers the rate and confirms again, this often.
const CONFIRM_AGAIN: u32 = 2;

/// What is searched, and how far.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// The first rate, arrivals per second, above 0.
    pub start: f64,
    /// Never above this rate.
    pub most: Option<f64>,
    /// The capacity must be at least this.
    pub least: Option<f64>,
    /// How long a rate is held, whole seconds.
    pub hold: Duration,
    /// The first part of it, which does not count, whole seconds.
    pub settle: Duration,
    /// Width of the bracket that ends the search, as a share of the good rate.
    pub tolerance: f64,
    /// What must hold at a good rate.
    pub slo: Vec<Threshold>,
}

/// How a held rate went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// Every check's value is inside.
    Good,
    /// A check's value is beyond, and nothing proves it.
    Unclear,
    /// A check is proven to be broken.
    Bad,
    /// The generator cannot be believed.
    Spoilt,
}

/// One held rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trial {
    /// Arrivals per second.
    pub rate: f64,
    /// Times the hold it lasted: 1 or 2.
    pub holds: u32,
    /// How it went.
    pub grade: Grade,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// Hold this rate for so many holds.
    Try {
        /// Arrivals per second.
        rate: f64,
        /// 1 or 2.
        holds: u32,
    },
    /// The search is over.
    Done(Answer),
}

/// What the search came to; rates in arrivals per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// Held, and confirmed; `bad` is the lowest rate that did not hold.
    Found {
        /// The capacity.
        rate: f64,
        /// The other end of its bracket.
        bad: f64,
    },
    /// The highest allowed rate held, and was confirmed: the capacity is at least this.
    AtLeast(f64),
    /// The generator could not be believed at a higher rate; 0 when nothing held before.
    GeneratorBound(f64),
    /// Not even the first rate held.
    NothingHeld(f64),
    /// What held once did not hold when it was confirmed.
    Unconfirmed(f64),
}

/// What to do after `trials`, in their order.
pub fn next(search: &Search, trials: &[Trial]) -> Next {
    let mut state = State::new(search);
    for trial in trials {
        state.take(trial);
        if let Some(answer) = state.answer {
            return Next::Done(answer);
        }
    }
    Next::Try { rate: state.rate, holds: state.holds }
}

/// Rates have three decimals, so that what is printed is what was held.
fn rounded(rate: f64) -> f64 {
    (rate * 1e3).round() / 1e3
}

struct State<'a> {
    search: &'a Search,
    rate: f64,
    holds: u32,
    good: Option<f64>,
    bad: Option<f64>,
    /// The last step was not valid.
    is_repeated: bool,
    /// Failed confirmations; `None` before the first.
    confirming: Option<u32>,
    answer: Option<Answer>,
}

impl<'a> State<'a> {
    fn new(search: &'a Search) -> Self {
        let rate = rounded(search.most.map_or(search.start, |most| search.start.min(most)));
        let (good, bad, confirming, answer) = (None, None, None, None);
        Self { search, rate, holds: 1, good, bad, is_repeated: false, confirming, answer }
    }

    fn take(&mut self, trial: &Trial) {
        if trial.grade == Grade::Spoilt {
            if self.is_repeated {
                self.answer = Some(Answer::GeneratorBound(self.good.unwrap_or(0.0)));
            }
            self.is_repeated = true;
            return;
        }
        self.is_repeated = false;
        match trial.grade {
            Grade::Unclear if trial.holds == 1 => self.holds = 2,
            Grade::Good => self.held(trial.rate),
            _ => self.broken(trial.rate),
        }
    }

    fn held(&mut self, rate: f64) {
        if self.confirming.is_some() {
            self.answer = Some(match self.bad {
                Some(bad) => Answer::Found { rate, bad },
                None => Answer::AtLeast(rate),
            });
            return;
        }
        self.good = Some(rate);
        match self.bad {
            Some(bad) => self.narrow(rate, bad),
            None if self.search.most.is_some_and(|most| rate >= rounded(most)) => self.confirm(rate),
            None => self.ask(self.search.most.map_or(rate * 2.0, |most| (rate * 2.0).min(most)), 1),
        }
    }

    fn broken(&mut self, rate: f64) {
        self.bad = Some(rate);
        match (self.confirming, self.good) {
            (_, None) => self.answer = Some(Answer::NothingHeld(rate)),
            (Some(failed), Some(_)) if failed >= CONFIRM_AGAIN => self.answer = Some(Answer::Unconfirmed(rate)),
            (Some(failed), Some(_)) => {
                self.confirming = Some(failed + 1);
                self.ask(rate / (1.0 + self.search.tolerance), 2);
            }
            (None, Some(good)) => self.narrow(good, rate),
        }
    }

    fn narrow(&mut self, good: f64, bad: f64) {
        let middle = rounded((good * bad).sqrt());
        if bad / good <= 1.0 + self.search.tolerance || middle <= good || middle >= bad {
            self.confirm(good);
        } else {
            self.ask(middle, 1);
        }
    }

    fn confirm(&mut self, rate: f64) {
        self.confirming = Some(0);
        self.ask(rate, 2);
    }

    fn ask(&mut self, rate: f64, holds: u32) {
        (self.rate, self.holds) = (rounded(rate), holds);
    }
}

#[cfg(test)]
mod tests;
