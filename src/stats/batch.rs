//! How far a mean or a rate of one run (requests per second, apdex, mean response time) can be trusted: batch means.
//!
//! Seconds resemble their neighbours; the means of long batches hardly do, so their spread is honest. `quantile::batches`
//! does the cutting. Called by `judge`.

use super::quantile::BATCHES_MIN;
use super::special::t_quantile;

/// The mean of a run's batches, with the half width of its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchMean {
    /// Mean of the batch values, in their unit.
    pub mean: f64,
    /// Standard deviation between batches, divisor K-1, in the same unit.
    pub deviation: f64,
    /// Half width `t(1-a/2; K-1) · s / √K`; the interval is `mean ± half_width`.
    pub half_width: f64,
    /// Batches K.
    pub batches: usize,
}

/// The mean of `values`, one per batch, with an interval at two-sided error `a` (0.05 for 95 %). None for fewer than
/// [`BATCHES_MIN`] batches.
pub fn batch_mean(values: &[f64], a: f64) -> Option<BatchMean> {
    let k = values.len();
    if k < BATCHES_MIN {
        return None;
    }
    let mean = values.iter().sum::<f64>() / k as f64;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    let deviation = (squares / (k - 1) as f64).sqrt();
    let half_width = t_quantile(1.0 - a / 2.0, (k - 1) as f64) * deviation / (k as f64).sqrt();
    Some(BatchMean { mean, deviation, half_width, batches: k })
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are exact")]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_student_t_on_the_batch_means() {
        let found = batch_mean(&[498.0, 502.0, 500.0, 503.0, 497.0, 500.0], 0.05).unwrap();
        assert_eq!((found.mean, found.batches), (500.0, 6));
        // s = sqrt(26/5); t(0.975; 5) = 2.570582.
        assert!((found.deviation - 2.280_350_850).abs() < 1e-9, "{found:?}");
        assert!((found.half_width - 2.570_581_836 * 2.280_350_850 / 6.0_f64.sqrt()).abs() < 1e-8, "{found:?}");
    }

    #[test]
    fn equal_batches_have_no_width() {
        assert_eq!(batch_mean(&[7.0; 8], 0.05).unwrap().half_width, 0.0);
    }

    #[test]
    fn five_batches_have_no_interval() {
        assert_eq!(batch_mean(&[1.0; 5], 0.05), None);
    }
}
