//! `postmortem.md` of a drill (and `summary.md` of every run, in `summary`): what is known is filled in with its evidence, what people must add is asked for.
//!
//! **a** automatic · **p** proposed, to confirm · **h** human. `[j:12]` is line 12 of the journal, `[r:60-103]` are seconds of
//! the record. Text from outside is neutralised. Not here: wording of numbers (`words`), who edits it.

mod incident;
mod summary;

pub use summary::summary;

use std::fmt::Write as _;

use super::view::drill::DrillView;
use super::view::{View, generator_word};
use super::words;
use crate::judge::account::{Account, DrillAccount};
use crate::judge::finding::{Finding, FindingKind, Verdict};

/// The post-mortem; `None` when the run was no drill.
pub fn postmortem(account: &Account, view: &View) -> Option<String> {
    let (drill, shown) = (account.drill.as_ref()?, view.drill.as_ref()?);
    let mut text = String::new();
    head(&mut text, account, view, drill);
    incident::impact(&mut text, account, drill);
    incident::detection(&mut text, drill, shown);
    incident::response(&mut text, drill, shown);
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
    for cells in rows {
        row(text, cells);
    }
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
                mark.seq.map_or_else(
                    || incident::record(mark.at_s, mark.at_s + 1.0, "bad"),
                    |seq| incident::journal(Some(seq)),
                ),
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
                "Score {score:.0} of 100{}; {} of the weight rests on measured evidence.\n",
                parts(drill),
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

/// ` (detect 100, recover 95)`.
fn parts(drill: &DrillAccount) -> String {
    let list: Vec<String> = drill.parts.iter().map(|(part, points)| format!("{} {points:.0}", part.word())).collect();
    if list.is_empty() { String::new() } else { format!(" ({})", list.join(", ")) }
}

fn lessons(text: &mut String, account: &Account) {
    section(text, "What went well, badly, luckily", "p, h");
    let expected = || account.findings.iter().filter(|one| one.kind == FindingKind::Expectation);
    let line = |one: &Finding| {
        format!("- **p** {}: {}, demanded {}.", safe(&words::name(&one.id)), safe(&one.observed), safe(&one.expected))
    };
    for (title, of) in [
        ("Well", vec![Verdict::Pass]),
        ("Badly", vec![Verdict::Fail]),
        ("Not told by this drill", vec![Verdict::Inconclusive]),
        ("Only just", vec![Verdict::Warn]),
    ] {
        let lines: Vec<String> = expected().filter(|one| of.contains(&one.verdict)).map(line).collect();
        if lines.is_empty() && of == [Verdict::Inconclusive] {
            continue;
        }
        let _ = writeln!(text, "### {title}\n");
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
        // What nobody could measure is no fault of the response.
        .filter(|one| one.kind == FindingKind::Expectation && one.verdict == Verdict::Fail)
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
        generator_word(account.generator.verdict),
        safe(&account.generator.sentence)
    );
    for (name, value) in
        view.deeper.method.iter().filter(|(name, _)| !matches!(*name, "Clocks" | "Population" | "Precision" | "Charts"))
    {
        let _ = writeln!(text, "- {name}: {}", safe(value));
    }
    ask(text, "In what does the system under test differ from production?");
}
