//! What surrounds a load: setup before its first arrival, teardown after its last answer, however it ended.
//!
//! Called by every command that runs a scenario. Not here: the steps themselves (`load::errand`).

use std::sync::Arc;

use super::exit::{Exit, Failure, could_not};
use super::term;
use crate::base::seed::Seed;
use crate::base::stop::{Stop, StopReason};
use crate::load::{LoadError, errand};
use crate::measure::journal::{Event, Journal, Source};
use crate::plan::load::LoadPlan;

/// What setup came to.
#[derive(Debug)]
pub(super) enum Before {
    /// The plan with what setup learned.
    Ready(Arc<LoadPlan>),
    /// Somebody asked for the end meanwhile.
    Over(Exit),
}

/// Does the setup of `plan`. When it fails, teardown is done as far as it can be.
pub(super) async fn before(plan: Arc<LoadPlan>, seed: Seed, (stop, hurry): (&Stop, &Stop)) -> Result<Before, Failure> {
    match errand::setup(&plan, seed, stop).await {
        Ok(plan) => Ok(Before::Ready(plan)),
        Err(error) => {
            let left = after(&plan, seed, hurry).await;
            let exit = match (&error, stop.reason()) {
                (LoadError::Setup { .. }, Some(StopReason::Interrupted)) => Exit::Interrupted,
                (LoadError::Setup { .. }, Some(StopReason::Terminated)) => Exit::Terminated,
                _ => {
                    let also = left.map(|left| format!("\n{left}")).unwrap_or_default();
                    return Err(Failure::could_not(format!("{error}{also}")));
                }
            };
            Ok(Before::Over(exit))
        }
    }
}

/// Does the teardown of `plan`, unless somebody is in a hurry; what it could not do, in words.
pub(super) async fn after(plan: &Arc<LoadPlan>, seed: Seed, hurry: &Stop) -> Option<String> {
    tokio::select! {
        done = errand::teardown(plan, seed) => match done {
            Ok(None) => None,
            Ok(Some(broken)) => Some(format!("teardown failed at {broken}; its other steps were done")),
            Err(error) => Some(format!("teardown could not begin: {error}")),
        },
        _ = hurry.requested() => Some("teardown was cut off by a second interruption".to_owned()),
    }
}

/// Writes down what teardown could not do.
pub(super) fn note(left: Option<String>, journal: &mut Journal) -> Result<(), Failure> {
    let Some(text) = left else { return Ok(()) };
    term::note(&text);
    let note = Event::Mark { mark: "note".to_owned(), text };
    journal.append(Source::Controller, "", note).map_err(could_not("write the journal")).map(drop)
}
