//! Guards, free of charge: does the first slot of a block stain the second, did something move that must not, are the arms
//! under the same load?

use super::super::estimate;
use super::super::finding::{Finding, FindingKind, Reason, Verdict};
use super::super::words::{advice, quantity};
use super::Block;
use super::effect::{self, Effects};
use crate::measure::interval::Interval;
use crate::measure::sample::StepId;
use crate::plan::ab::AbPlan;
use crate::plan::diagnostic::Place;
use crate::plan::threshold::{Cmp, Comparison, Level, Margin, Scope, Subject, Unit};
use crate::stats::holm::holm;
use crate::stats::rank::{rank_sum, signed_rank};

/// Error of each guard.
const ALPHA: f64 = 0.01;
/// Difference of the arms' rates that makes them unlike.
const RATE_APART: f64 = 0.02;

/// Warns when blocks that began with the base differ from the others: what one slot leaves behind reaches the next.
pub(super) fn carry_over(comparisons: &[Comparison], effects: &[Effects]) -> Option<Finding> {
    let p: Vec<f64> = effects
        .iter()
        .map(|effects| {
            let of = |first: bool| {
                effects.kept().filter(|one| one.base_first == first).map(|one| one.beyond).collect::<Vec<_>>()
            };
            rank_sum(&of(true), &of(false))
        })
        .collect();
    let moved: Vec<&str> =
        holm(&p, ALPHA).iter().zip(comparisons).filter(|(hit, _)| **hit).map(|(_, one)| one.id.as_str()).collect();
    let smallest = p.iter().copied().fold(1.0, f64::min);
    (!moved.is_empty()).then(|| {
        let observed = format!("{} differ by order, p {smallest:.4}", moved.join("; "));
        finding(
            "ab.carry_over",
            ["order within the blocks", "no effect", &observed],
            (Verdict::Warn, Reason::CarryOver),
        )
    })
}

/// Nothing may be concluded when a step moved that the change cannot touch: something else changed with the arms.
pub(super) fn control(plan: &AbPlan, blocks: &[Block<'_>]) -> Vec<Finding> {
    let of = |(step, subject): (&StepId, Subject)| Comparison {
        id: plan.load.steps.get(usize::from(step.0)).cloned().unwrap_or_default(),
        level: Level::Must,
        subject,
        scope: Scope { steps: vec![*step], ..Scope::default() },
        cmp: Cmp::AtMost,
        margin: Margin { slack: 0.0, least_us: None },
        place: Place::default(),
    };
    let control = plan.design.control.iter();
    let looked: Vec<Comparison> =
        control.flat_map(|step| [(step, Subject::Quantile(0.5)), (step, Subject::Quantile(0.95))]).map(of).collect();
    let p: Vec<f64> = looked
        .iter()
        .map(|one| {
            let changes = effect::of(one, blocks).changes();
            let turned: Vec<f64> = changes.iter().map(|change| -change).collect();
            (2.0 * signed_rank(&changes).p.min(signed_rank(&turned).p)).min(1.0)
        })
        .collect();
    let moved = holm(&p, ALPHA);
    plan.design
        .control
        .iter()
        .zip(looked.chunks(2).zip(p.chunks(2).zip(moved.chunks(2))))
        .map(|(_, (looked, (p, moved)))| {
            let step = looked.first().map_or("", |one| one.id.as_str());
            let hit = moved.contains(&true);
            let observed = format!("p50 p {:.4}, p95 p {:.4}", p.first().unwrap_or(&1.0), p.last().unwrap_or(&1.0));
            let said = if hit { (Verdict::Invalid, Reason::ControlMoved) } else { (Verdict::Pass, Reason::Within) };
            let texts = [
                &format!("{step}, which the change cannot touch"),
                "does not move between the arms",
                observed.as_str(),
            ];
            finding(&format!("ab.control[{step}]"), texts, said)
        })
        .collect()
}

/// Why times of the two arms cannot be compared: unlike rates, or unlike failures that no comparison is about.
pub(super) fn unlike(comparisons: &[Comparison], blocks: &[Block<'_>]) -> Option<String> {
    let (base, candidate) = (all(blocks, |one| &one.base), all(blocks, |one| &one.candidate));
    let sent = |seconds: &[&Interval]| -> f64 {
        seconds.iter().flat_map(|one| one.steps.values()).map(|cell| (cell.answered() + cell.failed()) as f64).sum()
    };
    let rates = [sent(&base), sent(&candidate)].map(|sent| sent / base.len().max(1) as f64);
    let apart = (rates[1] - rates[0]).abs() / rates[0].max(rates[1]).max(f64::MIN_POSITIVE);
    if apart > RATE_APART {
        let [base, candidate] = rates.map(|rate| quantity(rate, Unit::PerS));
        return Some(format!("the arms were not under the same load: base {base}, candidate {candidate}"));
    }
    if comparisons.iter().any(|one| one.subject == Subject::Errors) {
        return None;
    }
    let errors = |seconds: &[&Interval]| estimate::of(Subject::Errors, &Scope::default(), seconds);
    let (base, candidate) = (errors(&base)?, errors(&candidate)?);
    let ((low, high), (other_low, other_high)) = (base.interval?, candidate.interval?);
    (other_low > high || low > other_high).then(|| {
        let [base, candidate] = [base.value, candidate.value].map(|share| quantity(share, Unit::Ratio));
        format!("failures differ and are not compared: base {base}, candidate {candidate}")
    })
}

fn all<'a>(blocks: &[Block<'a>], arm: for<'b> fn(&'b Block<'a>) -> &'b Vec<&'a Interval>) -> Vec<&'a Interval> {
    blocks.iter().flat_map(|block| arm(block).clone()).collect()
}

fn finding(id: &str, [subject, expected, observed]: [&str; 3], said: (Verdict, Reason)) -> Finding {
    Finding::plain(FindingKind::Validity, [id, subject, expected, observed, advice(said.1)], said)
}
