//! `squall run SCENARIO.ron | URL`: a load test, judged, with its folder of reports.

use std::path::Path;
use std::sync::Arc;

use super::args::{Global, RunArgs};
use super::assemble::Judged;
use super::exit::{Exit, Failure, could_not};
use super::{assemble, ci, folder, signals, target, term, url};
use crate::base::clock::{Clock, Tick};
use crate::base::seed::Seed;
use crate::base::shard::Shard;
use crate::base::stop::{Stop, StopReason};
use crate::base::timer::Timer;
use crate::judge::live::{Alarm, Watch};
use crate::load;
use crate::measure::interval::Interval;
use crate::measure::journal::{Event, Journal, RunFacts, Source};
use crate::measure::record::RecordWriter;
use crate::plan::check::{self, Files, ScenarioOptions};
use crate::plan::load::LoadPlan;
use crate::report::live::Live;

pub(super) fn main(args: &RunArgs, global: &Global) -> Result<Exit, Failure> {
    let (mut files, path) = if url::is_url(&args.what) {
        let text = url::scenario(args)?;
        (Files::held([(url::FILE.to_owned(), text)]), url::FILE.to_owned())
    } else {
        url::refuse_flags(args)?;
        (Files::disk(), args.what.clone())
    };
    let options = ScenarioOptions { seed: Seed(global.seed) };
    let Some(mut plan) = term::checked(check::scenario(&mut files, &path, &options), global) else {
        return Ok(Exit::Usage);
    };
    if let Err(error) = load::secrets::reveal(&plan) {
        return Err(Failure::usage(error));
    }
    let refused = target::admit(&mut plan, &target::guard(&args.target)?, &path)?;
    if refused.has_errors() {
        term::diagnostics(&refused, global);
        return Ok(Exit::Usage);
    }
    let facts = facts(&plan, &files, args, global)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(could_not("start"))?;
    runtime.block_on(run(Arc::new(plan), facts, args, global))
}

fn facts(plan: &LoadPlan, files: &Files, args: &RunArgs, global: &Global) -> Result<RunFacts, Failure> {
    let origin = plan
        .origins
        .first()
        .map(|one| format!("{}://{}:{}", one.scheme.name(), one.host, one.port))
        .unwrap_or_default();
    let files = if url::is_url(&args.what) { vec![(url::FILE.to_owned(), url::kept(args)?)] } else { texts(files) };
    Ok(RunFacts {
        command: "run".to_owned(),
        name: plan.name.clone(),
        seed: global.seed,
        plan_hash: plan.hash.clone(),
        squall: env!("CARGO_PKG_VERSION").to_owned(),
        files,
        settings: plan.notes(),
        target: origin,
        repeat: url::repeat(args, global.seed),
    })
}

async fn run(plan: Arc<LoadPlan>, facts: RunFacts, args: &RunArgs, global: &Global) -> Result<Exit, Failure> {
    let (stop, hurry) = (Stop::new(), Stop::new());
    signals::watch(&stop, &hurry)?;
    if !args.skip_preflight {
        load::preflight(Arc::clone(&plan)).await.map_err(could_not("reach the target"))?;
    }
    let clock = Clock::start();
    let dir = folder::create(&global.out, &plan.name, &clock)?;
    let mut journal = Journal::create(&dir.join(folder::JOURNAL), &clock).map_err(could_not("write the journal"))?;
    journal.append(Source::Controller, "", Event::Run(facts)).map_err(could_not("write the journal"))?;
    let record = RecordWriter::create(&dir.join(folder::RECORD), &load::head(&plan, &clock, Seed(global.seed)))
        .map_err(could_not("write the record"))?;
    let start_at = next_second(clock.now());
    let env = load::Env {
        clock: clock.clone(),
        seed: Seed(global.seed),
        shard: Shard::WHOLE,
        stop: stop.clone(),
        threads: args.threads.map(usize::from),
        record,
        start_at,
    };
    let running = load::start(Arc::clone(&plan), env, watcher(&plan, start_at, &stop, global))
        .map_err(could_not("start the load"))?;
    let timer = Timer::new(&clock).map_err(could_not("make a timer"))?;
    phases(phase_starts(&plan, start_at), timer, &mut journal, running).await?;
    audit(&plan, &dir, &clock, &mut journal).await?;
    conclude(&dir, &mut journal, &reason_of(&stop), global)
}

/// Reads the books of acknowledged writes back and journals what was found.
pub(super) async fn audit(
    plan: &Arc<LoadPlan>,
    dir: &Path,
    clock: &Clock,
    journal: &mut Journal,
) -> Result<(), Failure> {
    for (book, found) in load::audit(plan, dir, clock).await.map_err(could_not("audit the books"))? {
        journal.append(Source::Controller, "", Event::Audit { book, found }).map_err(could_not("write the journal"))?;
    }
    Ok(())
}

/// Writes the journal's last line, judges, and writes the reports.
pub(super) fn end(dir: &Path, journal: &mut Journal, reason: &str) -> Result<Judged, Failure> {
    let end = Event::End { reason: reason.to_owned() };
    journal.append(Source::Controller, "", end).map_err(could_not("write the journal"))?;
    assemble::render(dir)
}

/// The same, and shows what the run came to.
pub(super) fn conclude(dir: &Path, journal: &mut Journal, reason: &str, global: &Global) -> Result<Exit, Failure> {
    let judged = end(dir, journal, reason)?;
    ci::show(&judged, dir, global)?;
    Ok(judged.exit)
}

/// The first whole second that leaves time to start: seconds of the plan and of the record then coincide.
pub(super) fn next_second(now: Tick) -> Tick {
    let next = Tick::from_secs(u64::from(now.second()) + 1);
    if (next - now).as_millis() < 100 { next + std::time::Duration::from_secs(1) } else { next }
}

/// Every file that was read, as the journal keeps it.
pub(super) fn texts(files: &Files) -> Vec<(String, String)> {
    files.seen().iter().map(|(path, text)| (path.clone(), text.to_string())).collect()
}

/// Shows each second, and raises the plan's abort checks.
fn watcher(plan: &LoadPlan, start_at: Tick, stop: &Stop, global: &Global) -> impl FnMut(Interval) + Send + 'static {
    let mut live = Live::new(&plan.name, plan.length(), term::screen(global));
    let mut watches: Vec<Watch> = plan.checks.iter().filter_map(Watch::of).collect();
    let starts = phase_starts(plan, start_at);
    let stop = stop.clone();
    let mut shown = "";
    move |second| {
        let phase = starts.iter().rev().find(|(at, _)| at.second() <= second.second).map_or("steady", |(_, name)| name);
        if phase != shown {
            shown = phase;
            live.phase(phase);
        }
        live.second(&second);
        for watch in &mut watches {
            if watch.fold(&second, &[phase]) == Alarm::Raised {
                let why = watch.check().id.clone();
                stop.request(if watch.is_about_us() { StopReason::Invalid(why) } else { StopReason::Aborted(why) });
            }
        }
    }
}

/// Journals the phases as they begin, until the load is done.
pub(super) async fn phases<N: Into<String>>(
    starts: Vec<(Tick, N)>,
    mut timer: Timer,
    journal: &mut Journal,
    running: load::Running,
) -> Result<(), Failure> {
    let finished = running.finished();
    tokio::pin!(finished);
    for (at, name) in starts {
        tokio::select! {
            () = timer.until(at) => {}
            done = &mut finished => return done.map(drop).map_err(could_not("finish the load")),
        }
        journal
            .append(Source::Controller, "", Event::Phase { name: name.into() })
            .map_err(could_not("write the journal"))?;
    }
    finished.await.map(drop).map_err(could_not("finish the load"))
}

pub(super) fn phase_starts(plan: &LoadPlan, start_at: Tick) -> Vec<(Tick, &'static str)> {
    let warm = plan.workloads.iter().filter(|one| !one.warmup.is_zero()).map(|one| one.start + one.warmup).max();
    let mut starts = Vec::new();
    if warm.is_some() {
        starts.push((start_at, "warmup"));
    }
    starts.push((start_at + warm.unwrap_or_default(), "steady"));
    starts.push((start_at + plan.length(), "drain"));
    starts
}

/// Why the run ended, as the journal says it.
pub(super) fn reason_of(stop: &Stop) -> String {
    match stop.reason() {
        None | Some(StopReason::Finished) => "finished".to_owned(),
        Some(StopReason::Interrupted) => "interrupted".to_owned(),
        Some(StopReason::Terminated) => "terminated".to_owned(),
        Some(StopReason::Aborted(why)) => format!("aborted: {why}"),
        Some(StopReason::Invalid(why)) => format!("invalid: {why}"),
    }
}
