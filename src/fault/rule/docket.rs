//! The rules on one connection: which of them a message concerns, and what was decided.
//!
//! Pure. A message that a rule's `only` matches is considered once, and is touched or not, by a reason. Not here: what
//! matches (each protocol), the decisions and their counts (`decide`), who puts rules in force (`registry`).

use std::sync::Arc;
use std::time::Duration;

use crate::base::clock::Tick;
use crate::fault::decide::{self, Unit};
use crate::fault::snapshot::{Active, FaultId, Snapshot};
use crate::plan::fault::rule::Rule;
use crate::plan::fault::{Inject, Time};

/// The rules in force on a connection, in the order of their injection.
#[derive(Debug)]
pub(in crate::fault) struct Docket {
    /// The connection.
    unit: Unit,
    cases: Vec<Case>,
    /// Nothing is read any more: rules that come later are counted at once.
    lost: bool,
}

/// One rule on one connection.
#[derive(Debug)]
pub(in crate::fault) struct Case {
    active: Arc<Active>,
    unit: Unit,
    /// Messages of this connection that matched.
    matched: u64,
    /// A transaction, and how many of its messages matched.
    within: (u64, u64),
}

/// One fault's hold on one message; the message counts as active, and has its place under the caps, until this is dropped.
#[derive(Debug)]
pub(in crate::fault) struct Hit {
    fault: FaultId,
    active: Arc<Active>,
    decided: decide::Hit,
}

impl Docket {
    /// The docket of the connection `unit`, still without rules.
    pub(in crate::fault) fn new(unit: Unit) -> Self {
        Self { unit, cases: Vec::new(), lost: false }
    }

    /// Takes up the rules of `snapshot` and lets go of those that left it; true when there is another rule than before.
    pub(in crate::fault) fn sync(&mut self, snapshot: &Snapshot) -> bool {
        let before = self.cases.len();
        self.cases.retain(|case| snapshot.holds(case.active.id));
        let mut changed = before != self.cases.len();
        for active in snapshot.faults.iter().filter(|active| matches!(active.fault().inject, Inject::Rule(_))) {
            match self.cases.iter_mut().find(|case| case.active.id == active.id) {
                Some(case) if case.active.version == active.version => continue,
                Some(case) => case.active = Arc::clone(active),
                None => {
                    if self.lost {
                        active.decider.unparsed();
                    }
                    self.cases.push(Case { active: Arc::clone(active), unit: self.unit, matched: 0, within: (0, 0) });
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
                case.active.decider.unparsed();
            }
        }
    }

    /// A message went on after it was held so long by `fault`.
    pub(in crate::fault) fn realised(&self, fault: FaultId, held: Duration) {
        if let Some(case) = self.cases.iter().find(|case| case.active.id == fault) {
            case.active.decider.tally.realised(held);
        }
    }

    /// Messages went on before their time: one entry for each.
    pub(in crate::fault) fn early(&self, faults: &[FaultId]) {
        for case in &self.cases {
            for _ in faults.iter().filter(|fault| **fault == case.active.id) {
                case.active.decider.tally.early();
            }
        }
    }
}

impl Case {
    /// What it does, to what.
    pub(in crate::fault) fn rule(&self) -> Option<&Rule> {
        match &self.active.fault().inject {
            Inject::Rule(rule) => Some(rule),
            Inject::Toxic(_) => None,
        }
    }

    /// The fault's name.
    pub(in crate::fault) fn name(&self) -> &str {
        &self.active.fault().name
    }

    /// The fault.
    pub(in crate::fault) fn fault(&self) -> FaultId {
        self.active.id
    }

    /// When it was injected.
    pub(in crate::fault) fn injected(&self) -> Tick {
        self.active.injected()
    }

    /// Counts a message that matched, of the transaction number `transaction` of its connection: which one it is on the
    /// connection, and in its transaction, from 1.
    pub(in crate::fault) fn count(&mut self, transaction: u64) -> [u64; 2] {
        if self.within.0 != transaction {
            self.within = (transaction, 0);
        }
        self.within.1 += 1;
        self.matched += 1;
        [self.matched, self.within.1]
    }

    /// The unit of message `ordinal` of this connection; a protocol adds what it knows.
    pub(in crate::fault) fn unit(&self, ordinal: u64) -> Unit {
        Unit { message: Some(ordinal), ..self.unit }
    }

    /// Decides about `unit`, a message that matched: `time` is drawn when it is to be held. `None`: it passes untouched.
    pub(in crate::fault) fn judge(&self, unit: &Unit, now: Tick, time: Option<&Time>) -> Option<Hit> {
        let decided = self.active.decider.judge(unit, now, time).hit()?;
        Some(Hit { fault: self.active.id, active: Arc::clone(&self.active), decided })
    }

    /// A message matched, and passes because touching it would make a peer believe an untruth.
    pub(in crate::fault) fn spare(&self) {
        self.active.decider.unsafe_to_touch();
    }
}

impl Hit {
    /// The fault.
    pub(in crate::fault) fn fault(&self) -> FaultId {
        self.fault
    }

    /// How long the message is held: drawn, scaled and capped.
    pub(in crate::fault) fn time(&self) -> Duration {
        self.decided.hold
    }

    /// The connection ends by this fault.
    pub(in crate::fault) fn cut(&self) {
        self.active.decider.tally.cut();
    }
}
