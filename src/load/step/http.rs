//! One request, measured: due by the plan, sent before any wait for a connection, done when the answer is whole or given up.
//!
//! What became of it is data: it is recorded here and nowhere else. Not here: sending (`load::client`), judging an answer
//! (`check`).

use super::Ask;
use crate::base::clock::Tick;
use crate::load::client::answer::Answer;
use crate::load::client::failure::Failure;
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

/// Sends one request that was due at `due`, and records it.
pub async fn run(worker: &Worker, crew: &Crew, user: &mut User, ask: &Ask, (due, dice): (Tick, Dice)) -> Ended {
    for pick in &ask.picks {
        pick.take(dice, &mut user.values);
    }
    let sent = worker.pace.now();
    let Some(request) = ask.mould.cast(|var| user.value(var)) else {
        let nothing = Trip { result: Err(Failure::early(Kind::Variable)), bytes_out: 0, bytes_in: 0 };
        let sample = sample(ask, (due, sent, sent), Outcome::Refused(Kind::Variable), &nothing);
        return worker.finished(sample, Said::default());
    };
    worker.log.borrow_mut().recorder.sent(sent, 0);
    let mut limits = Limits::new(&worker.pace, sent + ask.total, &crew.cut);
    let errand = Errand { origin: ask.origin, request, keep: ask.keep };
    let trip = crew.client.trip(errand, &mut user.seat, &mut limits).await;
    drop(limits);
    let done = worker.pace.now();
    let outcome = match &trip.result {
        Ok(answer) => ask.judge.outcome(answer, done - sent, (&mut user.values, dice)),
        Err(Failure { kind, byte }) => Outcome::Failed { kind: *kind, byte: *byte },
    };
    let said = trip.result.as_ref().map(said).unwrap_or_default();
    worker.finished(sample(ask, (due, sent, done), outcome, &trip), said)
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
