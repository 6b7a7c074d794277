//! A map of names as written: in file order, duplicates kept, every name with its place.
//!
//! A plain map would silently keep the last of two equal names. `plan::check` reports the others.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};

use super::source::Spanned;
use super::written::{Extra, Written};

/// Names with their values.
#[derive(Clone, Debug)]
pub(crate) struct Named<T>(pub(crate) Vec<(Spanned<String>, Spanned<T>)>);

impl<T: DeserializeOwned> Written for Named<T> {
    fn extra(&self) -> Extra<'_> {
        Extra::default()
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

struct Entries<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for Entries<T> {
    type Value = Named<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of names such as {\"a\": …}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Named(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::source::Source;

    #[test]
    fn equal_names_are_both_kept() {
        let source = Source { path: "m.ron".into(), text: "{\"a\": 1, \"b\": 2, // again\n \"a\": 3}".into() };
        let names = source.read::<Named<u64>>().value.unwrap().0;
        let seen: Vec<_> = names.iter().map(|(name, _)| name.value.clone().unwrap()).collect();
        assert_eq!(seen, ["a", "b", "a"]);
        assert_eq!(source.range(names[2].0.mark).start, source.text.rfind('"').unwrap() - 2);
    }
}
