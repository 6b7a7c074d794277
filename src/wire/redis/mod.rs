//! Redis on one direction of a connection: commands (arrays of bulk strings, or lines), and replies of RESP2 and RESP3.
//!
//! Bytes are taken from the front of what has come and given back as parts; joined, the parts are the bytes that came.
//! Not here: which reply belongs to which command, which the caller's queue knows.

mod commands;
mod replies;
mod table;
#[cfg(test)]
mod tests;

pub use commands::{Command, Commands, Part as CommandPart};
pub use replies::{Kind, Part as ReplyPart, Replies};
pub use table::{Access, keys, turns_to_bytes};

/// A line, and what is kept of a command before it is given on, may be so long.
pub const MOST: usize = 64 * 1024;
/// Arguments of one command, as the server has it.
const ARGUMENTS: u64 = 1024 * 1024;
/// Bytes of one string, as the server has it.
const BULK: u64 = 512 * 1024 * 1024;

/// Why bytes are not read any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raw {
    /// A command made something else of the connection: subscriptions, replication, silence, blocking.
    Agreed,
    /// TLS has begun.
    Tls,
    /// It is not understood.
    Unparsed,
}

/// The number behind the first byte of a line, within `most`; -1 is a null.
fn number(line: &[u8], most: u64) -> Option<i64> {
    let digits = line.get(1..)?.strip_suffix(b"\r\n")?;
    if digits == b"-1" {
        return Some(-1);
    }
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    i64::try_from(number).ok().filter(|_| number <= most)
}
