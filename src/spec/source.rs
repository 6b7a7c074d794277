//! A file's text, the places of its values, and its mistakes of shape.
//!
//! ron reports one mistake and stops. A [`Spanned`] value is therefore read on its own from the slice of text it stands in: it remembers
//! where that slice lies and keeps its own mistake, for `plan::check` to report together with all others.
//! Not here: what a value means, or how a mistake is worded.

use std::ops::Range;
use std::sync::Arc;

use ron::Options;
use ron::extensions::Extensions;
use ron::value::RawValue;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};

use super::shape::Misshapen;

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
    pub(super) fn of(slice: &str) -> Self {
        Self { address: slice.as_ptr().addr(), length: slice.len() }
    }
}

/// A value with its place, or the mistake of shape that it is.
#[derive(Clone, Debug)]
pub(crate) struct Spanned<T> {
    pub(crate) mark: Mark,
    pub(crate) value: Result<T, Misshapen>,
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::shape::Shape;
    use crate::spec::written::{Extra, Written, written};

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
        let later = cup.extra().later;
        assert_eq!((later[0].0, source.slice(later[0].1)), ("lid", "lid"));
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
    fn unknown_fields_are_all_kept_with_their_places() {
        let source = source("(size: \"s\",\n  straw: [1], lit: Wide(3))");
        let cup = source.read::<Cup>().value.unwrap();
        let Extra { strange, known, .. } = cup.extra();
        let words: Vec<_> = strange.iter().map(|key| source.slice(key.1)).collect();
        assert_eq!((words, known), (vec!["straw", "lit"], &["size", "straws", "lid"][..]));
    }

    #[test]
    fn a_misspelt_field_is_not_called_missing() {
        let source = source("(siz: \"s\")");
        let wrong = source.read::<Cup>().value.unwrap_err();
        assert_eq!(source.slice(wrong.mark), "siz");
        assert!(matches!(wrong.shape, Shape::Field { known, .. } if known.contains(&"size")));
    }

    #[test]
    fn broken_brackets_are_a_mistake_of_the_file() {
        let source = source("(size: \"s\", straws: [1, 2)");
        assert!(matches!(source.read::<Cup>().value.unwrap_err().shape, Shape::Other(_)));
    }
}
