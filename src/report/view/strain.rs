//! Load against latency: what was sent per second and how long it took, window by window, and the knee if there is one.
//!
//! Not here: pixels (`html::field`), capacity search.

use super::course;
use crate::judge::account::{Account, Band, BandKind};
use crate::report::words;

/// Seconds of a window, unless the run is too long for that.
const WINDOW_S: usize = 5;
/// Most windows.
const MOST: usize = 300;
/// Load that differs by less shows nothing.
const VARIED: f64 = 1.2;
/// Load must differ by this factor to say anything about a knee.
const SPREAD: f64 = 2.0;
/// Beyond the knee, p95 is at least this many times that of the least load.
const BENT: u64 = 2;

/// All windows.
#[derive(Debug)]
pub struct Strain {
    /// Length of a window, seconds.
    pub window_s: f64,
    /// Windows in order.
    pub dots: Vec<Dot>,
    /// The load from which on p95 stays at twice that of the least load, or more; requests per second.
    pub knee: Option<f64>,
}

/// One window.
#[derive(Clone, Debug)]
pub struct Dot {
    /// Where it begins, seconds on the run's clock.
    pub from_s: f64,
    /// Requests sent per second.
    pub rate: f64,
    /// p50, p95, p99 of the response time, µs.
    pub quantiles: [Option<u64>; 3],
    /// Whether something was broken on purpose meanwhile.
    pub disturbed: bool,
}

/// Load against latency; `None` with fewer than three windows, or under a constant load.
pub fn of(account: &Account) -> Option<Strain> {
    let wide = account.seconds.len().div_ceil(MOST).max(WINDOW_S);
    let dots: Vec<Dot> = account
        .seconds
        .chunks_exact(wide)
        .map(|part| {
            let from_s = part.first().map_or(0.0, |first| f64::from(first.second));
            let to_s = from_s + wide as f64;
            let both = course::sum(part).response.both();
            let broken = |band: &&Band| band.kind == BandKind::Fault;
            Dot {
                from_s,
                rate: part.iter().map(|second| second.flow.sent).sum::<u64>() as f64 / wide as f64,
                quantiles: [0.5, 0.95, 0.99].map(|q| both.value_at(q)),
                disturbed: account.bands.iter().filter(broken).any(|band| band.from_s < to_s && from_s < band.to_s),
            }
        })
        .collect();
    let knee = knee(&dots);
    let rates = || dots.iter().map(|dot| dot.rate);
    let (least, most) = (rates().fold(f64::MAX, f64::min), rates().fold(0.0, f64::max));
    (dots.len() >= 3 && most > VARIED * least).then_some(Strain { window_s: wide as f64, dots, knee })
}

/// The windows by load; the first from which on every p95 is bent. Disturbed windows say nothing about load.
fn knee(dots: &[Dot]) -> Option<f64> {
    let mut by_rate: Vec<(f64, u64)> = dots
        .iter()
        .filter(|dot| !dot.disturbed && dot.rate > 0.0)
        .filter_map(|dot| Some((dot.rate, dot.quantiles[1]?)))
        .collect();
    by_rate.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (least, most) = (by_rate.first()?.0, by_rate.last()?.0);
    if by_rate.len() < 6 || most < SPREAD * least {
        return None;
    }
    let mut calm: Vec<u64> = by_rate.iter().take(by_rate.len().div_ceil(4)).map(|(_, p95)| *p95).collect();
    calm.sort_unstable();
    let limit = BENT * calm.get(calm.len() / 2)?;
    let straight = by_rate.iter().rposition(|(_, p95)| *p95 < limit)?;
    // One window alone is a hiccup, not a knee.
    (by_rate.len() - straight > 2).then(|| by_rate[straight + 1].0)
}

/// What the picture says.
pub fn caption(strain: &Strain) -> String {
    let rates = || strain.dots.iter().map(|dot| dot.rate);
    let (least, most) = (rates().fold(f64::MAX, f64::min), rates().fold(0.0, f64::max));
    let range = format!("The load went from {} to {}", words::rate(least), words::rate(most));
    let hollow = if strain.dots.iter().any(|dot| dot.disturbed) {
        " Rings are windows in which something was broken on purpose."
    } else {
        ""
    };
    match strain.knee {
        Some(knee) => format!("{range}; from {} on, response times at least doubled.{hollow}", words::rate(knee)),
        None if most < SPREAD * least => format!("{range}, too little difference to show a knee.{hollow}"),
        None => format!("{range}, and response times showed no knee.{hollow}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(rate: f64, p95: u64) -> Dot {
        Dot { from_s: 0.0, rate, quantiles: [Some(p95 / 2), Some(p95), Some(p95 * 2)], disturbed: false }
    }

    #[test]
    fn a_knee_needs_a_range_of_load_and_more_than_one_window() {
        let rising: Vec<Dot> =
            (1..=10).map(|n| dot(f64::from(n) * 100.0, if n > 7 { 90_000 } else { 10_000 })).collect();
        assert_eq!(knee(&rising), Some(800.0));
        let flat: Vec<Dot> = (1..=10).map(|n| dot(f64::from(n) * 100.0, 10_000)).collect();
        assert_eq!(knee(&flat), None);
        let steady: Vec<Dot> = (0..10).map(|n| dot(100.0, if n > 7 { 90_000 } else { 10_000 })).collect();
        assert_eq!(knee(&steady), None);
        let hiccup: Vec<Dot> =
            (1..=10).map(|n| dot(f64::from(n) * 100.0, if n == 10 { 90_000 } else { 10_000 })).collect();
        assert_eq!(knee(&hiccup), None);
    }
}
