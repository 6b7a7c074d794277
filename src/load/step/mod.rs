//! Journeys compiled for running: every request laid out, every path parsed, every pause named, before the first arrival.
//!
//! Checks and extractions that stand as steps of their own look at the last answer; they are judged together with it, so that
//! what they find counts in that request's sample.
//!
//! | file | holds |
//! |---|---|
//! | `http` | one request: three clock readings, outcome, class |
//! | `check` `extract` | what an answer must be, and what is taken from it |
//! | `pause` | think times, drawn by key |
//!
//! Not here: who runs them (`load::user`).

pub mod check;
pub mod extract;
pub mod http;
pub mod pause;

use std::sync::Arc;

use check::Judge;
use pause::Pause;

use super::LoadError;
use super::client::answer::Keep;
use super::client::request::Mould;
use super::client::tls::Connector;
use super::vars::{self, Named};
use crate::measure::sample::{JourneyId, StepId};
use crate::plan::load::LoadPlan;
use crate::plan::program::{Http, Journey, OnFailure, Op, Think};

/// A plan, compiled. Shared by all workers.
#[derive(Debug)]
pub struct Script {
    /// What it was made from.
    pub plan: Arc<LoadPlan>,
    /// By journey id.
    pub courses: Vec<Course>,
    /// Variables drawn at the start of each journey.
    pub draws: Vec<Named>,
    /// How `https` is spoken; `None`: nothing is.
    pub connector: Option<Connector>,
}

/// A compiled journey.
#[derive(Debug)]
pub struct Course {
    /// Its id.
    pub id: JourneyId,
    /// Where shed arrivals are counted.
    pub first: Option<StepId>,
    /// In order.
    pub moves: Vec<Move>,
    /// What a failed step does.
    pub on_failure: OnFailure,
}

/// One move of a journey.
#[derive(Debug)]
pub enum Move {
    /// A request and the judgement of its answer.
    Ask(Box<Ask>),
    /// A pause, written or between steps.
    Rest(Pause),
}

/// A compiled request step.
#[derive(Debug)]
pub struct Ask {
    /// Its series.
    pub step: StepId,
    /// Index of its origin.
    pub origin: usize,
    /// Longest time from sent to the end of the answer.
    pub total: std::time::Duration,
    /// The request.
    pub mould: Mould,
    /// What is looked at.
    pub judge: Judge,
    /// What is kept for it.
    pub keep: Keep,
}

impl Script {
    /// Compiles `plan`.
    ///
    /// # Errors
    /// When the plan holds something that cannot be sent or read; `check` finds these first.
    pub fn new(plan: Arc<LoadPlan>) -> Result<Self, LoadError> {
        let courses =
            plan.journeys.iter().enumerate().map(|(n, journey)| course(&plan, n, journey)).collect::<Result<_, _>>()?;
        let draws = vars::named(&plan.draws);
        let connector = Connector::of(&plan)?;
        Ok(Self { plan, courses, draws, connector })
    }
}

fn course(plan: &LoadPlan, n: usize, journey: &Journey) -> Result<Course, LoadError> {
    let mut moves: Vec<Move> = Vec::new();
    // Draws are named after the journey and the request before, so that a step more changes no other step's draws.
    let mut place = format!("journey/{}", journey.name);
    let mut pauses = 0_u32;
    for op in &journey.steps {
        match op {
            Op::Http(http) => {
                if moves.iter().any(|one| matches!(one, Move::Ask(_))) && journey.think != Think::Off {
                    moves.push(Move::Rest(Pause::new(journey.think.clone(), format!("{place}/think"))));
                }
                moves.push(Move::Ask(Box::new(Ask::new(plan, http)?)));
                let name = plan.steps.get(usize::from(http.step.0)).map_or("?", String::as_str);
                place = format!("journey/{}/{name}", journey.name);
                pauses = 0;
            }
            Op::Pause(think) => {
                moves.push(Move::Rest(Pause::new(think.clone(), format!("{place}/pause/{pauses}"))));
                pauses += 1;
            }
            Op::Extract(takings) => last_ask(&mut moves, journey)?.judge.also_take(takings)?,
            Op::Check(checks) => last_ask(&mut moves, journey)?.judge.also_demand(checks)?,
        }
    }
    for one in &mut moves {
        if let Move::Ask(ask) = one {
            ask.keep = ask.judge.keeps(plan.client.body_limit);
        }
    }
    let id = JourneyId(u16::try_from(n).unwrap_or(u16::MAX));
    Ok(Course { id, first: journey.first_step(), moves, on_failure: journey.on_failure })
}

fn last_ask<'a>(moves: &'a mut [Move], journey: &Journey) -> Result<&'a mut Ask, LoadError> {
    moves
        .iter_mut()
        .rev()
        .find_map(|one| if let Move::Ask(ask) = one { Some(&mut **ask) } else { None })
        .ok_or_else(|| LoadError::NoAnswer { journey: journey.name.clone() })
}

impl Ask {
    fn new(plan: &LoadPlan, http: &Http) -> Result<Self, LoadError> {
        let mut judge = Judge::default();
        judge.also_demand(&http.check)?;
        judge.also_take(&http.extract)?;
        Ok(Self {
            step: http.step,
            origin: http.origin,
            total: http.total,
            mould: Mould::new(plan, http)?,
            judge,
            keep: Keep::default(),
        })
    }
}
