//! Pictures without a time axis: response bars of a drill, and the dot with its whiskers beside a check.
//!
//! Not here: verdicts and words (`view`).

use super::palette::{Colour, of_verdict};
use super::svg::{Label, Svg, px, width_of};
use crate::judge::finding::Verdict;
use crate::report::view::checks::Check;
use crate::report::view::drill::Bar;

const WIDTH: f64 = 1000.0;
const ROW: f64 = 34.0;
const LEFT: f64 = 130.0;
/// Where every limit stands: bars of all expectations are shares of their own limit.
const LIMIT: f64 = 640.0;

/// Response bars: measured against target and limit, every limit at the same place.
pub fn responses(bars: &[Bar], desc: &str) -> String {
    let mut svg = Svg::default();
    let height = bars.len() as f64 * ROW + 30.0;
    let x = |share: f64| LEFT + share * (LIMIT - LEFT);
    let small = |x: f64, y: f64, anchor| Label { size: 11.0, ..Label::quiet(x, y, anchor) };
    svg.text(Label { size: 11.5, ..Label::quiet(LIMIT, 14.0, "middle") }, "limit");
    for (row, bar) in bars.iter().enumerate() {
        let top = row as f64 * ROW + 26.0;
        let name: String = bar.name.chars().take(17).collect();
        svg.text(Label { size: 13.0, colour: Colour::Ink, ..Label::quiet(0.0, top + 15.0, "start") }, &name);
        svg.rect([LEFT, top, x(bar.target) - LEFT, 20.0], Colour::Steel, "fill-opacity=\"0.34\"");
        svg.rect([x(bar.target), top, LIMIT - x(bar.target), 20.0], Colour::Steel, "fill-opacity=\"0.17\"");
        svg.line((LIMIT, top - 3.0), (LIMIT, top + 23.0), Colour::Ink, "stroke-width=\"2\"");
        let colour = of_verdict(bar.verdict);
        let end = match bar.reach {
            Some(reach) => x(reach.clamp(0.0, 1.12)),
            None => x(1.12),
        };
        if bar.reach.is_some() {
            svg.rect([LEFT, top + 6.0, (end - LEFT).max(3.0), 8.0], colour, "");
        } else {
            let more = "stroke-width=\"3\" stroke-dasharray=\"6 5\"";
            svg.line((LEFT, top + 10.0), (end, top + 10.0), colour, more);
        }
        svg.raw(&shape(bar.verdict, (WIDTH - 270.0, top + 10.0), 6.0));
        let [measured, target, limit] = &bar.words;
        let value = Label { size: 13.5, ..Label::quiet(WIDTH - 252.0, top + 15.0, "start") };
        svg.text(value.strong(), measured);
        let offset = width_of(measured, 13.5).max(60.0) + 16.0;
        svg.text(small(WIDTH - 252.0 + offset, top + 15.0, "start"), &format!("target {target} · limit {limit}"));
    }
    svg.finish("bars", (WIDTH, height), "Response against target and limit", desc)
}

/// The shape of a verdict, so that colour is never alone: around `at`, `r` pixels to each side.
pub fn shape(verdict: Verdict, at: (f64, f64), r: f64) -> String {
    let hex = of_verdict(verdict).hex();
    let paper = Colour::Paper.hex();
    let (x, y) = at;
    let disc = format!("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{hex}\"/>", px(x), px(y), px(r));
    let scaled = |d: &str| {
        format!(
            "<path transform=\"translate({} {}) scale({})\" d=\"{d}\" fill=\"none\" stroke=\"{paper}\" stroke-width=\"2.2\" stroke-linecap=\"round\" stroke-linejoin=\"round\"/>",
            px(x),
            px(y),
            (r * 100.0).round() / 1000.0
        )
    };
    match verdict {
        Verdict::Pass => format!("{disc}{}", scaled("M-4.5 .4l3 3 6-6.4")),
        Verdict::Fail => format!("{disc}{}", scaled("M-3.6-3.6l7.2 7.2M3.6-3.6l-7.2 7.2")),
        Verdict::Invalid => format!("{disc}{}", scaled("M-4.6 4.6l9.2-9.2")),
        Verdict::Inconclusive => format!("{disc}{}", scaled("M-3 0h.1M0 0h.1M3 0h.1")),
        Verdict::Warn => format!(
            "<path d=\"M{} {}l{} {}h-{}z\" fill=\"{hex}\" stroke=\"{hex}\" stroke-width=\"2\" stroke-linejoin=\"round\"/>{}",
            px(x),
            px(y - r + 1.0),
            px(r - 0.5),
            px(2.0 * r - 2.5),
            px(2.0 * r - 1.0),
            scaled("M0-3.5v5M0 5h.1")
        ),
    }
}

/// A dot with its whiskers against the bound; `None` when there is nothing to draw.
pub fn whisker(check: &Check, id: &str) -> Option<String> {
    let dot = check.dot?;
    let (width, middle) = (180.0, 13.0);
    let reach = [dot.value, dot.bound, dot.high.unwrap_or(dot.value)].into_iter().fold(0.0, f64::max) * 1.15;
    if reach <= 0.0 || dot.value < 0.0 {
        return None;
    }
    let x = |value: f64| 4.0 + (value.max(0.0) / reach).min(1.0) * (width - 8.0);
    let mut svg = Svg::default();
    svg.line((4.0, middle), (width - 4.0, middle), Colour::Grid, "stroke-width=\"1\"");
    svg.line((x(dot.bound), 2.0), (x(dot.bound), 24.0), Colour::Ink, "stroke-width=\"2\"");
    let colour = of_verdict(check.verdict);
    let end = dot.high.map_or(width - 4.0, x);
    let dash = if dot.high.is_none() { "stroke-width=\"2\" stroke-dasharray=\"3 3\"" } else { "stroke-width=\"2\"" };
    if end - x(dot.low) > 0.5 {
        svg.line((x(dot.low), middle), (end, middle), colour, dash);
        svg.line((x(dot.low), middle - 4.0), (x(dot.low), middle + 4.0), colour, "stroke-width=\"2\"");
        if dot.high.is_some() {
            svg.line((end, middle - 4.0), (end, middle + 4.0), colour, "stroke-width=\"2\"");
        }
    }
    svg.raw(&format!("<circle cx=\"{}\" cy=\"{middle}\" r=\"4.5\" fill=\"{}\"/>", px(x(dot.value)), colour.hex()));
    let desc = format!("{}, demanded {}", check.observed, check.expected);
    Some(svg.finish(id, (width, 26.0), "Measured against the bound", &desc))
}
