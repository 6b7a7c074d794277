//! How a drill was answered: the error budget as it went, each mitigation before and after, and who did what when.
//!
//! Not here: instants of the incident and what it cost in total (`judge`), pixels (`html::response`).

use std::collections::BTreeMap;

use super::course::{self, Column, Course};
use super::drill::{Mark, MarkKind};
use crate::judge::account::{Account, DrillAccount};
use crate::plan::drill::MitigationKind;
use crate::report::words;
use crate::stats::proportion::wilson;

/// Seconds before and after a mitigation that are compared.
const AROUND_S: f64 = 15.0;
/// Standard errors of a 95 % interval.
const Z: f64 = 1.96;

/// How a drill was answered.
#[derive(Debug)]
pub struct Response {
    /// The error budget; `None` when nothing was spent of it.
    pub budget: Option<Budget>,
    /// Mitigations in order.
    pub effects: Vec<Effect>,
    /// Who did something, in order of their first deed.
    pub lanes: Vec<Lane>,
}

/// The period's error budget, column by column of the course.
#[derive(Debug)]
pub struct Budget {
    /// Share of it that this incident has spent until the end of the column.
    pub spent: Vec<(f64, f64)>,
    /// At this speed the whole budget would be gone in so many seconds; `None`: it never would.
    pub lasts: Vec<(f64, Option<f64>)>,
    /// What the picture says.
    pub caption: String,
}

/// A mitigation: what was bad before it began and after it had taken effect.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// What its button says.
    pub label: String,
    /// What it is worth.
    pub kind: MitigationKind,
    /// The seconds before it began.
    pub before: Option<Share>,
    /// The seconds after it was verified, or after it began where it never was.
    pub after: Option<Share>,
}

/// A share of bad requests with Wilson's 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// The share, 0 to 1.
    pub value: f64,
    /// Lower limit.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
}

/// What one person or machine did.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// Role, or what it is.
    pub who: String,
    /// Deeds in order.
    pub marks: Vec<Mark>,
}

/// How the drill of `account` was answered; `marks` are those of the hero chart.
pub fn of(account: &Account, drill: &DrillAccount, marks: &[Mark], course: &Course) -> Response {
    Response { budget: budget(drill, course), effects: effects(account, drill), lanes: lanes(drill, marks) }
}

/// Minutes of the period that may be wholly bad, from what was spent of them.
fn minutes(drill: &DrillAccount) -> Option<f64> {
    (drill.budget_spent > 0.0 && drill.bad_minutes > 0.0).then(|| drill.bad_minutes / drill.budget_spent)
}

fn budget(drill: &DrillAccount, course: &Course) -> Option<Budget> {
    let minutes = minutes(drill)?;
    let impact = drill.timeline.impact_s?;
    let until = drill.timeline.recovered_s.unwrap_or(drill.end_s);
    let (mut sum, mut spent, mut lasts) = (0.0, vec![(course.from_s, 0.0)], Vec::new());
    for column in &course.columns {
        let inside = (column.to_s().min(until) - column.from_s.max(impact)).max(0.0);
        sum += column.bad().unwrap_or(0.0) * inside;
        spent.push((column.to_s(), sum));
        lasts.push((column.middle_s(), speed(column, minutes)));
    }
    // Columns may hold less than whole seconds of the incident; the total is the account's.
    let scale = if sum > 0.0 { drill.budget_spent / sum } else { 0.0 };
    for (_, part) in &mut spent {
        *part *= scale;
    }
    let fastest = lasts.iter().filter_map(|(_, seconds)| *seconds).fold(f64::MAX, f64::min);
    let caption = format!(
        "The incident spent {} of the period’s error budget of {}; at its worst, all of it would have been gone in {}.",
        words::share(drill.budget_spent),
        words::span(minutes * 60.0),
        words::span(fastest)
    );
    (fastest < f64::MAX).then_some(Budget { spent, lasts, caption })
}

/// Seconds in which this column's share of bad requests would spend the whole budget.
fn speed(column: &Column, minutes: f64) -> Option<f64> {
    column.bad().filter(|bad| *bad > 0.0).map(|bad| minutes * 60.0 / bad)
}

fn effects(account: &Account, drill: &DrillAccount) -> Vec<Effect> {
    let share = |from: f64, to: f64| {
        let classes = course::sum_between(&account.seconds, from, to).classes;
        let (n, bad) = (classes.total() as f64, classes.bad() as f64);
        let limits = wilson(bad / n, n, Z);
        (n > 0.0).then(|| Share { value: bad / n, low: limits.low, high: limits.high })
    };
    drill
        .actions
        .iter()
        .map(|action| {
            let taken = action.verified_s.unwrap_or(action.at_s).max(action.at_s);
            Effect {
                label: words::name(if action.label.is_empty() { &action.name } else { &action.label }),
                kind: action.kind,
                before: share(action.at_s - AROUND_S, action.at_s),
                after: share(taken, taken + AROUND_S),
            }
        })
        .collect()
}

/// What the picture of the mitigations says.
pub fn effects_caption(effects: &[Effect]) -> String {
    let helped =
        |effect: &&Effect| effect.before.zip(effect.after).is_some_and(|(before, after)| after.high < before.low);
    let n = effects.iter().filter(helped).count();
    let before = effects.iter().find(helped).and_then(|effect| Some((effect, effect.before?, effect.after?)));
    match (effects, before) {
        (_, Some((effect, before, after))) => format!(
            "“{}” took the share of bad requests from {} to {}; {n} of {} clearly helped.",
            effect.label,
            words::share(before.value),
            words::share(after.value),
            words::plural(effects.len() as u64, "action")
        ),
        ([one], None) => format!("“{}” did not clearly help within {}.", one.label, words::span(AROUND_S)),
        _ => format!(
            "None of the {} clearly helped within {}.",
            words::plural(effects.len() as u64, "action"),
            words::span(AROUND_S)
        ),
    }
}

/// One lane per role that did something, in order of first deeds.
fn lanes(drill: &DrillAccount, marks: &[Mark]) -> Vec<Lane> {
    let actors: BTreeMap<u64, &str> = drill.marks.iter().map(|line| (line.seq, line.actor.as_str())).collect();
    let mut lanes: Vec<Lane> = Vec::new();
    for mark in marks.iter().filter(|mark| !matches!(mark.kind, MarkKind::Measured | MarkKind::Note)) {
        let actor = mark.seq.and_then(|seq| actors.get(&seq)).copied().unwrap_or_default();
        let who = if actor.is_empty() { mark.source.to_owned() } else { words::name(actor) };
        match lanes.iter_mut().find(|lane| lane.who == who) {
            Some(lane) => lane.marks.push(mark.clone()),
            None => lanes.push(Lane { who, marks: vec![mark.clone()] }),
        }
    }
    lanes
}

/// What the picture of the lanes says.
pub fn lanes_caption(lanes: &[Lane]) -> String {
    let people: Vec<String> = lanes
        .iter()
        .filter(|lane| !matches!(lane.who.as_str(), "controller" | "alert"))
        .map(|lane| format!("{} {}", lane.who, words::plural(lane.marks.len() as u64, "time")))
        .collect();
    if people.is_empty() {
        return "Nobody did or said anything.".to_owned();
    }
    format!("Who acted: {}.", people.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn response(account: &Account) -> Response {
        let drill = account.drill.as_ref().unwrap();
        let course = course::of(account);
        of(account, drill, &super::super::drill::of(account, drill, &course).marks, &course)
    }

    #[test]
    fn the_budget_ends_at_what_the_account_says_and_starts_with_nothing_spent() {
        let account = sample::drill();
        let budget = response(&account).budget.unwrap();
        assert_eq!(budget.spent[0], (0.0, 0.0));
        assert!((budget.spent.last().unwrap().1 - 0.021).abs() < 1e-9);
        assert!(budget.spent.windows(2).all(|two| two[0].1 <= two[1].1));
        let calm = budget.lasts.iter().take(50).all(|(_, seconds)| seconds.is_none());
        assert!(calm, "without bad requests the budget lasts for ever");
        let mut unhurt = sample::drill();
        unhurt.drill.as_mut().unwrap().timeline.impact_s = None;
        assert!(response(&unhurt).budget.is_none());
    }

    #[test]
    fn a_mitigation_that_helped_is_told_from_one_that_did_not() {
        let mut account = sample::drill();
        let helped = response(&account).effects;
        assert!(effects_caption(&helped).contains("1 of 1\u{a0}action clearly helped"), "{}", effects_caption(&helped));
        assert!(helped[0].after.unwrap().high < helped[0].before.unwrap().low);
        let action = &mut account.drill.as_mut().unwrap().actions[0];
        (action.at_s, action.verified_s) = (78.0, None);
        assert!(effects_caption(&response(&account).effects).ends_with("did not clearly help within 15\u{a0}s."));
    }

    #[test]
    fn every_deed_is_in_the_lane_of_who_did_it() {
        let lanes = response(&sample::drill()).lanes;
        let who: Vec<(&str, usize)> = lanes.iter().map(|lane| (lane.who.as_str(), lane.marks.len())).collect();
        assert_eq!(who, [("controller", 1), ("alert", 2), ("IC", 4)]);
    }
}
