//! The frame of a time chart: ribbons that name the stretches, bands behind the panels, rules, labels, keys, and marks with
//! their names above. Panels share one horizontal axis.
//!
//! Not here: lines and areas (`chart`), cells (`heat`), what is plotted (`hero`, `timeline`).

use super::palette::Colour;
use super::scale::{self, Scale};
use super::svg::{Label, Svg, px, width_of};
use crate::judge::account::{Band, BandKind};
use crate::report::view::course::Course;
use crate::report::view::drill::{Mark, MarkKind};
use crate::report::words;

/// Width of every chart, pixels.
pub const WIDTH: f64 = 1000.0;
/// Where the inside of a panel begins, pixels from the left.
pub const LEFT: f64 = 56.0;
const RIGHT: f64 = 12.0;
/// Width of the inside of a panel.
pub const INSIDE: f64 = WIDTH - LEFT - RIGHT;
const LANE: f64 = 17.0;
const RIBBON: f64 = 16.0;
/// Height of a panel's title.
pub const HEADER: f64 = 28.0;
const GAP: f64 = 16.0;
const FOOT: f64 = 24.0;
/// Letters of a mark's name that are drawn.
const LETTERS: usize = 36;
/// Rows of ribbons; stretches beyond share the last.
const RIBBONS: usize = 5;

/// A panel of a chart.
#[derive(Debug)]
pub struct Panel {
    /// What is plotted, with its unit.
    pub title: String,
    /// Height of the inside.
    pub height: f64,
    /// The vertical axis.
    pub scale: Scale,
    /// Names of lines and areas.
    pub keys: Vec<Key>,
    /// What is inside, drawn in its own pixels.
    pub body: String,
}

/// The name of a line or area.
#[derive(Debug)]
pub struct Key {
    /// Its colour.
    pub colour: Colour,
    /// Its dash pattern; `None`: an area.
    pub dash: Option<&'static str>,
    /// Its name.
    pub name: String,
}

/// A chart.
#[derive(Debug)]
pub struct Chart<'a> {
    /// Unique on the page.
    pub id: &'a str,
    /// What it shows.
    pub title: &'a str,
    /// What it says.
    pub desc: &'a str,
    /// Horizontal axis and bands.
    pub course: &'a Course,
    /// Marks with names.
    pub marks: &'a [Mark],
    /// From top to bottom.
    pub panels: &'a [Panel],
}

/// Where seconds lie.
fn x_of(course: &Course, seconds: f64) -> f64 {
    let span = (course.to_s - course.from_s).max(1.0);
    LEFT + ((seconds - course.from_s) / span).clamp(0.0, 1.0) * INSIDE
}

/// The chart as SVG.
pub fn draw(chart: &Chart<'_>) -> String {
    let course = chart.course;
    let lanes = lanes(course, chart.marks);
    let rows = ribbon_rows(&course.bands);
    let lanes_top = rows.iter().map(|row| row + 1).max().unwrap_or(0) as f64 * RIBBON + 4.0;
    let panels_top = lanes_top + lanes.iter().map(|(lane, _)| lane + 1).max().map_or(0.0, |n| n as f64 * LANE + 4.0);
    let body_height: f64 = chart.panels.iter().map(|panel| HEADER + panel.height + GAP).sum::<f64>() - GAP;
    let bottom = panels_top + body_height;
    let mut svg = Svg::default();
    bands(&mut svg, course, &rows, [lanes_top, bottom]);
    let mut top = panels_top;
    for panel in chart.panels {
        draw_panel(&mut svg, panel, top);
        top += HEADER + panel.height + GAP;
    }
    for (seconds, text) in scale::instants(course.from_s, course.to_s, course.zero_s) {
        let x = x_of(course, seconds);
        svg.line((x, bottom), (x, bottom + 4.0), Colour::Steel, "");
        let anchor = if x > WIDTH - RIGHT - 16.0 { "end" } else { "middle" };
        svg.text(Label::quiet(x, bottom + 18.0, anchor), &text);
    }
    let y_of = |lane: usize| lane as f64 * LANE + lanes_top + 12.0;
    for (mark, (lane, _)) in chart.marks.iter().zip(&lanes) {
        stem(&mut svg, mark.kind, x_of(course, mark.at_s), (y_of(*lane), bottom));
    }
    for (mark, (lane, anchor)) in chart.marks.iter().zip(&lanes) {
        draw_mark(&mut svg, mark, (x_of(course, mark.at_s), y_of(*lane)), anchor);
    }
    svg.finish(chart.id, (WIDTH, bottom + FOOT), chart.title, chart.desc)
}

/// Every band's ribbon row: phases share the first, what overlaps goes further down.
fn ribbon_rows(bands: &[Band]) -> Vec<usize> {
    let mut ends: Vec<f64> = Vec::new();
    bands
        .iter()
        .map(|band| {
            let first = usize::from(band.kind != BandKind::Phase);
            while ends.len() <= first {
                ends.push(f64::MIN);
            }
            let free = (first..ends.len()).find(|row| ends[*row] <= band.from_s + 1e-9).unwrap_or(ends.len());
            let row = free.min(RIBBONS - 1);
            if row == ends.len() {
                ends.push(f64::MIN);
            }
            ends[row] = ends[row].max(band.to_s);
            row
        })
        .collect()
}

fn bands(svg: &mut Svg, course: &Course, rows: &[usize], [top, bottom]: [f64; 2]) {
    let mut phases = 0;
    for (band, row) in course.bands.iter().zip(rows) {
        let (from, to) = (x_of(course, band.from_s), x_of(course, band.to_s));
        let (colour, strong, faint, word) = match band.kind {
            BandKind::Phase => {
                phases += 1;
                (Colour::Steel, if phases % 2 == 1 { 0.16 } else { 0.28 }, 0.0, "phase")
            }
            BandKind::Fault => (Colour::Orange, 0.38, 0.055, "fault"),
            BandKind::Impact => (Colour::Vermillion, 0.42, 0.06, "impact"),
        };
        let width = (to - from).max(0.5);
        let full = [from, top, width, bottom - top];
        svg.rect(full, colour, &format!("fill-opacity=\"{faint}\" data-band=\"{word}\""));
        let y = *row as f64 * RIBBON;
        svg.rect([from, y, (width - 1.0).max(0.5), RIBBON - 2.0], colour, &format!("fill-opacity=\"{strong}\""));
        let name = if band.kind == BandKind::Impact { "users hurt".to_owned() } else { words::name(&band.name) };
        let needed = width_of(&name, 10.5) + 8.0;
        let label = Label { size: 10.5, colour: Colour::Ink, ..Label::quiet(from + 5.0, y + 10.5, "start") };
        if needed <= width {
            svg.text(label, &name);
        } else if width > 24.0 {
            svg.text(label, &fitted(&name, width));
        }
    }
}

/// The first letters of `name` that fit into `width` pixels, with an ellipsis.
fn fitted(name: &str, width: f64) -> String {
    let mut left = width - 18.0;
    let fits = name.chars().take_while(|c| {
        left -= width_of(c.encode_utf8(&mut [0; 4]), 10.5);
        left >= 0.0
    });
    fits.chain(['…']).collect()
}

/// Draws a panel whose title stands at `top`.
pub fn draw_panel(svg: &mut Svg, panel: &Panel, top: f64) {
    let inside = top + HEADER;
    let title = Label { size: 12.5, ..Label::quiet(LEFT, top + 19.0, "start") };
    svg.text(title.strong(), &panel.title);
    let span = (panel.scale.high - panel.scale.low).max(f64::MIN_POSITIVE);
    for (value, text) in &panel.scale.ticks {
        let y = inside + (1.0 - (value - panel.scale.low) / span) * panel.height;
        if y < inside - 0.5 {
            continue;
        }
        svg.line((LEFT, y), (LEFT + INSIDE, y), Colour::Grid, "stroke-width=\"1\"");
        svg.text(Label::quiet(LEFT - 8.0, y + 4.0, "end"), text);
    }
    svg.raw(&format!("<g transform=\"translate({} {})\">{}</g>", px(LEFT), px(inside), panel.body));
    keys(svg, panel, top + 19.0);
}

fn keys(svg: &mut Svg, panel: &Panel, y: f64) {
    let mut x = LEFT + INSIDE;
    for key in panel.keys.iter().rev() {
        let name = words::name(&key.name);
        let short: String = name.chars().take(28).collect();
        x -= width_of(&short, 12.0);
        svg.text(Label::quiet(x, y, "start"), &short);
        x -= 22.0;
        match key.dash {
            None => svg.rect([x + 5.0, y - 9.0, 11.0, 10.0], key.colour, ""),
            Some(dash) => {
                let dash = if dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dash}\"") };
                let more = format!("stroke-width=\"2.2\"{dash}");
                svg.line((x, y - 4.0), (x + 17.0, y - 4.0), key.colour, &more);
            }
        }
        x -= 14.0;
    }
}

/// Lane and anchor of every mark, so that no name covers another and no stem crosses a name.
fn lanes(course: &Course, marks: &[Mark]) -> Vec<(usize, &'static str)> {
    const DEEPEST: usize = 13;
    let mut ends: Vec<f64> = Vec::new();
    marks
        .iter()
        .map(|mark| {
            let x = x_of(course, mark.at_s);
            let width = width_of(&short(&mark.label), 12.0) + 22.0;
            let backwards = x + width > WIDTH;
            // A stem goes down from its name: in every deeper lane the names must have ended before it.
            let left = if backwards { x - width } else { x - 5.0 };
            let lane = ends.iter().rposition(|end| *end > left).map_or(0, |deepest| deepest + 1).min(DEEPEST);
            if lane == ends.len() {
                ends.push(f64::MIN);
            }
            ends[lane] = if backwards { x + 6.0 } else { x + width };
            (lane, if backwards { "end" } else { "start" })
        })
        .collect()
}

/// The colour of a mark.
pub fn colour_of(kind: MarkKind) -> Colour {
    match kind {
        MarkKind::Act | MarkKind::Harm => Colour::Vermillion,
        MarkKind::Idle => Colour::Steel,
        MarkKind::Measured | MarkKind::Note => Colour::Ink,
        MarkKind::Page => Colour::Purple,
        MarkKind::Said => Colour::Blue,
        MarkKind::Action => Colour::Green,
    }
}

/// From a mark's name down to the axis.
fn stem(svg: &mut Svg, kind: MarkKind, x: f64, (top, bottom): (f64, f64)) {
    let dash = if kind == MarkKind::Measured { "" } else { " stroke-dasharray=\"2 3\"" };
    svg.line((x, top), (x, bottom), colour_of(kind), &format!("stroke-width=\"1.2\"{dash}"));
}

fn draw_mark(svg: &mut Svg, mark: &Mark, (x, y): (f64, f64), anchor: &'static str) {
    let hex = colour_of(mark.kind).hex();
    let [cx, cy] = [px(x), px(y - 4.0)];
    let shape = match mark.kind {
        MarkKind::Act => format!("<path d=\"M{cx} {}l-5.5-9h11z\" fill=\"{hex}\"/>", px(y + 1.5)),
        MarkKind::Measured | MarkKind::Note => {
            format!("<path d=\"M{cx} {}l5.5 5.5-5.5 5.5-5.5-5.5z\" fill=\"{hex}\"/>", px(y - 9.5))
        }
        MarkKind::Action | MarkKind::Idle | MarkKind::Harm => {
            format!("<rect x=\"{}\" y=\"{}\" width=\"9\" height=\"9\" fill=\"{hex}\"/>", px(x - 4.5), px(y - 8.5))
        }
        MarkKind::Page | MarkKind::Said => format!("<circle cx=\"{cx}\" cy=\"{cy}\" r=\"4.8\" fill=\"{hex}\"/>"),
    };
    svg.raw(&shape);
    let offset = if anchor == "end" { -9.0 } else { 9.0 };
    let weight = if mark.kind == MarkKind::Measured { 600 } else { 400 };
    svg.text(Label { at: (x + offset, y), anchor, size: 12.0, colour: Colour::Ink, weight }, &short(&mark.label));
}

/// As much of a mark's name as is drawn; the table has the whole.
fn short(label: &str) -> String {
    if label.chars().count() <= LETTERS {
        return label.to_owned();
    }
    label.chars().take(LETTERS - 1).chain(['…']).collect()
}
