//! An open workload on one worker: every arrival begins when it is due, whatever the server does; at the cap it is shed.
//!
//! The driver never waits for a user. Not here: when arrivals are due (`arrivals`), what a user does (`user`).

use std::rc::Rc;

use super::arrivals::{Arrival, Arrivals, Order};
use super::core::Worker;
use super::crew::Tally;
use super::pace::wake_for;
use super::step::Move;
use super::surge::Walk;
use super::user;
use crate::base::clock::Tick;
use crate::plan::load::Pattern;

/// Arrivals that may begin before everything else has its turn.
const IN_A_ROW: u32 = 64;

/// Lets the arrivals of workload number `crew` begin, each when it is due.
pub async fn drive(worker: Rc<Worker>, crew: usize) {
    let script = std::sync::Arc::clone(&worker.script);
    let here = &worker.crews[crew];
    let workload = &script.plan.workloads[here.workload];
    let Pattern::Open { curve, spacing, arrivals, .. } = &workload.pattern else { return };
    let order = Order { spacing: *spacing, most: *arrivals, seed: worker.seed, workload: &workload.name };
    let mine = Arrivals::new(curve, &order, worker.shard);
    let planned = mine.owned();
    let mut waiting = planned;
    let share = 1.0 / f64::from(worker.shard.of);
    let lasts = script.lasts.get(here.workload).copied().unwrap_or(u64::MAX);
    let mut in_a_row = 0;
    let mut walk = Walk::default();
    for Arrival { n, due } in mine.take_while(|one| one.n < lasts) {
        let times = worker.surge.times(worker.pace.now());
        let rate = curve.rate_at(due.secs_f64()) * share * times;
        let due = here.origin + walk.step(due, times).since(Tick::ZERO);
        if !worker.rest_until_arrival(wake_for(due, rate)).await {
            break;
        }
        // Arrivals that are all overdue must leave room for answers, the heartbeat and the word to stop.
        in_a_row += 1;
        if in_a_row == IN_A_ROW {
            in_a_row = 0;
            tokio::task::yield_now().await;
            if worker.pace.now() >= here.cut.get() {
                break;
            }
        }
        waiting -= 1;
        if walk.is_multiplied() {
            worker.surge.count();
        }
        begin(&worker, crew, Arrival { n, due });
    }
    let visits = here.arrivals.get().planned;
    here.arrivals.set(Tally { planned: planned + visits, waiting });
    here.driving.set(false);
}

/// Begins one journey, or sheds it.
fn begin(worker: &Rc<Worker>, crew: usize, arrival: Arrival) {
    let here = &worker.crews[crew];
    let course = worker.course(here, arrival.n);
    let (id, first) = (course.id, course.first);
    let mut log = worker.log.borrow_mut();
    if !here.cap.enter() {
        log.recorder.journey(id, arrival.due, |travel| travel.planned += 1);
        log.recorder.shed(id, first, arrival.due);
        return;
    }
    // A journey that begins with a request needs leave for it before it begins.
    let opening =
        if let Some(Move::Ask(ask)) = course.moves.first() { worker.gate(ask.origin).zip(first) } else { None };
    if let Some((_, step)) = opening.filter(|(gate, _)| !gate.passes(worker.pace.now())) {
        here.cap.leave();
        log.recorder.journey(id, arrival.due, |travel| {
            travel.planned += 1;
            travel.shed += 1;
        });
        log.recorder.over_ceiling(step, arrival.due);
        return;
    }
    let admitted = opening.is_some();
    log.recorder.journey(id, arrival.due, |travel| {
        travel.planned += 1;
        travel.started += 1;
    });
    drop(log);
    worker.enter();
    let worker = Rc::clone(worker);
    // The task is not awaited: it counts itself out.
    drop(tokio::task::spawn_local(async move {
        let here = &worker.crews[crew];
        let course = &worker.script.courses[usize::from(id.0)];
        let mut user = worker.spare.borrow_mut().pop().unwrap_or_default();
        user.bearing.admitted = admitted;
        (user.visit, user.number) = (0, None);
        let ended = user::travel(&worker, here, &mut user, arrival, course).await;
        if let Some(lounge) = &here.lounge {
            lounge.stay(&worker, here, &mut user, Arrival { due: ended, ..arrival }).await;
        }
        user.leave();
        worker.spare.borrow_mut().push(user);
        here.cap.leave();
        worker.leave();
    }));
}
