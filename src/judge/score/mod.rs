//! What of a drill's expectations was met, and how many points that is.
//!
//! What never happened is censored and fails; where nobody was harmed, or nothing proves that the act took hold, times say
//! nothing and stay inconclusive. Called by `account`. Not here: when things happened (`impact`, the journal).

use std::collections::BTreeMap;

use super::account::{ExpectationAccount, Timeline};
use super::finding::{Evidence, Finding, FindingKind, Reason, Verdict};
use super::words::{advice, quantity};
use crate::plan::drill::{Expectation, Measure};
use crate::plan::threshold::{Level, Unit};

/// What expectations are measured by.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    /// The instants.
    pub timeline: &'a Timeline,
    /// Harmful mitigations that were begun.
    pub harmful: u64,
    /// Whether the acts are known to have taken hold.
    pub proof: Proof,
    /// Who detected it.
    pub witness: Witness,
    /// Whether the drill ran its course.
    pub ran: Ran,
}

/// Whether the drill ran its course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ran {
    /// To its end: what did not happen by then did not happen.
    Whole,
    /// It was ended early: what did not happen might have.
    CutShort,
}

/// What a part of the score is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Noticing it.
    Detect,
    /// Answering the page and taking command.
    Command,
    /// Making it better.
    Mitigate,
    /// Making it good.
    Recover,
    /// Doing no harm.
    Safety,
}

impl Part {
    /// The word in documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::Detect => "detect",
            Self::Command => "command",
            Self::Mitigate => "mitigate",
            Self::Recover => "recover",
            Self::Safety => "safety",
        }
    }

    fn of(measure: Measure) -> Self {
        match measure {
            Measure::Detect => Self::Detect,
            Measure::Acknowledge | Measure::TakeCommand => Self::Command,
            Measure::Mitigate => Self::Mitigate,
            Measure::Recover => Self::Recover,
            Measure::HarmfulActions => Self::Safety,
        }
    }
}

/// Who detected the incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witness {
    /// An alert.
    Machine,
    /// Somebody who said so.
    Person,
}

/// Whether the acts are known to have taken hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Each of them.
    Seen,
    /// At least one is not.
    Missing,
    /// None was begun.
    Unbegun,
}

/// The expectations, judged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// One finding per expectation, in file order.
    pub findings: Vec<Finding>,
    /// The same, as numbers.
    pub expectations: Vec<ExpectationAccount>,
    /// 0 to 100; `None` when the incident could not be measured.
    pub score: Option<f64>,
    /// The same by part, where something of it could be told.
    pub parts: Vec<(Part, f64)>,
    /// Share of the weight that rests on measured evidence.
    pub coverage: f64,
}

/// Judges all of them.
pub fn of(expectations: &[Expectation], course: &Course<'_>) -> Score {
    let readings: Vec<Reading> = expectations.iter().map(|one| read(one, course)).collect();
    let total: f64 = expectations.iter().map(|one| one.weight).sum();
    let (mut points, mut measured, mut timed) = (0.0, 0.0, false);
    for (one, reading) in expectations.iter().zip(&readings) {
        if reading.verdict() != Verdict::Inconclusive {
            points += one.weight * marks(one, reading);
            timed |= one.measure.is_time();
            if is_measured(one.measure, course.witness) {
                measured += one.weight;
            }
        }
    }
    let cut = readings.iter().any(|one| matches!(one, Reading::Cut(_)));
    let parts = parts(expectations, &readings);
    let wants_time = expectations.iter().any(|one| one.measure.is_time());
    Score {
        expectations: expectations.iter().zip(&readings).map(|(one, reading)| numbers(one, reading)).collect(),
        findings: expectations.iter().zip(readings).map(|(one, reading)| finding(one, &reading, course)).collect(),
        score: (total > 0.0 && !cut && (timed || !wants_time)).then(|| 100.0 * points / total),
        parts,
        coverage: if total > 0.0 { measured / total } else { 0.0 },
    }
}

/// Points by part: of what could be told, by weight.
fn parts(expectations: &[Expectation], readings: &[Reading]) -> Vec<(Part, f64)> {
    let mut sums: BTreeMap<Part, (f64, f64)> = BTreeMap::new();
    for (one, reading) in expectations.iter().zip(readings) {
        if reading.verdict() != Verdict::Inconclusive && one.weight > 0.0 {
            let sum = sums.entry(Part::of(one.measure)).or_default();
            *sum = (sum.0 + one.weight * marks(one, reading), sum.1 + one.weight);
        }
    }
    sums.into_iter().map(|(part, (points, weight))| (part, 100.0 * points / weight)).collect()
}

/// What was read of one expectation.
enum Reading {
    /// It came out as this, seconds or a count, and earns that verdict.
    Came(f64, Verdict),
    /// It did not happen within so many seconds.
    Never(f64),
    /// It did not happen in the seconds before the drill was ended early, and might still have been in time.
    Cut(f64),
    /// It cannot be told, and why.
    Unknown(Reason),
}

impl Reading {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Came(_, verdict) => *verdict,
            Self::Never(_) => Verdict::Fail,
            Self::Cut(_) | Self::Unknown(_) => Verdict::Inconclusive,
        }
    }

    fn value(&self) -> Option<f64> {
        if let Self::Came(value, _) = self { Some(*value) } else { None }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::Came(_, Verdict::Fail | Verdict::Warn) => Reason::Beyond,
            Self::Came(..) => Reason::Within,
            Self::Never(_) => Reason::Censored,
            Self::Cut(_) => Reason::Truncated,
            Self::Unknown(reason) => *reason,
        }
    }
}

fn read(one: &Expectation, course: &Course<'_>) -> Reading {
    let Timeline { impact_s, detected_s, .. } = *course.timeline;
    if one.measure == Measure::HarmfulActions {
        return came(one, course.harmful as f64);
    }
    match course.proof {
        Proof::Seen => {}
        Proof::Missing => return Reading::Unknown(Reason::NotInjected),
        Proof::Unbegun => return Reading::Unknown(Reason::NotEvaluated),
    }
    let Some(impact) = impact_s else {
        return Reading::Unknown(if course.ran == Ran::Whole { Reason::NoData } else { Reason::Truncated });
    };
    let (from, at) = match one.measure {
        Measure::Detect => (impact, detected_s),
        // Without a page the wait for an acknowledgement began with the impact.
        Measure::Acknowledge => (detected_s.unwrap_or(impact), course.timeline.acknowledged_s),
        Measure::TakeCommand => (impact, course.timeline.command_s),
        Measure::Mitigate => (impact, course.timeline.mitigated_s),
        Measure::Recover | Measure::HarmfulActions => (impact, course.timeline.recovered_s),
    };
    if let Some(at) = at {
        return came(one, (at - from).max(0.0));
    }
    let watched = (course.timeline.observed_until_s - from).max(0.0);
    if course.ran == Ran::CutShort && watched < one.limit { Reading::Cut(watched) } else { Reading::Never(watched) }
}

fn came(one: &Expectation, value: f64) -> Reading {
    let verdict = match value {
        value if value <= one.target => Verdict::Pass,
        value if value < one.limit => Verdict::Warn,
        _ => Verdict::Fail,
    };
    Reading::Came(value, verdict)
}

/// 1 inside the target, 0 at the limit, falling evenly between them.
fn marks(one: &Expectation, reading: &Reading) -> f64 {
    match reading {
        Reading::Came(value, _) if *value <= one.target => 1.0,
        Reading::Came(value, _) if *value < one.limit => (one.limit - value) / (one.limit - one.target),
        _ => 0.0,
    }
}

/// True where a machine saw it; a person's or robot's statement is not a measurement.
fn is_measured(measure: Measure, witness: Witness) -> bool {
    match measure {
        Measure::Mitigate | Measure::Recover | Measure::HarmfulActions => true,
        Measure::Detect => witness == Witness::Machine,
        Measure::Acknowledge | Measure::TakeCommand => false,
    }
}

fn id(one: &Expectation) -> String {
    format!("expect.{}", one.name)
}

fn unit(one: &Expectation) -> Unit {
    if one.measure.is_time() { Unit::S } else { Unit::Count }
}

fn numbers(one: &Expectation, reading: &Reading) -> ExpectationAccount {
    ExpectationAccount {
        name: one.name.clone(),
        finding: id(one),
        measured: reading.value(),
        target: one.target,
        limit: one.limit,
        unit: unit(one),
        weight: one.weight,
        gate: one.gate,
    }
}

fn finding(one: &Expectation, reading: &Reading, course: &Course<'_>) -> Finding {
    let unit = unit(one);
    let value = reading.value();
    let low = if let Reading::Never(least) = reading { Some(*least) } else { None };
    let Timeline { impact_s, observed_until_s, .. } = *course.timeline;
    Finding {
        id: id(one),
        kind: FindingKind::Expectation,
        level: Level::Must,
        verdict: reading.verdict(),
        reason: reading.reason(),
        subject: subject(one.measure).to_owned(),
        expected: expected(one, unit),
        observed: observed(one, reading, unit),
        next: next(one.measure, reading),
        evidence: Evidence {
            value,
            low,
            high: None,
            bound: Some(one.limit),
            unit,
            n: u64::from(value.is_some()),
            n_eff: None,
            deff: None,
            window_s: (impact_s.unwrap_or(0.0), observed_until_s),
            compare: None,
        },
        source: (one.place.line > 0).then(|| one.place.clone()),
    }
}

fn subject(measure: Measure) -> &'static str {
    match measure {
        Measure::Detect => "time to detect",
        Measure::Acknowledge => "time to acknowledge",
        Measure::TakeCommand => "time to take command",
        Measure::Mitigate => "time to mitigate",
        Measure::Recover => "time to recover",
        Measure::HarmfulActions => "harmful actions",
    }
}

fn expected(one: &Expectation, unit: Unit) -> String {
    let gate = if one.gate { ", gate" } else { "" };
    format!("target {}, fails at {}{gate}", quantity(one.target, unit), quantity(one.limit, unit))
}

fn observed(one: &Expectation, reading: &Reading, unit: Unit) -> String {
    match reading {
        Reading::Came(value, _) => quantity(*value, unit),
        Reading::Never(least) => format!("not {}: > {}", past(one.measure), quantity(*least, unit)),
        Reading::Cut(watched) => {
            format!("not {} in the {} until the drill was ended early", past(one.measure), quantity(*watched, unit))
        }
        Reading::Unknown(Reason::Truncated) => "no impact was seen before the drill was ended early".to_owned(),
        Reading::Unknown(Reason::NotInjected) => "no proof that the act took hold".to_owned(),
        Reading::Unknown(Reason::NotEvaluated) => "no act was begun".to_owned(),
        Reading::Unknown(_) => "no impact was measured: users felt nothing".to_owned(),
    }
}

fn past(measure: Measure) -> &'static str {
    match measure {
        Measure::Detect => "detected",
        Measure::Acknowledge => "acknowledged",
        Measure::TakeCommand => "under command",
        Measure::Mitigate => "mitigated",
        Measure::Recover => "recovered",
        Measure::HarmfulActions => "begun",
    }
}

fn next(measure: Measure, reading: &Reading) -> String {
    let text = match (reading.reason(), measure) {
        (Reason::Truncated, _) => "let the drill run its course",
        (Reason::NotEvaluated, _) => "see why the drill ended before its first act",
        (Reason::NoData, _) => "use data or load with which the act does harm; a drill without impact shows nothing",
        (Reason::Beyond | Reason::Censored, Measure::Detect) => "look at the alert's rule and threshold",
        (Reason::Beyond | Reason::Censored, Measure::Acknowledge) => "look at paging and on-call",
        (Reason::Beyond | Reason::Censored, Measure::TakeCommand) => "practise who takes command",
        (Reason::Beyond | Reason::Censored, Measure::Mitigate) => "make the right mitigation easier to find and to use",
        (Reason::Beyond | Reason::Censored, Measure::Recover) => "look at what kept users waiting after the mitigation",
        (Reason::Beyond, Measure::HarmfulActions) => "guard the harmful action, or say in the runbook what it does",
        (reason, _) => advice(reason),
    };
    text.to_owned()
}

#[cfg(test)]
mod tests;
