//! The rules on one connection: which of them a message concerns, what was drawn, and what is counted.
//!
//! Pure. A message that a rule's `only` matches is considered once, and is touched or not, by a reason. Not here: what
//! matches (each protocol), who puts rules in force (`registry`).

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::base::clock::Tick;
use crate::fault::decide::Draws;
use crate::fault::snapshot::{Active, FaultId, Snapshot};
use crate::plan::fault::rule::{HOLD_MOST, Nth, Rule, Within};
use crate::plan::fault::{Inject, Time};

/// The rules in force on a connection, in the order of their injection.
#[derive(Debug, Default)]
pub(in crate::fault) struct Docket {
    cases: Vec<Case>,
    /// Nothing is read any more: rules that come later are counted at once.
    lost: bool,
}

/// One rule on one connection.
#[derive(Debug)]
pub(in crate::fault) struct Case {
    active: Arc<Active>,
    draws: Draws,
    /// Messages of this connection that matched.
    matched: u64,
    /// A transaction, and how many of its messages matched.
    within: (u64, u64),
}

/// Why a message that matched stayed as it was, beside its draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::fault) enum Spared {
    /// The connection is not read any more.
    Unparsed,
    /// A peer would be made to believe an untruth.
    Unsafe,
}

/// One fault's hold on one message; the message counts as active until this is dropped.
#[derive(Debug)]
pub(in crate::fault) struct Hit {
    active: Arc<Active>,
    draws: Draws,
    /// Of the message, on its connection.
    ordinal: u64,
    touched: Rc<std::cell::Cell<bool>>,
}

impl Docket {
    /// Takes up the rules of `snapshot` and lets go of those that left it; true when there is another rule than before.
    pub(in crate::fault) fn sync(&mut self, snapshot: &Snapshot, draws: impl Fn(&str) -> Draws) -> bool {
        let before = self.cases.len();
        self.cases.retain(|case| snapshot.holds(case.active.id));
        let mut changed = before != self.cases.len();
        for active in snapshot.faults.iter().filter(|active| matches!(active.fault.inject, Inject::Rule(_))) {
            match self.cases.iter_mut().find(|case| case.active.id == active.id) {
                Some(case) if case.active.version == active.version => continue,
                Some(case) => case.active = Arc::clone(active),
                None => {
                    let case = Case {
                        active: Arc::clone(active),
                        draws: draws(&active.fault.name),
                        matched: 0,
                        within: (0, 0),
                    };
                    if self.lost {
                        case.spare(Spared::Unparsed);
                    }
                    self.cases.push(case);
                }
            }
            changed = true;
        }
        changed
    }

    /// The faults of the docket.
    pub(in crate::fault) fn faults(&self) -> impl Iterator<Item = FaultId> + '_ {
        self.cases.iter().map(|case| case.active.id)
    }

    /// True when no rule is in force.
    pub(in crate::fault) fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    /// Every rule.
    pub(in crate::fault) fn cases(&mut self) -> impl Iterator<Item = &mut Case> {
        self.cases.iter_mut()
    }

    /// The connection is not read from here on: counted once for each rule.
    pub(in crate::fault) fn lose(&mut self) {
        if !std::mem::replace(&mut self.lost, true) {
            for case in &self.cases {
                case.spare(Spared::Unparsed);
            }
        }
    }
}

impl Case {
    /// What it does, to what.
    pub(in crate::fault) fn rule(&self) -> Option<&Rule> {
        match &self.active.fault.inject {
            Inject::Rule(rule) => Some(rule),
            Inject::Toxic(_) => None,
        }
    }

    /// The fault's name.
    pub(in crate::fault) fn name(&self) -> &str {
        &self.active.fault.name
    }

    /// When it was injected.
    pub(in crate::fault) fn injected(&self) -> Tick {
        self.active.injected
    }

    /// [`Case::count`] for a message of the transaction number `transaction` of its connection.
    pub(in crate::fault) fn count_within(&mut self, nth: Option<Nth>, transaction: u64) -> bool {
        if self.within.0 != transaction {
            self.within = (transaction, 0);
        }
        self.within.1 += 1;
        let any = self.count(nth);
        match nth {
            Some(Nth { n, of: Within::Transaction }) => self.within.1 == n,
            _ => any,
        }
    }

    /// Counts a message that matched; true when it is the one that `nth` asks for, or any.
    pub(in crate::fault) fn count(&mut self, nth: Option<Nth>) -> bool {
        self.matched += 1;
        match nth {
            None => true,
            Some(Nth { n, of: Within::Fault }) => self.active.tally.matched() == n,
            Some(Nth { n, .. }) => self.matched == n,
        }
    }

    /// Considers message `ordinal` of this connection, which matched: a hit, or spared by its draw.
    pub(in crate::fault) fn decide(&self, ordinal: u64) -> Option<Hit> {
        let hit = self.draws.hit_message(self.active.fault.share, ordinal);
        if !hit {
            self.active.tally.spare();
            return None;
        }
        self.active.tally.enter();
        Some(Hit { active: Arc::clone(&self.active), draws: self.draws.clone(), ordinal, touched: Rc::default() })
    }

    /// A message matched and passes untouched.
    pub(in crate::fault) fn spare(&self, why: Spared) {
        match why {
            Spared::Unparsed => self.active.tally.unparsed(),
            Spared::Unsafe => self.active.tally.unsafe_to_touch(),
        }
    }
}

impl Hit {
    /// The fault.
    pub(in crate::fault) fn fault(&self) -> FaultId {
        self.active.id
    }

    /// A draw of `time` for this message, at most the longest hold.
    pub(in crate::fault) fn time(&self, time: &Time) -> Duration {
        let drawn = if let Time::Fixed(time) = time { *time } else { time.at(self.draws.message(self.ordinal, 1)) };
        drawn.min(HOLD_MOST)
    }

    /// The message was changed, answered or cut.
    pub(in crate::fault) fn touch(&self) {
        if !self.touched.replace(true) {
            self.active.tally.touch();
        }
    }

    /// The message is held for `time` from now on.
    pub(in crate::fault) fn hold(&self, time: Duration) {
        self.touch();
        self.active.tally.hold(time);
    }

    /// The connection ends by this fault.
    pub(in crate::fault) fn cut(&self) {
        self.touch();
        self.active.tally.cut();
    }
}

impl Drop for Hit {
    fn drop(&mut self) {
        self.active.tally.leave();
    }
}
