//! One measured run of the self-test: scenario text in, account out, by the road every run takes.
//!
//! Not here: what the numbers should be (the cases).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::line::Noise;
use crate::base::clock::{Clock, Tick};
use crate::base::seed::Seed;
use crate::base::shard::Shard;
use crate::base::stop::Stop;
use crate::base::timer::Timer;
use crate::cli::args::Global;
use crate::cli::exit::{Failure, could_not};
use crate::cli::{folder, run, target};
use crate::judge::account::{self, Account, Planned};
use crate::judge::finding::Verdict;
use crate::load::truth::target::{Asked, Reply, Target};
use crate::load::{self, Env};
use crate::measure::histogram::{Bins, rank_of};
use crate::measure::interval::Split;
use crate::measure::journal::{self, Event, Journal, Line, RunFacts, Source};
use crate::measure::ledger::Audit;
use crate::measure::record::{self, Exemplar, RecordWriter};
use crate::plan::check::{self, Files, ScenarioOptions};
use crate::plan::guard::Guard;
use crate::plan::load::LoadPlan;

/// Name of the scenario in diagnostics.
const FILE: &str = "selftest.ron";
/// A bare timer later than this, µs at p99, is a machine that nothing can be timed on.
const LOUD_US: u64 = 1_000;

/// Where cases are measured.
pub(super) struct Lab {
    /// Length of a run, whole seconds.
    pub(super) seconds: u32,
    pub(super) seed: u64,
    /// Lateness of a bare timer loop, µs.
    pub(super) bare: Bins,
    dir: PathBuf,
}

impl Drop for Lab {
    fn drop(&mut self) {
        // What stays behind in the system's folder for such files harms nobody.
        drop(std::fs::remove_dir_all(&self.dir));
    }
}

/// A run, and what its target counted.
pub(super) struct Seen {
    pub(super) account: Account,
    /// Books that were read back.
    pub(super) audits: Vec<Audit>,
    pub(super) asked: u64,
    /// Whether its times can be off without our fault.
    pub(super) noise: Noise,
}

impl Lab {
    pub(super) fn new(length: Option<Duration>, global: &Global) -> Result<Self, Failure> {
        let seconds = u32::try_from(length.map_or(10, |length| length.as_secs())).unwrap_or(u32::MAX);
        if !(1..=10).contains(&seconds) {
            return Err(Failure::usage("--for must lie between 1s and 10s: the truths are worked out for that"));
        }
        let dir = std::env::temp_dir().join(format!("squall-selftest-{}", std::process::id()));
        Ok(Self { seconds, seed: global.seed, bare: bare_timer()?, dir })
    }

    /// Requests of a run at 1 000/s.
    pub(super) fn all(&self) -> u64 {
        u64::from(self.seconds) * 1_000
    }

    /// `1 000/s` for the length of the lab; `more` are further fields of the workload.
    pub(super) fn thousand(&self, more: &str) -> String {
        Self::arrivals(1_000, self.seconds, more)
    }

    /// `rate` arrivals a second for so many seconds.
    pub(super) fn arrivals(rate: u32, seconds: u32, more: &str) -> String {
        format!("Open(name: \"arrivals\", rate: [Hold(rate: \"{rate}/s\", for: \"{seconds}s\")]{more})")
    }

    /// A folder of its own below the lab's.
    pub(super) fn folder(&self, clock: &Clock) -> Result<PathBuf, Failure> {
        folder::create(&self.dir, "selftest", clock)
    }

    /// Runs `load` over one GET against a target with `script`.
    pub(super) fn get(
        &self,
        load: &str,
        script: impl Fn(Asked<'_>) -> Reply + Send + Sync + 'static,
    ) -> Result<Seen, Failure> {
        self.run(load, "\"j\": (steps: [Http(name: \"get\", url: \"/\")])", &[], script)
    }

    /// Runs `load` over `journeys` with `checks` against a target with `script`.
    pub(super) fn run(
        &self,
        load: &str,
        journeys: &str,
        checks: &[&str],
        script: impl Fn(Asked<'_>) -> Reply + Send + Sync + 'static,
    ) -> Result<Seen, Failure> {
        self.written(&parts(load, journeys, checks), script)
    }

    /// Runs a scenario of these parts, which are everything but name and target, against a target with `script`.
    pub(super) fn written(
        &self,
        parts: &str,
        script: impl Fn(Asked<'_>) -> Reply + Send + Sync + 'static,
    ) -> Result<Seen, Failure> {
        let aim = Target::start(script).map_err(could_not("start the target"))?;
        let plan = self.scenario(&aim.url(), parts)?;
        let clock = Clock::start();
        let dir = self.folder(&clock)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(could_not("start"))?;
        runtime.block_on(self.measured(&plan, clock, &dir))?;
        let (account, audits) = judged(&plan, &dir)?;
        let loud = account.generator.verdict != Verdict::Pass || self.is_loud();
        Ok(Seen { account, audits, asked: aim.asked(), noise: if loud { Noise::Loud } else { Noise::Quiet } })
    }

    /// Whether even a bare timer is late here.
    pub(super) fn is_loud(&self) -> bool {
        self.bare.value_at(0.99).is_some_and(|late| late > LOUD_US)
    }

    /// The plan of a scenario.
    pub(super) fn plan(
        &self,
        base: &str,
        load: &str,
        journeys: &str,
        checks: &[&str],
    ) -> Result<Arc<LoadPlan>, Failure> {
        self.scenario(base, &parts(load, journeys, checks))
    }

    fn scenario(&self, base: &str, parts: &str) -> Result<Arc<LoadPlan>, Failure> {
        let text = format!("(name: \"selftest\", target: (base: {base:?}), {parts})");
        let mut files = Files::held([(FILE.to_owned(), text)]);
        let options = ScenarioOptions { seed: Seed(self.seed) };
        let (mut plan, _) = check::scenario(&mut files, FILE, &options).map_err(|mistakes| {
            let blocks: String = mistakes.0.iter().map(ToString::to_string).collect();
            Failure::could_not(format!("our own scenario has mistakes\n{blocks}"))
        })?;
        // Loopback only, whatever a list of targets says.
        target::admit(&mut plan, &Guard::default(), FILE)?;
        Ok(Arc::new(plan))
    }

    async fn measured(&self, plan: &Arc<LoadPlan>, clock: Clock, dir: &Path) -> Result<(), Failure> {
        let failed = || could_not("write the journal");
        let mut journal = Journal::create(&dir.join(folder::JOURNAL), &clock).map_err(failed())?;
        let facts = RunFacts { command: "selftest".to_owned(), seed: self.seed, ..RunFacts::default() };
        journal.append(Source::Controller, "", Event::Run(facts)).map_err(failed())?;
        let record = RecordWriter::create(&dir.join(folder::RECORD), &load::head(plan, &clock, Seed(self.seed)))
            .map_err(could_not("write the record"))?;
        let start_at = run::next_second(clock.now());
        let env = Env {
            clock: clock.clone(),
            seed: Seed(self.seed),
            shard: Shard::WHOLE,
            stop: Stop::new(),
            threads: None,
            record,
            start_at,
        };
        let running = load::start(Arc::clone(plan), env, |_| {}).map_err(could_not("start the load"))?;
        let timer = Timer::new(&clock).map_err(could_not("make a timer"))?;
        run::phases(run::phase_starts(plan, start_at), timer, &mut journal, running).await?;
        run::audit(plan, dir, &clock, &mut journal).await?;
        let end = Event::End { reason: "finished".to_owned() };
        journal.append(Source::Controller, "", end).map(drop).map_err(failed())
    }
}

fn parts(load: &str, journeys: &str, checks: &[&str]) -> String {
    format!("load: [{load}], journeys: {{{journeys}}}, checks: {checks:?}")
}

fn judged(plan: &LoadPlan, dir: &Path) -> Result<(Account, Vec<Audit>), Failure> {
    let lines = journal::read(&dir.join(folder::JOURNAL)).map_err(could_not("read the journal"))?.lines;
    let record = record::read(&dir.join(folder::RECORD)).map_err(could_not("read the record"))?;
    let audit = |line: &Line| if let Event::Audit { found, .. } = &line.event { Some(found.clone()) } else { None };
    let audits = lines.iter().filter_map(audit).collect();
    Ok((account::of(Planned::Load(plan), &lines, record), audits))
}

impl Seen {
    /// Quantile `q` of the response time of all arrivals, ms; infinite among the unanswered.
    pub(super) fn response_ms(&self, q: f64) -> f64 {
        self.at(&self.account.totals.all.response, q)
    }

    /// Quantile `q` of the service time of all arrivals, ms.
    pub(super) fn service_ms(&self, q: f64) -> f64 {
        self.at(&self.account.totals.all.service, q)
    }

    fn at(&self, split: &Split, q: f64) -> f64 {
        let rank = rank_of(q, self.account.totals.all.arrivals());
        split.ok.value_at_rank(rank).map_or(f64::INFINITY, |us| us as f64 / 1e3)
    }

    /// Failures of `kind`.
    pub(super) fn errors(&self, kind: &str) -> u64 {
        self.account.totals.all.errors.get(kind).copied().unwrap_or(0)
    }

    /// The requests kept as examples of `kind`.
    pub(super) fn examples(&self, kind: &str) -> Vec<&Exemplar> {
        self.account.exemplars.iter().filter(|one| one.kind == kind).collect()
    }

    /// Arrivals of the plan.
    pub(super) fn planned(&self) -> u64 {
        self.account.done.as_ref().map_or(0, |done| done.planned)
    }

    /// The verdict of finding `id`, as a word.
    pub(super) fn finding(&self, id: &str) -> &'static str {
        self.account.findings.iter().find(|one| one.id == id).map_or("missing", |one| one.verdict.word())
    }
}

/// Lateness of a bare timer at 1 000/s for a second: what this machine can do at all.
fn bare_timer() -> Result<Bins, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(could_not("start"))?;
    runtime.block_on(async {
        let clock = Clock::start();
        let mut timer = Timer::new(&clock).map_err(could_not("make a timer"))?;
        let mut late = Bins::default();
        for n in 1..=1_000_u64 {
            let due = Tick::from_millis(n);
            timer.until(due).await;
            late.record(u64::try_from(clock.now().since(due).as_micros()).unwrap_or(u64::MAX));
        }
        Ok(late)
    })
}
