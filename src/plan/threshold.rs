//! Checks of a scenario, resolved: which steps, which phases, which bound. `judge::threshold` decides them.
//!
//! Not here: the grammar (`spec::threshold`).

use std::time::Duration;

use super::diagnostic::Place;
use crate::measure::sample::StepId;

/// One judged line, after expansion.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// The expanded text in canonical spacing, or its `as` name.
    pub id: String,
    /// How much it counts.
    pub level: Level,
    /// What is measured.
    pub subject: Subject,
    /// Of which arrivals.
    pub scope: Scope,
    /// The comparison that must hold.
    pub cmp: Cmp,
    /// The bound, in the subject's unit: µs, ratio, per second, or a count.
    pub bound: f64,
    /// Over which stretch.
    pub window: Window,
    /// The first part of the scope that is ignored.
    pub after: Duration,
    /// Ends the run after this many violations in a row.
    pub abort: Option<u32>,
    /// Least number of arrivals, instead of the statistical minimum.
    pub n_least: Option<u64>,
    /// What the bound leans on instead of being a number; `bound` then waits for what was measured there.
    pub lean: Option<Lean>,
    /// Where it is written.
    pub place: Place,
}

/// A bound that leans on another measured value of the same quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lean {
    /// Where that value comes from.
    pub on: Ground,
    /// How far from it the bound lies.
    pub margin: Margin,
}

/// Where the value comes from that a bound leans on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// The steady phase of the same run.
    Steady,
    /// The accepted runs of an environment, or one earlier run.
    Baseline,
    /// The last release.
    Anchor,
}

impl Ground {
    /// The word in a check.
    pub fn word(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Baseline => "baseline",
            Self::Anchor => "anchor",
        }
    }
}

/// One line against another run of the same plan, after expansion. `judge::blocks` decides it.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The expanded text in canonical spacing, or its `as` name.
    pub id: String,
    /// How much it counts.
    pub level: Level,
    /// What is measured.
    pub subject: Subject,
    /// Of which arrivals; phases are those of each arm.
    pub scope: Scope,
    /// The comparison that must hold.
    pub cmp: Cmp,
    /// How far from the baseline the bound lies.
    pub margin: Margin,
    /// Where it is written.
    pub place: Place,
}

/// How far from a baseline's value b a bound lies: `b·(1+slack)`, for shares `b + slack`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Margin {
    /// A signed share of the baseline; for shares signed points (0.01 = one percentage point).
    pub slack: f64,
    /// The bound lies at least this far from the baseline, µs; for times only.
    pub least_us: Option<f64>,
}

/// How much a check counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// Like `must`, and reads FAIL even inside an invalid run.
    Hard,
    /// Fails the run.
    #[default]
    Must,
    /// Warns.
    Should,
    /// Never counts.
    Info,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Subject {
    /// A quantile of the response time, 0 < q < 1.
    Quantile(f64),
    /// Mean response time.
    Mean,
    /// Longest response time.
    Max,
    /// Shortest response time.
    Min,
    /// Share of failed and shed arrivals.
    Errors,
    /// Share of arrivals out of time.
    Timeouts,
    /// Share of arrivals that were not sent.
    Shed,
    /// Share of arrivals answered later than this, or not at all.
    Slow(Duration),
    /// Arrivals per second.
    Offered,
    /// Requests sent per second.
    Achieved,
    /// Sent requests as a share of the arrivals.
    AchievedShare,
    /// Good answers per second.
    Goodput,
    /// Number of arrivals.
    Requests,
    /// A quantile of our own lateness.
    Lateness(f64),
    /// (answers within this + half of those within four times this) / arrivals; 0 to 1.
    Apdex(Duration),
    /// From healed to the first 30 s as good as the steady phase, µs; the scope names the fault.
    Recovery,
    /// Time between injection and recovery with less than half of the steady goodput, µs; the scope names the fault.
    Unavailable,
    /// Share of a processor that the busiest worker of the generator took.
    GeneratorCpu,
}

/// The unit of a measured number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Microseconds.
    Us,
    /// Seconds.
    S,
    /// A share.
    Ratio,
    /// Per second.
    PerS,
    /// A count.
    Count,
}

impl Subject {
    /// The unit its values and bound have.
    pub fn unit(self) -> Unit {
        match self {
            Self::Quantile(_)
            | Self::Mean
            | Self::Max
            | Self::Min
            | Self::Lateness(_)
            | Self::Recovery
            | Self::Unavailable => Unit::Us,
            Self::Errors | Self::Timeouts | Self::Shed | Self::Slow(_) | Self::AchievedShare | Self::GeneratorCpu => {
                Unit::Ratio
            }
            Self::Offered | Self::Achieved | Self::Goodput => Unit::PerS,
            Self::Requests | Self::Apdex(_) => Unit::Count,
        }
    }

    /// True for shares of the arrivals: they are compared by difference, everything else by ratio.
    pub fn is_share(self) -> bool {
        self.unit() == Unit::Ratio
    }

    /// True for times of requests, which the generator's lateness can spoil.
    pub fn is_latency(self) -> bool {
        matches!(self, Self::Quantile(_) | Self::Mean | Self::Max | Self::Min)
    }

    /// True for the clocks of a fault, which no second can tell by itself.
    pub fn is_clock(self) -> bool {
        matches!(self, Self::Recovery | Self::Unavailable)
    }

    /// True for what is about the generator and not about the target.
    pub fn is_about_us(self) -> bool {
        matches!(self, Self::Lateness(_) | Self::GeneratorCpu)
    }
}

/// Stands for every second of the run in a scope's phases, warm-up and drain among them.
pub const EVERY_PHASE: &str = "*";

/// Which arrivals a check is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    /// Steps; empty: all.
    pub steps: Vec<StepId>,
    /// Phase names that count; empty: all but `warmup` and `drain`. [`EVERY_PHASE`] is all of the run.
    pub phases: Vec<String>,
    /// Phase names that do not count, whatever else is said.
    pub but: Vec<String>,
    /// Statuses of refused answers that are counted; all must agree. Empty: failures of any kind.
    pub statuses: Vec<Statuses>,
    /// Which outcomes.
    pub outcome: Outcomes,
    /// Which clock.
    pub clock: ClockKind,
    /// Seen how.
    pub aspect: Aspect,
}

/// How the requests of a scope are seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Aspect {
    /// As requests, each once.
    #[default]
    Requests,
    /// Those of one group as one.
    Group(String),
    /// Every attempt by itself.
    Attempts,
    /// Only those with a label that this glob means: its value, or `name=value`. Values are known after the run alone.
    Label(String),
}

/// Statuses by pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses {
    /// Three characters: a digit, or `x` for any: `5xx`.
    pub pattern: String,
    /// True: all failures but those.
    pub is_negated: bool,
}

impl Statuses {
    /// Whether a failure of the kind with this key is counted.
    pub fn counts(&self, key: &str) -> bool {
        let matches = |status: &str| {
            status.len() == self.pattern.len()
                && self.pattern.bytes().zip(status.bytes()).all(|(wanted, seen)| wanted == b'x' || wanted == seen)
        };
        key.strip_prefix("status_").is_some_and(matches) != self.is_negated
    }
}

/// Which outcomes a check is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcomes {
    /// All arrivals; an unanswered one ranks above every answer.
    #[default]
    Any,
    /// Answers only.
    Ok,
    /// Failures only.
    Failed,
}

/// From when a latency counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockKind {
    /// From due.
    #[default]
    Response,
    /// From sent.
    Service,
}

/// The comparison that must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cmp {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

impl Cmp {
    /// True when `value` satisfies the comparison with `bound`.
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Less => value < bound,
            Self::AtMost => value <= bound,
            Self::More => value > bound,
            Self::AtLeast => value >= bound,
        }
    }

    /// True for `<` and `<=`: the bound is an upper one.
    pub fn is_upper(self) -> bool {
        matches!(self, Self::Less | Self::AtMost)
    }

    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }
}

/// Over which stretch a check is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Window {
    /// The whole scope at once.
    #[default]
    Whole,
    /// A merged window of this length ending at every second; the worst one is judged.
    Over(Duration),
    /// Fails when every second of some stretch of this length violates.
    For(Duration),
    /// Fails when fewer than the share of consecutive windows of this length hold.
    In(f64, Duration),
}
