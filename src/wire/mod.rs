//! Floor 1: sans-IO framing of the protocols that rules and the raw lane read.
//!
//! Every room here is told bytes and gives values: no socket, no clock, no runtime.

pub mod http1;
pub mod postgres;
pub mod sql;
