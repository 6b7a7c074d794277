//! `squall find SCENARIO --slo TEXT…`: the highest rate at which the SLO holds, searched step by step in one run's folder.
//!
//! Not here: which rate comes next and how one went (`judge::search`), how a rate is held (`load`).

mod hold;

use std::sync::Arc;
use std::time::Duration;

use super::args::{FindArgs, Global, RateArgs};
use super::exit::{Exit, Failure, could_not};
use super::{folder, run, signals, target, term};
use crate::base::clock::Clock;
use crate::base::duration::Period;
use crate::base::rate::Rate;
use crate::base::ratio::Ratio;
use crate::base::seed::Seed;
use crate::base::stop::Stop;
use crate::judge::search::Search;
use crate::load;
use crate::measure::journal::{Event, Journal, RunFacts, Source};
use crate::plan::check::{self, Files, ScenarioOptions};
use crate::plan::guard::Guard;
use crate::plan::held::{held_at, requests_at};
use crate::plan::load::LoadPlan;
use hold::Session;

/// No generator of ours goes beyond this, arrivals per second.
const FASTEST: f64 = 1e7;
const SECOND: Duration = Duration::from_secs(1);

pub(super) fn main(args: &FindArgs, global: &Global) -> Result<Exit, Failure> {
    let mut files = Files::disk();
    let options = ScenarioOptions { seed: Seed(global.seed) };
    let Some(mut plan) = term::checked(check::scenario(&mut files, &args.file, &options), global) else {
        return Ok(Exit::Usage);
    };
    if let Err(mistakes) = check::checks(&args.slo, "--slo", (&plan, &[])) {
        term::diagnostics(&mistakes, global);
        return Ok(Exit::Usage);
    }
    let start = args.rates.start.get();
    let Some(mut first) = held_at(&plan, start, (SECOND, SECOND), SECOND) else {
        return Err(Failure::usage(format!(
            "{} has no arrivals of its own to hold at a rate: give it an Open workload",
            args.file
        )));
    };
    let guard = target::guard(&args.target)?;
    let refused = target::admit(&mut first, &guard, &args.file)?;
    if refused.has_errors() {
        term::diagnostics(&refused, global);
        return Ok(Exit::Usage);
    }
    plan.origins = first.origins;
    let ceiling = check::max_rate(&mut files, &args.file);
    let most = most(&args.rates, &Allowed { plan: &plan, guard: &guard, file: &args.file, ceiling })?;
    let settings = settings(args, most)?;
    let search = search_of(&settings, &plan)?;
    let facts = facts(&plan, &files, settings, (args, global));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(could_not("start"))?;
    runtime.block_on(go(Arc::new(plan), search, facts, (args, global)))
}

/// What may be sent: the guard's word and the scenario's own ceiling.
struct Allowed<'a> {
    plan: &'a LoadPlan,
    guard: &'a Guard,
    file: &'a str,
    ceiling: Option<f64>,
}

impl Allowed<'_> {
    fn admits(&self, rate: f64) -> bool {
        let Some(held) = held_at(self.plan, rate, (SECOND, SECOND), SECOND) else { return false };
        self.ceiling.is_none_or(|most| requests_at(self.plan, rate) <= most)
            && !self.guard.judge_load(&held, self.file).has_errors()
    }
}

/// The highest rate that may be tried; `None`: nothing limits it.
fn most(rates: &RateArgs, allowed: &Allowed<'_>) -> Result<Option<f64>, Failure> {
    let start = rates.start.get();
    if start <= 0.0 {
        return Err(Failure::usage("--start must be above 0/s"));
    }
    if !allowed.admits(start) {
        return Err(Failure::usage(format!("the target may not be sent --start {}: lower it", rates.start)));
    }
    if let Some(max) = rates.max {
        if max < rates.start {
            return Err(Failure::usage(format!("--max {max} is below --start {}", rates.start)));
        }
        if !allowed.admits(max.get()) {
            return Err(Failure::usage(format!("the target may not be sent --max {max}: lower it")));
        }
    }
    let wanted = rates.max.map_or(FASTEST, Rate::get);
    if let Some(min) = rates.min.filter(|min| min.get() > wanted) {
        return Err(Failure::usage(format!("--min {min} is above --max {}", Rate::per_second(wanted))));
    }
    if allowed.admits(wanted) {
        return Ok(rates.max.map(Rate::get));
    }
    let (mut good, mut bad) = (start, wanted);
    while bad / good > 1.001 {
        let middle = (good * bad).sqrt();
        *(if allowed.admits(middle) { &mut good } else { &mut bad }) = middle;
    }
    Ok(Some(good))
}

/// The search as the journal keeps it: what makes the same one again.
fn settings(args: &FindArgs, most: Option<f64>) -> Result<Vec<(String, String)>, Failure> {
    let whole = |period: Period, name: &str, least: u64| {
        let seconds = period.0.as_secs_f64().round();
        if seconds < least as f64 {
            return Err(Failure::usage(format!("--{name} {period} is too short: at least {least}s")));
        }
        Ok((name.to_owned(), format!("{seconds}s")))
    };
    if !(0.001..=0.5).contains(&args.tolerance.get()) {
        return Err(Failure::usage("--tolerance must lie between 0.1% and 50%"));
    }
    let mut settings: Vec<_> = args.slo.iter().map(|text| ("slo".to_owned(), text.clone())).collect();
    settings.push(("start".to_owned(), args.rates.start.to_string()));
    settings.extend(most.map(|most| ("max".to_owned(), Rate::per_second(most).to_string())));
    settings.extend(args.rates.min.map(|min| ("min".to_owned(), min.to_string())));
    settings.push(whole(args.hold, "hold", 1)?);
    settings.push(whole(args.settle, "settle", 0)?);
    settings.push(("tolerance".to_owned(), format!("{}%", args.tolerance.get() * 100.0)));
    Ok(settings)
}

/// The search that `settings` of a journal mean, on `plan`.
pub(super) fn search_of(settings: &[(String, String)], plan: &LoadPlan) -> Result<Search, Failure> {
    let one = |name: &str| settings.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let rate = |name: &str| one(name).and_then(|text| text.parse::<Rate>().ok()).map(Rate::get);
    let time = |name: &str| one(name).and_then(|text| text.parse::<Period>().ok()).map(|period| period.0);
    let texts: Vec<String> = settings.iter().filter(|(key, _)| key == "slo").map(|(_, value)| value.clone()).collect();
    let mut slo = check::checks(&texts, "--slo", (plan, &[]))
        .map_err(|_| Failure::could_not("this squall reads the search's --slo differently from the one that ran it"))?;
    if let Some(one) = slo.iter().find(|one| one.lean.is_some()) {
        return Err(Failure::usage(format!(
            "--slo {}: a search holds a rate against a number, not against another run",
            one.id
        )));
    }
    // Every held rate is its own steady phase; what the line says of phases has no other meaning here.
    for check in &mut slo {
        check.scope.phases.clear();
    }
    match (rate("start"), time("hold"), time("settle"), one("tolerance").and_then(|text| text.parse::<Ratio>().ok())) {
        (Some(start), Some(hold), Some(settle), Some(tolerance)) => {
            Ok(Search { start, most: rate("max"), least: rate("min"), hold, settle, tolerance: tolerance.get(), slo })
        }
        _ => Err(Failure::could_not(
            "the journal does not say what was searched: --start, --hold, --settle, --tolerance",
        )),
    }
}

fn facts(
    plan: &LoadPlan,
    files: &Files,
    settings: Vec<(String, String)>,
    (args, global): (&FindArgs, &Global),
) -> RunFacts {
    let origin = plan.origins.first();
    let flags: String = settings
        .iter()
        .map(|(flag, value)| if flag == "slo" { format!(" --slo '{value}'") } else { format!(" --{flag} {value}") })
        .collect();
    RunFacts {
        command: "find".to_owned(),
        name: plan.name.clone(),
        seed: global.seed,
        plan_hash: plan.hash.clone(),
        squall: env!("CARGO_PKG_VERSION").to_owned(),
        files: run::texts(files),
        settings,
        target: origin.map(|origin| format!("http://{}:{}", origin.host, origin.port)).unwrap_or_default(),
        repeat: format!("squall find {}{flags} --seed {}", args.file, global.seed),
    }
}

async fn go(
    plan: Arc<LoadPlan>,
    search: Search,
    facts: RunFacts,
    (args, global): (&FindArgs, &Global),
) -> Result<Exit, Failure> {
    let (stop, hurry) = (Stop::new(), Stop::new());
    signals::watch(&stop, &hurry)?;
    if !args.skip_preflight {
        load::preflight(Arc::clone(&plan)).await.map_err(could_not("reach the target"))?;
    }
    let clock = Clock::start();
    let dir = folder::create(&global.out, &plan.name, &clock)?;
    let mut journal = Journal::create(&dir.join(folder::JOURNAL), &clock).map_err(could_not("write the journal"))?;
    journal.append(Source::Controller, "", Event::Run(facts)).map_err(could_not("write the journal"))?;
    let threads = args.threads.map(usize::from);
    let mut session = Session { plan, search, clock, stop, journal, dir, threads, loads: 0 };
    session.search(global).await?;
    let Session { mut journal, dir, stop, .. } = session;
    run::conclude(&dir, &mut journal, &run::reason_of(&stop), global)
}
