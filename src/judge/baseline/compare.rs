//! Lines against earlier runs, decided: a history's prediction limits in Holm's steps, an anchor, or one run's advice.

use std::collections::BTreeMap;

use super::super::account::Account;
use super::super::calibration::Power;
use super::super::estimate;
use super::super::finding::{Finding, Reason, Verdict};
use super::super::fingerprint::Difference;
use super::super::window::{STEADY, pieces, stretches};
use super::words;
use super::{MayFail, Prediction, Strictness, missing, predict, single};
use crate::measure::interval::Interval;
use crate::measure::record::Head;
use crate::measure::sample::StepId;
use crate::plan::threshold::{Ground, Level, Scope, Threshold};
use crate::stats::holm::holm;
use crate::stats::portable::{exp, ln};

/// A run that others are compared with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stored {
    /// How to call it.
    pub name: String,
    /// Facts of its record.
    pub head: Head,
    /// Its steady seconds, without gaps.
    pub seconds: Vec<Interval>,
}

/// What stands on the other side.
#[derive(Clone, Debug, Default)]
pub struct Earlier {
    /// Accepted runs, oldest first; only those that may be compared.
    pub runs: Vec<Stored>,
    /// The last release.
    pub anchor: Option<Stored>,
    /// The only one of `runs` was named by hand: it advises.
    pub is_single: bool,
    /// Why others, the newest among them, may not be compared.
    pub refused: Vec<Difference>,
    /// Differences that somebody let through.
    pub let_through: Vec<Difference>,
}

/// How comparisons become verdicts.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Chance of any false red of the whole gate.
    pub alpha: f64,
    /// Whether one earlier run may fail a run.
    pub single: MayFail,
    /// What the ledger lets stored baselines do.
    pub power: Power,
    /// Noise floors of the ledger, by check.
    pub floors: BTreeMap<String, f64>,
}

/// The steady seconds of a run, numbered from 0 without gaps.
pub fn steady(account: &Account) -> Vec<Interval> {
    let scope = Scope { phases: vec![STEADY.to_owned()], ..Scope::default() };
    let chosen = pieces(&account.seconds, &stretches(&account.bands), &scope, std::time::Duration::ZERO).concat();
    (0_u32..).zip(chosen).map(|(second, one)| Interval { second, ..one.clone() }).collect()
}

/// One comparison on the way to its finding.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) check: &'a Threshold,
    pub(super) on: Ground,
    /// How values are compared: 1 for upper bounds, -1 for lower ones.
    pub(super) sign: f64,
    pub(super) outcome: Outcome,
}

/// What the numbers say.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Nothing was measured.
    NoData,
    /// The candidate answered nothing where earlier runs did.
    Silent,
    /// No run may be compared.
    Foreign,
    /// So many accepted runs are still needed.
    TooFew(usize),
    /// A history's word.
    History(Prediction, usize),
    /// One run's word: the change, and its verdict.
    Single(f64, Verdict),
}

/// A value on the scale on which it is compared: logarithms of times and rates, shares as they are; upwards is worse.
fn scaled(check: &Threshold, value: f64) -> Option<f64> {
    let sign = if check.cmp.is_upper() { 1.0 } else { -1.0 };
    if check.subject.is_share() {
        return Some(sign * value);
    }
    (value > 0.0 && value.is_finite()).then(|| sign * ln(value))
}

/// A change on that scale as it is shown: a ratio less 1, or a difference of shares.
pub(super) fn shown(asked: &Asked<'_>, change: f64) -> f64 {
    let change = asked.sign * change;
    if asked.check.subject.is_share() { change } else { exp(change) - 1.0 }
}

/// What `check` measures in `seconds`, whose steps are called `theirs`.
fn value(check: &Threshold, steps: &[String], (theirs, seconds): (&[String], &[Interval])) -> Option<f64> {
    let there = |step: &StepId| {
        let name = steps.get(usize::from(step.0))?;
        theirs.iter().position(|one| one == name).and_then(|at| u16::try_from(at).ok()).map(StepId)
    };
    let mapped: Option<Vec<StepId>> = check.scope.steps.iter().map(there).collect();
    let scope = Scope { steps: mapped?, phases: Vec::new(), but: Vec::new(), ..check.scope.clone() };
    estimate::point(check.subject, &scope, &seconds.iter().collect::<Vec<_>>()).map(|one| one.value)
}

/// The margin of `check` on its scale, around the scaled value `mean`.
fn margin(check: &Threshold, mean: f64) -> f64 {
    let Some(lean) = check.lean else { return 0.0 };
    let sign = if check.cmp.is_upper() { 1.0 } else { -1.0 };
    if check.subject.is_share() {
        return sign * lean.margin.slack;
    }
    let by_share = sign * ln(1.0 + lean.margin.slack);
    let centre = exp(sign * mean);
    let far = lean.margin.least_us.map(|far| centre + sign * far).filter(|bound| *bound > 0.0);
    by_share.max(far.map_or(f64::NEG_INFINITY, |bound| sign * (ln(bound) - ln(centre))))
}

/// The findings of the lines of `checks` that lean on earlier runs; `steps` are the names of their steps, `candidates` the steady
/// seconds of the runs in question.
pub fn findings(
    checks: &[Threshold],
    steps: &[String],
    candidates: &[Vec<Interval>],
    (earlier, rules): (&Earlier, &Rules),
) -> Vec<Finding> {
    let leans = |check: &&Threshold| check.lean.is_some_and(|lean| lean.on != Ground::Steady);
    let family = |check: &Threshold| match check.level {
        Level::Hard | Level::Must => 0,
        Level::Should => 1,
        Level::Info => 2,
    };
    let all: Vec<&Threshold> = checks.iter().filter(leans).collect();
    let sizes: Vec<usize> = (0..3).map(|n| all.iter().filter(|check| family(check) == n).count().max(1)).collect();
    let asked: Vec<Asked<'_>> = all
        .iter()
        .map(|check| {
            let alpha = rules.alpha / sizes.get(family(check)).copied().unwrap_or(1) as f64;
            ask(check, steps, candidates, (earlier, rules, alpha))
        })
        .collect();
    let mut red = vec![false; asked.len()];
    for n in 0..3 {
        let members: Vec<usize> = (0..asked.len()).filter(|at| family(asked[*at].check) == n).collect();
        let p = |at: &usize| if let Outcome::History(seen, _) = &asked[*at].outcome { seen.p } else { 1.0 };
        let hits = holm(&members.iter().map(p).collect::<Vec<_>>(), rules.alpha);
        members.into_iter().zip(hits).for_each(|(at, hit)| red[at] = hit);
    }
    asked
        .iter()
        .zip(red)
        .map(|(one, red)| words::finding(one, said(one, red, (earlier, rules)), steps, (earlier, rules)))
        .collect()
}

fn ask<'a>(
    check: &'a Threshold,
    steps: &[String],
    candidates: &[Vec<Interval>],
    (earlier, rules, alpha): (&Earlier, &Rules, f64),
) -> Asked<'a> {
    let on = check.lean.map_or(Ground::Baseline, |lean| lean.on);
    let sign = if check.cmp.is_upper() { 1.0 } else { -1.0 };
    let new: Vec<Option<f64>> = candidates.iter().map(|one| value(check, steps, (steps, one))).collect();
    let old = |one: &Stored| scaled(check, value(check, steps, (&one.head.steps, &one.seconds))?);
    let history: Vec<f64> = earlier.runs.iter().filter_map(old).collect();
    let outcome = match () {
        () if new.is_empty() || new.iter().any(Option::is_none) => Outcome::NoData,
        () if earlier.runs.is_empty() && earlier.anchor.is_none() && !earlier.refused.is_empty() => Outcome::Foreign,
        () if earlier.runs.is_empty() && on == Ground::Baseline => Outcome::TooFew(missing(0)),
        () if history.is_empty() && on == Ground::Baseline => Outcome::NoData,
        () if new.iter().flatten().any(|value| value.is_infinite()) && check.cmp.is_upper() => Outcome::Silent,
        () => {
            let new: Option<Vec<f64>> = new.iter().map(|value| scaled(check, (*value)?)).collect();
            let anchor = earlier.anchor.as_ref().filter(|_| on == Ground::Anchor).and_then(old);
            new.map_or(Outcome::Silent, |new| judge(check, (&history, &new), (on, anchor), (earlier, rules, alpha)))
        }
    };
    Asked { check, on, sign, outcome }
}

fn judge(
    check: &Threshold,
    (history, new): (&[f64], &[f64]),
    (on, anchor): (Ground, Option<f64>),
    (earlier, rules, alpha): (&Earlier, &Rules, f64),
) -> Outcome {
    let mean = |some: &[f64]| some.iter().sum::<f64>() / some.len().max(1) as f64;
    let centre = anchor.unwrap_or_else(|| mean(history));
    let floor = rules.floors.get(&check.id).copied().unwrap_or(0.0);
    let strict = Strictness { alpha, margin: margin(check, centre), floor };
    if on == Ground::Anchor && anchor.is_none() {
        return Outcome::TooFew(0);
    }
    if earlier.is_single || (on == Ground::Anchor && missing(history.len()) > 0) {
        let change = mean(new) - centre;
        return Outcome::Single(change, single(change, strict, rules.single));
    }
    match predict(history, new, anchor, strict) {
        Some(seen) => Outcome::History(seen, history.len()),
        None => Outcome::TooFew(missing(history.len())),
    }
}

/// Verdict and reason; what is red is so only as far as the ledger and what was let through allow.
fn said(asked: &Asked<'_>, red: bool, (earlier, rules): (&Earlier, &Rules)) -> (Verdict, Reason) {
    let (verdict, reason) = match &asked.outcome {
        Outcome::NoData => (Verdict::Inconclusive, Reason::NoData),
        Outcome::Foreign => (Verdict::Inconclusive, Reason::Fingerprint),
        Outcome::TooFew(_) => (Verdict::Inconclusive, Reason::LowPower),
        Outcome::Silent => (Verdict::Fail, Reason::Unanswered),
        Outcome::Single(_, verdict) => {
            (*verdict, if *verdict == Verdict::Pass { Reason::Within } else { Reason::Beyond })
        }
        // Runs without any noise between them prove nothing about noise.
        Outcome::History(seen, _) if red && seen.sd <= 0.0 && !rules.floors.contains_key(&asked.check.id) => {
            (Verdict::Warn, Reason::Uncalibrated)
        }
        Outcome::History(..) if red && rules.power == Power::Warn => (Verdict::Warn, Reason::Uncalibrated),
        Outcome::History(..) if red => (Verdict::Fail, Reason::Beyond),
        Outcome::History(..) => (Verdict::Pass, Reason::Within),
    };
    if verdict == Verdict::Fail && !earlier.let_through.is_empty() {
        (Verdict::Warn, Reason::Fingerprint)
    } else {
        (verdict, reason)
    }
}
