//! `squall ab SCENARIO --base URL --candidate URL`: two targets in interleaved slots of one run, judged as every run is.
//!
//! Not here: the slots themselves (`slots`), the statistics (`judge::blocks`).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::args::{AbArgs, Global};
use super::assemble::Judged;
use super::exit::{Exit, Failure, could_not};
use super::slots::{Course, Stage};
use super::{assemble, ci, folder, ledger, run, signals, target, term};
use crate::base::clock::{Clock, Tick};
use crate::base::duration::Period;
use crate::base::ratio::Ratio;
use crate::base::seed::Seed;
use crate::base::stop::Stop;
use crate::judge::blocks::{self, Arm};
use crate::judge::calibration::{self, Power};
use crate::load;
use crate::measure::host::fingerprint;
use crate::measure::journal::{Event, Journal, RunFacts, Source};
use crate::measure::record::RecordWriter;
use crate::plan::ab::{AbPlan, Design};
use crate::plan::check::{self, AbOptions, Files, ScenarioOptions};
use crate::plan::gate::Gate;
use crate::plan::load::{LoadPlan, Origin};
use crate::plan::threshold::{Comparison, Level};
use crate::stats::EXACT_MOST;
use crate::stats::holm::{blocks_to_see, detectable};
use crate::stats::portable::{exp, ln};

/// Settings of the command line, by flag name, as the journal keeps them.
pub(super) type Settings = Vec<(String, String)>;

pub(super) fn main(args: &AbArgs, global: &Global) -> Result<Exit, Failure> {
    let Some((dir, judged)) = hold(args, global)? else { return Ok(Exit::Usage) };
    ci::show(&judged, &dir, global)?;
    Ok(judged.exit)
}

/// Holds one comparison, and judges it; `None`: the files have mistakes, which were shown.
pub(super) fn hold(args: &AbArgs, global: &Global) -> Result<Option<(PathBuf, Judged)>, Failure> {
    let mut files = Files::disk();
    let scenario = check::scenario(&mut files, &args.scenario, &ScenarioOptions { seed: Seed(global.seed) });
    let gate = match scenario {
        Ok((plan, _)) => plan.gate,
        Err(mistakes) => {
            term::diagnostics(&mistakes, global);
            return Ok(None);
        }
    };
    let settings = settings(args, &gate);
    let options = options(Seed(global.seed), &settings)?;
    let Some(plan) = term::checked(check::ab(&mut files, &args.scenario, &options), global) else { return Ok(None) };
    if let Some(mistake) = plan.design.mistake(&plan.comparisons) {
        return Err(Failure::usage(mistake));
    }
    let calibrated = calibrated(args, &plan)?;
    let confirmed = args.confirm.as_deref().map(|path| red(path, &plan)).transpose()?.unwrap_or_default();
    let guard = target::guard(&args.tail.target)?;
    let mut arms = Vec::new();
    for origin in origins(args, &plan)? {
        let mut slot = plan.slot(&origin);
        let refused = target::admit(&mut slot, &guard, &args.scenario)?;
        if refused.has_errors() {
            term::diagnostics(&refused, global);
            return Ok(None);
        }
        arms.push(Arc::new(slot));
    }
    let settings = settings.into_iter().chain(confirmed).chain(calibrated).collect();
    let facts = facts(&plan, &files, (args, settings), global);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(could_not("start"))?;
    runtime.block_on(compare(&plan, arms, facts, (args, global))).map(Some)
}

/// What the ledger of the environment says, as settings; a margin that it shows to be out of sight is refused.
fn calibrated(args: &AbArgs, plan: &AbPlan) -> Result<Settings, Failure> {
    let Some(env) = &args.tail.env else { return Ok(Vec::new()) };
    let ledger = ledger::read(env, &fingerprint())?;
    let (reds, all) = ledger.reds();
    if all == 0 {
        term::note(&format!("environment {env} has no calibration ledger: squall gate calibrate makes one"));
    }
    let blocking = |one: &&Comparison| matches!(one.level, Level::Hard | Level::Must);
    let m = plan.comparisons.iter().filter(blocking).count().max(1);
    let (n, alpha) = (plan.design.blocks, plan.design.alpha_of_stage() / m as f64);
    for one in plan.comparisons.iter().filter(blocking).filter(|one| one.margin.slack.abs() > 0.0) {
        let Some(sd) = ledger.sd(&one.id) else { continue };
        let size = one.margin.slack.abs();
        let size = if one.subject.is_share() { size } else { ln(1.0 + size) };
        let Some(seen) = detectable(sd, n, alpha).filter(|seen| *seen > size) else { continue };
        let would = blocks_to_see(size, sd, alpha, (n + 1, EXACT_MOST))
            .map_or("longer slots".to_owned(), |n| format!("{n} blocks"));
        let (seen, unit) = if one.subject.is_share() { (seen, "pp") } else { (exp(seen) - 1.0, "%") };
        let seen = seen * 100.0;
        return Err(Failure::usage(format!(
            "{}: {n} blocks cannot see less than {seen:+.1} {unit} here: use {would}",
            one.id
        )));
    }
    Ok(vec![("env".to_owned(), env.clone()), ("ledger".to_owned(), format!("{reds}/{all}"))])
}

/// What the ledger, as the settings keep it, lets a comparison do.
pub(super) fn power(settings: &[(String, String)], plan: &AbPlan) -> Power {
    let kept = settings.iter().find(|(key, _)| key == "ledger").and_then(|(_, value)| value.split_once('/'));
    let (reds, all) = kept.map_or((0, 0), |(reds, all)| (reds.parse().unwrap_or(0), all.parse().unwrap_or(0)));
    let gate = &plan.load.gate;
    let unproven = calibration::stored(reds, all, gate.max_false_red) == Power::Warn;
    if gate.powers.only_calibrated && unproven {
        return Power::Warn;
    }
    calibration::interleaved(reds, all, plan.design.alpha)
}

/// Where each arm answers, base first.
fn origins(args: &AbArgs, plan: &AbPlan) -> Result<[Origin; 2], Failure> {
    let own = || plan.load.origins.first().cloned().ok_or_else(|| Failure::usage("the scenario has no target"));
    let base = own()?;
    match &args.candidate {
        Some(url) => Ok([base, check::address(url).map_err(Failure::usage)?]),
        None if !args.tail.switch.is_empty() => Ok([base.clone(), base]),
        None => {
            Err(Failure::usage("a comparison wants two targets: --base URL --candidate URL, or one and --switch CMD"))
        }
    }
}

fn settings(args: &AbArgs, gate: &Gate) -> Settings {
    let flags = &args.design;
    let mut settings = vec![
        ("blocks".to_owned(), flags.blocks.unwrap_or(gate.blocks).to_string()),
        ("slot".to_owned(), flags.slot.unwrap_or(Period(gate.slot)).to_string()),
        ("settle".to_owned(), flags.settle.unwrap_or(Period(gate.settle)).to_string()),
        ("stages".to_owned(), flags.stages.unwrap_or(gate.stages).to_string()),
        ("alpha".to_owned(), flags.alpha.unwrap_or(Ratio::new(gate.alpha)).to_string()),
    ];
    let mut keep =
        |name: &str, value: Option<&String>| settings.extend(value.map(|value| (name.to_owned(), value.clone())));
    keep("base", args.base.as_ref());
    keep("candidate", args.candidate.as_ref());
    keep("switch", Some(&args.tail.switch.join(" ")).filter(|text| !text.is_empty()));
    keep("confirm", args.confirm.as_ref());
    let control = if flags.control.is_empty() { &gate.control } else { &flags.control };
    for step in control {
        keep("control", Some(step));
    }
    settings
}

/// What the settings mean, live and at every later rendering.
pub(super) fn options(seed: Seed, settings: &[(String, String)]) -> Result<AbOptions, Failure> {
    let all = |name: &'static str| settings.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str());
    let one = |name| all(name).next().unwrap_or_default();
    let broken = |name: &'static str| Failure::usage(format!("--{name} {} cannot be read", one(name)));
    let period = |name: &'static str| one(name).parse::<Period>().map(|period| period.0).map_err(|_| broken(name));
    let number = |name: &'static str| one(name).parse::<usize>().map_err(|_| broken(name));
    let design = Design {
        blocks: number("blocks")?,
        slot: period("slot")?,
        settle: period("settle")?,
        stages: number("stages")?,
        alpha: one("alpha").parse::<Ratio>().map_err(|_| broken("alpha"))?.get(),
        control: Vec::new(),
    };
    let base = all("base").next().map(check::address).transpose().map_err(Failure::usage)?;
    Ok(AbOptions { seed, design, control: all("control").map(str::to_owned).collect(), base })
}

/// The red comparisons of an earlier result, as settings; it must be of the same comparison.
fn red(path: &str, plan: &AbPlan) -> Result<Settings, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::usage(format!("--confirm {path}: {error}")))?;
    let result: Value =
        serde_json::from_str(&text).map_err(|error| Failure::usage(format!("--confirm {path}: {error}")))?;
    if result["plan_hash"] != plan.load.hash.as_str() {
        return Err(Failure::usage(format!(
            "--confirm {path} is of another comparison: its plan is {}",
            result["plan_hash"]
        )));
    }
    let red = |finding: &&Value| finding["kind"] == "comparison" && finding["verdict"] == "fail";
    let findings = result["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ids = findings.iter().filter(red).filter_map(|finding| finding["id"].as_str());
    Ok(ids.map(|id| ("confirmed".to_owned(), id.to_owned())).collect())
}

/// The comparisons that an earlier result found red; none when it was not asked.
pub(super) fn confirmed(settings: &[(String, String)]) -> Option<Vec<String>> {
    let all = |name: &'static str| settings.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.clone());
    all("confirm").next().map(|_| all("confirmed").collect())
}

fn facts(plan: &AbPlan, files: &Files, (args, settings): (&AbArgs, Settings), global: &Global) -> RunFacts {
    let mut repeat = format!("squall ab {} --seed {}", args.scenario, global.seed);
    for (flag, value) in settings.iter().filter(|(flag, _)| !["confirmed", "switch", "ledger"].contains(&flag.as_str()))
    {
        repeat.extend([" --", flag, " ", value]);
    }
    if !args.tail.switch.is_empty() {
        repeat.extend([" --switch ", &args.tail.switch.join(" ")]);
    }
    let base = plan.load.origins.first().map(|origin| format!("http://{}:{}", origin.host, origin.port));
    let candidate = args.candidate.clone().unwrap_or_else(|| "the same, switched".to_owned());
    RunFacts {
        command: "ab".to_owned(),
        name: plan.load.name.clone(),
        seed: global.seed,
        plan_hash: plan.load.hash.clone(),
        squall: env!("CARGO_PKG_VERSION").to_owned(),
        files: run::texts(files),
        settings,
        target: format!("{} against {candidate}", base.unwrap_or_default()),
        repeat,
    }
}

async fn compare(
    plan: &AbPlan,
    arms: Vec<Arc<LoadPlan>>,
    facts: RunFacts,
    (args, global): (&AbArgs, &Global),
) -> Result<(PathBuf, Judged), Failure> {
    let (stop, hurry) = (Stop::new(), Stop::new());
    signals::watch(&stop, &hurry)?;
    if args.tail.switch.is_empty() {
        for arm in &arms {
            load::preflight(Arc::clone(arm)).await.map_err(could_not("reach the target"))?;
        }
    }
    let clock = Clock::start();
    let dir = folder::create(&global.out, &plan.load.name, &clock)?;
    let mut journal = Journal::create(&dir.join(folder::JOURNAL), &clock).map_err(could_not("write the journal"))?;
    journal.append(Source::Controller, "", Event::Run(facts)).map_err(could_not("write the journal"))?;
    let record = RecordWriter::create(&dir.join(folder::RECORD), &load::head(&plan.load, &clock, Seed(global.seed)))
        .map_err(could_not("write the record"))?;
    let began = clock.now();
    let stage = Stage {
        clock: clock.clone(),
        stop: stop.clone(),
        threads: args.threads.map(usize::from),
        switch: &args.tail.switch,
    };
    let mut course = Course::new(stage, plan, (arms, record.relay()), global);
    let all = |stage: usize| (stage * plan.design.blocks + 1) as u64..=((stage + 1) * plan.design.blocks) as u64;
    'stages: for stage in 0..plan.design.stages {
        if stage > 0 && !is_open(&dir)? {
            break;
        }
        for block in all(stage) {
            for arm in blocks::order(Seed(global.seed), block) {
                course.slot((arm, block), &mut journal).await?;
                if stop.is_requested() {
                    break 'stages;
                }
            }
        }
    }
    let reason = run::reason_of(&stop);
    course.finish(clock.now().since(began), &reason)?;
    let judged = run::end(&dir, &mut journal, &reason)?;
    Ok((dir, judged))
}

/// Whether the blocks so far leave something open that a further stage may decide.
fn is_open(dir: &Path) -> Result<bool, Failure> {
    Ok(blocks::is_open(&assemble::judge(dir)?.account.findings))
}

/// The index of an arm's plan.
pub(super) fn index(arm: Arm) -> usize {
    usize::from(arm == Arm::Candidate)
}

/// The first whole second from `at` on: seconds of slots and of the record then coincide.
pub(super) fn whole_second_after(at: Tick) -> Tick {
    let second = Tick::from_secs(u64::from(at.second()));
    if second == at { at } else { second + std::time::Duration::from_secs(1) }
}
