//! squall: load tests and crisis drills with honest numbers.
//!
//! A room (folder of `src/`) may use rooms on lower floors only; rooms on one floor are strangers.
//!
//! ```text
//! 7 cli
//! 6 console
//! 5 drill     report
//! 4 load      fault     judge     staging
//! 3 plan
//! 2 spec
//! 1 stats     wire      measure
//! 0 base
//! ```

#[cfg(not(target_os = "linux"))]
compile_error!("squall runs on Linux only for now: its pacing stands on timerfd and its measurements on /proc");

pub mod base;
pub mod cli;
pub mod console;
pub mod drill;
pub mod fault;
pub mod judge;
pub mod load;
pub mod measure;
pub mod plan;
pub mod report;
pub mod spec;
pub mod staging;
pub mod stats;
pub mod wire;
