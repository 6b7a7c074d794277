//! The arithmetic of service level objectives: error budget, burn rate, bad minutes.
//!
//! Called by `account`. Not here: what a good request is (`plan::good`), when an incident begins (`impact`).

use std::time::Duration;

use super::impact::Second;

/// An objective and the period its error budget is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// Share of good requests, below 1, such as 0.999.
    pub share: f64,
    /// The period, such as 30 days.
    pub period: Duration,
}

impl Objective {
    /// Minutes of the period that may be wholly bad: `(1 - objective) · period`.
    pub fn budget_minutes(self) -> f64 {
        (1.0 - self.share) * self.period.as_secs_f64() / 60.0
    }

    /// How many times faster than allowed the budget burns at a bad ratio: `ratio / (1 - objective)`.
    pub fn burn_rate(self, bad_ratio: f64) -> f64 {
        bad_ratio / (1.0 - self.share)
    }

    /// Share of the budget that so many bad minutes use; 0 when there is no budget to use.
    pub fn spent(self, bad_minutes: f64) -> f64 {
        let budget = self.budget_minutes();
        if budget > 0.0 { bad_minutes / budget } else { 0.0 }
    }

    /// Seconds until a rule over `window` seconds at `burn` times the allowed rate fires, with steady traffic of which
    /// `bad_ratio` fails: `burn · (1 - objective) · window / ratio`. `None`: never.
    pub fn fires_after(self, burn: f64, window: f64, bad_ratio: f64) -> Option<f64> {
        let after = burn * (1.0 - self.share) * window / bad_ratio;
        (after <= window).then_some(after)
    }
}

/// The integral of the bad ratio over the seconds, in minutes: a second in which half failed is half a bad second.
pub fn bad_minutes(seconds: &[Second]) -> f64 {
    let ratio = |one: &Second| if one.total == 0 { 0.0 } else { one.bad as f64 / one.total as f64 };
    seconds.iter().map(ratio).sum::<f64>() / 60.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONTH: Objective = Objective { share: 0.999, period: Duration::from_secs(30 * 86_400) };

    #[test]
    fn the_known_numbers_come_out() {
        assert!((MONTH.budget_minutes() - 43.2).abs() < 1e-9);
        assert!((MONTH.burn_rate(0.2) - 200.0).abs() < 1e-9);
        let week = Objective { period: Duration::from_secs(7 * 86_400), ..MONTH };
        assert!((week.budget_minutes() - 10.08).abs() < 1e-9);
        for (ratio, seconds) in [(1.0, 52.0), (0.6, 86.0), (0.43, 121.0), (0.2, 259.0), (0.05, 1037.0)] {
            assert!((MONTH.fires_after(14.4, 3600.0, ratio).unwrap() - seconds).abs() < 1.0, "{ratio}");
        }
        assert_eq!(MONTH.fires_after(14.4, 3600.0, 0.014), None);
    }

    #[test]
    fn ten_bad_minutes_and_ten_better_ones_use_a_seventh_of_the_month() {
        let share = |at: u64| if at < 600 { 0.4 } else { 0.4 * (1.0 - (at - 600) as f64 / 600.0) };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count below 1000")]
        let second = |at: u64| Second { total: 1_000, bad: (share(at) * 1_000.0).round() as u64, fit: true };
        let seconds: Vec<Second> = (0..1200).map(second).collect();
        let minutes = bad_minutes(&seconds);
        assert!((minutes - 6.0).abs() < 0.01, "{minutes}");
        assert!((MONTH.spent(minutes) - 0.139).abs() < 0.001);
    }
}
