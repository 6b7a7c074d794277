//! Floor 3: what will be run, checked: every name resolved, every default filled in, every mistake collected.

pub mod fault;
