//! One request, measured: when it was due, when it was sent, when it was done, and what became of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::outcome::{Class, Outcome};
use crate::base::clock::Tick;

/// Index of a step among the plan's steps (its series).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StepId(pub u16);

/// Index of a journey among the plan's journeys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JourneyId(pub u16);

/// A series beside the steps: what they count already, seen otherwise. It is part of no total.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Aside {
    /// A group of requests as one, by its name: from its first due to its last answer, without pauses.
    Group(String),
    /// Every attempt of a step by itself.
    Attempts(StepId),
    /// The requests of a step that have this label, as `name=value`.
    Label(StepId, String),
}

impl Aside {
    /// How reports and checks call it, where `steps` are the names of the steps.
    pub fn name(&self, steps: &[String]) -> String {
        let step = |id: &StepId| steps.get(usize::from(id.0)).cloned().unwrap_or_else(|| format!("step {}", id.0));
        match self {
            Self::Group(name) => name.clone(),
            Self::Attempts(id) => format!("{}#attempts", step(id)),
            Self::Label(id, label) => format!("{}{{{label}}}", step(id)),
        }
    }
}

/// One finished request.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Which step sent it.
    pub step: StepId,
    /// When the plan wanted it sent.
    pub due: Tick,
    /// When we began to send it, before any wait for a name, a connection or TLS.
    pub sent: Tick,
    /// When the answer was whole, or given up.
    pub done: Tick,
    /// What became of it.
    pub outcome: Outcome,
    /// What it was to its user.
    pub class: Class,
    /// Bytes of the request.
    pub bytes_out: u64,
    /// Bytes of the answer.
    pub bytes_in: u64,
}

impl Sample {
    /// What the user felt: done - due.
    pub fn response_time(&self) -> Duration {
        self.done - self.due
    }

    /// What the server took: done - sent.
    pub fn service_time(&self) -> Duration {
        self.done - self.sent
    }

    /// Our own fault: sent - due.
    pub fn lateness(&self) -> Duration {
        self.sent - self.due
    }
}
