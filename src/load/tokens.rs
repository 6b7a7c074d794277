//! Tokens that requests carry: fetched when they are needed first, early before they end, and once after an answer refused them.
//!
//! Fetching is done by the very user who needs the token, before its request is due. A token that all share is fetched by one of
//! them while the others wait, or go on with the old one as long as it lasts. Not here: the steps (`user::follow`).

use std::cell::Cell;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use super::LoadError;
use super::arrivals::Arrival;
use super::core::Worker;
use super::crew::Crew;
use super::step::http::Ended;
use super::step::{Course, courses_of};
use super::user::{self, Bearing, User};
use crate::base::clock::Tick;
use crate::base::secret::Secret;
use crate::measure::outcome::{Kind, Outcome};
use crate::plan::chores::{Share, Token};
use crate::plan::good::StatusSet;
use crate::plan::load::LoadPlan;
use crate::plan::program::{Journey, OnFailure, Think};
use crate::plan::template::{Template, VarId};

/// A compiled token.
#[derive(Debug)]
pub struct Login {
    course: Course,
    value: Template,
    /// The variable that holds it.
    pub into: VarId,
    token: Token,
    /// Answers with these statuses say that it is over.
    pub renew_on: StatusSet,
    /// Where all find it; `None`: each user has its own.
    purse: Option<Purse>,
}

/// A token that was fetched.
#[derive(Clone, Debug)]
pub struct Held {
    value: Secret,
    /// From then on it is fetched anew.
    early: Tick,
    /// From then on it is no good.
    end: Tick,
    /// Which fetching it came from.
    nth: u64,
}

/// The tokens of one user, by number.
pub type Wallet = Vec<Option<Held>>;

/// A token that all share, over all workers.
#[derive(Debug, Default)]
struct Purse(Mutex<Shared>);

#[derive(Debug, Default)]
struct Shared {
    held: Option<Held>,
    /// Somebody is fetching it.
    busy: bool,
    waiting: Vec<Waker>,
}

/// What the purse says to one who needs the token.
enum Found {
    Held(Held),
    /// It is this user's turn to fetch it.
    Turn,
    Wait,
}

impl Purse {
    fn open(&self) -> MutexGuard<'_, Shared> {
        // What a thread left behind when it died is still a token, or none.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, now: Tick, waker: Option<&Waker>) -> Found {
        let mut shared = self.open();
        match &shared.held {
            Some(held) if now < held.early || (shared.busy && now < held.end) => return Found::Held(held.clone()),
            _ => {}
        }
        if shared.busy {
            shared.waiting.extend(waker.cloned());
            return Found::Wait;
        }
        shared.busy = true;
        Found::Turn
    }

    fn close(&self, held: Option<Held>) {
        let mut shared = self.open();
        shared.busy = false;
        if held.is_some() {
            shared.held = held;
        }
        shared.waiting.drain(..).for_each(Waker::wake);
    }
}

impl Login {
    /// The tokens of `plan`, compiled.
    ///
    /// # Errors
    /// As [`super::step::Script::new`].
    pub fn all(plan: &LoadPlan) -> Result<Vec<Self>, LoadError> {
        plan.chores.tokens.iter().map(|token| Self::new(plan, token)).collect()
    }

    /// The steps that fetch it.
    pub fn course(&self) -> &Course {
        &self.course
    }

    /// The steps that fetch it, to be changed before the run.
    pub fn course_mut(&mut self) -> &mut Course {
        &mut self.course
    }

    fn new(plan: &LoadPlan, token: &Token) -> Result<Self, LoadError> {
        let journey = Journey {
            name: format!("token/{}", token.name),
            steps: token.steps.clone(),
            think: Think::Off,
            on_failure: OnFailure::EndJourney,
            owner: None,
            misbehave: Vec::new(),
            client: None,
        };
        Ok(Self {
            course: courses_of(plan, &plan.client, &[journey])?.remove(0),
            value: token.value.clone(),
            into: token.into,
            renew_on: token.renew_on.clone(),
            purse: (token.share == Share::All).then(Purse::default),
            token: token.clone(),
        })
    }
}

/// Gives `user` token number `number` of the plan, fetching it when it has none; when its request is due then.
///
/// # Errors
/// What the fetching came to, when it failed.
pub async fn ensure(
    worker: &Worker,
    crew: &Crew,
    user: &mut User,
    (number, due): (usize, Tick),
) -> Result<Tick, Ended> {
    let Some(login) = worker.script.logins.get(number) else { return Ok(due) };
    let waited = Cell::new(false);
    if let Some(purse) = &login.purse {
        let held = poll_fn(|cx| match purse.look(worker.pace.now(), Some(cx.waker())) {
            Found::Held(held) => Poll::Ready(Some(held)),
            Found::Turn => Poll::Ready(None),
            Found::Wait => {
                waited.set(true);
                Poll::Pending
            }
        })
        .await;
        // Who had to wait for another's token is due when it came.
        let later = worker.pace.now();
        let due = if waited.get() { due.max(later) } else { due };
        if let Some(held) = held {
            put(user, number, login, held);
            return Ok(due);
        }
        let mut turn = Turn { purse, held: None };
        let (held, done) = Box::pin(fetch(worker, crew, user, (login, due))).await?;
        turn.held = Some(held.clone());
        drop(turn);
        put(user, number, login, held);
        return Ok(done);
    }
    if let Some(Some(held)) = user.rare.wallet.get(number)
        && worker.pace.now() < held.early
    {
        let held = held.clone();
        put(user, number, login, held);
        return Ok(due);
    }
    let (held, done) = Box::pin(fetch(worker, crew, user, (login, due))).await?;
    put(user, number, login, held);
    Ok(done)
}

/// A turn to fetch: however it ends, the others do not wait for ever.
struct Turn<'a> {
    purse: &'a Purse,
    held: Option<Held>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.purse.close(self.held.take());
    }
}

/// Forgets token number `number` as `user` has it: an answer refused it. One that was fetched meanwhile stays.
pub fn refuse(worker: &Worker, user: &mut User, number: usize) {
    let Some(login) = worker.script.logins.get(number) else { return };
    let Some(old) = user.rare.wallet.get_mut(number).and_then(Option::take) else { return };
    if let Some(purse) = &login.purse {
        let mut shared = purse.open();
        if shared.held.as_ref().is_some_and(|held| held.nth == old.nth) {
            shared.held = None;
        }
    }
}

fn put(user: &mut User, number: usize, login: &Login, held: Held) {
    if let Some(slot) = user.values.get_mut(usize::from(login.into.0))
        && slot != held.value.expose()
    {
        held.value.expose().clone_into(slot);
    }
    if user.rare.wallet.len() <= number {
        user.rare.wallet.resize(number + 1, None);
    }
    user.rare.wallet[number] = Some(held);
}

/// Fetches it. What the steps set stays among them: a journey never sees a variable of a token.
async fn fetch(
    worker: &Worker,
    crew: &Crew,
    user: &mut User,
    (login, due): (&Login, Tick),
) -> Result<(Held, Tick), Ended> {
    let mut member = user.member();
    (member.bearing, member.rare) = (Bearing::default(), std::mem::take(&mut user.rare));
    let n = user.place.arrival;
    let came = user::follow(worker, crew, &mut member, Arrival { n, due }, &login.course).await;
    user.lanes.push(member.seat);
    user.jar = member.jar.or(user.jar.take());
    user.rare = member.rare;
    if let Some((_, outcome)) = came.broke {
        return Err(Ended { outcome, ..Ended::nothing(came.next) });
    }
    let mut text = String::new();
    login.value.render(|variable| member.values.get(usize::from(variable.0)).map_or("", String::as_str), &mut text);
    if text.is_empty() {
        return Err(Ended { outcome: Outcome::Refused(Kind::Variable), ..Ended::nothing(came.next) });
    }
    let life = login.token.life;
    let end = life.lifetime.map_or(Tick::MAX, |lifetime| came.next + lifetime);
    let early = life.lifetime.map_or(end, |lifetime| came.next + lifetime.saturating_sub(life.renew_before));
    Ok((Held { value: Secret::new(text), early, end, nth: worker.pace.now().nanos() }, came.next))
}
