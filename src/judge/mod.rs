//! Floor 4: pure judgement: findings, verdicts, the timeline of an incident. No socket, no clock, no file.
//!
//! Everything here is a function of a plan, a record and a journal, so that a report made months later says the same.

pub mod account;
pub mod finding;
