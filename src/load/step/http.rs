//! One request, measured: due by the plan, sent before any wait for a connection, done when the answer is whole or given up.
//!
//! What became of it is data: it is recorded here and nowhere else. Not here: sending (`load::client`), judging an answer
//! (`check`).

use std::time::Duration;

use super::ceiling::{self, Leave};
use super::extract::Reading;
use super::tries::Tries;
use super::way::Way;
use super::{Ask, booking, label, redirect, staged};
use crate::base::clock::Tick;
use crate::load::client::answer::Answer;
use crate::load::client::failure::Failure;
use crate::load::client::h1::Prepared;
use crate::load::client::request;
use crate::load::client::{Errand, Trip};
use crate::load::core::Worker;
use crate::load::crew::Crew;
use crate::load::exemplars::Beside;
use crate::load::pace::Limits;
use crate::load::tokens;
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
    /// How long its user rested before it was due, for the sake of the target's ceiling.
    pub rested: Duration,
}

impl Ended {
    /// Nothing was sent, for want of leave.
    fn refused(at: Tick, kind: Kind) -> Self {
        Self { outcome: Outcome::Refused(kind), ..Self::nothing(at) }
    }

    /// Nothing was sent.
    pub fn nothing(at: Tick) -> Self {
        Self { done: at, outcome: Outcome::Answered, status: 0, rested: Duration::ZERO }
    }
}

/// Sends one request that was due at `due`, again where the client does so, and records what came of it in the end.
pub async fn run(worker: &Worker, crew: &Crew, user: &mut User, ask: &Ask, (due, dice): (Tick, Dice)) -> Ended {
    let asked = match ask.token {
        None => due,
        Some(token) => match tokens::ensure(worker, crew, user, (token, due)).await {
            Ok(due) => due,
            Err(ended) => return ended,
        },
    };
    let due = match admit(worker, crew, user, (ask, asked)).await {
        Leave::At(due) => due,
        Leave::Refused => {
            worker.log.borrow_mut().recorder.over_ceiling(ask.step, asked);
            return Ended::refused(asked, Kind::OverCeiling);
        }
        Leave::Over => return Ended::refused(asked, Kind::Unfinished),
    };
    for pick in &ask.picks {
        pick.take(dice, &mut user.values);
    }
    let ended = match user.bearing.trick {
        Some(how) => staged::run(worker, crew, user, (ask, how), (due, dice)).await,
        None => send(worker, crew, user, ask, (due, dice)).await,
    };
    Ended { rested: due.since(asked), ..ended }
}

/// Tries until there is nothing more to try, and records what came of it.
async fn send(worker: &Worker, crew: &Crew, user: &mut User, ask: &Ask, (due, dice): (Tick, Dice)) -> Ended {
    let sent = worker.pace.now();
    if let Some(budget) = &crew.budget {
        budget.first(sent);
    }
    let hashes = booking::hashes(ask, user);
    let mut tries = Tries::default();
    let mut way = Way::new((due, sent));
    loop {
        let tried = attempt(worker, crew, user, (ask, dice, tries), &mut way).await;
        let done = tried.trip.done;
        let said = tried.trip.result.as_ref().map(said).unwrap_or_default();
        way.ends(worker, ask, (tried.outcome, said), &tried.trip);
        if tries.renews(worker, user, (ask, &tried.trip))
            && let Some(due) = renewed(worker, crew, user, (ask, done)).await
        {
            worker.log.borrow_mut().recorder.flow(done, |flow| flow.done += 1);
            way = Way::new((due, worker.pace.now()));
            continue;
        }
        let again = tries.again(worker, crew, (ask, &tried, dice));
        // A try that another one follows was sent and is done; the last one is counted with its request.
        if let Some(pause) = again
            && !worker.halted.get()
            && (pause.is_zero() || worker.rest(crew, done + pause).await)
            && matches!(ceiling::leave(worker, crew, ask.origin, done).await, Leave::At(_))
        {
            worker.log.borrow_mut().recorder.flow(done, |flow| flow.done += 1);
            way = Way::new((done + pause, worker.pace.now()));
            continue;
        }
        booking::note(worker, ask, hashes, (&tried, tries.further()));
        let first = tried.trip.result.as_ref().ok().map(|answer| answer.first(done));
        let beside = Beside { chain: &way.chain, age: way.age, first };
        let sample = sample(ask, (due, sent, done), tried.outcome, &tried.trip);
        if !ask.tags.is_empty() {
            label::count(worker, user, (ask, &tried.trip), (&sample, said));
        }
        return worker.finished(sample, said, beside);
    }
}

/// Fetches the token of `ask` anew after an answer that came at `done` refused it: when the further try is due; `None`: there is none.
async fn renewed(worker: &Worker, crew: &Crew, user: &mut User, (ask, done): (&Ask, Tick)) -> Option<Tick> {
    let due = tokens::ensure(worker, crew, user, (ask.token?, done)).await.ok()?;
    matches!(ceiling::leave(worker, crew, ask.origin, due).await, Leave::At(_)).then_some(due)
}

/// What one try came to.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) trip: Trip,
    pub(super) outcome: Outcome,
}

/// Leave for the first try; a journey that begins with this request has it already.
async fn admit(worker: &Worker, crew: &Crew, user: &mut User, (ask, due): (&Ask, Tick)) -> Leave {
    if std::mem::take(&mut user.bearing.admitted) {
        return Leave::At(due);
    }
    ceiling::leave(worker, crew, ask.origin, due).await
}

/// One try: the request, its redirects, and what became of it.
async fn attempt(
    worker: &Worker,
    crew: &Crew,
    user: &mut User,
    (ask, dice, tries): (&Ask, Dice, Tries),
    way: &mut Way,
) -> Tried {
    let sent = way.sent();
    let Some(request) = ask.mould.cast(|var| user.value(var)) else {
        return Tried { trip: unsent(sent), outcome: Outcome::Refused(Kind::Variable) };
    };
    let patience = ask.further.0.as_ref().map(|patience| sent + tries.patience(patience, dice));
    let total =
        patience.map_or(sent + ask.client.timeouts.total, |leaves| leaves.min(sent + ask.client.timeouts.total));
    let mut limits = Limits::new(&worker.pace, (sent, total), &crew.cut, &ask.client.timeouts);
    let mut trip = leave(worker, crew, user, (ask, None, request), &mut limits).await;
    let mut refused = None;
    if ask.client.redirects > 0 {
        refused = redirect::follow(worker, crew, user, (ask, &mut trip, way), &mut limits).await;
    }
    drop(limits);
    let done = trip.done;
    let outcome = match (&trip.result, refused) {
        (Ok(_), Some(kind)) => Outcome::Refused(kind),
        (Ok(answer), None) => judged(ask, answer, user, (sent, done, dice), &mut way.age),
        (Err(Failure { kind: Kind::TimeoutTotal, byte }), _) if patience.is_some_and(|leaves| done >= leaves) => {
            Outcome::Failed { kind: Kind::Abandoned, byte: *byte }
        }
        (Err(Failure { kind, byte }), _) => Outcome::Failed { kind: *kind, byte: *byte },
    };
    Tried { trip, outcome }
}

/// A request that could not be laid out.
fn unsent(at: Tick) -> Trip {
    Trip { result: Err(Failure::early(Kind::Variable)), done: at, bytes_out: 0, bytes_in: 0 }
}

/// One request there and back, with the user's cookies; `hop` is where a redirect leads, `None` for the request as written.
pub(super) async fn leave(
    worker: &Worker,
    crew: &Crew,
    user: &mut User,
    (ask, hop, mut request): (&Ask, Option<(usize, &str)>, Prepared),
    limits: &mut Limits<'_>,
) -> Trip {
    let origin = hop.map_or(ask.origin, |(origin, _)| origin);
    let plan = &worker.script.plan;
    let host = || plan.origins.get(origin).map_or("", |origin| origin.host.as_str());
    if let Some(cookies) = user.jar.as_ref().and_then(|jar| jar.show(host(), request::path_of(&request)))
        && !request::carry(&mut request, &cookies)
    {
        return unsent(worker.pace.now());
    }
    tell(worker, user, (ask, origin), &request);
    let sent = if hop.is_some() { worker.pace.now() } else { limits.seen() };
    worker.log.borrow_mut().recorder.sent(sent, 0);
    let trip = crew.client.trip(Errand { origin, request, keep: ask.keep }, &mut user.seat, limits).await;
    if let Some(tale) = &mut user.rare.tale {
        tale.answered(&trip, sent);
    }
    // Most answers set none: only one that does pays for its path.
    if let Ok(answer) = &trip.result
        && ask.client.cookies
        && answer.sets_cookies()
    {
        let path = match hop {
            Some((_, path)) => path.to_owned(),
            None => ask.mould.path(|variable| user.value(variable)),
        };
        for line in answer.headers("set-cookie") {
            user.jar.get_or_insert_default().take(line, host(), &path);
        }
    }
    trip
}

/// Keeps a request that is about to leave, for a user who is looked at.
fn tell(worker: &Worker, user: &mut User, (ask, origin): (&Ask, usize), request: &Prepared) {
    let Some(tale) = &mut user.rare.tale else { return };
    let plan = &worker.script.plan;
    let step = plan.steps.get(usize::from(ask.step.0)).map_or("?", String::as_str);
    let place = plan.origins.get(origin);
    let origin = place.map(|origin| format!("{}://{}", origin.scheme.name(), origin.authority())).unwrap_or_default();
    tale.asked(step, request::shown(request, &origin));
}

/// What became of a whole answer: what it must be, then whose it is, then how old it is. A leak outweighs all.
fn judged(
    ask: &Ask,
    answer: &Answer,
    user: &mut User,
    (sent, done, dice): (Tick, Tick, Dice),
    age: &mut Option<Duration>,
) -> Outcome {
    let outcome = ask.judge.outcome(answer, done - sent, (&mut user.values, dice));
    if ask.owner.as_ref().is_some_and(|owner| owner.is_broken(answer, user)) {
        return Outcome::Refused(Kind::Leak);
    }
    if ask.truth.versions.is_empty() || !outcome.is_ok() {
        return outcome;
    }
    let reading = Reading::new(answer);
    *age = ask.truth.versions.iter().filter_map(|one| one.judge(&reading, &mut user.memory, (sent, done))).last();
    age.map_or(outcome, |_| Outcome::Refused(Kind::Stale))
}

/// What the head of `answer` says, as far as classes need it.
pub(super) fn said(answer: &Answer) -> Said {
    Said { status: Some(answer.status), retry_after: answer.retry_after.is_some() }
}

/// A request that was due, sent and done then.
pub(super) fn sample(ask: &Ask, (due, sent, done): (Tick, Tick, Tick), outcome: Outcome, trip: &Trip) -> Sample {
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
