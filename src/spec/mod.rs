//! Floor 2: files as their authors wrote them. No behaviour, no defaults: `plan::check` is the only reader.
//!
//! | file | holds |
//! |---|---|
//! | `source` `shape` | a text, the places of its values, and mistakes of shape |
//! | `written` | structures that keep every word, known, not built yet, or strange |
//! | `names` | maps of names that keep duplicates and their places |
//! | `words` | words of the grammar that are known but not built yet |
//! | `scenario` `client` `step` | a scenario |
//! | `threshold` | one line of a scenario's `checks` |
//! | `gate` | how its findings become a verdict |
//! | `drill` `act` `condition` | a drill |
//! | `inject` | toxics and their parameters |
//! | `proxy` | a file of proxies |
//! | `allow` | `squall.targets.ron` |
//!
//! A value that can be wrong on its own is a `source::Spanned`: it keeps its place, and its mistake of shape if it has one, so that
//! one wrong element of a list does not hide the mistakes of the next.

pub(crate) mod act;
pub(crate) mod allow;
pub(crate) mod client;
pub(crate) mod condition;
pub(crate) mod drill;
pub(crate) mod envelope;
pub(crate) mod gate;
pub(crate) mod inject;
pub(crate) mod lever;
pub(crate) mod names;
pub(crate) mod proxy;
pub(crate) mod scenario;
pub(crate) mod shape;
pub(crate) mod source;
pub(crate) mod step;
pub(crate) mod threshold;
pub(crate) mod words;
pub(crate) mod written;
