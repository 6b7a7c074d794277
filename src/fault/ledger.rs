//! The decision ledger: every decision in 32 bytes, so that two runs can be compared unit by unit.
//!
//! ```text
//! file   magic "SQUALLD1", then entries of 32 bytes, little-endian
//! entry  fault u64 | key u64 | drawn us u64 | occurrence u32 | decision u8 | flags u8 | 0 u16
//! name   fault u64 | length u64 | 0 | 0 | 255 | 0 | 0, then the name in entries of 32 bytes, padded with 0
//! ```
//! Names and keys are hashes under the seed; a name is written once, before its first entry. Not here: files (`scribe`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use thiserror::Error;

use crate::plan::fault::Keep;

/// The first bytes of a ledger.
pub const MAGIC: [u8; 8] = *b"SQUALLD1";
/// Bytes of an entry.
const ENTRY: usize = 32;
/// Bytes that may wait to be drained; entries beyond are counted as lost.
const WAITING: usize = 64 << 20;
const NAME: u8 = 255;
const BY_ARRIVAL: u8 = 1;
const CLAMPED: u8 = 2;

/// What was decided, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Touched.
    Hit,
    /// The draw against the share was lost.
    Share,
    /// The pattern left it out.
    Pattern,
    /// A cap refused it.
    Capped,
}

/// One decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Hash of the fault's name.
    pub fault: u64,
    /// Hash of the unit's key.
    pub key: u64,
    /// How often the fault had seen the unit's trace before.
    pub occurrence: u32,
    /// What was decided.
    pub outcome: Outcome,
    /// The drawn hold; zero when none was drawn.
    pub drawn: Duration,
    /// Which unit it is depends on who came first: not promised to repeat.
    pub by_arrival: bool,
    /// The draw was longer than the cap on single holds.
    pub clamped: bool,
}

/// Entries on their way to a file.
#[derive(Debug, Default)]
pub struct Ledger {
    keep: Keep,
    written: Mutex<Written>,
    lost: AtomicU64,
}

#[derive(Debug, Default)]
struct Written {
    bytes: Vec<u8>,
    named: BTreeSet<u64>,
}

/// Why a ledger cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LedgerError {
    /// Other bytes at the beginning.
    #[error("this is no decision ledger: it does not begin with SQUALLD1")]
    Magic,
    /// Bytes that no version wrote.
    #[error("the ledger is damaged at byte {0}")]
    Damaged(usize),
}

/// A ledger that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledgered {
    /// Names of faults by their hash.
    pub names: BTreeMap<u64, String>,
    /// In the order written.
    pub entries: Vec<Entry>,
    /// The last entry was cut off, as by a crash; it is left out.
    pub torn: bool,
}

impl Ledger {
    /// A ledger that keeps what `keep` says.
    pub fn new(keep: Keep) -> Self {
        Self { keep, ..Self::default() }
    }

    /// Notes a decision about the fault called `name`. Never waits for a disk.
    pub fn note(&self, name: &str, entry: &Entry) {
        let kept = match self.keep {
            Keep::Off => false,
            Keep::Hits => entry.outcome == Outcome::Hit,
            Keep::Full => true,
        };
        if !kept {
            return;
        }
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.bytes.len() >= WAITING {
            self.lost.fetch_add(1, Relaxed);
            return;
        }
        if written.named.insert(entry.fault) {
            introduce(&mut written.bytes, entry.fault, name);
        }
        entry.write(&mut written.bytes);
    }

    /// What was noted since the last time.
    pub fn drain(&self) -> Vec<u8> {
        std::mem::take(&mut self.written.lock().unwrap_or_else(PoisonError::into_inner).bytes)
    }

    /// Entries that found no room because nobody drained.
    pub fn lost(&self) -> u64 {
        self.lost.load(Relaxed)
    }
}

fn introduce(bytes: &mut Vec<u8>, fault: u64, name: &str) {
    bytes.extend_from_slice(&fault.to_le_bytes());
    bytes.extend_from_slice(&(name.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&[0; 12]);
    bytes.extend_from_slice(&[NAME, 0, 0, 0]);
    bytes.extend_from_slice(name.as_bytes());
    bytes.resize(bytes.len().next_multiple_of(ENTRY), 0);
}

impl Entry {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.fault.to_le_bytes());
        bytes.extend_from_slice(&self.key.to_le_bytes());
        bytes.extend_from_slice(&u64::try_from(self.drawn.as_micros()).unwrap_or(u64::MAX).to_le_bytes());
        bytes.extend_from_slice(&self.occurrence.to_le_bytes());
        let flags = BY_ARRIVAL * u8::from(self.by_arrival) + CLAMPED * u8::from(self.clamped);
        bytes.extend_from_slice(&[self.outcome.code(), flags, 0, 0]);
    }

    fn read([fault, key, drawn, last]: [u64; 4]) -> Option<Self> {
        let [o0, o1, o2, o3, code, flags, ..] = last.to_le_bytes();
        Some(Self {
            fault,
            key,
            occurrence: u32::from_le_bytes([o0, o1, o2, o3]),
            outcome: Outcome::of(code)?,
            drawn: Duration::from_micros(drawn),
            by_arrival: flags & BY_ARRIVAL != 0,
            clamped: flags & CLAMPED != 0,
        })
    }
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Hit, Self::Share, Self::Pattern, Self::Capped];

    const fn code(self) -> u8 {
        match self {
            Self::Hit => 1,
            Self::Share => 2,
            Self::Pattern => 3,
            Self::Capped => 4,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.code() == code)
    }

    /// As it is printed.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Share => "share",
            Self::Pattern => "pattern",
            Self::Capped => "capped",
        }
    }
}

/// Reads a whole ledger.
///
/// # Errors
/// It is no ledger, or it is damaged. A last entry that is cut off is no damage.
pub fn read(bytes: &[u8]) -> Result<Ledgered, LedgerError> {
    let mut rest = bytes.strip_prefix(&MAGIC).ok_or(LedgerError::Magic)?;
    let mut read = Ledgered::default();
    while let Some((entry, after)) = rest.split_first_chunk::<ENTRY>() {
        let at = bytes.len() - rest.len();
        rest = after;
        let words = words(entry);
        let [fault, length, _, last] = words;
        if last.to_le_bytes().get(4) != Some(&NAME) {
            read.entries.push(Entry::read(words).ok_or(LedgerError::Damaged(at))?);
            continue;
        }
        let length = usize::try_from(length).ok().filter(|length| *length <= 4096).ok_or(LedgerError::Damaged(at))?;
        let Some((name, after)) = rest.split_at_checked(length.next_multiple_of(ENTRY)) else {
            rest = &[0];
            break;
        };
        let name = name.get(..length).unwrap_or_default();
        read.names.insert(fault, String::from_utf8_lossy(name).into_owned());
        rest = after;
    }
    read.torn = !rest.is_empty();
    Ok(read)
}

fn words(entry: &[u8; ENTRY]) -> [u64; 4] {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(entry.chunks_exact(8)) {
        *word = bytes.try_into().map_or(0, u64::from_le_bytes);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: u64, outcome: Outcome) -> Entry {
        let drawn = Duration::from_micros(key * 7);
        Entry { fault: 9, key, occurrence: 3, outcome, drawn, by_arrival: key.is_multiple_of(2), clamped: key > 9 }
    }

    #[test]
    fn what_is_noted_is_read_again() {
        let all: Vec<Entry> = (0..40).zip(Outcome::ALL.into_iter().cycle()).map(|(key, out)| entry(key, out)).collect();
        for (keep, kept) in [(Keep::Full, 40), (Keep::Hits, 10), (Keep::Off, 0)] {
            let ledger = Ledger::new(keep);
            let name = "a_name_that_is_longer_than_an_entry_of_the_ledger";
            for entry in &all {
                ledger.note(name, entry);
            }
            let file = [MAGIC.to_vec(), ledger.drain()].concat();
            let read = read(&file).unwrap();
            assert_eq!(read.entries.len(), kept, "{keep:?}");
            assert!(read.entries.iter().all(|entry| all.contains(entry)) && !read.torn);
            assert_eq!(read.names.get(&9).map(String::as_str), (kept > 0).then_some(name));
            assert!(ledger.drain().is_empty());
        }
    }

    #[test]
    fn a_torn_end_is_left_out_and_damage_is_named() {
        let ledger = Ledger::new(Keep::Full);
        (0..3).for_each(|key| ledger.note("slow", &entry(key, Outcome::Hit)));
        let mut file = [MAGIC.to_vec(), ledger.drain()].concat();
        file.pop();
        let torn = read(&file).unwrap();
        assert_eq!((torn.entries.len(), torn.torn), (2, true));
        assert_eq!(read(b"SQUALLX1"), Err(LedgerError::Magic));
        *file.get_mut(8 + 64 + 28).unwrap() = 77;
        assert_eq!(read(&file), Err(LedgerError::Damaged(72)));
    }
}
