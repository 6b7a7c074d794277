//! A closed workload on one worker: a fixed number of users, each of whom begins again when its last journey has ended.
//!
//! A slow server slows its users, so their percentiles leave out what nobody asked for meanwhile; reports say so.
//! Not here: what a user does (`user`).

use std::rc::Rc;

use super::arrivals::Arrival;
use super::core::Worker;
use super::crew::{Crew, Tally};
use super::pace::Limits;
use super::step::pause::Pause;
use super::user::{self, User};
use crate::base::clock::Tick;
use crate::plan::load::{Iterations, Pattern, Rounds};

/// Brings the users of workload number `crew` that belong to this worker.
pub fn drive(worker: &Rc<Worker>, crew: usize) {
    let here = &worker.crews[crew];
    let workload = &worker.script.plan.workloads[here.workload];
    let Pattern::Closed { users, think, staff, rounds, .. } = &workload.pattern else { return };
    let pause = Rc::new(Pause::new(think.clone(), format!("closed/{}/think", workload.name)));
    for number in (0..u64::from(*users)).filter(|number| worker.shard.owns(*number)) {
        let spans = staff.spans(number).into_iter();
        let life = Life {
            number,
            users: u64::from(*users),
            spans: spans.map(|(from, to)| (here.origin + from, here.origin + to)).collect(),
            rounds: *rounds,
        };
        worker.enter();
        let (worker, pause) = (Rc::clone(worker), Rc::clone(&pause));
        drop(tokio::task::spawn_local(async move {
            live(&worker, crew, &life, &pause).await;
            worker.leave();
        }));
    }
    here.driving.set(false);
}

/// One user's place among all.
#[derive(Debug)]
struct Life {
    number: u64,
    users: u64,
    /// When it is there; no journey begins at or after the end of a stretch.
    spans: Vec<(Tick, Tick)>,
    rounds: Rounds,
}

impl Life {
    /// The number of this user's journey `pass`; `None` when there is none left to do.
    fn journey(&self, worker: &Worker, crew: usize, pass: u64) -> Option<u64> {
        match self.rounds.most {
            None => Some(pass * self.users + self.number),
            Some(Iterations::PerUser(most)) => (pass < most).then_some(pass * self.users + self.number),
            Some(Iterations::Shared(most)) => Some(worker.crews[crew].tickets.take()).filter(|ticket| *ticket < most),
        }
    }
}

/// Opens the connection of one of the first users before anybody asks.
async fn ahead(worker: &Rc<Worker>, here: &Crew, user: &mut User, number: u64) {
    let client = &worker.script.plan.client;
    if number < client.wires.life.open_first as u64 {
        let now = worker.pace.now();
        let mut limits = Limits::new(&worker.pace, (now, now + client.timeouts.total), &here.cut);
        here.client.seat_ahead(&mut user.seat, &mut limits).await;
    }
}

async fn live(worker: &Rc<Worker>, crew: usize, life: &Life, pause: &Pause) {
    let here = &worker.crews[crew];
    let mut user = User { number: Some(life.number), ..User::default() };
    ahead(worker, here, &mut user, life.number).await;
    let mut pass = 0_u64;
    let mut free = here.origin;
    for (from, to) in &life.spans {
        let mut due = free.max(*from);
        while due < *to {
            if !worker.rest(here, due).await {
                return;
            }
            let lasts = worker.script.lasts.get(here.workload).copied().unwrap_or(u64::MAX);
            let Some(n) = life.journey(worker, crew, pass).filter(|n| *n < lasts) else { return };
            let tally = here.arrivals.get();
            here.arrivals.set(Tally { planned: tally.planned + 1, ..tally });
            let course = worker.course(here, n);
            worker.log.borrow_mut().recorder.journey(course.id, due, |travel| {
                travel.planned += 1;
                travel.started += 1;
            });
            let mut ended = user::travel(worker, here, &mut user, Arrival { n, due }, course).await;
            if ended == due {
                // A journey that takes no time must not hold up everybody else.
                tokio::task::yield_now().await;
                ended = worker.pace.now();
            }
            let free = ended + pause.length(worker.seed, here.key, n);
            if !life.rounds.cycle.is_zero() && free > due + life.rounds.cycle {
                worker.log.borrow_mut().recorder.journey(course.id, due, |travel| travel.overran += 1);
            }
            due = free.max(due + life.rounds.cycle);
            pass += 1;
        }
        free = due;
    }
}
