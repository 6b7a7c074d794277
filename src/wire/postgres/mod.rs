//! PostgreSQL's wire protocol 3, from the outside: what the first packet asks, where messages end, what they say, and
//! which replies a connection still owes.
//!
//! ```text
//! startup   the packet without a type byte        frame   type byte, length, body; long bodies pass in parts
//! read      fields of the messages that matter    write   the few messages that a proxy sends by itself
//! track     the FIFO of expected replies
//! ```
//! Pure, and total: bytes that are no protocol give `Broken`, never a guess. Called by `fault::rule::postgres`.

pub mod frame;
pub mod read;
pub mod startup;
#[cfg(test)]
mod tests;
pub mod track;
pub mod write;
