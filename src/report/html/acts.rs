//! One picture per fault: p95 and good answers around it, against what was normal before.
//!
//! Not here: what was normal, and when it was left (`view::panels`).

use super::chart::{Pen, Slab};
use super::frame::{self, Chart, Key, Panel};
use super::hero::plot;
use super::palette::Colour;
use super::scale;
use crate::measure::outcome::Class;
use crate::report::view::course::Column;
use crate::report::view::panels::FaultPanel;
use crate::report::words;

/// The picture called `id`.
pub fn draw(panel: &FaultPanel, id: &str) -> String {
    let title = format!("Around “{}”", panel.name);
    let panels = [slow(panel), good(panel)];
    let chart =
        Chart { id, title: &title, desc: &panel.caption, course: &panel.course, marks: &panel.marks, panels: &panels };
    frame::draw(&chart)
}

fn keys(panel: &FaultPanel, colour: Colour, name: &str) -> Vec<Key> {
    let steady = panel.steady.map(|_| Key { colour: Colour::Steel, dash: None, name: "normal before".to_owned() });
    steady.into_iter().chain([Key { colour, dash: Some(""), name: name.to_owned() }]).collect()
}

fn slow(panel: &FaultPanel) -> Panel {
    let course = &panel.course;
    let p95 = |column: &Column| column.quantiles[1].map(|us| us.max(1) as f64);
    let all = || course.columns.iter().filter_map(p95).chain(panel.steady.map(|steady| steady.p95.0));
    let scale = scale::times(all().fold(f64::MAX, f64::min).min(1e7), all().fold(10.0, f64::max));
    let inside = plot(course, &scale, 110.0);
    let band: Vec<Slab> = panel
        .steady
        .map(|steady| (course.from_s, course.to_s, steady.p95.0.max(1.0).log10(), steady.p95.1.max(1.0).log10()))
        .into_iter()
        .collect();
    let mut body = inside.area(&band, Colour::Steel, 0.3);
    let points: Vec<_> = course.columns.iter().map(|column| (column.middle_s(), p95(column).map(f64::log10))).collect();
    body.push_str(&inside.line(&points, Pen { colour: Colour::Orange, width: 2.2, dash: "7 3" }));
    let title = "Response time, 95th percentile".to_owned();
    Panel { title, height: 110.0, scale, keys: keys(panel, Colour::Orange, "p95"), body }
}

fn good(panel: &FaultPanel) -> Panel {
    let course = &panel.course;
    let rate = |column: &Column| column.per_second(column.classes.get(Class::Ok));
    let most = course.columns.iter().map(rate).chain(panel.steady.map(|steady| steady.good.1)).fold(1.0, f64::max);
    let scale = scale::linear(most, 90.0, words::rate);
    let inside = plot(course, &scale, 90.0);
    let band: Vec<Slab> =
        panel.steady.map(|steady| (course.from_s, course.to_s, steady.good.0, steady.good.1)).into_iter().collect();
    let mut body = inside.area(&band, Colour::Steel, 0.3);
    let points: Vec<_> = course.columns.iter().map(|column| (column.middle_s(), Some(rate(column)))).collect();
    body.push_str(&inside.line(&points, Pen { colour: Colour::Green, width: 2.2, dash: "" }));
    Panel {
        title: "Good answers per second".to_owned(),
        height: 90.0,
        scale,
        keys: keys(panel, Colour::Green, "good"),
        body,
    }
}
