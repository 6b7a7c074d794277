//! What was promised to users as checked: objective, period, and the alert rules a drill is compared with.
//!
//! Made by `check`; read by `judge`. Not here: what a good request is (`good`), arithmetic (`judge::slo`).

use std::time::Duration;

/// A service level objective.
#[derive(Clone, Debug, PartialEq)]
pub struct Slo {
    /// Share of good requests, such as 0.999.
    pub objective: f64,
    /// Period of the error budget.
    pub period: Duration,
    /// Alert rules of squall's own that run over the same traffic.
    pub reference: Vec<Rule>,
}

/// An alert rule. Its windows are never scaled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// The budget burns more than `times` as fast as allowed, over both windows.
    Burn {
        /// The longer window.
        long: Duration,
        /// The shorter window.
        short: Duration,
        /// Times the allowed rate, above 0.
        times: f64,
    },
    /// The bad share of ten seconds stays above `bad` for `hold`.
    Above {
        /// 0 to 1.
        bad: f64,
        /// Without a break.
        hold: Duration,
    },
}

impl Rule {
    /// Seconds until it fires at the earliest, with steady traffic of which `bad` fails after a quiet history: for a burn rate
    /// `times · (1 - objective) · long / bad` (SRE workbook, chapter 5). `None`: never.
    pub fn fires_after(&self, objective: f64, bad: f64) -> Option<f64> {
        match self {
            Self::Burn { long, times, .. } => {
                let after = times * (1.0 - objective) * long.as_secs_f64() / bad;
                (after <= long.as_secs_f64()).then_some(after)
            }
            Self::Above { bad: above, hold } => (bad > *above).then(|| WINDOW * above / bad + hold.as_secs_f64()),
        }
    }

    /// The same with only `history` seconds of traffic before it began: a window that is not yet full fires far too soon,
    /// `θ h / (bad - θ)` with `θ = times · (1 - objective)`, and never later than with a whole history.
    pub fn fires_fresh(&self, objective: f64, bad: f64, history: f64) -> Option<f64> {
        let whole = self.fires_after(objective, bad)?;
        match self {
            Self::Burn { times, .. } => {
                let threshold = times * (1.0 - objective);
                (bad > threshold).then(|| (threshold * history / (bad - threshold)).min(whole))
            }
            Self::Above { .. } => Some(whole),
        }
    }

    /// `14.4x over 1 h`, `above 5 % for 60 s`.
    pub fn words(&self) -> String {
        match self {
            Self::Burn { long, times, .. } => format!("{times}x over {}", spaced(*long)),
            Self::Above { bad, hold } => {
                let percent = format!("{:.2}", bad * 100.0);
                format!("above {} % for {}", percent.trim_end_matches('0').trim_end_matches('.'), spaced(*hold))
            }
        }
    }
}

/// A duration of whole hours, minutes or seconds, with a space before its unit.
fn spaced(time: Duration) -> String {
    let secs = time.as_secs();
    match secs {
        secs if secs >= 3600 && secs.is_multiple_of(3600) => format!("{} h", secs / 3600),
        secs if secs >= 120 && secs.is_multiple_of(60) => format!("{} min", secs / 60),
        _ => format!("{} s", time.as_secs_f64()),
    }
}

/// Seconds over which the bad share of [`Rule::Above`] is taken.
pub const WINDOW: f64 = 10.0;

/// The rules where a drill names none: a page of the SRE workbook, and a plain threshold.
pub const USUAL: [Rule; 2] = [
    Rule::Burn { long: Duration::from_secs(3600), short: Duration::from_secs(300), times: 14.4 },
    Rule::Above { bad: 0.05, hold: Duration::from_secs(60) },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burn_rate_fires_when_the_books_say() {
        let [page, plain] = USUAL;
        for (bad, seconds) in [(1.0, 52.0), (0.6, 86.0), (0.43, 121.0), (0.2, 259.0), (0.05, 1037.0)] {
            assert!((page.fires_after(0.999, bad).unwrap() - seconds).abs() < 1.0, "{bad}");
        }
        assert_eq!(page.fires_after(0.999, 0.014), None);
        assert_eq!((page.words(), plain.words()), ("14.4x over 1 h".into(), "above 5 % for 60 s".into()));
    }

    #[test]
    fn a_short_history_fires_far_too_soon() {
        let [page, plain] = USUAL;
        let fresh = page.fires_fresh(0.999, 0.2, 300.0).unwrap();
        assert!((fresh - 23.3).abs() < 0.1, "{fresh}");
        assert!(
            (page.fires_fresh(0.999, 0.2, 86_400.0).unwrap() - 259.2).abs() < 0.1,
            "at most as with a whole history"
        );
        assert_eq!(plain.fires_fresh(0.999, 0.5, 1.0), Some(61.0));
    }
}
