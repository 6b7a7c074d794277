//! The block bootstrap: how far any statistic of a run can be trusted when nothing is known of its distribution.
//!
//! Whole batches of seconds are drawn again with replacement, as neighbours in time resemble each other; the spread of the
//! statistic over the draws is its interval (Efron 1979, Künsch 1989). It covers noise within one run only: two runs are
//! compared by interleaved blocks (`rank`). Draws are handed in, so that a report is the same at every rendering.

/// The two-sided interval of `statistic` at error `a` (0.05 for 95 %): `repeats` times, as many batches as there are are
/// drawn with `pick(n)`, uniform in 0..n; the a/2 and 1-a/2 quantiles of what comes out. `statistic` is told the numbers of
/// the batches and may decline. None for fewer than two batches, or when fewer than half the draws have a value.
pub fn interval(
    batches: usize,
    (repeats, a): (usize, f64),
    mut pick: impl FnMut(u64) -> u64,
    mut statistic: impl FnMut(&[usize]) -> Option<f64>,
) -> Option<(f64, f64)> {
    if batches < 2 || repeats == 0 {
        return None;
    }
    let mut drawn = vec![0; batches];
    let mut found = Vec::with_capacity(repeats);
    for _ in 0..repeats {
        for one in &mut drawn {
            *one = usize::try_from(pick(batches as u64)).unwrap_or(0).min(batches - 1);
        }
        found.extend(statistic(&drawn).filter(|value| value.is_finite()));
    }
    if found.len() * 2 < repeats {
        return None;
    }
    found.sort_by(f64::total_cmp);
    Some((at(&found, a / 2.0), at(&found, 1.0 - a / 2.0)))
}

/// The value at quantile `q` of rising `values`, of which there is at least one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate, and the rank is clamped")]
fn at(values: &[f64], q: f64) -> f64 {
    let rank = ((q * values.len() as f64).ceil() as usize).clamp(1, values.len());
    values[rank - 1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::seed::Seed;
    use crate::stats::portable::normal_quantile;

    fn mean_of(values: &[f64], seed: u64) -> Option<(f64, f64)> {
        let mut stream = Seed(seed).stream("bootstrap");
        interval(
            values.len(),
            (400, 0.05),
            |n| stream.below(n),
            |drawn| Some(drawn.iter().map(|one| values[*one]).sum::<f64>() / drawn.len() as f64),
        )
    }

    #[test]
    fn the_interval_covers_the_truth_about_as_often_as_it_says() {
        let mut held = 0;
        for run in 0..200 {
            let mut stream = Seed(run).stream("noise");
            let values: Vec<f64> = (0..30).map(|_| normal_quantile(stream.unit_open().min(1.0 - 1e-12))).collect();
            let (low, high) = mean_of(&values, run).unwrap();
            held += usize::from(low <= 0.0 && 0.0 <= high);
        }
        assert!((180..=199).contains(&held), "{held} of 200");
    }

    #[test]
    fn equal_batches_leave_no_doubt_and_one_batch_leaves_all() {
        assert_eq!(mean_of(&[3.0; 10], 1), Some((3.0, 3.0)));
        assert_eq!(mean_of(&[3.0], 1), None);
        assert_eq!(interval(5, (100, 0.05), |_| 0, |_| None), None);
        assert_eq!(mean_of(&[1.0, 2.0, 9.0], 4), mean_of(&[1.0, 2.0, 9.0], 4));
    }
}
