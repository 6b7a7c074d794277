//! Floor 3: what will be run, checked: every name resolved, every default filled in, every mistake collected.
//!
//! `check(spec) -> Result<Plan, Diagnostics>` is the only way in. Nothing here deserialises, nothing is optional that has a default.
//!
//! | file | holds |
//! |---|---|
//! | `diagnostic` | a mistake with file, line, column and remedy |
//! | `curve` `deck` `staff` | the rate over time, the exact mix, and which users are there when |
//! | `program` `course` `draw` | journeys compiled to steps by number; steps that hold steps; variables and their draws |
//! | `template` `values` | texts with `${…}`, precompiled; where values come from |
//! | `audit` | books of acknowledged writes, and how they are read back |
//! | `load` `held` `notes` | a checked scenario; one rate of it held |
//! | `good` `retry` `misbehave` | what a good request is; what clients do about others; bad clients |
//! | `threshold` `gate` | checks of a scenario; how they become a verdict |
//! | `wires` | how a target is reached |
//! | `ab` | a scenario that compares two targets |
//! | `guard` | who may be sent traffic |
//! | `drill` `people` `condition` `slo` | a checked drill |
//! | `fault` | a checked fault |

pub mod ab;
pub mod audit;
pub mod check;
pub mod condition;
pub mod course;
pub mod curve;
pub mod deck;
pub mod diagnostic;
pub mod draw;
pub mod drill;
pub mod fault;
pub mod gate;
pub mod good;
pub mod guard;
pub mod held;
pub mod lever;
pub mod load;
pub mod misbehave;
mod notes;
mod people;
pub mod program;
pub mod retry;
pub mod slo;
pub mod staff;
pub mod template;
pub mod threshold;
pub mod values;
pub mod wires;
