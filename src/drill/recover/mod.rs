//! Healing what a killed drill left behind, from its journal alone. Running it again changes nothing.
//!
//! Every intent that was never verified is undone in reverse order: what lived in the drill's own process died with it; what
//! was changed elsewhere is set back by the request the journal holds, and read back. Not here: a drill that still runs (it
//! heals itself). Called by `squall recover`.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::lever::http::{Ask, Endpoint, Vouch};
use super::lever::probe::{self, Look, Wanted};
use super::lever::{LeverError, READ_BACK};
use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::base::timer::Timer;
use crate::measure::journal::{Contents, Event, Journal, JournalError, Source, TRAFFIC, Undo, UndoProbe};

/// How often an undo is tried.
const TRIES: u32 = 3;

/// Why nothing could be recovered at all.
#[derive(Debug, Error)]
pub enum RecoverError {
    /// The journal cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Reads an environment variable.
pub type Variable = dyn Fn(&str) -> Option<Secret> + Send + Sync;

/// What recovering needs from its caller.
#[derive(Clone)]
pub struct RecoverEnv {
    /// Stamps the new lines.
    pub clock: Clock,
    /// Who may be sent requests.
    pub vouch: Arc<Vouch>,
    /// Where tokens are looked up by the name the journal holds.
    pub variable: Arc<Variable>,
    /// How long a healed state is awaited; [`READ_BACK`] by default.
    pub read_back: Duration,
}

impl RecoverEnv {
    /// An environment with the usual patience.
    pub fn new(clock: Clock, vouch: Arc<Vouch>, variable: Arc<Variable>) -> Self {
        Self { clock, vouch, variable, read_back: READ_BACK }
    }
}

impl fmt::Debug for RecoverEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecoverEnv").field("read_back", &self.read_back).finish_non_exhaustive()
    }
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
    let (mut journal, contents) = Journal::reopen(path, &env.clock)?;
    let mut recovered = Recovered { torn: contents.torn, earlier: verified(&contents), ..Recovered::default() };
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
    let Undo::Http { method, url, body, token_env, verify } = undo else {
        return Ok("it lived in the drill's own process and ended with it".to_owned());
    };
    let token = if token_env.is_empty() {
        None
    } else {
        let found = (env.variable)(token_env);
        Some(
            found
                .ok_or_else(|| format!("the environment variable {token_env} is not set; it holds the admin token"))?,
        )
    };
    let (endpoint, path) = endpoint(url, token.clone(), env).map_err(|error| error.to_string())?;
    let already = match verify {
        Some(probe) => is_gone(probe, token.clone(), env).await,
        None => false,
    };
    // Sent even when the value is already back: a slower part of the system may still be about to act on the change.
    retry(&endpoint, &Ask::new(method, &path, body), &env.clock).await?;
    if let Some(probe) = verify {
        let (endpoint, path) = self::endpoint(&probe.url, token, env).map_err(|error| error.to_string())?;
        let look = Look { path: &path, at: &probe.at, wanted: Wanted::IsNot(&probe.is_not) };
        let seen = probe::wait_for(&endpoint, look, &env.clock, env.read_back).await;
        seen.map_err(|why| format!("undone, but not read back: {why}"))?;
    }
    Ok(if already {
        "the system had already undone it by itself (its lease); set back again and read back".to_owned()
    } else {
        format!("set back by {method} {url}")
    })
}

async fn is_gone(probe: &UndoProbe, token: Option<Secret>, env: &RecoverEnv) -> bool {
    let Ok((endpoint, path)) = endpoint(&probe.url, token, env) else { return false };
    probe::read(&endpoint, &path, &probe.at).await.is_ok_and(|text| text != probe.is_not)
}

async fn retry(endpoint: &Endpoint, ask: &Ask<'_>, clock: &Clock) -> Result<(), String> {
    let mut timer = Timer::new(clock).map_err(|error| error.to_string())?;
    let mut tried = 0;
    loop {
        tried += 1;
        match endpoint.send(ask).await.and_then(|answer| answer.accepted(ask)) {
            Ok(_) => return Ok(()),
            Err(error) if tried >= TRIES => return Err(format!("{error} (tried {TRIES} times)")),
            Err(_) => timer.until(clock.now() + Duration::from_secs(1)).await,
        }
    }
}

/// The endpoint of a whole URL, and the path on it.
fn endpoint(url: &str, token: Option<Secret>, env: &RecoverEnv) -> Result<(Endpoint, String), LeverError> {
    let start = url.find("://").map_or(0, |at| at + 3);
    let slash = url.get(start..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| start + at);
    let (base, path) = url.split_at(slash);
    let path = if path.is_empty() { "/" } else { path };
    Ok((Endpoint::at(base, token, &env.clock, &*env.vouch)?, path.to_owned()))
}
