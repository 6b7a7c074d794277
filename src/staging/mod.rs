//! Floor 4: the demo system under test: a small shop with real weaknesses.

pub mod store;
