//! The people of a drill as checked: their roles, and the steps of the robot that plays them.
//!
//! Part of `plan::drill`, which hands it on. Not here: what becomes of the steps (`drill::director`).

use std::time::Duration;

/// A player's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Incident commander.
    Ic,
    /// Deputy.
    Deputy,
    /// Operations lead.
    Ops,
    /// Subject-matter expert.
    Expert,
    /// Communications lead.
    Comms,
    /// Customer liaison.
    Liaison,
    /// Scribe.
    Scribe,
}

impl Role {
    /// The name in files and documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ic => "IC",
            Self::Deputy => "Deputy",
            Self::Ops => "Ops",
            Self::Expert => "Expert",
            Self::Comms => "Comms",
            Self::Liaison => "Liaison",
            Self::Scribe => "Scribe",
        }
    }
}

/// One step of the robot that plays the people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RobotStep {
    /// What wakes it.
    pub on: Cue,
    /// How long it waits then.
    pub wait: Duration,
    /// What it does.
    pub does: RobotDeed,
}

/// What wakes a robot step, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cue {
    /// The first page after the first act.
    Page,
    /// Live impact.
    Impact,
    /// The live window has been clean for 5 s after an impact.
    Clear,
    /// It has been clean for as long as recovery must hold.
    Recovered,
    /// A mark was made.
    Mark(String),
    /// An act was injected.
    Act(String),
}

/// What the robot does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RobotDeed {
    /// Acknowledges the page.
    Ack,
    /// Takes a role; IC is taking command.
    Take(Role),
    /// Begins a mitigation.
    Mitigate(String),
    /// Claims `mitigated` or `resolved`.
    Claim(String),
}
