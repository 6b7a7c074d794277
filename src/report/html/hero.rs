//! The first picture of a drill: who was hurt and when, how slow it got, what was offered and what was answered well, with
//! every mark of people and machines on one axis.
//!
//! Not here: the frame (`frame`), which marks there are (`view::drill`).

use super::chart::{Pen, Plot, Slab};
use super::frame::{self, Chart, INSIDE, Key, Panel};
use super::palette::{Colour, of_class};
use super::scale;
use crate::measure::outcome::Class;
use crate::report::view::course::{Column, Course};
use crate::report::view::drill::{Mark, MarkKind};
use crate::report::words;

/// The hero chart as SVG.
pub fn draw(course: &Course, marks: &[Mark], desc: &str) -> String {
    let shown: Vec<Mark> = marks.iter().filter(|mark| mark.kind != MarkKind::Note).cloned().collect();
    let panels = [bad(course, 170.0), slow(course, 90.0), rates(course, 90.0)];
    let title = "Bad requests, response time and rates, with what people and machines did";
    frame::draw(&Chart { id: "hero", title, desc, course, marks: &shown, panels: &panels })
}

/// The plot of a panel with `scale`.
pub fn plot(course: &Course, scale: &scale::Scale, height: f64) -> Plot {
    Plot {
        size: (INSIDE, height),
        x: (course.from_s, course.to_s.max(course.from_s + 1.0)),
        y: (scale.low, scale.high),
    }
}

/// Areas stacked upon each other: of each column, `parts` gives the heights from the bottom.
pub fn stacked(course: &Course, plot: &Plot, colours: &[Colour], parts: impl Fn(&Column) -> Vec<f64>) -> String {
    let heights: Vec<Vec<f64>> = course.columns.iter().map(parts).collect();
    let mut bottoms = vec![0.0; heights.len()];
    let mut drawn = String::new();
    for (at, colour) in colours.iter().enumerate() {
        let slabs: Vec<Slab> = course
            .columns
            .iter()
            .zip(&heights)
            .zip(&mut bottoms)
            .map(|((column, parts), bottom)| {
                let from = *bottom;
                *bottom += parts.get(at).copied().unwrap_or(0.0);
                (column.from_s, column.to_s(), from, *bottom)
            })
            .collect();
        drawn.push_str(&plot.area(&slabs, *colour, 0.92));
    }
    drawn
}

/// The share of bad requests, by class.
fn bad(course: &Course, height: f64) -> Panel {
    let most = course.columns.iter().filter_map(Column::bad).fold(0.0, f64::max);
    let scale = scale::shares(most);
    let classes: Vec<Class> = Class::ALL
        .into_iter()
        .filter(|class| *class != Class::Ok && course.columns.iter().any(|column| column.classes.get(*class) > 0))
        .collect();
    let colours: Vec<Colour> = classes.iter().map(|class| of_class(*class)).collect();
    let parts = |column: &Column| {
        let all = column.classes.total().max(1) as f64;
        classes.iter().map(|class| column.classes.get(*class) as f64 / all).collect()
    };
    let body = stacked(course, &plot(course, &scale, height), &colours, parts);
    let keys = classes
        .iter()
        .map(|class| Key { colour: of_class(*class), dash: None, name: class.name().to_owned() })
        .collect();
    Panel { title: "Bad requests".to_owned(), height, scale, keys, body }
}

fn slow(course: &Course, height: f64) -> Panel {
    let p95 = |column: &Column| column.quantiles[1].map(|us| us.max(1) as f64);
    let all = || course.columns.iter().filter_map(p95);
    let scale = scale::times(all().fold(f64::MAX, f64::min).min(1e6), all().fold(10.0, f64::max));
    let points: Vec<_> = course.columns.iter().map(|column| (column.middle_s(), p95(column).map(f64::log10))).collect();
    let pen = Pen { colour: Colour::Ink, width: 2.0, dash: "" };
    let body = plot(course, &scale, height).line(&points, pen);
    let keys = vec![Key { colour: Colour::Ink, dash: Some(""), name: "p95".to_owned() }];
    Panel { title: "Response time, 95th percentile".to_owned(), height, scale, keys, body }
}

fn rates(course: &Course, height: f64) -> Panel {
    let offered = |column: &Column| column.per_second(column.classes.total());
    let good = |column: &Column| column.per_second(column.classes.get(Class::Ok));
    let scale = scale::linear(course.columns.iter().map(offered).fold(1.0, f64::max), height, words::rate);
    let line = |of: &dyn Fn(&Column) -> f64| {
        course.columns.iter().map(|column| (column.middle_s(), Some(of(column)))).collect::<Vec<_>>()
    };
    let inside = plot(course, &scale, height);
    let slabs: Vec<Slab> =
        course.columns.iter().map(|column| (column.from_s, column.to_s(), 0.0, good(column))).collect();
    let mut body = inside.area(&slabs, Colour::Green, 0.22);
    body.push_str(&inside.line(&line(&good), Pen { colour: Colour::Green, width: 2.0, dash: "" }));
    body.push_str(&inside.line(&line(&offered), Pen { colour: Colour::Ink, width: 1.6, dash: "5 3" }));
    let keys = vec![
        Key { colour: Colour::Ink, dash: Some("5 3"), name: "offered".to_owned() },
        Key { colour: Colour::Green, dash: Some(""), name: "good".to_owned() },
    ];
    Panel { title: "Requests per second".to_owned(), height, scale, keys, body }
}
