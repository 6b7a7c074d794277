//! The traffic of a drill: the load with the system's address filled in, its record, and its seconds as they close.
//!
//! Not here: when it begins and ends (`director`). Called by the stage.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{DrillError, StageEnv};
use crate::base::clock::{Clock, Tick};
use crate::base::seed::Seed;
use crate::base::shard::Shard;
use crate::base::stop::Stop;
use crate::drill::lever::http::Endpoint;
use crate::load::surge::Surge;
use crate::load::{Env, LoadError, Running, start_surging};
use crate::measure::interval::Interval;
use crate::measure::record::{Done, Head, RecordWriter};
use crate::plan::drill::DrillPlan;
use crate::plan::load::{LoadPlan, Origin};

/// The workers' threads need so long to be ready for the first arrival.
const AHEAD: Duration = Duration::from_millis(50);

/// The load of one drill.
#[derive(Debug)]
pub(super) struct Traffic {
    plan: Arc<LoadPlan>,
    /// Until the load begins.
    env: Option<(Env, UnboundedSender<Interval>)>,
    running: Option<Running>,
    stopped: bool,
    over: bool,
    seconds: UnboundedReceiver<Interval>,
    surge: Surge,
}

impl Traffic {
    /// Fills in where the requests go and creates the record.
    pub(super) fn prepare(plan: &DrillPlan, public: &Endpoint, env: &StageEnv) -> Result<Self, DrillError> {
        let load = aimed(&plan.load, public);
        let record = RecordWriter::create(&env.dir.join("record.sqr"), &head(plan, env.seed, &env.clock))?;
        let (tell, seconds) = unbounded_channel();
        let env = Env {
            clock: env.clock.clone(),
            seed: env.seed,
            shard: Shard::WHOLE,
            // Its own: the director says when the load ends, also after a signal.
            stop: Stop::new(),
            threads: None,
            record,
            start_at: Tick::ZERO,
        };
        Ok(Self {
            plan: Arc::new(load),
            env: Some((env, tell)),
            running: None,
            stopped: false,
            over: false,
            seconds,
            surge: Surge::default(),
        })
    }

    /// By what its rate can be multiplied.
    pub(super) fn surge(&self) -> Surge {
        self.surge.clone()
    }

    /// Begins; a second time does nothing.
    pub(super) fn start(&mut self, now: Tick) -> Result<(), LoadError> {
        let Some((env, tell)) = self.env.take() else { return Ok(()) };
        let env = Env { start_at: now + AHEAD, ..env };
        let on_second = move |second: Interval| drop(tell.send(second));
        self.running = Some(start_surging(Arc::clone(&self.plan), env, self.surge.clone(), on_second)?);
        Ok(())
    }

    /// Ends; what is under way may still be answered.
    pub(super) fn stop(&mut self) {
        self.stopped = true;
        if let Some(running) = &self.running {
            running.stop();
        }
    }

    /// The next second that closes; `None` once the load is over. Cancel-safe.
    pub(super) async fn second(&mut self) -> Option<Interval> {
        self.seconds.recv().await
    }

    /// True when seconds may still come.
    pub(super) fn is_running(&self) -> bool {
        self.running.is_some() && !self.over
    }

    /// No more seconds come.
    pub(super) fn over(&mut self) {
        self.over = true;
    }

    /// True when the load was told to end.
    pub(super) fn was_stopped(&self) -> bool {
        self.stopped
    }

    /// Waits until the record is closed.
    pub(super) async fn finished(&mut self) -> Result<Option<Done>, LoadError> {
        self.stop();
        match self.running.take() {
            Some(running) => running.finished().await.map(Some),
            None => Ok(None),
        }
    }
}

/// The plan with its target replaced by the system.
fn aimed(load: &LoadPlan, public: &Endpoint) -> LoadPlan {
    let address = public.address();
    let ceiling = load.origins.first().and_then(|origin| origin.ceiling);
    let target = Origin { ceiling, ..Origin::clear(public.host(), address.port(), vec![address]) };
    let mut aimed = load.clone();
    match aimed.origins.first_mut() {
        Some(first) => *first = target,
        None => aimed.origins.push(target),
    }
    aimed
}

/// The load's head, under the drill's own name and hash.
fn head(plan: &DrillPlan, seed: Seed, clock: &Clock) -> Head {
    Head { name: plan.name.clone(), plan_hash: plan.hash.clone(), ..crate::load::head(&plan.load, clock, seed) }
}
