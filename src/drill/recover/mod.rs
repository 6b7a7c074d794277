//! Healing what a killed drill left behind, from its journal alone. Running it again changes nothing.
//!
//! Every intent that was never verified is undone in reverse order: what lived in the drill's own process died with it; what
//! was changed elsewhere is set back by the request the journal holds, and read back. Not here: a drill that still runs (it
//! heals itself). Called by `squall recover`.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::Path;

use thiserror::Error;

use super::keeper;
use super::lever::undo;
pub use super::lever::undo::UndoEnv as RecoverEnv;
use crate::measure::journal::{Contents, Event, Journal, JournalError, Source, TRAFFIC, Undo};

/// Why nothing could be recovered at all.
#[derive(Debug, Error)]
pub enum RecoverError {
    /// The journal cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// What was found and done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Acts that are healed now, and how.
    pub healed: Vec<(String, String)>,
    /// Acts whose healing the journal had already read back.
    pub earlier: Vec<String>,
    /// Acts that are not, and why.
    pub failed: Vec<(String, String)>,
    /// True when a torn last line was dropped.
    pub torn: bool,
    /// What came of asking a living keeper to end.
    pub keeper: Option<String>,
}

impl Recovered {
    /// 0 when nothing is left open, else 7.
    pub fn exit_code(&self) -> u8 {
        if self.failed.is_empty() { 0 } else { 7 }
    }
}

/// Heals every open entry of the journal at `path` and appends what was done.
///
/// # Errors
/// When the journal cannot be read or written. An act that cannot be healed is not an error but in [`Recovered::failed`].
pub async fn recover(path: &Path, env: &RecoverEnv) -> Result<Recovered, RecoverError> {
    // While its controller lives, the run heals itself; asking the keeper to end would only take the path away from it.
    drop(Journal::reopen(path, &env.clock)?);
    let keeper = match path.parent() {
        Some(dir) => keeper::end(dir, &env.clock).await,
        None => None,
    };
    let (mut journal, contents) = Journal::reopen(path, &env.clock)?;
    let mut recovered = Recovered { torn: contents.torn, earlier: verified(&contents), keeper, ..Recovered::default() };
    for (id, undo) in open(&contents) {
        let mut append = |event| journal.append(Source::Recovery, "", event).map(drop);
        append(Event::Healing { id: id.clone() })?;
        match heal(&undo, env).await {
            Ok(how) => {
                append(Event::Healed { id: id.clone() })?;
                append(Event::Verified { id: id.clone() })?;
                recovered.healed.push((id, how));
            }
            Err(reason) => {
                append(Event::HealFailed { id: id.clone(), reason: reason.clone() })?;
                recovered.failed.push((id, reason));
            }
        }
    }
    recovered.failed.extend(unsettled(&contents).map(|why| (TRAFFIC.to_owned(), why)));
    Ok(recovered)
}

/// Why users were not back once everything was undone, when that is how the drill ended. Only a person can say that they are now:
/// there is nothing left to undo, and nothing to see it by without load.
pub fn unsettled(contents: &Contents) -> Option<String> {
    contents.lines.iter().rev().find_map(|line| match &line.event {
        Event::HealFailed { id, reason } if id == TRAFFIC => Some(reason.clone()),
        _ => None,
    })
}

/// Acts that were healed and read back, in the order in which they were begun.
fn verified(contents: &Contents) -> Vec<String> {
    let open: Vec<String> = open(contents).into_iter().map(|(id, _)| id).collect();
    let mut acts = Vec::new();
    for line in &contents.lines {
        if let Event::Intent { id, .. } = &line.event
            && !open.contains(id)
            && !acts.contains(id)
        {
            acts.push(id.clone());
        }
    }
    acts
}

/// Intents that were never verified, the latest first, each act once.
pub fn open(contents: &Contents) -> Vec<(String, Undo)> {
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    for line in contents.lines.iter().rev() {
        match &line.event {
            Event::Verified { id } => drop(seen.insert(id.clone())),
            Event::Intent { id, undo, .. } if seen.insert(id.clone()) => found.push((id.clone(), undo.clone())),
            _ => {}
        }
    }
    found
}

async fn heal(undo: &Undo, env: &RecoverEnv) -> Result<String, String> {
    let already = undo::is_undone(undo, env).await;
    // Carried out even when the value is already back: a slower part of the system may still be about to act on the change.
    let how = undo::run(undo, env).await?;
    let seen = undo::seen(undo, env.read_back, env).await;
    seen.map_err(|why| format!("undone, but not read back: {why}"))?;
    Ok(if already {
        "the system had already undone it by itself (its lease); set back again and read back".to_owned()
    } else {
        how
    })
}
