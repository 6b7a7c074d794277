//! Floor 4: the demo system under test: a small shop with real weaknesses.

mod alerts;
mod cache;
mod flags;
mod leases;
mod owner;
pub mod settings;
pub mod store;
