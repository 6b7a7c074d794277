//! A closed workload on one worker: a fixed number of users, each of whom begins again when its last journey has ended.
//!
//! A slow server slows its users, so their percentiles leave out what nobody asked for meanwhile; reports say so.
//! Not here: what a user does (`user`).

use std::rc::Rc;

use super::arrivals::Arrival;
use super::core::Worker;
use super::crew::Tally;
use super::step::pause::Pause;
use super::user::{self, User};
use crate::base::clock::Tick;
use crate::plan::load::Pattern;

/// Brings the users of workload number `crew` that belong to this worker.
pub fn drive(worker: &Rc<Worker>, crew: usize) {
    let here = &worker.crews[crew];
    let workload = &worker.script.plan.workloads[here.workload];
    let Pattern::Closed { users, hold, think } = workload.pattern else { return };
    let over = here.origin + hold;
    let pause = Rc::new(Pause::new(think, format!("closed/{}/think", workload.name)));
    for number in (0..u64::from(users)).filter(|number| worker.shard.owns(*number)) {
        worker.enter();
        let (worker, pause) = (Rc::clone(worker), Rc::clone(&pause));
        drop(tokio::task::spawn_local(async move {
            live(&worker, crew, Life { number, users: u64::from(users), over }, &pause).await;
            worker.leave();
        }));
    }
    here.driving.set(false);
}

/// One user's place among all.
#[derive(Clone, Copy, Debug)]
struct Life {
    number: u64,
    users: u64,
    /// No journey begins at or after this.
    over: Tick,
}

async fn live(worker: &Rc<Worker>, crew: usize, life: Life, pause: &Pause) {
    let here = &worker.crews[crew];
    let mut user = User::default();
    let mut due = here.origin;
    for pass in 0_u64.. {
        let n = pass * life.users + life.number;
        if due >= life.over || !worker.rest(here, due).await {
            break;
        }
        let tally = here.arrivals.get();
        here.arrivals.set(Tally { planned: tally.planned + 1, ..tally });
        let course = worker.course(here, n);
        worker.log.borrow_mut().recorder.journey(course.id, due, |travel| {
            travel.planned += 1;
            travel.started += 1;
        });
        let ended = user::travel(worker, here, &mut user, Arrival { n, due }, course).await;
        if ended == due {
            // A journey that takes no time must not hold up everybody else.
            tokio::task::yield_now().await;
            due = worker.pace.now();
        } else {
            due = ended;
        }
        due += pause.length(worker.seed, here.key, n);
    }
}
