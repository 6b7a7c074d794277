//! The store of accepted runs: `.squall/baselines/<scenario>/<env>/`, an index and one small record for each run.
//!
//! A folder that may live in a repository, a cache or a mounted bucket. Called by `baseline` and `gate`. Not here: what a history
//! says of a run (`judge::baseline`).

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::exit::{Failure, could_not};
use crate::base::digest::sha256;
use crate::judge::baseline::Stored;
use crate::measure::interval::Interval;
use crate::measure::record::{self, Done, Head, RecordError, RecordWriter};
use crate::measure::recorder::Frame;
use crate::stats::quantile::batches;

/// Where everything of squall's lies that outlives a run and is no report.
pub(super) const HOME: &str = ".squall";
/// The environment when none is named.
pub(super) const USUAL: &str = "default";
const INDEX: &str = "index.json";
const SCHEMA: u32 = 1;

/// One accepted run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Name of its record, in the same folder.
    pub(super) file: String,
    /// When the run began, RFC 3339.
    pub(super) utc: String,
    /// Why it was accepted.
    pub(super) reason: String,
    /// SHA-256 of its plan.
    pub(super) plan_hash: String,
    /// It is the last release.
    #[serde(default)]
    pub(super) anchor: bool,
    /// The level moved here: earlier runs no longer count.
    #[serde(default)]
    pub(super) change_point: bool,
}

/// The list of accepted runs, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Index {
    schema: u32,
    pub(super) accepted: Vec<Entry>,
}

/// The store of one scenario in one environment.
#[derive(Clone, Debug)]
pub(super) struct Store {
    pub(super) dir: PathBuf,
}

/// A name that is a folder and nothing else.
pub(super) fn folder_name(what: &str, name: &str) -> Result<(), Failure> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 64 || name.starts_with('.') || !name.chars().all(fits) {
        return Err(Failure::usage(format!("{what} {name} cannot name a folder: use letters, digits, - and _")));
    }
    Ok(())
}

impl Store {
    /// The store of `scenario` in `env`, whether or not it is there.
    pub(super) fn of(scenario: &str, env: &str) -> Result<Self, Failure> {
        folder_name("--env", env)?;
        folder_name("the scenario's name", scenario)?;
        Ok(Self { dir: Path::new(HOME).join("baselines").join(scenario).join(env) })
    }

    /// Its list; empty without one.
    pub(super) fn index(&self) -> Result<Index, Failure> {
        let path = self.dir.join(INDEX);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Index { schema: SCHEMA, ..Index::default() });
            }
            Err(error) => return Err(could_not(&format!("read {}", path.display()))(error)),
        };
        let index: Index = serde_json::from_str(&text).map_err(could_not(&format!("read {}", path.display())))?;
        if index.schema != SCHEMA {
            let (found, path) = (index.schema, path.display());
            return Err(Failure::could_not(format!("{path} has schema {found}, this squall reads {SCHEMA}: upgrade")));
        }
        Ok(index)
    }

    /// Adds a run: its steady `seconds`, one interval for each batch, and its line of the list.
    pub(super) fn accept(&self, head: &Head, seconds: &[Interval], line: Entry) -> Result<Entry, Failure> {
        fs::create_dir_all(&self.dir).map_err(could_not(&format!("make {}", self.dir.display())))?;
        let draft = self.dir.join(".accept.draft");
        write(&draft, head, seconds).map_err(could_not("write the accepted run"))?;
        let bytes = fs::read(&draft).map_err(could_not("read the accepted run"))?;
        let digest: String = sha256(&bytes).chars().take(8).collect();
        let stamp: String = line.utc.chars().take(19).filter(char::is_ascii_alphanumeric).collect();
        let entry = Entry { file: format!("{stamp}Z-{digest}.sqr"), ..line };
        let mut index = self.index()?;
        if index.accepted.iter().any(|one| one.file == entry.file) {
            drop(fs::remove_file(&draft));
            return Err(Failure::usage(format!("this run was accepted before, as {}", entry.file)));
        }
        fs::rename(&draft, self.dir.join(&entry.file)).map_err(could_not("keep the accepted run"))?;
        index.accepted.push(entry.clone());
        index.accepted.sort_by(|a, b| a.utc.cmp(&b.utc));
        let text = serde_json::to_string_pretty(&index).map_err(could_not("write the list of accepted runs"))?;
        let draft = self.dir.join(".index.draft");
        fs::write(&draft, text + "\n")
            .and_then(|()| fs::rename(&draft, self.dir.join(INDEX)))
            .map_err(could_not("write the list of accepted runs"))?;
        Ok(entry)
    }

    /// An accepted run; `None` when its file is gone.
    pub(super) fn read(&self, entry: &Entry) -> Result<Option<Stored>, Failure> {
        let path = self.dir.join(&entry.file);
        if !path.exists() {
            return Ok(None);
        }
        let record = record::read(&path).map_err(could_not("read an accepted run"))?;
        Ok(Some(Stored { name: entry.file.clone(), head: record.head, seconds: record.seconds }))
    }
}

/// Writes `seconds`, numbered from 0, one interval for each batch; the last second is there even when it is empty, so that the
/// length is kept.
fn write(path: &Path, head: &Head, seconds: &[Interval]) -> Result<(), RecordError> {
    let numbers: Vec<u64> = seconds.iter().map(|one| u64::from(one.second)).collect();
    let mut parts: Vec<Interval> = Vec::new();
    for range in batches(&numbers) {
        let Some((first, others)) = seconds.get(range).and_then(<[Interval]>::split_first) else { continue };
        let mut sum = first.clone();
        for one in others {
            sum.merge(one);
        }
        parts.push(sum);
    }
    if let Some(last) = seconds.last().filter(|last| parts.last().is_some_and(|sum| sum.second < last.second)) {
        parts.push(Interval::at(last.second));
    }
    let mut writer = RecordWriter::create(path, head)?;
    writer.frames(vec![Frame { worker: 0, seq: 0, parts }])?;
    let done = Done { reason: "finished".to_owned(), frames: vec![1], ..Done::default() };
    writer.finish(&[], &done)
}
