//! Conditions of a drill as checked: signals of the traffic and what has happened, joined without any script.
//!
//! Made by `check`; read by `drill::director`. Not here: how a signal is read from the traffic.

use std::time::Duration;

/// Something that is true or not at every instant of a drill. A signal that nothing has measured yet is neither over nor under.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// The signal is above this, in its own unit.
    Over(Signal, f64),
    /// The signal is below this, in its own unit.
    Under(Signal, f64),
    /// A mark was made, such as `detected`.
    Marked(String),
    /// That mark was not made.
    Unmarked(String),
    /// The act was put in force.
    Fired(String),
    /// The act was put in force, undone and read back.
    Healed(String),
    /// Each of them.
    All(Vec<Condition>),
    /// At least one of them.
    Any(Vec<Condition>),
    /// Not this one.
    Not(Box<Condition>),
}

/// A number read from the last ten seconds of the traffic, by completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Share of requests that were not good, 0 to 1.
    Bad,
    /// Share of requests that failed, 0 to 1.
    Errors,
    /// Share of requests that were refused politely, 0 to 1.
    Throttled,
    /// Response time at 95 %, seconds.
    LatencyP95,
    /// Our own lateness at 99 %, seconds.
    LatenessP99,
    /// The integral of the bad share since the exercise began, seconds.
    BadTime,
    /// Journeys that reached their end, per second.
    Goodput,
}

/// When a drill must end before its time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits {
    /// Most bad requests of the exercise; `None`: any number.
    pub bad_budget: Option<u64>,
    /// Conditions that end it.
    pub aborts: Vec<Abort>,
}

/// A condition that ends a drill.
#[derive(Clone, Debug, PartialEq)]
pub struct Abort {
    /// The condition.
    pub when: Condition,
    /// How long it must hold without a break.
    pub hold: Duration,
    /// Why it ends the drill, in words.
    pub because: String,
    /// What the drill is then.
    pub verdict: AbortVerdict,
}

/// What a drill is that a condition has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AbortVerdict {
    /// Aborted: exit 6.
    #[default]
    Aborted,
    /// The measurement cannot be believed: exit 5.
    Invalid,
}
