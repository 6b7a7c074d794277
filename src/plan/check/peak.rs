//! The planned peak of requests per second: journeys times the requests they send.

use crate::base::seed::Seed;
use crate::plan::load::{LoadPlan, Pattern, Stay, Workload};
use crate::plan::program::{self, Journey};

/// The busiest second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Peak {
    /// Requests per second.
    pub(crate) rate: f64,
    /// The first second of the run with that rate.
    pub(crate) second: u64,
}

/// The busiest planned second of a plan's open workloads towards one origin, were every step of every journey sent.
pub(crate) fn peak_requests(plan: &LoadPlan, origin: usize) -> Peak {
    peak(&plan.workloads, &plan.journeys, &|http| http == origin)
}

/// As [`peak_requests`], over the origins that `counts` accepts.
pub(super) fn peak(workloads: &[Workload], journeys: &[Journey], counts: &dyn Fn(usize) -> bool) -> Peak {
    let requests = |card: u16| {
        let mut count = 0.0;
        let steps = journeys.get(usize::from(card)).map_or(&[][..], |journey| journey.steps.as_slice());
        program::requests(steps, 1.0, &mut |http, times| count += if counts(http.origin) { times } else { 0.0 });
        count
    };
    // How many requests a journey has on average does not depend on the order of the cards.
    let mean = |one: &Workload| {
        one.mix.shuffled(Seed::default(), 0).into_iter().map(requests).sum::<f64>() / one.mix.size() as f64
    };
    let open: Vec<_> = workloads
        .iter()
        .filter_map(|one| match &one.pattern {
            Pattern::Open { curve, stay, .. } => {
                Some((curve, one.start, mean(one) * stay.as_ref().map_or(1.0, Stay::visits)))
            }
            Pattern::Closed { .. } => None,
        })
        .collect();
    // Pieces are straight, so that the sum is highest where one of them begins or ends.
    let mut edges = Vec::new();
    for (curve, start, _) in &open {
        let mut at = start.as_secs_f64();
        for ramp in curve.ramps() {
            edges.push(at);
            at += ramp.over.as_secs_f64();
            edges.push(at.next_down());
        }
    }
    edges.sort_by(f64::total_cmp);
    let total = |at: f64| open.iter().map(|(curve, start, mean)| curve.rate_at(at - start.as_secs_f64()) * mean).sum();
    let mut peak = Peak::default();
    for at in edges {
        let rate: f64 = total(at);
        if rate > peak.rate * (1.0 + 1e-9) {
            peak = Peak { rate, second: second(at) };
        }
    }
    peak
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a run; casts saturate")]
fn second(at: f64) -> u64 {
    at.round() as u64
}
