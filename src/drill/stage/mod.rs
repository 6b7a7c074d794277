//! The stage of a drill: it starts the system, does what the director says, reports what came of it, and decides nothing.
//!
//! ```text
//! rig ─► handshake ─► play (director ⇄ deeds, traffic, pages, stop) ─► traffic ends ─► rig ends ─► journal closed
//! ```
//! Every effect has its line in the journal first, fsynced. Nothing is waited for without a limit. Not here: what happens next
//! (`director`), judgement (`judge`), pictures (`report`). Called by the command that runs a drill, on its own runtime of one
//! thread; traffic, faults and the staging system have threads of their own.

mod deeds;
mod handshake;
mod play;
mod rig;
pub mod stack;
#[cfg(test)]
mod tests;
mod traffic;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;
use tokio::sync::mpsc;

use super::director::{Ended, Ending, Page};
use super::keeper::Program;
use super::lever::http::Vouch;
use super::lever::undo::UndoEnv;
use super::lever::{Ground, LeverError, Levers};
use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::base::seed::Seed;
use crate::base::stop::Stop;
use crate::load::LoadError;
use crate::measure::interval::Interval;
use crate::measure::journal::{Event, Journal, JournalError, RunFacts, Source, TRAFFIC};
use crate::measure::record::RecordError;
use crate::plan::drill::DrillPlan;
use handshake::Terms;
use play::Play;
use rig::{Needs, Rig};
use stack::RigError;
use traffic::Traffic;

/// What a drill stands in.
pub struct StageEnv {
    /// The run's clock; its origin is the run's.
    pub clock: Clock,
    /// Seed of every draw.
    pub seed: Seed,
    /// Ends the drill early: heal, verify, write.
    pub stop: Stop,
    /// Asked for after that: verification is not waited for any more.
    pub hurry: Stop,
    /// The run's folder, which exists. `journal.jsonl`, `record.sqr` and `staging.jsonl` are written there; a file called
    /// `abort` in it ends the drill.
    pub dir: PathBuf,
    /// Pages that came in.
    pub pages: mpsc::Receiver<Page>,
    /// Where the system under test sends its pages.
    pub pages_url: String,
    /// First line of the journal.
    pub facts: RunFacts,
    /// Who may be sent traffic and requests.
    pub vouch: Arc<Vouch>,
    /// How a keeper is started; `None`: systems that need none.
    pub keeper: Option<Program>,
    /// Is told what happens, one line each.
    pub on_note: Box<dyn FnMut(&str)>,
    /// Is shown every second as it closes, by completion.
    pub on_second: Box<dyn FnMut(&Interval)>,
}

impl fmt::Debug for StageEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StageEnv").field("dir", &self.dir).field("seed", &self.seed).finish_non_exhaustive()
    }
}

/// Why a drill could not be held, or its evidence not be kept.
#[derive(Debug, Error)]
pub enum DrillError {
    /// The system could not be started.
    #[error(transparent)]
    Rig(#[from] RigError),
    /// The system does not agree to be shaken.
    #[error("{url}: {why}; only a system that agrees is shaken")]
    Handshake {
        /// What was asked.
        url: String,
        /// What is missing.
        why: String,
    },
    /// The system does not answer.
    #[error("{url} does not answer ({why}): start the system, or correct its address in the drill file")]
    Absent {
        /// What was asked.
        url: String,
        /// What happened.
        why: String,
    },
    /// An act of an earlier drill is still in force.
    #[error("act `{act}` is in force already ({seen}): `squall recover` heals what an earlier drill left")]
    InForce {
        /// The act.
        act: String,
        /// What was seen.
        seen: String,
    },
    /// Something could not be healed, and the journal cannot say so.
    #[error("not healed: {}; and the journal cannot be written", list(what))]
    Unclean {
        /// Acts, and why.
        what: Vec<(String, String)>,
    },
    /// A probe has no answer.
    #[error(transparent)]
    Lever(#[from] LeverError),
    /// The journal cannot be written; without it nothing is done to a system.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The measurements cannot be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The traffic could not be made.
    #[error(transparent)]
    Load(#[from] LoadError),
}

fn list(what: &[(String, String)]) -> String {
    what.iter().map(|(act, why)| format!("`{act}`: {why}")).collect::<Vec<_>>().join("; ")
}

impl DrillError {
    /// The exit code: 7 for what an earlier drill left open, else 3.
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::InForce { .. } | Self::Unclean { .. }) { 7 } else { 3 }
    }
}

/// Holds the drill of `plan`. When it returns, nothing it started runs any more, and journal and record are closed.
///
/// # Errors
/// When the drill could not begin, or its journal could not be closed. What went wrong later is in [`Ended`].
pub async fn run(plan: Arc<DrillPlan>, mut env: StageEnv) -> Result<Ended, DrillError> {
    let mut journal = Journal::create(&env.dir.join("journal.jsonl"), &env.clock)?;
    journal.append(Source::Controller, "", Event::Run(env.facts.clone()))?;
    let stop = env.stop.clone();
    let armed = tokio::select! {
        biased;
        reason = stop.requested() => {
            let ended = Ended { ending: Ending::from(reason), unclean: Vec::new(), unproved: Vec::new() };
            close(&mut journal, &ended.ending.words())?;
            return Ok(ended);
        }
        armed = arm(&plan, &mut env) => armed,
    };
    let (rig, traffic) = match armed {
        Ok(armed) => armed,
        Err(error) => {
            close(&mut journal, &format!("failed: {error}"))?;
            return Err(error);
        }
    };
    let levers = Levers::new(ground(&plan, &rig, (&env, &traffic)), plan.acts.len());
    let ledger = rig.keep_ledger(&plan, &env.dir);
    let mut play = Play::new(&plan, (Arc::clone(&levers), &rig), (&mut journal, traffic), &mut env);
    let ended = play.run().await;
    drop(play);
    // Written to its end before the journal is.
    drop(ledger);
    let closed = close(&mut journal, &ended.ending.words());
    // The keeper may have to go on with the journal; and what is still held when the levers go, it undoes.
    drop(journal);
    match &rig.keeper {
        Some(keeper) if ended.unclean.iter().all(|(id, _)| id == TRAFFIC) => keeper.farewell().await,
        Some(keeper) => keeper.abandon(),
        None => {}
    }
    drop(levers);
    rig.stop().await;
    match closed {
        Err(error) if ended.unclean.is_empty() => Err(error.into()),
        Err(_) => Err(DrillError::Unclean { what: ended.unclean }),
        Ok(()) => Ok(ended),
    }
}

/// What the levers stand on.
fn ground(plan: &DrillPlan, rig: &Rig, (env, traffic): (&StageEnv, &Traffic)) -> Ground {
    let variable = |name: &str| std::env::var(name).ok().map(Secret::new);
    Ground {
        admin: rig.admin.clone(),
        outlives: rig.outlives.clone(),
        paths: rig.paths.clone(),
        keeper: rig.keeper.clone(),
        surge: Some(traffic.surge()),
        undo: UndoEnv::new(env.clock.clone(), Arc::clone(&env.vouch), Arc::new(variable)),
        drill: plan.name.clone(),
        dir: env.dir.clone(),
    }
}

/// Everything before the first request of a user: the system is up, agrees, and can be seen.
async fn arm(plan: &Arc<DrillPlan>, env: &mut StageEnv) -> Result<(Rig, Traffic), DrillError> {
    (env.on_note)("starting the system");
    let needs = Needs {
        clock: &env.clock,
        seed: env.seed,
        dir: &env.dir,
        pages_url: &env.pages_url,
        vouch: &env.vouch,
        keeper: env.keeper.as_ref(),
    };
    let rig = Rig::start(plan, &needs).await?;
    let agreement = handshake::agree(&rig.public, &Terms::of(plan)).await?;
    handshake::probes_answer(&rig.admin, plan).await?;
    (env.on_note)(&format!("{} agrees to be shaken ({})", agreement.id, agreement.environment));
    let traffic = Traffic::prepare(plan, &rig.public, env)?;
    Ok((rig, traffic))
}

fn close(journal: &mut Journal, reason: &str) -> Result<(), JournalError> {
    journal.append(Source::Controller, "", Event::End { reason: reason.to_owned() }).map(drop)
}
