//! Writing a record: frames as they come, a `DATA` chunk every ten seconds, so that a crash loses at most that.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde::Serialize;

use super::chunk::{self, MAGIC};
use super::codec::{self, Numbers};
use super::relay::{Baton, Relay};
use super::{Done, Exemplar, Head, RecordError};
use crate::measure::recorder::Frame;

/// Seconds of frames gathered into one chunk.
const GATHER: usize = 10;

/// Writes one record. Dropping it without [`RecordWriter::finish`] leaves a truncated, still readable file.
pub struct RecordWriter {
    path: PathBuf,
    file: File,
    numbers: Numbers,
    /// Frames not yet written, by worker.
    held: Vec<Frame>,
    seconds_held: usize,
    /// Which life of the workers this is: 0 in an ordinary run.
    incarnation: u64,
    /// Who goes on with the record when this part of it is over.
    relay: Option<Arc<Mutex<Baton>>>,
}

impl std::fmt::Debug for RecordWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordWriter").field("path", &self.path).finish_non_exhaustive()
    }
}

impl RecordWriter {
    /// Creates the file and writes its head.
    ///
    /// # Errors
    /// When the file cannot be created or written.
    pub fn create(path: &Path, head: &Head) -> Result<Self, RecordError> {
        let io = |source| RecordError::Io { path: path.to_owned(), source };
        let mut file = File::create(path).map_err(io)?;
        file.write_all(MAGIC).map_err(io)?;
        let mut writer = Self::over(path, file);
        writer.json(*b"HEAD", head)?;
        Ok(writer)
    }

    /// Goes on with a record that was finished: the next load of the same run, by workers of the `incarnation`th life
    /// (unlike every earlier one). Its seconds and its end add up with what the file holds.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn resume(path: &Path, incarnation: u32) -> Result<Self, RecordError> {
        let io = |source| RecordError::Io { path: path.to_owned(), source };
        let file = File::options().append(true).open(path).map_err(io)?;
        Ok(Self { incarnation: u64::from(incarnation), ..Self::over(path, file) })
    }

    /// A writer that goes on in `file`.
    pub(super) fn over(path: &Path, file: File) -> Self {
        Self {
            path: path.to_owned(),
            file,
            numbers: Numbers::default(),
            held: Vec::new(),
            seconds_held: 0,
            incarnation: 0,
            relay: None,
        }
    }

    /// The folder it lies in.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// Hands the record to consecutive loads.
    pub fn relay(self) -> Relay {
        let baton = Baton::of(self.numbers);
        Relay { path: self.path, file: self.file, baton: Arc::new(Mutex::new(baton)), legs: 0 }
    }

    /// Takes the frames of one second, one per worker.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn frames(&mut self, frames: Vec<Frame>) -> Result<(), RecordError> {
        self.held.extend(frames);
        self.seconds_held += 1;
        if self.seconds_held >= GATHER { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), RecordError> {
        self.seconds_held = 0;
        for frame in std::mem::take(&mut self.held) {
            let mut payload = Vec::new();
            for number in [u64::from(frame.worker), self.incarnation, u64::from(frame.seq), frame.parts.len() as u64] {
                chunk::put(&mut payload, number);
            }
            for part in &frame.parts {
                codec::encode(part, &mut self.numbers, &mut payload);
            }
            let fresh = self.numbers.fresh();
            if !fresh.is_empty() {
                self.json(*b"DEFS", &fresh)?;
            }
            let packed = self.deflate(&payload)?;
            self.chunk(*b"DATA", &packed)?;
        }
        Ok(())
    }

    fn deflate(&self, payload: &[u8]) -> Result<Vec<u8>, RecordError> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(payload).and_then(|()| encoder.finish()).map_err(|source| self.io(source))
    }

    /// Writes the examples, the end and closes the file durably.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(mut self, exemplars: &[Exemplar], done: &Done) -> Result<(), RecordError> {
        self.flush()?;
        if let Some(baton) = self.relay.take() {
            baton.lock().unwrap_or_else(PoisonError::into_inner).take(self.numbers, exemplars, done);
            return Ok(());
        }
        self.json(*b"SLOW", exemplars)?;
        self.json(*b"DONE", done)?;
        self.file.sync_all().map_err(|source| self.io(source))
    }

    /// A writer for the load number `incarnation` of a relay.
    pub(super) fn leg(path: &Path, file: File, (incarnation, baton): (u64, &Arc<Mutex<Baton>>)) -> Self {
        let numbers = std::mem::take(&mut baton.lock().unwrap_or_else(PoisonError::into_inner).numbers);
        Self { numbers, incarnation, relay: Some(Arc::clone(baton)), ..Self::over(path, file) }
    }

    fn json<T: Serialize + ?Sized>(&mut self, tag: [u8; 4], value: &T) -> Result<(), RecordError> {
        let payload = serde_json::to_vec(value).map_err(|error| self.io(error.into()))?;
        self.chunk(tag, &payload)
    }

    fn chunk(&mut self, tag: [u8; 4], payload: &[u8]) -> Result<(), RecordError> {
        let bytes = chunk::encode(tag, payload);
        self.file.write_all(&bytes).map_err(|source| self.io(source))
    }

    fn io(&self, source: std::io::Error) -> RecordError {
        RecordError::Io { path: self.path.clone(), source }
    }
}
