//! The requests kept as examples: the slowest, and the first and last of each kind of failure.
//!
//! One keeper per worker; the collector joins them. Not here: the file they end in (`measure::record`).

use std::collections::BTreeMap;
use std::time::Duration;

use super::secrets::Mask;
use crate::base::clock::Tick;
use crate::measure::outcome::{Kind, Outcome};
use crate::measure::record::Exemplar;
use crate::measure::sample::Sample;

/// How many of the slowest are kept.
const SLOWEST: usize = 20;

/// A sample with what is kept beside it.
#[derive(Clone, Debug)]
struct Kept {
    sample: Sample,
    /// The status that came with it.
    status: u16,
    /// Its redirects.
    chain: Vec<String>,
    /// How old it is, when it is stale.
    age: Option<Duration>,
    /// When its first byte was there.
    first: Option<Tick>,
}

/// What is kept of a request beside its sample.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// Its redirects.
    pub chain: &'a [String],
    /// How old a stale answer is.
    pub age: Option<Duration>,
    /// When the first byte of a whole answer was there.
    pub first: Option<Tick>,
}

/// Examples of one worker, or of all.
#[derive(Debug, Default)]
pub struct Exemplars {
    /// Slowest first.
    slowest: Vec<Kept>,
    kinds: BTreeMap<Kind, (Kept, Kept)>,
}

impl Exemplars {
    /// Looks at one finished request and its status.
    pub fn see(&mut self, sample: &Sample, status: u16, beside: Beside<'_>) {
        let here =
            || Kept { sample: *sample, status, chain: beside.chain.to_vec(), age: beside.age, first: beside.first };
        let took = sample.response_time();
        let full = self.slowest.len() >= SLOWEST;
        if !full || self.slowest.last().is_some_and(|last| took > last.sample.response_time()) {
            let at = self.slowest.partition_point(|held| held.sample.response_time() >= took);
            self.slowest.insert(at, here());
            self.slowest.truncate(SLOWEST);
        }
        if let Some(kind) = sample.outcome.kind() {
            let pair = self.kinds.entry(kind).or_insert_with(|| (here(), here()));
            if sample.done < pair.0.sample.done {
                pair.0 = here();
            }
            if sample.done >= pair.1.sample.done {
                pair.1 = here();
            }
        }
    }

    /// Adds what `other` saw.
    pub fn join(&mut self, other: &Self) {
        let ends = other.kinds.values().flat_map(|(first, last)| [first, last]);
        // Seeing a request twice is harmless for kinds; the slowest are told apart by their readings.
        for kept in other.slowest.iter().chain(ends) {
            if !self.holds(&kept.sample) {
                self.see(&kept.sample, kept.status, Beside { chain: &kept.chain, age: kept.age, first: kept.first });
            }
        }
    }

    fn holds(&self, sample: &Sample) -> bool {
        self.slowest.iter().any(|Kept { sample: held, .. }| {
            (held.step, held.due, held.sent, held.done) == (sample.step, sample.due, sample.sent, sample.done)
        })
    }

    /// As the record keeps them: slowest first, then the ends of each kind; `steps` and `labels` are the plan's names.
    pub fn written(&self, steps: &[String], labels: &[String], mask: &Mask) -> Vec<Exemplar> {
        let ends = self.kinds.values().flat_map(|(first, last)| [first, last]);
        let shown = |kept: &Kept| {
            let chain = kept.chain.iter().map(|one| mask.location(one)).collect();
            Exemplar { chain, ..written(kept, steps, labels) }
        };
        let mut all: Vec<Exemplar> = self.slowest.iter().chain(ends).map(shown).collect();
        all.sort_by(|a, b| b.response_us.cmp(&a.response_us).then(a.due_us.cmp(&b.due_us)));
        all.dedup();
        all
    }
}

fn written(Kept { sample, status, age, first, .. }: &Kept, steps: &[String], labels: &[String]) -> Exemplar {
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    Exemplar {
        step: steps.get(usize::from(sample.step.0)).cloned().unwrap_or_default(),
        due_us: sample.due.micros(),
        response_us: micros(sample.response_time()),
        service_us: micros(sample.service_time()),
        kind: sample.outcome.kind().map(|kind| kind.key(labels)).unwrap_or_default(),
        status: *status,
        byte: if let Outcome::Failed { byte, .. } = sample.outcome { Some(byte) } else { None },
        phase: sample.outcome.kind().map(|kind| kind.phase().name().to_owned()).unwrap_or_default(),
        chain: Vec::new(),
        age_us: age.map(micros),
        first_byte_us: first.map(|first| micros(first - sample.sent)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::outcome::Class;
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
            keeper.see(&sample(n * 1_000, 1 + n, Outcome::Answered), 200, Beside::default());
        }
        one.see(&sample(5, 0, refused), 500, Beside::default());
        two.see(&sample(90, 0, refused), 500, Beside::default());
        one.see(&sample(50, 0, refused), 500, Beside::default());
        one.join(&two);
        let all = one.written(&["home".to_owned()], &[], &Mask::default());
        let slow: Vec<u64> = all.iter().filter(|one| one.kind.is_empty()).map(|one| one.response_us).collect();
        assert_eq!(slow, (81..=100).rev().map(|n| n * 1_000).collect::<Vec<_>>());
        let ends: Vec<u64> = all.iter().filter(|one| one.kind == "status_500").map(|one| one.due_us).collect();
        assert_eq!(ends, [5_000, 90_000]);
    }
}
