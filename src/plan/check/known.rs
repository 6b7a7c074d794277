//! Which variables are set at some point of a journey.
//!
//! Carried along by the checks of steps; the numbers of variables are `tables`.

use std::collections::BTreeMap;

use crate::plan::template::VarId;

/// What is known of a variable at some point of a journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Set {
    /// It has a value.
    Surely,
    /// The step that sets it may have failed without ending the journey.
    Maybe,
}

/// The variables that are set at some point of a journey, and how to call that point.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) set: BTreeMap<VarId, Set>,
    /// Such as "no earlier step of journey `buy`".
    pub(super) setter: String,
    /// An earlier step could not be read: it may have set what is missing.
    pub(super) has_gaps: bool,
}
