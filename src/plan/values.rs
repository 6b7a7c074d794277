//! Where the values of variables come from: draws, rows of data, secrets, lists.
//!
//! Filled by `check`, read by `load`. Not here: values taken from answers (`program`).

use std::sync::Arc;

use super::audit::Books;
use super::program::Drawn;
use super::template::VarId;

/// Between the values of a list: RECORD SEPARATOR, which no text of a page holds.
pub const SEPARATOR: char = '\u{1e}';

/// Variables and where their values come from.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// How many variables a journey has.
    pub count: u16,
    /// Drawn at the start of each journey, in order.
    pub draws: Vec<Drawn>,
    /// Rows taken at the start of each journey.
    pub feeds: Vec<Feed>,
    /// Known before the run, shown to nobody.
    pub secrets: Vec<SecretFrom>,
    /// What setup learned: empty until it is done.
    pub given: Vec<(VarId, String)>,
    /// One value of a list, taken anew for each request that uses it.
    pub picks: Vec<ListPick>,
    /// Where journeys note what was acknowledged.
    pub books: Books,
}

/// Rows of a data file.
#[derive(Clone, Debug, PartialEq)]
pub struct Feed {
    /// Its name as the author wrote it.
    pub name: String,
    /// Values by row, in the order of `columns`.
    pub rows: Arc<Vec<Vec<String>>>,
    /// Where the values of a row go; only columns that are used.
    pub columns: Vec<VarId>,
    /// Which row a journey takes.
    pub pick: RowPick,
}

/// Which row a journey takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowPick {
    /// Arrival n takes row n, from the first again after the last.
    Sequential,
    /// Drawn by key.
    Random,
    /// No row twice; workload w of W takes rows n · W + w. At the end the workload stops.
    Unique,
    /// As [`Self::Unique`], and from the first row again after the last.
    UniqueAgain,
    /// The row of the user's number, for life.
    PerUser,
}

/// A secret and the variable that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretFrom {
    /// Its name as the author wrote it.
    pub name: String,
    /// Where the value is found.
    pub place: SecretPlace,
    /// The variable.
    pub into: VarId,
}

/// Where a secret's value is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    /// A variable of the environment.
    Env(String),
    /// A file, by its path; space around its text does not count.
    File(String),
}

/// One value of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPick {
    /// Names its draws, such as `skus.random`.
    pub name: String,
    /// Where the value goes.
    pub into: VarId,
    /// The list.
    pub list: VarId,
    /// Which one; `None`: drawn by key.
    pub nth: Option<usize>,
}
