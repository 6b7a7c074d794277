//! A drill like the midnight flag, as judged: what the pictures and the golden files are made of.
//!
//! Not here: any assertion.

use super::{Dice, finding, made, phase, second};
use crate::base::clock::Tick;
use crate::judge::account::{
    Account, ActAccount, ActionAccount, Band, BandKind, DrillAccount, ExpectationAccount, Ranges, ReferenceAccount,
    Timeline,
};
use crate::judge::efficacy::{Efficacy, Judged};
use crate::judge::finding::{Evidence, Finding, FindingKind, Reason, Verdict};
use crate::judge::score::Part;
use crate::measure::journal::{Event, Line, Source};
use crate::plan::diagnostic::Place;
use crate::plan::drill::{About, MitigationKind};
use crate::plan::threshold::Unit;
use crate::report::words;

/// Line `seq` of the journal, at second `at`.
pub(super) fn line(seq: u64, at: f64, source: Source, event: Event) -> Line {
    let actor = if source == Source::Robot { "IC".to_owned() } else { String::new() };
    Line { seq, at_us: Tick::from_secs_f64(at).micros(), utc: String::new(), source, actor, event, prev: String::new() }
}

fn page(action: &str) -> Event {
    let (action, summary) = (action.to_owned(), "checkout: 41 % bad".to_owned());
    Event::Page { action, summary, origin: "shop alert".into(), dedup_key: "bad-ratio".into() }
}

fn said(mark: &str) -> Event {
    Event::Mark { mark: mark.into(), text: String::new() }
}

/// The share of bad requests, in percent, at second `at`.
fn bad(at: u32) -> u64 {
    match at {
        62 => 22,
        63..=100 => 61,
        101..=103 => 34,
        104 => 9,
        _ => 0,
    }
}

/// A drill like the midnight flag: a clean minute, 43 s of harm, a page after 12 s, the flag killed, recovery.
pub(in crate::report) fn drill() -> Account {
    let mut dice = Dice(3);
    let seconds = (0..150).map(|at| second(at, 100, bad(at), &mut dice)).collect();
    let mut account = made("drill", "midnight_flag", seconds);
    account.bands = vec![
        phase("baseline", 0.0, 60.0),
        phase("exercise", 60.0, 112.0),
        phase("watching", 112.0, 132.0),
        phase("cleanup", 132.0, 150.0),
        Band { name: "ship".into(), kind: BandKind::Fault, from_s: 60.4, to_s: 96.1 },
        Band { name: "impact".into(), kind: BandKind::Impact, from_s: 62.0, to_s: 105.0 },
    ];
    account.findings = drill_findings();
    account.drill = Some(DrillAccount {
        about: about(),
        t0_s: 60.0,
        end_s: 132.0,
        timeline: timeline(),
        acts: vec![ActAccount {
            name: "ship".into(),
            what: "PUT /admin/flags/smart_cart".into(),
            injected_s: Some(60.4),
            seq: Some(6),
            healed_s: Some(96.1),
            verified: true,
            proof: PROOF.into(),
            proved: true,
        }],
        actions: vec![ActionAccount {
            name: "kill_flag".into(),
            label: "Kill feature flag smart_cart".into(),
            kind: MitigationKind::Correct,
            actor: "IC".into(),
            at_s: 95.1,
            verified_s: Some(100.3),
            effect: Judged { efficacy: Efficacy::Helped, before: Some(0.612), after: Some(0.002) },
        }],
        marks: marks(),
        expectations: expectations(),
        score: Some(97.0),
        parts: vec![(Part::Detect, 100.0), (Part::Command, 100.0), (Part::Recover, 95.0)],
        coverage: 0.86,
        reference: Some(ReferenceAccount { rule: "14.4x over 1 h".into(), at_s: 64.0, in_production_s: Some(85.0) }),
        budget_spent: 0.021,
        bad_requests: 2_451,
        bad_minutes: 0.41,
    });
    account
}

const PROOF: &str = "$.flags.smart_cart.serving is true";

fn about() -> About {
    About {
        title: "The night we almost took the product offline".into(),
        briefing: "23:40. You are on call.".into(),
        hypothesis: "Killing one flag brings the shop below 1 % bad within 20 minutes, without a deploy.".into(),
        objectives: vec!["detect by symptom".into()],
        difficulty: 2,
    }
}

fn timeline() -> Timeline {
    Timeline {
        baseline_upper: 0.004,
        impact_s: Some(62.0),
        plateau: 0.612,
        peak: 0.67,
        mitigated_s: Some(101.0),
        recovered_s: Some(105.0),
        detected_s: Some(74.1),
        detected_by: "shop alert".into(),
        acknowledged_s: Some(77.1),
        command_s: Some(78.1),
        claims: vec![("resolved".into(), 112.0)],
        false_alarms: 0,
        observed_until_s: 150.0,
        ranges: Ranges { impact: Some((61.0, 63.0)), mitigated: Some((100.0, 103.0)), recovered: Some((104.0, 107.0)) },
    }
}

fn marks() -> Vec<Line> {
    let kill = "kill_flag".to_owned();
    vec![
        line(6, 60.4, Source::Controller, Event::Injected { id: "ship".into(), proof: PROOF.into(), proved: true }),
        line(9, 74.1, Source::Alert, page("trigger")),
        line(10, 77.1, Source::Robot, page("acknowledge")),
        line(11, 78.1, Source::Robot, said("command")),
        line(15, 95.1, Source::Robot, Event::Action { name: kill.clone() }),
        line(16, 100.3, Source::Measured, Event::Effect { name: kill, verified: true, text: "false".into() }),
        line(18, 108.0, Source::Alert, page("resolve")),
        line(19, 112.0, Source::Robot, said("resolved")),
        line(24, 132.8, Source::Controller, Event::Verified { id: "ship".into() }),
    ]
}

/// Name, measured, target, limit, weight.
const TARGETS: [(&str, Option<f64>, f64, f64, f64); 6] = [
    ("detect", Some(12.1), 20.0, 30.0, 20.0),
    ("ack", Some(3.0), 5.0, 15.0, 10.0),
    ("command", Some(16.1), 10.0, 30.0, 5.0),
    ("mitigate", Some(39.0), 60.0, 90.0, 20.0),
    ("recover", Some(43.0), 120.0, 150.0, 20.0),
    ("no_harm", Some(0.0), 0.0, 1.0, 5.0),
];

fn expectations() -> Vec<ExpectationAccount> {
    TARGETS
        .iter()
        .map(|(name, measured, target, limit, weight)| ExpectationAccount {
            name: (*name).into(),
            finding: (*name).into(),
            measured: *measured,
            target: *target,
            limit: *limit,
            unit: if *name == "no_harm" { Unit::Count } else { Unit::S },
            weight: *weight,
            gate: *name == "no_harm",
        })
        .collect()
}

fn drill_findings() -> Vec<Finding> {
    let one = |(name, measured, target, limit, _): &(&str, Option<f64>, f64, f64, f64)| {
        let verdict = if measured.is_some_and(|seen| seen <= *target) { Verdict::Pass } else { Verdict::Warn };
        let count = *name == "no_harm";
        let unit = if count { Unit::Count } else { Unit::S };
        let show = |value: f64| words::value(value, unit);
        let evidence = Evidence {
            value: *measured,
            low: None,
            high: None,
            bound: Some(*limit),
            unit,
            n: 0,
            n_eff: None,
            deff: None,
            window_s: (60.0, 132.0),
            compare: None,
        };
        let plain = finding(name, verdict, [0.0; 4]);
        Finding {
            kind: FindingKind::Expectation,
            reason: if verdict == Verdict::Pass { Reason::Within } else { Reason::Marginal },
            subject: if count { "harmful actions".into() } else { format!("time to {name}") },
            expected: format!("{}, at most {}", show(*target), show(*limit)),
            observed: measured.map_or_else(|| "never".into(), show),
            next: String::new(),
            evidence,
            source: Some(Place { file: "scenarios/midnight_flag.ron".into(), line: 40, ..Place::default() }),
            ..plain
        }
    };
    TARGETS.iter().map(one).collect()
}
