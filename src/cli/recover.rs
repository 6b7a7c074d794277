//! `squall recover [DRILL-DIR]`: heals whatever a killed drill left behind; doing it twice changes nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use super::args::{Global, RecoverArgs};
use super::exit::{Exit, Failure, could_not};
use super::folder::JOURNAL;
use super::{target, term};
use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::drill::recover::{self, RecoverEnv, Recovered};
use crate::measure::journal;

pub(super) fn main(args: &RecoverArgs, global: &Global) -> Result<Exit, Failure> {
    let journals = match &args.dir {
        Some(dir) if dir.join(JOURNAL).is_file() => vec![dir.join(JOURNAL)],
        Some(dir) => {
            return Err(Failure::usage(format!("{} holds no {JOURNAL}: name a drill's folder", dir.display())));
        }
        None => unclosed(&global.out)?,
    };
    if journals.is_empty() && !global.quiet && !global.json {
        term::out(&format!("nothing to heal: no open entry in any journal under {}", global.out.display()));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(could_not("start"))?;
    let variable = |name: &str| std::env::var(name).ok().map(Secret::new);
    let env = RecoverEnv::new(Clock::start(), target::vouch(target::guard(&args.target)?), Arc::new(variable));
    let (mut clean, mut said) = (true, Vec::new());
    for path in &journals {
        let recovered = runtime.block_on(recover::recover(path, &env)).map_err(could_not("recover"))?;
        clean &= recovered.failed.is_empty();
        if global.json {
            said.push(json!({
                "journal": path.display().to_string(), "torn": recovered.torn,
                "earlier": recovered.earlier, "keeper": recovered.keeper,
                "healed": recovered.healed.iter().map(|(act, how)| json!({ "act": act, "how": how })).collect::<Vec<_>>(),
                "failed": recovered.failed.iter().map(|(act, why)| json!({ "act": act, "why": why })).collect::<Vec<_>>(),
            }));
        } else {
            term::out(&sentences(path, &recovered).join("\n"));
        }
    }
    if global.json {
        term::out(&serde_json::Value::Array(said).to_string());
    }
    Ok(if clean { Exit::Passed } else { Exit::Unclean })
}

/// Says the same of an act whether it was healed now or earlier.
fn sentences(path: &Path, recovered: &Recovered) -> Vec<String> {
    let place = path.display();
    let mut lines = Vec::new();
    if recovered.torn {
        lines.push(format!("{place}: the last line was torn and is dropped"));
    }
    lines.extend(recovered.keeper.iter().map(|words| format!("{place}: {words}")));
    let healed = recovered.earlier.iter().chain(recovered.healed.iter().map(|(act, _)| act));
    lines.extend(healed.map(|act| format!("{place}: `{act}` is healed, and was read back")));
    lines.extend(recovered.failed.iter().map(|(act, why)| format!("{place}: `{act}` is NOT healed: {why}")));
    if lines.is_empty() {
        lines.push(format!("{place}: no act was begun; there is nothing to heal"));
    }
    lines
}

/// Journals under `out` with an entry that was never verified healed, oldest first.
pub(super) fn unclosed(out: &Path) -> Result<Vec<PathBuf>, Failure> {
    let Ok(entries) = fs::read_dir(out) else { return Ok(Vec::new()) };
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path().join(JOURNAL)).filter(|path| path.is_file()).collect();
    found.sort();
    let mut open = Vec::new();
    for path in found {
        let contents = journal::read(&path).map_err(could_not("read a journal"))?;
        if !recover::open(&contents).is_empty() || recover::unsettled(&contents).is_some() {
            open.push(path);
        }
    }
    Ok(open)
}
