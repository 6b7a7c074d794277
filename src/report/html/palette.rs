//! The twelve colours of every picture, each with its counterpart on a dark page.
//!
//! Pictures carry the light value as an attribute; the page's style recolours by attribute selector, so the same markup
//! serves light, dark and print. Data colours are those of Okabe and Ito (2008). Not here: dash patterns (`chart`).

use crate::judge::finding::Verdict;
use crate::measure::outcome::Class;

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Text and the most important line.
    Ink,
    /// Text of lesser weight.
    Mute,
    /// Rules behind data.
    Grid,
    /// The page.
    Paper,
    /// Lines of lesser weight, fills of neutral data.
    Steel,
    /// Data.
    Blue,
    /// Data.
    Sky,
    /// Data; good.
    Green,
    /// Data.
    Yellow,
    /// Data; slow, a fault.
    Orange,
    /// Data; failed, impact.
    Vermillion,
    /// Data; an alert.
    Purple,
}

/// All colours: on light, on dark.
pub const ALL: [(Colour, (u8, u8, u8), &str); 12] = [
    (Colour::Ink, (0x1B, 0x24, 0x30), "#E8ECF1"),
    (Colour::Mute, (0x5B, 0x66, 0x73), "#9DA9B6"),
    (Colour::Grid, (0xE1, 0xE5, 0xEA), "#29313B"),
    (Colour::Paper, (0xFF, 0xFF, 0xFE), "#14181E"),
    (Colour::Steel, (0x9A, 0xA5, 0xB1), "#66727F"),
    (Colour::Blue, (0x00, 0x72, 0xB2), "#4FA8E0"),
    (Colour::Sky, (0x56, 0xB4, 0xE9), "#86CCF4"),
    (Colour::Green, (0x00, 0x9E, 0x73), "#2DC79B"),
    (Colour::Yellow, (0xF0, 0xE4, 0x42), "#DFD452"),
    (Colour::Orange, (0xE6, 0x9F, 0x00), "#F1B445"),
    (Colour::Vermillion, (0xD5, 0x5E, 0x00), "#F28341"),
    (Colour::Purple, (0xCC, 0x79, 0xA7), "#E0A1C6"),
];

impl Colour {
    /// Red, green, blue on a light page.
    pub fn rgb(self) -> (u8, u8, u8) {
        ALL.iter().find(|(colour, ..)| *colour == self).map_or((0, 0, 0), |(_, rgb, _)| *rgb)
    }

    /// As an attribute carries it.
    pub fn hex(self) -> String {
        let (r, g, b) = self.rgb();
        format!("#{r:02X}{g:02X}{b:02X}")
    }
}

/// Colour of a class of requests.
pub fn of_class(class: Class) -> Colour {
    match class {
        Class::Leak => Colour::Ink,
        Class::Wrong => Colour::Blue,
        Class::Stale => Colour::Steel,
        Class::Timeout => Colour::Purple,
        Class::Error => Colour::Vermillion,
        Class::Throttled => Colour::Yellow,
        Class::Shed => Colour::Sky,
        Class::Slow => Colour::Orange,
        Class::Ok => Colour::Green,
    }
}

/// Colour of a verdict.
pub fn of_verdict(verdict: Verdict) -> Colour {
    match verdict {
        Verdict::Pass => Colour::Green,
        Verdict::Warn => Colour::Orange,
        Verdict::Fail => Colour::Vermillion,
        Verdict::Inconclusive => Colour::Steel,
        Verdict::Invalid => Colour::Purple,
    }
}

/// Colours of error kinds, most frequent first; running out of time has the colour of its class.
pub fn of_kinds(kinds: &[String]) -> Vec<Colour> {
    const OTHERS: [Colour; 6] =
        [Colour::Vermillion, Colour::Orange, Colour::Blue, Colour::Yellow, Colour::Sky, Colour::Steel];
    let mut others = OTHERS.into_iter().chain(std::iter::repeat(Colour::Steel));
    let mut timeouts = std::iter::once(Colour::Purple);
    kinds
        .iter()
        .map(|kind| kind.contains("timeout").then(|| timeouts.next()).flatten().or_else(|| others.next()))
        .map(|colour| colour.unwrap_or(Colour::Steel))
        .collect()
}
