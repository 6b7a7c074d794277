//! An author's mistake: what, where, and what to write instead. All mistakes of a file are collected, never the first only.
//!
//! Not here: printing (`cli::term`), finding the place of a value (`spec::source`).

use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The file cannot be run.
    Error,
    /// It can be run, but probably not as meant.
    Warning,
}

/// A stretch of a file. Line and column count from 1; column and length count characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file as it was named.
    pub file: String,
    /// Line, from 1; 0 when the whole file is meant.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// Length in characters, at least 1.
    pub length: usize,
    /// The text of the line.
    pub text: String,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable id, such as `unknown_variable`.
    pub id: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, naming the thing.
    pub message: String,
    /// Where.
    pub place: Place,
    /// The remedy, shown under the place; may be empty.
    pub help: String,
    /// Other places that belong to it, such as the first of two equal names.
    pub related: Vec<(Place, String)>,
}

/// All mistakes of one reading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// True when at least one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|one| one.severity == Severity::Error)
    }
}

/// The block form: message, place, line, marker with help.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(f, "{word}[{}]: {}", self.id, self.message)?;
        marked(f, &self.place, &self.help)?;
        for (place, label) in &self.related {
            marked(f, place, label)?;
        }
        Ok(())
    }
}

fn marked(f: &mut fmt::Formatter<'_>, place: &Place, label: &str) -> fmt::Result {
    if place.line == 0 {
        writeln!(f, "  {}", place.file)?;
        return if label.is_empty() { Ok(()) } else { writeln!(f, "   | {label}") };
    }
    writeln!(f, "  {}:{}:{}", place.file, place.line, place.column)?;
    let number = place.line.to_string();
    let margin = " ".repeat(number.len());
    // Tabs are kept, so that the marker stands under its text whatever the terminal's tab width.
    let indent: String =
        place.text.chars().take(place.column.saturating_sub(1)).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    writeln!(f, "{number} | {}", place.text)?;
    let marker = format!("{margin} | {indent}{} {label}", "^".repeat(place.length.max(1)));
    writeln!(f, "{}", marker.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_shows_its_place_and_remedy() {
        let one = Diagnostic {
            id: "unknown_variable",
            severity: Severity::Error,
            message: "`${tokn}` is set by no earlier step".into(),
            place: Place { file: "cart.ron".into(), line: 41, column: 7, length: 7, text: "  url: ${tokn}".into() },
            help: "did you mean `${token}`?".into(),
            related: Vec::new(),
        };
        assert_eq!(
            one.to_string(),
            "error[unknown_variable]: `${tokn}` is set by no earlier step\n  cart.ron:41:7\n41 |   url: ${tokn}\n   |       ^^^^^^^ did you mean `${token}`?\n"
        );
    }
}
