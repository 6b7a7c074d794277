//! A search read back from its journal and record: every held rate with its numbers, the answer, and the findings that say so.
//!
//! The same function tells the running search how its last rate went and makes every later report. Not here: the next rate (`super::next`).

use super::super::account::Band;
use super::super::estimate::{self, Estimate};
use super::super::finding::{Evidence, Finding, FindingKind, Reason, Verdict};
use super::super::threshold::{self, Decision, Profile, Stretch};
use super::super::validity::{self, Limits, Model};
use super::super::window::stretches;
use super::super::words::quantity;
use super::{Answer, Grade, Next, Search, Trial, next};
use crate::base::rate::Rate;
use crate::measure::interval::Interval;
use crate::measure::journal::{Event, Line};
use crate::plan::threshold::{Level, Scope, Subject, Threshold, Unit};

/// What the phase of a held rate begins with.
const STEP: &str = "step:";
/// What stands in the journal when the target came back, or did not.
const BACK: (&str, &str) = ("recovered", "not_recovered");

/// One held rate with its numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Rate, length and grade.
    pub trial: Trial,
    /// Seconds of the run: first, and the one after the last.
    pub window: (u32, u32),
    /// Arrivals per second that were begun.
    pub achieved: f64,
    /// p50, p95 and p99 of all arrivals, µs; infinite among the unanswered.
    pub times: [f64; 3],
    /// Share of failed and shed arrivals.
    pub errors: f64,
    /// Arrivals.
    pub n: u64,
    /// What decided, in words; empty when it is good.
    pub why: String,
}

/// A search as it went.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// Every held rate, in order.
    pub steps: Vec<Held>,
    /// What comes next, or the answer.
    pub next: Next,
    /// Rates after whose overload the target did not come back by itself.
    pub stuck: Vec<f64>,
}

/// Reads the search from its phases and seconds.
pub fn course(search: &Search, (bands, lines): (&[Band], &[Line]), seconds: &[Interval]) -> Course {
    let bands = stretches(bands);
    let steps: Vec<Held> = bands.iter().filter_map(|band| held(search, band, seconds)).collect();
    let trials: Vec<Trial> = steps.iter().map(|one| one.trial).collect();
    let stuck = lines.iter().filter_map(|line| match &line.event {
        Event::Mark { mark, text } if mark == BACK.1 => rate_of(text),
        _ => None,
    });
    Course { next: next(search, &trials), stuck: stuck.collect(), steps }
}

fn rate_of(text: &str) -> Option<f64> {
    text.parse::<Rate>().ok().map(Rate::get)
}

fn held(search: &Search, band: &Stretch, seconds: &[Interval]) -> Option<Held> {
    let rate = rate_of(band.name.strip_prefix(STEP)?)?;
    let inside: Vec<Interval> =
        seconds.iter().filter(|one| (band.from..band.to).contains(&one.second)).cloned().collect();
    let all: Vec<&Interval> = inside.iter().collect();
    let length = f64::from(band.to.saturating_sub(band.from));
    let holds = if length >= 1.5 * search.hold.as_secs_f64() { 2 } else { 1 };
    let (grade, why) = grade(search, (band.from, band.to), &inside);
    let of = |subject| estimate::point(subject, &Scope::default(), &all);
    let value = |subject| of(subject).map_or(f64::INFINITY, |one| one.value);
    Some(Held {
        trial: Trial { rate, holds, grade },
        window: (band.from, band.to),
        achieved: of(Subject::Achieved).map_or(0.0, |one| one.value),
        times: [0.5, 0.95, 0.99].map(|q| value(Subject::Quantile(q))),
        errors: of(Subject::Errors).map_or(0.0, |one| one.value),
        n: of(Subject::Requests).map_or(0, |one| one.n),
        why,
    })
}

/// How a rate went, and what decided.
fn grade(search: &Search, (from, to): (u32, u32), seconds: &[Interval]) -> (Grade, String) {
    let steady = [Stretch { name: "steady".to_owned(), from, to }];
    let limits = Limits::new(Model::Open, validity::tightest(&search.slo, seconds));
    let (generator, _) = validity::of(&validity::Run { seconds, stretches: &steady, done: None, limits });
    if generator.verdict == Verdict::Invalid {
        return (Grade::Spoilt, generator.sentence);
    }
    let mut worst = (Grade::Good, String::new());
    for check in &search.slo {
        let decision = threshold::decide(check, seconds, &steady, Profile::Ci);
        if validity::made_by_us(check, &decision, seconds, (&steady, Profile::Ci.into())) {
            return (Grade::Spoilt, "it fails from due and holds from sent: our lateness made the verdict".to_owned());
        }
        let grade = graded(check, &decision);
        if grade as u8 > worst.0 as u8 {
            worst = (grade, format!("{}: {}", check.id, threshold::finding(check, &decision, &[]).observed));
        }
    }
    worst
}

fn graded(check: &Threshold, decision: &Decision) -> Grade {
    let inside = |one: &Estimate| check.cmp.holds(one.value, check.bound);
    match decision.verdict {
        Verdict::Fail | Verdict::Invalid => Grade::Bad,
        Verdict::Pass => Grade::Good,
        Verdict::Inconclusive if decision.estimate.as_ref().is_some_and(inside) => Grade::Good,
        Verdict::Warn | Verdict::Inconclusive => Grade::Unclear,
    }
}

/// True when every check of the SLO holds by value in `seconds`: the target is back.
pub fn holds(search: &Search, seconds: &[&Interval]) -> bool {
    let value = |check: &Threshold| estimate::point(check.subject, &check.scope, seconds);
    search.slo.iter().all(|check| value(check).is_some_and(|one| check.cmp.holds(one.value, check.bound)))
}

impl Course {
    /// Before the first step.
    pub fn begin(search: &Search) -> Self {
        Self { steps: Vec::new(), next: next(search, &[]), stuck: Vec::new() }
    }

    /// The answer; `None` while the search goes on, or was cut off.
    pub fn answer(&self) -> Option<Answer> {
        if let Next::Done(answer) = self.next { Some(answer) } else { None }
    }

    /// Seconds of the good steps, on which the answer rests, as stretches called `steady`.
    pub fn ground(&self) -> Vec<Stretch> {
        let good = self.steps.iter().filter(|one| one.trial.grade == Grade::Good);
        good.map(|one| Stretch { name: "steady".to_owned(), from: one.window.0, to: one.window.1 }).collect()
    }

    /// What the search says: the capacity, and how the target came back from overload.
    pub fn findings(&self, search: &Search) -> Vec<Finding> {
        let mut findings = vec![self.capacity(search)];
        if let Some(rate) = self.stuck.first() {
            let rate = quantity(*rate, Unit::PerS);
            let mut stuck = self.finding("recovery", (Verdict::Warn, Reason::Beyond), None);
            stuck.kind = FindingKind::Recovery;
            stuck.level = Level::Should;
            "recovery from overload".clone_into(&mut stuck.subject);
            "back by itself within 60 s".clone_into(&mut stuck.expected);
            stuck.observed = format!("does not recover by itself at {rate} after an overload");
            "look for queues and retries that keep the target busy after the load has gone".clone_into(&mut stuck.next);
            findings.push(stuck);
        }
        findings
    }

    fn capacity(&self, search: &Search) -> Finding {
        let rate = |rate: f64| quantity(rate, Unit::PerS);
        let least = search.least.unwrap_or(0.0);
        let met = |rate: f64| search.least.is_some_and(|least| rate >= least);
        let (value, said, verdict, next) = match self.answer() {
            Some(Answer::Found { rate: found, bad }) => {
                let said = format!("{}, and no longer at {}", rate(found), rate(bad));
                let verdict =
                    if found >= least { (Verdict::Pass, Reason::Within) } else { (Verdict::Fail, Reason::Beyond) };
                (found, said, verdict, "see in the report what the first bad rate waits for")
            }
            Some(Answer::AtLeast(found)) => {
                let verdict = if met(found) {
                    (Verdict::Pass, Reason::Within)
                } else {
                    (Verdict::Inconclusive, Reason::Unbounded)
                };
                let said = format!(">= {}: the highest allowed rate held", rate(found));
                (found, said, verdict, "allow a higher rate with --max, if the target may be sent it")
            }
            Some(Answer::GeneratorBound(found)) => {
                let verdict = match search.least {
                    _ if met(found) => (Verdict::Pass, Reason::Within),
                    Some(_) => (Verdict::Invalid, Reason::Generator),
                    None => (Verdict::Inconclusive, Reason::Generator),
                };
                let said = format!(">= {} (generator-bound)", rate(found));
                (found, said, verdict, "give the generator more processor, or search from another machine")
            }
            Some(Answer::NothingHeld(first)) => {
                let below = search.least.is_some_and(|least| least >= first);
                let verdict =
                    if below { (Verdict::Fail, Reason::Beyond) } else { (Verdict::Inconclusive, Reason::NoData) };
                (
                    0.0,
                    format!("below {}: not even the first rate held", rate(first)),
                    verdict,
                    "start lower with --start",
                )
            }
            Some(Answer::Unconfirmed(last)) => {
                let said = format!("not confirmed: {} held once and not when it was held longer", rate(last));
                (0.0, said, (Verdict::Inconclusive, Reason::Marginal), "hold every rate longer with --hold")
            }
            None => {
                let said = "the search ended before it had an answer".to_owned();
                (0.0, said, (Verdict::Inconclusive, Reason::Truncated), "run the search to its end")
            }
        };
        let mut finding = self.finding("capacity", verdict, (value > 0.0).then_some(value));
        finding.observed = said;
        next.clone_into(&mut finding.next);
        let demands: Vec<&str> = search.slo.iter().map(|check| check.id.as_str()).collect();
        finding.subject = format!("highest rate at which {}", demands.join(" and "));
        finding.expected = search.least.map_or_else(|| "any".to_owned(), |least| format!(">= {}", rate(least)));
        finding.evidence.bound = search.least;
        finding
    }

    fn finding(&self, id: &str, (verdict, reason): (Verdict, Reason), value: Option<f64>) -> Finding {
        let of = |rate: f64| self.steps.iter().rev().find(|one| (one.trial.rate - rate).abs() < 1e-9);
        let (from, to) = value.and_then(of).map_or((0, 0), |one| one.window);
        Finding {
            id: id.to_owned(),
            kind: FindingKind::Threshold,
            level: Level::Must,
            verdict,
            reason,
            subject: String::new(),
            expected: String::new(),
            observed: String::new(),
            next: String::new(),
            evidence: Evidence {
                value,
                low: None,
                high: None,
                bound: None,
                unit: Unit::PerS,
                n: value.and_then(of).map_or(0, |one| one.n),
                n_eff: None,
                deff: None,
                window_s: (f64::from(from), f64::from(to)),
                compare: None,
            },
            source: None,
        }
    }
}
