//! The heatmap of response times: twelve rows per decade, eight levels of one hue by the logarithm of the count.
//!
//! Cells are drawn in a grid of whole units that the group around them scales: one path per level, neighbours in one run.
//! Not here: axes (`frame`), lines over it (`chart`).

use std::fmt::Write as _;

use super::chart::Plot;
use super::palette::Colour;
use crate::report::view::course::Course;

/// Rows per decade.
const ROWS: f64 = 12.0;
/// Opacity of the levels, rarest first.
const LEVELS: [f64; 8] = [0.10, 0.18, 0.27, 0.38, 0.50, 0.64, 0.80, 1.0];

/// Counts by column and row; row 0 is the top.
fn cells(course: &Course, plot: &Plot, rows: usize) -> Vec<Vec<u64>> {
    course
        .columns
        .iter()
        .map(|column| {
            let mut counts = vec![0; rows];
            for (low, high, n) in column.response.buckets() {
                let middle = f64::midpoint(low.max(1) as f64, high.max(1) as f64);
                let from_top = (plot.y.1 - middle.log10()) * ROWS;
                counts[row(from_top, rows)] += n;
            }
            counts
        })
        .collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the rows")]
fn row(from_top: f64, rows: usize) -> usize {
    from_top.floor().clamp(0.0, rows as f64 - 1.0) as usize
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the levels")]
fn level(n: u64, most: u64) -> Option<usize> {
    if n == 0 {
        return None;
    }
    let share = if most > 1 { (n as f64).ln() / (most as f64).ln() } else { 1.0 };
    Some((share * 7.0).round().clamp(0.0, 7.0) as usize)
}

/// The cells of `course` inside `plot`, whose vertical axis is log10 of microseconds.
pub fn draw(course: &Course, plot: &Plot) -> String {
    let rows = row((plot.y.1 - plot.y.0) * ROWS, 1_000).max(1);
    let cells = cells(course, plot, rows);
    let most = cells.iter().flatten().copied().max().unwrap_or(0);
    let mut paths: [String; 8] = Default::default();
    for row in 0..rows {
        let mut from = 0;
        while from < cells.len() {
            let here = level(cells[from][row], most);
            let run = cells[from..].iter().take_while(|column| level(column[row], most) == here).count().max(1);
            if let Some(level) = here {
                let _ = write!(paths[level], "M{from} {row}h{run}v1h-{run}z");
            }
            from += run;
        }
    }
    let (wide, high) = (plot.size.0 / columns(course), plot.size.1 / rows as f64);
    let mut drawn = format!(
        "<g transform=\"scale({wide:.4} {high:.4})\" fill=\"{}\" shape-rendering=\"crispEdges\">",
        Colour::Blue.hex()
    );
    for (path, opacity) in paths.iter().zip(LEVELS).filter(|(path, _)| !path.is_empty()) {
        let _ = write!(drawn, "<path fill-opacity=\"{opacity}\" d=\"{path}\"/>");
    }
    drawn.push_str("</g>");
    drawn
}

/// How many columns of full width the course is long; the last may be narrower.
fn columns(course: &Course) -> f64 {
    ((course.to_s - course.from_s) / course.step_s as f64).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_follow_the_logarithm() {
        assert_eq!(level(0, 100), None);
        assert_eq!(level(1, 100), Some(0));
        assert_eq!(level(10, 100), Some(4));
        assert_eq!(level(100, 100), Some(7));
        assert_eq!(level(1, 1), Some(7));
    }
}
