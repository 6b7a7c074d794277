//! When an alert of one's own would have rung: squall's reference rules over the same seconds, and what that means in production.
//!
//! A drill's load is fresh, so a window that should hold an hour holds minutes, and a burn-rate rule fires far too soon: both times
//! are given. Called by `account`. Not here: the rules (`plan::slo`), the alerts that really came in (the journal).

use super::impact::{Second, WINDOW};
use crate::plan::slo::{Rule, Slo};

/// Least number of requests in a window.
const LEAST: u64 = 50;

/// The first reference alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// The rule, in words.
    pub rule: String,
    /// The second it fired in; an index into the series.
    pub at: usize,
    /// Seconds from impact to the same alert with a whole history behind it; `None`: it would never have fired.
    pub in_production: Option<f64>,
}

/// The first rule of `slo` that fires in `series` from second `from` (the impact) on; history begins at `start`.
pub fn first(series: &[Second], (start, from): (usize, usize), plateau: f64, slo: &Slo) -> Option<Alert> {
    let fired = |rule: &Rule| Some((fires(*rule, series, (start, from), slo.objective)?, *rule));
    let (at, rule) = slo.reference.iter().filter_map(fired).min_by_key(|(at, _)| *at)?;
    let taken = (at - from + 1) as f64;
    let history = (from - start) as f64;
    let fresh = rule.fires_fresh(slo.objective, plateau, history);
    let whole = rule.fires_after(slo.objective, plateau);
    // TTD - t(h) + t(W): what the fresh window gave away is added again.
    let in_production = fresh.zip(whole).map(|(fresh, whole)| (taken - fresh + whole).max(0.0));
    Some(Alert { rule: rule.words(), at, in_production })
}

fn fires(rule: Rule, series: &[Second], (start, from): (usize, usize), objective: f64) -> Option<usize> {
    let ratio = |at: usize, length: usize| {
        let part = series.get(start.max((at + 1).saturating_sub(length))..=at).unwrap_or_default();
        let (bad, total) = part.iter().fold((0, 0), |sum, one| (sum.0 + one.bad, sum.1 + one.total));
        if total < LEAST { 0.0 } else { bad as f64 / total as f64 }
    };
    let whole = |time: std::time::Duration| usize::try_from(time.as_secs()).unwrap_or(usize::MAX).max(1);
    match rule {
        Rule::Burn { long, short, times } => {
            let limit = times * (1.0 - objective);
            (from..series.len()).find(|at| ratio(*at, whole(short)) > limit && ratio(*at, whole(long)) > limit)
        }
        Rule::Above { bad, hold } => {
            let mut held = 0;
            (from..series.len()).find(|at| {
                held = if ratio(*at, WINDOW) > bad { held + 1 } else { 0 };
                held >= whole(hold)
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::slo::USUAL;

    fn slo(rules: &[Rule]) -> Slo {
        Slo { objective: 0.999, period: std::time::Duration::from_secs(30 * 86_400), reference: rules.to_vec() }
    }

    #[test]
    fn a_short_history_is_told_from_an_hour() {
        let second = |n: usize| Second { total: 100, bad: if n < 300 { 0 } else { 20 }, fit: true };
        let series: Vec<Second> = (0..900).map(second).collect();
        let alert = first(&series, (0, 300), 0.2, &slo(&USUAL[..1])).unwrap();
        assert!((22..=25).contains(&(alert.at - 300)), "{alert:?}");
        assert!((alert.in_production.unwrap() - 259.0).abs() < 3.0, "{alert:?}");
        let plain = first(&series, (0, 300), 0.2, &slo(&USUAL[1..])).unwrap();
        assert!((59..=63).contains(&(plain.at - 300)), "{plain:?}");
        assert!((plain.in_production.unwrap() - (plain.at - 299) as f64).abs() < 1e-9, "a threshold has no history");
    }

    #[test]
    fn nothing_rings_when_nothing_is_wrong() {
        let series = vec![Second { total: 100, bad: 0, fit: true }; 400];
        assert_eq!(first(&series, (0, 300), 0.0, &slo(&USUAL)), None);
        assert_eq!(first(&series, (0, 300), 0.0, &slo(&[])), None);
    }
}
