//! The border to the histogram crate: the recording side, sparse bins that merge exactly, and the standard interval log.
//!
//! Values are microseconds, 3 significant digits (resolution 0.1 %). A bin is named by its index in HdrHistogram's layout,
//! so bins of any two runs add up without loss. Not here: what the values mean.

use std::mem;
use std::time::Duration;

use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};

use crate::base::digest::{base64, from_base64};

/// Sub-buckets at three significant digits.
const SUB_BITS: u32 = 11;
const HALF: u64 = 1 << (SUB_BITS - 1);

/// Index of the bin that holds `value`.
#[expect(clippy::cast_possible_truncation, reason = "indices stay below 60 000 for every value that fits in 64 bits")]
fn index_of(value: u64) -> u16 {
    let shift = (64 - (value | (2 * HALF - 1)).leading_zeros()) - SUB_BITS;
    (u64::from(shift) * HALF + (value >> shift)) as u16
}

/// Lowest value of the bin `index`.
fn low_of(index: u16) -> u64 {
    let index = u64::from(index);
    if index < 2 * HALF {
        return index;
    }
    let shift = index / HALF - 1;
    (index - shift * HALF) << shift
}

/// Highest value of the bin `index`: what a percentile reports.
fn high_of(index: u16) -> u64 {
    if u64::from(index) < 2 * HALF { low_of(index) } else { low_of(index + 1) - 1 }
}

/// Whole microseconds of a duration, at least 1 for anything above zero.
pub fn micros(duration: Duration) -> u64 {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    if nanos == 0 { 0 } else { (nanos.saturating_add(500) / 1_000).max(1) }
}

/// The recording side: dense, quick, reused every second.
#[derive(Debug)]
pub struct Hist {
    counts: Histogram<u32>,
    extent: Extent,
}

/// Exact sum and borders of what a histogram holds, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Sum of all values.
    pub sum: u64,
    /// Smallest value; `u64::MAX` when there is none.
    pub min: u64,
    /// Largest value.
    pub max: u64,
}

impl Default for Extent {
    fn default() -> Self {
        Self { sum: 0, min: u64::MAX, max: 0 }
    }
}

impl Extent {
    fn add(&mut self, value: u64) {
        self.sum = self.sum.saturating_add(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    fn merge(&mut self, other: Self) {
        self.sum = self.sum.saturating_add(other.sum);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

impl Hist {
    /// An empty histogram that grows with its largest value.
    pub fn new() -> Option<Self> {
        Some(Self { counts: Histogram::<u32>::new(3).ok()?, extent: Extent::default() })
    }

    /// Counts one value, in microseconds.
    pub fn record(&mut self, value: u64) {
        // The histogram resizes itself; only an allocation failure could refuse, and that aborts anyway.
        let _ = self.counts.record(value);
        self.extent.add(value);
    }

    /// True when nothing was recorded since the last drain.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// What was recorded, and starts again from nothing.
    pub fn drain(&mut self) -> Bins {
        if self.counts.is_empty() {
            return Bins::default();
        }
        let mut bins = Bins { extent: mem::take(&mut self.extent), ..Bins::default() };
        for step in self.counts.iter_recorded() {
            bins.push(step.value_iterated_to(), u64::from(step.count_at_value()));
        }
        self.counts.reset();
        bins
    }
}

/// Sparse counts by bin: what frames carry and seconds keep. Merging is exact and associative.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bins {
    /// (bin, count), rising by bin, no count of 0.
    pairs: Vec<(u16, u64)>,
    n: u64,
    extent: Extent,
}

impl Bins {
    /// Adds `count` at a value not below any earlier one.
    fn push(&mut self, value: u64, count: u64) {
        let index = index_of(value);
        match self.pairs.last_mut() {
            Some((last, held)) if *last == index => *held += count,
            _ => self.pairs.push((index, count)),
        }
        self.n += count;
    }

    /// Counts one value, in microseconds.
    pub fn record(&mut self, value: u64) {
        let index = index_of(value);
        match self.pairs.binary_search_by_key(&index, |(bin, _)| *bin) {
            Ok(at) => self.pairs[at].1 += 1,
            Err(at) => self.pairs.insert(at, (index, 1)),
        }
        self.n += 1;
        self.extent.add(value);
    }

    /// From (bin, count) pairs of a file; `None` unless the bins rise and every count is above 0.
    pub fn from_pairs(pairs: Vec<(u16, u64)>, extent: Extent) -> Option<Self> {
        let rising = pairs.windows(2).all(|two| two[0].0 < two[1].0) && pairs.iter().all(|(_, count)| *count > 0);
        let n = pairs.iter().try_fold(0_u64, |sum, (_, count)| sum.checked_add(*count))?;
        rising.then_some(Self { pairs, n, extent })
    }

    /// (bin, count), rising by bin.
    pub fn pairs(&self) -> &[(u16, u64)] {
        &self.pairs
    }

    /// (lowest value, highest value, count) of every bin, rising; microseconds.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64, u64)> + '_ {
        self.pairs.iter().map(|&(index, count)| (low_of(index), high_of(index), count))
    }

    /// How many values.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// True when there is nothing.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Adds every count of `other`.
    pub fn merge(&mut self, other: &Self) {
        if other.n == 0 {
            return;
        }
        let mut merged = Vec::with_capacity(self.pairs.len() + other.pairs.len());
        let (mut mine, mut theirs) = (self.pairs.iter().peekable(), other.pairs.iter().peekable());
        loop {
            let next = match (mine.peek(), theirs.peek()) {
                (Some(a), Some(b)) if a.0 == b.0 => {
                    let both = (a.0, a.1 + b.1);
                    theirs.next();
                    mine.next();
                    both
                }
                (Some(a), Some(b)) if a.0 > b.0 => {
                    let only = **b;
                    theirs.next();
                    only
                }
                (Some(a), _) => {
                    let only = **a;
                    mine.next();
                    only
                }
                (None, Some(b)) => {
                    let only = **b;
                    theirs.next();
                    only
                }
                (None, None) => break,
            };
            merged.push(next);
        }
        self.pairs = merged;
        self.n += other.n;
        self.extent.merge(other.extent);
    }

    /// The value of rank `rank` (1 = smallest): the highest value its bin can hold, in microseconds; `None` beyond the last.
    pub fn value_at_rank(&self, rank: u64) -> Option<u64> {
        let mut seen = 0;
        self.pairs.iter().find_map(|&(index, count)| {
            seen += count;
            (seen >= rank.max(1)).then(|| high_of(index))
        })
    }

    /// The value at quantile `q` in 0 ..= 1, in microseconds; `None` when there is nothing.
    pub fn value_at(&self, q: f64) -> Option<u64> {
        (self.n > 0).then(|| self.value_at_rank(rank_of(q, self.n))).flatten()
    }

    /// How many values lie at or below `value` (by bin).
    pub fn at_or_below(&self, value: u64) -> u64 {
        let limit = index_of(value);
        self.pairs.iter().take_while(|(index, _)| *index <= limit).map(|(_, count)| count).sum()
    }

    /// Exact sum and borders, in microseconds.
    pub fn extent(&self) -> Extent {
        self.extent
    }

    /// Largest value, in microseconds; `None` when there is nothing.
    pub fn max(&self) -> Option<u64> {
        (self.n > 0).then_some(self.extent.max)
    }

    /// Exact mean, in microseconds; 0 when there is nothing.
    pub fn mean(&self) -> f64 {
        if self.n == 0 { 0.0 } else { self.extent.sum as f64 / self.n as f64 }
    }

    /// All histograms of an interval log in microseconds together; `None` when one cannot be read.
    pub fn from_interval_log(log: &str) -> Option<Self> {
        let mut bins = Self::default();
        for line in log.lines().filter(|line| !line.starts_with('#') && !line.starts_with('"')) {
            let raw = from_base64(line.rsplit(',').next()?.trim())?;
            let held: Histogram<u64> = Deserializer::new().deserialize(&mut raw.as_slice()).ok()?;
            for step in held.iter_recorded() {
                let mut one = Self::default();
                one.push(step.value_iterated_to(), step.count_at_value());
                let (low, high) = (held.lowest_equivalent(step.value_iterated_to()), step.value_iterated_to());
                let sum = (low / 2 + high / 2).saturating_mul(step.count_at_value());
                one.extent = Extent { sum, min: low, max: high };
                bins.merge(&one);
            }
        }
        Some(bins)
    }

    /// The standard V2 + DEFLATE form, base64, as an interval log holds it.
    pub fn to_interval_log(&self) -> Option<String> {
        let mut full = Histogram::<u64>::new(3).ok()?;
        for (low, _, count) in self.buckets() {
            full.record_n(low, count).ok()?;
        }
        let mut raw = Vec::new();
        V2DeflateSerializer::new().serialize(&full, &mut raw).ok()?;
        Some(base64(&raw))
    }
}

/// Rank (1 = smallest) of quantile `q` among `n` values: ⌈q·n⌉, at least 1, at most n.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1 ..= n")]
pub fn rank_of(q: f64, n: u64) -> u64 {
    // The tiny step back keeps 0.95 × 100 at 95 despite binary fractions.
    ((q * n as f64 - 1e-9).ceil().max(1.0) as u64).min(n.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_bin_holds_its_values(value in 0_u64..4_000_000_000) {
            let index = index_of(value);
            prop_assert!(low_of(index) <= value && value <= high_of(index));
            prop_assert!(high_of(index) - low_of(index) <= value / 1000);
        }

        #[test]
        fn merge_is_the_whole(a in prop::collection::vec(0_u64..10_000_000, 0..200), b in prop::collection::vec(0_u64..10_000_000, 0..200)) {
            let (mut left, mut right, mut whole) = (Bins::default(), Bins::default(), Bins::default());
            for v in &a { left.record(*v); whole.record(*v) }
            for v in &b { right.record(*v); whole.record(*v) }
            left.merge(&right);
            prop_assert_eq!(left, whole);
        }

        #[test]
        fn the_dense_side_drains_into_the_same_bins(values in prop::collection::vec(0_u64..100_000_000, 1..300)) {
            let (mut dense, mut sparse) = (Hist::new().unwrap(), Bins::default());
            for v in &values { dense.record(*v); sparse.record(*v) }
            prop_assert_eq!(dense.drain(), sparse);
            prop_assert!(dense.is_empty());
        }

        #[test]
        fn percentiles_agree_with_the_crate(values in prop::collection::vec(1_u64..60_000_000, 1..300)) {
            let (mut full, mut sparse) = (Histogram::<u64>::new(3).unwrap(), Bins::default());
            for v in &values { full.record(*v).unwrap(); sparse.record(*v) }
            for q in [0.5, 0.9, 0.95, 0.99, 1.0] {
                prop_assert_eq!(sparse.value_at(q).unwrap(), full.value_at_quantile(q));
            }
        }
    }

    #[test]
    fn ranks_do_not_slip_by_binary_fractions() {
        assert_eq!(rank_of(0.95, 100), 95);
        assert_eq!(rank_of(0.99, 1000), 990);
        assert_eq!(rank_of(0.0, 10), 1);
        assert_eq!(rank_of(1.0, 10), 10);
    }
}
