//! Steps that are done once, by one user on a thread of its own: before a load, after it, or a journey to look at.
//!
//! Nothing is recorded; a failed step is told with its reason. Not here: steps (`step`), the load itself (`local`).

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::LocalSet;

use super::arrivals::Arrival;
use super::core::{Post, Worker};
use super::gate::gates;
use super::step::Script;
use super::surge::Surge;
use super::tale::Tale;
use super::user::{self, Place, Rare, User};
use super::{LoadError, secrets};
use crate::base::clock::Clock;
use crate::base::seed::Seed;
use crate::base::shard::Shard;
use crate::base::stop::Stop;
use crate::base::timer::Timer;
use crate::plan::deck::Deck;
use crate::plan::load::{LoadPlan, Pattern, Rounds, Workload};
use crate::plan::program::{Body, Journey, OnFailure, Op, Think, requests};
use crate::plan::staff::Staff;
use crate::plan::template::{Template, VarId};

/// Teardown lasts at most so long.
const TEARDOWN_MOST: Duration = Duration::from_secs(30);
/// Setup and a single journey last at most so long.
const MOST: Duration = Duration::from_secs(3600);

/// A step that failed, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its name.
    pub step: String,
    /// The kind of failure.
    pub kind: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step `{}`: {}", self.step, self.kind)
    }
}

/// What came of an errand.
#[derive(Debug)]
pub struct Came {
    /// The first step that failed.
    pub broken: Option<Broken>,
    /// The user's variables at its end.
    values: Vec<String>,
    /// What was said, where it was asked for.
    pub tale: Option<Tale>,
}

/// Who does an errand, and how.
#[derive(Clone, Debug)]
struct Errand {
    journey: Journey,
    /// At most so long.
    most: Duration,
    /// Whether what is said is kept.
    tells: Telling,
}

/// Whether requests and answers are kept to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Telling {
    No,
    Everything,
}

/// Does the setup of `plan`: the plan with what it extracted. Without a setup it is the plan itself.
///
/// # Errors
/// When a step of it failed: it is named, with the reason.
pub async fn setup(plan: &Arc<LoadPlan>, seed: Seed, stop: &Stop) -> Result<Arc<LoadPlan>, LoadError> {
    if plan.chores.setup.is_empty() {
        return Ok(Arc::clone(plan));
    }
    let journey = chore("setup", plan.chores.setup.clone(), OnFailure::EndJourney);
    let came = run(plan, seed, stop, Errand { journey, most: MOST, tells: Telling::No }).await?;
    if let Some(broken) = came.broken {
        return Err(LoadError::Setup { broken });
    }
    let mut plan = LoadPlan::clone(plan);
    let value = |variable: &VarId| came.values.get(usize::from(variable.0)).cloned().unwrap_or_default();
    plan.values.given = plan.chores.sets.iter().map(|variable| (*variable, value(variable))).collect();
    Ok(Arc::new(plan))
}

/// Does the teardown of `plan` as [`setup`] left it, within 30 s. Steps that need what setup never learned are left out.
///
/// # Errors
/// When it could not even begin. A step that failed comes back as a value: the others were done all the same.
pub async fn teardown(plan: &Arc<LoadPlan>, seed: Seed) -> Result<Option<Broken>, LoadError> {
    let chores = &plan.chores;
    let is_known = |variable: &VarId| {
        !chores.sets.contains(variable)
            || plan.values.given.iter().any(|(given, value)| given == variable && !value.is_empty())
    };
    let mut steps = chores.teardown.clone();
    steps.retain(|step| {
        let mut is_whole = true;
        requests(std::slice::from_ref(step), 1.0, &mut |http, _| {
            let texts = http.headers.iter().map(|(_, text)| text).chain([&http.path]);
            let texts = texts.chain(http.body.iter().flat_map(Body::templates));
            is_whole &= texts.flat_map(Template::variables).all(|variable| is_known(&variable));
        });
        is_whole
    });
    if steps.is_empty() {
        return Ok(None);
    }
    let journey = chore("teardown", steps, OnFailure::Continue);
    let errand = Errand { journey, most: TEARDOWN_MOST, tells: Telling::No };
    run(plan, seed, &Stop::new(), errand).await.map(|came| came.broken)
}

/// Does journey `name` of `plan` once, as its first arrival would, and keeps all that is said; `None`: there is no such journey.
///
/// # Errors
/// When it could not begin.
pub async fn once(plan: &Arc<LoadPlan>, seed: Seed, name: &str, stop: &Stop) -> Result<Option<Came>, LoadError> {
    let Some(journey) = plan.journeys.iter().find(|journey| journey.name == name).cloned() else { return Ok(None) };
    run(plan, seed, stop, Errand { journey, most: MOST, tells: Telling::Everything }).await.map(Some)
}

fn chore(name: &str, steps: Vec<Op>, on_failure: OnFailure) -> Journey {
    Journey {
        name: name.to_owned(),
        steps,
        think: Think::Off,
        on_failure,
        owner: None,
        misbehave: Vec::new(),
        client: None,
    }
}

/// The plan with nobody but one user, who is on this errand alone.
fn alone(plan: &LoadPlan, errand: &Errand) -> LoadPlan {
    let mut plan = plan.clone();
    let pattern = Pattern::Closed {
        users: 1,
        hold: errand.most,
        think: Think::Off,
        staff: Staff::constant(1, errand.most),
        rounds: Rounds::default(),
    };
    let client = plan.workloads.first().and_then(|workload| workload.client.clone());
    plan.workloads = Deck::new("errand", &[1])
        .map(|mix| Workload {
            name: errand.journey.name.clone(),
            pattern,
            mix,
            start: Duration::ZERO,
            warmup: Duration::ZERO,
            drain: Duration::ZERO,
            client,
        })
        .into_iter()
        .collect();
    plan.journeys = vec![errand.journey.clone()];
    plan
}

async fn run(plan: &Arc<LoadPlan>, seed: Seed, stop: &Stop, errand: Errand) -> Result<Came, LoadError> {
    let mut script = Script::new(Arc::new(alone(plan, &errand)))?;
    script.given = secrets::reveal(&script.plan)?;
    if errand.tells == Telling::Everything {
        script.keep_everything();
    }
    let stop = stop.clone();
    let (told, came) = oneshot::channel();
    let begin = move || {
        // Whoever no longer waits does not need it.
        drop(told.send(live(script, seed, &stop, &errand)));
    };
    let no_thread = |source| LoadError::System { what: "thread", source };
    thread::Builder::new().name("load-errand".to_owned()).spawn(begin).map_err(no_thread)?;
    came.await.unwrap_or(Err(LoadError::Died { worker: 0 }))
}

fn live(script: Script, seed: Seed, stop: &Stop, errand: &Errand) -> Result<Came, LoadError> {
    let system = |what| move |source| LoadError::System { what, source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(system("runtime"))?;
    let clock = Clock::start();
    let counter = || Arc::new(vec![AtomicU64::new(0)]);
    let post = Post {
        number: 0,
        shard: Shard::WHOLE,
        shards: 1,
        gates: Arc::new(gates(&script.plan, 1)),
        script: Arc::new(script),
        start_at: clock.now(),
        clock: clock.clone(),
        seed,
        stops: [stop.clone(), Stop::new()],
        surge: Surge::default(),
        under_way: counter(),
        tickets: counter(),
    };
    runtime.block_on(LocalSet::new().run_until(async {
        let worker = Rc::new(Worker::new(&post));
        let timer = Timer::new(&clock).map_err(system("timer"))?;
        let pacing = Rc::clone(&worker);
        let driver = tokio::task::spawn_local(async move { pacing.pace.drive(timer).await });
        let halting = Rc::clone(&worker);
        let asked = post.stops[0].clone();
        let watcher = tokio::task::spawn_local(async move {
            drop(asked.requested().await);
            halting.halt();
        });
        let came = walk(&worker, errand).await;
        driver.abort();
        watcher.abort();
        Ok(came)
    }))
}

async fn walk(worker: &Worker, errand: &Errand) -> Came {
    let crew = &worker.crews[0];
    let course = &worker.script.courses(0)[0];
    let tale = (errand.tells == Telling::Everything).then(Tale::default).map(Box::new);
    let place = Place { number: Some(0), ..Place::default() };
    let mut user = User { place, rare: Rare { tale, ..Rare::default() }, ..User::default() };
    user.begin(worker, crew, 0);
    let came = user::follow(worker, crew, &mut user, Arrival { n: 0, due: worker.pace.now() }, course).await;
    let plan = &worker.script.plan;
    let broken = came.broke.map(|(step, outcome)| Broken {
        step: step.and_then(|step| plan.steps.get(usize::from(step.0)).cloned()).unwrap_or_default(),
        kind: outcome.kind().map(|kind| kind.key(&plan.labels)).unwrap_or_default(),
    });
    Came { broken, values: user.values, tale: user.rare.tale.map(|tale| *tale) }
}
