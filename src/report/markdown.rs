//! `postmortem.md` of a drill: what is known is filled in with its evidence, what people must add is asked for.
//!
//! **a** automatic · **p** proposed, to confirm · **h** human. `[j:12]` is line 12 of the journal, `[r:60-103]` are seconds of
//! the record. Text from outside is neutralised. Not here: wording of numbers (`words`), who edits it.

use std::fmt::Write as _;

use super::view::View;
use super::view::drill::{DrillView, worth};
use super::words;
use crate::judge::account::{Account, DrillAccount};
use crate::judge::finding::{Finding, FindingKind, Verdict};
use crate::measure::histogram::Bins;
use crate::measure::journal::Event;
use crate::measure::outcome::Class;
use crate::report::view::course::sum_between;

/// The post-mortem; `None` when the run was no drill.
pub fn postmortem(account: &Account, view: &View) -> Option<String> {
    let (drill, shown) = (account.drill.as_ref()?, view.drill.as_ref()?);
    let mut text = String::new();
    head(&mut text, account, view, drill);
    impact(&mut text, account, drill);
    detection(&mut text, drill, shown);
    response(&mut text, drill, shown);
    timeline(&mut text, account, drill, shown);
    expectations(&mut text, account, drill);
    lessons(&mut text, account);
    actions(&mut text, account);
    limits(&mut text, account, view);
    Some(text)
}

/// `text` as words in a paragraph or a table cell: nothing in it is markup.
fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in words::text(text).chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '&' => safe.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '|' | '#' | '~' | '!' => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    safe
}

fn section(text: &mut String, title: &str, who: &str) {
    let _ = write!(text, "\n## {title} ({who})\n\n");
}

fn row(text: &mut String, cells: &[String]) {
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

fn table(text: &mut String, head: &[&str], rows: &[Vec<String>]) {
    row(text, &head.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>());
    row(text, &vec!["---".to_owned(); head.len()]);
    rows.iter().for_each(|cells| row(text, cells));
}

fn ask(text: &mut String, question: &str) {
    let _ = writeln!(text, "- **h** {question}\n  - _to be answered_");
}

fn head(text: &mut String, account: &Account, view: &View, drill: &DrillAccount) {
    let facts = &account.facts;
    let file = facts.files.first().map_or_else(|| facts.name.clone(), |(path, _)| path.clone());
    let _ = writeln!(text, "# Post-mortem: {}\n", safe(&view.title));
    let rows = [
        ("Date", words::utc(&account.head.start_utc)),
        ("Drill file", safe(&file)),
        ("Plan", safe(&facts.plan_hash)),
        ("Seed", facts.seed.to_string()),
        ("Verdict", format!("{}, exit code {}", view.word, view.exit_code)),
        ("Difficulty", format!("{} of 5", drill.about.difficulty)),
        ("Status", "draft".to_owned()),
        ("Authors (h)", "_to be filled in_".to_owned()),
    ];
    table(text, &["", ""], &rows.map(|(name, value)| vec![name.to_owned(), value]));
    section(text, "Summary", "p");
    let _ = writeln!(text, "{}\n\n{}", safe(&view.headline), safe(&view.subline));
    if !drill.about.hypothesis.is_empty() {
        let _ = writeln!(text, "\nHypothesis: {}", safe(&drill.about.hypothesis));
    }
}

/// Seconds of the record as evidence.
fn record(from: f64, to: f64, series: &str) -> String {
    format!("[r:{:.0}-{:.0} {series}]", from.floor(), to.ceil())
}

fn p95(bins: &Bins) -> String {
    words::time_or_dash(bins.value_at(0.95))
}

fn impact(text: &mut String, account: &Account, drill: &DrillAccount) {
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

fn journal(seq: Option<u64>) -> String {
    seq.map_or_else(|| "[r]".to_owned(), |seq| format!("[j:{seq}]"))
}

/// Line of the journal with the first event that `fits`.
fn first(drill: &DrillAccount, fits: impl Fn(&Event) -> bool) -> Option<u64> {
    drill.marks.iter().find(|line| fits(&line.event)).map(|line| line.seq)
}

fn detection(text: &mut String, drill: &DrillAccount, shown: &DrillView) {
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
    let _ = writeln!(text, "- False alarms before the first act: {}.", timeline.false_alarms);
    for (act, row) in drill.acts.iter().zip(&shown.acts) {
        let seq = first(drill, |event| matches!(event, Event::Injected { id, .. } if *id == act.name));
        let [name, what, injected, proof, undone] = row.each_ref().map(|cell| safe(cell));
        let _ = writeln!(
            text,
            "- Trigger: **{name}** ({what}), injected {injected} {}. Proof: {proof}. Undone: {undone}.",
            journal(seq)
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

fn response(text: &mut String, drill: &DrillAccount, shown: &DrillView) {
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

fn timeline(text: &mut String, account: &Account, drill: &DrillAccount, shown: &DrillView) {
    section(text, "Timeline", "a");
    let rows: Vec<Vec<String>> = shown
        .marks
        .iter()
        .map(|mark| {
            vec![
                words::time_of_day(&account.head.start_utc, mark.at_s),
                words::instant(mark.at_s, drill.t0_s),
                mark.source.to_owned(),
                safe(&mark.label),
                mark.seq.map_or_else(|| record(mark.at_s, mark.at_s + 1.0, "bad"), |seq| journal(Some(seq))),
            ]
        })
        .collect();
    table(text, &["UTC", "T+", "Source", "Event", "Evidence"], &rows);
}

fn expectations(text: &mut String, account: &Account, drill: &DrillAccount) {
    section(text, "Expectations and score", "a");
    match drill.score {
        Some(score) => {
            let _ = writeln!(
                text,
                "Score {score:.0} of 100; {} of the weight rests on measured evidence.\n",
                words::share(drill.coverage)
            );
        }
        None => text.push_str("Nothing could be scored.\n\n"),
    }
    let rows: Vec<Vec<String>> = account
        .findings
        .iter()
        .map(|one| {
            let gate = drill.expectations.iter().any(|expectation| expectation.finding == one.id && expectation.gate);
            let id = format!("{}{}", safe(&words::name(&one.id)), if gate { " (gate)" } else { "" });
            vec![one.verdict.word().to_owned(), id, safe(&one.observed), safe(&one.expected)]
        })
        .collect();
    table(text, &["Verdict", "Demand", "Seen", "Demanded"], &rows);
}

fn lessons(text: &mut String, account: &Account) {
    section(text, "What went well, badly, luckily", "p, h");
    let expected = || account.findings.iter().filter(|one| one.kind == FindingKind::Expectation);
    let line = |one: &Finding| {
        format!("- **p** {}: {}, demanded {}.", safe(&words::name(&one.id)), safe(&one.observed), safe(&one.expected))
    };
    for (title, of) in [
        ("Well", vec![Verdict::Pass]),
        ("Badly", vec![Verdict::Fail, Verdict::Inconclusive]),
        ("Only just", vec![Verdict::Warn]),
    ] {
        let _ = writeln!(text, "### {title}\n");
        let lines: Vec<String> = expected().filter(|one| of.contains(&one.verdict)).map(line).collect();
        let _ =
            writeln!(text, "{}\n", if lines.is_empty() { "- _nothing proposed_".to_owned() } else { lines.join("\n") });
    }
    ask(text, "Where were we lucky?");
}

fn actions(text: &mut String, account: &Account) {
    section(text, "Action items", "p, h");
    let missed: Vec<&Finding> = account
        .findings
        .iter()
        .filter(|one| {
            one.kind == FindingKind::Expectation && matches!(one.verdict, Verdict::Fail | Verdict::Inconclusive)
        })
        .collect();
    let mut rows: Vec<Vec<String>> = missed
        .iter()
        .map(|one| {
            let what = format!(
                "**p** Bring “{}” inside {}: it was {}",
                safe(&words::name(&one.id)),
                safe(&one.expected),
                safe(&one.observed)
            );
            let drill = safe(&account.facts.name);
            vec![
                what,
                "_prevent, detect, mitigate or process_".into(),
                "_owner_".into(),
                "_priority_".into(),
                "_due_".into(),
                drill,
            ]
        })
        .collect();
    if rows.is_empty() {
        let blank = |word: &str| format!("_{word}_");
        rows.push(["what", "type", "owner", "priority", "due", "drill"].map(blank).to_vec());
    }
    table(text, &["What", "Type", "Owner", "Priority", "Due", "Verified by drill"], &rows);
}

fn limits(text: &mut String, account: &Account, view: &View) {
    section(text, "Limits and appendix", "a, h");
    let _ = writeln!(
        text,
        "- Generator: {}. {}",
        super::view::generator_word(account.generator.verdict),
        safe(&account.generator.sentence)
    );
    for (name, value) in
        view.method.iter().filter(|(name, _)| !matches!(*name, "Clocks" | "Population" | "Precision" | "Charts"))
    {
        let _ = writeln!(text, "- {name}: {}", safe(value));
    }
    ask(text, "In what does the system under test differ from production?");
}
