//! Two arms beside each other: a dot for each block against the margin, and the change of every quantile with its interval.
//!
//! Not here: what is compared (`view::versus`).

use super::palette::Colour;
use super::svg::{Label, Svg, px};
use crate::judge::words::percentile;
use crate::report::view::versus::{Pair, signed};

const LEFT: f64 = 90.0;
const RIGHT: f64 = 985.0;
const TOP: f64 = 40.0;
const HEIGHT: f64 = 190.0;

/// A vertical axis through zero, in percent or points.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    /// An axis that holds all `values` and zero.
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values
            .filter(|one| one.is_finite())
            .fold((0.0_f64, 0.0_f64), |(low, high), one| (low.min(one), high.max(one)));
        let room = ((high - low) * 0.12).max(0.5);
        Self { low: low - room, high: high + room }
    }

    fn y(&self, value: f64) -> f64 {
        TOP + (self.high - value.clamp(self.low, self.high)) / (self.high - self.low) * HEIGHT
    }

    /// Rules and labels at about five round values, zero among them.
    fn draw(&self, svg: &mut Svg, unit: &str) {
        let rough = (self.high - self.low) / 5.0;
        let ten = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * ten).find(|step| *step >= rough).unwrap_or(10.0 * ten);
        let mut at = (self.low / step).ceil() * step;
        while at <= self.high {
            let value = if at.abs() < step / 1e6 { 0.0 } else { at };
            let colour = if value == 0.0 { Colour::Steel } else { Colour::Grid };
            svg.line((LEFT, self.y(value)), (RIGHT, self.y(value)), colour, "stroke-width=\"1\"");
            let text = if step < 1.0 { format!("{value:+.1}\u{a0}{unit}") } else { format!("{value:+.0}\u{a0}{unit}") };
            svg.text(Label::quiet(LEFT - 8.0, self.y(value) + 4.0, "end"), &text);
            at += step;
        }
    }
}

fn head(svg: &mut Svg, title: &str) {
    svg.text(Label { size: 13.0, ..Label::quiet(0.0, 15.0, "start").strong() }, title);
}

/// A dot for each block: round where the base went first, square where the candidate did; the centre with its interval, and the margin.
pub fn blocks(pair: &Pair, id: &str) -> String {
    let ends = pair.centre.map(|(value, low, high)| [value, low, high]).unwrap_or_default();
    let axis = Axis::of(pair.blocks.iter().filter_map(|(change, _)| *change).chain(ends).chain([pair.margin]));
    let mut svg = Svg::default();
    head(&mut svg, &format!("{}: each block's change, round: base first, square: candidate first", pair.what));
    axis.draw(&mut svg, pair.unit);
    let last = RIGHT - 150.0;
    let step = (last - LEFT) / pair.blocks.len().max(1) as f64;
    for (n, (change, base_first)) in pair.blocks.iter().enumerate() {
        let x = LEFT + (n as f64 + 0.5) * step;
        let (colour, y) = match change {
            Some(change) if *change > pair.margin && pair.margin >= 0.0 => (Colour::Vermillion, axis.y(*change)),
            Some(change) => (Colour::Blue, axis.y(*change)),
            None => (Colour::Vermillion, TOP),
        };
        if *base_first {
            svg.raw(&format!("<circle cx=\"{}\" cy=\"{}\" r=\"4.6\" fill=\"{}\"/>", px(x), px(y), colour.hex()));
        } else {
            svg.rect([x - 4.2, y - 4.2, 8.4, 8.4], colour, "");
        }
        if pair.blocks.len() <= 40 || n % 10 == 9 {
            svg.text(Label { size: 11.0, ..Label::quiet(x, TOP + HEIGHT + 16.0, "middle") }, &(n + 1).to_string());
        }
    }
    let margin = axis.y(pair.margin);
    svg.line((LEFT, margin), (RIGHT, margin), Colour::Orange, "stroke-width=\"1.6\" stroke-dasharray=\"6 4\"");
    svg.text(
        Label { size: 11.5, ..Label::quiet(RIGHT, margin - 6.0, "end") },
        &format!("allowed {}", signed(pair.margin, pair.unit)),
    );
    if let Some((value, low, high)) = pair.centre {
        let x = RIGHT - 100.0;
        svg.line((x, axis.y(low)), (x, axis.y(high)), Colour::Ink, "stroke-width=\"2.4\"");
        for end in [low, high] {
            svg.line((x - 6.0, axis.y(end)), (x + 6.0, axis.y(end)), Colour::Ink, "stroke-width=\"2\"");
        }
        svg.raw(&format!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"5.4\" fill=\"{}\"/>",
            px(x),
            px(axis.y(value)),
            Colour::Ink.hex()
        ));
        svg.text(
            Label { size: 12.5, ..Label::quiet(x + 12.0, axis.y(value) + 4.0, "start").strong() },
            &signed(value, pair.unit),
        );
    }
    svg.text(Label { size: 11.5, ..Label::quiet(last, TOP + HEIGHT + 32.0, "end") }, "block");
    svg.finish(id, (1000.0, TOP + HEIGHT + 40.0), "The change of each block", &pair.caption)
}

/// How much each quantile moved.
pub fn shift(pair: &Pair, id: &str, desc: &str) -> String {
    let ends = pair.shift.iter().filter_map(|one| one.ends).flat_map(|(low, high)| [low, high]);
    let axis = Axis::of(pair.shift.iter().map(|one| one.change).chain(ends).chain([pair.margin]));
    let mut svg = Svg::default();
    head(&mut svg, &format!("{}: how every quantile moved, candidate against base", pair.what));
    axis.draw(&mut svg, "%");
    let step = (RIGHT - LEFT) / pair.shift.len().max(1) as f64;
    for (n, one) in pair.shift.iter().enumerate() {
        let x = LEFT + (n as f64 + 0.5) * step;
        let away = one.ends.is_some_and(|(low, high)| low > 0.0 || high < 0.0);
        let colour = if away { Colour::Vermillion } else { Colour::Steel };
        if let Some((low, high)) = one.ends {
            svg.line((x, axis.y(low)), (x, axis.y(high)), colour, "stroke-width=\"2.4\"");
            for end in [low, high] {
                svg.line((x - 6.0, axis.y(end)), (x + 6.0, axis.y(end)), colour, "stroke-width=\"2\"");
            }
        }
        let (cx, cy) = (px(x), px(axis.y(one.change)));
        svg.raw(&format!("<circle cx=\"{cx}\" cy=\"{cy}\" r=\"4.8\" fill=\"{}\"/>", colour.hex()));
        svg.text(Label::quiet(x, TOP + HEIGHT + 16.0, "middle"), &percentile(one.q));
    }
    svg.text(Label { size: 11.5, ..Label::quiet(RIGHT, TOP + HEIGHT + 32.0, "end") }, "quantile of the response time");
    svg.finish(id, (1000.0, TOP + HEIGHT + 40.0), "The change of every quantile", desc)
}
