//! The account of a run: the one value that every report, document and exit code is made from.
//!
//! Made by `account::of` from plan, journal and record alone, so that it is the same live and months later.
//! Not here: wording, rounding, pictures (`report::View`), and exit codes (`cli`).

mod actions;
mod checked;
mod confidence;
mod incident;
mod integrity;
mod make;
mod story;
mod sums;

use std::collections::BTreeMap;

pub use confidence::{Clocks, Confidence, Intervals, of as intervals};
pub use make::{Planned, of, phases, replace};
pub(super) use story::HEALING;

use super::efficacy::Judged;
use super::finding::{Finding, Verdict};
use super::score::Part;
use super::search::Course;
use crate::measure::interval::{Cell, Flow, Interval, Travel};
use crate::measure::journal::{Line, RunFacts};
use crate::measure::record::{Done, Exemplar, Head};
use crate::plan::drill::{About, MitigationKind};
use crate::plan::threshold::Unit;

/// A run, judged.
#[derive(Clone, Debug)]
pub struct Account {
    /// What was run.
    pub facts: RunFacts,
    /// Facts of the record.
    pub head: Head,
    /// How the generator ended; `None` when the record was cut off.
    pub done: Option<Done>,
    /// Why the run ended early, if it did (`aborted: …`, `interrupted`, …); empty when it did not.
    pub ended: String,
    /// Phases and faults on the run's clock.
    pub bands: Vec<Band>,
    /// Seconds by due time, rising, without gaps.
    pub seconds: Vec<Interval>,
    /// Sums over the run.
    pub totals: Totals,
    /// The generator's own health.
    pub generator: Generator,
    /// Worst first.
    pub findings: Vec<Finding>,
    /// Examples of requests.
    pub exemplars: Vec<Exemplar>,
    /// For a drill.
    pub drill: Option<DrillAccount>,
    /// For a capacity search.
    pub search: Option<Course>,
}

/// A stretch of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    /// Phase name, or the act's name.
    pub name: String,
    /// What sort.
    pub kind: BandKind,
    /// Seconds from the run's origin.
    pub from_s: f64,
    /// Seconds from the run's origin.
    pub to_s: f64,
}

/// What sort of stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BandKind {
    /// A phase of the run.
    Phase,
    /// An act or fault was in force.
    Fault,
    /// Users felt it: measured impact until recovery.
    Impact,
}

/// Sums over the run.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// All steps as one.
    pub all: Cell,
    /// By step name.
    pub steps: BTreeMap<String, Cell>,
    /// How far their percentiles can be trusted.
    pub intervals: Intervals,
    /// What the steps count already, seen otherwise: groups, attempts, labels, by name.
    pub asides: BTreeMap<String, Cell>,
    /// By journey name.
    pub journeys: BTreeMap<String, Travel>,
    /// What flowed.
    pub flow: Flow,
    /// Arrivals not begun because the run was stopped early.
    pub not_started: u64,
    /// Seconds from the first to the last arrival's second.
    pub duration_s: f64,
    /// Requests due per second, over the seconds for which load was planned.
    pub offered: f64,
    /// Requests sent per second, over the same seconds.
    pub achieved: f64,
}

/// The generator's own health.
#[derive(Clone, Debug, Default)]
pub struct Generator {
    /// `Pass` = valid, `Warn` = suspect, `Invalid`.
    pub verdict: Verdict,
    /// Lateness p50, µs.
    pub lateness_p50_us: Option<u64>,
    /// Lateness p99, µs.
    pub lateness_p99_us: Option<u64>,
    /// Busiest worker's share of a processor.
    pub cpu_peak: f64,
    /// CPU time per request, µs.
    pub cpu_us_per_request: f64,
    /// Largest resident memory, KiB.
    pub max_rss_kib: u64,
    /// Stalls over 50 ms: (second, longest in ms, arrivals due inside).
    pub stalls: Vec<(u32, f64, u64)>,
    /// One sentence.
    pub sentence: String,
}

/// What only a drill has.
#[derive(Clone, Debug)]
pub struct DrillAccount {
    /// Title, briefing, objectives.
    pub about: About,
    /// Start of the exercise (T+0), seconds on the run's clock.
    pub t0_s: f64,
    /// End of the exercise, seconds on the run's clock.
    pub end_s: f64,
    /// The measured instants.
    pub timeline: Timeline,
    /// The acts, with proof and healing.
    pub acts: Vec<ActAccount>,
    /// What the players did.
    pub actions: Vec<ActionAccount>,
    /// Marks, pages and actions in order: what the chart and the post-mortem draw. From the journal.
    pub marks: Vec<Line>,
    /// What was demanded and measured, in file order: what the response bars draw.
    pub expectations: Vec<ExpectationAccount>,
    /// 0 to 100; `None` when nothing could be scored.
    pub score: Option<f64>,
    /// The same by part, where something of it could be told.
    pub parts: Vec<(Part, f64)>,
    /// Share of the weight that rests on measured evidence.
    pub coverage: f64,
    /// The first reference alert; `None` when none fired, or there was no impact.
    pub reference: Option<ReferenceAccount>,
    /// Share of the period's error budget this incident used.
    pub budget_spent: f64,
    /// Requests not good between impact and recovery (or the end).
    pub bad_requests: u64,
    /// ∫ bad ratio, minutes.
    pub bad_minutes: f64,
}

/// An alert of squall's own rules over the same traffic.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferenceAccount {
    /// The rule, in words.
    pub rule: String,
    /// It fired at, seconds on the run's clock.
    pub at_s: f64,
    /// Seconds from impact to the same alert with a whole history behind it; `None`: it would never have fired.
    pub in_production_s: Option<f64>,
}

/// First and last second, on the run's clock, in which an instant may lie.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ranges {
    /// Of the impact.
    pub impact: Option<(f64, f64)>,
    /// Of the mitigation.
    pub mitigated: Option<(f64, f64)>,
    /// Of the recovery.
    pub recovered: Option<(f64, f64)>,
}

/// Instants of an incident, seconds on the run's clock. What never happened is `None` (censored), never blank.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// Upper bound of the baseline's bad ratio.
    pub baseline_upper: f64,
    /// Users began to feel it.
    pub impact_s: Option<f64>,
    /// Bad ratio on the plateau.
    pub plateau: f64,
    /// Highest window ratio.
    pub peak: f64,
    /// Fell below half of the plateau and stayed.
    pub mitigated_s: Option<f64>,
    /// Back to normal, and stayed.
    pub recovered_s: Option<f64>,
    /// First page after impact.
    pub detected_s: Option<f64>,
    /// Who detected it: the page's origin.
    pub detected_by: String,
    /// First acknowledgement.
    pub acknowledged_s: Option<f64>,
    /// First taking of command.
    pub command_s: Option<f64>,
    /// Claims: (mark, seconds).
    pub claims: Vec<(String, f64)>,
    /// Pages before the first act.
    pub false_alarms: u64,
    /// Until when the run was observed.
    pub observed_until_s: f64,
    /// How sure the measured instants are.
    pub ranges: Ranges,
}

/// An act as it went.
#[derive(Clone, Debug, PartialEq)]
pub struct ActAccount {
    /// Its name.
    pub name: String,
    /// In words.
    pub what: String,
    /// Put in force at, seconds on the run's clock: its intent, as users may feel it before its proof is in.
    pub injected_s: Option<f64>,
    /// Line of the journal with its proof, or that none came.
    pub seq: Option<u64>,
    /// Healed at, seconds.
    pub healed_s: Option<f64>,
    /// True when the healed state was read back.
    pub verified: bool,
    /// The proof, in words; empty when none came.
    pub proof: String,
    /// True when the proof came in time.
    pub proved: bool,
}

/// A mitigation as it went.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionAccount {
    /// Its name.
    pub name: String,
    /// What its button says.
    pub label: String,
    /// What it is worth.
    pub kind: MitigationKind,
    /// Who.
    pub actor: String,
    /// Begun at, seconds on the run's clock.
    pub at_s: f64,
    /// Verified at, seconds; `None` when its verification failed.
    pub verified_s: Option<f64>,
    /// What it did to the share of bad requests.
    pub effect: Judged,
}

/// An expectation as it went; its judgement is the finding called `finding`.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectationAccount {
    /// Its name in the drill file.
    pub name: String,
    /// Id of its finding.
    pub finding: String,
    /// Seconds, or a count; `None` when it never happened (censored).
    pub measured: Option<f64>,
    /// At or inside: full marks.
    pub target: f64,
    /// At or beyond: fail.
    pub limit: f64,
    /// Seconds or count.
    pub unit: Unit,
    /// Share of the score.
    pub weight: f64,
    /// A broken gate fails the drill whatever the score.
    pub gate: bool,
}

#[cfg(test)]
mod tests;
