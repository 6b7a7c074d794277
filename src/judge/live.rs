//! Abort conditions of a running test: a pure value that is told every live second and says when to stop.
//!
//! Seconds are those of completion. Called by whoever runs a load. Not here: what happens then.

use std::collections::VecDeque;

use super::estimate;
use super::threshold::{LEAST_IN_WINDOW, whole};
use crate::measure::interval::Interval;
use crate::plan::threshold::{Aspect, EVERY_PHASE, Subject, Threshold, Window};

/// Seconds of the window of a check that names none.
const WINDOW: usize = 10;

/// How an abort condition stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Alarm {
    /// It holds.
    #[default]
    Calm,
    /// It has been violated, not often enough in a row.
    Amber,
    /// It has been violated often enough: the run ends. Never taken back.
    Raised,
}

/// Watches one check that may end the run.
#[derive(Clone, Debug)]
pub struct Watch {
    check: Threshold,
    /// Evaluations in a row that raise or clear it.
    turns: u32,
    span: usize,
    seconds: VecDeque<Interval>,
    violated: u32,
    held: u32,
    alarm: Alarm,
}

impl Watch {
    /// A watch on `check`; `None` when it does not ask for an abort.
    pub fn of(check: &Threshold) -> Option<Self> {
        let turns = check.abort?.max(1);
        let span = match check.window {
            Window::Whole => WINDOW,
            Window::Over(length) | Window::For(length) | Window::In(_, length) => whole(length),
        };
        let check = check.clone();
        let seconds = VecDeque::with_capacity(span + 1);
        Some(Self { check, turns, span, seconds, violated: 0, held: 0, alarm: Alarm::Calm })
    }

    /// Takes the next live second; `phases` are the names of the phases and faults under way.
    pub fn fold(&mut self, second: &Interval, phases: &[&str]) -> Alarm {
        let wanted = &self.check.scope.phases;
        let inside = if self.check.scope.but.iter().any(|phase| phases.contains(&phase.as_str())) {
            false
        } else if wanted.is_empty() {
            !phases.iter().any(|phase| matches!(*phase, "warmup" | "drain"))
        } else {
            wanted.iter().any(|phase| phase == EVERY_PHASE || phases.contains(&phase.as_str()))
        };
        if inside && self.alarm != Alarm::Raised {
            self.seconds.push_back(second.clone());
            if self.seconds.len() > self.span {
                self.seconds.pop_front();
            }
            if let Some(holds) = self.holds() {
                self.count(holds);
            }
        }
        self.alarm
    }

    /// How it stands.
    pub fn alarm(&self) -> Alarm {
        self.alarm
    }

    /// The check that is watched.
    pub fn check(&self) -> &Threshold {
        &self.check
    }

    /// True when it watches the generator itself: then an abort makes the run invalid, not failed.
    pub fn is_about_us(&self) -> bool {
        self.check.subject.is_about_us()
    }

    /// Whether the window holds; `None` when it has too little to say.
    fn holds(&self) -> Option<bool> {
        let seconds: Vec<&Interval> = self.seconds.iter().collect();
        let finished: u64 = seconds.iter().map(|one| one.flow.done).sum();
        let sent: u64 = seconds.iter().map(|one| one.flow.sent).sum();
        // A target that answers nothing at all leaves no sample behind; what was sent tells.
        if finished == 0
            && sent >= LEAST_IN_WINDOW
            && self.check.scope.steps.is_empty()
            && self.check.scope.aspect == Aspect::Requests
        {
            return Some(false);
        }
        let seen = estimate::point(self.check.subject, &self.check.scope, &seconds)?;
        let enough = seen.n >= LEAST_IN_WINDOW || self.check.subject == Subject::GeneratorCpu;
        enough.then(|| self.check.cmp.holds(seen.value, self.check.bound))
    }

    fn count(&mut self, holds: bool) {
        if holds {
            (self.violated, self.held) = (0, self.held + 1);
            if self.held >= self.turns {
                self.alarm = Alarm::Calm;
            }
        } else {
            (self.violated, self.held) = (self.violated + 1, 0);
            self.alarm = if self.violated >= self.turns { Alarm::Raised } else { Alarm::Amber };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::tests::{check, second};
    use crate::plan::threshold::Cmp;

    fn watch(turns: u32) -> Watch {
        let check = Threshold { abort: Some(turns), ..check(Subject::Errors, Cmp::Less, 0.20) };
        Watch::of(&check).unwrap()
    }

    #[test]
    fn a_target_that_breaks_down_is_left_within_ten_seconds() {
        let mut watch = watch(3);
        for n in 0..150 {
            assert_eq!(watch.fold(&second(n, 100, 6, 1_000), &["steady"]), Alarm::Calm, "{n}");
        }
        let stopped = (150..160).find(|&n| watch.fold(&second(n, 100, 100, 1_000), &["steady"]) == Alarm::Raised);
        assert_eq!(stopped, Some(153));
    }

    #[test]
    fn amber_clears_after_as_many_good_seconds_and_a_raised_alarm_stays() {
        let mut watch = watch(2);
        watch.fold(&second(0, 100, 0, 1_000), &[]);
        assert_eq!(watch.fold(&second(1, 100, 100, 1_000), &[]), Alarm::Amber);
        for n in 2..11 {
            let alarm = watch.fold(&second(n, 1_000, 0, 1_000), &[]);
            assert_eq!(alarm, if n == 2 { Alarm::Amber } else { Alarm::Calm }, "{n}");
        }
        for n in 20..40 {
            watch.fold(&second(n, 100, 100, 1_000), &[]);
        }
        assert_eq!(watch.fold(&second(40, 10_000, 0, 1_000), &[]), Alarm::Raised);
    }

    #[test]
    fn too_few_arrivals_and_other_phases_say_nothing_but_silence_does() {
        let mut quiet = watch(1);
        assert_eq!(quiet.fold(&second(0, 19, 19, 1_000), &["steady"]), Alarm::Calm);
        assert_eq!(quiet.fold(&second(1, 500, 500, 1_000), &["warmup"]), Alarm::Calm);
        let mut silent = Interval::at(2);
        silent.flow.sent = 20;
        let mut dead = watch(1);
        assert_eq!(dead.fold(&silent, &["steady"]), Alarm::Raised);
        assert!(!dead.is_about_us());
        assert!(Watch::of(&check(Subject::Errors, Cmp::Less, 0.2)).is_none());
    }
}
