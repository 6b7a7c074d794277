//! The course of a drill: how it moves through its phases, cleans up, looks whether users are back, and ends.
//!
//! Not here: what is due inside a phase (the director's other half). Called by the director.

use std::time::Duration;

use super::Director;
use super::acts::Stand;
use super::command::{ActId, Command, Ended, Ending, Phase};
use crate::base::clock::Tick;
use crate::measure::journal::TRAFFIC;

/// The least time between that mark and the end of watching.
pub(super) const AFTER_CLAIM: Duration = Duration::from_secs(5);
/// So long after the last revert users must be back.
const BACK_WITHIN: Duration = Duration::from_secs(30);

/// When the phases began, and what they need beside.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Course {
    pub(super) ready: bool,
    pub(super) baseline: Tick,
    pub(super) exercise: Tick,
    pub(super) cleanup: Tick,
    /// True while traffic flows.
    pub(super) loaded: bool,
}

impl Director {
    fn enter(&mut self, phase: Phase, out: &mut Vec<Command>) {
        self.phase = phase;
        out.push(Command::Enter(phase));
    }

    /// Moves through the phases as far as `now` allows. True when it moved.
    pub(super) fn advance(&mut self, now: Tick, out: &mut Vec<Command>) -> bool {
        let first = self.phase;
        loop {
            let before = self.phase;
            match self.phase {
                phase if phase.may_end() && self.ending.is_some() => {
                    self.enter(Phase::Aborting, out);
                    self.unload(out);
                }
                Phase::Armed if self.course.ready => {
                    self.course.baseline = now;
                    self.view.begin(now);
                    self.enter(Phase::Baseline, out);
                    self.course.loaded = true;
                    out.push(Command::StartLoad);
                }
                Phase::Baseline if now >= self.course.baseline + self.plan.phases.baseline => {
                    self.leave_baseline(now, out);
                }
                Phase::Exercise if self.exercise_over(now) => self.enter(Phase::Watching, out),
                Phase::Watching if self.watching_over(now) => {
                    // The load stays on: it shows whether users are back once everything is undone.
                    self.ending = Some(Ending::Finished);
                    self.course.cleanup = now;
                    self.enter(Phase::Cleanup, out);
                }
                Phase::Aborting => {
                    self.course.cleanup = now;
                    self.enter(Phase::Cleanup, out);
                }
                Phase::Cleanup => self.clean_up(now, out),
                _ => {}
            }
            if self.phase == before && (self.ending.is_none() || !self.phase.may_end()) {
                return self.phase != first;
            }
        }
    }

    fn unload(&mut self, out: &mut Vec<Command>) {
        if std::mem::take(&mut self.course.loaded) {
            out.push(Command::StopLoad);
        }
    }

    fn clean_up(&mut self, now: Tick, out: &mut Vec<Command>) {
        if self.ending != Some(Ending::Finished) {
            self.unload(out);
        }
        self.acts.clean_up(now, out);
        if self.acts.open().next().is_some() {
            return;
        }
        let mut ended = self.ended();
        // Judged by the traffic, and only where there is some: a drill that was ended early has stopped it.
        if self.course.loaded && self.acts.first_at().is_some() && !self.acts.is_stuck() {
            let since = self.acts.clean_at().unwrap_or(self.course.cleanup);
            match self.view.is_back(since) {
                Some(words) => out.push(Command::Back(Ok(words))),
                None if self.back_by().is_none_or(|by| now < by) => return,
                None => {
                    let words = format!(
                        "{} s after everything was undone users were not back where the baseline left them: {}",
                        BACK_WITHIN.as_secs(),
                        self.view.words()
                    );
                    ended.unclean.push((TRAFFIC.to_owned(), words.clone()));
                    out.push(Command::Back(Err(words)));
                }
            }
        }
        self.unload(out);
        self.enter(Phase::Done, out);
        out.push(Command::Finish(ended));
    }

    /// By when users must be back, once everything is undone.
    pub(super) fn back_by(&self) -> Option<Tick> {
        (self.phase == Phase::Cleanup)
            .then(|| self.acts.clean_at().unwrap_or_default().max(self.course.cleanup) + BACK_WITHIN)
    }

    fn leave_baseline(&mut self, now: Tick, out: &mut Vec<Command>) {
        match self.view.steady() {
            Ok(()) => {
                self.course.exercise = now;
                self.enter(Phase::Exercise, out);
            }
            Err(ending) => self.end(ending),
        }
    }

    fn exercise_over(&self, now: Tick) -> bool {
        self.story.claim().is_some() || now >= self.course.exercise + self.plan.phases.at_most
    }

    fn watching_over(&self, now: Tick) -> bool {
        let phases = &self.plan.phases;
        let claimed = self.story.claim().is_none_or(|at| now >= at + AFTER_CLAIM);
        let clean = self.view.clean_for() >= phases.recovery_hold;
        (clean && claimed) || now >= self.course.exercise + phases.at_most + phases.recovery_hold
    }

    fn ended(&self) -> Ended {
        let name = |act: ActId| self.plan.acts[act.0].name.clone();
        Ended {
            ending: self.ending.clone().unwrap_or(Ending::Finished),
            unclean: self
                .acts
                .iter()
                .filter_map(|(act, stand)| match stand {
                    Stand::Stuck(why) => Some((name(act), why.clone())),
                    _ => None,
                })
                .collect(),
            unproved: self.acts.unproved().map(name).collect(),
        }
    }
}
