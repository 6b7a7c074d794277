//! A panel over an axis that is not time: the percentile spectrum, and load against latency.
//!
//! Not here: time charts (`frame`), what the view computes (`view::{spectrum, strain}`).

use std::fmt::Write as _;

use super::chart::{Pen, Plot, Point, Slab};
use super::frame::{self, HEADER, INSIDE, Key, LEFT, Panel, WIDTH};
use super::palette::Colour;
use super::scale::{self, Scale};
use super::svg::{Label, Svg, px};
use crate::report::view::spectrum::{Curve, End, Spectrum, Stop};
use crate::report::view::strain::{Dot, Strain};
use crate::report::words;

const HEIGHT: f64 = 230.0;
const FOOT: f64 = 44.0;

/// Names of the figure: id, title, description, and what stands along the horizontal axis.
struct Names<'a> {
    id: &'a str,
    title: &'a str,
    desc: &'a str,
    along: &'a str,
}

fn finish(names: &Names<'_>, panel: &Panel, (low, high): (f64, f64), ticks: &[(f64, String)], over: &str) -> String {
    let mut svg = Svg::default();
    frame::draw_panel(&mut svg, panel, 0.0);
    let bottom = HEADER + panel.height;
    let x = |value: f64| LEFT + (value - low) / (high - low).max(f64::MIN_POSITIVE) * INSIDE;
    for (value, text) in ticks {
        svg.line((x(*value), bottom), (x(*value), bottom + 4.0), Colour::Steel, "");
        let anchor = if x(*value) > WIDTH - 40.0 { "end" } else { "middle" };
        svg.text(Label::quiet(x(*value), bottom + 18.0, anchor), text);
    }
    svg.text(Label { size: 11.5, ..Label::quiet(LEFT + INSIDE, bottom + 36.0, "end") }, names.along);
    svg.raw(&format!("<g transform=\"translate({} {})\">{over}</g>", px(LEFT), px(HEADER)));
    svg.finish(names.id, (WIDTH, bottom + FOOT), names.title, names.desc)
}

fn log(us: u64) -> f64 {
    (us.max(1) as f64).log10()
}

/// The percentile spectrum.
pub fn spectrum(spectrum: &Spectrum, desc: &str) -> String {
    let Spectrum { response, service } = spectrum;
    let all = || response.stops.iter().chain(&service.stops);
    let least = all().map(|stop| stop.value).min().unwrap_or(1);
    let highs = all().filter_map(|stop| stop.interval.map_or(Some(stop.value), |(_, high)| high));
    let scale = scale::times(least as f64, highs.chain(all().map(|stop| stop.value)).max().unwrap_or(10) as f64);
    let end = all().map(|stop| stop.x).fold(1.0, f64::max).ceil();
    let plot = Plot { size: (INSIDE, HEIGHT), x: (0.0, end), y: (scale.low, scale.high) };
    let mut body = plot.area(&around(response, scale.high), Colour::Blue, 0.16);
    let pens = [
        (service, Pen { colour: Colour::Steel, width: 2.0, dash: "5 3" }),
        (response, Pen { colour: Colour::Blue, width: 2.4, dash: "" }),
    ];
    for (curve, pen) in pens {
        let points: Vec<Point> = curve.stops.iter().map(|stop| (stop.x, Some(log(stop.value)))).collect();
        body.push_str(&plot.line(&points, pen));
    }
    let keys = vec![
        Key { colour: Colour::Blue, dash: Some(""), name: "response".to_owned() },
        Key { colour: Colour::Blue, dash: None, name: "95\u{a0}% interval".to_owned() },
        Key { colour: Colour::Steel, dash: Some("5 3"), name: "service".to_owned() },
    ];
    let over = ending(response, &plot);
    let title = "Time at every percentile, logarithmic".to_owned();
    let panel = Panel { title, height: HEIGHT, scale, keys, body };
    let names =
        Names { id: "spectrum", title: "Percentile spectrum", desc, along: "share of requests that were quicker" };
    finish(&names, &panel, (0.0, end), &percents(end), &over)
}

/// The band around a curve; an open end reaches the top.
fn around(curve: &Curve, top: f64) -> Vec<Slab> {
    let slab = |two: &[Stop]| {
        let (low, high) = two[0].interval?;
        Some((two[0].x, two[1].x, log(low), high.map_or(top, log)))
    };
    curve.stops.windows(2).filter_map(slab).collect()
}

/// Where the response line ends, and why.
fn ending(curve: &Curve, plot: &Plot) -> String {
    let Some(last) = curve.stops.last() else { return String::new() };
    let x = last.x / plot.x.1 * plot.size.0;
    let why = match curve.end {
        End::Evidence => "no data beyond",
        End::Unanswered => "never answered beyond",
    };
    let mut svg = Svg::default();
    svg.line((x, 0.0), (x, plot.size.1), Colour::Mute, "stroke-width=\"1\" stroke-dasharray=\"2 3\"");
    let backwards = x > plot.size.0 - 150.0;
    let (at, anchor) = if backwards { (x - 6.0, "end") } else { (x + 6.0, "start") };
    svg.text(Label { size: 11.5, ..Label::quiet(at, 12.0, anchor) }, why);
    svg.0
}

/// `0 %`, `50 %`, `90 %`, `99 %`, … up to `end` decades.
fn percents(end: f64) -> Vec<(f64, String)> {
    let mut ticks = vec![(0.0, words::share(0.0)), (2_f64.log10(), words::share(0.5))];
    let mut decade = 1.0;
    while decade <= end + 0.5 {
        let text = match decade {
            d if d < 1.5 => words::share(0.9),
            d if d < 2.5 => words::share(0.99),
            // The general words stop rounding here, because 99.999 % must not read as all.
            d => format!("99.{}\u{a0}%", "9".repeat(nines(d))),
        };
        ticks.push((decade, text));
        decade += 1.0;
    }
    ticks
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most nine")]
fn nines(decade: f64) -> usize {
    (decade - 2.0).round().clamp(0.0, 9.0) as usize
}

/// Load against latency.
pub fn strain(strain: &Strain, desc: &str) -> String {
    let dots = || strain.dots.iter();
    let values = || dots().flat_map(|dot| dot.quantiles.iter().flatten().map(|us| *us as f64));
    let scale = scale::times(values().fold(f64::MAX, f64::min).min(1e7), values().fold(10.0, f64::max));
    let most = dots().map(|dot| dot.rate).fold(1.0, f64::max);
    let axis = scale::linear(most, 240.0, words::rate);
    let mut body = String::new();
    let pens = [(2, Colour::Vermillion), (1, Colour::Orange), (0, Colour::Ink)];
    let at = |dot: &Dot, us: u64| {
        let y = (1.0 - (log(us) - scale.low) / (scale.high - scale.low)) * HEIGHT;
        (px(dot.rate / axis.high * INSIDE), px(y))
    };
    for (place, colour) in pens {
        let hex = colour.hex();
        for dot in dots() {
            let Some(us) = dot.quantiles[place] else { continue };
            let (x, y) = at(dot, us);
            let look = if dot.disturbed {
                format!("fill=\"none\" stroke=\"{hex}\" stroke-width=\"1.3\"")
            } else {
                format!("fill=\"{hex}\" fill-opacity=\"0.72\"")
            };
            let _ = write!(body, "<circle cx=\"{x}\" cy=\"{y}\" r=\"3.2\" {look}/>");
        }
    }
    let over = strain.knee.map_or_else(String::new, |rate| knee(rate, &axis));
    let key = |colour, name: &str| Key { colour, dash: None, name: name.to_owned() };
    let keys = vec![key(Colour::Ink, "p50"), key(Colour::Orange, "p95"), key(Colour::Vermillion, "p99")];
    let title = format!("Response time at each load, per {}", words::span(strain.window_s));
    let panel = Panel { title, height: HEIGHT, scale, keys, body };
    let names = Names { id: "strain", title: "Load against latency", desc, along: "requests sent per second" };
    finish(&names, &panel, (0.0, axis.high), &axis.ticks, &over)
}

fn knee(rate: f64, axis: &Scale) -> String {
    let x = rate / axis.high * INSIDE;
    let mut svg = Svg::default();
    svg.line((x, 0.0), (x, HEIGHT), Colour::Ink, "stroke-width=\"1.2\" stroke-dasharray=\"4 3\"");
    let (at, anchor) = if x > INSIDE - 120.0 { (x - 6.0, "end") } else { (x + 6.0, "start") };
    svg.text(
        Label { size: 11.5, ..Label::quiet(at, 12.0, anchor).strong() },
        &format!("knee at {}", words::rate(rate)),
    );
    svg.0
}
