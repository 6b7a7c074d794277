//! The calibration ledger: `.squall/calibration/<env>.jsonl`, one line for each comparison of a target with itself.
//!
//! Called by `calibrate`, `gate` and `ab`. Not here: what the counts prove (`judge::calibration`).

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::exit::{Failure, could_not};
use super::store::{HOME, folder_name};
use crate::measure::host::Fingerprint;
use crate::stats::holm::deviation;

/// One comparison of a target with itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Gate {
    /// When it began, RFC 3339.
    pub(super) utc: String,
    /// On what.
    pub(super) host: Fingerprint,
    /// Of which comparison.
    pub(super) plan_hash: String,
    /// Blocks.
    pub(super) n: usize,
    /// Seconds of a slot.
    pub(super) slot_s: u64,
    /// Each block's change by check, and whether the base went first.
    pub(super) d: BTreeMap<String, Vec<(f64, bool)>>,
    /// Whether it was red.
    pub(super) red: bool,
}

/// All comparisons of an environment.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    pub(super) gates: Vec<Gate>,
}

fn path(env: &str) -> Result<PathBuf, Failure> {
    folder_name("--env", env)?;
    Ok(Path::new(HOME).join("calibration").join(format!("{env}.jsonl")))
}

/// The ledger of `env`, as far as it was measured on a machine like `host`; empty without one.
pub(super) fn read(env: &str, host: &Fingerprint) -> Result<Ledger, Failure> {
    let path = path(env)?;
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Ledger::default()),
        Err(error) => return Err(could_not(&format!("read {}", path.display()))(error)),
    };
    let mut gates = Vec::new();
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let gate: Gate = serde_json::from_str(line)
            .map_err(|error| Failure::could_not(format!("{}:{}: {error}", path.display(), n + 1)))?;
        if gate.host.cpu == host.cpu && gate.host.cores == host.cores {
            gates.push(gate);
        }
    }
    Ok(Ledger { gates })
}

/// Appends a comparison.
pub(super) fn append(env: &str, gate: &Gate) -> Result<(), Failure> {
    let path = path(env)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(could_not(&format!("make {}", folder.display())))?;
    let line = serde_json::to_string(gate).map_err(could_not("write the ledger"))? + "\n";
    let file = OpenOptions::new().append(true).create(true).open(&path);
    file.and_then(|mut file| file.write_all(line.as_bytes())).map_err(could_not(&format!("write {}", path.display())))
}

impl Ledger {
    /// Reds, and all.
    pub(super) fn reds(&self) -> (u64, u64) {
        (self.gates.iter().filter(|one| one.red).count() as u64, self.gates.len() as u64)
    }

    /// Each block's change of a check, over all comparisons that had it.
    pub(super) fn changes(&self, id: &str) -> Vec<(f64, bool)> {
        self.gates.iter().filter_map(|one| one.d.get(id)).flatten().copied().collect()
    }

    /// Deviation of the change between blocks.
    pub(super) fn sd(&self, id: &str) -> Option<f64> {
        deviation(&self.changes(id).iter().map(|(change, _)| *change).collect::<Vec<_>>())
    }

    /// Names of the checks that were compared.
    pub(super) fn ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.gates.iter().flat_map(|one| one.d.keys().cloned()).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// Noise floors of whole runs by check: a block's change is the difference of two slots, and a run is worth all slots of one
    /// arm, `sd(D) / √(2n)`.
    pub(super) fn floors(&self) -> BTreeMap<String, f64> {
        let n = self.gates.iter().map(|one| one.n).max().unwrap_or(1).max(1) as f64;
        self.ids().into_iter().filter_map(|id| Some((id.clone(), self.sd(&id)? / (2.0 * n).sqrt()))).collect()
    }
}
