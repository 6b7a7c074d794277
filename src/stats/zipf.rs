//! Zipf's law: rank r of n is drawn with a weight of 1 / r^s, in constant time and memory.
//!
//! Rejection-inversion (Hörmann and Derflinger 1996). Pure; called by whoever draws variables.

use super::portable::{exp, ln};

/// A rank from 1 to `items` with exponent `s` > 0, from uniform numbers in [0, 1).
pub fn rank(items: u64, s: f64, mut unit: impl FnMut() -> f64) -> u64 {
    let most = items.max(1) as f64;
    let (low, high) = (area(1.5, s) - 1.0, area(most + 0.5, s));
    let near = 2.0 - inverse(area(2.5, s) - weight(2.0, s), s);
    loop {
        let u = high + unit() * (low - high);
        let x = inverse(u, s);
        let rank = (x + 0.5).floor().clamp(1.0, most);
        if rank - x <= near || u >= area(rank + 0.5, s) - weight(rank, s) {
            return whole(rank);
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank of at least 1; casts saturate")]
fn whole(rank: f64) -> u64 {
    rank as u64
}

fn weight(x: f64, s: f64) -> f64 {
    exp(-s * ln(x))
}

/// The integral of the weight: (x^(1-s) - 1) / (1 - s), its limit ln x at s = 1.
fn area(x: f64, s: f64) -> f64 {
    let log = ln(x);
    let t = (1.0 - s) * log;
    // (eᵗ - 1) / t, by its series where the difference would cancel.
    let ratio = if t.abs() > 1e-5 { (exp(t) - 1.0) / t } else { 1.0 + t / 2.0 * (1.0 + t / 3.0) };
    ratio * log
}

fn inverse(a: f64, s: f64) -> f64 {
    let t = (a * (1.0 - s)).max(-1.0);
    // ln(1 + t) / t, by its series where the sum would cancel.
    let ratio = if t.abs() > 1e-5 { ln(1.0 + t) / t } else { 1.0 - t * (0.5 - t / 3.0) };
    exp(ratio * a)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::seed::Seed;

    #[test]
    fn ranks_have_the_weights_of_the_law() {
        for (s, items) in [(1.1, 50_u64), (1.0, 10), (0.5, 7), (2.5, 1000)] {
            let mut stream = Seed(4).stream("zipf");
            let mut counts = vec![0_u32; usize::try_from(items).unwrap() + 1];
            for _ in 0..100_000 {
                counts[usize::try_from(rank(items, s, || stream.unit())).unwrap()] += 1;
            }
            let total: f64 = (1..=items).map(|r| (r as f64).powf(-s)).sum();
            assert_eq!(counts[0], 0);
            for r in 1..=5_u32 {
                let want = f64::from(r).powf(-s) / total * 100_000.0;
                let seen = f64::from(counts[r as usize]);
                assert!(
                    (seen - want).abs() < 5.0 * want.sqrt() + 2.0,
                    "rank {r} of {items}, s {s}: {seen}, not {want}"
                );
            }
        }
        assert_eq!(rank(1, 1.1, || 0.7), 1);
    }
}
