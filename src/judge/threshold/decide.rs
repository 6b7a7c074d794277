//! A whole scope against a bound: minimum of samples, the two decision profiles, and the arrivals nobody answered.
//!
//! Called by `threshold::decide`.

use super::super::estimate::{self, Estimate};
use super::super::finding::{Reason, Verdict};
use super::{Decision, Profile, Rules};
use crate::measure::interval::Interval;
use crate::plan::threshold::{Cmp, Outcomes, Subject, Threshold};
use crate::stats::proportion::wilson;
use crate::stats::quantile::{BATCHES_MIN, Batch, design_effect, pooled};

/// Least number of independent arrivals for a share or a rate.
const LEAST: f64 = 20.0;
/// Standard errors of a two-sided 95 % interval.
const Z: f64 = 1.96;

/// Judges the whole of `seconds` at once.
pub(super) fn whole(check: &Threshold, seconds: &[&Interval], rules: Rules) -> Decision {
    let profile = rules.profile;
    let Some(estimate) = estimate::of(check.subject, &check.scope, seconds) else {
        return Decision::new(Verdict::Inconclusive, Reason::NoData, None);
    };
    let few = |verdict, reason| Decision::new(verdict, reason, Some(estimate));
    if by_value(check) {
        if check.n_least.is_some_and(|least| estimate.n < least) {
            return few(Verdict::Inconclusive, Reason::FewSamples);
        }
        let lost = estimate.value.is_infinite() && check.cmp.is_upper();
        return match check.cmp.holds(estimate.value, check.bound) {
            true => few(Verdict::Pass, Reason::Within),
            false if lost => few(Verdict::Fail, Reason::Unanswered),
            false => few(Verdict::Fail, Reason::Beyond),
        };
    }
    if !is_enough(check, &estimate, rules) {
        return match disaster(check, seconds) {
            true if lost_too_many(check, &estimate) => few(Verdict::Fail, Reason::Unanswered),
            true => few(Verdict::Fail, Reason::Beyond),
            false => few(Verdict::Inconclusive, Reason::FewSamples),
        };
    }
    let (verdict, reason) = compare(check, &estimate, profile);
    let (verdict, reason) = unanswered(check, seconds, &estimate, profile)
        .map_or((verdict, reason), |lost| if lost.0 >= verdict { lost } else { (verdict, reason) });
    Decision::new(verdict, reason, Some(estimate))
}

/// True where no interval exists by nature: extremes, counts, and "more than nothing".
fn by_value(check: &Threshold) -> bool {
    match check.subject {
        Subject::Max | Subject::Min | Subject::Requests | Subject::GeneratorCpu => true,
        Subject::Offered | Subject::Achieved | Subject::Goodput => check.cmp == Cmp::More && check.bound <= 0.0,
        _ => false,
    }
}

/// Whether a value tells enough for another one to lean on it.
pub(super) fn tells(check: &Threshold, estimate: &Estimate, rules: Rules) -> bool {
    by_value(check) || is_enough(check, estimate, rules)
}

/// Whether there is evidence enough to judge at all.
fn is_enough(check: &Threshold, estimate: &Estimate, rules: Rules) -> bool {
    if estimate.interval.is_none() && estimate.value.is_finite() && rules.profile != Profile::Drill {
        return false;
    }
    if let Some(least) = check.n_least {
        return estimate.n >= least;
    }
    let n = estimate.n_eff.unwrap_or(estimate.n as f64);
    match check.subject {
        Subject::Quantile(q) | Subject::Lateness(q) => n * q.min(1.0 - q) >= rules.tail - 1e-9,
        Subject::Errors | Subject::Timeouts | Subject::Shed | Subject::Slow(_) | Subject::AchievedShare => {
            let thin = check.bound.min(1.0 - check.bound);
            // No number of samples resolves a bound of zero; the value decides then.
            n >= if thin > 0.0 { LEAST.max(1.0 / thin) } else { LEAST } - 1e-9
        }
        _ => n >= LEAST,
    }
}

/// Whether even few samples prove that the bound does not hold: the 95 % limit of the share on the wrong side.
fn disaster(check: &Threshold, seconds: &[&Interval]) -> bool {
    let upper = check.cmp.is_upper();
    match check.subject {
        Subject::Quantile(q) | Subject::Lateness(q) => {
            let beyond = estimate::later_than(estimate::whole(check.bound), check.subject, &check.scope, seconds);
            let Some(limits) = limits(&beyond) else { return false };
            if upper { limits.0 > 1.0 - q } else { 1.0 - limits.1 > q }
        }
        Subject::Errors | Subject::Timeouts | Subject::Shed | Subject::Slow(_) | Subject::AchievedShare => {
            let Some(share) = estimate::of(check.subject, &check.scope, seconds) else { return false };
            let limits = wilson(share.value, share.n_eff.unwrap_or(share.n as f64), Z);
            if upper { limits.low > check.bound } else { limits.high < check.bound }
        }
        _ => false,
    }
}

/// Wilson's limits of a counted share, with the design effect where enough batches tell it.
fn limits(batches: &[Batch]) -> Option<(f64, f64)> {
    let (n, p) = pooled(batches)?;
    let deff = if batches.len() < BATCHES_MIN { 1.0 } else { design_effect(batches).unwrap_or(1.0) };
    let limits = wilson(p, n / deff, Z);
    Some((limits.low, limits.high))
}

/// The comparison itself.
fn compare(check: &Threshold, estimate: &Estimate, profile: Profile) -> (Verdict, Reason) {
    let holds = check.cmp.holds(estimate.value, check.bound);
    let (low, high) = estimate.interval.unwrap_or((estimate.value, estimate.value));
    let best = if check.cmp.is_upper() { low } else { high };
    let worst = if check.cmp.is_upper() { high } else { low };
    let marginal = check.cmp.holds(best, check.bound) && !check.cmp.holds(worst, check.bound);
    match profile {
        Profile::Ci if holds => (Verdict::Pass, Reason::Within),
        Profile::Ci if marginal => (Verdict::Warn, Reason::Marginal),
        Profile::Drill if marginal => (if holds { Verdict::Pass } else { Verdict::Fail }, Reason::Marginal),
        Profile::Drill if holds => (Verdict::Pass, Reason::Within),
        Profile::Launch if holds && !marginal => (Verdict::Pass, Reason::Within),
        Profile::Launch if holds && worst.is_infinite() => (Verdict::Fail, Reason::Unbounded),
        Profile::Launch if marginal => (Verdict::Fail, Reason::Marginal),
        _ => (Verdict::Fail, Reason::Beyond),
    }
}

fn lost_too_many(check: &Threshold, estimate: &Estimate) -> bool {
    let Subject::Quantile(q) = check.subject else { return false };
    check.cmp.is_upper() && estimate.unanswered as f64 / estimate.n as f64 > 1.0 - q + 1e-12
}

/// The second half of an upper bound on a percentile of all arrivals: at most 1 - q of them may stay unanswered.
fn unanswered(
    check: &Threshold,
    seconds: &[&Interval],
    estimate: &Estimate,
    profile: Profile,
) -> Option<(Verdict, Reason)> {
    let Subject::Quantile(q) = check.subject else { return None };
    if check.scope.outcome != Outcomes::Any || !lost_too_many(check, estimate) {
        return None;
    }
    let proven = || {
        let lost = estimate::never_answered(check.subject, &check.scope, seconds);
        limits(&lost).is_some_and(|(low, _)| low > 1.0 - q)
    };
    match profile {
        Profile::Ci if !proven() => Some((Verdict::Warn, Reason::Marginal)),
        _ => Some((Verdict::Fail, Reason::Unanswered)),
    }
}
