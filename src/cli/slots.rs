//! The slots of a comparison: one load after the other on one clock, in one record, each named in the journal.
//!
//! Called by `ab`. Not here: which slot comes next (`ab`), what it says (`judge::blocks`).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::ab::{index, whole_second_after};
use super::args::Global;
use super::exit::{Failure, could_not};
use super::term;
use crate::base::clock::{Clock, Tick};
use crate::base::seed::Seed;
use crate::base::shard::Shard;
use crate::base::stop::{Stop, StopReason};
use crate::base::timer::Timer;
use crate::judge::blocks::{Arm, DRAIN, SETTLE, phase};
use crate::judge::live::{Alarm, Watch};
use crate::load;
use crate::measure::interval::Interval;
use crate::measure::journal::{Event, Journal, Source};
use crate::measure::record::Relay;
use crate::plan::ab::{AbPlan, Design};
use crate::plan::load::LoadPlan;
use crate::report::live::Live;

/// Time to start a load before its first arrival.
const AHEAD: Duration = Duration::from_millis(60);

/// What all slots stand in.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    pub(super) clock: Clock,
    pub(super) stop: Stop,
    pub(super) threads: Option<usize>,
    /// Run with the arm's name before each slot; empty for none.
    pub(super) switch: &'a [String],
}

/// Journals the beginning of a phase.
fn begins(journal: &mut Journal, name: &str) -> Result<(), Failure> {
    let phase = Event::Phase { name: name.to_owned() };
    journal.append(Source::Controller, "", phase).map(drop).map_err(could_not("write the journal"))
}

/// Why a raised abort check ends the run.
fn raised(watch: &Watch) -> StopReason {
    let why = watch.check().id.clone();
    if watch.is_about_us() { StopReason::Invalid(why) } else { StopReason::Aborted(why) }
}

/// The slots so far.
pub(super) struct Course<'a> {
    stage: Stage<'a>,
    design: &'a Design,
    arms: Vec<Arc<LoadPlan>>,
    relay: Relay,
    seed: Seed,
    shown: Arc<Mutex<Shown>>,
}

/// What the seconds of all slots are shown to.
struct Shown {
    live: Live,
    watches: Vec<Watch>,
}

impl<'a> Course<'a> {
    /// No slot yet.
    pub(super) fn new(
        stage: Stage<'a>,
        plan: &'a AbPlan,
        (arms, relay): (Vec<Arc<LoadPlan>>, Relay),
        global: &Global,
    ) -> Self {
        let design = &plan.design;
        let slots = u32::try_from(2 * design.blocks * design.stages).unwrap_or(u32::MAX);
        let length = whole_second_after(Tick::ZERO + design.settle + AHEAD).since(Tick::ZERO) + design.slot;
        let live = Live::new(&plan.load.name, length.saturating_mul(slots), term::screen(global));
        let watches = plan.load.checks.iter().filter_map(Watch::of).collect();
        let shown = Arc::new(Mutex::new(Shown { live, watches }));
        Self { stage, design, arms, relay, seed: Seed(global.seed), shown }
    }

    /// Runs one slot: its settling time, then the measured whole seconds, then until the last answer.
    pub(super) async fn slot(&mut self, (arm, block): (Arm, u64), journal: &mut Journal) -> Result<(), Failure> {
        begins(journal, SETTLE)?;
        self.switch(arm).await?;
        let Some(plan) = self.arms.get(index(arm)).map(Arc::clone) else { return Ok(()) };
        let clock = &self.stage.clock;
        let measured = whole_second_after(clock.now() + AHEAD + self.design.settle);
        let (start_at, end) = (measured - self.design.settle, measured + self.design.slot);
        let env = load::Env {
            clock: clock.clone(),
            // The arms of a block share their draws; no two blocks do.
            seed: Seed(self.seed.key("ab/block", &[block])),
            shard: Shard::WHOLE,
            stop: self.stage.stop.clone(),
            threads: self.stage.threads,
            record: self.relay.leg().map_err(could_not("write the record"))?,
            start_at,
        };
        let name = phase(arm, block);
        let running =
            load::start(plan, env, self.watcher((arm, measured.second()))).map_err(could_not("start the load"))?;
        let mut timer = Timer::new(clock).map_err(could_not("make a timer"))?;
        for (at, name) in [(measured, name.as_str()), (end, DRAIN)] {
            // The last arrival may be answered before the slot is over; it lasts its time all the same.
            tokio::select! {
                () = timer.until(at) => {}
                _ = self.stage.stop.requested() => break,
            }
            begins(journal, name)?;
        }
        running.finished().await.map(drop).map_err(could_not("finish the load"))
    }

    /// Turns the one target into `arm`.
    async fn switch(&self, arm: Arm) -> Result<(), Failure> {
        let Some((program, args)) = self.stage.switch.split_first() else { return Ok(()) };
        let mut command = tokio::process::Command::new(program);
        command.args(args).arg(arm.name()).kill_on_drop(true).stdin(std::process::Stdio::null());
        // What it prints is progress, not a result.
        command.stdout(std::process::Stdio::null());
        let said = |what: String| Failure::could_not(format!("--switch {program} … {}: {what}", arm.name()));
        tokio::select! {
            status = command.status() => match status {
                Ok(status) if status.success() => Ok(()),
                Ok(status) => Err(said(status.to_string())),
                Err(error) => Err(said(error.to_string())),
            },
            _ = self.stage.stop.requested() => Ok(()),
        }
    }

    /// Shows each second, and raises the abort checks on the candidate's measured ones.
    fn watcher(&self, (arm, measured): (Arm, u32)) -> impl FnMut(Interval) + Send + 'static {
        let (shown, stop) = (Arc::clone(&self.shown), self.stage.stop.clone());
        move |second| {
            let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
            shown.live.second(&second);
            let phase = if arm == Arm::Candidate && second.second >= measured { "steady" } else { SETTLE };
            for watch in &mut shown.watches {
                if watch.fold(&second, &[phase]) == Alarm::Raised {
                    stop.request(raised(watch));
                }
            }
        }
    }

    /// Ends the record of all slots.
    pub(super) fn finish(self, length: Duration, reason: &str) -> Result<(), Failure> {
        let length = u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
        self.relay.finish(length, reason).map_err(could_not("write the record"))
    }
}
