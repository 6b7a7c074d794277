//! Which arrivals of an open workload are ours, and when each is due: a pure iterator, the same on every machine.
//!
//! `Even`: due(n) = A⁻¹(n + ½). `Poisson`: in the integrated domain, given the total, v₀ = 0 and
//! vₙ₊₁ = vₙ + (A − vₙ)·(1 − e^(−E/(N−n))) with E exponential and keyed by n: N sorted uniforms, one at a time, in O(1)
//! memory. A shard draws the others' E as well, so shards join to the whole bit for bit.
//! Not here: waiting (`load::pace`), what an arrival does (`load::user`). Called by `load::open`.

use crate::base::clock::Tick;
use crate::base::seed::{Seed, unit};
use crate::base::shard::Shard;
use crate::plan::curve::Curve;
use crate::plan::load::Spacing;
use crate::stats::portable::{exp, ln};

/// One planned arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its number in the whole workload, from 0; every draw of its journey is keyed by it.
    pub n: u64,
    /// When it is due, from the beginning of the curve.
    pub due: Tick,
}

/// Where on the curve arrivals lie.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// Where between its neighbours an arrival lies.
    pub spacing: Spacing,
    /// Only the first this many of the whole workload.
    pub most: Option<u64>,
    /// Seed of the draws.
    pub seed: Seed,
    /// Name of the draws.
    pub workload: &'a str,
}

/// The arrivals of one shard, in order.
#[derive(Clone, Debug)]
pub struct Arrivals<'a> {
    curve: &'a Curve,
    shard: Shard,
    /// Arrivals of the whole workload, all shards together.
    total: u64,
    last: u64,
    next: u64,
    walk: Walk,
}

/// How a position on the integrated rate follows from the one before.
#[derive(Clone, Debug)]
enum Walk {
    Even,
    Poisson { seed: Seed, name: String, at: f64 },
}

impl<'a> Arrivals<'a> {
    /// The arrivals of `curve` that `shard` owns, placed by `order`.
    pub fn new(curve: &'a Curve, order: &Order<'_>, shard: Shard) -> Self {
        let total = curve.arrivals();
        let walk = match order.spacing {
            Spacing::Even => Walk::Even,
            Spacing::Poisson => {
                Walk::Poisson { seed: order.seed, name: format!("arrivals/{}", order.workload), at: 0.0 }
            }
        };
        let last = order.most.map_or(total, |most| most.min(total));
        Self { curve, shard, total, last, next: 0, walk }
    }

    /// How many arrivals are ours in all.
    pub fn owned(&self) -> u64 {
        owned(self.last, self.shard)
    }
}

/// How many of the first `total` numbers `shard` owns.
pub fn owned(total: u64, shard: Shard) -> u64 {
    let (index, of) = (u64::from(shard.index), u64::from(shard.of.max(1)));
    total.saturating_sub(index).div_ceil(of)
}

impl Iterator for Arrivals<'_> {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        while self.next < self.last {
            let n = self.next;
            self.next += 1;
            let mine = self.shard.owns(n);
            let area = match &mut self.walk {
                Walk::Even => n as f64 + 0.5,
                Walk::Poisson { seed, name, at } => {
                    let exponential = -ln(1.0 - unit(seed.key(name, &[n])));
                    let left = (self.total - n) as f64;
                    *at += (self.curve.area() - *at) * (1.0 - exp(-exponential / left));
                    *at
                }
            };
            if mine {
                return Some(Arrival { n, due: self.curve.time_of(area) });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::plan::curve::Ramp;

    fn curves() -> impl Strategy<Value = Curve> {
        prop::collection::vec((0.0..60.0_f64, 0.0..60.0_f64, 1_u64..4_000, any::<bool>()), 1..5).prop_map(|ramps| {
            Curve::new(ramps.into_iter().map(|(from, to, millis, level)| Ramp {
                from,
                to: if level { from } else { to },
                over: Duration::from_millis(millis),
            }))
        })
    }

    fn all(curve: &Curve, spacing: Spacing, shard: Shard, seed: u64) -> Vec<Arrival> {
        let order = Order { spacing, most: None, seed: Seed(seed), workload: "w" };
        Arrivals::new(curve, &order, shard).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]
        #[test]
        fn shards_join_to_the_whole_bit_for_bit(curve in curves(), seed in any::<u64>(), poisson in any::<bool>()) {
            let spacing = if poisson { Spacing::Poisson } else { Spacing::Even };
            let whole = all(&curve, spacing, Shard::WHOLE, seed);
            prop_assert_eq!(whole.len() as u64, curve.arrivals());
            prop_assert!(whole.windows(2).all(|pair| pair[0].due <= pair[1].due && pair[0].n + 1 == pair[1].n));
            prop_assert!(whole.iter().all(|one| one.due.since(Tick::ZERO) <= curve.length() + Duration::from_nanos(1)));
            for of in [2, 3, 7, 16] {
                let mut joined: Vec<Arrival> = Vec::new();
                for index in 0..of {
                    let shard = Shard { index, of };
                    let part = all(&curve, spacing, shard, seed);
                    prop_assert_eq!(part.len() as u64, owned(curve.arrivals(), shard));
                    joined.extend(part);
                }
                joined.sort_by_key(|one| one.n);
                prop_assert_eq!(&joined, &whole);
            }
        }
    }

    #[test]
    fn a_ramp_from_and_to_zero_has_exact_seconds() {
        let up = Curve::new([Ramp { from: 0.0, to: 1_000.0, over: Duration::from_secs(10) }]);
        let down = Curve::new([Ramp { from: 1_000.0, to: 0.0, over: Duration::from_secs(10) }]);
        let count = |curve: &Curve| {
            let mut seconds = [0_u32; 10];
            for one in all(curve, Spacing::Even, Shard::WHOLE, 1) {
                seconds[one.due.second() as usize] += 1;
            }
            seconds
        };
        let want: Vec<u32> = (0..10).map(|n| 50 + 100 * n).collect();
        assert_eq!(count(&up).to_vec(), want);
        let back: Vec<u32> = want.into_iter().rev().collect();
        assert_eq!(count(&down).to_vec(), back);
    }

    #[test]
    fn poisson_gaps_are_exponential() {
        let curve = Curve::new([Ramp { from: 1_000.0, to: 1_000.0, over: Duration::from_secs(10) }]);
        let dues: Vec<f64> =
            all(&curve, Spacing::Poisson, Shard::WHOLE, 4).iter().map(|one| one.due.secs_f64()).collect();
        assert_eq!(dues.len(), 10_000);
        let mut gaps: Vec<f64> = dues.windows(2).map(|pair| pair[1] - pair[0]).collect();
        gaps.sort_by(f64::total_cmp);
        let n = gaps.len() as f64;
        // Kolmogorov and Smirnov: the distance stays below 1.63 / √n at the 1 % level.
        let distance = gaps
            .iter()
            .enumerate()
            .map(|(rank, gap)| ((rank as f64 + 0.5) / n - (1.0 - (-gap * 1_000.0).exp())).abs())
            .fold(0.0, f64::max);
        assert!(distance < 1.63 / n.sqrt(), "{distance}");
    }

    #[test]
    fn a_limit_ends_the_workload_after_exactly_that_many() {
        let curve = Curve::new([Ramp { from: 100.0, to: 100.0, over: Duration::from_secs(1) }]);
        let order = Order { spacing: Spacing::Even, most: Some(5), seed: Seed(1), workload: "w" };
        let some = Arrivals::new(&curve, &order, Shard { index: 1, of: 2 });
        assert_eq!(some.owned(), 2);
        assert_eq!(some.map(|one| one.n).collect::<Vec<_>>(), [1, 3]);
    }
}
