//! Pictures of how a drill was answered: the error budget, mitigations before and after, and lanes by role.
//!
//! Not here: what was spent, who did what (`view::response`).

use super::chart::{Pen, Slab};
use super::frame::{self, Chart, INSIDE, Panel, colour_of};
use super::hero::plot;
use super::palette::Colour;
use super::scale::{self, Scale};
use super::svg::{Label, Svg, px, width_of};
use crate::plan::drill::MitigationKind;
use crate::report::view::course::Course;
use crate::report::view::response::{Budget, Effect, Lane, Share};
use crate::report::words;

/// Burn-down, and how long the budget would last at each moment's speed.
pub fn budget(budget: &Budget, course: &Course) -> String {
    let spent = budget.spent.last().map_or(0.0, |(_, spent)| *spent);
    let scale = left(spent);
    let inside = plot(course, &scale, 100.0);
    let points: Vec<_> = budget.spent.iter().map(|(at, spent)| (*at, Some(1.0 - spent))).collect();
    let slabs: Vec<Slab> =
        points.windows(2).filter_map(|two| Some((two[0].0, two[1].0, scale.low, two[1].1?))).collect();
    let mut body = inside.area(&slabs, Colour::Blue, 0.16);
    body.push_str(&inside.line(&points, Pen { colour: Colour::Blue, width: 2.2, dash: "" }));
    let title = "Error budget left".to_owned();
    let first = Panel { title, height: 100.0, scale, keys: Vec::new(), body };
    let panels = [first, speed(budget, course)];
    let title = "The error budget over the drill";
    frame::draw(&Chart { id: "budget", title, desc: &budget.caption, course, marks: &[], panels: &panels })
}

/// From what is left at the end, or nothing, to all.
fn left(spent: f64) -> Scale {
    let low = if spent >= 0.5 { (1.0 - spent).min(0.0) } else { 1.0 - 2.0 * spent };
    let ticks = [low, f64::midpoint(low, 1.0), 1.0].map(|at| (at, percent(at))).to_vec();
    Scale { low, high: 1.0, ticks }
}

fn percent(left: f64) -> String {
    if left > 0.95 && left < 1.0 { format!("{:.1}\u{a0}%", left * 100.0) } else { words::share(left) }
}

/// Logarithmic, upside down: the higher, the faster the budget goes.
fn speed(budget: &Budget, course: &Course) -> Panel {
    let rate = |seconds: f64| -seconds.max(1.0).log10();
    let all = || budget.lasts.iter().filter_map(|(_, seconds)| *seconds).map(rate);
    let (low, high) = (all().fold(f64::MAX, f64::min).floor(), all().fold(f64::MIN, f64::max).ceil());
    let stops = [60.0, 600.0, 3_600.0, 86_400.0, 864_000.0, 8_640_000.0];
    let ticks =
        stops.into_iter().filter(|stop| (low..=high).contains(&rate(*stop))).map(|stop| (rate(stop), lasting(stop)));
    let scale = Scale { low, high: high.max(low + 1.0), ticks: ticks.collect() };
    let inside = plot(course, &scale, 90.0);
    let points: Vec<_> = budget.lasts.iter().map(|(at, seconds)| (*at, seconds.map(rate))).collect();
    let body = inside.line(&points, Pen { colour: Colour::Vermillion, width: 2.0, dash: "" });
    let title = "At this speed all of it is gone in (higher burns faster, logarithmic)".to_owned();
    Panel { title, height: 90.0, scale, keys: Vec::new(), body }
}

fn lasting(seconds: f64) -> String {
    if seconds >= 86_400.0 { format!("{:.0}\u{a0}d", seconds / 86_400.0) } else { words::span(seconds) }
}

/// Lanes by role.
pub fn lanes(lanes: &[Lane], course: &Course, desc: &str) -> String {
    let row = 34.0;
    let height = lanes.len() as f64 * row;
    let scale = Scale { low: 0.0, high: 1.0, ticks: Vec::new() };
    let mut svg = Svg::default();
    for (n, lane) in lanes.iter().enumerate() {
        let y = n as f64 * row + 24.0;
        svg.line((0.0, y), (INSIDE, y), Colour::Grid, "stroke-width=\"1\"");
        svg.text(Label { size: 11.5, ..Label::quiet(2.0, y - 12.0, "start").strong() }, &lane.who);
        let mut free = width_of(&lane.who, 11.5) + 14.0;
        for mark in &lane.marks {
            let x = (mark.at_s - course.from_s) / (course.to_s - course.from_s).max(1.0) * INSIDE;
            let hex = colour_of(mark.kind).hex();
            svg.raw(&format!("<circle cx=\"{}\" cy=\"{}\" r=\"4.6\" fill=\"{hex}\"/>", px(x), px(y)));
            let wide = width_of(&mark.label, 11.5);
            let from = (x - 4.0).min(INSIDE - wide);
            // A name that would cover another is left to the table.
            if from >= free {
                svg.text(Label { size: 11.5, ..Label::quiet(from, y - 9.0, "start") }, &mark.label);
                free = from + wide + 10.0;
            }
        }
    }
    let panel = Panel { title: "Who did what".to_owned(), height, scale, keys: Vec::new(), body: svg.0 };
    frame::draw(&Chart { id: "lanes", title: "Deeds by role", desc, course, marks: &[], panels: &[panel] })
}

/// Mitigations before and after, one row each.
pub fn effects(effects: &[Effect], desc: &str) -> String {
    const LEFT: f64 = 330.0;
    const RIGHT: f64 = 880.0;
    const ROW: f64 = 40.0;
    let shares = || effects.iter().flat_map(|effect| [effect.before, effect.after]).flatten();
    let scale = scale::shares(shares().map(|share| share.high).fold(0.01, f64::max));
    let x = |share: f64| LEFT + share / scale.high * (RIGHT - LEFT);
    let bottom = effects.len() as f64 * ROW + 26.0;
    let mut svg = Svg::default();
    for (at, text) in &scale.ticks {
        svg.line((x(*at), 22.0), (x(*at), bottom), Colour::Grid, "stroke-width=\"1\"");
        svg.text(Label::quiet(x(*at), bottom + 16.0, "middle"), text);
    }
    let legend = Label { size: 11.5, ..Label::quiet(LEFT, 12.0, "start") };
    svg.text(legend, "share of bad requests: ring before, dot after, with 95\u{a0}% intervals");
    for (n, effect) in effects.iter().enumerate() {
        let y = n as f64 * ROW + 46.0;
        let name: String = effect.label.chars().take(44).collect();
        svg.text(Label { size: 13.0, colour: Colour::Ink, ..Label::quiet(0.0, y + 4.0, "start") }, &name);
        let colour = of_mitigation(effect.kind);
        let hex = colour.hex();
        if let Some(Share { value, low, high }) = effect.before {
            svg.line((x(low), y - 6.0), (x(high), y - 6.0), Colour::Steel, "stroke-width=\"2\"");
            let (cx, cy) = (px(x(value)), px(y - 6.0));
            svg.raw(&format!(
                "<circle cx=\"{cx}\" cy=\"{cy}\" r=\"4.5\" fill=\"{}\" stroke=\"{}\" stroke-width=\"2\"/>",
                Colour::Paper.hex(),
                Colour::Steel.hex()
            ));
        }
        if let Some(Share { value, low, high }) = effect.after {
            svg.line((x(low), y + 6.0), (x(high), y + 6.0), colour, "stroke-width=\"2\"");
            svg.raw(&format!("<circle cx=\"{}\" cy=\"{}\" r=\"4.8\" fill=\"{hex}\"/>", px(x(value)), px(y + 6.0)));
        }
        let said = |share: Option<Share>| share.map_or_else(|| "–".to_owned(), |share| words::share(share.value));
        svg.text(
            Label { size: 12.5, ..Label::quiet(1000.0, y + 4.0, "end") },
            &format!("{} → {}", said(effect.before), said(effect.after)),
        );
    }
    svg.finish("effects", (1000.0, bottom + 24.0), "Mitigations, before and after", desc)
}

fn of_mitigation(kind: MitigationKind) -> Colour {
    match kind {
        MitigationKind::Correct | MitigationKind::CorrectSlow | MitigationKind::Partial => Colour::Green,
        MitigationKind::NoEffect => Colour::Ink,
        MitigationKind::Harmful => Colour::Vermillion,
    }
}
