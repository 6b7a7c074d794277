//! Floor 1: sans-IO framing of the protocols that rules read: where a message begins and ends, and what is in its head.
//!
//! A framer is told bytes in any pieces and gives them back unchanged, in order, cut at the borders of messages. It waits
//! for nothing, knows no clock and guesses nothing: what it does not understand is bytes from there on. Not here: what
//! becomes of a message (`fault::rule`). `load` has its own readers, which give values instead of the bytes.

pub mod http1;
