//! Where each act stands: not begun, in force, undone by somebody, being reverted, read back, stuck.
//!
//! ```text
//! Waiting ─► Applying ─► InForce ─► Reverting ─► Clean
//!               └─► Doubtful ─┘ └► Undone ─┘ └──► Stuck
//! ```
//! Whatever was begun is reverted, even when nobody knows whether it took. Not here: when an act is due. Called by the director.

use std::time::Duration;

use super::command::{ActId, Command, Event};
use crate::base::clock::Tick;
use crate::plan::drill::DrillPlan;

/// Longest time for reverting and reading back one act; the levers' own limits are shorter.
const REVERT_WITHIN: Duration = Duration::from_secs(60);

/// Where one act stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    Waiting,
    /// Begun, not yet answered.
    Applying,
    InForce {
        renew_at: Tick,
    },
    /// Begun, and nobody knows whether it is in force.
    Doubtful,
    /// Somebody undid it; not yet read back.
    Undone,
    Reverting {
        until: Tick,
        healed: bool,
    },
    Clean,
    /// It could not be healed or read back, and why.
    Stuck(String),
}

impl Stand {
    /// True when it is, or may be, in force.
    fn is_open(&self) -> bool {
        !matches!(self, Self::Waiting | Self::Clean | Self::Stuck(_))
    }
}

/// Whether reading back is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    Waits,
    /// Somebody asked to stop a second time.
    Hurries,
}

/// Where all acts stand.
#[derive(Debug)]
pub(super) struct Acts {
    stands: Vec<Stand>,
    /// In the order they were begun, and when.
    begun: Vec<(ActId, Tick)>,
    unproved: Vec<ActId>,
    /// When the last of them was read back as healed.
    clean_at: Option<Tick>,
    /// Whether reading back is waited for.
    pub(super) patience: Patience,
}

impl Acts {
    pub(super) fn new(plan: &DrillPlan) -> Self {
        Self {
            stands: vec![Stand::Waiting; plan.acts.len()],
            begun: Vec::new(),
            unproved: Vec::new(),
            clean_at: None,
            patience: Patience::Waits,
        }
    }

    fn stand(&self, act: ActId) -> Option<&Stand> {
        self.stands.get(act.0)
    }

    fn set(&mut self, act: ActId, stand: Stand) {
        if let Some(place) = self.stands.get_mut(act.0) {
            *place = stand;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ActId, &Stand)> {
        self.stands.iter().enumerate().map(|(n, stand)| (ActId(n), stand))
    }

    /// Acts that are, or may be, in force.
    pub(super) fn open(&self) -> impl Iterator<Item = ActId> {
        self.iter().filter(|(_, stand)| stand.is_open()).map(|(act, _)| act)
    }

    pub(super) fn unproved(&self) -> impl Iterator<Item = ActId> {
        self.unproved.iter().copied()
    }

    /// When the last act was read back as healed.
    pub(super) fn clean_at(&self) -> Option<Tick> {
        self.clean_at
    }

    /// True when the act called `name` was begun and is healed.
    pub(super) fn is_clean(&self, plan: &DrillPlan, name: &str) -> bool {
        self.stands.iter().zip(&plan.acts).any(|(stand, act)| act.name == name && *stand == Stand::Clean)
    }

    /// True when one of them could not be healed.
    pub(super) fn is_stuck(&self) -> bool {
        self.stands.iter().any(|stand| matches!(stand, Stand::Stuck(_)))
    }

    /// When the first act was begun.
    pub(super) fn first_at(&self) -> Option<Tick> {
        self.begun.first().map(|(_, at)| *at)
    }

    /// Acts that were not begun.
    pub(super) fn waiting(&self) -> impl Iterator<Item = ActId> {
        self.iter().filter(|(_, stand)| **stand == Stand::Waiting).map(|(act, _)| act)
    }

    pub(super) fn begin(&mut self, act: ActId, now: Tick) {
        self.set(act, Stand::Applying);
        self.begun.push((act, now));
    }

    /// The act is in force. True when that was awaited.
    pub(super) fn applied(&mut self, act: ActId, at: Tick, plan: &DrillPlan) -> bool {
        let awaited = self.stand(act) == Some(&Stand::Applying);
        if awaited {
            self.set(act, Stand::InForce { renew_at: at + third(act, plan) });
        }
        awaited
    }

    /// Somebody undid the act. True when it was in force until then.
    pub(super) fn undone(&mut self, act: ActId) -> bool {
        let was = matches!(self.stand(act), Some(Stand::InForce { .. }));
        if was {
            self.set(act, Stand::Undone);
        }
        was
    }

    /// The lease ended by itself. True when the act was in force until then.
    pub(super) fn lost(&mut self, act: ActId) -> bool {
        let was = matches!(self.stand(act), Some(Stand::InForce { .. }));
        if was {
            self.set(act, Stand::Doubtful);
        }
        was
    }

    /// Our undo was carried out. True when that was awaited.
    pub(super) fn healed(&mut self, act: ActId) -> bool {
        match self.stands.get_mut(act.0) {
            Some(Stand::Reverting { healed, .. }) if !*healed => {
                *healed = true;
                true
            }
            _ => false,
        }
    }

    /// The rest of what is heard about acts.
    pub(super) fn hear(&mut self, at: Tick, event: Event) {
        match event {
            Event::NotApplied(act) if self.stand(act) == Some(&Stand::Applying) => {
                self.set(act, Stand::Doubtful);
                self.unproved.push(act);
            }
            Event::Proved(act, false) if act.0 < self.stands.len() && !self.unproved.contains(&act) => {
                self.unproved.push(act);
            }
            Event::Verified(act) if matches!(self.stand(act), Some(Stand::Undone | Stand::Reverting { .. })) => {
                self.set(act, Stand::Clean);
                self.clean_at = Some(at);
            }
            Event::HealFailed(act, why) if matches!(self.stand(act), Some(Stand::Reverting { .. })) => {
                self.set(act, Stand::Stuck(why));
            }
            _ => {}
        }
    }

    /// Somebody did something: acts that players are to undo are looked at now rather than at their next renewal.
    pub(super) fn look_now(&mut self, now: Tick, plan: &DrillPlan) {
        for (stand, act) in self.stands.iter_mut().zip(&plan.acts) {
            if let Stand::InForce { renew_at } = stand
                && act.does.players_undo
            {
                *renew_at = now;
            }
        }
    }

    /// Renews every lease of which a third has passed.
    pub(super) fn renew(&mut self, now: Tick, plan: &DrillPlan, out: &mut Vec<Command>) {
        for (n, stand) in self.stands.iter_mut().enumerate() {
            if let Stand::InForce { renew_at } = stand
                && *renew_at <= now
            {
                *renew_at = now + third(ActId(n), plan);
                out.push(Command::Renew(ActId(n)));
            }
        }
    }

    /// When the next lease is to be renewed.
    pub(super) fn renew_at(&self) -> Option<Tick> {
        self.stands
            .iter()
            .filter_map(|stand| if let Stand::InForce { renew_at } = stand { Some(*renew_at) } else { None })
            .min()
    }

    /// When the revert under way has taken too long.
    pub(super) fn overdue_at(&self) -> Option<Tick> {
        self.stands
            .iter()
            .filter_map(|stand| if let Stand::Reverting { until, .. } = stand { Some(*until) } else { None })
            .min()
    }

    /// Reverts in reverse order of injection: one after the other, or all at once and without waiting for what is read back.
    pub(super) fn clean_up(&mut self, now: Tick, out: &mut Vec<Command>) {
        let hurried = self.patience == Patience::Hurries;
        for (n, stand) in self.stands.iter_mut().enumerate() {
            let why = match stand {
                Stand::Reverting { healed: true, .. } if hurried => {
                    "healed, but nobody waited until it was read back".to_owned()
                }
                Stand::Reverting { until, healed } if *until <= now => {
                    let what = if *healed { "reading it back" } else { "undoing it" };
                    format!("{what} took longer than {} s", REVERT_WITHIN.as_secs())
                }
                _ => continue,
            };
            out.push(Command::GiveUp(ActId(n), why.clone()));
            *stand = Stand::Stuck(why);
        }
        let order: Vec<ActId> = self.begun.iter().rev().map(|(act, _)| *act).collect();
        for act in order {
            match self.stand(act) {
                Some(Stand::Reverting { .. }) if !hurried => return,
                Some(Stand::Applying | Stand::InForce { .. } | Stand::Doubtful | Stand::Undone) => {
                    self.set(act, Stand::Reverting { until: now + REVERT_WITHIN, healed: false });
                    out.push(Command::Revert(act));
                    if !hurried {
                        return;
                    }
                }
                _ => {}
            }
        }
    }
}

/// A third of the act's lease.
fn third(act: ActId, plan: &DrillPlan) -> Duration {
    plan.acts.get(act.0).map_or(Duration::from_secs(5), |one| one.does.lease / 3)
}
