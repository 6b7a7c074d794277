//! What happened, in plain words: the sentence under the verdict, and the one about what was demanded.
//!
//! Written for somebody who was not there and knows no jargon. Not here: rounding (`words`), captions (`caption`).

use crate::judge::account::{Account, ActionAccount, DrillAccount};
use crate::judge::finding::{Finding, FindingKind, Verdict};
use crate::plan::drill::MitigationKind;
use crate::plan::threshold::Level;
use crate::report::words;

/// What happened.
pub fn headline(account: &Account, verdict: Verdict, exit_code: u8) -> String {
    if verdict == Verdict::Invalid {
        let why = invalid(account);
        return if why.is_empty() {
            "Nothing may be concluded: the load generator itself was not reliable.".to_owned()
        } else {
            format!("Nothing may be concluded: {why}.")
        };
    }
    let story = account.drill.as_ref().map_or_else(|| of_load(account, verdict), |drill| of_drill(account, drill));
    let ended = words::text(account.ended.trim_end_matches('.'));
    match exit_code {
        7 => format!("Something that was broken on purpose could not be healed: run “squall recover”. {story}"),
        3 | 6 | 130 | 143 if !ended.is_empty() => format!("Ended early: {ended}. {story}"),
        _ => story,
    }
}

/// What made the run invalid: the generator, or a check whose window it spoilt.
fn invalid(account: &Account) -> String {
    let check = account.findings.iter().find(|one| one.verdict == Verdict::Invalid);
    match check {
        Some(one) if account.generator.verdict != Verdict::Invalid => {
            format!("{}: {}", words::name(&one.id), words::text(&one.observed))
        }
        _ => words::text(account.generator.sentence.trim_end_matches('.')),
    }
}

fn of_drill(account: &Account, drill: &DrillAccount) -> String {
    let timeline = &drill.timeline;
    let Some(impact) = timeline.impact_s else {
        let unproved = drill.acts.iter().find(|act| act.injected_s.is_some() && !act.proved);
        return match unproved {
            Some(act) => {
                format!("Users felt nothing, and there is no proof that “{}” touched anything.", words::name(&act.name))
            }
            None if drill.acts.iter().all(|act| act.injected_s.is_none()) => {
                format!("Nothing was broken: the exercise ended before its first act. {}", traffic(account))
            }
            None if account.done.is_none() || !account.ended.is_empty() => {
                format!("No harm to users was seen as long as it was watched. {}", traffic(account))
            }
            None => format!("Users felt nothing. {}", traffic(account)),
        };
    };
    let what = if timeline.plateau > 0.0 { timeline.plateau } else { timeline.peak };
    let hurt = format!("{} of requests failed or were slow", words::share(what));
    if let Some(recovered) = timeline.recovered_s {
        let first = format!("Users were hurt for {}: {hurt}.", words::span(recovered - impact));
        return format!("{first} {}", ending(drill, recovered));
    }
    let seen = words::span((timeline.observed_until_s - impact).max(0.0));
    let tried = match drill.actions.len() {
        0 => "Nobody did anything about it.".to_owned(),
        1 => "One action was tried; it did not end it.".to_owned(),
        n => format!("{n} actions were tried; none ended it."),
    };
    format!("Users were hurt for at least {seen}, until the observation ended: {hurt}. {tried}")
}

/// The action that ended it: the last right one before recovery, or the last of all.
fn remedy(drill: &DrillAccount, recovered: f64) -> Option<&ActionAccount> {
    let before = || drill.actions.iter().filter(|action| action.at_s <= recovered);
    before()
        .rfind(|action| matches!(action.kind, MitigationKind::Correct | MitigationKind::CorrectSlow))
        .or_else(|| before().next_back())
}

fn ending(drill: &DrillAccount, recovered: f64) -> String {
    let Some(action) = remedy(drill, recovered) else {
        return "It ended without anybody’s doing.".to_owned();
    };
    let label = words::name(if action.label.is_empty() { &action.name } else { &action.label });
    let after = match drill.timeline.detected_s.filter(|page| *page <= action.at_s) {
        Some(page) => format!("{} after the page", words::span(action.at_s - page)),
        None => format!("at {}, before any page", words::instant(action.at_s, drill.t0_s)),
    };
    format!("“{label}” came {after}, and {} later users were fine again.", words::span(recovered - action.at_s))
}

fn traffic(account: &Account) -> String {
    let all = &account.totals.all;
    let n = all.arrivals();
    if n == 0 {
        return "No request was due.".to_owned();
    }
    let good = words::part(n - all.classes.bad().min(n), n);
    format!("{} at {}, {good} of them good.", words::plural(n, "request"), words::rate(account.totals.offered))
}

fn of_load(account: &Account, verdict: Verdict) -> String {
    let worst =
        account.findings.iter().filter(|finding| finding.level != Level::Info).max_by_key(|finding| rank(finding));
    let all = &account.totals.all;
    if all.arrivals() == 0 {
        return "No request was made, so nothing can be concluded.".to_owned();
    }
    match (verdict, worst) {
        (Verdict::Fail | Verdict::Inconclusive, Some(finding)) if finding.verdict > Verdict::Warn => about(finding),
        _ => traffic(account),
    }
}

/// The gravest first; among equals a person's own check before a built-in one.
fn rank(finding: &Finding) -> (Verdict, bool) {
    (finding.verdict, finding.source.is_some())
}

fn about(finding: &Finding) -> String {
    // Short ones stay in one piece, so that no line ends between a number and its unit.
    let whole = |text: &str| if text.chars().count() <= 30 { text.replace(' ', "\u{a0}") } else { text.to_owned() };
    let subject = words::text(&finding.subject);
    let (observed, expected) = (words::text(&finding.observed), whole(&words::text(&finding.expected)));
    // What is only a number reads as one sentence; what is a sentence already stands for itself.
    let number = observed.split_once(" = ").filter(|(name, _)| subject.starts_with(*name)).map(|(_, number)| number);
    let verb =
        if ["errors", "timeouts", "requests"].iter().any(|many| subject.starts_with(many)) { "were" } else { "was" };
    let seen = match number {
        Some(number) => format!("{subject} {verb} {}", whole(number)),
        None => format!("{subject}: {}", whole(&observed)),
    };
    match finding.verdict {
        Verdict::Inconclusive => format!("Too little evidence: {seen}; demanded {expected}."),
        _ if number.is_some() => format!("{}, where {expected} was demanded.", upper(&seen)),
        _ => format!("{}; demanded {expected}.", upper(&seen)),
    }
}

/// With a capital first letter.
pub fn upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What was demanded, and whether it held.
pub fn subline(account: &Account) -> String {
    let counted: Vec<&Finding> = account.findings.iter().filter(|one| one.level != Level::Info).collect();
    let of = |verdict: Verdict| counted.iter().filter(|one| one.verdict == verdict).count();
    let mut parts = vec![match (counted.len(), of(Verdict::Pass)) {
        (0, _) => "Nothing was demanded.".to_owned(),
        (1, 1) => "What was demanded held.".to_owned(),
        (all, passed) if all == passed => format!("All {all} demands held."),
        (all, passed) => {
            let others = [Verdict::Invalid, Verdict::Fail, Verdict::Inconclusive, Verdict::Warn];
            let rest = others.iter().filter(|one| of(**one) > 0).map(|one| format!("{} {}", of(*one), said(*one)));
            format!("{passed} of {all} demands held; {}.", rest.collect::<Vec<_>>().join(", "))
        }
    }];
    if let Some(drill) = &account.drill {
        let broken = counted.iter().filter(|one| one.kind == FindingKind::Expectation && one.verdict == Verdict::Fail);
        let names: Vec<String> = broken.take(4).map(|one| words::name(&one.id)).collect();
        if !names.is_empty() {
            parts.push(format!("Missed: {}.", names.join(", ")));
        }
        if drill.score.is_some() {
            parts.push(format!("{} of the score rests on measured evidence.", words::share(drill.coverage)));
        }
    }
    parts.join(" ")
}

fn said(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "held",
        Verdict::Warn => "with a warning",
        Verdict::Inconclusive => "undecided",
        Verdict::Fail => "missed",
        Verdict::Invalid => "cannot be judged",
    }
}
