//! What every format renders: order, rounding and wording decided once, so that no two formats can disagree.
//!
//! | file | holds |
//! |---|---|
//! | `course` | the run in at most 300 columns |
//! | `tables` | steps, journeys, stretches, errors, slowest requests |
//! | `checks` | the findings, worst first |
//! | `response` | the error budget, mitigations before and after, lanes by role |
//! | `compared` `versus` | two arms, and what could not be seen |
//! | `drill` | marks, response bars, acts and actions |
//! | `sentence` | what happened, in plain words |
//! | `panels` | the run around each fault |
//! | `strips` | each step in small |
//! | `standout` | what stands out, by rule |
//! | `spectrum` `strain` | every percentile; load against latency |
//! | `caption` | what each chart shows, in plain words |
//!
//! Made from an [`Account`] alone. Not here: markup, escaping, pixels (each format).

pub mod caption;
pub mod checks;
pub mod compared;
pub mod course;
pub mod drill;
pub mod panels;
pub mod response;
pub mod sentence;
pub mod spectrum;
pub mod standout;
pub mod strain;
pub mod strips;
pub mod tables;
pub mod versus;

use crate::judge::account::Account;
use crate::judge::finding::{Verdict, worst};

use super::words;
use checks::Check;
use course::Course;
use drill::DrillView;
use panels::Panels;
use spectrum::Spectrum;
use standout::Standout;
use strain::Strain;
use tables::Tables;
use versus::Versus;

/// What every format renders.
#[derive(Debug)]
pub struct View {
    /// Title of the drill, or name of the scenario.
    pub title: String,
    /// Verdict of the run.
    pub verdict: Verdict,
    /// The verdict as a word for people: `Passed`, `Failed`, `Aborted`, …
    pub word: &'static str,
    /// The exit code that goes with it.
    pub exit_code: u8,
    /// What happened, in one or two sentences.
    pub headline: String,
    /// What was demanded, and whether it held.
    pub subline: String,
    /// Facts of the strip, by label.
    pub facts: Vec<(&'static str, String)>,
    /// Findings, worst first.
    pub checks: Vec<Check>,
    /// What stands out, and the pictures of the whole run.
    pub deeper: Deeper,
    /// The tables.
    pub tables: Tables,
    /// The course of the run.
    pub course: Course,
    /// For a drill.
    pub drill: Option<DrillView>,
}

/// What goes deeper than the course over time, for those who want to know.
#[derive(Debug)]
pub struct Deeper {
    /// What stands out, gravest first.
    pub standouts: Vec<Standout>,
    /// The run around each fault.
    pub panels: Panels,
    /// Every percentile; `None` when nothing was answered.
    pub spectrum: Option<Spectrum>,
    /// Load against latency; `None` for a run too short for it.
    pub strain: Option<Strain>,
    /// Two arms beside each other.
    pub versus: Versus,
    /// How it was measured, and what it cannot say.
    pub method: Vec<(&'static str, String)>,
}

/// The view of `account`, which ended with `exit_code`.
pub fn of(account: &Account, exit_code: u8) -> View {
    let verdict = verdict(account, exit_code);
    let course = course::of(account);
    let facts = &account.facts;
    let title = account.drill.as_ref().map_or(&facts.name, |drill| &drill.about.title);
    View {
        title: words::name(if title.is_empty() { &facts.name } else { title }),
        verdict,
        word: word(verdict, exit_code),
        exit_code,
        headline: sentence::headline(account, verdict, exit_code),
        subline: sentence::subline(account),
        facts: strip(account),
        checks: checks::of(account),
        deeper: Deeper {
            standouts: standout::of(account, &course),
            panels: panels::of(account),
            spectrum: spectrum::of(account),
            strain: strain::of(account),
            versus: versus::of(account),
            method: method(account, &course),
        },
        tables: tables::of(account, &course),
        drill: account.drill.as_ref().map(|drill| drill::of(account, drill, &course)),
        course,
    }
}

/// The verdict of the run: the worst finding, where the exit code does not say something graver.
pub fn verdict(account: &Account, exit_code: u8) -> Verdict {
    let worst = match account.totals.all.arrivals() {
        // No data never passes, whatever was demanded.
        0 => worst(&account.findings).max(Verdict::Inconclusive),
        _ => worst(&account.findings),
    };
    match exit_code {
        1 | 7 => Verdict::Fail,
        4 => Verdict::Inconclusive,
        5 => Verdict::Invalid,
        3 | 6 | 130 | 143 => worst.max(Verdict::Inconclusive),
        _ => worst,
    }
}

fn word(verdict: Verdict, exit_code: u8) -> &'static str {
    match exit_code {
        3 => return "Could not run",
        6 => return "Aborted",
        7 => return "Not healed",
        130 | 143 => return "Interrupted",
        _ => {}
    }
    match verdict {
        Verdict::Pass => "Passed",
        Verdict::Warn => "Passed with warnings",
        Verdict::Inconclusive => "Inconclusive",
        Verdict::Fail => "Failed",
        Verdict::Invalid => "Invalid",
    }
}

/// The word for the generator's own verdict.
pub fn generator_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "valid",
        Verdict::Invalid => "invalid",
        _ => "suspect",
    }
}

/// The first characters of a digest.
pub fn short(hash: &str) -> String {
    words::name(hash).chars().take(10).collect()
}

fn strip(account: &Account) -> Vec<(&'static str, String)> {
    let facts = &account.facts;
    let mut strip = vec![
        ("Generator", generator_word(account.generator.verdict).to_owned()),
        ("Duration", words::span(account.totals.duration_s)),
        ("Requests", words::count(account.totals.all.arrivals())),
    ];
    if let Some(score) = account.drill.as_ref().and_then(|drill| drill.score) {
        strip.push(("Score", format!("{score:.0}\u{202f}/\u{202f}100")));
    }
    strip.push(("Seed", facts.seed.to_string()));
    strip.push(("Plan", short(&facts.plan_hash)));
    strip.push(("Started", words::utc(&account.head.start_utc)));
    strip
}

fn method(account: &Account, course: &Course) -> Vec<(&'static str, String)> {
    let (facts, head) = (&account.facts, &account.head);
    let host = &head.host;
    let mut rows = vec![
        ("Repeat it", words::text(&facts.repeat)),
        ("Target", words::text(&facts.target)),
        ("Plan", words::name(&facts.plan_hash)),
        ("Seed", format!("{}: one seed and one plan give the same arrivals and draws, whatever the machine", facts.seed)),
        (
            "Clocks",
            "Response time counts from the instant a request was due, not from when it was sent: waiting inside the \
             generator is never hidden. Service time counts from sending; lateness is the difference, our own fault."
                .to_owned(),
        ),
        (
            "Population",
            "An arrival belongs to the second in which it was due. In tables an unanswered arrival (failed or shed) \
             ranks above every answer, so such a percentile reads ≥; in charts a failure stands at the time it was given up."
                .to_owned(),
        ),
        ("Precision", "Times are whole microseconds in bins of 0.1 %; percentiles are ranks of merged bins, never averages.".to_owned()),
        ("Charts", format!("Columns of {} s; counts and maxima are sums of whole seconds.", course.step_s)),
        (
            "Measured on",
            format!("{}, {}, {} MiB of memory, Linux {}", words::name(&host.cpu), words::plural(host.cores as u64, "core"), words::count(host.memory_mib), words::name(&host.kernel)),
        ),
        ("Version", format!("squall {}, record schema {}", words::name(&facts.squall), head.schema)),
    ];
    if account.done.is_none() {
        rows.push((
            "Cut off",
            "The record has no end: the run was killed, and only what was written before is judged.".to_owned(),
        ));
    }
    if !account.ended.is_empty() {
        rows.push(("Ended early", words::text(&account.ended)));
    }
    if let Some((_, value)) = facts.settings.iter().find(|(name, _)| name == "rehearsed") {
        let said = if value == "yes" { "yes, and every control passed" } else { "never, or not every control passed" };
        rows.push(("Rehearsed", said.to_owned()));
    }
    for (name, value) in facts.settings.iter().filter(|(name, _)| name != "rehearsed") {
        rows.push(("Setting", format!("--{} {}", words::name(name), words::name(value))));
    }
    for (path, _) in &facts.files {
        rows.push(("File", words::name(path)));
    }
    rows
}
