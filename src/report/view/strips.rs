//! A strip per step: its p95 and its share of bad requests in at most 60 pieces of the run.
//!
//! Not here: which steps have a row (`tables`), pixels (`html::strip`).

use std::collections::BTreeMap;

use crate::judge::account::Account;
use crate::measure::histogram::Bins;
use crate::measure::interval::Interval;

/// Pieces of a strip.
const PIECES: usize = 60;

/// One piece.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Patch {
    /// p95 of the response time, µs; `None` without a finished request.
    pub p95: Option<u64>,
    /// Share of bad arrivals, 0 to 1.
    pub bad: f64,
}

/// What a row sums up.
#[derive(Clone, Debug, Default)]
struct Sum {
    response: Bins,
    bad: u64,
    n: u64,
}

impl Sum {
    fn merge(&mut self, other: &Self) {
        self.response.merge(&other.response);
        self.bad += other.bad;
        self.n += other.n;
    }
}

/// The strips of the steps in `names`, in that order, and one more for all other steps together.
pub fn of(account: &Account, names: &[&str]) -> Vec<Vec<Patch>> {
    let rows: BTreeMap<&str, usize> = names.iter().enumerate().map(|(row, name)| (*name, row)).collect();
    let row_of: Vec<usize> =
        account.head.steps.iter().map(|name| rows.get(name.as_str()).copied().unwrap_or(names.len())).collect();
    let piece = account.seconds.len().div_ceil(PIECES).max(1);
    let mut strips = vec![Vec::new(); names.len() + 1];
    for part in account.seconds.chunks(piece) {
        let sums = sums(part, &row_of);
        for (row, strip) in strips.iter_mut().enumerate() {
            let patch = sums.get(&row).map_or_else(Patch::default, |sum| Patch {
                p95: sum.response.value_at(0.95),
                bad: sum.bad as f64 / sum.n.max(1) as f64,
            });
            strip.push(patch);
        }
    }
    strips
}

/// By row; halves first, because adding a second to a long sum costs all its bins.
fn sums(seconds: &[Interval], row_of: &[usize]) -> BTreeMap<usize, Sum> {
    let mut found: BTreeMap<usize, Sum> = BTreeMap::new();
    match seconds {
        [] => {}
        [one] => {
            for (step, cell) in &one.steps {
                let Some(row) = row_of.get(usize::from(step.0)) else { continue };
                let sum = found.entry(*row).or_default();
                sum.response.merge(&cell.response.ok);
                sum.response.merge(&cell.response.rest);
                sum.bad += cell.classes.bad();
                sum.n += cell.arrivals();
            }
        }
        many => {
            let (first, second) = many.split_at(many.len() / 2);
            found = sums(first, row_of);
            for (row, sum) in &sums(second, row_of) {
                found.entry(*row).or_default().merge(sum);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn every_request_is_in_one_strip() {
        let account = sample::drill();
        let strips = of(&account, &["/api/cart", "/"]);
        assert_eq!(strips.len(), 3, "two steps and the others");
        assert!(strips.iter().all(|strip| strip.len() == account.seconds.len().div_ceil(3)));
        assert!(strips.iter().all(|strip| strip[0].p95.is_some() && strip[0].bad == 0.0 && strip[25].bad > 0.3));
        let row_of = [0, 1, 2, 2];
        let all: u64 = sums(&account.seconds, &row_of).values().map(|sum| sum.n).sum();
        assert_eq!(all, account.totals.all.arrivals());
    }
}
