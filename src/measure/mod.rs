//! Floor 1: what was observed: samples, histograms, seconds, and the run's two durable files.
//!
//! | file | holds |
//! |---|---|
//! | `outcome` | what became of a request, why, and its class for the SLO |
//! | `sample` | three clock readings of one request |
//! | `histogram` | the border to the histogram crate; sparse bins that merge exactly |
//! | `interval` | one second of one core; `merge` joins cores, shards, machines |
//! | `recorder` | the hot side: samples in, one frame per second out |
//! | `record` | `record.sqr`: the durable measurements |
//! | `journal` | `journal.jsonl`: the hash-chained, fsynced record of events |
//! | `host` | what this machine is, and how its threads fare |
//!
//! Not here: who is to blame (`judge`), what it looks like (`report`).

pub mod histogram;
pub mod host;
pub mod interval;
pub mod journal;
pub mod ledger;
pub mod outcome;
pub mod record;
pub mod recorder;
pub mod sample;
