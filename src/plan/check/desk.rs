//! The desk at which one file is checked: it opens written values, words their mistakes, and collects everything.
//!
//! Used by every file of `check`; knows nothing of scenarios or drills but how each spells its ids.

use std::io::ErrorKind;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::files::Files;
use crate::base::QuantityError;
use crate::base::duration::Period;
use crate::base::name::nearest;
use crate::base::rate::Rate;
use crate::base::ratio::Ratio;
use crate::base::size::Size;
use crate::plan::diagnostic::{Diagnostic, Diagnostics, Place, Severity};
use crate::spec::names::Named;
use crate::spec::shape::{Misshapen, Shape};
use crate::spec::source::{Mark, Source, Spanned};
use crate::spec::words::later_kinds;
use crate::spec::written::{Key, Written};

/// Which kind of file lies on the desk: their specifications spell ids differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `unknown_field`
    Scenario,
    /// `unknown-field`
    Drill,
}

/// Nothing here lasts longer: a year.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);
/// Steps whose shape is settled and that nobody has built yet.
const SECOND_WAVE: [&str; 3] = ["WebSocket", "Sse", "Grpc"];
/// Players' roles, without the other names some of them have.
const ROLES: [&str; 7] = ["Ic", "Deputy", "Ops", "Expert", "Comms", "Liaison", "Scribe"];

/// One file under check.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) source: Source,
    dialect: Dialect,
    found: Diagnostics,
    /// The other files it names; lent by the caller for as long as it is checked.
    pub(super) files: Files,
}

impl Desk {
    pub(super) fn new(path: &str, text: Arc<str>, dialect: Dialect) -> Self {
        Self {
            source: Source { path: path.to_owned(), text },
            dialect,
            found: Diagnostics::default(),
            files: Files::default(),
        }
    }

    /// What was found, in the order of the file.
    pub(super) fn finish(mut self) -> Diagnostics {
        self.found.0.sort_by_key(|one| (one.place.line, one.place.column));
        self.found
    }

    pub(super) fn has_errors(&self) -> bool {
        self.found.has_errors()
    }

    // ── opening ──

    /// The value of `spanned`, after reporting its mistake of shape and its words that are not built yet.
    pub(super) fn open<'a, T: Written>(&mut self, spanned: &'a Spanned<T>) -> Option<&'a T> {
        match &spanned.value {
            Ok(value) => {
                let extra = value.extra();
                for (word, mark) in extra.later {
                    self.not_built(word, *mark);
                }
                for Key(word, mark) in extra.strange {
                    self.strange(word, *mark, extra.known);
                }
                Some(value)
            }
            Err(wrong) => {
                self.misshapen(wrong);
                None
            }
        }
    }

    /// As [`Self::open`], for a value the author may leave out.
    pub(super) fn open_if<'a, T: Written>(&mut self, spanned: Option<&'a Spanned<T>>) -> Option<&'a T> {
        spanned.and_then(|spanned| self.open(spanned))
    }

    /// A text.
    pub(super) fn text<'a>(&mut self, spanned: &'a Spanned<String>) -> Option<&'a str> {
        self.open(spanned).map(String::as_str)
    }

    /// The entries of a map of names; a name that was there before is reported with both places and left out.
    pub(super) fn entries<'a, T: Written>(
        &mut self,
        named: &'a Named<T>,
        what: &str,
    ) -> Vec<(&'a str, Mark, &'a Spanned<T>)> {
        let mut entries: Vec<(&str, Mark, &Spanned<T>)> = Vec::new();
        for (name, value) in &named.0 {
            let Some(text) = self.text(name) else { continue };
            match entries.iter().find(|(known, ..)| *known == text) {
                Some((_, first, _)) => self.duplicate(what, text, name.mark, *first),
                None => entries.push((text, name.mark, value)),
            }
        }
        entries
    }

    // ── quantities ──

    pub(super) fn quantity<T>(
        &mut self,
        spanned: &Spanned<String>,
        drill_id: &'static str,
        read: impl Fn(&str) -> Result<T, QuantityError>,
    ) -> Option<T> {
        // A number without quotes is a quantity without its unit: say that, not "a text is wanted".
        if let Err(Misshapen { shape: Shape::Text { found }, .. }) = &spanned.value
            && let Err(wrong) = read(found)
        {
            let id = if self.dialect == Dialect::Drill { drill_id } else { wrong.id };
            let help = format!("{}; in quotes", wrong.help);
            self.error(id, spanned.mark, format!("`{found}` is no text with a unit"), help);
            return None;
        }
        let text = self.text(spanned)?;
        match read(text) {
            Ok(value) => Some(value),
            Err(wrong) => {
                let id = if self.dialect == Dialect::Drill { drill_id } else { wrong.id };
                self.error(id, spanned.mark, wrong.problem, wrong.help);
                None
            }
        }
    }

    pub(super) fn duration(&mut self, spanned: &Spanned<String>) -> Option<Duration> {
        self.quantity(spanned, "not-a-duration", period)
    }

    pub(super) fn duration_or(&mut self, spanned: Option<&Spanned<String>>, default: Duration) -> Duration {
        spanned.and_then(|spanned| self.duration(spanned)).unwrap_or(default)
    }

    pub(super) fn rate(&mut self, spanned: &Spanned<String>) -> Option<f64> {
        self.quantity(spanned, "not-a-rate", str::parse::<Rate>).map(Rate::get)
    }

    pub(super) fn ratio(&mut self, spanned: &Spanned<String>) -> Option<Ratio> {
        self.quantity(spanned, "not-a-ratio", str::parse::<Ratio>)
    }

    pub(super) fn size(&mut self, spanned: &Spanned<String>) -> Option<u64> {
        self.quantity(spanned, "not-a-size", str::parse::<Size>).map(|size| size.0)
    }

    /// The text of a file that lies beside this one; `None` after it was reported.
    pub(super) fn beside(&mut self, written: &Spanned<String>) -> Option<Arc<str>> {
        let name = self.text(written)?;
        let path = Files::beside(&self.source.path, name);
        match self.files.read(&path) {
            Ok(text) => Some(text),
            Err(error) => {
                let (id, help) = match error.kind() {
                    ErrorKind::InvalidData => ("not_utf8", "save it as UTF-8"),
                    _ => ("missing_file", "paths lead from this file's folder"),
                };
                self.error(id, written.mark, format!("cannot read {path}: {error}"), help);
                None
            }
        }
    }

    // ── mistakes ──

    pub(super) fn error(&mut self, id: &'static str, at: Mark, message: impl Into<String>, help: impl Into<String>) {
        self.report(Severity::Error, id, self.source.range(at), (message.into(), help.into()));
    }

    pub(super) fn warn(&mut self, id: &'static str, at: Mark, message: impl Into<String>, help: impl Into<String>) {
        self.report(Severity::Warning, id, self.source.range(at), (message.into(), help.into()));
    }

    /// A mistake in the bytes `part` of the text literal at `at`.
    pub(super) fn error_inside(
        &mut self,
        id: &'static str,
        (at, part): (Mark, Range<usize>),
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.report(Severity::Error, id, self.source.inside(at, part), (message.into(), help.into()));
    }

    /// Shows another place that belongs to the last mistake.
    pub(super) fn relate(&mut self, at: Mark, label: &str) {
        let place = self.place(at);
        if let Some(last) = self.found.0.last_mut() {
            last.related.push((place, label.to_owned()));
        }
    }

    /// A secret at these bytes; its line is not shown again.
    pub(super) fn secret(&mut self, at: Range<usize>) {
        let message = "a token or key is written in this file".to_owned();
        let help = "take it out and change it: files are shared and kept in reports".to_owned();
        self.report(Severity::Error, "secret-in-file", at, (message, help));
        if let Some(place) = self.found.0.last_mut().map(|last| &mut last.place) {
            let hidden = |(n, c): (usize, char)| if n + 1 >= place.column { '*' } else { c };
            place.text = place.text.chars().enumerate().map(hidden).take(place.column + place.length - 1).collect();
        }
    }

    pub(super) fn not_built(&mut self, word: &str, at: Mark) {
        self.error("not_built", at, format!("`{word}` is known but not built yet"), "leave it out for now");
    }

    pub(super) fn duplicate(&mut self, what: &str, name: &str, second: Mark, first: Mark) {
        let id = self.id("duplicate_name", "duplicate-name");
        self.error(id, second, format!("two {what} are named `{name}`"), "give one of them another name");
        self.related(first, "the first is here");
    }

    /// Adds another place to the mistake that was told last.
    pub(super) fn related(&mut self, at: Mark, says: &str) {
        let place = self.place(at);
        if let Some(last) = self.found.0.last_mut() {
            last.related.push((place, says.to_owned()));
        }
    }

    /// `name` is none of `known`: with the nearest of them, or the list.
    pub(super) fn unknown(&mut self, what: &str, name: &str, at: Mark, known: &[&str]) {
        let id = self.id("unknown_name", "unknown-name");
        self.error(id, at, format!("there is no {what} `{name}`"), suggest(name, known));
    }

    pub(super) fn id(&self, scenario: &'static str, drill: &'static str) -> &'static str {
        if self.dialect == Dialect::Drill { drill } else { scenario }
    }

    fn strange(&mut self, word: &str, at: Mark, known: &[&str]) {
        let id = self.id("unknown_field", "unknown-field");
        self.error(id, at, format!("unknown field `{word}`"), suggest(word, known));
    }

    fn misshapen(&mut self, wrong: &Misshapen) {
        let at = wrong.mark;
        match &wrong.shape {
            Shape::Field { found, known, .. } => self.strange(found, at, known),
            Shape::Kind { found, of, .. } if of == "Step" && SECOND_WAVE.contains(&found.as_str()) => {
                let help = "only Http sends for now: leave it out";
                self.error("second_wave", at, format!("`{found}` is not built yet"), help);
            }
            Shape::Kind { found, of, .. } if later_kinds(of).contains(&found.as_str()) => self.not_built(found, at),
            Shape::Kind { found, of, .. } if of == "Role" => {
                self.error("unknown-role", at, format!("unknown role `{found}`"), suggest(found, &ROLES));
            }
            Shape::Kind { found, known, of } => {
                let id = self.id("unknown_kind", "unknown-variant");
                let all: Vec<&str> = known.iter().chain(later_kinds(of)).copied().collect();
                self.error(id, at, format!("unknown kind `{found}`"), suggest(found, &all));
            }
            Shape::Missing { field } => {
                let id = self.id("missing_field", "missing-field");
                self.error(id, at, format!("`{field}` is missing"), format!("add `{field}: …`"));
            }
            Shape::Twice { field } => {
                let id = self.id("duplicate_name", "duplicate-name");
                self.error(id, at, format!("`{field}` is written twice"), "remove one of them");
            }
            Shape::Text { found } => {
                let short: String = found.chars().take(40).collect();
                self.error("syntax", at, format!("`{short}` is not a text"), "write it in quotes");
            }
            Shape::Other(sentence) => self.error("syntax", at, sentence.clone(), ""),
        }
    }

    fn report(&mut self, severity: Severity, id: &'static str, at: Range<usize>, (message, help): (String, String)) {
        let place = self.place_of(at);
        self.found.push(Diagnostic { id, severity, message, place, help, related: Vec::new() });
    }

    // ── places ──

    pub(super) fn place(&self, mark: Mark) -> Place {
        self.place_of(self.source.range(mark))
    }

    /// The line a value stands in, from 1.
    pub(super) fn line(&self, mark: Mark) -> usize {
        self.place(mark).line
    }

    /// The place of some bytes of the text, cut at the end of their first line.
    fn place_of(&self, at: Range<usize>) -> Place {
        let text = &self.source.text;
        let before = text.get(..at.start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = text.get(line_start..).unwrap_or_default().lines().next().unwrap_or_default();
        let part = text.get(at).unwrap_or_default().lines().next().unwrap_or_default();
        Place {
            file: self.source.path.clone(),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            length: part.chars().count().max(1),
            text: line.to_owned(),
        }
    }
}

/// A duration that can be added up without care.
pub(super) fn period(text: &str) -> Result<Duration, QuantityError> {
    let period = text.parse::<Period>()?.0;
    if period <= LONGEST {
        return Ok(period);
    }
    Err(QuantityError {
        id: "bad_number",
        problem: format!("`{text}` is longer than a year"),
        help: "write at most 8760h".to_owned(),
    })
}

/// "did you mean …?", or the list of what there is.
pub(super) fn suggest(wrong: &str, known: &[&str]) -> String {
    match nearest(wrong, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "there are none".to_owned(),
        None => format!("there are: {}", known.join(", ")),
    }
}
