//! squall: load tests and crisis drills with honest numbers.
//!
//! One binary makes realistic user traffic, injects faults, measures what users would have felt, and renders the reports
//! that a drill, a launch decision or a CI gate needs. The README says how to use it; this page says how it is built.
//!
//! # Floors
//!
//! A room (folder of `src/`) uses rooms on **lower** floors only; rooms on one floor are strangers. A test enforces it.
//!
//! ```text
//! 7 cli        what a person types, one file per command, exit codes
//! 6 console    receivers and pages for the people of a drill
//! 5 drill      the pure director; the stage that carries out    report   pages, tables, files
//! 4 load       fault      judge      staging
//! 3 plan       what will be run, checked
//! 2 spec       files as written
//! 1 stats      wire       measure
//! 0 base       clock, timer, stop, seeds, quantities
//! ```
//!
//! # Three pure cores
//!
//! Every hard decision is made by a value that is *told* the time; every socket is moved by a shell that decides nothing.
//!
//! | question | pure core | thin shell |
//! |---|---|---|
//! | when is the next arrival due? | [`plan::curve::Curve`] and [`load::arrivals`] | `load::open` |
//! | what becomes of these bytes? | the chain of toxics in [`fault`] | `fault::pump` |
//! | what should the drill do now? | [`drill::director::Director`] | `drill::stage` |
//!
//! # Words
//!
//! | word | meaning |
//! |---|---|
//! | scenario, journey, step | a file of load; a user's path in it; one request, pause, extraction or check |
//! | open / closed workload | arrivals that do not wait for the server / users that do |
//! | due, sent, done | the three clock readings of a request |
//! | response time, service time, lateness | done - due, what the user felt; done - sent, what the server took; sent - due, our own fault |
//! | shed | an arrival that was not sent because the in-flight cap was reached; counted as failed |
//! | fault, toxic, lever | what a person injects; on the bytes of a connection; on a flag or process |
//! | lease | the time a fault lives without renewal |
//! | act, mitigation, expectation | done to the players; done by them; what must hold |
//! | mark | a timed statement by a person or a machine |
//! | journal, record | the chained record of events; the per-second measurements: every report is made from these two |
//! | finding, verdict | a judgement with its evidence; pass, warn, fail, inconclusive, invalid |
//!
//! # Reading tour
//!
//! [`plan::curve`], [`load::arrivals`], [`measure::recorder`], `fault::chain`, [`drill::director`], [`judge::impact`],
//! [`judge::account`].

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
