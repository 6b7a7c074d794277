//! The few SVG elements that pictures are written with: text, lines, boxes. Presentation attributes only, never `style=`.
//!
//! Not here: what they mean (`frame`, `bars`), escaping (`report::xml`).

use std::fmt::Write as _;

use super::palette::Colour;
use crate::report::xml::escape;

/// A picture under way.
#[derive(Debug, Default)]
pub struct Svg(pub String);

/// Where and how a text stands.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    /// Its anchor, pixels.
    pub at: (f64, f64),
    /// `start`, `middle` or `end`.
    pub anchor: &'static str,
    /// Height of the letters, pixels.
    pub size: f64,
    /// Its colour.
    pub colour: Colour,
    /// `400` or `600`.
    pub weight: u16,
}

impl Label {
    /// A quiet label of the usual size.
    pub fn quiet(x: f64, y: f64, anchor: &'static str) -> Self {
        Self { at: (x, y), anchor, size: 12.0, colour: Colour::Mute, weight: 400 }
    }

    /// The same in ink and heavier.
    #[must_use]
    pub fn strong(self) -> Self {
        Self { colour: Colour::Ink, weight: 600, ..self }
    }
}

/// A number of pixels with at most one decimal.
pub fn px(value: f64) -> String {
    let rounded = if value.is_finite() { (value * 10.0).round() / 10.0 + 0.0 } else { 0.0 };
    rounded.to_string()
}

/// Estimated width of `text` in letters of `size` pixels, as common sans-serif fonts have it.
pub fn width_of(text: &str, size: f64) -> f64 {
    let width = |c: char| match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '|' | '!' | '\'' | ' ' | '\u{a0}' | '\u{202f}' => 0.27,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' | '/' => 0.34,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.86,
        'A'..='Z' | '+' | '<' | '>' | '=' | '~' => 0.68,
        _ => 0.57,
    };
    text.chars().map(width).sum::<f64>() * size
}

impl Svg {
    /// A text.
    pub fn text(&mut self, label: Label, text: &str) {
        let weight = if label.weight == 400 { String::new() } else { format!(" font-weight=\"{}\"", label.weight) };
        let anchor = if label.anchor == "start" { String::new() } else { format!(" text-anchor=\"{}\"", label.anchor) };
        let _ = write!(
            self.0,
            "<text x=\"{}\" y=\"{}\"{anchor} font-size=\"{}\"{weight} fill=\"{}\">{}</text>",
            px(label.at.0),
            px(label.at.1),
            px(label.size),
            label.colour.hex(),
            escape(text)
        );
    }

    /// A straight line; `more` are further attributes.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: Colour, more: &str) {
        let _ = write!(
            self.0,
            "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{}\"{}{more}/>",
            px(from.0),
            px(from.1),
            px(to.0),
            px(to.1),
            colour.hex(),
            if more.is_empty() { "" } else { " " },
        );
    }

    /// A filled box: left, top, width, height; `more` are further attributes.
    pub fn rect(&mut self, place: [f64; 4], colour: Colour, more: &str) {
        let [x, y, width, height] = place.map(px);
        let space = if more.is_empty() { "" } else { " " };
        let _ = write!(
            self.0,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{}\"{space}{more}/>",
            colour.hex()
        );
    }

    /// Anything that is SVG already.
    pub fn raw(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    /// The whole picture (with its size as attributes, for readers without the style sheet) of `width` by `height` pixels. `id` is unique on the page.
    pub fn finish(self, id: &str, size: (f64, f64), title: &str, desc: &str) -> String {
        format!(
            "<svg role=\"img\" aria-labelledby=\"{id}-t {id}-d\" viewBox=\"0 0 {} {}\" width=\"{}\" height=\"{}\" font-family=\"sans-serif\">\
             <title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>{}</svg>",
            px(size.0),
            px(size.1),
            px(size.0),
            px(size.1),
            escape(title),
            escape(desc),
            self.0
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_short_and_never_minus_nothing() {
        for (value, text) in
            [(12.0, "12"), (0.24, "0.2"), (-0.04, "0"), (-3.26, "-3.3"), (f64::NAN, "0"), (10.06, "10.1")]
        {
            assert_eq!(px(value), text);
        }
    }
}
