//! Ctrl-C and SIGTERM become the stop word; what stopping means is everybody else's business.

use tokio::signal::unix::{SignalKind, signal};

use super::exit::{Failure, could_not};
use crate::base::stop::{Stop, StopReason};

/// Asks `stop` for the end at the first SIGINT or SIGTERM. Needs a runtime; ends with it.
///
/// A second SIGINT asks `hurry`: it stops waiting for verification, never the healing.
pub(super) fn watch(stop: &Stop, hurry: &Stop) -> Result<(), Failure> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(could_not("watch for Ctrl-C"))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(could_not("watch for SIGTERM"))?;
    let (stop, hurry) = (stop.clone(), hurry.clone());
    tokio::spawn(async move {
        loop {
            let reason = tokio::select! {
                got = interrupt.recv() => got.map(|()| StopReason::Interrupted),
                got = terminate.recv() => got.map(|()| StopReason::Terminated),
            };
            let Some(reason) = reason else { return };
            if !stop.request(reason.clone()) {
                hurry.request(reason);
            }
        }
    });
    Ok(())
}
