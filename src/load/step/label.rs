//! Labels: the requests of a step once more, by the value of a header or of a text.
//!
//! The first 32 values have series of their own, over all workers; the others are one. Only steps with labels come here. Not
//! here: checks on labels (`judge::window`).

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::Ask;
use crate::load::client::Trip;
use crate::load::core::Worker;
use crate::load::user::User;
use crate::measure::sample::{Aside, Sample};
use crate::plan::good::Said;
use crate::plan::program::{Label, LabelOf};

/// So many values have a series of their own.
const VALUES: usize = 32;
/// The value of all that come after them.
const OTHER: &str = "other";
/// The value of a request without the header, or without an answer.
const NONE: &str = "none";
/// A value is cut behind so many characters.
const LONGEST: usize = 80;

/// A compiled label.
#[derive(Debug)]
pub struct Tag {
    label: Label,
    /// Values that have series of their own.
    seen: Mutex<BTreeSet<String>>,
}

impl Tag {
    /// Compiles `label`.
    pub fn new(label: &Label) -> Self {
        Self { label: label.clone(), seen: Mutex::default() }
    }

    /// True when it needs the heads of answers.
    pub fn reads_header(&self) -> bool {
        matches!(self.label.of, LabelOf::Header(_))
    }

    /// The value under which a request with this one is counted.
    fn place(&self, value: String) -> String {
        // A set that a dying thread left behind is still a set.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.contains(&value) {
            return value;
        }
        if seen.len() >= VALUES {
            return OTHER.to_owned();
        }
        seen.insert(value.clone());
        value
    }
}

/// Counts `sample`, which came of `trip`, under each label of `ask`.
pub fn count(worker: &Worker, user: &User, (ask, trip): (&Ask, &Trip), (sample, said): (&Sample, Said)) {
    let class = worker.script.plan.good.class(sample.outcome, said, sample.response_time());
    let sample = &Sample { class, ..*sample };
    for tag in &ask.tags {
        let value = match &tag.label.of {
            LabelOf::Header(name) => {
                trip.result.as_ref().ok().and_then(|answer| answer.header(name)).map(str::to_owned)
            }
            LabelOf::Text(template) => {
                let mut text = String::new();
                template.render(|variable| user.value(variable), &mut text);
                Some(text)
            }
        };
        let value = value.filter(|value| !value.is_empty()).unwrap_or_else(|| NONE.to_owned());
        let value: String = value.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
        let aside = Aside::Label(sample.step, format!("{}={}", tag.label.name, tag.place(value)));
        worker.log.borrow_mut().recorder.aside(&aside, sample);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_after_the_first_32_are_one() {
        let tag = Tag::new(&Label { name: "x".to_owned(), of: LabelOf::Header("x".to_owned()) });
        let places: BTreeSet<String> = (0..100).map(|n| tag.place(n.to_string())).collect();
        assert_eq!((places.len(), places.contains("31"), places.contains("32")), (33, true, false));
        assert_eq!((tag.place("7".to_owned()), tag.place("99".to_owned())), ("7".to_owned(), OTHER.to_owned()));
    }
}
