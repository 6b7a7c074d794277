//! The journal on disk: appending durably, reading back, and finding every changed byte.
//!
//! Called by whoever runs something (`drill::stage`, `cli::run`, `drill::recover`) and by reports.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use thiserror::Error;

use super::{Event, Line, Source};
use crate::base::clock::Clock;
use crate::base::digest::sha256;

/// Why a journal cannot be written or read.
#[derive(Debug, Error)]
pub enum JournalError {
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Somebody else is writing it.
    #[error("{path}: a run is still writing this journal; it heals what it did when it ends")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A line is not what was written.
    #[error("{path}:{line}: the journal was changed here: {why}")]
    Broken {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What does not fit.
        why: String,
    },
}

/// The writer: one per journal, held by a lock on the file that ends with the process, however it ends.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    clock: Clock,
    /// Added to the clock: what had passed when an existing journal was reopened.
    offset: std::time::Duration,
    next: u64,
    prev: String,
    /// Bytes of whole lines: what a full disk took of the next one is cut off again.
    whole: u64,
}

impl Journal {
    /// Creates the file.
    ///
    /// # Errors
    /// When it cannot be created, or exists already.
    pub fn create(path: &Path, clock: &Clock) -> Result<Self, JournalError> {
        let file = OpenOptions::new().append(true).create_new(true).open(path).map_err(|source| io(path, source))?;
        lock(&file, path)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            clock: clock.clone(),
            offset: std::time::Duration::ZERO,
            next: 0,
            prev: String::new(),
            whole: 0,
        })
    }

    /// Opens an existing journal to append; a torn last line is cut off. Returns what it holds.
    ///
    /// # Errors
    /// When it cannot be opened, was changed, or is still being written.
    pub fn reopen(path: &Path, clock: &Clock) -> Result<(Self, Contents), JournalError> {
        let file = OpenOptions::new().append(true).open(path).map_err(|source| io(path, source))?;
        // Before it is read: what a living writer adds behind our back would be cut off as torn.
        lock(&file, path)?;
        let contents = read(path)?;
        file.set_len(contents.whole_bytes).map_err(|source| io(path, source))?;
        let passed = contents.lines.first().and_then(|first| {
            let start = first.utc.parse::<Timestamp>().ok()?.as_nanosecond() - i128::from(first.at_us) * 1_000;
            u64::try_from(clock.utc(clock.now()).as_nanosecond() - start).ok()
        });
        let journal = Self {
            path: path.to_owned(),
            file,
            clock: clock.clone(),
            offset: std::time::Duration::from_nanos(passed.unwrap_or(0)),
            next: contents.lines.len() as u64,
            prev: contents.last_digest.clone(),
            whole: contents.whole_bytes,
        };
        Ok((journal, contents))
    }

    /// Appends `event`, now, durably.
    ///
    /// # Errors
    /// When the disk refuses; the event must then not be acted upon.
    pub fn append(&mut self, source: Source, actor: &str, event: Event) -> Result<Line, JournalError> {
        let now = self.clock.now();
        let line = Line {
            seq: self.next,
            at_us: (now + self.offset).micros(),
            utc: format!("{:.6}", self.clock.utc(now)),
            source,
            actor: actor.to_owned(),
            event,
            prev: self.prev.clone(),
        };
        let mut text = serde_json::to_string(&line).map_err(|error| io(&self.path, error.into()))?;
        let digest = sha256(text.as_bytes());
        text.push('\n');
        if let Err(source) = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_data()) {
            // Half a line would spoil every line behind it, if there is ever room for one.
            drop(self.file.set_len(self.whole));
            return Err(io(&self.path, source));
        }
        self.whole += text.len() as u64;
        self.next += 1;
        self.prev = digest;
        Ok(line)
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn lock(file: &File, path: &Path) -> Result<(), JournalError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => JournalError::InUse { path: path.to_owned() },
        TryLockError::Error(source) => io(path, source),
    })
}

/// A journal, read whole.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// The lines, in order.
    pub lines: Vec<Line>,
    /// True when a torn last line was dropped.
    pub torn: bool,
    whole_bytes: u64,
    last_digest: String,
}

/// Reads and verifies the journal at `path`; a torn last line is dropped.
///
/// # Errors
/// When it cannot be read, or a line does not fit the one before.
pub fn read(path: &Path) -> Result<Contents, JournalError> {
    let text = std::fs::read(path).map_err(|source| io(path, source))?;
    let mut contents = Contents::default();
    for (n, raw) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let Some(whole) = raw.strip_suffix(b"\n") else {
            contents.torn = true;
            break;
        };
        let broken = |why: String| JournalError::Broken { path: path.to_owned(), line: n + 1, why };
        let line: Line = serde_json::from_slice(whole).map_err(|error| broken(error.to_string()))?;
        if line.prev != contents.last_digest {
            return Err(broken("the line before it is not the one it was written after".to_owned()));
        }
        contents.last_digest = sha256(whole);
        contents.whole_bytes += raw.len() as u64;
        contents.lines.push(line);
    }
    Ok(contents)
}

fn io(path: &Path, source: std::io::Error) -> JournalError {
    JournalError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Tick;

    fn three(path: &Path) {
        let (clock, hand) = Clock::manual();
        let mut journal = Journal::create(path, &clock).unwrap();
        for name in ["baseline", "exercise", "watching"] {
            hand.advance(std::time::Duration::from_secs(1));
            journal.append(Source::Controller, "", Event::Phase { name: name.into() }).unwrap();
        }
    }

    #[test]
    fn what_was_written_is_read_back_and_chained() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        three(&path);
        let contents = read(&path).unwrap();
        assert_eq!(contents.lines.len(), 3);
        assert_eq!(contents.lines[2].event, Event::Phase { name: "watching".into() });
        assert_eq!(contents.lines[2].at(), Tick::from_secs(3));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(r#""kind":"phase","data":{"name":"baseline"}"#), "{text}");
    }

    #[test]
    fn one_changed_byte_is_found_and_a_torn_line_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        three(&path);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("exercise", "exorcise")).unwrap();
        assert!(matches!(read(&path), Err(JournalError::Broken { line: 3, .. })));
        std::fs::write(&path, format!("{text}{{\"seq\":3,")).unwrap();
        let contents = read(&path).unwrap();
        assert!(contents.torn && contents.lines.len() == 3);
        let (mut journal, _) = Journal::reopen(&path, &Clock::start()).unwrap();
        journal.append(Source::Recovery, "", Event::Healed { id: "ship".into() }).unwrap();
        assert_eq!(read(&path).unwrap().lines.len(), 4);
    }

    #[test]
    fn a_journal_has_one_writer_until_that_one_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        let running = Journal::create(&path, &Clock::start()).unwrap();
        let second = Journal::reopen(&path, &Clock::start());
        assert!(matches!(second, Err(JournalError::InUse { .. })), "{second:?}");
        drop(running);
        assert!(Journal::reopen(&path, &Clock::start()).is_ok());
    }
}
