//! What `squall check` says of a scenario's checks: each as expanded, with the samples it can expect, and whether they can tell anything.
//!
//! Not here: the judgement (`judge`).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::duration::show;
use crate::measure::sample::StepId;
use crate::plan::load::{LoadPlan, Pattern, Workload};
use crate::plan::program;
use crate::plan::threshold::{Subject, Threshold, Unit, Window};
use crate::report::words;

/// Seconds of an abort condition that names no window.
const WINDOW: Duration = Duration::from_secs(10);
/// Independent arrivals that a share or a rate needs at least.
const LEAST: f64 = 20.0;

/// One line for each check of `plan`, the built-in one left out.
pub(super) fn lines(plan: &LoadPlan) -> Vec<String> {
    let expected = arrivals(plan);
    let written = plan.checks.iter().filter(|one| one.place.line > 0);
    written.map(|check| format!("  {}: {}", check.id, said(check, plan, expected.as_ref()))).collect()
}

/// Requests by step; `None` when users decide how many there are.
fn arrivals(plan: &LoadPlan) -> Option<BTreeMap<StepId, f64>> {
    let mut found: BTreeMap<StepId, f64> = BTreeMap::new();
    for workload in &plan.workloads {
        let journeys = journeys(workload)?;
        let size = workload.mix.size().max(1);
        for place in 0..size {
            let Some(journey) = plan.journeys.get(usize::from(workload.mix.card(place))) else { continue };
            program::requests(&journey.steps, journeys / size as f64, &mut |http, times| {
                *found.entry(http.step).or_default() += times;
            });
        }
    }
    Some(found)
}

/// Journeys of an open workload behind its warm-up.
fn journeys(workload: &Workload) -> Option<f64> {
    let Pattern::Open { curve, arrivals, .. } = &workload.pattern else { return None };
    let all = arrivals.unwrap_or(u64::MAX).min(curve.arrivals()) as f64;
    let length = curve.length().as_secs_f64().max(f64::MIN_POSITIVE);
    Some(all * (1.0 - (workload.warmup.as_secs_f64() / length).min(1.0)))
}

fn said(check: &Threshold, plan: &LoadPlan, expected: Option<&BTreeMap<StepId, f64>>) -> String {
    if let Some(why) = too_short(check, plan) {
        return why;
    }
    if check.subject.is_clock() || check.scope.phases.iter().any(|phase| phase.contains(':')) {
        return "as many samples as its fault lasts".to_owned();
    }
    let Some(expected) = expected else { return "as many samples as the users make".to_owned() };
    let counts = |step: &StepId| check.scope.steps.is_empty() || check.scope.steps.contains(step);
    let n: f64 = expected.iter().filter(|(step, _)| counts(step)).map(|(_, times)| times).sum();
    let samples = format!("about {} samples", words::value(n.round(), Unit::Count));
    match check.subject {
        Subject::Quantile(q) | Subject::Lateness(q) => {
            let least = plan.gate.min_tail as f64 / q.min(1.0 - q);
            let least = check.n_least.map_or(least, |n| n as f64);
            if n < least { format!("{samples}: too few to pass, {:.0} are needed", least.ceil()) } else { samples }
        }
        subject if subject.is_share() && !subject.is_about_us() => {
            let smallest = words::value(1.0 / n.max(1.0), Unit::Ratio);
            let thin = check.bound.min(1.0 - check.bound);
            let least = if thin > 0.0 { LEAST.max(1.0 / thin) } else { LEAST };
            let least = check.n_least.map_or(least, |n| n as f64);
            if n < least {
                format!("{samples}, which tell no share below {smallest}: {:.0} are needed", least.ceil())
            } else {
                format!("{samples}, which tell shares from {smallest} on")
            }
        }
        _ => samples,
    }
}

/// Why a check can never be evaluated in a run of this length.
fn too_short(check: &Threshold, plan: &LoadPlan) -> Option<String> {
    let window = match check.window {
        Window::Whole => check.abort.map(|_| WINDOW)?,
        Window::Over(length) | Window::For(length) | Window::In(_, length) => length,
    };
    let (length, window) = (plan.length(), window + check.after);
    (window > length)
        .then(|| format!("can never be evaluated: it looks at {}, and the load lasts {}", show(window), show(length)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::check::{self, Files, ScenarioOptions};

    fn said_of(checks: &str) -> Vec<String> {
        let text = format!(
            r#"(name: "s", target: (base: "http://127.0.0.1:9"),
            load: [Open(rate: [Hold(rate: "10/s", for: "40s")], warmup: "10s", mix: {{"a": 1, "b": 2}})],
            journeys: {{"a": (steps: [Http(name: "x", url: "/")]), "b": (steps: [Http(name: "y", url: "/"), Http(name: "x2", url: "/")])}},
            checks: [{checks}])"#
        );
        let mut files = Files::held([("s.ron".to_owned(), text)]);
        lines(&check::scenario(&mut files, "s.ron", &ScenarioOptions::default()).unwrap().0)
    }

    #[test]
    fn every_check_says_what_it_can_expect_and_what_it_cannot_tell() {
        let text = r#""p95{step=x*} < 1s", "p99 < 1s", "errors < 0.1%", "errors < 5%", "errors < 20%, over 60s, abort", "requests >= 1""#;
        let said = said_of(text);
        assert_eq!(said[0], "  p95{step=x} < 1s: about 100 samples: too few to pass, 400 are needed");
        assert_eq!(said[1], "  p95{step=x2} < 1s: about 200 samples: too few to pass, 400 are needed");
        assert!(said[2].contains("about 500 samples: too few to pass, 2000 are needed"), "{}", said[2]);
        assert!(said[3].contains("tell no share below 0.2") && said[3].contains("1000 are needed"), "{}", said[3]);
        assert!(said[4].contains("which tell shares from 0.2"), "{}", said[4]);
        assert!(
            said[5].ends_with("can never be evaluated: it looks at 60s, and the load lasts 40s")
                || said[5].contains("1m"),
            "{}",
            said[5]
        );
        assert!(said[6].ends_with("about 500 samples"), "{}", said[6]);
    }
}
