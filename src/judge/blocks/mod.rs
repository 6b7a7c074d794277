//! Two targets in interleaved blocks: which arm goes first, what each block says, and what all of them prove.
//!
//! A fair coin decides the order within each block, so the sign of a block's difference is fair when the arms are alike,
//! however the noise drifts or whatever its shape; an exact signed-rank test then keeps its promise. Called by `account`, and
//! by `cli::ab` for the coin and between two stages. Not here: sending anything, absolute checks (`threshold`).
//!
//! | file | holds |
//! |---|---|
//! | `slot` | the coin, the slots of the journal, the blocks they make |
//! | `effect` | what one block says about one comparison |
//! | `decide` | what all blocks prove: tests, steps, stages |
//! | `guard` | order effects, steps that must not move, arms that are unlike |
//! | `words` | the findings |

mod decide;
mod effect;
mod guard;
mod slot;
mod words;

use crate::measure::interval::Interval;
use crate::plan::ab::AbPlan;
use crate::plan::threshold::{Comparison, Level};

use super::calibration::Power;
use super::finding::{Finding, Reason, Verdict};
use super::threshold::Stretch;
use super::validity::{self, Limits};
use decide::{Decision, Family};
use effect::Effects;

pub use slot::{Arm, Block, DRAIN, SETTLE, blocks, coin, order, phase};

/// A run to be compared within itself.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    /// What was planned.
    pub plan: &'a AbPlan,
    /// All of the record.
    pub seconds: &'a [Interval],
    /// Phases; slots are `base:3`, `candidate:3`.
    pub stretches: &'a [Stretch],
    /// How late the generator may be.
    pub limits: Limits,
    /// Ids of the comparisons that an earlier run found red; `None`: no confirmation is asked for.
    pub confirm: Option<&'a [String]>,
    /// What the ledger lets this comparison do.
    pub power: Power,
}

/// The findings of every comparison, and what the guards say.
pub fn of(trial: &Trial<'_>) -> Vec<Finding> {
    let blocks = blocks(trial.stretches, trial.seconds, trial.plan.design.slot_s());
    let comparisons = &trial.plan.comparisons;
    let effects: Vec<Effects> = comparisons.iter().map(|one| effect::of(one, &blocks)).collect();
    let decisions = decisions(comparisons, &effects, trial);
    let slots: Vec<&Interval> =
        blocks.iter().flat_map(|block| block.base.iter().chain(&block.candidate)).copied().collect();
    let spoilt = validity::spoils(&slots, trial.limits);
    let unlike = guard::unlike(comparisons, &blocks);
    let mut findings: Vec<Finding> = comparisons
        .iter()
        .zip(effects.iter().zip(&decisions))
        .map(|(one, (effects, decision))| {
            let mut finding = words::finding(one, (effects, decision), &blocks, trial.plan);
            confirm(&mut finding, trial.confirm);
            demote(&mut finding, trial.power);
            if let Some(why) = unlike.as_ref().filter(|_| one.subject.is_latency()) {
                words::overrule(&mut finding, (Verdict::Inconclusive, Reason::ArmsUnlike), why);
            }
            if let Some(why) = &spoilt {
                words::overrule(&mut finding, (Verdict::Invalid, Reason::Generator), why);
            }
            finding
        })
        .collect();
    findings.extend(guard::carry_over(comparisons, &effects));
    findings.extend(guard::control(trial.plan, &blocks));
    findings
}

/// One decision for each comparison, in families: blocking lines share one promise, `should` lines another.
fn decisions(comparisons: &[Comparison], effects: &[Effects], trial: &Trial<'_>) -> Vec<Decision> {
    let mut decided: Vec<Option<Decision>> = comparisons.iter().map(|_| None).collect();
    for family in [&[Level::Hard, Level::Must][..], &[Level::Should], &[Level::Info]] {
        let members: Vec<usize> =
            (0..comparisons.len()).filter(|at| family.contains(&comparisons[*at].level)).collect();
        let own: Vec<&Effects> = members.iter().map(|at| &effects[*at]).collect();
        let found = decide::family(&Family { effects: &own, design: &trial.plan.design });
        for (at, decision) in members.into_iter().zip(found) {
            decided[at] = Some(decision);
        }
    }
    decided.into_iter().flatten().collect()
}

/// A red that an earlier run elsewhere did not show is a warning.
fn confirm(finding: &mut Finding, earlier: Option<&[String]>) {
    if finding.verdict == Verdict::Fail && earlier.is_some_and(|red| !red.contains(&finding.id)) {
        finding.verdict = Verdict::Warn;
        finding.observed.push_str("; not red in the earlier result, so it is not confirmed");
    }
}

/// A red that the ledger does not let count is a warning.
fn demote(finding: &mut Finding, power: Power) {
    if finding.verdict == Verdict::Fail && power == Power::Warn {
        let why = "the calibration ledger does not let it fail a run";
        words::overrule(finding, (Verdict::Warn, Reason::Uncalibrated), why);
    }
}

/// Whether the first stage leaves something open that further blocks may decide: nothing blocking is red yet, and something
/// is neither red nor passed.
pub fn is_open(findings: &[Finding]) -> bool {
    let blocking = || {
        let compared = findings.iter().filter(|one| one.evidence.compare.is_some());
        compared.filter(|one| matches!(one.level, Level::Hard | Level::Must))
    };
    blocking().all(|one| one.verdict != Verdict::Fail)
        && blocking().any(|one| one.verdict == Verdict::Inconclusive && one.reason == Reason::LowPower)
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
