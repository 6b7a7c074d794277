//! The clocks of a fault: how long until users had what they had before, and how long most of them had nothing.
//!
//! Recovery runs from `healed` to the start of the first 30 s in which p95 and the share of errors are both at most what the
//! steady phase had (the upper ends of their 95 % intervals); a first second that is provably worse does not begin it, as a
//! whole window would forgive it. Unavailable are the seconds from `injected` on, up to recovery, with less than half of the
//! steady goodput. Called by `account`. Not here: the impact on users, wherever it came from (`impact`).

use super::estimate::{self, Estimate};
use super::finding::{Reason, Verdict};
use super::threshold::Decision;
use super::window::{STEADY, Stretch, pieces};
use super::words::{quantity, subject};
use crate::measure::interval::Interval;
use crate::plan::threshold::{Scope, Subject, Threshold, Unit};
use crate::stats::proportion::wilson;
use crate::stats::quantile::{Batch, pooled};

/// Seconds that have to be as good as the steady phase.
pub const HOLD: usize = 30;
/// Which quantile has to be back.
const Q: f64 = 0.95;
/// Share of the steady goodput below which the target counts as away.
const HALF: f64 = 0.5;
/// Standard errors of a two-sided 95 % interval.
const Z: f64 = 1.96;

/// A fault as the journal knows it, seconds on the run's clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Its name.
    pub name: String,
    /// In force from here.
    pub injected_s: f64,
    /// Until here; `None`: it was not healed before the end.
    pub healed_s: Option<f64>,
}

/// What the steady phase had.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calm {
    /// Upper end of p95, µs.
    pub p95_us: f64,
    /// Upper end of the share of errors.
    pub errors: f64,
    /// Good answers per second.
    pub goodput: f64,
}

/// How a fault went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Course {
    /// From here users had what they had before, seconds on the run's clock; `None`: not while somebody looked.
    pub recovered_s: Option<f64>,
    /// Seconds of the run behind the healing, or behind the injection where nothing was healed.
    pub left_s: f64,
    /// The last seconds were good, too few of them to tell.
    pub is_open: bool,
    /// Seconds with less than half of the steady goodput.
    pub unavailable_s: u32,
}

/// The faults with how each went, and the stretches that checks can name: `fault:x`, and `recovery:x` from its healing until it
/// recovered, the next fault, or the end of the load.
pub fn read(faults: Vec<Fault>, seconds: &[Interval], stretches: &mut Vec<Stretch>) -> Vec<(Fault, Option<Course>)> {
    let load = |one: &&Stretch| one.name != "drain";
    let last = seconds.last().map_or(0, |one| one.second + 1);
    let until = stretches.iter().filter(load).map(|one| one.to).max().map_or(last, |to| to.min(last));
    let first = faults.iter().map(|one| one.injected_s).fold(f64::INFINITY, f64::min);
    let calm = calm(seconds, stretches, whole(first.floor()));
    let went = |fault: &Fault| Some(course(fault, calm.as_ref()?, seconds, until));
    let courses: Vec<Option<Course>> = faults.iter().map(went).collect();
    for (fault, course) in faults.iter().zip(&courses) {
        let to = fault.healed_s.map_or(until, |at| whole(at.ceil()));
        stretches.push(Stretch { name: format!("fault:{}", fault.name), from: whole(fault.injected_s.floor()), to });
        let Some(healed) = fault.healed_s else { continue };
        let next = faults.iter().map(|one| one.injected_s).filter(|at| *at >= healed).fold(f64::INFINITY, f64::min);
        let back = course.and_then(|course| course.recovered_s).unwrap_or(f64::INFINITY);
        let to = whole(next.min(back).round()).min(until);
        stretches.push(Stretch { name: format!("recovery:{}", fault.name), from: whole(healed.ceil()).min(to), to });
    }
    faults.into_iter().zip(courses).collect()
}

/// What the steady seconds before second `first` had; `None` where they do not tell.
fn calm(seconds: &[Interval], stretches: &[Stretch], first: u32) -> Option<Calm> {
    let scope = Scope { phases: vec![STEADY.to_owned()], ..Scope::default() };
    let mut steady = pieces(seconds, stretches, &scope, std::time::Duration::ZERO).concat();
    steady.retain(|one| one.second < first);
    let upper = |subject| {
        let found: Estimate = estimate::of(subject, &Scope::default(), &steady)?;
        Some(found.interval.map_or(found.value, |(_, high)| high)).filter(|value| value.is_finite())
    };
    let good: u64 = steady.iter().map(|one| one.flow.good).sum();
    let goodput = good as f64 / steady.len().max(1) as f64;
    Some(Calm { p95_us: upper(Subject::Quantile(Q))?, errors: upper(Subject::Errors)?, goodput })
}

/// How `fault` went, against what was calm; `until` is the first second that is not observed.
fn course(fault: &Fault, calm: &Calm, seconds: &[Interval], until: u32) -> Course {
    let at = |s: f64| whole(s.round());
    let from = at(fault.healed_s.unwrap_or(fault.injected_s));
    let observed: Vec<&Interval> = seconds.iter().filter(|one| (from..until).contains(&one.second)).collect();
    let recovered = fault.healed_s.and_then(|_| {
        observed.windows(HOLD).find(|some| begins(some, calm)).and_then(<[&Interval]>::first).map(|one| one.second)
    });
    let tail = observed.iter().rev().take(HOLD).rev().copied().collect::<Vec<_>>();
    let is_open = recovered.is_none()
        && fault.healed_s.is_some()
        && (1..tail.len()).any(|n| tail.get(n..).is_some_and(|some| begins(some, calm)));
    let away = at(fault.injected_s)..recovered.unwrap_or(until);
    let is_away = |one: &&Interval| away.contains(&one.second) && (one.flow.good as f64) < HALF * calm.goodput;
    Course {
        recovered_s: recovered.map(|second| f64::from(second).max(fault.healed_s.unwrap_or(0.0))),
        left_s: (f64::from(until) - fault.healed_s.unwrap_or(fault.injected_s)).max(0.0),
        is_open,
        unavailable_s: u32::try_from(seconds.iter().filter(is_away).count()).unwrap_or(u32::MAX),
    }
}

/// True when `some` is as good as the calm was, and its first second is not provably worse.
fn begins(some: &[&Interval], calm: &Calm) -> bool {
    let all = Scope::default();
    let value = |subject| estimate::point(subject, &all, some).map(|one| one.value);
    let holds = |subject, limit: f64| value(subject).is_some_and(|value| value <= limit);
    let first = some.get(..1).unwrap_or_default();
    let low = |batches: &[Batch]| pooled(batches).map_or(0.0, |(n, p)| wilson(p, n, Z).low);
    let late = estimate::later_than(estimate::whole(calm.p95_us), Subject::Quantile(Q), &all, first);
    let lost = estimate::never_answered(Subject::Quantile(Q), &all, first);
    holds(Subject::Quantile(Q), calm.p95_us)
        && holds(Subject::Errors, calm.errors)
        && low(&late) <= 1.0 - Q
        && low(&lost) <= calm.errors
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "float casts saturate, which is wanted")]
fn whole(seconds: f64) -> u32 {
    seconds as u32
}

/// Judges `check`, which is about a clock of a fault that went so; `None`: no such fault was in force, or nothing was calm.
pub fn decide(check: &Threshold, went: Option<(&Fault, &Course)>) -> Decision {
    let Some((fault, course)) = went else {
        return Decision::new(Verdict::Inconclusive, Reason::NoData, None);
    };
    let ends_s = course.recovered_s.unwrap_or(fault.healed_s.unwrap_or(fault.injected_s) + course.left_s);
    let window_s = (fault.injected_s, ends_s.max(fault.injected_s));
    let name = subject(check.subject);
    let Some(value_s) = value(check.subject, fault, course) else {
        let rest = quantity(course.left_s, Unit::S);
        // Too short an observation proves nothing about a clock that still runs well; one that never came is a failure.
        let (verdict, reason) = if course.is_open {
            (Verdict::Inconclusive, Reason::FewSamples)
        } else {
            (Verdict::Fail, Reason::Censored)
        };
        let said = match (fault.healed_s, course.is_open) {
            (None, _) => format!("{name} >= {rest}: {} was not healed before the end", fault.name),
            (_, true) => {
                format!("back at the end, but for less than {HOLD} s: the run lasted {rest} after the healing")
            }
            (_, false) => format!("{name} >= {rest}: not back before the end of the run"),
        };
        return Decision { said, window_s, ..Decision::new(verdict, reason, None) };
    };
    let estimate = Estimate { value: value_s * 1e6, interval: None, n: 1, unanswered: 0, n_eff: None, deff: None };
    // A clock has no interval: every profile decides it by its value.
    let holds = check.cmp.holds(estimate.value, check.bound);
    let (verdict, reason) = if holds { (Verdict::Pass, Reason::Within) } else { (Verdict::Fail, Reason::Beyond) };
    let said = format!("{name} = {}", quantity(value_s, Unit::S));
    Decision { said, window_s, ..Decision::new(verdict, reason, Some(estimate)) }
}

/// The clock's value, s; `None` when it has not stopped.
fn value(subject: Subject, fault: &Fault, course: &Course) -> Option<f64> {
    match subject {
        Subject::Unavailable => Some(f64::from(course.unavailable_s)),
        _ => Some((course.recovered_s? - fault.healed_s?).max(0.0)),
    }
}

#[cfg(test)]
mod tests;
