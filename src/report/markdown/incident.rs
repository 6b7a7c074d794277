//! The incident itself in the post-mortem: impact, detection and trigger, response, mitigation, claims against measurement.
//!
//! Not here: the other sections and what neutralises text (`markdown`).

use std::fmt::Write as _;

use super::{ask, safe, section, table};
use crate::judge::account::{Account, DrillAccount};
use crate::measure::histogram::Bins;
use crate::measure::journal::Event;
use crate::measure::outcome::Class;
use crate::report::view::course::sum_between;
use crate::report::view::drill::{DrillView, worth};
use crate::report::words;

/// Seconds of the record as evidence.
pub(super) fn record(from: f64, to: f64, series: &str) -> String {
    format!("[r:{:.0}-{:.0} {series}]", from.floor(), to.ceil())
}

fn p95(bins: &Bins) -> String {
    words::time_or_dash(bins.value_at(0.95))
}

pub(super) fn impact(text: &mut String, account: &Account, drill: &DrillAccount) {
    section(text, "Impact", "a");
    let timeline = &drill.timeline;
    let Some(from) = timeline.impact_s else {
        let _ =
            writeln!(text, "No impact on users was measured {}.", record(drill.t0_s, timeline.observed_until_s, "bad"));
        return;
    };
    let to = timeline.recovered_s.unwrap_or(timeline.observed_until_s);
    let cell = sum_between(&account.seconds, from, to);
    let before = sum_between(&account.seconds, 0.0, drill.t0_s);
    let of = |class: Class| words::count(cell.classes.get(class));
    let clock = |at: f64| words::time_of_day(&account.head.start_utc, at);
    let ended = timeline.recovered_s.map_or_else(|| "not before the observation ended".to_owned(), clock);
    let evidence = record(from, to, "bad");
    let rows = [
        ("Instants after T+0, with the range each may lie in", instants(drill)),
        ("From, UTC", clock(from)),
        ("Until, UTC", ended),
        (
            "Lasted",
            format!("{}{}", if timeline.recovered_s.is_none() { "at least " } else { "" }, words::span(to - from)),
        ),
        (
            "Share of bad requests",
            format!("{} on the plateau, {} at the peak", words::share(timeline.plateau), words::share(timeline.peak)),
        ),
        ("Bad requests", words::count(drill.bad_requests)),
        ("Bad-minutes", format!("{:.2}", drill.bad_minutes)),
        (
            "Out of time · failed · slow · shed",
            format!("{} · {} · {} · {}", of(Class::Timeout), of(Class::Error), of(Class::Slow), of(Class::Shed)),
        ),
        (
            "Response time p95, before and during",
            format!("{} and {}", p95(&before.response.both()), p95(&cell.response.both())),
        ),
        ("Other users’ data shown", of(Class::Leak)),
        ("Old or wrong values shown", format!("{} and {}", of(Class::Stale), of(Class::Wrong))),
        ("Throttled", of(Class::Throttled)),
        ("Share of the period’s error budget", words::share(drill.budget_spent)),
    ];
    table(
        text,
        &["What", "How much", "Evidence"],
        &rows.map(|(name, value)| vec![name.to_owned(), value, evidence.clone()]),
    );
}

/// `impact 12 s [11, 13] · mitigated 71 s [70, 74]`.
fn instants(drill: &DrillAccount) -> String {
    let timeline = &drill.timeline;
    // Plus zero: what rounds to nothing has no sign.
    let since = |at: f64| (at - drill.t0_s).round() + 0.0;
    let one = |name: &str, at: Option<f64>, range: Option<(f64, f64)>| {
        let range = range.map_or_else(String::new, |(low, high)| format!(" [{:.0}, {:.0}]", since(low), since(high)));
        at.map(|at| format!("{name} {:.0} s{range}", since(at)))
    };
    let all = [
        one("impact", timeline.impact_s, timeline.ranges.impact),
        one("mitigated", timeline.mitigated_s, timeline.ranges.mitigated),
        one("recovered", timeline.recovered_s, timeline.ranges.recovered),
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

pub(super) fn journal(seq: Option<u64>) -> String {
    seq.map_or_else(|| "[r]".to_owned(), |seq| format!("[j:{seq}]"))
}

/// Line of the journal with the first event that `fits`.
fn first(drill: &DrillAccount, fits: impl Fn(&Event) -> bool) -> Option<u64> {
    drill.marks.iter().find(|line| fits(&line.event)).map(|line| line.seq)
}

pub(super) fn detection(text: &mut String, drill: &DrillAccount, shown: &DrillView) {
    section(text, "Detection and trigger", "a");
    let timeline = &drill.timeline;
    match (timeline.detected_s, timeline.impact_s) {
        (Some(at), Some(impact)) => {
            let after = drill.marks.iter().find(|line| {
                matches!(&line.event, Event::Page { action, .. } if action == "trigger")
                    && line.at_us as f64 / 1e6 >= at - 0.001
            });
            let by = if timeline.detected_by.is_empty() { "a page" } else { timeline.detected_by.as_str() };
            let _ = writeln!(
                text,
                "- Detected by {} {} after users felt it {}.",
                safe(by),
                words::span(at - impact),
                journal(after.map(|line| line.seq))
            );
        }
        (None, Some(_)) => text.push_str("- Nothing and nobody detected it before the observation ended.\n"),
        (_, None) => text.push_str("- There was nothing to detect.\n"),
    }
    if let (Some(alert), Some(impact)) = (&drill.reference, timeline.impact_s) {
        let whole = match alert.in_production_s {
            Some(after) => format!("with a whole history behind it {} after", words::span(after)),
            None => "with a whole history behind it never".to_owned(),
        };
        let _ = writeln!(
            text,
            "- Reference alert ({}): here {} after users felt it, {whole} {}.",
            safe(&alert.rule),
            words::span(alert.at_s - impact),
            record(impact, alert.at_s, "bad")
        );
    } else if timeline.impact_s.is_some() {
        text.push_str("- Reference alert: none of the rules of `slo.reference` fired.\n");
    }
    let _ = writeln!(text, "- False alarms before the first act: {}.", timeline.false_alarms);
    for (act, row) in drill.acts.iter().zip(&shown.acts) {
        let [name, what, injected, proof, undone] = row.each_ref().map(|cell| safe(cell));
        let _ = writeln!(
            text,
            "- Trigger: **{name}** ({what}), injected {injected} {}. Proof: {proof}. Undone: {undone}.",
            journal(act.seq)
        );
    }
    text.push_str("\n### Contributing causes (h)\n\n");
    for question in [
        "Why could the change reach users at all? Which test or review did not see it, and why?",
        "Which signal showed it first, and who was looking at it?",
        "What made it worse or longer than it had to be? Give the evidence, or write “hypothesis”.",
    ] {
        ask(text, question);
    }
}

pub(super) fn response(text: &mut String, drill: &DrillAccount, shown: &DrillView) {
    section(text, "Response and mitigation", "a");
    let timeline = &drill.timeline;
    let since = |from: Option<f64>, to: Option<f64>| match (from, to) {
        (Some(from), Some(to)) => words::span(to - from),
        _ => "never".to_owned(),
    };
    let seq_of = |mark: &str| first(drill, |event| matches!(event, Event::Mark { mark: said, .. } if said == mark));
    let acknowledged = first(drill, |event| matches!(event, Event::Page { action, .. } if action == "acknowledge"));
    let rows = [
        (
            "Page to acknowledgement",
            since(timeline.detected_s, timeline.acknowledged_s),
            journal(acknowledged.or_else(|| seq_of("acknowledged"))),
        ),
        ("Impact to command", since(timeline.impact_s, timeline.command_s), journal(seq_of("command"))),
        ("Impact to half as bad", since(timeline.impact_s, timeline.mitigated_s), "[r]".to_owned()),
        ("Impact to recovery", since(timeline.impact_s, timeline.recovered_s), "[r]".to_owned()),
    ];
    table(
        text,
        &["From … to …", "Time", "Evidence"],
        &rows.map(|(name, value, evidence)| vec![name.to_owned(), value, evidence]),
    );
    text.push('\n');
    let rows: Vec<Vec<String>> = drill
        .actions
        .iter()
        .zip(&shown.actions)
        .map(|(action, row)| {
            let seq = first(drill, |event| matches!(event, Event::Action { name } if *name == action.name));
            row.iter().map(|cell| safe(cell)).chain([journal(seq)]).collect()
        })
        .collect();
    if rows.is_empty() {
        text.push_str("Nobody did anything about it.\n");
    } else {
        table(text, &["Action", "By", "Worth", "Begun", "Verified", "Evidence"], &rows);
    }
    text.push_str("\n### Resolution (p, h)\n\n");
    match drill.actions.iter().rfind(|action| timeline.recovered_s.is_some_and(|at| action.at_s <= at)) {
        Some(action) => {
            let _ = writeln!(
                text,
                "- **p** Ended by “{}” ({}): a temporary remedy until the cause is mended.",
                safe(&action.label),
                worth(action.kind)
            );
        }
        None => text.push_str("- **p** No action ended it.\n"),
    }
    ask(text, "What is the permanent remedy, and when is it in place?");
    claims(text, drill);
}

fn claims(text: &mut String, drill: &DrillAccount) {
    text.push_str("\n### Claims against measurement (a)\n\n");
    let timeline = &drill.timeline;
    if timeline.claims.is_empty() {
        text.push_str("Nobody claimed that it was over.\n");
    }
    for (mark, at) in &timeline.claims {
        let measured = if mark == "mitigated" { timeline.mitigated_s } else { timeline.recovered_s };
        let seq = first(drill, |event| matches!(event, Event::Mark { mark: said, .. } if said == mark));
        let verdict = match measured {
            Some(measured) if *at >= measured => format!("true: measured {} earlier", words::span(at - measured)),
            Some(measured) => format!("premature: users were hurt for another {}", words::span(measured - at)),
            None => "not borne out by any measurement".to_owned(),
        };
        let _ =
            writeln!(text, "- “{}” at {} {}: {verdict}.", safe(mark), words::instant(*at, drill.t0_s), journal(seq));
    }
}
