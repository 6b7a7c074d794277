//! The strip beside a step: darker is slower, and a mark below where requests went bad. Decoration of numbers in the row.
//!
//! Not here: the numbers (`view::strips`).

use std::fmt::Write as _;

use super::palette::Colour;
use crate::report::view::strips::Patch;

const LEVELS: [f64; 6] = [0.12, 0.26, 0.42, 0.6, 0.8, 1.0];
const HEIGHT: usize = 10;

/// The range of p95 over all `strips`, log10 of µs.
pub fn range<'a>(strips: impl Iterator<Item = &'a Vec<Patch>>) -> (f64, f64) {
    strips
        .flatten()
        .filter_map(|patch| patch.p95)
        .map(|us| (us.max(1) as f64).log10())
        .fold((f64::MAX, f64::MIN), |(low, high), at| (low.min(at), high.max(at)))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the levels")]
fn level(patch: Patch, (low, high): (f64, f64)) -> Option<usize> {
    let at = (patch.p95?.max(1) as f64).log10();
    // Less than a doubling is no difference worth a colour.
    let share = (at - low) / (high - low).max(2_f64.log10());
    Some((share * LEVELS.len() as f64).floor().clamp(0.0, LEVELS.len() as f64 - 1.0) as usize)
}

/// The strip of `patches`, coloured within `range`.
pub fn draw(patches: &[Patch], range: (f64, f64)) -> String {
    let wide = patches.len().max(1);
    let mut drawn = format!(
        "<svg class=\"spark\" aria-hidden=\"true\" width=\"132\" height=\"16\" viewBox=\"0 0 {wide} 16\" preserveAspectRatio=\"none\" shape-rendering=\"crispEdges\">"
    );
    for (at, opacity) in LEVELS.iter().enumerate() {
        let path = runs(patches, HEIGHT, 0, |patch| level(patch, range) == Some(at));
        if !path.is_empty() {
            let _ = write!(drawn, "<path fill=\"{}\" fill-opacity=\"{opacity}\" d=\"{path}\"/>", Colour::Blue.hex());
        }
    }
    let bad = runs(patches, 4, 12, |patch| patch.bad > 0.01);
    if !bad.is_empty() {
        let _ = write!(drawn, "<path fill=\"{}\" d=\"{bad}\"/>", Colour::Vermillion.hex());
    }
    drawn.push_str("</svg>");
    drawn
}

/// One path for all runs of wanted patches.
fn runs(patches: &[Patch], height: usize, top: usize, wanted: impl Fn(Patch) -> bool) -> String {
    let mut path = String::new();
    let mut from = 0;
    while from < patches.len() {
        let run = patches[from..].iter().take_while(|patch| wanted(**patch)).count();
        if run > 0 {
            let _ = write!(path, "M{from} {top}h{run}v{height}h-{run}z");
        }
        from += run.max(1);
    }
    path
}
