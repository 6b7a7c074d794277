//! Reading a record: every whole chunk up to the first cut, duplicates dropped, seconds added up.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use flate2::read::DeflateDecoder;

use super::chunk::{self, MAGIC, Next, take};
use super::codec::{self, Key};
use super::{Done, Exemplar, Head, Record, RecordError, SCHEMA};
use crate::measure::interval::Interval;

/// A deflated second may grow by at most this much: a damaged file must not exhaust memory.
const INFLATED_MOST: u64 = 1 << 30;

/// Reads the record at `path`; a file that was cut off is read up to its last whole chunk (`done` is then `None`).
///
/// # Errors
/// When the file cannot be read, is not a record, or was written by a later squall.
pub fn read(path: &Path) -> Result<Record, RecordError> {
    let bytes = std::fs::read(path).map_err(|source| RecordError::Io { path: path.to_owned(), source })?;
    let foreign = |why| RecordError::Foreign { path: path.to_owned(), why };
    let rest = match bytes.strip_prefix(MAGIC) {
        Some(rest) => rest,
        None if bytes.is_empty() => return Err(foreign("empty file")),
        None if bytes.starts_with(&MAGIC[..4]) => return Err(foreign("it was copied as text")),
        None => return Err(foreign("wrong magic")),
    };
    let mut reader = Reader::default();
    reader.chunks(rest);
    let Some(head) = reader.head else { return Err(foreign("its head is missing")) };
    if head.schema != SCHEMA {
        return Err(RecordError::Schema { path: path.to_owned(), found: head.schema });
    }
    Ok(Record { head, seconds: without_gaps(reader.seconds), ..reader.record })
}

#[derive(Default)]
struct Reader {
    head: Option<Head>,
    record: Record,
    keys: BTreeMap<u64, Key>,
    seen: BTreeSet<(u64, u64, u64)>,
    seconds: BTreeMap<u32, Interval>,
    /// The ends of all loads so far, added up.
    ended: Done,
}

impl Reader {
    fn chunks(&mut self, mut bytes: &[u8]) {
        while let Next::Chunk(tag, payload, rest) = chunk::decode(bytes) {
            bytes = rest;
            if payload.and_then(|payload| self.chunk(tag, payload)).is_none() {
                self.record.damaged += 1;
            }
        }
    }

    /// `None` when the payload is malformed.
    fn chunk(&mut self, tag: [u8; 4], payload: &[u8]) -> Option<()> {
        match &tag {
            b"HEAD" => self.head = Some(serde_json::from_slice(payload).ok()?),
            b"DEFS" => self.keys.extend(serde_json::from_slice::<Vec<(u64, Key)>>(payload).ok()?),
            b"DATA" => {
                // What comes behind an end is another load of the same run, which needs its own.
                self.record.done = None;
                self.data(payload)?;
            }
            b"SLOW" => self.examples(serde_json::from_slice(payload).ok()?),
            b"DONE" => {
                self.ended.join(serde_json::from_slice(payload).ok()?);
                self.record.done = Some(self.ended.clone());
            }
            _ => {}
        }
        Some(())
    }

    fn examples(&mut self, more: Vec<Exemplar>) {
        let all = &mut self.record.exemplars;
        all.extend(more);
        all.sort_by_key(|one| std::cmp::Reverse(one.response_us));
    }

    fn data(&mut self, payload: &[u8]) -> Option<()> {
        let mut bytes = Vec::new();
        DeflateDecoder::new(payload).take(INFLATED_MOST).read_to_end(&mut bytes).ok()?;
        let bytes = &mut bytes.as_slice();
        let block = (take(bytes)?, take(bytes)?, take(bytes)?);
        let parts = (0..take(bytes)?).map(|_| codec::decode(bytes, &self.keys)).collect::<Option<Vec<_>>>()?;
        if self.seen.insert(block) {
            for part in parts {
                self.seconds.entry(part.second).or_insert_with(|| Interval::at(part.second)).merge(&part);
            }
        }
        Some(())
    }
}

/// Seconds in order, with empty ones where nothing was due.
fn without_gaps(mut seconds: BTreeMap<u32, Interval>) -> Vec<Interval> {
    let (Some(&first), Some(&last)) = (seconds.keys().next(), seconds.keys().next_back()) else { return Vec::new() };
    // A damaged second number must not make us list four thousand million empty seconds.
    if u64::from(last - first) > 64 * seconds.len() as u64 + 86_400 {
        return seconds.into_values().collect();
    }
    (first..=last).map(|second| seconds.remove(&second).unwrap_or_else(|| Interval::at(second))).collect()
}
