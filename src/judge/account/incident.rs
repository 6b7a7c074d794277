//! The incident of a drill: measured instants from the seconds, people's instants from the journal, and what it cost.
//!
//! Called by `account::make`. Not here: the algorithm (`impact`), points (`score`).

use std::ops::Range;
use std::time::Duration;

use super::super::finding::{Finding, FindingKind, Reason, Verdict};
use super::super::impact::{self, Course, Second};
use super::super::reference;
use super::super::score::{self, Proof, Ran, Witness};
use super::super::slo::{Objective, bad_minutes};
use super::super::steady;
use super::super::uncertainty;
use super::super::words::advice;
use super::actions;
use super::story::Story;
use super::{ActAccount, Band, DrillAccount, Ranges, ReferenceAccount, Timeline};
use crate::measure::interval::Interval;
use crate::measure::journal::{Event, Line};
use crate::plan::drill::{DrillPlan, MitigationKind};
use crate::plan::load::{LoadPlan, Pattern, Workload};

/// Least share of the planned arrivals that is still the planned load.
const OFFERED: f64 = 0.95;

/// A drill's account and its findings.
pub(super) fn of(
    plan: &DrillPlan,
    story: Story<'_>,
    seconds: &[Interval],
    bands: &[Band],
) -> (DrillAccount, Vec<Finding>) {
    let frame = Frame::of(bands, seconds, story);
    let series = read(&plan.load, seconds);
    let course = Course {
        baseline: position(seconds, frame.baseline.0, f64::round)..position(seconds, frame.t0, f64::floor),
        end: position(seconds, frame.end, f64::floor),
        hold: whole(plan.phases.recovery_hold),
    };
    let course = Course { baseline: settled(course.baseline), ..course };
    let seen = impact::measure(&series, &course);
    let (mut timeline, witness) = timeline(&seen, story, &frame, seconds);
    timeline.ranges = ranges(&uncertainty::of(&series, &course, &seen), seconds);
    let acts: Vec<ActAccount> = plan.acts.iter().map(|act| story.act(act)).collect();
    let mut actions = story.actions(&plan.mitigations);
    let first_s = seconds.first().map_or(0.0, |one| f64::from(one.second));
    actions::judge(&mut actions, &acts, &series, (plan.phases.time_factor, first_s, frame.end));
    let harmful = actions.iter().filter(|one| one.kind == MitigationKind::Harmful).count() as u64;
    let injected: Vec<&ActAccount> = acts.iter().filter(|one| one.injected_s.is_some()).collect();
    let proven = !injected.is_empty() && injected.iter().all(|one| one.proved);
    let proof = match () {
        () if proven => Proof::Seen,
        () if story.begun().is_none() => Proof::Unbegun,
        () => Proof::Missing,
    };
    let ran = if story.ended() == Some("finished") { Ran::Whole } else { Ran::CutShort };
    let score = score::of(&plan.expectations, &score::Course { timeline: &timeline, harmful, proof, witness, ran });
    let felt = felt(&series, seen.impact, seen.recovered, course.end);
    let minutes = bad_minutes(felt);
    let objective = Objective { share: plan.slo.objective, period: plan.slo.period };
    let mut findings = vec![baseline(plan, story, seconds, &course)];
    findings.extend(acts.iter().map(|act| injection(act, (proof, injected.is_empty()))));
    findings.extend(score.findings);
    findings.extend(actions.iter().enumerate().map(|(n, action)| actions::finding(n, action)));
    let reference = reference(&series, &course, (&seen, seconds), plan);
    let account = DrillAccount {
        about: plan.about.clone(),
        t0_s: frame.t0,
        end_s: frame.end,
        timeline,
        acts,
        actions,
        marks: story.marks(),
        expectations: score.expectations,
        score: score.score,
        parts: score.parts,
        coverage: score.coverage,
        reference,
        budget_spent: objective.spent(minutes),
        bad_requests: felt.iter().map(|one| one.bad).sum(),
        bad_minutes: minutes,
    };
    (account, findings)
}

/// The impact series. A second is fit for recovery when the last ten had the load that was planned for them: users who
/// come back to half the traffic have not recovered.
fn read(plan: &LoadPlan, seconds: &[Interval]) -> Vec<Second> {
    let planned = planned(plan, seconds);
    let came: Vec<f64> = seconds.iter().map(|one| one.travel().planned as f64).collect();
    let last_ten = |of: &[f64], at: usize| of[(at + 1).saturating_sub(impact::WINDOW)..=at].iter().sum::<f64>();
    let second = |(at, second): (usize, &Interval)| {
        let want = last_ten(&planned, at);
        // Two standard deviations of independent arrivals are no missing load.
        let fit = last_ten(&came, at) >= OFFERED * want - 2.0 * want.sqrt();
        Second { fit, ..Second::of(&second.classes()) }
    };
    seconds.iter().enumerate().map(second).collect()
}

/// Arrivals planned for each second; 0 where users wait for answers and nothing is planned.
fn planned(plan: &LoadPlan, seconds: &[Interval]) -> Vec<f64> {
    let begun = seconds.iter().position(|one| one.travel().planned > 0).unwrap_or(seconds.len());
    let rate = |at: f64| -> f64 {
        let of = |workload: &Workload| match &workload.pattern {
            Pattern::Open { curve, .. } => curve.rate_at(at - workload.start.as_secs_f64()),
            Pattern::Closed { .. } => 0.0,
        };
        plan.workloads.iter().map(of).sum()
    };
    let second = |n: usize| n.checked_sub(begun).map_or(0.0, |since| rate(since as f64 + 0.5));
    (0..seconds.len()).map(second).collect()
}

/// Seconds from impact to recovery, or the end.
fn felt(series: &[Second], impact: Option<usize>, recovered: Option<usize>, end: usize) -> &[Second] {
    impact.and_then(|from| series.get(from..recovered.unwrap_or(end).clamp(from, series.len()))).unwrap_or_default()
}

/// Whole seconds, at least 1.
fn whole(length: Duration) -> usize {
    usize::try_from(length.as_secs() + u64::from(length.subsec_nanos() > 0)).unwrap_or(usize::MAX).max(1)
}

/// The baseline without its first seconds, which fill caches and connections.
fn settled(baseline: Range<usize>) -> Range<usize> {
    let settling = if baseline.len() > 2 * steady::SETTLING { steady::SETTLING } else { 0 };
    (baseline.start + settling).min(baseline.end)..baseline.end
}

/// The borders of a drill, seconds on the run's clock.
#[derive(Clone, Copy, Debug)]
struct Frame {
    baseline: (f64, f64),
    t0: f64,
    end: f64,
    /// The end of the last second in which a request was due.
    observed: f64,
}

impl Frame {
    fn of(bands: &[Band], seconds: &[Interval], story: Story<'_>) -> Self {
        let phase = |name: &str| bands.iter().find(|band| band.name == name);
        let loaded = seconds.iter().rev().find(|one| one.classes().total() > 0);
        let observed = loaded.map_or(0.0, |one| f64::from(one.second + 1));
        // Without an exercise everything there was is baseline.
        let t0 = phase("exercise").map_or_else(|| story.last_s().max(observed), |band| band.from_s);
        let ends = |band: &&Band| matches!(band.name.as_str(), "cleanup" | "aborting") && band.from_s >= t0;
        let end = bands.iter().find(ends).map_or(observed.max(t0), |band| band.from_s);
        let baseline = phase("steady").map_or((t0, t0), |band| (band.from_s, band.to_s.min(t0)));
        Self { baseline, t0, end, observed }
    }
}

/// The position in `seconds` of the first one at or after `at_s`, rounded.
fn position(seconds: &[Interval], at_s: f64, round: impl Fn(f64) -> f64) -> usize {
    let at = round(at_s);
    seconds.partition_point(|one| f64::from(one.second) < at)
}

fn timeline(seen: &impact::Impact, story: Story<'_>, frame: &Frame, seconds: &[Interval]) -> (Timeline, Witness) {
    let at = |position: Option<usize>| position.and_then(|n| seconds.get(n)).map(|one| f64::from(one.second));
    let since = story.begun().unwrap_or(frame.t0);
    let mark = |wanted: &'static str| move |event: &Event| matches!(event, Event::Mark { mark, .. } if mark == wanted);
    let page = story.first(since, |event| paged(event, "trigger"));
    let person = story.first(since, |event| mark("detected")(event) || mark("declare")(event));
    let detected = [page, person].into_iter().flatten().min_by_key(|line| line.seq);
    let from = detected.map_or(since, |line| line.at().secs_f64());
    let acknowledged = story.first(from, |event| mark("acknowledged")(event) || paged(event, "acknowledge"));
    let claim = |line: &Line| match &line.event {
        Event::Mark { mark, .. } if mark == "mitigated" || mark == "resolved" => {
            Some((mark.clone(), line.at().secs_f64()))
        }
        _ => None,
    };
    let instant = |line: Option<&Line>| line.map(|line| line.at().secs_f64());
    let early =
        |line: &&Line| paged(&line.event, "trigger") && story.begun().is_none_or(|at| line.at().secs_f64() < at);
    let witness = if page.is_some() && page == detected { Witness::Machine } else { Witness::Person };
    let timeline = Timeline {
        baseline_upper: seen.baseline_upper,
        // Dated to a second, but never before what caused it.
        impact_s: at(seen.impact).map(|at| if since < at + 1.0 { at.max(since) } else { at }),
        plateau: seen.plateau,
        peak: seen.peak,
        mitigated_s: at(seen.mitigated),
        recovered_s: at(seen.recovered),
        detected_s: instant(detected),
        detected_by: detected.map(who).unwrap_or_default(),
        acknowledged_s: instant(acknowledged),
        command_s: instant(story.first(frame.t0, mark("command"))),
        claims: story.0.iter().filter_map(claim).collect(),
        false_alarms: story.0.iter().filter(early).count() as u64,
        observed_until_s: frame.end.min(frame.observed.max(frame.t0)),
        ranges: Ranges::default(),
    };
    (timeline, witness)
}

fn paged(event: &Event, wanted: &str) -> bool {
    matches!(event, Event::Page { action, .. } if action == wanted)
}

fn who(line: &Line) -> String {
    match &line.event {
        Event::Page { origin, .. } => origin.clone(),
        _ if line.actor.is_empty() => "a person".to_owned(),
        _ => line.actor.clone(),
    }
}

/// The finding on the baseline; what the drill itself decided about it stands.
fn baseline(plan: &DrillPlan, story: Story<'_>, seconds: &[Interval], course: &Course) -> Finding {
    let seconds: Vec<&Interval> = seconds.get(course.baseline.clone()).unwrap_or_default().iter().collect();
    let rules = steady::Rules { objective: plan.slo.objective, p95: plan.load.good.within };
    let mut finding = steady::finding(&seconds, rules);
    if let Some(why) = story.ended().and_then(|reason| reason.strip_prefix("unsteady: ")) {
        (finding.verdict, finding.reason) = (Verdict::Inconclusive, Reason::Beyond);
        why.clone_into(&mut finding.observed);
    }
    finding
}

/// The first alert of squall's own rules.
fn reference(
    series: &[Second],
    course: &Course,
    (seen, seconds): (&impact::Impact, &[Interval]),
    plan: &DrillPlan,
) -> Option<ReferenceAccount> {
    let exercised = series.get(..course.end.min(series.len()))?;
    let alert = reference::first(exercised, (course.baseline.start, seen.impact?), seen.plateau, &plan.slo)?;
    // It rings when its second is over.
    let at_s = f64::from(seconds.get(alert.at)?.second) + 1.0;
    Some(ReferenceAccount { rule: alert.rule, at_s, in_production_s: alert.in_production })
}

/// Positions as seconds of the run's clock.
fn ranges(spans: &uncertainty::Spans, seconds: &[Interval]) -> Ranges {
    let first = seconds.first().map_or(0.0, |one| f64::from(one.second));
    let range = |span: Option<uncertainty::Span>| span.map(|(low, high)| (first + low as f64, first + high as f64));
    Ranges { impact: range(spans.impact), mitigated: range(spans.mitigated), recovered: range(spans.recovered) }
}

/// Proof that an act touched something.
fn injection(act: &ActAccount, (proof, none_was_injected): (Proof, bool)) -> Finding {
    let (verdict, reason, observed) = match (act.injected_s, act.proved) {
        (Some(_), true) => (Verdict::Pass, Reason::Within, act.proof.clone()),
        (Some(_), false) if act.proof.is_empty() => {
            (Verdict::Inconclusive, Reason::NotInjected, "no proof came in time".to_owned())
        }
        (Some(_), false) => (Verdict::Inconclusive, Reason::NotInjected, act.proof.clone()),
        (None, _) if proof == Proof::Unbegun => {
            (Verdict::Inconclusive, Reason::NotEvaluated, "no act of this drill was begun".to_owned())
        }
        (None, _) if none_was_injected => {
            (Verdict::Inconclusive, Reason::NotInjected, "no proof of any act came".to_owned())
        }
        (None, _) => (Verdict::Warn, Reason::NotEvaluated, "its moment never came".to_owned()),
    };
    let (id, subject) = (format!("proof.{}", act.name), format!("proof of {}", act.name));
    let texts = [id.as_str(), &subject, "proof that it touched the system", &observed, advice(reason)];
    let mut finding = Finding::plain(FindingKind::Injection, texts, (verdict, reason));
    if let Some(at) = act.injected_s {
        finding.evidence.window_s = (at, act.healed_s.unwrap_or(at));
    }
    finding
}
