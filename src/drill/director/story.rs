//! What has happened in a drill, and when it first did: what acts and the robot wait for.
//!
//! Not here: where these things come from (`view`, pages, marks). Called by the director.

use crate::base::clock::Tick;

/// Something that acts or the robot may wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Happened {
    /// The first page after the first act.
    Page,
    /// Live impact.
    Impact,
    /// The live window was clean after an impact.
    Clear,
    /// It stayed clean for as long as recovery must hold.
    Recovered,
    /// A mark was made.
    Mark(String),
    /// An act was put in force.
    Act(String),
    /// A mitigation began.
    Mitigation(String),
}

/// First occurrences; a drill has few of them.
#[derive(Debug, Default)]
pub(super) struct Story(Vec<(Happened, Tick)>);

impl Story {
    /// Takes note of `what`; only the first time counts.
    pub(super) fn note(&mut self, at: Tick, what: Happened) {
        if self.when(&what).is_none() {
            self.0.push((what, at));
        }
    }

    /// When `what` first happened.
    pub(super) fn when(&self, what: &Happened) -> Option<Tick> {
        self.0.iter().find(|(one, _)| one == what).map(|(_, at)| *at)
    }

    /// When somebody first claimed that it is over.
    pub(super) fn claim(&self) -> Option<Tick> {
        self.0.iter().find(|(one, _)| matches!(one, Happened::Mark(m) if m == super::RESOLVED)).map(|(_, at)| *at)
    }
}
