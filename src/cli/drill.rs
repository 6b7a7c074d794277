//! `squall drill DRILL.ron`: a crisis drill with its load, its acts and the robot that plays the people.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::args::{Data, DrillArgs, Global, Responder};
use super::assemble::Judged;
use super::exit::{Exit, Failure, could_not};
use super::{assemble, ci, folder, keeper, recover, rehearse, run, signals, target, term};
use crate::base::clock::Clock;
use crate::base::seed::Seed;
use crate::base::stop::Stop;
use crate::console::sandbox::events_v2::Sandbox;
use crate::drill::keeper::Program;
use crate::drill::stage::{self, DrillError, StageEnv};
use crate::judge::words::quantity;
use crate::measure::journal::{self, Event, RunFacts};
use crate::plan::check::{self, DrillOptions, Files};
use crate::plan::drill::{DrillPlan, ShopData, System};
use crate::plan::guard::Guard;
use crate::report::live::Live;

/// Pages that may wait for the stage; the sandbox then answers late, and loses none.
const PAGES: usize = 256;
/// So many runs are compared; fewer are listed.
const ENOUGH: usize = 5;

pub(super) fn main(args: &DrillArgs, global: &Global) -> Result<Exit, Failure> {
    if args.rehearse {
        return rehearse::main(args, global);
    }
    let Some(mut ready) = prepare(args, &options(args, global), global)? else { return Ok(Exit::Usage) };
    let rehearsed = rehearse::is_green(&global.out, &ready.plan.hash);
    ready.facts.settings.push(("rehearsed".to_owned(), if rehearsed { "yes" } else { "no" }.to_owned()));
    if !rehearsed && !global.quiet && !global.json {
        term::note(&format!("this plan was never rehearsed: squall drill {} --rehearse", args.file));
    }
    let mut series = Series::new()?;
    let mut exit = Exit::Passed;
    let mut held = Vec::new();
    for _ in 0..args.repeat {
        let (dir, judged) = series.hold(&ready, global)?;
        ci::show(&judged, &dir, global)?;
        exit = exit.graver(judged.exit);
        let ended_by_hand = judged.exit.is_signal();
        held.push(judged);
        if ended_by_hand {
            break;
        }
    }
    if args.repeat > 1 && !global.json {
        term::out(&summary(&held).join("\n"));
    }
    Ok(exit)
}

/// What several runs of one plan have in common: how each ended, and every time that was measured.
fn summary(held: &[Judged]) -> Vec<String> {
    let exits: Vec<String> = held.iter().map(|one| one.exit.code().to_string()).collect();
    let mut lines = vec![format!("held {} times; exit codes {}", held.len(), exits.join(", "))];
    let names = held.iter().find_map(|one| one.account.drill.as_ref());
    for (n, one) in names.map_or(&[][..], |drill| drill.expectations.as_slice()).iter().enumerate() {
        let mut seen: Vec<f64> =
            held.iter().filter_map(|run| run.account.drill.as_ref()?.expectations.get(n)?.measured).collect();
        seen.sort_by(f64::total_cmp);
        let list: Vec<String> = seen.iter().map(|value| quantity(*value, one.unit)).collect();
        let middle = match seen.get(seen.len() / 2) {
            Some(middle) if seen.len() >= ENOUGH => format!("median {}", quantity(*middle, one.unit)),
            _ => "not enough runs for a median".to_owned(),
        };
        let never = held.len() - seen.len();
        let missing = if never > 0 { format!("; never in {never}") } else { String::new() };
        lines.push(format!("  {:<12} {}; {middle}{missing}", one.name, list.join(", ")));
    }
    lines
}

/// A drill that may be held.
pub(super) struct Ready {
    pub(super) plan: Arc<DrillPlan>,
    facts: RunFacts,
    guard: Guard,
    keeper: Program,
}

/// Checks the file and asks the guard; `None` after the mistakes have been printed.
pub(super) fn prepare(args: &DrillArgs, options: &DrillOptions, global: &Global) -> Result<Option<Ready>, Failure> {
    let mut files = Files::disk();
    let Some(plan) = term::checked(check::drill(&mut files, &args.file, options), global) else { return Ok(None) };
    let guard = target::guard(&args.target)?;
    let refused = guard.judge_drill(&plan, &args.file);
    if refused.has_errors() {
        term::diagnostics(&refused, global);
        return Ok(None);
    }
    let facts = facts(&plan, &files, (args, options), global);
    if matches!(plan.system, System::Remote { .. }) {
        refuse_open_items(&facts.target, global)?;
    }
    let keeper = keeper::program(&args.target, global)?;
    Ok(Some(Ready { plan: Arc::new(plan), facts, guard, keeper }))
}

/// A system that an earlier drill left something on is not shaken again before that is healed.
fn refuse_open_items(system: &str, global: &Global) -> Result<(), Failure> {
    let of_this_system = |path: &&PathBuf| {
        let lines = journal::read(path).map(|contents| contents.lines).unwrap_or_default();
        matches!(lines.first().map(|line| &line.event), Some(Event::Run(facts)) if facts.target == system)
    };
    match recover::unclosed(&global.out)?.iter().find(of_this_system) {
        None => Ok(()),
        Some(path) => Err(Failure {
            exit: Exit::Unclean,
            message: format!("{} has an open item on {system}: heal it with `squall recover` first", path.display()),
        }),
    }
}

/// Drills held one after the other: one runtime, and one word that ends them all.
pub(super) struct Series {
    runtime: tokio::runtime::Runtime,
    stop: Stop,
    hurry: Stop,
}

impl Series {
    pub(super) fn new() -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(could_not("start"))?;
        let (stop, hurry) = (Stop::new(), Stop::new());
        runtime.block_on(async { signals::watch(&stop, &hurry) })?;
        signals::watch_keys(&stop)?;
        Ok(Self { runtime, stop, hurry })
    }

    /// Holds one drill, and judges it.
    pub(super) fn hold(&mut self, ready: &Ready, global: &Global) -> Result<(PathBuf, Judged), Failure> {
        let words = (self.stop.clone(), self.hurry.clone());
        self.runtime.block_on(hold(ready, words, global))
    }
}

pub(super) fn options(args: &DrillArgs, global: &Global) -> DrillOptions {
    DrillOptions {
        seed: Seed(global.seed),
        time_factor: args.time_factor,
        responder: match args.responder {
            Responder::Robot => check::Responder::Robot,
            Responder::None => check::Responder::None,
        },
        data: args.shop.data.map(shop_data),
        database: args.shop.database.clone(),
        allow_destructive: args.allow_destructive,
        ..DrillOptions::default()
    }
}

pub(super) fn shop_data(data: Data) -> ShopData {
    match data {
        Data::Realistic => ShopData::Realistic,
        Data::TestLike => ShopData::TestLike,
    }
}

fn facts(plan: &DrillPlan, files: &Files, (args, options): (&DrillArgs, &DrillOptions), global: &Global) -> RunFacts {
    let settings = assemble::drill_settings(options);
    let flag = |(flag, value): &(String, String)| {
        if flag == "allow-destructive" { format!(" --{flag}") } else { format!(" --{flag} {value}") }
    };
    let flags = settings.iter().map(flag).collect::<String>();
    RunFacts {
        command: "drill".to_owned(),
        name: plan.name.clone(),
        seed: global.seed,
        plan_hash: plan.hash.clone(),
        squall: env!("CARGO_PKG_VERSION").to_owned(),
        files: run::texts(files),
        settings,
        target: match &plan.system {
            System::Shop { database: None, .. } => "the embedded shop".to_owned(),
            System::Shop { .. } => "the embedded shop on a real PostgreSQL".to_owned(),
            System::Remote { base, .. } => base.clone(),
        },
        repeat: format!("squall drill {}{flags} --seed {}", args.file, global.seed),
    }
}

async fn hold(ready: &Ready, (stop, hurry): (Stop, Stop), global: &Global) -> Result<(PathBuf, Judged), Failure> {
    let plan = Arc::clone(&ready.plan);
    let clock = Clock::start();
    let (pages_in, pages) = mpsc::channel(PAGES);
    let sandbox = Sandbox::start(&clock, pages_in).await.map_err(could_not("open the receiver of pages"))?;
    let dir = folder::create(&global.out, &plan.name, &clock)?;
    let longest = plan.phases.baseline + plan.phases.at_most + plan.phases.recovery_hold;
    let live = Rc::new(RefCell::new(Live::new(&plan.name, longest, term::screen(global))));
    let (notes, seconds) = (Rc::clone(&live), Rc::clone(&live));
    let env = StageEnv {
        clock,
        seed: Seed(global.seed),
        stop,
        hurry,
        dir: dir.clone(),
        pages,
        pages_url: sandbox.url(),
        facts: ready.facts.clone(),
        vouch: target::vouch(ready.guard.clone()),
        keeper: Some(ready.keeper.clone()),
        on_note: Box::new(move |text| notes.borrow_mut().note(text)),
        on_second: Box::new(move |second| seconds.borrow_mut().second(second)),
    };
    let ended = stage::run(plan, env).await;
    live.borrow_mut().finish();
    match ended {
        Ok(_) => Ok((dir.clone(), assemble::render(&dir)?)),
        Err(error @ (DrillError::InForce { .. } | DrillError::Unclean { .. })) => {
            Err(Failure { exit: Exit::Unclean, message: error.to_string() })
        }
        Err(error) => Err(Failure::could_not(format!("could not hold the drill: {error}"))),
    }
}
