//! What is done beside the journeys: once before the load, once after it, and to get the tokens that journeys carry.
//!
//! Made by `check`, done by `load`. Not here: journeys (`program`).

use std::time::Duration;

use super::good::StatusSet;
use super::program::Op;
use super::template::{Template, VarId};

/// What is done beside the journeys of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Chores {
    /// Once before the load; what it extracts is known everywhere.
    pub setup: Vec<Op>,
    /// The variables that `setup` sets.
    pub sets: Vec<VarId>,
    /// Once after the load, however that ended.
    pub teardown: Vec<Op>,
    /// Tokens that requests carry.
    pub tokens: Vec<Token>,
}

impl Chores {
    /// Its lists of steps.
    pub fn lists(&mut self) -> impl Iterator<Item = &mut Vec<Op>> {
        [&mut self.setup, &mut self.teardown].into_iter().chain(self.tokens.iter_mut().map(|token| &mut token.steps))
    }
}

/// A credential that is fetched when it is needed first, and again before it ends.
#[derive(Clone, Debug)]
pub struct Token {
    /// Its name.
    pub name: String,
    /// How it is fetched.
    pub steps: Vec<Op>,
    /// What it is, from the variables that the steps set.
    pub value: Template,
    /// The variable of a user that holds it.
    pub into: VarId,
    /// How long it lasts.
    pub life: Lasting,
    /// An answer with one of these statuses says that it is over: it is fetched again, once.
    pub renew_on: StatusSet,
    /// Who shares it.
    pub share: Share,
}

/// How long a token lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lasting {
    /// From when it was fetched; `None`: until an answer says otherwise.
    pub lifetime: Option<Duration>,
    /// It is fetched again so long before its end.
    pub renew_before: Duration,
}

/// Who shares a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Share {
    /// Each user has one of its own.
    #[default]
    PerUser,
    /// All users of this machine have one.
    All,
}
