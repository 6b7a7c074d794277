//! One capacity search under way: holds the rates that `judge::search` asks for, one load after the other, in one journal and record.
//!
//! Called by `find` alone. Decides nothing: what was held is read back from the run's own files, as every later report does.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::super::args::Global;
use super::super::exit::{Failure, could_not};
use super::super::{assemble, folder, run, term};
use crate::base::clock::{Clock, Tick};
use crate::base::rate::Rate;
use crate::base::seed::Seed;
use crate::base::shard::Shard;
use crate::base::stop::{Stop, StopReason};
use crate::base::timer::Timer;
use crate::judge::search::{Course, Grade, Next, Search, holds};
use crate::judge::validity;
use crate::load;
use crate::measure::interval::Interval;
use crate::measure::journal::{Event, Journal, Source};
use crate::measure::record::RecordWriter;
use crate::plan::held::held_at;
use crate::plan::load::LoadPlan;
use crate::report::live::Live;

/// How long a target may take to come back from overload.
const RECOVERY: Duration = Duration::from_secs(60);
/// Seconds that must hold for it to be back.
const BACK: usize = 3;

/// A search under way.
pub(super) struct Session {
    pub(super) plan: Arc<LoadPlan>,
    pub(super) search: Search,
    pub(super) clock: Clock,
    pub(super) stop: Stop,
    pub(super) journal: Journal,
    pub(super) dir: PathBuf,
    pub(super) threads: Option<usize>,
    /// Loads begun so far.
    pub(super) loads: u32,
}

impl Session {
    /// Holds rate after rate until the answer is known, or somebody stops it.
    pub(super) async fn search(&mut self, global: &Global) -> Result<(), Failure> {
        let mut course = Course::begin(&self.search);
        while let Next::Try { rate, holds } = course.next {
            self.hold((rate, holds), global).await?;
            if self.stop.reason().is_some() {
                break;
            }
            course = assemble::course(&self.dir, &self.search)?;
            let good = course.steps.iter().rev().find(|one| one.trial.grade == Grade::Good);
            let is_bad = course.steps.last().is_some_and(|one| one.trial.grade == Grade::Bad);
            if let Some(good) = good.filter(|_| is_bad) {
                let half = good.trial.rate / 2.0;
                self.recover(half, global).await?;
            }
            if self.stop.reason().is_some() {
                break;
            }
        }
        Ok(())
    }

    async fn hold(&mut self, (rate, holds): (f64, u32), global: &Global) -> Result<(), Failure> {
        let (settle, length) = (self.search.settle, self.search.hold * holds);
        let start_at = run::next_second(self.clock.now());
        let counted = start_at + settle;
        let mut phases = Vec::new();
        if !settle.is_zero() {
            phases.push((start_at, "warmup".to_owned()));
        }
        phases.push((counted, format!("step:{}", Rate::per_second(rate))));
        phases.push((counted + length, "drain".to_owned()));
        let Some(plan) = held_at(&self.plan, rate, (settle, length), self.patience()) else { return Ok(()) };
        let name = format!("{} at {}", self.plan.name, Rate::per_second(rate));
        let mut live = Live::new(&name, settle + length, term::screen(global));
        let shown = move |second: Interval| live.second(&second);
        self.load((plan, start_at, self.stop.clone()), phases, (global, shown)).await
    }

    /// Half the last good rate until the SLO holds again, at most a minute; the journal says how it went.
    async fn recover(&mut self, rate: f64, global: &Global) -> Result<(), Failure> {
        let start_at = run::next_second(self.clock.now());
        let Some(plan) = held_at(&self.plan, rate, (Duration::ZERO, RECOVERY), self.patience()) else { return Ok(()) };
        let phases = vec![(start_at, format!("recover:{}", Rate::per_second(rate)))];
        let (calm, is_back) = (Stop::new(), Arc::new(AtomicBool::new(false)));
        let (halt, told, asked, search) = (calm.clone(), Arc::clone(&is_back), self.stop.clone(), self.search.clone());
        let mut last: VecDeque<Interval> = VecDeque::new();
        let watch = move |second: Interval| {
            last.push_back(second);
            if last.len() > BACK {
                last.pop_front();
            }
            let is_held = last.len() == BACK && holds(&search, &last.iter().collect::<Vec<_>>());
            if is_held {
                told.store(true, Ordering::SeqCst);
            }
            if is_held || asked.reason().is_some() {
                halt.request(StopReason::Finished);
            }
        };
        self.load((plan, start_at, calm), phases, (global, watch)).await?;
        if self.stop.reason().is_some() {
            return Ok(());
        }
        let mark = if is_back.load(Ordering::SeqCst) { "recovered" } else { "not_recovered" };
        let said = Event::Mark { mark: mark.to_owned(), text: Rate::per_second(rate).to_string() };
        self.journal.append(Source::Measured, "", said).map(drop).map_err(could_not("write the journal"))
    }

    /// Answers later than this after the load's end change no verdict: they are far beyond the SLO.
    fn patience(&self) -> Duration {
        let Some(bound) = validity::tightest(&self.search.slo, &[]) else { return Duration::MAX };
        Duration::from_secs_f64(2e-6 * bound).max(self.search.settle).max(Duration::from_secs(1))
    }

    async fn load(
        &mut self,
        (plan, start_at, stop): (LoadPlan, Tick, Stop),
        phases: Vec<(Tick, String)>,
        (global, on_second): (&Global, impl FnMut(Interval) + Send + 'static),
    ) -> Result<(), Failure> {
        let path = self.dir.join(folder::RECORD);
        let record = if self.loads == 0 {
            RecordWriter::create(&path, &load::head(&self.plan, &self.clock, Seed(global.seed)))
        } else {
            RecordWriter::resume(&path, self.loads)
        };
        self.loads += 1;
        let env = load::Env {
            clock: self.clock.clone(),
            seed: Seed(global.seed),
            shard: Shard::WHOLE,
            stop,
            threads: self.threads,
            record: record.map_err(could_not("write the record"))?,
            start_at,
        };
        let running = load::start(Arc::new(plan), env, on_second).map_err(could_not("start the load"))?;
        let timer = Timer::new(&self.clock).map_err(could_not("make a timer"))?;
        run::phases(phases, timer, &mut self.journal, running).await
    }
}
