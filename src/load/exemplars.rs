//! The requests kept as examples: the slowest, and the first and last of each kind of failure.
//!
//! One keeper per worker; the collector joins them. Not here: the file they end in (`measure::record`).

use std::collections::BTreeMap;

use crate::measure::outcome::Kind;
use crate::measure::record::Exemplar;
use crate::measure::sample::Sample;

/// How many of the slowest are kept.
const SLOWEST: usize = 20;

/// A sample with the status that came with it.
type Kept = (Sample, u16);

/// Examples of one worker, or of all.
#[derive(Debug, Default)]
pub struct Exemplars {
    /// Slowest first.
    slowest: Vec<Kept>,
    kinds: BTreeMap<Kind, (Kept, Kept)>,
}

impl Exemplars {
    /// Looks at one finished request.
    pub fn see(&mut self, sample: &Sample, status: u16) {
        let took = sample.response_time();
        let full = self.slowest.len() >= SLOWEST;
        if !full || self.slowest.last().is_some_and(|(last, _)| took > last.response_time()) {
            let at = self.slowest.partition_point(|(held, _)| held.response_time() >= took);
            self.slowest.insert(at, (*sample, status));
            self.slowest.truncate(SLOWEST);
        }
        if let Some(kind) = sample.outcome.kind() {
            let here = (*sample, status);
            let pair = self.kinds.entry(kind).or_insert((here, here));
            if sample.done < pair.0.0.done {
                pair.0 = here;
            }
            if sample.done >= pair.1.0.done {
                pair.1 = here;
            }
        }
    }

    /// Adds what `other` saw.
    pub fn join(&mut self, other: &Self) {
        let ends = other.kinds.values().flat_map(|(first, last)| [first, last]);
        // Seeing a request twice is harmless for kinds; the slowest are told apart by their readings.
        for (sample, status) in other.slowest.iter().chain(ends) {
            if !self.holds(sample) {
                self.see(sample, *status);
            }
        }
    }

    fn holds(&self, sample: &Sample) -> bool {
        self.slowest.iter().any(|(held, _)| {
            (held.step, held.due, held.sent, held.done) == (sample.step, sample.due, sample.sent, sample.done)
        })
    }

    /// As the record keeps them: slowest first, then the ends of each kind; `steps` and `labels` are the plan's names.
    pub fn written(&self, steps: &[String], labels: &[String]) -> Vec<Exemplar> {
        let ends = self.kinds.values().flat_map(|(first, last)| [first, last]);
        let mut all: Vec<Exemplar> = self.slowest.iter().chain(ends).map(|kept| written(kept, steps, labels)).collect();
        all.sort_by(|a, b| b.response_us.cmp(&a.response_us).then(a.due_us.cmp(&b.due_us)));
        all.dedup();
        all
    }
}

fn written((sample, status): &Kept, steps: &[String], labels: &[String]) -> Exemplar {
    let micros = |time: std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    Exemplar {
        step: steps.get(usize::from(sample.step.0)).cloned().unwrap_or_default(),
        due_us: sample.due.micros(),
        response_us: micros(sample.response_time()),
        service_us: micros(sample.service_time()),
        kind: sample.outcome.kind().map(|kind| kind.key(labels)).unwrap_or_default(),
        status: *status,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::clock::Tick;
    use crate::measure::outcome::{Class, Outcome};
    use crate::measure::sample::StepId;

    fn sample(due_ms: u64, took_ms: u64, outcome: Outcome) -> Sample {
        let due = Tick::from_millis(due_ms);
        let done = due + Duration::from_millis(took_ms);
        Sample { step: StepId(0), due, sent: due, done, outcome, class: Class::Ok, bytes_out: 0, bytes_in: 0 }
    }

    #[test]
    fn the_slowest_and_the_ends_of_each_kind_are_kept() {
        let (mut one, mut two) = (Exemplars::default(), Exemplars::default());
        let refused = Outcome::Refused(Kind::Status(500));
        for n in 0..100 {
            let keeper = if n % 2 == 0 { &mut one } else { &mut two };
            keeper.see(&sample(n * 1_000, 1 + n, Outcome::Answered), 200);
        }
        one.see(&sample(5, 0, refused), 500);
        two.see(&sample(90, 0, refused), 500);
        one.see(&sample(50, 0, refused), 500);
        one.join(&two);
        let all = one.written(&["home".to_owned()], &[]);
        let slow: Vec<u64> = all.iter().filter(|one| one.kind.is_empty()).map(|one| one.response_us).collect();
        assert_eq!(slow, (81..=100).rev().map(|n| n * 1_000).collect::<Vec<_>>());
        let ends: Vec<u64> = all.iter().filter(|one| one.kind == "status_500").map(|one| one.due_us).collect();
        assert_eq!(ends, [5_000, 90_000]);
    }
}
