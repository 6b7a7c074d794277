//! The border to the drawing crate: lines and areas inside a panel, as SVG elements without their frame.
//!
//! It draws whole pixels, so everything is drawn at four times its size and scaled back by the group around it. It knows no
//! dash patterns: they are added to its polylines here. Not here: axes, text, bands, marks (`frame`), cells (`heat`).

use plotters::chart::ChartContext;
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{ChartBuilder, IntoDrawingArea, LineSeries, PathElement, Polygon, RGBColor, SVGBackend};
use plotters::style::{Color, ShapeStyle};

use super::palette::Colour;

/// Drawn at this many times its size.
const FINE: f64 = 4.0;

/// The inside of a panel: its size in pixels and the ranges of its axes.
#[derive(Clone, Copy, Debug)]
pub struct Plot {
    /// Width, height, pixels.
    pub size: (f64, f64),
    /// Left and right end.
    pub x: (f64, f64),
    /// Bottom and top end.
    pub y: (f64, f64),
}

/// How a line looks.
#[derive(Clone, Copy, Debug)]
pub struct Pen {
    /// Its colour.
    pub colour: Colour,
    /// Its width, pixels.
    pub width: f64,
    /// Its dash pattern, such as `5 3`; empty: solid.
    pub dash: &'static str,
}

/// A point: x, and y unless there is a gap.
pub type Point = (f64, Option<f64>);

/// A stretch of an area: from x, to x, bottom, top.
pub type Slab = (f64, f64, f64, f64);

impl Plot {
    /// A line through `points`, broken at gaps; a lone point becomes a short stroke.
    pub fn line(&self, points: &[Point], pen: Pen) -> String {
        let half = (self.x.1 - self.x.0) / self.size.0.max(1.0);
        let runs: Vec<Vec<(f64, f64)>> = points
            .split(|(_, y)| y.is_none())
            .map(|run| run.iter().filter_map(|(x, y)| Some((*x, self.inside((*y)?)))).collect())
            .map(|run: Vec<(f64, f64)>| match run.as_slice() {
                [(x, y)] => vec![(x - half, *y), (x + half, *y)],
                _ => run,
            })
            .filter(|run| !run.is_empty())
            .collect();
        let stroke = style(pen);
        let body = self.draw(|chart| {
            for run in &runs {
                if run.len() == 2 {
                    chart.draw_series(std::iter::once(PathElement::new(run.clone(), stroke))).ok();
                } else {
                    chart.draw_series(LineSeries::new(run.iter().copied(), stroke)).ok();
                }
            }
        });
        if pen.dash.is_empty() {
            return body;
        }
        let scaled: Vec<String> =
            pen.dash.split(' ').filter_map(|part| Some((part.parse::<f64>().ok()? * FINE).to_string())).collect();
        body.replace("<polyline ", &format!("<polyline stroke-dasharray=\"{}\" ", scaled.join(" ")))
    }

    /// A filled area made of slabs that stand side by side; slabs without height are left out.
    pub fn area(&self, slabs: &[Slab], colour: Colour, opacity: f64) -> String {
        let style = rgb(colour).mix(opacity).filled();
        let outlines: Vec<Vec<(f64, f64)>> = slabs
            .split(|slab| slab.3 - slab.2 <= 0.0)
            .filter(|run| !run.is_empty())
            .map(|run| self.outline(run))
            .collect();
        self.draw(|chart| {
            chart.draw_series(outlines.iter().map(|outline| Polygon::new(outline.clone(), style))).ok();
        })
    }

    /// Along the tops, and back along the bottoms.
    fn outline(&self, run: &[Slab]) -> Vec<(f64, f64)> {
        let tops = run.iter().flat_map(|slab| [(slab.0, self.inside(slab.3)), (slab.1, self.inside(slab.3))]);
        let bottoms = run.iter().rev().flat_map(|slab| [(slab.1, self.inside(slab.2)), (slab.0, self.inside(slab.2))]);
        let mut outline: Vec<(f64, f64)> = Vec::with_capacity(run.len() * 4);
        for point in tops.chain(bottoms) {
            // A corner in the middle of a straight stretch says nothing.
            if let [.., before, last] = outline.as_slice() {
                let level = |a: f64, b: f64| (a - b).abs() < 1e-12;
                if level(before.1, last.1) && level(last.1, point.1) {
                    outline.pop();
                }
            }
            outline.push(point);
        }
        outline
    }

    fn inside(&self, y: f64) -> f64 {
        y.clamp(self.y.0, self.y.1)
    }

    fn draw(&self, with: impl FnOnce(&mut Chart<'_, '_>)) -> String {
        let mut text = String::new();
        {
            let size = (whole(self.size.0 * FINE), whole(self.size.1 * FINE));
            let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
            let built = ChartBuilder::on(&area).build_cartesian_2d(self.x.0..self.x.1, self.y.0..self.y.1);
            if let Ok(mut chart) = built {
                with(&mut chart);
            }
            // Writing to a string cannot fail; what is missing would be seen by the tests.
            area.present().ok();
        }
        let inner = text.split_once('>').map_or("", |(_, rest)| rest);
        let inner = inner.rsplit_once("</svg>").map_or(inner, |(body, _)| body);
        let tight = inner.replace(" \"/>", "\"/>").replace("opacity=\"1\" ", "").replace('\n', "");
        if tight.is_empty() { tight } else { format!("<g transform=\"scale({})\">{tight}</g>", 1.0 / FINE) }
    }
}

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

fn style(pen: Pen) -> ShapeStyle {
    rgb(pen.colour).stroke_width(whole(pen.width * FINE))
}

fn rgb(colour: Colour) -> RGBColor {
    let (r, g, b) = colour.rgb();
    RGBColor(r, g, b)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels of a page; casts saturate")]
fn whole(pixels: f64) -> u32 {
    pixels.round().max(1.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLOT: Plot = Plot { size: (100.0, 50.0), x: (0.0, 10.0), y: (0.0, 1.0) };

    #[test]
    fn a_gap_breaks_the_line_and_a_dash_is_added() {
        let points =
            [(0.0, Some(0.0)), (1.0, Some(0.5)), (2.0, Some(0.2)), (3.0, None), (4.0, Some(1.0)), (5.0, Some(9.0))];
        let pen = Pen { colour: Colour::Blue, width: 2.0, dash: "5 3" };
        let drawn = PLOT.line(&points, pen);
        assert_eq!(drawn.matches("<polyline").count(), 2, "{drawn}");
        assert_eq!(drawn.matches("stroke-dasharray=\"20 12\"").count(), 2);
        assert!(drawn.contains("stroke=\"#0072B2\"") && !drawn.contains("style="), "{drawn}");
    }

    #[test]
    fn slabs_without_height_are_left_out_and_flat_stretches_cost_four_corners() {
        let slabs: Vec<Slab> =
            (0..10).map(|x| (f64::from(x), f64::from(x + 1), 0.0, if x == 5 { 0.0 } else { 0.5 })).collect();
        let drawn = PLOT.area(&slabs, Colour::Orange, 1.0);
        assert_eq!(drawn.matches("<polygon").count(), 2, "{drawn}");
        assert_eq!(drawn.matches(',').count(), 8, "{drawn}");
        assert_eq!(PLOT.area(&[], Colour::Orange, 1.0), "");
    }
}
