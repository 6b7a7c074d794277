//! Axes: which range, which ticks, which labels. Axes start where they say; response times are logarithmic.
//!
//! Not here: drawing (`frame`).

use crate::report::words;

/// A vertical axis, in the units that are plotted.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// Bottom.
    pub low: f64,
    /// Top.
    pub high: f64,
    /// Where a rule and its label stand.
    pub ticks: Vec<(f64, String)>,
}

/// The next round number at or above `value`: 1, 2, 2.5 or 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 1.0;
    }
    let ten = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|times| times * ten)
        .find(|round| *round >= value * (1.0 - 1e-9))
        .unwrap_or(value)
}

/// From 0 to a little above `most`, with labels by `show` that fit into `height` pixels.
pub fn linear(most: f64, height: f64, show: impl Fn(f64) -> String) -> Scale {
    let rows = (height / 30.0).floor().clamp(1.0, 4.0);
    let most = if most.is_finite() { most.max(0.0) } else { 0.0 };
    let step = round_up(most / rows);
    let steps = (most * 1.03 / step).ceil().max(1.0);
    let mut ticks = Vec::new();
    let mut at = 0.0;
    while at <= steps + 0.5 {
        ticks.push((at * step, show(at * step)));
        at += 1.0;
    }
    Scale { low: 0.0, high: steps * step, ticks }
}

/// Shares from 0 to at most 1.
pub fn shares(most: f64) -> Scale {
    let high = [0.001, 0.002, 0.01, 0.02, 0.04, 0.1, 0.2, 0.5].into_iter().find(|high| *high >= most).unwrap_or(1.0);
    let ticks = [0.0, 0.5, 1.0].map(|part| (part * high, words::share(part * high))).to_vec();
    Scale { low: 0.0, high, ticks }
}

/// Times in microseconds, plotted as log10, whole decades.
pub fn times(least: f64, most: f64) -> Scale {
    let low = least.max(1.0).log10().floor();
    let high = most.max(least).max(10.0).log10().ceil().max(low + 1.0);
    let mut ticks = Vec::new();
    let mut decade = low;
    while decade <= high + 0.5 {
        ticks.push((decade, words::time(10_f64.powf(decade))));
        decade += 1.0;
    }
    Scale { low, high, ticks }
}

/// Where labels stand on the horizontal axis from `from` to `to` (seconds), counted from `zero`.
pub fn instants(from: f64, to: f64, zero: f64) -> Vec<(f64, String)> {
    const STEPS: [f64; 14] =
        [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0];
    let span = (to - from).max(1.0);
    let step = STEPS.into_iter().find(|step| span / step <= 10.0).unwrap_or(86_400.0);
    let mut ticks = Vec::new();
    let mut at = ((from - zero) / step).ceil();
    while zero + at * step <= to + 1e-9 && ticks.len() < 400 {
        let seconds = at * step;
        let text = match seconds {
            s if s.abs() < 1e-9 => "0".to_owned(),
            s => words::span(s),
        };
        ticks.push((zero + seconds, text));
        at += 1.0;
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_hold_what_they_must_show() {
        for most in [0.0, 0.4, 1.0, 99.7, 120.0, 1_234.0] {
            let scale = linear(most, 110.0, words::rate);
            assert!(scale.high >= most && scale.ticks.len() <= 6, "{scale:?}");
        }
        assert_eq!(times(900.0, 1_900_000.0).ticks.len(), 6);
        assert!((shares(0.61).high - 1.0).abs() < 1e-9);
        let ticks: Vec<String> = instants(0.0, 160.0, 60.0).into_iter().map(|(_, text)| words::plain(&text)).collect();
        assert_eq!(ticks, ["−60 s", "−40 s", "−20 s", "0", "20 s", "40 s", "60 s", "80 s", "100 s"]);
    }
}
