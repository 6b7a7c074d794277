//! A file's text, the places of its values, and its mistakes of shape.
//!
//! ron reports one mistake and stops. A [`Spanned`] value is therefore read on its own from the slice of text it stands in: it remembers
//! where that slice lies and keeps its own mistake, for `plan::check` to report together with all others.
//! Not here: what a value means, or how a mistake is worded.

use std::ops::Range;
use std::sync::Arc;

use ron::Options;
use ron::error::{Error, Position, SpannedError};
use ron::extensions::Extensions;
use ron::value::RawValue;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};

/// A file that was read: its path as the user wrote it, and its text.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: Arc<str>,
}

/// A stretch of a source by address and length; only its own [`Source`] can say where it lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    address: usize,
    length: usize,
}

impl Mark {
    fn of(slice: &str) -> Self {
        Self { address: slice.as_ptr().addr(), length: slice.len() }
    }
}

/// A value with its place, or the mistake of shape that it is.
#[derive(Clone, Debug)]
pub(crate) struct Spanned<T> {
    pub(crate) mark: Mark,
    pub(crate) value: Result<T, Misshapen>,
}

/// A value that does not have the shape its place demands.
#[derive(Clone, Debug)]
pub(crate) struct Misshapen {
    pub(crate) mark: Mark,
    pub(crate) shape: Shape,
}

/// What is wrong with a shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A field that this structure does not have.
    Field { found: String, known: Vec<&'static str>, of: String },
    /// A kind that this choice does not have.
    Kind { found: String, known: Vec<&'static str>, of: String },
    /// A field that must be there.
    Missing { field: String },
    /// A field that is written twice.
    Twice { field: String },
    /// A text was wanted.
    Text { found: String },
    /// Brackets, commas, numbers and the like, in ron's words.
    Other(String),
}

/// A part of the grammar nobody has built yet: any value, kept only by its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unbuilt(pub(crate) Mark);

/// A structure as written; `later` lists the fields that were used but are not built yet.
pub(crate) trait Written: DeserializeOwned {
    fn later(&self) -> Vec<(&'static str, Mark)> {
        Vec::new()
    }
}

impl Written for String {}
impl Written for bool {}
impl Written for u64 {}
impl Written for i64 {}
impl Written for f64 {}
impl<T: Written> Written for Vec<T> {}
impl<T: DeserializeOwned> Written for Spanned<T> {}
impl<A: Written, B: Written> Written for (A, B) {}

/// Declares a structure of a file: its fields, and after `later` those that are known but not built yet.
macro_rules! written {
    ($(#[$meta:meta])* $name:ident { $($field:ident : $ty:ty),* $(,)? } later { $($late:ident),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            $(pub(crate) $field: $ty,)*
            $($late: Option<$crate::spec::source::Unbuilt>,)*
        }

        impl $crate::spec::source::Written for $name {
            fn later(&self) -> Vec<(&'static str, $crate::spec::source::Mark)> {
                [$((stringify!($late), self.$late)),*]
                    .into_iter()
                    .filter_map(|(name, used): (&'static str, Option<$crate::spec::source::Unbuilt>)| {
                        used.map(|used| (name.trim_start_matches("r#"), used.0))
                    })
                    .collect()
            }
        }
    };
}
pub(crate) use written;

fn options() -> Options {
    Options::default()
        .with_default_extension(Extensions::IMPLICIT_SOME)
        .with_default_extension(Extensions::UNWRAP_NEWTYPES)
        .with_default_extension(Extensions::UNWRAP_VARIANT_NEWTYPES)
}

impl Source {
    /// Reads the whole text as a `T`.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Spanned<T> {
        match options().from_str::<Spanned<T>>(&self.text) {
            Ok(read) => read,
            Err(error) => Spanned { mark: Mark::of(&self.text), value: Err(Misshapen::new(&self.text, error)) },
        }
    }

    /// Where `mark` lies, in bytes; clipped to the text.
    pub(crate) fn range(&self, mark: Mark) -> Range<usize> {
        let start = mark.address.saturating_sub(self.text.as_ptr().addr()).min(self.text.len());
        start..(start + mark.length).min(self.text.len())
    }

    /// The text at `mark`.
    pub(crate) fn slice(&self, mark: Mark) -> &str {
        self.text.get(self.range(mark)).unwrap_or_default()
    }

    /// Where the bytes `part` of the text literal at `mark` lie; all of it when the literal has escapes.
    pub(crate) fn inside(&self, mark: Mark, part: Range<usize>) -> Range<usize> {
        let (whole, literal) = (self.range(mark), self.slice(mark));
        let is_exact = literal.starts_with('r') || !literal.contains('\\');
        match literal.find('"').filter(|_| is_exact) {
            Some(quote) => whole.start + quote + 1 + part.start..whole.start + quote + 1 + part.end,
            None => whole,
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let slice = trimmed(<&'de RawValue>::deserialize(deserializer)?.get_ron());
        let value = options().from_str::<T>(slice).map_err(|error| Misshapen::new(slice, error));
        Ok(Self { mark: Mark::of(slice), value })
    }
}

impl<'de> Deserialize<'de> for Unbuilt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Mark::of(trimmed(<&'de RawValue>::deserialize(deserializer)?.get_ron()))))
    }
}

/// `text` without the space and comments before it and the space behind it.
fn trimmed(text: &str) -> &str {
    let mut rest = text.trim();
    loop {
        let after = if rest.starts_with("//") {
            rest.split_once('\n').map(|(_, after)| after)
        } else if rest.starts_with("/*") {
            rest.split_once("*/").map(|(_, after)| after)
        } else {
            None
        };
        match after {
            Some(after) => rest = after.trim_start(),
            None => return rest,
        }
    }
}

impl Misshapen {
    fn new(slice: &str, error: SpannedError) -> Self {
        let (start, end) = (offset(slice, error.span.start), offset(slice, error.span.end));
        let mut mark = Mark::of(slice.get(start..end.max(start)).unwrap_or(slice));
        let shape = Shape::new(slice, error.code);
        // ron points somewhere behind an identifier that it refuses: point at the identifier itself.
        match &shape {
            Shape::Field { found, .. } | Shape::Kind { found, .. } | Shape::Twice { field: found } => {
                let before = slice.get(..end).unwrap_or(slice);
                if let Some(word) = before.rfind(found.as_str()).and_then(|at| slice.get(at..at + found.len())) {
                    mark = Mark::of(word);
                }
            }
            Shape::Missing { .. } | Shape::Text { .. } => mark = Mark::of(slice),
            Shape::Other(_) if start == 0 && end <= 1 => mark = Mark::of(slice),
            Shape::Other(_) => {}
        }
        Self { mark, shape }
    }
}

impl Shape {
    fn new(slice: &str, code: Error) -> Self {
        match code {
            Error::NoSuchStructField { expected, found, outer } => {
                Self::Field { found, known: expected.to_vec(), of: outer.unwrap_or_default() }
            }
            Error::NoSuchEnumVariant { expected, found, outer } => {
                Self::Kind { found, known: expected.to_vec(), of: outer.unwrap_or_default() }
            }
            Error::MissingStructField { field, .. } => Self::Missing { field: field.to_owned() },
            Error::DuplicateStructField { field, .. } => Self::Twice { field: field.to_owned() },
            Error::ExpectedString => Self::Text { found: slice.to_owned() },
            other => Self::Other(sentence(&other)),
        }
    }
}

/// What ron expected, in the words of an author.
fn sentence(error: &Error) -> String {
    let text = match error {
        Error::ExpectedArray => "a list in `[ ]` is wanted here",
        Error::ExpectedMap => "a map in `{ }` is wanted here",
        Error::ExpectedInteger => "a whole number is wanted here",
        Error::ExpectedFloat => "a number is wanted here",
        Error::ExpectedBoolean => "`true` or `false` is wanted here",
        Error::IntegerOutOfBounds => "this number does not fit here",
        Error::ExpectedIdentifier | Error::SuggestRawIdentifier(_) | Error::InvalidIdentifier(_) => {
            "a word is wanted here: a kind such as `Http(…)`, or the name of a field"
        }
        Error::ExpectedStructLike | Error::ExpectedNamedStructLike(_) => "a structure in `( )` is wanted here",
        Error::ExpectedComma => "a comma or a closing bracket is missing",
        Error::Eof => "the file ends before its brackets are closed",
        other => return lower_first(&other.to_string()),
    };
    text.to_owned()
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// The byte offset of a position that counts lines and characters from 1.
fn offset(text: &str, at: Position) -> usize {
    let line: usize = text.split_inclusive('\n').take(at.line.saturating_sub(1)).map(str::len).sum();
    let rest = text.get(line..).unwrap_or_default();
    line + rest.chars().take(at.col.saturating_sub(1)).map(char::len_utf8).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    written! {
        /// A structure with one built field and one that is not.
        Cup { size: Spanned<String>, straws: Option<Vec<Spanned<u64>>> } later { lid }
    }

    fn source(text: &str) -> Source {
        Source { path: "cup.ron".into(), text: text.into() }
    }

    #[test]
    fn a_value_knows_its_place_inside_lists_and_behind_comments() {
        let source = source("( // a cup\n  size: /* of */ \"big\", straws: [1, // one\n 22],\n lid: Wide(3))");
        let cup = source.read::<Cup>().value.unwrap();
        assert_eq!(source.slice(cup.size.mark), "\"big\"");
        assert_eq!(source.slice(cup.straws.as_ref().unwrap()[1].mark), "22");
        let later = cup.later();
        assert_eq!((later[0].0, source.slice(later[0].1)), ("lid", "Wide(3)"));
    }

    #[test]
    fn a_mistake_of_shape_stays_with_its_value() {
        let source = source("(size: 5, straws: [1, \"x\", 3])");
        let cup = source.read::<Cup>().value.unwrap();
        assert_eq!(cup.size.value.unwrap_err().shape, Shape::Text { found: "5".into() });
        let straws = cup.straws.unwrap();
        assert!(straws[0].value.is_ok() && straws[1].value.is_err() && straws[2].value.is_ok());
    }

    #[test]
    fn an_unknown_field_is_pointed_at() {
        let source = source("(size: \"s\",\n  straw: [1])");
        let wrong = source.read::<Cup>().value.unwrap_err();
        assert_eq!(source.slice(wrong.mark), "straw");
        assert!(matches!(wrong.shape, Shape::Field { known, .. } if known.contains(&"straws")));
    }

    #[test]
    fn broken_brackets_are_a_mistake_of_the_file() {
        let source = source("(size: \"s\", straws: [1, 2)");
        assert!(matches!(source.read::<Cup>().value.unwrap_err().shape, Shape::Other(_)));
    }
}
