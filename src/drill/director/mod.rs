//! The director: what a drill does next. Pure: it is told the time, reads no clock, opens no socket, draws nothing.
//!
//! ```text
//! Armed ─► Baseline ─► Exercise ─► Watching ─┐
//!   │         │            │           │     ├─► Cleanup ─► Done
//!   └─────────┴── Aborting ┴───────────┴─────┘
//! ```
//! Inside one step: fold the second, abort, what was heard, due acts in file order, the robot, leases, the phase.
//! Not here: how a command is carried out (`stage`), what impact is (`judge::impact`). Called by the stage and by tests.

mod acts;
mod command;
mod course;
mod robot;
mod story;
#[cfg(test)]
mod tests;
mod view;
mod watch;

use std::sync::Arc;

pub use command::{ActId, Author, Command, Ended, Ending, Event, MitigationId, Page, Phase};

use crate::base::clock::Tick;
use crate::measure::interval::Interval;
use crate::plan::condition::AbortVerdict;
use crate::plan::drill::{DrillPlan, Moment, When};
use acts::{Acts, Patience};
use course::{AFTER_CLAIM, Course};
use robot::Robot;
use story::{Happened, Story};
use view::View;
use watch::{Scene, Watches};

/// The mark that ends the exercise.
const RESOLVED: &str = "resolved";

/// Decides one drill.
#[derive(Debug)]
pub struct Director {
    plan: Arc<DrillPlan>,
    phase: Phase,
    course: Course,
    /// When it was last asked.
    stepped: Tick,
    /// What was heard since then.
    heard: Vec<(Tick, Event)>,
    view: View,
    story: Story,
    acts: Acts,
    robot: Robot,
    watches: Watches,
    ending: Option<Ending>,
}

impl Director {
    /// A director for `plan`, waiting for [`Event::Ready`].
    pub fn new(plan: Arc<DrillPlan>) -> Self {
        Self {
            phase: Phase::Armed,
            course: Course::default(),
            stepped: Tick::ZERO,
            heard: Vec::new(),
            view: View::new(&plan),
            story: Story::default(),
            acts: Acts::new(&plan),
            robot: Robot::new(&plan),
            watches: Watches::new(&plan),
            ending: None,
            plan,
        }
    }

    /// Takes note of `event`, which happened at `now`; the next [`Director::step`] acts on it.
    pub fn hear(&mut self, now: Tick, event: Event) {
        if self.phase != Phase::Done {
            self.heard.push((now, event));
        }
    }

    /// Decides what is to be done at `now`. `seen` is a second that has just closed, if one has.
    pub fn step(&mut self, now: Tick, seen: Option<&Interval>) -> Vec<Command> {
        let mut out = Vec::new();
        if self.phase == Phase::Done {
            return out;
        }
        self.stepped = now;
        if let Some(second) = seen {
            self.fold(now, second);
        }
        if let Some(why) = self.view.silent(now).filter(|_| self.phase.has_load()) {
            self.end(Ending::Aborted(why));
        }
        if self.phase.has_load() {
            self.guard(now);
        }
        self.listen(&mut out);
        self.act(now, &mut out);
        self.acts.renew(now, &self.plan, &mut out);
        if self.advance(now, &mut out) {
            // What is due at the very start of a phase is not kept waiting.
            self.act(now, &mut out);
        }
        out
    }

    /// The next planned instant, later than the last step unless something was heard since; `None` when only an event
    /// can move the drill.
    pub fn wake_at(&self) -> Option<Tick> {
        if !self.heard.is_empty() {
            return Some(self.stepped);
        }
        let phases = &self.plan.phases;
        let exercise = self.course.exercise;
        let own = match self.phase {
            Phase::Armed | Phase::Aborting | Phase::Done => None,
            Phase::Baseline => Some(self.course.baseline + phases.baseline),
            Phase::Exercise => Some(exercise + phases.at_most),
            Phase::Watching => Some(exercise + phases.at_most + phases.recovery_hold),
            Phase::Cleanup => self.acts.overdue_at().or_else(|| self.back_by().filter(|_| self.course.loaded)),
        };
        let abort = self.watches.abort_at(&self.plan).filter(|_| self.phase.has_load());
        let claim = self.story.claim().filter(|_| self.phase == Phase::Watching).map(|at| at + AFTER_CLAIM);
        let silence = self.view.silent_at().filter(|_| self.phase.has_load());
        let acting = self.phase.is_exercised() && self.ending.is_none();
        let act = self.acts.waiting().filter(|_| acting).filter_map(|act| self.due(act)).min();
        let robot = self.robot.next(&self.plan, &self.story).filter(|_| acting);
        let all = [own, claim, silence, abort, act, robot, self.acts.renew_at()];
        all.into_iter().flatten().filter(|at| *at > self.stepped).min()
    }

    /// Where the drill is.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Names of the acts that are in force, or may be.
    pub fn in_force(&self) -> Vec<&str> {
        self.acts.open().map(|act| self.plan.acts[act.0].name.as_str()).collect()
    }

    /// The live share of bad requests, for screens; `None` before the first window.
    pub fn bad_ratio(&self) -> Option<f64> {
        self.view.ratio()
    }

    fn fold(&mut self, now: Tick, second: &Interval) {
        match self.phase {
            Phase::Baseline => self.view.calm(now, second),
            Phase::Exercise | Phase::Watching => {
                self.view.fold(now, second);
                if self.view.impact() {
                    self.story.note(now, Happened::Impact);
                }
                if self.view.clear() {
                    self.story.note(now, Happened::Clear);
                    if self.view.clean_for() >= self.plan.phases.recovery_hold {
                        self.story.note(now, Happened::Recovered);
                    }
                }
            }
            Phase::Cleanup => self.view.fold(now, second),
            Phase::Armed | Phase::Aborting | Phase::Done => {}
        }
    }

    /// Ends the drill when one of its limits is reached.
    fn guard(&mut self, now: Tick) {
        if let Some(budget) = self.plan.limits.bad_budget {
            let bad = self.view.bad_requests();
            if bad > budget {
                self.end(Ending::Aborted(format!("{bad} requests were bad, and the drill may cost {budget}")));
            }
        }
        let scene = Scene { plan: &self.plan, view: &self.view, story: &self.story, acts: &self.acts };
        let Some(rule) = self.watches.look_at_aborts(now, scene).and_then(|n| self.plan.limits.aborts.get(n)) else {
            return;
        };
        let because = rule.because.clone();
        let ending = match rule.verdict {
            AbortVerdict::Aborted => Ending::Aborted(because),
            AbortVerdict::Invalid => Ending::Invalid(because),
        };
        self.end(ending);
    }

    fn end(&mut self, ending: Ending) {
        // The first reason stands; only a drill that ran its course can still be interrupted while it cleans up.
        if matches!(self.ending, None | Some(Ending::Finished)) {
            self.ending = Some(ending);
        }
    }

    fn listen(&mut self, out: &mut Vec<Command>) {
        for (at, event) in std::mem::take(&mut self.heard) {
            match event {
                Event::Ready => self.course.ready = true,
                Event::Page(page) => {
                    let shaken = self.acts.first_at().is_some_and(|first| first <= at);
                    if page.action == "trigger" && shaken {
                        self.story.note(at, Happened::Page);
                    }
                }
                Event::Marked(mark) => self.story.note(at, Happened::Mark(mark)),
                Event::Stop(ending) => self.end(ending),
                Event::Hurry => self.acts.patience = Patience::Hurries,
                Event::KeeperLost(why) => self.end(Ending::Inconclusive(why)),
                Event::Performed(id) => {
                    if self.plan.mitigations.get(id.0).is_some_and(|one| one.verify.is_some()) {
                        out.push(Command::Verify(id));
                    }
                    self.acts.look_now(at, &self.plan);
                }
                Event::Applied(act) if self.acts.applied(act, at, &self.plan) => {
                    self.story.note(at, Happened::Act(self.plan.acts[act.0].name.clone()));
                    out.push(Command::Prove(act));
                }
                Event::LeaseLost(act, why) if self.acts.lost(act) => {
                    let name = &self.plan.acts[act.0].name;
                    self.end(Ending::Aborted(format!("the lease of act `{name}` was lost: {why}")));
                }
                Event::Undone(act) if self.acts.undone(act) => out.push(Command::Confirm(act)),
                Event::Healed(act) if self.acts.healed(act) => out.push(Command::ReadBack(act)),
                other => self.acts.hear(at, other),
            }
        }
    }

    /// When `act` is due, as far as that is known.
    fn due(&self, act: ActId) -> Option<Tick> {
        match &self.plan.acts.get(act.0)?.when {
            When::At(after) => Some(self.course.exercise + *after),
            When::After(moment, after) => {
                let happened = match moment {
                    Moment::Impact => Happened::Impact,
                    Moment::Mark(mark) => Happened::Mark(mark.clone()),
                    Moment::Act(name) => Happened::Act(name.clone()),
                    Moment::Mitigation(name) => Happened::Mitigation(name.clone()),
                };
                self.story.when(&happened).map(|at| at + *after)
            }
            When::Holds { hold, else_at, .. } => {
                let latest = else_at.map(|after| self.course.exercise + after);
                [self.watches.act_at(act.0, *hold), latest].into_iter().flatten().min()
            }
        }
    }

    /// Acts that are due, in file order, then the robot.
    fn act(&mut self, now: Tick, out: &mut Vec<Command>) {
        if self.ending.is_some() {
            return;
        }
        if self.phase == Phase::Exercise {
            self.trigger(now, out);
        }
        if self.phase.is_exercised() {
            self.play(now, out);
        }
    }

    fn trigger(&mut self, now: Tick, out: &mut Vec<Command>) {
        let scene = Scene { plan: &self.plan, view: &self.view, story: &self.story, acts: &self.acts };
        self.watches.look_at_acts(now, scene);
        let due: Vec<ActId> = self.acts.waiting().filter(|act| self.due(*act).is_some_and(|due| due <= now)).collect();
        for act in due {
            self.acts.begin(act, now);
            out.push(Command::Apply(act));
        }
    }

    fn play(&mut self, now: Tick, out: &mut Vec<Command>) {
        // A deed may be the cue of another step; each step acts once, so this ends.
        while let Some(step) = self.robot.take_due(now, &self.plan, &self.story) {
            let deed = robot::carry_out(&self.plan, step);
            match &deed {
                Command::Mark { mark, .. } => self.story.note(now, Happened::Mark(mark.clone())),
                Command::Perform(id, _) => {
                    if let Some(one) = self.plan.mitigations.get(id.0) {
                        self.story.note(now, Happened::Mitigation(one.name.clone()));
                    }
                }
                _ => {}
            }
            out.push(deed);
        }
    }
}
