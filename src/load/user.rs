//! One virtual user on one journey: its moves in order, its variables, and what the journey came to.
//!
//! Not here: who begins when (`open`, `closed`), one request (`step::http`).

use std::time::Duration;

use super::arrivals::Arrival;
use super::client::Seat;
use super::cookies::Jar;
use super::core::Worker;
use super::crew::Crew;
use super::integrity::Memory;
use super::rows::{self, Asking};
use super::step::http::Ended;
use super::step::turn::Turn;
use super::step::{Course, Move, group, http};
use super::tale::Tale;
use super::tokens::Wallet;
use super::vars::{self, Dice};
use crate::base::clock::Tick;
use crate::measure::histogram::micros;
use crate::measure::outcome::{Kind, Outcome};
use crate::measure::recorder::Arrived;
use crate::measure::sample::StepId;
use crate::plan::misbehave::How;
use crate::plan::program::OnFailure;
use crate::plan::template::VarId;

/// What a user carries. Recycled from journey to journey.
#[derive(Debug, Default)]
pub struct User {
    /// Values of its variables.
    pub values: Vec<String>,
    /// Its own connections, when they are not shared.
    pub seat: Seat,
    /// What is special about its requests.
    pub bearing: Bearing,
    /// Where it stands in the plan.
    pub place: Place,
    /// Its key in every draw: the workload's, and another one for each further visit.
    pub key: u64,
    /// The status of its last answer; 0 when none came.
    pub status: u16,
    /// What the turn of a repetition adds to the key of draws; 0 outside.
    pub pass: u64,
    /// Its repetitions under way.
    pub turns: Vec<Turn>,
    /// Its cookies; `None` until an answer sets one.
    pub jar: Option<Box<Jar>>,
    /// What it wrote last, for freshness.
    pub memory: Memory,
    /// Its further connections, when they are not shared and requests go side by side.
    pub lanes: Vec<Seat>,
    /// What few users have.
    pub rare: Rare,
}

/// Where a user stands in the plan.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// Which journey of its session this is, from 0.
    pub visit: u64,
    /// Its place among the users of a closed workload.
    pub number: Option<u64>,
    /// Number of its arrival.
    pub arrival: u64,
}

/// What only some scenarios give their users; empty costs nothing.
#[derive(Debug, Default)]
pub struct Rare {
    /// Its tokens.
    pub wallet: Wallet,
    /// What is said, for one who is looked at.
    pub tale: Option<Box<Tale>>,
}

impl Rare {
    /// What one of several requests side by side has of it.
    fn member(&self) -> Self {
        Self { wallet: self.wallet.clone(), tale: self.tale.as_ref().map(|_| Box::default()) }
    }

    /// Takes over what was said to a member.
    pub fn hear(&mut self, member: Self) {
        if let (Some(tale), Some(said)) = (&mut self.tale, member.tale) {
            tale.join(*said);
        }
    }
}

/// What is special about the requests of a user; as a rule nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bearing {
    /// True when the next one has the target's leave already.
    pub admitted: bool,
    /// What is wrong with them in this journey.
    pub trick: Option<How>,
}

impl User {
    /// The value of `var`; empty when it was never set.
    pub fn value(&self, var: VarId) -> &str {
        self.values.get(usize::from(var.0)).map_or("", String::as_str)
    }

    /// A user who sends one of several requests side by side, with a connection that is free.
    #[must_use]
    pub fn member(&mut self) -> Self {
        Self {
            values: self.values.clone(),
            seat: self.lanes.pop().unwrap_or_default(),
            jar: self.jar.clone(),
            memory: self.memory.clone(),
            bearing: Bearing { admitted: false, ..self.bearing },
            key: self.key,
            place: self.place,
            rare: self.rare.member(),
            ..Self::default()
        }
    }

    /// Closes its connections and forgets.
    pub fn leave(&mut self) {
        self.seat = Seat::default();
        self.jar = None;
        self.memory.clear();
        self.lanes.clear();
        self.rare.wallet.clear();
    }

    /// What its draws are keyed by now.
    fn dice(&self, worker: &Worker, n: u64) -> Dice {
        Dice { seed: worker.seed, key: self.key ^ self.pass, n }
    }

    /// Begins a journey, that of arrival `n`: its variables are drawn.
    pub fn begin(&mut self, worker: &Worker, crew: &Crew, n: u64) {
        let (script, values) = (&worker.script, &worker.script.plan.values);
        self.values.iter_mut().for_each(String::clear);
        self.values.resize_with(usize::from(values.count), String::new);
        self.place.arrival = n;
        let visit = self.place.visit;
        self.key = if visit == 0 { crew.key } else { worker.seed.key("visit", &[crew.key, visit]) };
        (self.status, self.pass) = (0, 0);
        for (variable, value) in &script.given {
            if let Some(slot) = self.values.get_mut(usize::from(variable.0)) {
                slot.push_str(value.expose());
            }
        }
        for (variable, value) in &values.given {
            if let Some(slot) = self.values.get_mut(usize::from(variable.0)) {
                slot.push_str(value);
            }
        }
        let dice = Dice { seed: worker.seed, key: self.key, n };
        if !values.feeds.is_empty() {
            let (workload, of) = (crew.workload, script.plan.workloads.len());
            let user = self.place.number.unwrap_or(n);
            rows::take(&values.feeds, dice, Asking { workload, of, user }, &mut self.values);
        }
        vars::draw(&script.draws, dice, &|| worker.pace.utc(), &mut self.values);
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
    /// Its user misbehaved and broke off.
    Staged,
}

impl Fate {
    /// The fate after a step with this outcome.
    fn after(self, ended: &Ended, course: &Course) -> Self {
        match ended.outcome.kind() {
            None if ended.outcome == Outcome::Staged && ended.status == 0 => Self::Staged,
            None => self,
            Some(Kind::Unfinished) => Self::Unfinished,
            // What the target has no room for goes no further.
            Some(Kind::OverCeiling) => Self::Failed,
            Some(_) if course.on_failure == OnFailure::Continue => Self::Completed(false),
            Some(_) => Self::Failed,
        }
    }
}

/// The number of the move that follows one that takes no time; `at` is the next one in line.
fn steer(worker: &Worker, user: &mut User, course: &Course, (one, at, dice): (&Move, usize, Dice)) -> usize {
    match one {
        Move::Jump(to) => *to,
        Move::Unless(gate, to) => {
            if gate.holds(user, dice) {
                at
            } else {
                *to
            }
        }
        Move::Begin(number, exit) => {
            if course.turns[*number].begin(*number, user, dice) {
                at
            } else {
                *exit
            }
        }
        Move::Set(picks, draws) => {
            for pick in picks {
                pick.take(dice, &mut user.values);
            }
            vars::draw(draws, dice, &|| worker.pace.utc(), &mut user.values);
            at
        }
        Move::Ask(_) | Move::Rest(_) | Move::Again(..) | Move::Together(_) => at,
    }
}

/// Runs one journey and counts what it came to. Returns when its last step ended.
pub async fn travel(worker: &Worker, crew: &Crew, user: &mut User, arrival: Arrival, course: &Course) -> Tick {
    user.begin(worker, crew, arrival.n);
    user.bearing.trick = course.trick(user.dice(worker, arrival.n));
    let mut came = follow(worker, crew, user, arrival, course).await;
    if user.bearing.trick.is_some() && came.fate != Fate::Unfinished {
        came.fate = Fate::Staged;
    }
    count(worker, course, (came.fate, arrival.due), (came.next - arrival.due).saturating_sub(came.rested));
    came.next
}

/// What following a line of moves came to.
#[derive(Clone, Copy, Debug)]
pub struct Came {
    fate: Fate,
    /// When the last step ended.
    pub next: Tick,
    /// How long was rested on the way.
    rested: Duration,
    /// The first step that failed, where one can be named, and how.
    pub broke: Option<(Option<StepId>, Outcome)>,
}

/// Goes through the moves of `course`. The user has begun already.
pub async fn follow(worker: &Worker, crew: &Crew, user: &mut User, arrival: Arrival, course: &Course) -> Came {
    let mut next = arrival.due;
    let mut rested = Duration::ZERO;
    let mut fate = Fate::Completed(true);
    let (mut at, mut broke) = (0, None);
    while let Some(one) = course.moves.get(at) {
        at += 1;
        let dice = user.dice(worker, arrival.n);
        match one {
            Move::Rest(pause) => {
                let length = pause.length(worker.seed, dice.key, arrival.n);
                next += length;
                rested += length;
                if !worker.rest(crew, next).await {
                    fate = Fate::Unfinished;
                }
            }
            Move::Ask(_) | Move::Together(_) if worker.halted.get() => fate = Fate::Unfinished,
            Move::Ask(ask) => {
                let ended = http::run(worker, crew, user, ask, (next, dice)).await;
                (next, user.status) = (ended.done, ended.status);
                rested += ended.rested;
                fate = fate.after(&ended, course);
                broke = broke.or(ended.outcome.kind().map(|_| (Some(ask.step), ended.outcome)));
            }
            Move::Together(group) => {
                let ended = group::run(worker, crew, user, group, (next, dice)).await;
                (next, user.status) = (ended.done, ended.status);
                rested += ended.rested;
                fate = fate.after(&ended, course);
                broke = broke.or(ended.outcome.kind().map(|_| (group.asks.first().map(|ask| ask.step), ended.outcome)));
            }
            Move::Again(number, back) => {
                if let Some(pause) = course.turns[*number].again(*number, user, dice) {
                    at = *back;
                    next += pause;
                    rested += pause;
                    if !pause.is_zero() && !worker.rest(crew, next).await {
                        fate = Fate::Unfinished;
                    }
                }
            }
            other => at = steer(worker, user, course, (other, at, dice)),
        }
        if matches!(fate, Fate::Failed | Fate::Unfinished | Fate::Staged) {
            break;
        }
    }
    if fate == Fate::Unfinished && broke.is_none() {
        broke = Some((None, Outcome::Refused(Kind::Unfinished)));
    }
    Came { fate, next, rested, broke }
}

/// Counts a journey that was due at `due` and took `took` without its rests.
fn count(worker: &Worker, course: &Course, (fate, due): (Fate, Tick), took: Duration) {
    let mut log = worker.log.borrow_mut();
    let end = match fate {
        Fate::Completed(true) => Arrived::Well,
        Fate::Completed(false) => Arrived::Badly,
        Fate::Failed => Arrived::Not,
        Fate::Unfinished => return log.recorder.journey(course.id, due, |travel| travel.unfinished += 1),
        Fate::Staged => return log.recorder.journey(course.id, due, |travel| travel.staged += 1),
    };
    log.recorder.arrived(course.id, due, (end, micros(took)));
}
