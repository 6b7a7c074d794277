//! The robot that plays the people when nobody else does: cues, waits, deeds; each step once.
//!
//! Not here: what its deeds lead to. Called by the director.

use super::command::{Author, Command, MitigationId};
use super::story::{Happened, Story};
use crate::base::clock::Tick;
use crate::plan::drill::{Cue, DrillPlan, RobotDeed, Role};

/// Which steps are still to be done, by their place in the file.
#[derive(Debug)]
pub(super) struct Robot {
    open: Vec<usize>,
}

impl Robot {
    pub(super) fn new(plan: &DrillPlan) -> Self {
        Self { open: (0..plan.robot.len()).collect() }
    }

    /// The first open step in file order that is due at `now`, which is then no longer open.
    pub(super) fn take_due(&mut self, now: Tick, plan: &DrillPlan, story: &Story) -> Option<usize> {
        let place = self.open.iter().position(|step| due(plan, *step, story).is_some_and(|at| at <= now))?;
        Some(self.open.remove(place))
    }

    /// When the next step whose cue has come is due.
    pub(super) fn next(&self, plan: &DrillPlan, story: &Story) -> Option<Tick> {
        self.open.iter().filter_map(|step| due(plan, *step, story)).min()
    }
}

fn due(plan: &DrillPlan, step: usize, story: &Story) -> Option<Tick> {
    let step = plan.robot.get(step)?;
    let cue = match &step.on {
        Cue::Page => Happened::Page,
        Cue::Impact => Happened::Impact,
        Cue::Clear => Happened::Clear,
        Cue::Recovered => Happened::Recovered,
        Cue::Mark(mark) => Happened::Mark(mark.clone()),
        Cue::Act(name) => Happened::Act(name.clone()),
    };
    story.when(&cue).map(|at| at + step.wait)
}

/// The command of one step.
pub(super) fn carry_out(plan: &DrillPlan, step: usize) -> Command {
    let mark = |role: &str, mark: &str, text: String| Command::Mark {
        author: Author::Robot(role.to_owned()),
        mark: mark.to_owned(),
        text,
    };
    match &plan.robot[step].does {
        RobotDeed::Ack => mark("", "acknowledged", String::new()),
        RobotDeed::Take(Role::Ic) => mark(Role::Ic.name(), "command", "takes command".to_owned()),
        RobotDeed::Take(role) => mark(role.name(), "note", format!("takes the role {}", role.name())),
        RobotDeed::Claim(claim) => mark(Role::Ic.name(), claim, String::new()),
        RobotDeed::Mitigate(name) => match plan.mitigations.iter().position(|one| one.name == *name) {
            Some(found) => {
                let role = plan.mitigations[found].allowed.first().map_or("", |role| role.name());
                Command::Perform(MitigationId(found), Author::Robot(role.to_owned()))
            }
            // `check` resolves names; a plan made by hand may not.
            None => mark("", "note", format!("no mitigation is called `{name}`")),
        },
    }
}
