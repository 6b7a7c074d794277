//! A request of a user who misbehaves on purpose: sent, counted as staged, and in no ratio and no percentile.
//!
//! It is never tried again and follows no redirect. What it extracts is there for the user's next step. Not here: how it
//! misbehaves (`load::client::staged`).

use super::Ask;
use super::http::Ended;
use crate::base::clock::Tick;
use crate::load::client::{Errand, request};
use crate::load::core::Worker;
use crate::load::crew::Crew;
use crate::load::pace::Limits;
use crate::load::user::User;
use crate::load::vars::Dice;
use crate::measure::outcome::{Kind, Outcome};
use crate::plan::load::Origin;
use crate::plan::misbehave::How;

/// Sends the request of `ask`, due at `due`, as a bad client does.
pub(super) async fn run(
    worker: &Worker,
    crew: &Crew,
    user: &mut User,
    (ask, how): (&Ask, How),
    (due, dice): (Tick, Dice),
) -> Ended {
    let staged = |at| Ended { outcome: Outcome::Staged, ..Ended::nothing(at) };
    let sent = worker.pace.now();
    let Some(mut request) = ask.mould.cast(|variable| user.value(variable)) else { return staged(sent) };
    let host = worker.script.plan.origins.get(ask.origin).map_or("", |origin: &Origin| origin.host.as_str());
    let cookies = user.jar.as_ref().and_then(|jar| jar.show(host, request::path_of(&request)));
    if cookies.is_some_and(|cookies| !request::carry(&mut request, &cookies)) {
        return staged(sent);
    }
    worker.log.borrow_mut().recorder.sent(sent, 0);
    let mut limits = Limits::new(&worker.pace, (sent, sent + ask.total), &crew.cut);
    let errand = Errand { origin: ask.origin, request, keep: ask.keep };
    let trip = crew.client.stage(errand, how, &mut limits).await;
    drop(limits);
    worker.log.borrow_mut().recorder.staged(ask.step, (due, trip.done), (trip.bytes_in, trip.bytes_out));
    match &trip.result {
        Ok(answer) => {
            // Whatever it should have been: only what is taken from it counts, for the steps behind.
            let _ = ask.judge.outcome(answer, trip.done - sent, (&mut user.values, dice));
            Ended { status: answer.status, ..staged(trip.done) }
        }
        Err(failure) if failure.kind == Kind::Unfinished => {
            Ended { outcome: Outcome::Failed { kind: Kind::Unfinished, byte: failure.byte }, ..staged(trip.done) }
        }
        Err(_) => staged(trip.done),
    }
}
