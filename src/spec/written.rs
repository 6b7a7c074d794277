//! Structures and values as written: which fields there are, which are known but not built yet, and which nobody knows.
//!
//! A derived reader stops at the first unknown field; `written!` keeps them all, with their places, for `plan::check` to report.
//! Not here: what the structures are (the other files of `spec`).

use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeOwned, Deserializer, IgnoredAny, Visitor};

use super::source::{Mark, Spanned};

/// Any value at all, passed over: the value of a field that nobody has built yet, or that nobody knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unbuilt;

impl<'de> Deserialize<'de> for Unbuilt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// The words of a structure that are more than what is built.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extra<'a> {
    /// Fields that were used but are not built yet.
    pub(crate) later: &'a [(&'static str, Mark)],
    /// Fields that nobody knows.
    pub(crate) strange: &'a [Key],
    /// Fields that there are.
    pub(crate) known: &'static [&'static str],
}

/// A value as written. There is no default: whoever holds a structure must hand on its extra words, or they would be accepted in silence.
pub(crate) trait Written: DeserializeOwned {
    fn extra(&self) -> Extra<'_>;
}

/// Declares values that hold no structure of their own.
macro_rules! plain {
    ($($name:ty),* $(,)?) => {
        $(impl $crate::spec::written::Written for $name {
            fn extra(&self) -> $crate::spec::written::Extra<'_> {
                $crate::spec::written::Extra::default()
            }
        })*
    };
}
pub(crate) use plain;

plain!(String, bool, u64, i64, f64);

impl<T: Written> Written for Vec<Spanned<T>> {
    fn extra(&self) -> Extra<'_> {
        Extra::default()
    }
}

impl<A: Written, B: Written> Written for (Spanned<A>, Spanned<B>) {
    fn extra(&self) -> Extra<'_> {
        Extra::default()
    }
}

/// A field of a structure that the author may leave out, or not.
pub(crate) trait Field: Sized {
    /// What stands in its place when it is not written.
    fn absent() -> Option<Self>;
}

impl<T> Field for Option<T> {
    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T> Field for Spanned<T> {
    fn absent() -> Option<Self> {
        None
    }
}

/// The name of a field, with its place.
#[derive(Clone, Debug)]
pub(crate) struct Key(pub(crate) String, pub(crate) Mark);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word;
        impl<'de> Visitor<'de> for Word {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a field")
            }
            fn visit_borrowed_str<E>(self, word: &'de str) -> Result<Key, E> {
                Ok(Key(word.to_owned(), Mark::of(word)))
            }
            fn visit_str<E>(self, word: &str) -> Result<Key, E> {
                Ok(Key(word.to_owned(), Mark::default()))
            }
        }
        deserializer.deserialize_identifier(Word)
    }
}

/// The value of a field, or why the structure cannot be read without it: a field that nobody knows is likelier misspelt than missing.
pub(crate) fn present<T: Field, E: de::Error>(
    value: Option<T>,
    field: &'static str,
    (strange, known): (&[Key], &'static [&'static str]),
) -> Result<T, E> {
    value.or_else(T::absent).ok_or_else(|| match strange.first() {
        Some(Key(word, _)) => E::unknown_field(word, known),
        None => E::missing_field(field),
    })
}

/// Declares a structure of a file: its fields, and after `later` those that are known but not built yet. Words that are neither are
/// kept as well, so that all of them can be reported.
macro_rules! written {
    ($(#[$meta:meta])* $name:ident { $($field:ident : $ty:ty),* $(,)? } later { $($late:ident),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub(crate) struct $name {
            $(pub(crate) $field: $ty,)*
            later: Vec<(&'static str, $crate::spec::source::Mark)>,
            strange: Vec<$crate::spec::written::Key>,
        }

        impl $name {
            const FIELDS: &'static [&'static str] = &[$(stringify!($field),)* $(stringify!($late),)*];
        }

        impl $crate::spec::written::Written for $name {
            fn extra(&self) -> $crate::spec::written::Extra<'_> {
                $crate::spec::written::Extra { later: &self.later, strange: &self.strange, known: Self::FIELDS }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields;
                impl<'de> serde::de::Visitor<'de> for Fields {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("a structure in ( )")
                    }
                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        $(let mut $field: Option<$ty> = None;)*
                        let (mut later, mut strange) = (Vec::new(), Vec::new());
                        while let Some(key) = map.next_key::<$crate::spec::written::Key>()? {
                            match key.0.as_str() {
                                $(stringify!($field) => {
                                    if $field.replace(map.next_value()?).is_some() {
                                        return Err(serde::de::Error::duplicate_field(stringify!($field)));
                                    }
                                })*
                                word => {
                                    map.next_value::<$crate::spec::written::Unbuilt>()?;
                                    match [$(stringify!($late)),*].into_iter().find(|late: &&'static str| *late == word) {
                                        Some(late) => later.push((late, key.1)),
                                        None => strange.push(key),
                                    }
                                }
                            }
                        }
                        $(let $field = $crate::spec::written::present($field, stringify!($field), (&strange, $name::FIELDS))?;)*
                        Ok($name { $($field,)* later, strange })
                    }
                }
                deserializer.deserialize_struct(stringify!($name), Self::FIELDS, Fields)
            }
        }
    };
}
pub(crate) use written;
