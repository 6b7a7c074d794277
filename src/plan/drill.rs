//! A checked drill: phases, acts, mitigations, people, expectations, with every pace resolved to one duration.
//!
//! Made by `check`; run by `drill`; read by `judge` and `report`. Not here: the state of a drill under way.

use std::time::Duration;

use super::check::ProxyPlan;
use super::condition::{Condition, Limits};
use super::diagnostic::Place;
pub use super::lever::{Command, HttpRequest, Kube, Lever, Pick, Process, ProcessDeed, Surge, Toxiproxy};
use super::load::LoadPlan;
pub use super::people::{Cue, RobotDeed, RobotStep, Role};
use super::slo::Slo;

/// A checked drill.
#[derive(Clone, Debug)]
pub struct DrillPlan {
    /// File name without its ending: `[a-z0-9_-]`.
    pub name: String,
    /// What players and documents read.
    pub about: About,
    /// What is shaken.
    pub system: System,
    /// Its traffic; the target is filled in by the system, the rate is held for the longest course.
    pub load: LoadPlan,
    /// How long the phases last.
    pub phases: Phases,
    /// What was promised. (What good means is `load.good`.)
    pub slo: Slo,
    /// When it must end before its time.
    pub limits: Limits,
    /// Who plays: the robot's steps; empty: nobody acts.
    pub robot: Vec<RobotStep>,
    /// What is done to the players, in file order.
    pub acts: Vec<Act>,
    /// What the players may do.
    pub mitigations: Vec<Mitigation>,
    /// What must hold.
    pub expectations: Vec<Expectation>,
    /// SHA-256 over the checked drill, its load and the seed.
    pub hash: String,
}

/// What players and documents read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// One line.
    pub title: String,
    /// Every player sees this.
    pub briefing: String,
    /// Staff and documents only.
    pub hypothesis: String,
    /// What is to be learnt.
    pub objectives: Vec<String>,
    /// 1 to 5.
    pub difficulty: u8,
}

/// What is shaken.
#[derive(Clone, Debug, PartialEq)]
pub enum System {
    /// The embedded staging system, started for this drill.
    Shop {
        /// Which carts it has.
        data: ShopData,
        /// In-flight cap over both backends.
        in_flight: u32,
        /// How often backend a and b read the flags.
        flag_poll: (Duration, Duration),
        /// A real PostgreSQL to use instead of the embedded database.
        database: Option<String>,
    },
    /// A running system.
    Remote {
        /// URL of its public side.
        base: String,
        /// URL of its admin side.
        admin: String,
        /// Environment variable with the admin token.
        token_env: String,
        /// Path on the public side where it agrees to be shaken.
        handshake: String,
        /// Proxies that squall puts between its parts; a process of their own keeps them.
        proxies: Vec<ProxyPlan>,
    },
}

/// Which carts the staging shop has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ShopData {
    /// 30 % of carts have 60 lines, the others 1 to 3.
    #[default]
    Realistic,
    /// All have 3, as test data do.
    TestLike,
}

/// How long the phases last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Phases {
    /// Before the first act, at least 20 s.
    pub baseline: Duration,
    /// Longest exercise.
    pub at_most: Duration,
    /// How long recovery must hold.
    pub recovery_hold: Duration,
    /// How much faster than with people it goes, in (0, 1]: what judges by minutes judges by so much less.
    pub time_factor: f64,
}

impl Phases {
    /// The longest course of a drill, clean-up and the look at the traffic after it included: as long as this the load is held.
    pub fn longest(&self) -> Duration {
        self.baseline + self.at_most + self.recovery_hold + Duration::from_secs(180)
    }
}

/// Something done to the players.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    /// Its name: `[a-z0-9_-]`.
    pub name: String,
    /// When, counted from the start of the exercise.
    pub when: When,
    /// Hidden from players until the report.
    pub hidden: bool,
    /// What it does.
    pub does: Technical,
}

impl Act {
    /// Addresses that its levers send something to, beside the system's own sides.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        [Some(&self.does.apply), self.does.revert.as_ref()].into_iter().flatten().filter_map(Lever::address)
    }
}

/// When an act is due.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// So long after the start of the exercise.
    At(Duration),
    /// So long after something happened.
    After(Moment, Duration),
    /// Once a condition has held.
    Holds {
        /// The condition.
        is: Condition,
        /// How long without a break.
        hold: Duration,
        /// At the latest so long after the start of the exercise; `None`: perhaps never.
        else_at: Option<Duration>,
    },
}

/// Something that happens in a drill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Live impact was seen.
    Impact,
    /// A mark was made, such as `detected`.
    Mark(String),
    /// An act was injected, by name.
    Act(String),
    /// A mitigation began, by name.
    Mitigation(String),
}

/// A technical act: a change with its undo and its proof.
#[derive(Clone, Debug, PartialEq)]
pub struct Technical {
    /// The change.
    pub apply: Lever,
    /// Its undo; `None` for a fault, which heals by itself.
    pub revert: Option<Lever>,
    /// How long it lives without renewal, 5 s to 60 s.
    pub lease: Duration,
    /// Who is to undo it: `true` when the players' mitigation is the expected undo.
    pub players_undo: bool,
    /// What shows that it touched something.
    pub proof: Proof,
    /// How far it should move the share of bad requests, 0 to 1; `None`: not said.
    pub moves_bad: Option<f64>,
}

/// What shows that an act touched something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A value read from the admin side.
    Probe(Probe),
    /// The injection point has touched at least so many connections or messages in time.
    Touched {
        /// At least 1.
        at_least: u64,
        /// In this time.
        within: Duration,
    },
}

/// A value read from the admin side, compared by its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Path on the admin address.
    pub get: String,
    /// JSON path.
    pub at: String,
    /// Wanted text.
    pub is: String,
    /// In this time.
    pub within: Duration,
}

/// Something the players may do.
#[derive(Clone, Debug, PartialEq)]
pub struct Mitigation {
    /// Its name.
    pub name: String,
    /// What its button says.
    pub label: String,
    /// Sealed from players.
    pub kind: MitigationKind,
    /// Roles that may.
    pub allowed: Vec<Role>,
    /// What it does; `None`: manual.
    pub does: Option<Lever>,
    /// How one sees that it took.
    pub verify: Option<Probe>,
}

/// What a mitigation is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MitigationKind {
    /// Right and quick.
    Correct,
    /// Right, but slow.
    CorrectSlow,
    /// Helps in part.
    Partial,
    /// Changes nothing.
    NoEffect,
    /// Makes it worse.
    Harmful,
}

/// What must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// Its name.
    pub name: String,
    /// What is measured.
    pub measure: Measure,
    /// At or inside: full marks. Seconds, or a count.
    pub target: f64,
    /// At or beyond: fail.
    pub limit: f64,
    /// Share of the score.
    pub weight: f64,
    /// A broken gate fails the drill whatever the score.
    pub gate: bool,
    /// Where it is written.
    pub place: Place,
}

/// What an expectation measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// detected - impact.
    Detect,
    /// acknowledged - page.
    Acknowledge,
    /// command taken - impact.
    TakeCommand,
    /// mitigated - impact.
    Mitigate,
    /// recovered - impact.
    Recover,
    /// How many harmful mitigations were begun.
    HarmfulActions,
}

impl Measure {
    /// True for times, false for counts.
    pub fn is_time(self) -> bool {
        self != Self::HarmfulActions
    }
}
