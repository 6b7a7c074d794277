//! Makes the account of a run from its plan, its journal and its record.
//!
//! Called by `cli` after a run, and for every later rendering. Not here: reading files.

use super::super::blocks::{self, Trial};
use super::super::finding::{Finding, FindingKind, Reason, Verdict};
use super::super::search::{self, Course, Search};
use super::super::threshold::{self, Profile};
use super::super::validity::{self, Limits, Model};
use super::super::window::{self, Stretch};
use super::super::words::advice;
use super::story::{Story, plain};
use super::{Account, Band, BandKind, Generator, Totals, confidence, incident};
use crate::measure::interval::{Cell, Interval};
use crate::measure::journal::Line;
use crate::measure::record::{Done, Head, Record};
use crate::plan::ab::AbPlan;
use crate::plan::diagnostic::Place;
use crate::plan::drill::DrillPlan;
use crate::plan::load::{LoadPlan, Pattern};
use crate::plan::threshold::{Cmp, Level, Scope, Subject, Threshold, Window};

/// Id of the check that every run has: a dead target fails it.
const ANSWERED: &str = "squall.answered";

/// What was planned.
#[derive(Clone, Copy, Debug)]
pub enum Planned<'a> {
    /// A load test.
    Load(&'a LoadPlan),
    /// A drill.
    Drill(&'a DrillPlan),
    /// A load test, judged again by another profile.
    Gate(&'a LoadPlan, Profile),
    /// A capacity search on a load test; its checks are the search's own.
    Find(&'a LoadPlan, &'a Search),
    /// Two targets in interleaved blocks.
    Ab {
        /// What was compared.
        plan: &'a AbPlan,
        /// Ids of the comparisons that an earlier run found red, where that is asked for.
        confirm: Option<&'a [String]>,
    },
}

impl<'a> Planned<'a> {
    fn load(self) -> &'a LoadPlan {
        match self {
            Self::Load(plan) | Self::Find(plan, _) | Self::Gate(plan, _) => plan,
            Self::Drill(plan) => &plan.load,
            Self::Ab { plan, .. } => &plan.load,
        }
    }

    fn profile(self) -> Profile {
        match self {
            Self::Load(_) | Self::Find(..) | Self::Ab { .. } => Profile::Ci,
            Self::Gate(_, profile) => profile,
            Self::Drill(_) => Profile::Drill,
        }
    }

    /// Its checks, and the one that every run has.
    fn checks(self) -> Vec<Threshold> {
        if let Self::Find(..) = self {
            return Vec::new();
        }
        let mut checks = self.load().checks.clone();
        if checks.iter().all(|one| one.id != ANSWERED) {
            checks.push(answered());
        }
        checks
    }

    /// Between two arms a line against a number is about the candidate: its slots are the steady phase.
    fn about_candidate(self, checks: &mut [Threshold], stretches: &[Stretch]) {
        if !matches!(self, Self::Ab { .. }) {
            return;
        }
        let of_candidate = |one: &&Stretch| one.name.starts_with("candidate:");
        let slots: Vec<String> = stretches.iter().filter(of_candidate).map(|one| one.name.clone()).collect();
        for phases in checks.iter_mut().map(|check| &mut check.scope.phases) {
            if phases.is_empty() || phases.iter().any(|phase| phase == "steady") {
                // Without a slot nothing was measured; no phase at all would mean everything.
                *phases = if slots.is_empty() { vec!["candidate:".to_owned()] } else { slots.clone() };
            }
        }
    }

    fn limits(self, seconds: &[Interval]) -> Limits {
        let open = |pattern: &Pattern| matches!(pattern, Pattern::Open { .. });
        let model =
            if self.load().workloads.iter().any(|one| open(&one.pattern)) { Model::Open } else { Model::Closed };
        let tightest = match self {
            Self::Load(_) | Self::Gate(..) | Self::Ab { .. } => validity::tightest(&self.load().checks, seconds),
            Self::Find(_, search) => validity::tightest(&search.slo, seconds),
            Self::Drill(plan) => match plan.load.good.within {
                Some(within) => Some(within.as_secs_f64() * 1e6),
                None => validity::tightest(&plan.load.checks, seconds),
            },
        };
        Limits::new(model, tightest)
    }
}

fn answered() -> Threshold {
    Threshold {
        id: ANSWERED.to_owned(),
        level: Level::Hard,
        subject: Subject::Goodput,
        scope: Scope::default(),
        cmp: Cmp::More,
        bound: 0.0,
        window: Window::Whole,
        after: std::time::Duration::ZERO,
        abort: None,
        n_least: None,
        place: Place::default(),
    }
}

/// The account of a run. The same inputs give the same account, live and months later.
pub fn of(planned: Planned<'_>, lines: &[Line], record: Record) -> Account {
    let story = Story(lines);
    let Record { head, seconds, exemplars, done, damaged } = record;
    let until_s = seconds.last().map_or(0.0, |one| f64::from(one.second + 1)).max(story.last_s());
    let mut bands = story.phases(until_s);
    if let Planned::Load(plan) = planned {
        drained(&mut bands, plan.length().as_secs_f64(), until_s);
    }
    bands.extend(story.faults(until_s));
    let stretches = window::stretches(&bands);
    let limits = planned.limits(&seconds);
    let search = match planned {
        Planned::Find(_, search) => Some((search, search::course(search, (&bands, lines), &seconds))),
        _ => None,
    };
    // What a damaged record lost was measured: no sum over the rest can show that the generator lost count.
    let counted = done.as_ref().filter(|_| damaged == 0);
    let run = validity::Run { seconds: &seconds, stretches: &stretches, done: counted, limits };
    let (generator, mut findings) = match &search {
        // Overload is what a search is for: the generator is judged where the answer rests.
        Some((_, course)) => believed(course, &run),
        None => validity::of(&run),
    };
    let ended = ended(planned, story, done.as_ref());
    let judge = Judge { run, story, head: &head, profile: planned.profile(), ended: &ended };
    let mut checks = planned.checks();
    planned.about_candidate(&mut checks, &stretches);
    findings.extend(checks.iter().map(|check| judge.check(check)));
    if let Planned::Ab { plan, confirm } = planned {
        findings.extend(blocks::of(&Trial { plan, seconds: &seconds, stretches: &stretches, limits, confirm }));
    }
    findings.extend(truncated(done.as_ref(), damaged));
    findings.extend(story.healings());
    let drill = if let Planned::Drill(plan) = planned {
        let (drill, judged) = incident::of(plan, story, &seconds, &bands);
        findings.extend(judged);
        bands.extend(impact(&drill.timeline));
        Some(drill)
    } else {
        None
    };
    let search = search.map(|(asked, course)| {
        findings.extend(course.findings(asked));
        course
    });
    sort(&mut findings);
    let planned_s = match planned {
        Planned::Load(plan) | Planned::Gate(plan, _) => {
            Some(u32::try_from(plan.length().as_millis().div_ceil(1_000)).unwrap_or(u32::MAX).max(1))
        }
        Planned::Drill(_) | Planned::Find(..) | Planned::Ab { .. } => None,
    };
    let totals = totals(&head, &seconds, done.as_ref(), planned_s);
    let facts = story.facts();
    Account { facts, head, done, ended, bands, seconds, totals, generator, findings, exemplars, drill, search }
}

/// The generator's health in the good steps of a search.
fn believed(course: &Course, run: &validity::Run<'_>) -> (Generator, Vec<Finding>) {
    let ground = course.ground();
    let inside = |one: &&Interval| ground.iter().any(|step| (step.from..step.to).contains(&one.second));
    let seconds: Vec<Interval> = run.seconds.iter().filter(inside).cloned().collect();
    let (mut generator, findings) =
        validity::of(&validity::Run { seconds: &seconds, stretches: &ground, done: None, limits: run.limits });
    if let Some(done) = run.done {
        let finished: u64 = run.seconds.iter().map(|one| one.flow.done).sum();
        generator.cpu_us_per_request = done.cpu_us as f64 / finished.max(1) as f64;
        generator.max_rss_kib = done.max_rss_kib;
    }
    (generator, findings)
}

/// The phases of a run, from its journal; the last one ends with the run.
pub fn phases(lines: &[Line], seconds: &[Interval]) -> Vec<Band> {
    let story = Story(lines);
    story.phases(seconds.last().map_or(0.0, |one| f64::from(one.second + 1)).max(story.last_s()))
}

/// The load of a plan ends when the plan says, even where the journal heard of it late or, the last answer being in, never:
/// a second in which nothing was due must not thin the rates of those in which something was.
fn drained(bands: &mut Vec<Band>, length_s: f64, until_s: f64) {
    let Some(first) = bands.first().map(|band| band.from_s.round()) else { return };
    let over_s = first + length_s.ceil();
    bands.retain(|band| band.name != "drain");
    if let Some(last) = bands.last_mut() {
        last.to_s = until_s.min(over_s).max(last.from_s);
    }
    if until_s > over_s {
        bands.push(Band { name: "drain".to_owned(), kind: BandKind::Phase, from_s: over_s, to_s: until_s });
    }
}

/// Why the run ended early; empty when it did not.
fn ended(planned: Planned<'_>, story: Story<'_>, done: Option<&Done>) -> String {
    let reason = story.ended().or_else(|| match planned {
        Planned::Load(_) | Planned::Gate(..) | Planned::Ab { .. } => done.map(|done| done.reason.as_str()),
        // Drills and searches stop their load on purpose; only the journal knows how they went.
        Planned::Drill(_) | Planned::Find(..) => None,
    });
    reason.filter(|reason| *reason != "finished").unwrap_or_default().to_owned()
}

/// The band of measured impact.
fn impact(timeline: &super::Timeline) -> Option<Band> {
    let from_s = timeline.impact_s?;
    let to_s = timeline.recovered_s.unwrap_or(timeline.observed_until_s).max(from_s);
    Some(Band { name: "impact".to_owned(), kind: BandKind::Impact, from_s, to_s })
}

/// What checks are judged by.
#[derive(Clone, Copy)]
struct Judge<'a> {
    run: validity::Run<'a>,
    story: Story<'a>,
    head: &'a Head,
    profile: Profile,
    ended: &'a str,
}

impl Judge<'_> {
    fn check(&self, check: &Threshold) -> Finding {
        let (seconds, stretches): (_, &[Stretch]) = (self.run.seconds, self.run.stretches);
        let decision = threshold::decide(check, seconds, stretches, self.profile);
        let mut finding = threshold::finding(check, &decision, &self.head.steps);
        if check.abort.is_some() && self.ended.starts_with("aborted") && self.ended.contains(&check.id) {
            (finding.verdict, finding.reason) = (Verdict::Fail, Reason::Beyond);
        }
        let unproven = self.story.unproven();
        if check.scope.phases.iter().filter_map(|phase| phase.split_once(':')).any(|(_, name)| unproven.contains(&name))
        {
            (finding.verdict, finding.reason) = (Verdict::Inconclusive, Reason::NotInjected);
            advice(Reason::NotInjected).clone_into(&mut finding.next);
        }
        let all = window::pieces(seconds, stretches, &check.scope, check.after).concat();
        let spoilt = validity::spoils(&all, self.run.limits).or_else(|| {
            let ours = self.run.limits.model == Model::Open
                && validity::made_by_us(check, &decision, seconds, (stretches, self.profile));
            ours.then(|| "it fails from due and holds from sent: our lateness made the verdict".to_owned())
        });
        if let Some(why) = spoilt {
            finding.reason = Reason::Generator;
            // A hard check reads FAIL even where nothing may be concluded.
            if check.level != Level::Hard || finding.verdict != Verdict::Fail {
                finding.verdict = Verdict::Invalid;
            }
            finding.observed = format!("{}; {why}", finding.observed);
            advice(Reason::Generator).clone_into(&mut finding.next);
        }
        finding
    }
}

/// A record that ends before its run did, or lost a part.
fn truncated(done: Option<&Done>, damaged: u32) -> Option<Finding> {
    let observed = match (done, damaged) {
        (Some(_), 0) => return None,
        (None, 0) => "the record has no end".to_owned(),
        (_, lost) => format!("{lost} damaged parts of the record were dropped"),
    };
    Some(plain(
        FindingKind::Validity,
        ["record.truncated", "the record", "whole", &observed, advice(Reason::Truncated)],
        (Verdict::Inconclusive, Reason::Truncated),
    ))
}

/// Worst first: by what counts, then by kind and name.
fn sort(findings: &mut [Finding]) {
    let weight = |one: &Finding| super::super::finding::worst([one]);
    findings.sort_by(|a, b| {
        let by_verdict = weight(b).cmp(&weight(a)).then(b.verdict.cmp(&a.verdict));
        by_verdict.then_with(|| a.kind.cmp(&b.kind)).then_with(|| a.id.cmp(&b.id))
    });
}

fn totals(head: &Head, seconds: &[Interval], done: Option<&Done>, planned_s: Option<u32>) -> Totals {
    let mut totals = Totals { not_started: done.map_or(0, |done| done.not_started), ..Totals::default() };
    let name = |names: &[String], n: u16, what: &str| {
        names.get(usize::from(n)).cloned().unwrap_or_else(|| format!("{what} {n}"))
    };
    for second in seconds {
        totals.flow.merge(&second.flow);
        for (step, cell) in &second.steps {
            totals.all.merge(cell);
            totals.steps.entry(name(&head.steps, step.0, "step")).or_default().merge(cell);
        }
        for (aside, cell) in &second.asides {
            totals.asides.entry(aside.name(&head.steps)).or_default().merge(cell);
        }
        for (journey, travel) in &second.journeys {
            totals.journeys.entry(name(&head.journeys, journey.0, "journey")).or_default().merge(travel);
        }
    }
    totals.intervals = confidence::of(seconds, |step| name(&head.steps, step.0, "step"));
    let arrivals = |one: &&Interval| one.steps.values().any(|cell| cell.arrivals() > 0);
    if let (Some(first), Some(last)) = (seconds.iter().find(arrivals), seconds.iter().rev().find(arrivals)) {
        totals.duration_s = f64::from(last.second + 1 - first.second);
        // Later steps and late answers trail behind the last arrival: a rate is that of the seconds that were planned.
        let past =
            planned_s.map_or(last.second + 1, |length| (last.second + 1).min(first.second.saturating_add(length)));
        let planned = seconds.iter().filter(|one| (first.second..past).contains(&one.second));
        let (mut due, mut sent) = (0, 0);
        for second in planned {
            due += second.steps.values().map(Cell::arrivals).sum::<u64>();
            sent += second.flow.sent;
        }
        let length = f64::from(past - first.second);
        (totals.offered, totals.achieved) = (due as f64 / length, sent as f64 / length);
    }
    totals
}
