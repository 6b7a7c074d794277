//! The findings of comparisons: numbers in words, evidence, and what to do next.

use super::super::finding::{Compare, Evidence, Finding, FindingKind, Reason, Verdict};
use super::super::words::{advice, margin, percentile, subject};
use super::Block;
use super::decide::Decision;
use super::effect::{self, Effects, NEVER};
use crate::plan::ab::AbPlan;
use crate::plan::threshold::{Comparison, Subject, Unit};
use crate::stats::EXACT_MOST;
use crate::stats::holm::{blocks_needed, blocks_to_see};
use crate::stats::portable::{exp, ln};
use crate::stats::shift::{QUANTILES, Shift, shift};

/// The finding of `one`.
pub(super) fn finding(
    one: &Comparison,
    (effects, decision): (&Effects, &Decision),
    blocks: &[Block<'_>],
    plan: &AbPlan,
) -> Finding {
    let what = what(one, &plan.load.steps);
    let shift = shifts(one, blocks, plan.design.alpha);
    Finding {
        id: one.id.clone(),
        kind: FindingKind::Comparison,
        level: one.level,
        verdict: decision.verdict,
        reason: decision.reason,
        subject: format!("{what} against the baseline"),
        expected: format!("{} {}", one.cmp.sign(), margin(one.margin, one.subject)),
        observed: observed(one, decision),
        next: moved(decision.reason, &shift).unwrap_or_else(|| next(one, effects, (decision, plan))),
        evidence: evidence(
            one,
            (effects, decision),
            blocks,
            Compare {
                what,
                margin: margin(one.margin, one.subject),
                w: decision.test.w,
                w_max: decision.test.w_max,
                p: decision.test.p,
                alpha: plan.design.alpha,
                m: decision.m,
                stage: (decision.stage, plan.design.stages),
                sd: decision.sd,
                mde: decision.detectable.map(|change| shown(one.subject, change)),
                blocks: effects.kept().map(|one| (one.change, one.base_first)).collect(),
                shift,
            },
        ),
        source: (one.place.line > 0).then(|| one.place.clone()),
    }
}

/// Gives a finding another verdict, and says why.
pub(super) fn overrule(finding: &mut Finding, (verdict, reason): (Verdict, Reason), why: &str) {
    (finding.verdict, finding.reason) = (verdict, reason);
    finding.observed = format!("{}; {why}", finding.observed);
    advice(reason).clone_into(&mut finding.next);
}

/// `p95 /api/checkout`.
fn what(one: &Comparison, steps: &[String]) -> String {
    let names = one.scope.steps.iter().filter_map(|step| steps.get(usize::from(step.0)).map(String::as_str));
    let names: Vec<&str> = names.collect();
    if names.is_empty() { subject(one.subject) } else { format!("{} {}", subject(one.subject), names.join("|")) }
}

/// A change as it is shown and kept: a ratio less 1, or a difference of shares.
fn shown(subject: Subject, change: f64) -> f64 {
    if subject.is_share() { change } else { exp(change) - 1.0 }
}

/// `+8.2`, without unit.
fn percent(subject: Subject, change: f64) -> String {
    match change {
        change if change >= NEVER / 2.0 => "without end".to_owned(),
        change if change <= -NEVER / 2.0 => "-100".to_owned(),
        change if subject.is_share() => format!("{:+.2}", change * 100.0),
        change => format!("{:+.1}", shown(subject, change) * 100.0),
    }
}

/// `+8.2 % [+5.7, +10.4]`.
fn observed(one: &Comparison, decision: &Decision) -> String {
    let Some(centre) = decision.centre else { return "no block could be compared".to_owned() };
    let unit = if one.subject.is_share() { "pp" } else { "%" };
    let say = |change| percent(one.subject, change);
    let bounds = decision.bounds.map(|(low, high)| format!(" [{}, {}]", say(low), say(high))).unwrap_or_default();
    format!("{} {unit}{bounds}", say(centre))
}

/// Which part of the distribution moved, where it is proven that some did.
fn moved(reason: Reason, shift: &[Shift]) -> Option<String> {
    let away = |one: &&Shift| one.low.is_some_and(|low| low > 1.0) || one.high.is_some_and(|high| high < 1.0);
    let first = shift.iter().find(away).filter(|_| reason == Reason::Beyond)?;
    Some(if first.q <= 0.5 {
        "the whole distribution moved, not only the tail: look for what every request now does".to_owned()
    } else {
        format!("only the tail moved, from {} on: look for what only the slowest requests meet", percentile(first.q))
    })
}

fn next(one: &Comparison, effects: &Effects, (decision, plan): (&Decision, &AbPlan)) -> String {
    let design = &plan.design;
    match decision.reason {
        Reason::Unresolvable => {
            format!("{} whole blocks would do", blocks_needed(decision.m, design.stages, design.alpha))
        }
        Reason::LowPower => {
            let size = one.margin.slack.abs();
            let size = if one.subject.is_share() { size } else { ln(1.0 + size) };
            let alpha = design.alpha_of_stage() / decision.m.max(1) as f64;
            let least = effects.all.len() + 1;
            decision.sd.and_then(|sd| blocks_to_see(size, sd, alpha, (least, EXACT_MOST))).map_or_else(
                || advice(Reason::LowPower).to_owned(),
                |n| format!("{n} blocks would show a change of {} beyond the margin", margin(one.margin, one.subject)),
            )
        }
        reason => advice(reason).to_owned(),
    }
}

fn evidence(
    one: &Comparison,
    (effects, decision): (&Effects, &Decision),
    blocks: &[Block<'_>],
    compare: Compare,
) -> Evidence {
    let finite = |change: f64| (change.abs() < NEVER / 2.0).then(|| shown(one.subject, change));
    let seconds = || blocks.iter().flat_map(|block| block.base.iter().chain(&block.candidate)).map(|one| one.second);
    Evidence {
        value: decision.centre.and_then(finite),
        low: decision.bounds.and_then(|(low, _)| finite(low)),
        high: decision.bounds.and_then(|(_, high)| finite(high)),
        bound: Some(one.margin.slack),
        unit: Unit::Ratio,
        n: effects.kept().count() as u64,
        n_eff: Some(effects.kept().count() as f64),
        deff: Some(1.0),
        window_s: (
            seconds().min().map_or(0.0, f64::from),
            seconds().max().map_or(0.0, |second| f64::from(second) + 1.0),
        ),
        compare: Some(Box::new(compare)),
    }
}

/// How every quantile moved, for times.
fn shifts(one: &Comparison, blocks: &[Block<'_>], alpha: f64) -> Vec<Shift> {
    if !one.subject.is_latency() {
        return Vec::new();
    }
    let at = |q: &f64| {
        let pairs: Vec<(f64, f64)> = blocks
            .iter()
            .map(|block| effect::values(Subject::Quantile(*q), &one.scope, block))
            .map(|[base, candidate]| (base, candidate))
            .collect();
        shift(*q, &pairs, alpha)
    };
    QUANTILES.iter().filter_map(at).collect()
}
