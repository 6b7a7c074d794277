//! Partly open sessions: after a journey its user may think and begin another, with the same cookies and connections.
//!
//! Chance, pause and journey are drawn by key, named after the workload and the visit. Not here: how sessions begin (`open`).

use super::arrivals::Arrival;
use super::core::Worker;
use super::crew::{Crew, Tally};
use super::step::pause::Pause;
use super::user::{self, User};
use crate::base::seed::unit;
use crate::plan::load::Stay;

/// Where the users of one workload wait for their next journey.
#[derive(Debug)]
pub struct Lounge {
    stay: Stay,
    pause: Pause,
    /// Names its draws.
    place: String,
}

impl Lounge {
    /// The lounge of the workload of this name.
    pub fn new(stay: &Stay, workload: &str) -> Self {
        let place = format!("stay/{workload}");
        Self { stay: stay.clone(), pause: Pause::new(stay.think.clone(), format!("{place}/think")), place }
    }

    /// How long the user of arrival `n` thinks before visit number `visit`; `None` when it leaves instead.
    pub fn next(&self, worker: &Worker, crew: &Crew, (n, visit): (u64, u64)) -> Option<std::time::Duration> {
        let drawn = unit(worker.seed.key(&self.place, &[crew.key, n, visit]));
        let stays = visit < self.stay.at_most && drawn < self.stay.chance;
        stays.then(|| self.pause.length(worker.seed, crew.key ^ visit, n))
    }

    /// Sends the user of `last`, whose journey ended when that is due, on further journeys until it leaves.
    pub async fn stay(&self, worker: &Worker, crew: &Crew, user: &mut User, last: Arrival) {
        let mut due = last.due;
        for visit in 1.. {
            let Some(pause) = self.next(worker, crew, (last.n, visit)) else { return };
            due += pause;
            if !worker.rest(crew, due).await {
                return;
            }
            let mix = &worker.script.plan.workloads[crew.workload].mix;
            let place = worker.seed.keyed(&self.place, &[crew.key, last.n, visit, 1]).below(mix.size());
            let course = &worker.script.courses(crew.workload)[usize::from(mix.card(place))];
            let tally = crew.arrivals.get();
            crew.arrivals.set(Tally { planned: tally.planned + 1, ..tally });
            worker.log.borrow_mut().recorder.journey(course.id, due, |travel| {
                travel.planned += 1;
                travel.started += 1;
            });
            user.place.visit = visit;
            due = user::travel(worker, crew, user, Arrival { n: last.n, due }, course).await;
        }
    }
}
