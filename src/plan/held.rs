//! A plan whose arrivals are held at one rate: what a capacity search runs, step by step.
//!
//! Called by `cli::find`. Not here: which rate comes next (`judge::search`).

use std::time::Duration;

use super::check::{in_flight, peak_requests};
use super::curve::{Curve, Ramp};
use super::load::{LoadPlan, Pattern};

/// `plan` with all its open workloads together at `rate` arrivals a second, each with its share of the planned peak, for
/// `settle` and then `hold`; users are there from beginning to end. Late answers are awaited for at most `patience`.
/// `None` when the plan has no arrivals of its own.
#[must_use]
pub fn held_at(
    plan: &LoadPlan,
    rate: f64,
    (settle, hold): (Duration, Duration),
    patience: Duration,
) -> Option<LoadPlan> {
    let planned = plan.peak_rate();
    if planned <= 0.0 {
        return None;
    }
    let mut held = plan.clone();
    for workload in &mut held.workloads {
        (workload.start, workload.warmup) = (Duration::ZERO, settle);
        workload.drain = workload.drain.min(patience);
        match &mut workload.pattern {
            Pattern::Open { curve, arrivals, max_in_flight, .. } => {
                let share = rate * curve.peak() / planned;
                // A cap nobody wrote follows the rate.
                if *max_in_flight == in_flight(curve.peak()) {
                    *max_in_flight = in_flight(share);
                }
                *curve = Curve::new([Ramp { from: share, to: share, over: settle + hold }]);
                *arrivals = None;
            }
            Pattern::Closed { hold: length, .. } => *length = settle + hold,
        }
    }
    Some(held)
}

/// The busiest second of the requests towards any one origin, were `plan` held at `rate`.
pub fn requests_at(plan: &LoadPlan, rate: f64) -> f64 {
    let second = Duration::from_secs(1);
    let Some(held) = held_at(plan, rate, (Duration::ZERO, second), second) else { return 0.0 };
    (0..held.origins.len()).map(|origin| peak_requests(&held, origin).rate).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::check::{self, Files, ScenarioOptions};

    #[test]
    fn two_streams_keep_their_shares_and_the_cap_follows_the_rate() {
        let text = r#"(name: "two", target: (base: "http://127.0.0.1:1"),
            load: [Open(name: "a", rate: [Ramp(from: "0/s", to: "30/s", over: "9s")], warmup: "3s"),
                   Open(name: "b", rate: [Hold(rate: "10/s", for: "9s")], max_in_flight: 7)],
            journeys: {"one": (steps: [Http(name: "x", url: "/"), Http(name: "y", url: "/")])})"#;
        let mut files = Files::held([("two.ron".to_owned(), text)]);
        let (plan, _) = check::scenario(&mut files, "two.ron", &ScenarioOptions::default()).unwrap();
        let (settle, hold) = (Duration::from_secs(2), Duration::from_secs(10));
        let held = held_at(&plan, 400.0, (settle, hold), Duration::from_secs(1)).unwrap();
        let seen: Vec<_> = held
            .workloads
            .iter()
            .map(|one| match &one.pattern {
                Pattern::Open { curve, max_in_flight, .. } => (curve.arrivals(), *max_in_flight, one.warmup, one.drain),
                Pattern::Closed { .. } => panic!("open"),
            })
            .collect();
        let second = Duration::from_secs(1);
        assert_eq!(seen, [(3_600, 3_000, settle, second), (1_200, 7, settle, second)]);
        assert!((requests_at(&plan, 400.0) - 800.0).abs() < 1e-6);
    }
}
