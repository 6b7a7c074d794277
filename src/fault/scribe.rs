//! Writes the decision ledger to its file, on a thread of its own: no worker ever waits for a disk.
//!
//! Not here: the format and what is kept (`ledger`). Held by whoever owns the run's folder.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::ledger::{Ledger, MAGIC};
use super::proxies::Proxies;
use crate::plan::fault::Keep;

/// Between two writings.
const EVERY: Duration = Duration::from_millis(100);

/// A ledger that is being written; dropped, it ends as [`Scribe::finish`] does, without an answer.
#[derive(Debug)]
pub struct Scribe {
    over: Option<Sender<()>>,
    writer: Option<JoinHandle<io::Result<Written>>>,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Bytes of the file.
    pub bytes: u64,
    /// Decisions that found no room, because the disk was slower than the proxies.
    pub lost: u64,
}

impl Proxies {
    /// Takes the decisions of faults injected from now on down in the file at `path`. Without this nothing is taken down.
    ///
    /// # Errors
    /// When the file cannot be made, or no thread is left.
    pub fn keep_ledger(&self, keep: Keep, path: &Path) -> io::Result<Scribe> {
        let ledger = Arc::new(Ledger::new(keep));
        let scribe = Scribe::start(Arc::clone(&ledger), path)?;
        self.control.registry().ledger = ledger;
        Ok(scribe)
    }
}

impl Scribe {
    /// Writes what `ledger` notes to a new file at `path`.
    ///
    /// # Errors
    /// When the file cannot be made, or no thread is left.
    pub fn start(ledger: Arc<Ledger>, path: &Path) -> io::Result<Self> {
        let mut file = File::create(path)?;
        file.write_all(&MAGIC)?;
        let (over, ended) = channel::<()>();
        let writer = thread::Builder::new().name("fault-ledger".to_owned()).spawn(move || {
            let mut bytes = MAGIC.len() as u64;
            loop {
                let end = ended.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout);
                let drained = ledger.drain();
                file.write_all(&drained)?;
                bytes += drained.len() as u64;
                if end {
                    file.sync_all()?;
                    return Ok(Written { bytes, lost: ledger.lost() });
                }
            }
        })?;
        Ok(Self { over: Some(over), writer: Some(writer) })
    }

    /// Writes what is left and closes the file.
    ///
    /// # Errors
    /// What went wrong while writing.
    pub fn finish(mut self) -> io::Result<Written> {
        self.end()
    }

    fn end(&mut self) -> io::Result<Written> {
        drop(self.over.take());
        let Some(writer) = self.writer.take() else { return Ok(Written::default()) };
        writer.join().unwrap_or_else(|_| Err(io::Error::other("the ledger's thread ended early")))
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!(%error, "the decision ledger is not whole");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::ledger::{self, Entry, Outcome};

    #[test]
    fn every_decision_reaches_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("decisions.sqd");
        let ledger = Arc::new(Ledger::new(Keep::Full));
        let scribe = Scribe::start(Arc::clone(&ledger), &path).unwrap();
        let entry = |key| Entry {
            fault: 1,
            key,
            occurrence: 0,
            outcome: Outcome::Share,
            drawn: Duration::ZERO,
            by_arrival: false,
            clamped: false,
        };
        for key in 0..1_000 {
            ledger.note("slow", &entry(key));
        }
        let written = scribe.finish().unwrap();
        let file = std::fs::read(&path).unwrap();
        assert_eq!(written, Written { bytes: file.len() as u64, lost: 0 });
        assert_eq!(ledger::read(&file).unwrap().entries, (0..1_000).map(entry).collect::<Vec<_>>());
    }
}
