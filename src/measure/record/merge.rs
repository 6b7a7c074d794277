//! Several records of one run as one: shards of the same plan and seed, their chunks added in any order, duplicates dropped.
//!
//! Called by `cli::report`. Not here: reading one record (`read`), which does the adding.

use std::path::{Path, PathBuf};

use super::read::Reader;
use super::{Done, Head, Record, RecordError};

/// Reads `paths` and adds them up; shards may come in any order, and the same shard more than once. Without the end of every
/// shard, and every shard itself, the whole has no end (`done` is `None`).
///
/// # Errors
/// When a file cannot be read, when the records do not belong together (the field is named), or when two of them claim the
/// same chunk with different bytes.
pub fn merge(paths: &[PathBuf]) -> Result<Record, RecordError> {
    let mut reader = Reader::default();
    let mut first: Option<(&Path, Head)> = None;
    let mut ends: Vec<(u32, Done)> = Vec::new();
    for path in paths {
        let head = reader.file(path)?;
        if let Some((one, other)) = reader.clash {
            let name = |at: usize| paths.get(at).cloned().unwrap_or_default();
            return Err(RecordError::Clash { first: name(one), second: name(other) });
        }
        let shard = head.shard.0;
        match &first {
            None => first = Some((path, head)),
            Some((other, known)) => agree((other, known), (path, &head))?,
        }
        let is_known = ends.iter().any(|(known, _)| *known == shard);
        let (done, examples) = reader.end();
        if let (Some(done), false) = (done, is_known) {
            ends.push((shard, done));
            reader.examples(examples);
        }
    }
    let Some((_, mut head)) = first else { return Ok(Record::default()) };
    let is_whole = ends.len() as u64 == u64::from(head.shard.1);
    head.shard = (0, 1);
    ends.sort_by_key(|(shard, _)| *shard);
    let done = ends.into_iter().map(|(_, done)| done).reduce(beside).filter(|_| is_whole);
    Ok(Record { done, ..reader.record(head) })
}

/// The end of two shards that ran at the same time.
fn beside(mut ours: Done, theirs: Done) -> Done {
    let duration_us = ours.duration_us.max(theirs.duration_us);
    ours.join(theirs);
    Done { duration_us, ..ours }
}

/// Refuses records that do not measure the same thing.
fn agree((first, ours): (&Path, &Head), (second, theirs): (&Path, &Head)) -> Result<(), RecordError> {
    let shards = |head: &Head| format!("one of {}", head.shard.1);
    let fields = [
        ("schema", ours.schema.to_string(), theirs.schema.to_string()),
        ("plan_hash", ours.plan_hash.clone(), theirs.plan_hash.clone()),
        ("seed", ours.seed.to_string(), theirs.seed.to_string()),
        ("grid_ms", ours.grid_ms.to_string(), theirs.grid_ms.to_string()),
        ("steps", ours.steps.join(", "), theirs.steps.join(", ")),
        ("journeys", ours.journeys.join(", "), theirs.journeys.join(", ")),
        ("shard", shards(ours), shards(theirs)),
    ];
    match fields.into_iter().find(|(_, ours, theirs)| ours != theirs) {
        None => Ok(()),
        Some((field, ours, theirs)) => {
            let (first, second) = (first.to_owned(), second.to_owned());
            Err(RecordError::Unlike { field, first, ours, second, theirs })
        }
    }
}
