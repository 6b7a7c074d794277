//! From a run's folder to its account and its reports. The end of a run and `squall report` take the same road.
//!
//! The plan is checked again from the texts that the journal holds, so that a report needs nothing but the folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::ab;
use super::exit::{Exit, Failure, could_not};
use super::find;
use super::folder::{JOURNAL, RECORD};
use crate::base::duration::show;
use crate::base::seed::Seed;
use crate::judge::account::{self, Account, Planned};
use crate::judge::calibration::Power;
use crate::judge::conclusion;
use crate::judge::search::{self, Course, Search};
use crate::judge::threshold::Profile;
use crate::measure::interval::Interval;
use crate::measure::journal::{self, Contents, Event, JournalError, Line, RunFacts};
use crate::measure::record::{self, Record, RecordError};
use crate::plan::ab::AbPlan;
use crate::plan::check::{self, DrillOptions, Files, ScenarioOptions};
use crate::plan::drill::{DrillPlan, ShopData};
use crate::plan::load::LoadPlan;
use crate::report::{self, words};

/// A run, judged.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) account: Account,
    pub(super) exit: Exit,
    pub(super) plan: Plan,
}

/// A checked plan, as it was run.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    Load(Arc<LoadPlan>),
    /// Only the record is left; and why.
    Lost(Arc<LoadPlan>, String),
    Drill(Arc<DrillPlan>),
    Find(Arc<LoadPlan>, Search),
    /// With the comparisons that an earlier result found red, where that was asked for, and what the ledger lets it do.
    Ab(Box<AbPlan>, Option<Vec<String>>, Power),
}

/// Judges the run in `dir` and writes all its reports.
pub(super) fn render(dir: &Path) -> Result<Judged, Failure> {
    let judged = judge(dir)?;
    report::write_all(&judged.account, dir, judged.exit.code()).map_err(could_not("write the reports"))?;
    Ok(judged)
}

/// How a finished run is judged and rendered again.
#[derive(Clone, Debug, Default)]
pub(super) struct How {
    /// Folders of further shards of the same run.
    pub(super) shards: Vec<PathBuf>,
    /// Only these seconds from its beginning: from, to.
    pub(super) cut: Option<(Duration, Duration)>,
    /// Another profile than the plan's.
    pub(super) profile: Option<Profile>,
    /// These checks instead of the plan's.
    pub(super) checks: Vec<String>,
}

/// Judges the run in `dir` from its journal and record alone.
pub(super) fn judge(dir: &Path) -> Result<Judged, Failure> {
    judge_as(dir, &How::default())
}

/// Judges the run in `dir`, and its other shards, as `how` says.
pub(super) fn judge_as(dir: &Path, how: &How) -> Result<Judged, Failure> {
    let journal = journal::read(&dir.join(JOURNAL));
    let path = dir.join(RECORD);
    let mut record = if how.shards.is_empty() {
        record::read(&path).map_err(could_not("read the record"))?
    } else {
        let all: Vec<PathBuf> =
            std::iter::once(path).chain(how.shards.iter().map(|other| other.join(RECORD))).collect();
        record::merge(&all).map_err(|error| match error {
            RecordError::Unlike { .. } => Failure::usage(error),
            other => could_not("merge the records")(other),
        })?
    };
    if let Some(window) = how.cut {
        cut(&mut record, window)?;
    }
    let (lines, mut plan) = planned(journal, &record, dir)?;
    let is_changed = how.cut.is_some() || how.profile.is_some() || !how.checks.is_empty();
    if is_changed && !matches!(plan, Plan::Load(_) | Plan::Lost(..)) {
        return Err(Failure::usage(format!(
            "{} is no load test: only those can be cut, or judged by other checks",
            dir.display()
        )));
    }
    if let (Plan::Load(plan) | Plan::Lost(plan, _), false) = (&mut plan, how.checks.is_empty()) {
        let checks = check::checks(&how.checks, "--check", (plan, &injected(&lines))).map_err(|mistakes| {
            Failure::usage(mistakes.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        })?;
        Arc::make_mut(plan).checks = checks;
    }
    let planned = match &plan {
        Plan::Load(plan) => how.profile.map_or(Planned::Load(plan), |profile| Planned::Gate(plan, profile)),
        Plan::Lost(plan, why) => Planned::Record(plan, why),
        Plan::Drill(plan) => Planned::Drill(plan),
        Plan::Find(plan, search) => Planned::Find(plan, search),
        Plan::Ab(plan, confirm, power) => Planned::Ab { plan, confirm: confirm.as_deref(), power: *power },
    };
    let account = account::of(planned, &lines, record);
    let exit = conclusion::of(&account);
    Ok(Judged { account, exit, plan })
}

/// The lines of the journal and the plan in them; where it is missing or broken, what the record alone says.
fn planned(journal: Result<Contents, JournalError>, record: &Record, dir: &Path) -> Result<(Vec<Line>, Plan), Failure> {
    match journal {
        Ok(contents) => {
            let plan = plan_of(facts(&contents.lines, dir)?)?;
            Ok((contents.lines, plan))
        }
        Err(error @ (JournalError::Io { .. } | JournalError::Broken { .. })) => {
            let head = &record.head;
            let plan = LoadPlan::lost(&head.name, &head.steps, &head.plan_hash);
            Ok((Vec::new(), Plan::Lost(Arc::new(plan), error.to_string())))
        }
        Err(error) => Err(could_not("read the journal")(error)),
    }
}

/// Names of what was injected.
fn injected(lines: &[Line]) -> Vec<String> {
    let named = |line: &Line| if let Event::Injected { id, .. } = &line.event { Some(id.clone()) } else { None };
    lines.iter().filter_map(named).collect()
}

/// Keeps the seconds of `window`, counted from the run's first one.
fn cut(record: &mut Record, (from, to): (Duration, Duration)) -> Result<(), Failure> {
    let length = record.seconds.len() as f64;
    if from >= to || to.as_secs_f64() > length.ceil() || record.seconds.is_empty() {
        let lasted = words::plain(&words::span(length));
        return Err(Failure::usage(format!(
            "there is nothing between {} and {}: the run lasted {lasted}",
            show(from),
            show(to)
        )));
    }
    let first = record.seconds.first().map_or(0, |one| one.second);
    let inside = |second: u32| {
        let at = Duration::from_secs(u64::from(second - first));
        at >= from && at < to
    };
    record.seconds.retain(|one| inside(one.second));
    let all = record.seconds.iter().map(Interval::travel);
    let planned = all.map(|one| one.planned).sum();
    if let Some(done) = &mut record.done {
        // What is left out is neither planned nor missing here.
        (done.planned, done.not_started) = (planned, 0);
    }
    Ok(())
}

/// The capacity search in `dir` as far as it went.
pub(super) fn course(dir: &Path, search: &Search) -> Result<Course, Failure> {
    let lines = journal::read(&dir.join(JOURNAL)).map_err(could_not("read the journal"))?.lines;
    let record = record::read(&dir.join(RECORD)).map_err(could_not("read the record"))?;
    Ok(search::course(search, (&account::phases(&lines, &record.seconds), &lines), &record.seconds))
}

/// The drill whose run in `dir` has begun.
pub(super) fn drill_of(dir: &Path) -> Result<Arc<DrillPlan>, Failure> {
    let lines = journal::read(&dir.join(JOURNAL)).map_err(could_not("read the journal"))?.lines;
    match plan_of(facts(&lines, dir)?)? {
        Plan::Drill(plan) => Ok(plan),
        _ => Err(Failure::usage(format!("{} is no drill", dir.display()))),
    }
}

fn facts<'a>(lines: &'a [Line], dir: &Path) -> Result<&'a RunFacts, Failure> {
    match lines.first().map(|line| &line.event) {
        Some(Event::Run(facts)) => Ok(facts),
        _ => Err(Failure::could_not(format!("{}: the journal does not begin with a run", dir.join(JOURNAL).display()))),
    }
}

/// The plan that was run, checked again from the texts in the journal.
fn plan_of(facts: &RunFacts) -> Result<Plan, Failure> {
    let mut files = Files::held(facts.files.iter().cloned());
    let main = facts.files.first().map(|(path, _)| path.clone()).unwrap_or_default();
    let seed = Seed(facts.seed);
    let setting = |name: &str| facts.settings.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let stale =
        |_| Failure::could_not(format!("this squall reads {main} differently from the {} that ran it", facts.squall));
    if facts.command == "drill" {
        let options = drill_options(seed, &setting);
        return check::drill(&mut files, &main, &options).map(|(plan, _)| Plan::Drill(Arc::new(plan))).map_err(stale);
    }
    if facts.command == "ab" {
        let options = ab::options(seed, &facts.settings)?;
        let plan = check::ab(&mut files, &main, &options).map(|(plan, _)| Box::new(plan)).map_err(stale)?;
        let power = ab::power(&facts.settings, &plan);
        return Ok(Plan::Ab(plan, ab::confirmed(&facts.settings), power));
    }
    let options = ScenarioOptions { seed };
    let (plan, _) = check::scenario(&mut files, &main, &options).map_err(stale)?;
    if facts.command == "find" {
        let search = find::search_of(&facts.settings, &plan)?;
        return Ok(Plan::Find(Arc::new(plan), search));
    }
    Ok(Plan::Load(Arc::new(plan)))
}

/// Settings of the command line as the journal keeps them: only what changes the plan.
pub(super) fn drill_settings(options: &DrillOptions) -> Vec<(String, String)> {
    let mut settings = Vec::new();
    let mut keep = |name: &str, value: Option<String>| settings.extend(value.map(|value| (name.to_owned(), value)));
    keep("time-factor", options.time_factor.map(|factor| factor.to_string()));
    keep("responder", (options.responder == check::Responder::None).then(|| "none".to_owned()));
    keep(
        "data",
        options.data.map(|data| if data == ShopData::TestLike { "test-like" } else { "realistic" }.to_owned()),
    );
    keep("allow-destructive", options.allow_destructive.then(|| "yes".to_owned()));
    // The address may hold a password; that it was a real database is all a report needs.
    keep("database", options.database.as_ref().map(|_| "postgres://***".to_owned()));
    settings
}

fn drill_options<'a>(seed: Seed, setting: &impl Fn(&str) -> Option<&'a str>) -> DrillOptions {
    DrillOptions {
        seed,
        time_factor: setting("time-factor").and_then(|text| text.parse().ok()),
        responder: if setting("responder") == Some("none") { check::Responder::None } else { check::Responder::Robot },
        data: setting("data").map(|text| if text == "test-like" { ShopData::TestLike } else { ShopData::Realistic }),
        database: setting("database").map(str::to_owned),
        allow_destructive: setting("allow-destructive").is_some(),
        ..DrillOptions::default()
    }
}
