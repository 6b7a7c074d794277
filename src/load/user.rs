//! One virtual user on one journey: its moves in order, its variables, and what the journey came to.
//!
//! Not here: who begins when (`open`, `closed`), one request (`step::http`).

use std::time::Duration;

use super::arrivals::Arrival;
use super::client::Seat;
use super::core::Worker;
use super::crew::Crew;
use super::step::{Ask, Course, Move, http};
use super::vars;
use crate::base::clock::Tick;
use crate::measure::histogram::micros;
use crate::measure::outcome::Kind;
use crate::plan::load::Pattern;
use crate::plan::program::OnFailure;
use crate::plan::template::VarId;

/// What a user carries. Recycled from journey to journey.
#[derive(Debug, Default)]
pub struct User {
    /// Values of its variables.
    pub values: Vec<String>,
    /// Its own connections, when they are not shared.
    pub seat: Seat,
    /// True when its next request has the target's leave already.
    pub admitted: bool,
    /// Which journey of its session this is, from 0.
    pub visit: u64,
    /// Its key in every draw: the workload's, and another one for each further visit.
    pub key: u64,
}

impl User {
    /// The value of `var`; empty when it was never set.
    pub fn value(&self, var: VarId) -> &str {
        self.values.get(usize::from(var.0)).map_or("", String::as_str)
    }

    fn begin(&mut self, worker: &Worker, crew: &Crew, n: u64) {
        self.values.iter_mut().for_each(String::clear);
        self.values.resize_with(usize::from(worker.script.plan.variables), String::new);
        self.key = if self.visit == 0 { crew.key } else { worker.seed.key("visit", &[crew.key, self.visit]) };
        vars::draw(&worker.script.draws, worker.seed, (self.key, n), &mut self.values);
    }
}

/// How a journey ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// At its end; false when a step on the way failed.
    Completed(bool),
    /// A step failed.
    Failed,
    /// The run ended.
    Unfinished,
}

/// What the ceiling of a target says to a request.
enum Leave {
    /// It may leave; a closed user may have waited for it.
    At(Tick),
    /// Not now, and an open arrival does not wait.
    Refused,
    /// The run ended while it waited.
    Over,
}

/// Asks for leave to send `ask`, due at `due`. Waiting for it is a user's rest, not the target's time.
async fn leave(worker: &Worker, crew: &Crew, user: &mut User, ask: &Ask, due: Tick) -> Leave {
    let Some(gate) = worker.gate(ask.origin).filter(|_| !std::mem::take(&mut user.admitted)) else {
        return Leave::At(due);
    };
    let now = worker.pace.now();
    if matches!(worker.script.plan.workloads[crew.workload].pattern, Pattern::Open { .. }) {
        if gate.passes(now) {
            return Leave::At(due);
        }
        worker.log.borrow_mut().recorder.over_ceiling(ask.step, due);
        return Leave::Refused;
    }
    let turn = gate.turn(now);
    if turn <= now {
        return Leave::At(due);
    }
    if worker.rest(crew, turn).await { Leave::At(turn) } else { Leave::Over }
}

/// Runs one journey, begun already, and counts what it came to. Returns when its last step ended.
pub async fn travel(worker: &Worker, crew: &Crew, user: &mut User, arrival: Arrival, course: &Course) -> Tick {
    user.begin(worker, crew, arrival.n);
    let mut next = arrival.due;
    let mut rested = Duration::ZERO;
    let mut fate = Fate::Completed(true);
    for one in &course.moves {
        match one {
            Move::Rest(pause) => {
                let length = pause.length(worker.seed, user.key, arrival.n);
                next += length;
                rested += length;
                if !worker.rest(crew, next).await {
                    fate = Fate::Unfinished;
                }
            }
            Move::Ask(_) if worker.halted.get() => fate = Fate::Unfinished,
            Move::Ask(ask) => {
                match leave(worker, crew, user, ask, next).await {
                    Leave::At(at) => {
                        rested += at.since(next);
                        next = at;
                    }
                    Leave::Refused => fate = Fate::Failed,
                    Leave::Over => fate = Fate::Unfinished,
                }
                if matches!(fate, Fate::Failed | Fate::Unfinished) {
                    break;
                }
                let ended = http::run(worker, crew, user, ask, next).await;
                next = ended.done;
                fate = match ended.outcome.kind() {
                    None => fate,
                    Some(Kind::Unfinished) => Fate::Unfinished,
                    Some(_) if course.on_failure == OnFailure::Continue => Fate::Completed(false),
                    Some(_) => Fate::Failed,
                };
            }
        }
        if matches!(fate, Fate::Failed | Fate::Unfinished) {
            break;
        }
    }
    let latency = micros((next - arrival.due).saturating_sub(rested));
    worker.log.borrow_mut().recorder.journey(course.id, arrival.due, |travel| match fate {
        Fate::Completed(good) => {
            travel.completed += 1;
            if good { travel.latency.ok.record(latency) } else { travel.latency.rest.record(latency) }
        }
        Fate::Failed => {
            travel.failed += 1;
            travel.latency.rest.record(latency);
        }
        Fate::Unfinished => travel.unfinished += 1,
    });
    next
}
