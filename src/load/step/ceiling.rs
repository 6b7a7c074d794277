//! Leave to send: what the ceiling of a target says to each attempt, be it a first one, a further try or a hop.
//!
//! Open arrivals do not wait and are refused; closed users wait for their turn. Not here: the count of permissions (`load::gate`).

use crate::base::clock::Tick;
use crate::load::core::Worker;
use crate::load::crew::Crew;
use crate::plan::load::Pattern;

/// What the ceiling of a target says to an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    /// It may leave; a closed user may have waited for it until then.
    At(Tick),
    /// Not now, and an open arrival does not wait.
    Refused,
    /// The run ended while it waited.
    Over,
}

/// Asks for leave to send to `origin` what is due at `due`.
pub(super) async fn leave(worker: &Worker, crew: &Crew, origin: usize, due: Tick) -> Leave {
    let Some(gate) = worker.gate(origin) else { return Leave::At(due) };
    let now = worker.pace.now();
    if matches!(worker.script.plan.workloads[crew.workload].pattern, Pattern::Open { .. }) {
        return if gate.passes(now) { Leave::At(due) } else { Leave::Refused };
    }
    let turn = gate.turn(now);
    if turn <= now {
        return Leave::At(due);
    }
    if worker.rest(crew, turn).await { Leave::At(turn) } else { Leave::Over }
}
