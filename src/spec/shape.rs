//! Mistakes of shape: what ron refused, where, and in the words of an author.

use ron::error::{Error, Position, SpannedError};

use super::source::Mark;

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

impl Misshapen {
    pub(super) fn new(slice: &str, error: SpannedError) -> Self {
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
