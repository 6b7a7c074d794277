//! Makes the account of a run from its plan, its journal and its record.
//!
//! Called by `cli` after a run, and for every later rendering. Not here: reading files.

use super::super::blocks::{self, Trial};
use super::super::calibration::Power;
use super::super::finding::{Finding, FindingKind, Reason, Verdict};
use super::super::recovery;
use super::super::search::{self, Course, Search};
use super::super::threshold::{Profile, Rules};
use super::super::validity::{self, Limits, Model};
use super::super::window::{self, STEADY, Stretch};
use super::super::words::advice;
use super::checked::Judge;
use super::story::Story;
use super::{Account, Band, BandKind, Generator, incident, integrity, sums};
use crate::measure::interval::Interval;
use crate::measure::journal::{Line, RunFacts};
use crate::measure::record::{Done, Head, Record};
use crate::plan::ab::AbPlan;
use crate::plan::diagnostic::Place;
use crate::plan::drill::DrillPlan;
use crate::plan::load::{LoadPlan, Pattern};
use crate::plan::threshold::{Cmp, EVERY_PHASE, Level, Scope, Subject, Threshold, Window};

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
    /// A load test whose journal is gone, and why: the record alone is judged.
    Record(&'a LoadPlan, &'a str),
    /// A capacity search on a load test; its checks are the search's own.
    Find(&'a LoadPlan, &'a Search),
    /// Two targets in interleaved blocks.
    Ab {
        /// What was compared.
        plan: &'a AbPlan,
        /// Ids of the comparisons that an earlier run found red, where that is asked for.
        confirm: Option<&'a [String]>,
        /// What the ledger lets the comparison do.
        power: Power,
    },
}

impl<'a> Planned<'a> {
    fn load(self) -> &'a LoadPlan {
        match self {
            Self::Load(plan) | Self::Find(plan, _) | Self::Gate(plan, _) | Self::Record(plan, _) => plan,
            Self::Drill(plan) => &plan.load,
            Self::Ab { plan, .. } => &plan.load,
        }
    }

    fn profile(self) -> Profile {
        match self {
            Self::Gate(_, profile) => profile,
            Self::Load(_) | Self::Record(..) | Self::Find(..) | Self::Ab { .. } => {
                self.load().gate.decide.unwrap_or(Profile::Ci)
            }
            Self::Drill(_) => self.load().gate.decide.unwrap_or(Profile::Drill),
        }
    }

    fn rules(self) -> Rules {
        Rules { profile: self.profile(), tail: self.load().gate.min_tail as f64 }
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
            if phases.is_empty() || phases.iter().any(|phase| phase == STEADY || phase == EVERY_PHASE) {
                // Without a slot nothing was measured; no phase at all would mean everything.
                *phases = if slots.is_empty() { vec!["candidate:".to_owned()] } else { slots.clone() };
            }
        }
    }

    /// What a missing journal means.
    fn lost(self) -> Option<Finding> {
        let Self::Record(_, why) = self else { return None };
        let next =
            "find the journal: without it nobody knows the phases, the faults, the plan's checks, or why the run ended";
        let texts = ["journal", "the journal of the run", "there, and whole", why, next];
        Some(Finding::plain(FindingKind::Validity, texts, (Verdict::Inconclusive, Reason::Truncated)))
    }

    /// Seconds for which load was planned, where the plan says.
    fn seconds(self) -> Option<u32> {
        let (Self::Load(plan) | Self::Gate(plan, _)) = self else { return None };
        Some(u32::try_from(plan.length().as_millis().div_ceil(1_000)).unwrap_or(u32::MAX).max(1))
    }

    /// What was run, as the journal or else the record says.
    fn facts(self, story: Story<'_>, head: &Head) -> RunFacts {
        let Self::Record(plan, _) = self else { return story.facts() };
        RunFacts {
            command: "run".to_owned(),
            name: plan.name.clone(),
            seed: head.seed,
            plan_hash: plan.hash.clone(),
            squall: head.squall.clone(),
            ..RunFacts::default()
        }
    }

    fn limits(self, seconds: &[Interval]) -> Limits {
        let open = |pattern: &Pattern| matches!(pattern, Pattern::Open { .. });
        let model =
            if self.load().workloads.iter().any(|one| open(&one.pattern)) { Model::Open } else { Model::Closed };
        let tightest = match self {
            Self::Load(_) | Self::Record(..) | Self::Gate(..) | Self::Ab { .. } => {
                validity::tightest(&self.load().checks, seconds)
            }
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
        lean: None,
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
    let mut stretches = window::stretches(&bands);
    let faults = recovery::read(story.windows(), &seconds, &mut stretches);
    bands.extend(story.faults(until_s));
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
    let judge = Judge { run, story, head: &head, rules: planned.rules(), ended: &ended, faults: &faults };
    let mut checks = planned.checks();
    planned.about_candidate(&mut checks, &stretches);
    findings.extend(checks.iter().map(|check| judge.check(check)));
    if let Planned::Ab { plan, confirm, power } = planned {
        let trial = Trial { plan, seconds: &seconds, stretches: &stretches, limits, confirm, power };
        findings.extend(blocks::of(&trial));
    }
    findings.extend(integrity::of(planned.load(), lines, &seconds));
    findings.extend(truncated(done.as_ref(), damaged));
    findings.extend(planned.lost());
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
    let totals = sums::totals(&head, &seconds, done.as_ref(), planned.seconds());
    let facts = planned.facts(story, &head);
    Account { facts, head, done, ended, bands, seconds, totals, generator, findings, exemplars, drill, search }
}

/// Puts `findings` in the place of those with the same ids, and beside the others.
pub fn replace(account: &mut Account, findings: &[Finding]) {
    account.findings.retain(|one| findings.iter().all(|other| other.id != one.id));
    account.findings.extend(findings.iter().cloned());
    sort(&mut account.findings);
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
        Planned::Load(_) | Planned::Record(..) | Planned::Gate(..) | Planned::Ab { .. } => {
            done.map(|done| done.reason.as_str())
        }
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

/// A record that ends before its run did, or lost a part.
fn truncated(done: Option<&Done>, damaged: u32) -> Option<Finding> {
    let observed = match (done, damaged) {
        (Some(_), 0) => return None,
        (None, 0) => "the record has no end".to_owned(),
        (_, lost) => format!("{lost} damaged parts of the record were dropped"),
    };
    Some(Finding::plain(
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
