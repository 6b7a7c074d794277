//! Reading a record: every whole chunk up to the first cut, duplicates dropped, seconds added up.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use flate2::read::DeflateDecoder;

use super::chunk::{self, MAGIC, Next, take};
use super::codec::{self, Key};
use super::{Done, Exemplar, Head, Record, RecordError, SCHEMA};
use crate::base::digest::sha256;
use crate::measure::interval::Interval;

/// A deflated second may grow by at most this much: a damaged file must not exhaust memory.
const INFLATED_MOST: u64 = 1 << 30;

/// Reads the record at `path`; a file that was cut off is read up to its last whole chunk (`done` is then `None`).
///
/// # Errors
/// When the file cannot be read, is not a record, or was written by a later squall.
pub fn read(path: &Path) -> Result<Record, RecordError> {
    let mut reader = Reader::default();
    let head = reader.file(path)?;
    let (done, examples) = reader.end();
    reader.examples(examples);
    Ok(Record { done, ..reader.record(head) })
}

/// Workers of different shards are different workers, whatever their numbers.
const WORKERS: u32 = 64;

#[derive(Default)]
pub(super) struct Reader {
    head: Option<Head>,
    record: Record,
    keys: BTreeMap<u64, Key>,
    /// Every chunk: shard, worker, incarnation, sequence; with the file it came from and the digest of its bytes.
    seen: BTreeMap<(u32, u64, u64, u64), (usize, String)>,
    seconds: BTreeMap<u32, Interval>,
    /// The ends of all loads of this file so far, added up.
    ended: Done,
    /// Examples of this file.
    fresh: Vec<Exemplar>,
    /// Files read.
    files: usize,
    /// Two files that hold the same chunk with different bytes.
    pub(super) clash: Option<(usize, usize)>,
}

impl Reader {
    /// Adds the file at `path`.
    pub(super) fn file(&mut self, path: &Path) -> Result<Head, RecordError> {
        let bytes = std::fs::read(path).map_err(|source| RecordError::Io { path: path.to_owned(), source })?;
        let foreign = |why| RecordError::Foreign { path: path.to_owned(), why };
        let rest = match bytes.strip_prefix(MAGIC) {
            Some(rest) => rest,
            None if bytes.is_empty() => return Err(foreign("empty file")),
            None if bytes.starts_with(&MAGIC[..4]) => return Err(foreign("it was copied as text")),
            None => return Err(foreign("wrong magic")),
        };
        self.chunks(rest);
        self.files += 1;
        let Some(head) = self.head.take() else { return Err(foreign("its head is missing")) };
        if head.schema != SCHEMA {
            return Err(RecordError::Schema { path: path.to_owned(), found: head.schema });
        }
        Ok(head)
    }

    /// The end and the examples of the file that was read last; the next one starts anew.
    pub(super) fn end(&mut self) -> (Option<Done>, Vec<Exemplar>) {
        self.ended = Done::default();
        self.keys.clear();
        (self.record.done.take(), std::mem::take(&mut self.fresh))
    }

    /// Everything that was read, under `head`.
    pub(super) fn record(self, head: Head) -> Record {
        Record { head, seconds: without_gaps(self.seconds), ..self.record }
    }

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
            b"SLOW" => self.fresh.extend(serde_json::from_slice::<Vec<Exemplar>>(payload).ok()?),
            b"DONE" => {
                self.ended.join(serde_json::from_slice(payload).ok()?);
                self.record.done = Some(self.ended.clone());
            }
            _ => {}
        }
        Some(())
    }

    /// Keeps examples, slowest first.
    pub(super) fn examples(&mut self, more: Vec<Exemplar>) {
        let all = &mut self.record.exemplars;
        all.extend(more);
        all.sort_by_key(|one| std::cmp::Reverse(one.response_us));
    }

    fn data(&mut self, payload: &[u8]) -> Option<()> {
        let mut inflated = Vec::new();
        DeflateDecoder::new(payload).take(INFLATED_MOST).read_to_end(&mut inflated).ok()?;
        let bytes = &mut inflated.as_slice();
        let shard = self.head.as_ref().map_or(0, |head| head.shard.0);
        let block = (shard, take(bytes)?, take(bytes)?, take(bytes)?);
        let parts = (0..take(bytes)?).map(|_| codec::decode(bytes, &self.keys)).collect::<Option<Vec<_>>>()?;
        let digest = sha256(&inflated);
        if let Some((file, known)) = self.seen.get(&block) {
            if *known != digest {
                self.clash.get_or_insert((*file, self.files));
            }
            return Some(());
        }
        self.seen.insert(block, (self.files, digest));
        let offset = u16::try_from(shard.saturating_mul(WORKERS)).unwrap_or(u16::MAX);
        for mut part in parts {
            part.health = part.health.into_iter().map(|(one, health)| (one.saturating_add(offset), health)).collect();
            self.seconds.entry(part.second).or_insert_with(|| Interval::at(part.second)).merge(&part);
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
