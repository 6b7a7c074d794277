//! One record of consecutive loads: each writes its own seconds, and the ends are joined to one.
//!
//! The loads of a relay run one after the other and share worker numbers; each is an incarnation of its own, so that blocks
//! never collide. Called by whoever runs several loads as one (`cli::ab`). Not here: loads at the same time.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::codec::Numbers;
use super::{Done, Exemplar, RecordError, RecordWriter};

/// Slowest requests kept of all loads.
const SLOWEST: usize = 20;

/// What one load hands to the next.
#[derive(Default)]
pub(super) struct Baton {
    pub(super) numbers: Numbers,
    exemplars: Vec<Exemplar>,
    done: Done,
}

impl Baton {
    /// What a writer that has written nothing but its head hands over.
    pub(super) fn of(numbers: Numbers) -> Self {
        Self { numbers, ..Self::default() }
    }

    /// The end of one load.
    pub(super) fn take(&mut self, numbers: Numbers, exemplars: &[Exemplar], done: &Done) {
        self.numbers = numbers;
        self.exemplars.extend_from_slice(exemplars);
        let all = &mut self.done;
        all.planned += done.planned;
        all.not_started += done.not_started;
        all.lost_frames += done.lost_frames;
        all.cpu_us += done.cpu_us;
        all.max_rss_kib = all.max_rss_kib.max(done.max_rss_kib);
        all.frames.resize(all.frames.len().max(done.frames.len()), 0);
        for (sum, frames) in all.frames.iter_mut().zip(&done.frames) {
            *sum += frames;
        }
    }
}

/// A record that consecutive loads write to.
pub struct Relay {
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) baton: Arc<Mutex<Baton>>,
    pub(super) legs: u64,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").field("path", &self.path).field("legs", &self.legs).finish_non_exhaustive()
    }
}

impl Relay {
    /// The writer of the next load. The one before must be finished; then all it measured can be read already.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    pub fn leg(&mut self) -> Result<RecordWriter, RecordError> {
        let file = self.file.try_clone().map_err(|source| RecordError::Io { path: self.path.clone(), source })?;
        let leg = RecordWriter::leg(&self.path, file, (self.legs, &self.baton));
        self.legs += 1;
        Ok(leg)
    }

    /// Writes the joined examples and the one end: `duration_us` long, ended by `reason`. Closes the file durably.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(self, duration_us: u64, reason: &str) -> Result<(), RecordError> {
        let mut baton = std::mem::take(&mut *self.baton.lock().unwrap_or_else(PoisonError::into_inner));
        let done = Done { duration_us, reason: reason.to_owned(), ..baton.done };
        let exemplars = joined(std::mem::take(&mut baton.exemplars));
        RecordWriter::over(&self.path, self.file).finish(&exemplars, &done)
    }
}

/// The slowest of all, then the first and the last of each kind of failure, slowest first.
fn joined(mut all: Vec<Exemplar>) -> Vec<Exemplar> {
    all.sort_by(|a, b| b.response_us.cmp(&a.response_us).then(a.due_us.cmp(&b.due_us)));
    let mut ends: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for one in all.iter().filter(|one| !one.kind.is_empty()) {
        let end = ends.entry(one.kind.clone()).or_insert((one.due_us, one.due_us));
        *end = (end.0.min(one.due_us), end.1.max(one.due_us));
    }
    let mut rank = 0;
    all.retain(|one| {
        rank += 1;
        rank <= SLOWEST || ends.get(&one.kind).is_some_and(|end| one.due_us == end.0 || one.due_us == end.1)
    });
    all
}
