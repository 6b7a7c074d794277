//! A drill as written: system, load, people, phases, expectations. Acts and mitigations are in `act`.

use serde::Deserialize;

use super::act::{Act, Mitigation};
use super::condition::{Abort, Reference};
use super::proxy::Listener;
use super::source::Spanned;
use super::written::{Extra, Written, plain, written};

written! {
    /// The whole file.
    Drill {
        version: Spanned<u64>,
        about: Spanned<About>,
        system: Spanned<System>,
        load: Spanned<Load>,
        run: Spanned<Run>,
        slo: Spanned<Slo>,
        people: Option<Spanned<People>>,
        phases: Spanned<Phases>,
        acts: Spanned<Vec<Spanned<Act>>>,
        mitigations: Option<Spanned<Vec<Spanned<Mitigation>>>>,
        expectations: Option<Spanned<Vec<Spanned<Expectation>>>>,
        abort: Option<Spanned<Vec<Spanned<Abort>>>>,
    } later {}
}

written! {
    /// What players and documents read.
    About {
        difficulty: Option<Spanned<u64>>,
        title: Spanned<String>,
        briefing: Spanned<String>,
        hypothesis: Option<Spanned<String>>,
        objectives: Option<Spanned<Vec<Spanned<String>>>>,
    } later {}
}

/// What is shaken.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum System {
    Shop(Box<Shop>),
    Remote(Box<Remote>),
}

impl Written for System {
    fn extra(&self) -> Extra<'_> {
        match self {
            Self::Shop(shop) => shop.extra(),
            Self::Remote(remote) => remote.extra(),
        }
    }
}

written! {
    /// The embedded staging system.
    Shop { data: Option<Spanned<Data>>, in_flight: Option<Spanned<u64>>, flag_poll: Option<Spanned<FlagPoll>> }
    later { deploy_per_backend, snapshot_every, keep, guardrail, passes }
}

/// Which carts the shop has.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Data {
    Realistic,
    TestLike,
}

plain!(Data);

written! {
    /// How often each backend reads the flags.
    FlagPoll { a: Spanned<String>, b: Spanned<String> } later {}
}

written! {
    /// A running system.
    Remote {
        base: Spanned<String>,
        admin: Spanned<String>,
        token_env: Spanned<String>,
        handshake: Option<Spanned<String>>,
        proxies: Option<Spanned<Vec<Spanned<Listener>>>>,
    } later {}
}

written! {
    /// The traffic.
    Load { scenario: Spanned<String>, rate: Option<Spanned<String>> } later { control }
}

written! {
    /// How the drill runs.
    Run {
        time_factor: Option<Spanned<f64>>,
        at_most: Spanned<String>,
        bad_budget: Option<Spanned<u64>>,
        allow_destructive: Option<Spanned<bool>>,
    } later { scale_alerts }
}

written! {
    /// What was promised to users.
    Slo {
        good: Spanned<Good>,
        objective: Spanned<String>,
        period: Option<Spanned<String>>,
        reference: Option<Spanned<Vec<Spanned<Reference>>>>,
    } later {}
}

written! {
    /// What a good request is.
    Good { status: Option<Spanned<String>>, within: Option<Spanned<String>> } later { checks }
}

written! {
    /// Who plays.
    People {
        required: Option<Spanned<Vec<Spanned<Role>>>>,
        optional: Option<Spanned<Vec<Spanned<Role>>>>,
        robot: Option<Spanned<Vec<Spanned<RobotStep>>>>,
    } later { updates, outbound, hooks }
}

/// A player's role; what other books call it too.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Role {
    #[serde(alias = "IC")]
    Ic,
    Deputy,
    #[serde(alias = "OL")]
    Ops,
    #[serde(alias = "SME")]
    Expert,
    #[serde(alias = "CL")]
    Comms,
    Liaison,
    Scribe,
    Director,
    Controller,
    Evaluator,
    Safety,
}

plain!(Role);

written! {
    /// One step of the robot.
    RobotStep { on: Spanned<Cue>, wait: Spanned<String>, does: Spanned<Deed> } later {}
}

/// What wakes a robot step.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Cue {
    Page,
    Impact,
    Clear,
    Recovered,
    Mark(Spanned<Stated>),
    Act(Spanned<String>),
}

plain!(Cue);

/// What may be stated.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Stated {
    Detected,
    Acknowledged,
    Mitigated,
    Resolved,
}

plain!(Stated);

/// What the robot does.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Deed {
    Ack,
    Take(Spanned<Role>),
    Mitigate(Spanned<String>),
    Claim(Spanned<Claim>),
}

plain!(Deed);

/// What may be claimed.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Claim {
    Mitigated,
    Resolved,
}

plain!(Claim);

written! {
    /// How long the phases last.
    Phases { baseline: Spanned<String>, recovery_hold: Spanned<String>, hot_wash: Option<Spanned<String>> } later {}
}

written! {
    /// What must hold.
    Expectation {
        name: Spanned<String>,
        check: Spanned<Expect>,
        weight: Option<Spanned<f64>>,
        gate: Option<Spanned<bool>>,
    } later {}
}

/// What is measured, and how much of it is good.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) enum Expect {
    Time { measure: Spanned<TimeMeasure>, target: Spanned<String>, limit: Spanned<String> },
    Count { measure: Spanned<CountMeasure>, target: Spanned<f64>, limit: Spanned<f64> },
}

plain!(Expect);

/// Times of a drill.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum TimeMeasure {
    Detect,
    Acknowledge,
    TakeCommand,
    Mitigate,
    Recover,
}

plain!(TimeMeasure);

/// Counts of a drill.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum CountMeasure {
    HarmfulActions,
}

plain!(CountMeasure);
