//! Journeys compiled for running: every request laid out, every path parsed, every pause named, before the first arrival.
//!
//! Checks and extractions that stand as steps of their own look at the last answer; they are judged together with it, so that
//! what they find counts in that request's sample.
//!
//! | file | holds |
//! |---|---|
//! | `http` `redirect` `tries` `way` `staged` | one request: three clock readings, outcome, class; its hops; further tries; bad clients |
//! | `label` | requests counted once more, by labels |
//! | `ceiling` | leave to send, from the ceiling of a target |
//! | `check` `extract` `booking` | what an answer must be, what is taken from it, and what it acknowledges |
//! | `pause` | think times, drawn by key |
//! | `weave` | a journey of the plan becomes moves by number |
//! | `gate` `turn` `group` | conditions, repetitions, requests side by side |
//!
//! Not here: who runs them (`load::user`).

pub mod booking;
mod ceiling;
pub mod check;
pub mod extract;
pub mod gate;
pub mod group;
pub mod http;
pub mod label;
pub mod pause;
mod redirect;
mod staged;
pub mod tries;
pub mod turn;
mod way;
mod weave;

use std::sync::Arc;

use check::Judge;
use gate::Gate;
use label::Tag;
use pause::Pause;
use turn::Turning;

use super::client::answer::Keep;
use super::client::request::Mould;
use super::client::tls::Connector;
use super::integrity::{Isolation, Truths};
use super::tokens::Login;
use super::vars::{self, Dice, Named};
use super::{LoadError, rows};
use crate::base::secret::Secret;
use crate::base::stop::Stop;
use crate::measure::sample::{Aside, JourneyId, StepId};
use crate::plan::load::{Client, LoadPlan};
use crate::plan::misbehave::{self, How, Misbehaviour};
use crate::plan::program::{Body, Http, Journey, LabelOf, OnFailure};
use crate::plan::template::{Template, VarId};
use crate::plan::values::SEPARATOR;

/// A plan, compiled. Shared by all workers.
#[derive(Debug)]
pub struct Script {
    /// What it was made from.
    pub plan: Arc<LoadPlan>,
    /// Journeys by id, once for each manner of their clients.
    sets: Vec<Vec<Course>>,
    /// By workload: which of them are its.
    set_of: Vec<usize>,
    /// Whether anything is ever tried again.
    pub has_retries: bool,
    /// Variables drawn at the start of each journey.
    pub draws: Vec<Named>,
    /// Values known before the run, copied into every journey.
    pub given: Vec<(VarId, Secret)>,
    /// By workload: how many arrivals its data last for.
    pub lasts: Vec<u64>,
    /// Tokens that requests carry, by number.
    pub logins: Vec<Login>,
    /// How `https` is spoken; `None`: nothing is.
    pub connector: Option<Connector>,
    /// Ends the run when a target turns out to be none.
    pub stop: Stop,
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
    /// Its repetitions, by number.
    pub turns: Vec<Turning>,
    /// Which of its users misbehave, and the name of that draw.
    pub bad: (Vec<Misbehaviour>, String),
}

impl Course {
    /// What is wrong with the user whose journey has these dice; as a rule nothing.
    pub fn trick(&self, dice: Dice) -> Option<How> {
        let (all, place) = &self.bad;
        if all.is_empty() { None } else { misbehave::of(all, dice.unit(place)) }
    }
}

/// One move of a journey.
#[derive(Debug)]
pub enum Move {
    /// A request and the judgement of its answer.
    Ask(Box<Ask>),
    /// A pause, written or between steps.
    Rest(Pause),
    /// Variables drawn again.
    Set(Vec<Picking>, Vec<Named>),
    /// Goes on at the move of this number unless the condition holds.
    Unless(Gate, usize),
    /// Goes on at the move of this number.
    Jump(usize),
    /// Begins the repetition of this number, or goes on at the move of the second number.
    Begin(usize, usize),
    /// Ends a turn of the repetition of this number, and goes back to the move of the second number for another.
    Again(usize, usize),
    /// Requests side by side.
    Together(Box<Together>),
}

/// Compiled requests side by side.
#[derive(Debug)]
pub struct Together {
    /// Its series.
    pub aside: Aside,
    /// At most this many at once.
    pub parallel: usize,
    /// In order.
    pub asks: Vec<Ask>,
}

/// A compiled request step.
#[derive(Debug)]
pub struct Ask {
    /// Its series.
    pub step: StepId,
    /// Index of its origin.
    pub origin: usize,
    /// How its client behaves, with all that workload, journey and step say.
    pub client: Arc<Client>,
    /// The request.
    pub mould: Mould,
    /// What is looked at.
    pub judge: Judge,
    /// What is kept for it.
    pub keep: Keep,
    /// The token it carries.
    pub token: Option<usize>,
    /// Values of lists taken just before.
    pub picks: Vec<Picking>,
    /// Whose data the answer may hold.
    pub owner: Option<Arc<Isolation>>,
    /// How long its user waits (`None`: as long as it may take), and what names the draws of its further tries.
    pub further: (Option<Pause>, String),
    /// By which it is counted once more.
    pub tags: Vec<Tag>,
    /// What the answer says about the truth of the system.
    pub truth: Truths,
}

impl Script {
    /// Compiles `plan`.
    ///
    /// # Errors
    /// When the plan holds something that cannot be sent or read; `check` finds these first.
    pub fn new(plan: Arc<LoadPlan>) -> Result<Self, LoadError> {
        let (mut sets, mut set_of) = (Vec::new(), Vec::new());
        for workload in &plan.workloads {
            // Those who behave as the scenario says share what is compiled for it.
            if workload.client.is_some() || !set_of.contains(&0) {
                let place = if workload.client.is_some() { sets.len().max(1) } else { 0 };
                sets.resize_with(sets.len().max(place + 1), Vec::new);
                sets[place] = courses(&plan, &plan.client.with(workload.client.as_ref()))?;
                set_of.push(place);
            } else {
                set_of.push(0);
            }
        }
        let logins = Login::all(&plan)?;
        let of_plan = sets.iter().flatten().chain(logins.iter().map(Login::course)).flat_map(Course::asks);
        let has_retries = of_plan.map(|ask| &ask.client).any(|client| client.retry.is_some());
        let draws = vars::named(&plan.values.draws);
        let of = plan.workloads.len();
        let lasts = (0..of).map(|workload| rows::enough_for(&plan.values.feeds, workload, of)).collect();
        let connector = Connector::of(&plan)?;
        Ok(Self {
            plan,
            sets,
            set_of,
            has_retries,
            draws,
            given: Vec::new(),
            lasts,
            logins,
            connector,
            stop: Stop::new(),
        })
    }
}

/// The journeys of `plan` for clients that behave so.
fn courses(plan: &LoadPlan, client: &Client) -> Result<Vec<Course>, LoadError> {
    courses_of(plan, client, &plan.journeys)
}

/// Compiles `journeys`, which are of `plan`, for clients that behave so.
///
/// # Errors
/// As [`Script::new`].
pub fn courses_of(plan: &LoadPlan, client: &Client, journeys: &[Journey]) -> Result<Vec<Course>, LoadError> {
    journeys.iter().enumerate().map(|(n, journey)| weave::course(plan, client, (n, journey))).collect()
}

impl Script {
    /// Keeps the heads and bodies of all answers, to be shown.
    pub fn keep_everything(&mut self) {
        let logins = self.logins.iter_mut().map(Login::course_mut);
        for course in self.sets.iter_mut().flatten().chain(logins) {
            for one in &mut course.moves {
                let asks = match one {
                    Move::Ask(ask) => std::slice::from_mut(&mut **ask),
                    Move::Together(group) => group.asks.as_mut_slice(),
                    _ => &mut [],
                };
                for ask in asks {
                    ask.keep = Keep { headers: true, body: Some(ask.client.body_limit) };
                }
            }
        }
    }

    /// The journeys of workload number `workload`, by id.
    pub fn courses(&self, workload: usize) -> &[Course] {
        self.set_of.get(workload).and_then(|set| self.sets.get(*set)).map_or(&[], Vec::as_slice)
    }
}

impl Course {
    /// Its requests, in the order they are written.
    pub fn asks(&self) -> impl Iterator<Item = &Ask> {
        self.moves.iter().flat_map(|one| match one {
            Move::Ask(ask) => std::slice::from_ref(&**ask),
            Move::Together(group) => group.asks.as_slice(),
            _ => &[],
        })
    }
}

impl Ask {
    fn new(plan: &LoadPlan, client: &Client, http: &Http) -> Result<Self, LoadError> {
        let client = client.with(http.client.as_deref());
        let name = plan.steps.get(usize::from(http.step.0)).map_or("?", String::as_str);
        let mut judge = Judge::new(name);
        judge.also_demand(&http.check)?;
        judge.also_take(&http.extract)?;
        let labels =
            http.labels.iter().filter_map(|one| if let LabelOf::Text(text) = &one.of { Some(text) } else { None });
        let body = http.body.iter().flat_map(Body::templates);
        let templates = std::iter::once(&http.path).chain(body).chain(labels);
        let headers = http.headers.iter().chain(&client.headers).map(|(_, value)| value);
        let headers: Vec<&Template> = headers.collect();
        let token = plan
            .chores
            .tokens
            .iter()
            .position(|token| headers.iter().any(|value| value.variables().any(|variable| variable == token.into)));
        let picks = Picking::all(plan, templates.chain(headers), name);
        Ok(Self {
            step: http.step,
            origin: http.origin,
            mould: Mould::new(plan, &client, http)?,
            judge,
            keep: Keep::default(),
            token,
            picks,
            owner: None,
            further: (waits(&client, name), format!("retry/{name}")),
            tags: http.labels.iter().map(Tag::new).collect(),
            truth: Truths::new(&http.truth)?,
            client: Arc::new(client),
        })
    }
}

impl Ask {
    /// Settles what is kept of its answers, once all that look at them are known.
    fn settle(&mut self, owner: Option<&Arc<Isolation>>) {
        self.owner = owner.map(Arc::clone);
        self.keep = self.judge.keeps(self.client.body_limit);
        let looks = self.owner.is_some() || !self.truth.is_empty();
        self.keep.headers |= looks || self.tags.iter().any(Tag::reads_header);
        self.keep.headers |= self.client.cookies || self.client.redirects > 0;
        if looks {
            self.keep.body = Some(self.client.body_limit);
        }
    }
}

/// One value of a list, taken just before it is used.
#[derive(Debug)]
pub struct Picking {
    into: VarId,
    list: VarId,
    nth: Option<usize>,
    /// Names its draws.
    place: String,
}

impl Picking {
    /// The picks that `templates` use, named after `place`.
    fn all<'a>(plan: &LoadPlan, templates: impl Iterator<Item = &'a Template>, place: &str) -> Vec<Self> {
        if plan.values.picks.is_empty() {
            return Vec::new();
        }
        let used: Vec<VarId> = templates.flat_map(Template::variables).collect();
        let picks = plan.values.picks.iter().filter(|pick| used.contains(&pick.into));
        picks
            .map(|pick| Self {
                into: pick.into,
                list: pick.list,
                nth: pick.nth,
                place: format!("pick/{place}/{}", pick.name),
            })
            .collect()
    }

    /// Takes it.
    pub fn take(&self, dice: Dice, values: &mut [String]) {
        let list = values.get(usize::from(self.list.0)).map_or("", String::as_str);
        let nth = self.nth.unwrap_or_else(|| dice.below(&self.place, list.split(SEPARATOR).count()));
        let value = list.split(SEPARATOR).nth(nth).unwrap_or_default().to_owned();
        if let Some(slot) = values.get_mut(usize::from(self.into.0)) {
            *slot = value;
        }
    }
}

/// How long a user of `client` waits for the step `name`.
fn waits(client: &Client, name: &str) -> Option<Pause> {
    let patience = client.patience.as_ref()?;
    Some(Pause::new(patience.leaves_after.clone(), format!("patience/{name}")))
}
