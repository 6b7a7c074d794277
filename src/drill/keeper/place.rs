//! Where a keeper is: `keeper.json` and `keeper.token` in the run's folder, readable by their owner alone.
//!
//! Not here: what the keeper does (`serve`). Read by `squall recover`, which asks a living keeper to end.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::KeeperError;
use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::base::timer::Timer;
use crate::drill::lever::process::{Pinned, boot, find, ourselves, terminate};
use crate::measure::journal::PinnedProcess;

/// Where it is written.
const PLACE: &str = "keeper.json";
/// The token of its API.
const TOKEN: &str = "keeper.token";
/// Longest time until a keeper that was asked to end has ended: it may have levers to undo.
const ENDS: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);

/// Where a keeper is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its process.
    pub process: PinnedProcess,
    /// The boot it was started in.
    pub boot: String,
    /// `http://127.0.0.1:port` of its API, which wants the token in `keeper.token`.
    pub api: String,
}

impl Place {
    /// Writes down where this process is.
    pub(super) fn write(dir: &Path, api: String, token: &Secret) -> Result<Self, KeeperError> {
        let process = ourselves().ok_or_else(|| KeeperError::Start(io::Error::other("/proc is not readable")))?;
        let place = Self { process, boot: boot(), api };
        private(&dir.join(TOKEN), token.expose())?;
        let text = serde_json::to_string(&place).map_err(|error| KeeperError::Start(error.into()))?;
        private(&dir.join(PLACE), &text)?;
        Ok(place)
    }

    /// Where the keeper of the run in `dir` is, or was; `None`: it never had one.
    pub fn read(dir: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(dir.join(PLACE)).ok()?).ok()
    }

    /// True while it lives.
    pub fn is_alive(&self) -> bool {
        matches!(find(self.process, &self.boot), Pinned::Same(..))
    }
}

/// Writes a file that nobody else may read, whole or not at all.
fn private(path: &Path, text: &str) -> Result<(), KeeperError> {
    let failed = |source| KeeperError::File { path: path.to_owned(), source };
    let new: PathBuf = path.with_extension("new");
    drop(fs::remove_file(&new));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    fs::rename(&new, path).map_err(failed)
}

/// Asks the keeper of the run in `dir` to heal what it holds and to end; in words what came of it, `None` when there is none.
pub async fn end(dir: &Path, clock: &Clock) -> Option<String> {
    let place = Place::read(dir)?;
    if !terminate(place.process, &place.boot) {
        return None;
    }
    let mut timer = Timer::new(clock).ok()?;
    let until = clock.now() + ENDS;
    while place.is_alive() && clock.now() < until {
        timer.until(clock.now() + LOOK).await;
    }
    Some(if place.is_alive() {
        format!("the keeper (process {}) was asked to end, and has not within {} s", place.process.pid, ENDS.as_secs())
    } else {
        format!("the keeper (process {}) has healed what it held, and ended", place.process.pid)
    })
}
