//! Expectations: what is measured, what is good, what is too much, and how much it weighs.

use std::time::Duration;

use super::act::name;
use super::pace::Paces;
use crate::base::duration::show;
use crate::plan::check::desk::Desk;
use crate::plan::drill::{Expectation, Measure};
use crate::spec::drill::{CountMeasure, Expect, Expectation as Written, TimeMeasure};
use crate::spec::source::{Mark, Spanned};

pub(super) fn expectations(
    desk: &mut Desk,
    paces: Paces,
    at_most: Option<Duration>,
    written: Option<&Spanned<Vec<Spanned<Written>>>>,
) -> Vec<Expectation> {
    let mut found: Vec<(Expectation, Mark)> = Vec::new();
    let list = desk.open_if(written).map_or(&[][..], Vec::as_slice);
    for spanned in list {
        let Some(one) = desk.open(spanned) else { continue };
        let Some(name) = name(desk, &one.name) else { continue };
        if let Some((_, first)) = found.iter().find(|(known, _)| known.name == name) {
            desk.duplicate("expectations", &name, one.name.mark, *first);
        }
        let gate = desk.open_if(one.gate.as_ref()).copied().unwrap_or(false);
        let weight = weight(desk, one, (gate, spanned.mark));
        let Some((measure, target, limit)) = check(desk, paces, at_most, &one.check) else { continue };
        let place = desk.place(one.name.mark);
        found.push((Expectation { name, measure, target, limit, weight, gate, place }, one.name.mark));
    }
    let weighs = |(one, _): &(Expectation, Mark)| one.weight > 0.0 || one.gate;
    if let Some(at) = written.filter(|_| !found.is_empty() && !found.iter().any(weighs)) {
        desk.error(
            "bad-weight",
            at.mark,
            "all weights are 0, so there is nothing to score",
            "give one a weight above 0",
        );
    }
    found.into_iter().map(|(one, _)| one).collect()
}

fn weight(desk: &mut Desk, written: &Written, (gate, at): (bool, Mark)) -> f64 {
    let Some(spanned) = &written.weight else {
        if !gate {
            let help = "add `weight: 10`, or make it a gate";
            desk.error("missing-field", at, "this expectation has neither a weight nor is it a gate", help);
        }
        return 0.0;
    };
    let Some(weight) = desk.open(spanned).copied() else { return 0.0 };
    if !weight.is_finite() || weight < 0.0 {
        desk.error("bad-weight", spanned.mark, format!("{weight} cannot be a weight"), "write a number of at least 0");
        return 0.0;
    }
    weight
}

fn check(
    desk: &mut Desk,
    paces: Paces,
    at_most: Option<Duration>,
    written: &Spanned<Expect>,
) -> Option<(Measure, f64, f64)> {
    match desk.open(written)? {
        Expect::Time { measure, target, limit } => {
            let measure = desk.open(measure).map(|measure| match measure {
                TimeMeasure::Detect => Measure::Detect,
                TimeMeasure::Acknowledge => Measure::Acknowledge,
                TimeMeasure::TakeCommand => Measure::TakeCommand,
                TimeMeasure::Mitigate => Measure::Mitigate,
                TimeMeasure::Recover => Measure::Recover,
            });
            let (good, last) = (paces.read(desk, target), paces.read(desk, limit));
            let (measure, good, last) = (measure?, good?, last?);
            if good >= last {
                inverted(desk, target.mark, &show(good), &show(last));
            }
            if let Some(longest) = at_most.filter(|longest| last > *longest) {
                let message =
                    format!("a limit of {} lies behind the end of the exercise at {}", show(last), show(longest));
                desk.error("unreachable-limit", limit.mark, message, "lower it, or raise `run.at_most`");
            }
            Some((measure, good.as_secs_f64(), last.as_secs_f64()))
        }
        Expect::Count { measure, target, limit } => {
            let measure = desk.open(measure).map(|CountMeasure::HarmfulActions| Measure::HarmfulActions);
            let (good, last) = (desk.open(target).copied(), desk.open(limit).copied());
            let (measure, good, last) = (measure?, good?, last?);
            if !good.is_finite() || !last.is_finite() || good < 0.0 {
                desk.error("out-of-range", target.mark, format!("{good} to {last} is no count"), "write whole numbers");
            } else if good >= last {
                inverted(desk, target.mark, &good.to_string(), &last.to_string());
            }
            Some((measure, good, last))
        }
    }
}

fn inverted(desk: &mut Desk, at: Mark, target: &str, limit: &str) {
    let message = format!("a target of {target} is not below the limit of {limit}");
    desk.error("inverted-limits", at, message, "full marks lie below the limit at which it fails");
}
