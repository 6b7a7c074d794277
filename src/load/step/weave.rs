//! A journey of the plan becomes a line of moves: branches and repetitions are jumps, so that following them costs a number.
//!
//! Draws are named after the journey and the request before, so that a step more changes no other step's draws.

use std::sync::Arc;

use super::check::Judge;
use super::gate::Gate;
use super::pause::Pause;
use super::turn::Turning;
use super::{Ask, Course, Move, Picking, Together};
use crate::load::LoadError;
use crate::load::integrity::Isolation;
use crate::load::vars;
use crate::measure::sample::{Aside, JourneyId};
use crate::plan::load::LoadPlan;
use crate::plan::program::{Branch, Draw, Group, Http, Journey, Op, Repeat, Think};

/// Journey number `n` of `plan`.
pub(super) fn course(plan: &LoadPlan, n: usize, journey: &Journey) -> Result<Course, LoadError> {
    let mut weave = Weave {
        plan,
        journey,
        moves: Vec::new(),
        turns: Vec::new(),
        place: format!("journey/{}", journey.name),
        places: 0,
        has_asked: false,
    };
    weave.steps(&journey.steps)?;
    let Weave { mut moves, turns, .. } = weave;
    let owner = journey.owner.as_ref().map(Isolation::new).transpose()?.map(Arc::new);
    for one in &mut moves {
        match one {
            Move::Ask(ask) => ask.settle(plan, owner.as_ref()),
            Move::Together(group) => {
                group.asks.iter_mut().for_each(|ask| ask.settle(plan, owner.as_ref()));
            }
            _ => {}
        }
    }
    let id = JourneyId(u16::try_from(n).unwrap_or(u16::MAX));
    let bad = (journey.misbehave.clone(), format!("misbehave/{}", journey.name));
    Ok(Course { id, first: journey.first_step(), moves, on_failure: journey.on_failure, turns, bad })
}

struct Weave<'a> {
    plan: &'a LoadPlan,
    journey: &'a Journey,
    moves: Vec<Move>,
    turns: Vec<Turning>,
    /// The journey and the request before.
    place: String,
    /// Draws since then.
    places: u32,
    has_asked: bool,
}

impl Weave<'_> {
    fn steps(&mut self, steps: &[Op]) -> Result<(), LoadError> {
        for op in steps {
            match op {
                Op::Http(http) => {
                    self.think();
                    let ask = Ask::new(self.plan, http)?;
                    self.moves.push(Move::Ask(Box::new(ask)));
                    self.passed(http);
                }
                Op::Pause(think) => {
                    let place = self.draws("pause");
                    self.moves.push(Move::Rest(Pause::new(think.clone(), place)));
                }
                Op::Extract(takings) => self.last()?.also_take(takings)?,
                Op::Check(checks) => self.last()?.also_demand(checks)?,
                Op::Set(draws) => {
                    let texts = draws.iter().filter_map(|one| match &one.draw {
                        Draw::Text(template) | Draw::Basic(template) => Some(template),
                        _ => None,
                    });
                    let picks = Picking::all(self.plan, texts, &self.place);
                    let place = format!("{}/set", self.place);
                    self.moves.push(Move::Set(picks, vars::named_at(&place, draws)));
                }
                Op::Branch(branch) => self.branch(branch)?,
                Op::Repeat(repeat) => self.repeat(repeat)?,
                Op::Group(group) => self.group(group)?,
            }
        }
        Ok(())
    }

    /// The journey's own pause, between two requests.
    fn think(&mut self) {
        if self.has_asked && self.journey.think != Think::Off {
            let pause = Pause::new(self.journey.think.clone(), format!("{}/think", self.place));
            self.moves.push(Move::Rest(pause));
        }
        self.has_asked = true;
    }

    fn passed(&mut self, http: &Http) {
        let name = self.plan.steps.get(usize::from(http.step.0)).map_or("?", String::as_str);
        self.place = format!("journey/{}/{name}", self.journey.name);
        self.places = 0;
    }

    /// The name of another draw after the last request.
    fn draws(&mut self, what: &str) -> String {
        let place = format!("{}/{what}/{}", self.place, self.places);
        self.places += 1;
        place
    }

    fn branch(&mut self, branch: &Branch) -> Result<(), LoadError> {
        let place = self.draws("branch");
        let gate = Gate::new(&branch.when, &place)?;
        let fork = self.moves.len();
        self.moves.push(Move::Jump(0));
        self.steps(&branch.then)?;
        let then = self.moves.len();
        if !branch.otherwise.is_empty() {
            self.moves.push(Move::Jump(0));
            self.steps(&branch.otherwise)?;
            self.moves[then] = Move::Jump(self.moves.len());
        }
        let otherwise = if branch.otherwise.is_empty() { then } else { then + 1 };
        self.moves[fork] = Move::Unless(gate, otherwise);
        Ok(())
    }

    fn repeat(&mut self, repeat: &Repeat) -> Result<(), LoadError> {
        let place = self.draws("repeat");
        let number = self.turns.len();
        self.turns.push(Turning::new(repeat, place)?);
        let begin = self.moves.len();
        self.moves.push(Move::Jump(0));
        self.steps(&repeat.steps)?;
        self.moves.push(Move::Again(number, begin + 1));
        self.moves[begin] = Move::Begin(number, self.moves.len());
        Ok(())
    }

    fn group(&mut self, group: &Group) -> Result<(), LoadError> {
        self.think();
        let asks = group.requests.iter().map(|http| Ask::new(self.plan, http)).collect::<Result<Vec<_>, _>>()?;
        let aside = Aside::Group(group.name.clone());
        self.moves.push(Move::Together(Box::new(Together { aside, parallel: group.parallel, asks })));
        self.place = format!("journey/{}/{}", self.journey.name, group.name);
        self.places = 0;
        Ok(())
    }

    /// The judge of the last request.
    fn last(&mut self) -> Result<&mut Judge, LoadError> {
        let last = self.moves.iter_mut().rev().find_map(|one| match one {
            Move::Ask(ask) => Some(&mut ask.judge),
            _ => None,
        });
        last.ok_or_else(|| LoadError::NoAnswer { journey: self.journey.name.clone() })
    }
}
