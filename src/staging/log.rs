//! The shop's own account of what happened, one JSON object per line, flushed at once.
//!
//! It is what a report is compared with: it is written from the gateway's own counters, not from what a client saw.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};

use crate::base::clock::{Clock, Tick};

#[derive(Debug)]
pub(super) struct Log {
    clock: Clock,
    file: Option<Mutex<File>>,
}

impl Log {
    /// A log that appends to `path`, or that keeps nothing.
    pub(super) fn open(clock: Clock, path: Option<&Path>) -> io::Result<Self> {
        let file = path.map(|path| OpenOptions::new().create(true).append(true).open(path)).transpose()?;
        Ok(Self { clock, file: file.map(Mutex::new) })
    }

    /// Writes what happened at `at`: `data` with the event's name and time.
    pub(super) fn event(&self, event: &str, at: Tick, data: &Value) {
        let mut line = Map::new();
        line.insert("event".to_owned(), json!(event));
        if let Value::Object(data) = data {
            line.extend(data.clone());
        }
        line.insert("at_us".to_owned(), json!(at.micros()));
        line.insert("utc".to_owned(), json!(self.clock.utc(at).to_string()));
        self.write(&Value::Object(line));
    }

    /// Writes one line as it is.
    pub(super) fn write(&self, line: &Value) {
        let Some(file) = &self.file else { return };
        let text = format!("{line}\n");
        if let Err(error) = file.lock().unwrap_or_else(PoisonError::into_inner).write_all(text.as_bytes()) {
            tracing::warn!(%error, "the shop's log lost a line");
        }
    }

    /// The wall-clock label of `at`.
    pub(super) fn utc(&self, at: Tick) -> String {
        self.clock.utc(at).to_string()
    }
}
