//! Steps that hold steps: branches, repetitions, groups; and the conditions they stand under.
//!
//! Made by `check`, compiled by `load::step`. Not here: single steps (`program`).

use super::good::StatusSet;
use super::program::{Http, Is, Op, Think};
use super::template::VarId;

/// Steps that depend on a condition.
#[derive(Clone, Debug)]
pub struct Branch {
    /// The condition.
    pub when: Condition,
    /// What is done when it holds.
    pub then: Vec<Op>,
    /// What is done when it does not.
    pub otherwise: Vec<Op>,
}

/// Steps done more than once.
#[derive(Clone, Debug)]
pub struct Repeat {
    /// How often.
    pub turns: Turns,
    /// Never more often than this.
    pub at_most: u64,
    /// Pause between two turns.
    pub think: Think,
    /// What is done.
    pub steps: Vec<Op>,
}

/// How often steps are repeated.
#[derive(Clone, Debug, PartialEq)]
pub enum Turns {
    /// Uniform between two numbers, both included.
    Between(u64, u64),
    /// Geometric from 1 with this mean.
    Geometric(f64),
    /// Once for each value of a list.
    Each {
        /// Takes the value.
        item: VarId,
        /// The list.
        list: VarId,
    },
    /// Until a condition holds after a turn.
    Until(Condition),
}

impl Turns {
    /// Turns on average, as far as that is known before the run.
    pub fn mean(&self) -> f64 {
        match self {
            Self::Between(low, high) => f64::midpoint(*low as f64, *high as f64),
            Self::Geometric(mean) => *mean,
            Self::Each { .. } | Self::Until(_) => 1.0,
        }
    }
}

/// Requests side by side.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// At most this many at once.
    pub parallel: usize,
    /// Its requests.
    pub requests: Vec<Http>,
}

/// A condition on a journey under way.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Holds with this probability, drawn by key.
    Chance(f64),
    /// The status of the last answer is in the set.
    Status(StatusSet),
    /// The value of a variable; an empty value is absent.
    Var(VarId, Is),
    /// Does not hold.
    Not(Box<Condition>),
    /// All hold.
    All(Vec<Condition>),
    /// One holds.
    Any(Vec<Condition>),
}

/// Calls `see` with every request among `steps` and how often it is sent on average, were every branch taken.
pub fn requests<'a>(steps: &'a [Op], times: f64, see: &mut dyn FnMut(&'a Http, f64)) {
    for op in steps {
        match op {
            Op::Http(http) => see(http, times),
            Op::Branch(branch) => {
                requests(&branch.then, times, see);
                requests(&branch.otherwise, times, see);
            }
            Op::Repeat(repeat) => {
                requests(&repeat.steps, times * repeat.turns.mean().min(repeat.at_most as f64), see);
            }
            Op::Group(group) => group.requests.iter().for_each(|http| see(http, times)),
            Op::Pause(_) | Op::Extract(_) | Op::Check(_) | Op::Set(_) => {}
        }
    }
}

/// Calls `see` with the name of every group among `steps`.
pub fn groups<'a>(steps: &'a [Op], see: &mut dyn FnMut(&'a str)) {
    for op in steps {
        match op {
            Op::Group(group) => see(&group.name),
            Op::Branch(branch) => {
                groups(&branch.then, see);
                groups(&branch.otherwise, see);
            }
            Op::Repeat(repeat) => groups(&repeat.steps, see),
            Op::Http(_) | Op::Pause(_) | Op::Extract(_) | Op::Check(_) | Op::Set(_) => {}
        }
    }
}
