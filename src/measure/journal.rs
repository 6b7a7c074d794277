//! `journal.jsonl`: what happened, one JSON line per event, each line chained to the one before by SHA-256 and fsynced.
//!
//! Intent is written before effect, so that whatever a killed run left behind can be healed from this file alone.
//! Not here: measurements (`record`), what to do about open entries (`drill::recover`).

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::base::clock::{Clock, Tick};
use crate::base::digest::sha256;

/// Who says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The drill itself, or the load run.
    Controller,
    /// An alert that came in.
    Alert,
    /// A person.
    Player,
    /// The robot that plays the people.
    Robot,
    /// Made from measured traffic.
    Measured,
    /// `squall recover`.
    Recovery,
}

/// What happened. One enum for every room; the kind is the variant's name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// The run began: everything a report needs beside the record.
    Run(RunFacts),
    /// A phase began; a drill's names, or `steady`, `warmup`, `drain` of a load run.
    Phase {
        /// The phase.
        name: String,
    },
    /// A change is about to be made; `undo` heals it.
    Intent {
        /// The act.
        id: String,
        /// In words, without secrets.
        what: String,
        /// How to heal it after a crash.
        undo: Undo,
        /// Length of the lease, ms.
        lease_ms: u64,
    },
    /// The change is in force, and the proof that it touched something.
    Injected {
        /// The act.
        id: String,
        /// The proof, in words; empty when none came.
        proof: String,
        /// True when the proof was seen in time.
        proved: bool,
    },
    /// The lease was renewed.
    Renewed {
        /// The act.
        id: String,
    },
    /// Healing began.
    Healing {
        /// The act.
        id: String,
    },
    /// The undo was carried out.
    Healed {
        /// The act.
        id: String,
    },
    /// The healed state was read back.
    Verified {
        /// The act.
        id: String,
    },
    /// The undo, or reading it back, did not work.
    HealFailed {
        /// The act.
        id: String,
        /// Why.
        reason: String,
    },
    /// An alert arrived.
    Page {
        /// `trigger`, `acknowledge` or `resolve`.
        action: String,
        /// The alert's own words.
        summary: String,
        /// Which system it names.
        origin: String,
        /// Its deduplication key.
        dedup_key: String,
    },
    /// A timed statement by a person or a machine: detected, acknowledged, command, mitigated, resolved, note.
    Mark {
        /// What is stated.
        mark: String,
        /// Free text.
        text: String,
    },
    /// Somebody does something: a mitigation begins.
    Action {
        /// The mitigation.
        name: String,
    },
    /// A mitigation was verified, or not.
    Effect {
        /// The mitigation.
        name: String,
        /// True when its verification succeeded.
        verified: bool,
        /// What was seen.
        text: String,
    },
    /// A judgement, as printed.
    Finding(Value),
    /// The run is over.
    End {
        /// `finished`, or why it was stopped.
        reason: String,
        /// The exit code.
        exit_code: u8,
    },
}

/// What a report needs beside the record: the files as they were read, and what the command line changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFacts {
    /// `run` or `drill`.
    pub command: String,
    /// Name of the scenario or drill.
    pub name: String,
    /// The seed.
    pub seed: u64,
    /// SHA-256 of the checked plan.
    pub plan_hash: String,
    /// Version of squall.
    pub squall: String,
    /// Path and text of every file read, the main one first. Files hold no secrets.
    pub files: Vec<(String, String)>,
    /// Settings from the command line that change the plan, by flag name.
    pub settings: Vec<(String, String)>,
    /// Where the load goes.
    pub target: String,
    /// The command that repeats the run.
    pub repeat: String,
}

/// How to heal a change without anything but this line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Undo {
    /// It lived in the process that died, and died with it.
    DiesWithProcess,
    /// An HTTP request; the token is in the named environment variable.
    Http {
        /// `PUT`, `POST`, `DELETE`.
        method: String,
        /// The whole URL.
        url: String,
        /// JSON body.
        body: String,
        /// Environment variable that holds the bearer token; empty for none.
        token_env: String,
        /// How to see that it is healed; `None`: a 2xx answer must do.
        verify: Option<UndoProbe>,
    },
}

/// A value to read back after an undo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoProbe {
    /// The whole URL.
    pub url: String,
    /// JSON path.
    pub at: String,
    /// The value that is *not* to be seen any more.
    pub is_not: String,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Rising by one from 0.
    pub seq: u64,
    /// Since tick 0, µs.
    pub at_us: u64,
    /// Wall-clock label, RFC 3339.
    pub utc: String,
    /// Who says it.
    pub source: Source,
    /// The person's or role's name; empty for machines.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub actor: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
    /// SHA-256 of the line before; empty in the first.
    pub prev: String,
}

impl Line {
    /// The instant.
    pub fn at(&self) -> Tick {
        Tick::from_micros(self.at_us)
    }
}

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

/// The writer: one per journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    clock: Clock,
    /// Added to the clock: what had passed when an existing journal was reopened.
    offset: std::time::Duration,
    next: u64,
    prev: String,
}

impl Journal {
    /// Creates the file.
    ///
    /// # Errors
    /// When it cannot be created, or exists already.
    pub fn create(path: &Path, clock: &Clock) -> Result<Self, JournalError> {
        let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|source| io(path, source))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            clock: clock.clone(),
            offset: std::time::Duration::ZERO,
            next: 0,
            prev: String::new(),
        })
    }

    /// Opens an existing journal to append; a torn last line is cut off. Returns what it holds.
    ///
    /// # Errors
    /// When it cannot be opened, or was changed.
    pub fn reopen(path: &Path, clock: &Clock) -> Result<(Self, Contents), JournalError> {
        let contents = read(path)?;
        let file = OpenOptions::new().append(true).open(path).map_err(|source| io(path, source))?;
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
        self.file
            .write_all(text.as_bytes())
            .and_then(|()| self.file.sync_data())
            .map_err(|source| io(&self.path, source))?;
        self.next += 1;
        self.prev = digest;
        Ok(line)
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }
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
}
