//! What only a drill shows: marks in order, response bars, acts with their proof, actions with their effect.
//!
//! Not here: pixels (`html::hero`), the post-mortem's prose (`markdown`).

use super::course::Course;
use super::response::{self, Response};
use crate::judge::account::{Account, ActionAccount, DrillAccount, ExpectationAccount};
use crate::judge::finding::Verdict;
use crate::measure::journal::{Event, Line, Source};
use crate::plan::drill::MitigationKind;
use crate::report::words;

/// What only a drill shows.
#[derive(Debug)]
pub struct DrillView {
    /// What was expected to happen.
    pub hypothesis: String,
    /// Marks on the run's clock, in order.
    pub marks: Vec<Mark>,
    /// Measured against target and limit.
    pub bars: Vec<Bar>,
    /// Acts, as rows: name, what, injected, proof, healed.
    pub acts: Vec<[String; 5]>,
    /// Actions, as rows: label, who, kind, begun, verified.
    pub actions: Vec<[String; 5]>,
    /// How it was answered.
    pub response: Response,
    /// Numbers of the incident, by label.
    pub numbers: Vec<(&'static str, String)>,
}

/// Something at an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Seconds on the run's clock.
    pub at_s: f64,
    /// What sort.
    pub kind: MarkKind,
    /// In a few words.
    pub label: String,
    /// Who says it.
    pub source: &'static str,
    /// Line of the journal; `None` for what was measured.
    pub seq: Option<u64>,
}

/// What sort of mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkKind {
    /// An act was injected.
    Act,
    /// Measured from traffic.
    Measured,
    /// An alert.
    Page,
    /// Said by a person or the robot.
    Said,
    /// Done by a person or the robot; right, at least in part.
    Action,
    /// Done by a person or the robot; it changes nothing.
    Idle,
    /// Done by a person or the robot; it makes things worse.
    Harm,
    /// In the table only.
    Note,
}

/// An expectation as a bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// Its name.
    pub name: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Measured as a share of the limit; `None` when it never happened.
    pub reach: Option<f64>,
    /// Target as a share of the limit.
    pub target: f64,
    /// Measured, target and limit in words.
    pub words: [String; 3],
}

/// The drill's part of `account`.
pub fn of(account: &Account, drill: &DrillAccount, course: &Course) -> DrillView {
    let marks = marks(account, drill);
    DrillView {
        hypothesis: words::text(&drill.about.hypothesis),
        response: response::of(account, drill, &marks, course),
        marks,
        bars: drill.expectations.iter().map(|one| bar(account, one)).collect(),
        acts: acts(drill),
        actions: actions(drill),
        numbers: numbers(drill),
    }
}

fn bar(account: &Account, one: &ExpectationAccount) -> Bar {
    let verdict = account.findings.iter().find(|finding| finding.id == one.finding).map(|finding| finding.verdict);
    let limit = if one.limit > 0.0 { one.limit } else { 1.0 };
    let show = |value: f64| words::value(value, one.unit);
    Bar {
        name: words::name(&one.name),
        verdict: verdict.unwrap_or(Verdict::Inconclusive),
        reach: one.measured.filter(|measured| measured.is_finite()).map(|measured| measured / limit),
        target: (one.target / limit).clamp(0.0, 1.0),
        words: [one.measured.map_or_else(|| "never".to_owned(), show), show(one.target), show(one.limit)],
    }
}

/// Label of the mitigation called `name`.
fn label<'a>(drill: &'a DrillAccount, name: &'a str) -> &'a str {
    drill.actions.iter().find(|action| action.name == name).map_or(name, |action| action.label.as_str())
}

/// The sort of the action called `name`.
fn done(drill: &DrillAccount, name: &str) -> MarkKind {
    match drill.actions.iter().find(|action| action.name == name).map(|action| action.kind) {
        Some(MitigationKind::NoEffect) => MarkKind::Idle,
        Some(MitigationKind::Harmful) => MarkKind::Harm,
        _ => MarkKind::Action,
    }
}

fn marks(account: &Account, drill: &DrillAccount) -> Vec<Mark> {
    let mut marks: Vec<Mark> = drill.marks.iter().filter_map(|line| mark(drill, line)).collect();
    for act in &drill.acts {
        let seen = drill.marks.iter().any(|line| matches!(&line.event, Event::Injected { id, .. } if *id == act.name));
        if let (Some(at_s), false) = (act.injected_s, seen) {
            let label = format!("{} injected", words::name(&act.name));
            marks.push(Mark { at_s, kind: MarkKind::Act, label, source: "controller", seq: act.seq });
        }
    }
    let timeline = &drill.timeline;
    let measured = [
        (timeline.impact_s, "users hurt"),
        (timeline.mitigated_s.filter(|_| timeline.mitigated_s != timeline.recovered_s), "half as bad"),
        (timeline.recovered_s, "recovered"),
    ];
    for (at_s, label) in measured.into_iter().filter_map(|(at, label)| Some((at?, label))) {
        marks.push(Mark { at_s, kind: MarkKind::Measured, label: label.to_owned(), source: "measured", seq: None });
    }
    if !account.ended.is_empty() {
        let label = words::name(&account.ended);
        marks.push(Mark { at_s: drill.end_s, kind: MarkKind::Note, label, source: "controller", seq: None });
    }
    marks.sort_by(|a, b| a.at_s.total_cmp(&b.at_s).then(a.kind.cmp(&b.kind)).then(a.seq.cmp(&b.seq)));
    marks.dedup_by(|b, a| a.label == b.label && (b.at_s - a.at_s).abs() < 0.25);
    marks
}

fn source(source: Source) -> &'static str {
    match source {
        Source::Controller => "controller",
        Source::Alert => "alert",
        Source::Player => "player",
        Source::Robot => "robot",
        Source::Measured => "measured",
        Source::Recovery => "recovery",
        Source::Keeper => "keeper",
    }
}

fn mark(drill: &DrillAccount, line: &Line) -> Option<Mark> {
    let (kind, label) = match &line.event {
        Event::Injected { id, proved, .. } => {
            let proof = if *proved { "" } else { " (no proof)" };
            (MarkKind::Act, format!("{} injected{proof}", words::name(id)))
        }
        Event::Healed { id } => (MarkKind::Note, format!("{} undone", words::name(id))),
        Event::Verified { id } => (MarkKind::Note, format!("{} read back as healed", words::name(id))),
        Event::HealFailed { id, .. } => (MarkKind::Act, format!("{} could not be healed", words::name(id))),
        Event::Page { action, summary, .. } => match action.as_str() {
            "trigger" => (MarkKind::Page, "page".to_owned()),
            "acknowledge" => (MarkKind::Said, "acknowledged".to_owned()),
            "resolve" => (MarkKind::Page, "alert clears".to_owned()),
            other => (MarkKind::Note, format!("{}: {}", words::name(other), words::name(summary))),
        },
        Event::Mark { mark, text } => said(mark, text),
        Event::Action { name } => (done(drill, name), words::name(label(drill, name))),
        Event::Effect { name, verified, .. } => {
            let seen = if *verified { "verified" } else { "not verified" };
            (MarkKind::Note, format!("{} {seen}", words::name(label(drill, name))))
        }
        Event::Phase { name } => (MarkKind::Note, format!("phase {}", words::name(name))),
        _ => return None,
    };
    let at_s = line.at_us as f64 / 1e6;
    Some(Mark { at_s, kind, label, source: source(line.source), seq: Some(line.seq) })
}

fn said(mark: &str, text: &str) -> (MarkKind, String) {
    let words = match mark {
        "acknowledged" => "acknowledged".to_owned(),
        "detected" => "detected".to_owned(),
        "command" => "takes command".to_owned(),
        "mitigated" | "resolved" => format!("says “{mark}”"),
        "note" => return (MarkKind::Note, words::name(text)),
        other => words::name(other),
    };
    (MarkKind::Said, words)
}

fn acts(drill: &DrillAccount) -> Vec<[String; 5]> {
    let at = |seconds: Option<f64>| seconds.map_or_else(|| "never".to_owned(), |at| words::instant(at, drill.t0_s));
    drill
        .acts
        .iter()
        .map(|act| {
            let proof = match (act.proved, act.proof.is_empty()) {
                (true, _) => words::text(&act.proof),
                (false, true) => "no proof came".to_owned(),
                (false, false) => format!("none: {}", words::text(&act.proof)),
            };
            let healed = match (act.healed_s, act.verified) {
                (None, _) => "never".to_owned(),
                (Some(_), true) => format!("{}, read back", at(act.healed_s)),
                (Some(_), false) => format!("{}, not read back", at(act.healed_s)),
            };
            [words::name(&act.name), words::text(&act.what), at(act.injected_s), proof, healed]
        })
        .collect()
}

/// What a mitigation is worth, in words.
pub fn worth(kind: MitigationKind) -> &'static str {
    match kind {
        MitigationKind::Correct => "right and quick",
        MitigationKind::CorrectSlow => "right, but slow",
        MitigationKind::Partial => "helps in part",
        MitigationKind::NoEffect => "changes nothing",
        MitigationKind::Harmful => "makes it worse",
    }
}

/// What it did to users: `helped (96 % → 0.1 % bad)`.
fn effect(action: &ActionAccount) -> String {
    let judged = action.effect;
    match (judged.before, judged.after) {
        (Some(before), Some(after)) => {
            format!("{} ({} → {} bad)", judged.efficacy.word(), words::share(before), words::share(after))
        }
        _ => judged.efficacy.word().to_owned(),
    }
}

fn actions(drill: &DrillAccount) -> Vec<[String; 5]> {
    let at = |seconds: f64| words::instant(seconds, drill.t0_s);
    drill
        .actions
        .iter()
        .map(|action| {
            let verified = action.verified_s.map_or_else(
                || "not verified".to_owned(),
                |seen| format!("{} ({} later)", at(seen), words::span(seen - action.at_s)),
            );
            let label = if action.label.is_empty() { &action.name } else { &action.label };
            let did = format!("{}; {}", worth(action.kind), effect(action));
            [words::name(label), words::name(&action.actor), did, at(action.at_s), verified]
        })
        .collect()
}

fn numbers(drill: &DrillAccount) -> Vec<(&'static str, String)> {
    let timeline = &drill.timeline;
    let since = |from: Option<f64>, to: Option<f64>| match (from, to) {
        (Some(from), Some(to)) => words::span(to - from),
        (Some(_), None) => "never".to_owned(),
        (None, _) => "–".to_owned(),
    };
    vec![
        ("until it was noticed", since(timeline.impact_s, timeline.detected_s)),
        ("until it was better", since(timeline.impact_s, timeline.mitigated_s)),
        ("until it was over", since(timeline.impact_s, timeline.recovered_s)),
        ("requests gone bad", words::count(drill.bad_requests)),
        ("of the period’s error budget", words::share(drill.budget_spent)),
    ]
}
