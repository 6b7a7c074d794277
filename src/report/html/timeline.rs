//! The five time charts of every run: load, response times, both clocks, errors by kind, and the generator itself.
//!
//! Not here: the frame (`frame`), captions (`view::caption`).

use super::chart::{Pen, Plot, Point, Slab};
use super::frame::{self, Chart, Key, Panel};
use super::hero::{plot, stacked};
use super::palette::{Colour, of_kinds};
use super::{heat, scale};
use crate::measure::outcome::Class;
use crate::report::view::course::{Column, Course, Trust};
use crate::report::words;

fn points(course: &Course, of: impl Fn(&Column) -> Option<f64>) -> Vec<Point> {
    course.columns.iter().map(|column| (column.middle_s(), of(column))).collect()
}

fn line(body: &mut String, plot: &Plot, points: &[Point], pen: Pen) {
    body.push_str(&plot.line(points, pen));
}

fn key(colour: Colour, dash: &'static str, name: &str) -> Key {
    Key { colour, dash: Some(dash), name: name.to_owned() }
}

fn finish(id: &str, course: &Course, texts: [&str; 2], panels: &[Panel]) -> String {
    let [title, desc] = texts;
    frame::draw(&Chart { id, title, desc, course, marks: &[], panels })
}

/// Offered, sent and good rates, and what was under way.
pub fn load(course: &Course, desc: &str) -> String {
    let offered = |column: &Column| column.per_second(column.classes.total());
    let sent = |column: &Column| column.per_second(column.flow.sent);
    let good = |column: &Column| column.per_second(column.classes.get(Class::Ok));
    let most = course.columns.iter().map(|column| offered(column).max(sent(column))).fold(1.0, f64::max);
    let rates = scale::linear(most, 150.0, words::rate);
    let inside = plot(course, &rates, 150.0);
    let mut body = String::new();
    line(&mut body, &inside, &points(course, |c| Some(good(c))), Pen { colour: Colour::Green, width: 2.2, dash: "" });
    line(&mut body, &inside, &points(course, |c| Some(sent(c))), Pen { colour: Colour::Blue, width: 1.8, dash: "" });
    line(
        &mut body,
        &inside,
        &points(course, |c| Some(offered(c))),
        Pen { colour: Colour::Ink, width: 1.6, dash: "5 3" },
    );
    let keys = vec![key(Colour::Ink, "5 3", "offered"), key(Colour::Blue, "", "sent"), key(Colour::Green, "", "good")];
    let first = Panel { title: "Requests per second".to_owned(), height: 150.0, scale: rates, keys, body };
    let most = course.columns.iter().map(|column| column.flow.in_flight as f64).fold(2.0, f64::max);
    let flight = scale::linear(most, 60.0, words::number);
    let inside = plot(course, &flight, 60.0);
    let slabs: Vec<_> = course.columns.iter().map(|c| (c.from_s, c.to_s(), 0.0, c.flow.in_flight as f64)).collect();
    let body = inside.area(&slabs, Colour::Steel, 0.55);
    let second = Panel { title: "Journeys under way".to_owned(), height: 60.0, scale: flight, keys: Vec::new(), body };
    finish("load", course, ["Load", desc], &[first, second])
}

/// The heatmap with its percentiles.
pub fn times(course: &Course, desc: &str) -> String {
    let lows = course.columns.iter().filter_map(|column| column.response.buckets().next().map(|(low, ..)| low as f64));
    let highs = course.columns.iter().filter_map(|column| column.response.max().map(|max| max as f64));
    let least = lows.fold(f64::MAX, f64::min);
    let scale = scale::times(if least < f64::MAX { least } else { 1_000.0 }, highs.fold(10.0, f64::max));
    let inside = plot(course, &scale, 260.0);
    let mut body = heat::draw(course, &inside);
    let (closed, open): (Vec<Trust>, Vec<Trust>) = course.trust.iter().partition(|block| block.high.is_some());
    body.push_str(&inside.area(&trusted(&closed, scale.high), Colour::Orange, 0.3));
    body.push_str(&inside.area(&trusted(&open, scale.high), Colour::Orange, 0.1));
    let log = |place: usize| points(course, |column| column.quantiles[place].map(|us| (us.max(1) as f64).log10()));
    let pens = [("p50", Colour::Ink, ""), ("p95", Colour::Orange, "7 3"), ("p99", Colour::Vermillion, "2 3")];
    for (place, (_, colour, dash)) in pens.iter().enumerate() {
        line(&mut body, &inside, &log(place), Pen { colour: Colour::Paper, width: 4.0, dash: "" });
        line(&mut body, &inside, &log(place), Pen { colour: *colour, width: 2.2, dash });
    }
    let mut keys: Vec<Key> = pens.iter().map(|(name, colour, dash)| key(*colour, dash, name)).collect();
    keys.push(Key { colour: Colour::Orange, dash: None, name: "95\u{a0}% interval of p95".to_owned() });
    keys.push(Key { colour: Colour::Blue, dash: None, name: "how many".to_owned() });
    let title = "Response time of every request, logarithmic".to_owned();
    let panel = Panel { title, height: 260.0, scale, keys, body };
    finish("times", course, ["Response times", desc], &[panel])
}

/// The interval of p95, block after block; an open one reaches the top.
fn trusted(blocks: &[Trust], top: f64) -> Vec<Slab> {
    let log = |us: u64| (us.max(1) as f64).log10();
    blocks.iter().map(|block| (block.from_s, block.to_s, log(block.low), block.high.map_or(top, log))).collect()
}

/// p99 by both clocks, and what lies between them.
pub fn gap(course: &Course, desc: &str) -> String {
    let clocks = |column: &Column| [column.quantiles[2], column.service_p99].map(|us| us.map(|us| us.max(1) as f64));
    let all = || course.columns.iter().flat_map(clocks).flatten();
    let scale = scale::times(all().fold(f64::MAX, f64::min).min(1e7), all().fold(10.0, f64::max));
    let inside = plot(course, &scale, 130.0);
    let between = |column: &Column| match clocks(column) {
        [Some(felt), Some(took)] => Some((column.from_s, column.to_s(), took.log10(), felt.log10())),
        _ => None,
    };
    let slabs: Vec<Slab> = course.columns.iter().filter_map(between).collect();
    let mut body = inside.area(&slabs, Colour::Sky, 0.45);
    let log = |place: usize| points(course, |column| clocks(column)[place].map(f64::log10));
    line(&mut body, &inside, &log(1), Pen { colour: Colour::Steel, width: 2.0, dash: "5 3" });
    line(&mut body, &inside, &log(0), Pen { colour: Colour::Vermillion, width: 2.0, dash: "" });
    let keys = vec![
        key(Colour::Vermillion, "", "p99 as users felt it"),
        Key { colour: Colour::Sky, dash: None, name: "waited to be sent".to_owned() },
        key(Colour::Steel, "5 3", "p99 as the server took"),
    ];
    let panel = Panel { title: "Two clocks, logarithmic".to_owned(), height: 130.0, scale, keys, body };
    finish("gap", course, ["What waiting to be sent would have hidden", desc], &[panel])
}

/// Failures per second, by kind.
pub fn errors(course: &Course, desc: &str) -> String {
    let most = course.columns.iter().map(|column| column.per_second(column.errors.iter().sum())).fold(1.0, f64::max);
    let scale = scale::linear(most, 110.0, words::rate);
    let inside = plot(course, &scale, 110.0);
    let colours = of_kinds(&course.kinds);
    let body =
        stacked(course, &inside, &colours, |column| column.errors.iter().map(|n| column.per_second(*n)).collect());
    let keys = course
        .kinds
        .iter()
        .zip(colours)
        .map(|(kind, colour)| Key { colour, dash: None, name: words::name(kind) })
        .collect();
    let panel = Panel { title: "Failures per second".to_owned(), height: 110.0, scale, keys, body };
    finish("errors", course, ["Errors by kind", desc], &[panel])
}

/// Lateness, processor and stalls of the generator.
pub fn generator(course: &Course, desc: &str) -> String {
    let late = |column: &Column| column.own.lateness_p99.map(|us| us.max(1) as f64);
    let stall = |column: &Column| (column.own.stall_us > 0).then_some(column.own.stall_us as f64);
    let all = || course.columns.iter().flat_map(|column| [late(column), stall(column)]).flatten();
    let times = scale::times(all().fold(f64::MAX, f64::min).min(1e5), all().fold(1_000.0, f64::max));
    let inside = plot(course, &times, 90.0);
    let mut body = String::new();
    let log = |of: &dyn Fn(&Column) -> Option<f64>| points(course, |column| of(column).map(f64::log10));
    line(&mut body, &inside, &log(&stall), Pen { colour: Colour::Steel, width: 1.6, dash: "2 3" });
    line(&mut body, &inside, &log(&late), Pen { colour: Colour::Ink, width: 2.0, dash: "" });
    let keys = vec![key(Colour::Steel, "2 3", "longest stall"), key(Colour::Ink, "", "lateness p99")];
    let first = Panel { title: "Lateness of the generator".to_owned(), height: 90.0, scale: times, keys, body };
    let busiest = course.columns.iter().map(|column| column.own.cpu).fold(0.0, f64::max);
    let cpu = scale::shares(busiest.max(0.15));
    let inside = plot(course, &cpu, 50.0);
    let slabs: Vec<_> = course.columns.iter().map(|c| (c.from_s, c.to_s(), 0.0, c.own.cpu)).collect();
    let body = inside.area(&slabs, Colour::Steel, 0.55);
    let second =
        Panel { title: "Busiest thread, share of a core".to_owned(), height: 50.0, scale: cpu, keys: Vec::new(), body };
    finish("generator", course, ["The generator itself", desc], &[first, second])
}
