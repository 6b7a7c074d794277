//! Conditions under watch: which hold now, and since when without a break.
//!
//! Not here: what a condition is (`plan::condition`), what follows when one has held. Called by the director.

use std::time::Duration;

use super::acts::Acts;
use super::story::{Happened, Story};
use super::view::View;
use crate::base::clock::Tick;
use crate::plan::condition::Condition;
use crate::plan::drill::{DrillPlan, When};

/// What conditions are about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene<'a> {
    pub(super) plan: &'a DrillPlan,
    pub(super) view: &'a View,
    pub(super) story: &'a Story,
    pub(super) acts: &'a Acts,
}

impl Scene<'_> {
    fn holds(self, condition: &Condition) -> bool {
        match condition {
            Condition::Over(signal, level) => self.view.signal(*signal).is_some_and(|seen| seen > *level),
            Condition::Under(signal, level) => self.view.signal(*signal).is_some_and(|seen| seen < *level),
            Condition::Marked(mark) => self.has(&Happened::Mark(mark.clone())),
            Condition::Unmarked(mark) => !self.has(&Happened::Mark(mark.clone())),
            Condition::Fired(act) => self.has(&Happened::Act(act.clone())),
            Condition::Healed(act) => self.acts.is_clean(self.plan, act),
            Condition::All(list) => list.iter().all(|one| self.holds(one)),
            Condition::Any(list) => list.iter().any(|one| self.holds(one)),
            Condition::Not(one) => !self.holds(one),
        }
    }

    fn has(self, what: &Happened) -> bool {
        self.story.when(what).is_some()
    }
}

/// Since when each condition of the plan has held; `None`: it does not.
#[derive(Debug)]
pub(super) struct Watches {
    /// By act.
    acts: Vec<Option<Tick>>,
    /// By rule that ends the drill.
    aborts: Vec<Option<Tick>>,
}

impl Watches {
    pub(super) fn new(plan: &DrillPlan) -> Self {
        Self { acts: vec![None; plan.acts.len()], aborts: vec![None; plan.limits.aborts.len()] }
    }

    /// Looks at the conditions of acts.
    pub(super) fn look_at_acts(&mut self, now: Tick, scene: Scene<'_>) {
        for (since, act) in self.acts.iter_mut().zip(&scene.plan.acts) {
            if let When::Holds { is, .. } = &act.when {
                keep(since, now, scene.holds(is));
            }
        }
    }

    /// Looks at the rules that end the drill; the first, in file order, that has held for long enough.
    pub(super) fn look_at_aborts(&mut self, now: Tick, scene: Scene<'_>) -> Option<usize> {
        let mut found = None;
        for (n, (since, rule)) in self.aborts.iter_mut().zip(&scene.plan.limits.aborts).enumerate() {
            keep(since, now, scene.holds(&rule.when));
            if found.is_none() && since.is_some_and(|since| since + rule.hold <= now) {
                found = Some(n);
            }
        }
        found
    }

    /// When the condition of act `n` will have held for `hold`, if it goes on.
    pub(super) fn act_at(&self, n: usize, hold: Duration) -> Option<Tick> {
        self.acts.get(n).copied().flatten().map(|since| since + hold)
    }

    /// When the next rule will have held for long enough, if it goes on.
    pub(super) fn abort_at(&self, plan: &DrillPlan) -> Option<Tick> {
        self.aborts.iter().zip(&plan.limits.aborts).filter_map(|(since, rule)| Some((*since)? + rule.hold)).min()
    }
}

fn keep(since: &mut Option<Tick>, now: Tick, holds: bool) {
    *since = if holds { Some(since.unwrap_or(now)) } else { None };
}
