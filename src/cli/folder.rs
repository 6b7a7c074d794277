//! A run's folder: `<out>/<name>-<utc>/`, made new for every run, never written over.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::exit::Failure;
use crate::base::clock::Clock;

/// File names inside a run's folder.
pub(super) const JOURNAL: &str = "journal.jsonl";
pub(super) const RECORD: &str = "record.sqr";

/// Makes the folder of a run that begins now.
pub(super) fn create(out: &Path, name: &str, clock: &Clock) -> Result<PathBuf, Failure> {
    let failed =
        |dir: &Path, error| Failure::could_not(format!("could not make the folder {}: {error}", dir.display()));
    fs::create_dir_all(out).map_err(|error| failed(out, error))?;
    let utc = clock.utc(clock.now()).strftime("%Y%m%dT%H%M%SZ").to_string();
    for again in 0..100 {
        let suffix = if again == 0 { String::new() } else { format!("-{again}") };
        let dir = out.join(format!("{name}-{utc}{suffix}"));
        match fs::create_dir(&dir) {
            Ok(()) => return Ok(dir),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(&dir, error)),
        }
    }
    Err(Failure::could_not(format!("{} already holds a hundred runs of this second", out.display())))
}
