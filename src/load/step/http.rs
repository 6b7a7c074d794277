//! One request, measured: due by the plan, sent before any wait for a connection, done when the answer is whole or given up.
//!
//! What became of it is data: it is recorded here and nowhere else. Not here: sending (`load::client`), judging an answer
//! (`check`).

use super::extract::Reading;
use super::tries::Tries;
use super::{Ask, redirect};
use crate::base::clock::Tick;
use crate::load::client::answer::{Answer, Keep};
use crate::load::client::failure::Failure;
use crate::load::client::h1::Prepared;
use crate::load::client::request;
use crate::load::client::{Errand, Trip};
use crate::load::core::Worker;
use crate::load::crew::Crew;
use crate::load::pace::Limits;
use crate::load::user::User;
use crate::load::vars::Dice;
use crate::measure::outcome::{Class, Kind, Outcome};
use crate::measure::sample::Sample;
use crate::plan::good::Said;

/// How a request ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// When.
    pub done: Tick,
    /// What became of it.
    pub outcome: Outcome,
    /// The status that came; 0 when none did.
    pub status: u16,
}

impl Ended {
    /// Nothing was sent.
    pub fn nothing(at: Tick) -> Self {
        Self { done: at, outcome: Outcome::Answered, status: 0 }
    }
}

/// Sends one request that was due at `due`, again where the client does so, and records what came of it in the end.
pub async fn run(worker: &Worker, crew: &Crew, user: &mut User, ask: &Ask, (due, dice): (Tick, Dice)) -> Ended {
    for pick in &ask.picks {
        pick.take(dice, &mut user.values);
    }
    let sent = worker.pace.now();
    if let Some(budget) = &crew.budget {
        budget.first(sent);
    }
    let mut tries = Tries::default();
    loop {
        let (trip, outcome) = attempt(worker, crew, user, (ask, worker.pace.now(), dice, tries)).await;
        let done = worker.pace.now();
        let again = tries.again(worker, crew, (ask, outcome, done), dice);
        if let Some(pause) = again {
            // This try was sent and is done; the last one is counted with its request.
            worker.log.borrow_mut().recorder.flow(done, |flow| flow.done += 1);
            if !worker.halted.get() && (pause.is_zero() || worker.rest(crew, done + pause).await) {
                continue;
            }
            worker.log.borrow_mut().recorder.flow(done, |flow| flow.done -= 1);
        }
        let said = trip.result.as_ref().map(said).unwrap_or_default();
        return worker.finished(sample(ask, (due, sent, done), outcome, &trip), said);
    }
}

/// One try: the request, its redirects, and what became of it.
async fn attempt(
    worker: &Worker,
    crew: &Crew,
    user: &mut User,
    (ask, sent, dice, tries): (&Ask, Tick, Dice, Tries),
) -> (Trip, Outcome) {
    let Some(request) = ask.mould.cast(|var| user.value(var)) else {
        let nothing = Trip { result: Err(Failure::early(Kind::Variable)), bytes_out: 0, bytes_in: 0 };
        return (nothing, Outcome::Refused(Kind::Variable));
    };
    let patience = ask.patience.as_ref().map(|patience| sent + tries.patience(patience, dice));
    let total = patience.map_or(sent + ask.total, |leaves| leaves.min(sent + ask.total));
    let mut limits = Limits::new(&worker.pace, total, &crew.cut);
    let mut trip = leave(worker, crew, user, (ask.origin, request, ask.keep), &mut limits).await;
    let mut refused = None;
    if worker.script.plan.client.redirects > 0 {
        refused = redirect::follow(worker, crew, user, (ask, &mut trip), &mut limits).await;
    }
    drop(limits);
    let done = worker.pace.now();
    let outcome = match (&trip.result, refused) {
        (Ok(_), Some(kind)) => Outcome::Refused(kind),
        (Ok(answer), None) => judged(ask, answer, user, (sent, done, dice)),
        (Err(Failure { kind: Kind::TimeoutTotal, byte }), _) if patience.is_some_and(|leaves| done >= leaves) => {
            Outcome::Failed { kind: Kind::Abandoned, byte: *byte }
        }
        (Err(Failure { kind, byte }), _) => Outcome::Failed { kind: *kind, byte: *byte },
    };
    (trip, outcome)
}

/// One request there and back, with the user's cookies.
pub(super) async fn leave(
    worker: &Worker,
    crew: &Crew,
    user: &mut User,
    (origin, mut request, keep): (usize, Prepared, Keep),
    limits: &mut Limits<'_>,
) -> Trip {
    let host = worker.script.plan.origins.get(origin).map_or("", |origin| origin.host.as_str());
    if let Some(cookies) = user.jar.as_ref().and_then(|jar| jar.show(host, request::path_of(&request)))
        && !request::carry(&mut request, &cookies)
    {
        return Trip { result: Err(Failure::early(Kind::Variable)), bytes_out: 0, bytes_in: 0 };
    }
    let path = worker.script.plan.client.cookies.then(|| request.uri().clone());
    worker.log.borrow_mut().recorder.sent(worker.pace.now(), 0);
    let trip = crew.client.trip(Errand { origin, request, keep }, &mut user.seat, limits).await;
    if let (Some(path), Ok(answer)) = (path, &trip.result) {
        for line in answer.headers("set-cookie") {
            user.jar.get_or_insert_default().take(line, host, path.path());
        }
    }
    trip
}

/// What became of a whole answer: what it must be, then whose it is, then how old it is. A leak outweighs all.
fn judged(ask: &Ask, answer: &Answer, user: &mut User, (sent, done, dice): (Tick, Tick, Dice)) -> Outcome {
    let outcome = ask.judge.outcome(answer, done - sent, (&mut user.values, dice));
    if ask.owner.as_ref().is_some_and(|owner| owner.is_broken(answer, user)) {
        return Outcome::Refused(Kind::Leak);
    }
    if ask.truth.is_empty() || !outcome.is_ok() {
        return outcome;
    }
    let reading = Reading::new(answer);
    let stale = ask.truth.iter().filter_map(|one| one.judge(&reading, &mut user.memory, (sent, done))).last();
    stale.map_or(outcome, Outcome::Refused)
}

fn said(answer: &Answer) -> Said {
    Said { status: Some(answer.status), retry_after: answer.retry_after }
}

fn sample(ask: &Ask, (due, sent, done): (Tick, Tick, Tick), outcome: Outcome, trip: &Trip) -> Sample {
    Sample {
        step: ask.step,
        due,
        sent,
        done,
        outcome,
        // The worker classes it as it is recorded.
        class: Class::Error,
        bytes_out: trip.bytes_out,
        bytes_in: trip.bytes_in,
    }
}
