//! Floor 3: what will be run, checked: every name resolved, every default filled in, every mistake collected.
//!
//! `check(spec) -> Result<Plan, Diagnostics>` is the only way in. Nothing here deserialises, nothing is optional that has a default.
//!
//! | file | holds |
//! |---|---|
//! | `diagnostic` | a mistake with file, line, column and remedy |
//! | `curve` `deck` | the rate over time and the exact mix |
//! | `program` | journeys compiled to steps by number |
//! | `template` | texts with `${…}`, precompiled |
//! | `load` | a checked scenario |
//! | `good` | what a good request is |
//! | `threshold` | checks of a scenario |
//! | `ab` | a scenario that compares two targets |
//! | `guard` | who may be sent traffic |
//! | `drill` | a checked drill |
//! | `fault` | a checked fault |

pub mod ab;
pub mod check;
pub mod curve;
pub mod deck;
pub mod diagnostic;
pub mod drill;
pub mod fault;
pub mod good;
pub mod guard;
pub mod load;
pub mod program;
pub mod template;
pub mod threshold;
