//! Books of acknowledged writes, and how they are read back.
//!
//! Made by `check`; written and read by `load`. Not here: what is lost (`measure::ledger`).

use super::program::{From, Http};
use super::template::{Template, VarId};

/// A write that an answer acknowledges.
#[derive(Clone, Debug, PartialEq)]
pub struct Booking {
    /// Index of its book.
    pub book: u16,
    /// What the target calls it.
    pub id: From,
    /// Its place in the target's own order.
    pub seq: Option<From>,
    /// What was written, of which a hash is kept.
    pub content: Template,
}

/// All books of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// Their names, by index; each names a file.
    pub names: Vec<String>,
    /// Read back when the load is over, in order.
    pub audits: Vec<Audit>,
}

/// Reads a book back.
#[derive(Clone, Debug)]
pub struct Audit {
    /// Index of the book.
    pub book: u16,
    /// Reads a second at most.
    pub rate: f64,
    /// How one write is read; its path uses `id`.
    pub read: Http,
    /// The variable that takes the id.
    pub id: VarId,
    /// Where the content stands in the answer.
    pub content: From,
    /// How all that is there is listed, and where the contents stand; `None`: nobody counts copies.
    pub list: Option<(Http, From)>,
}
