//! `squall drill DRILL.ron`: a crisis drill with its load, its acts and the robot that plays the people.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::args::{Data, DrillArgs, Global, Responder};
use super::exit::{Exit, Failure, could_not};
use super::{assemble, ci, folder, run, signals, target, term};
use crate::base::clock::Clock;
use crate::base::seed::Seed;
use crate::base::stop::Stop;
use crate::console::sandbox::events_v2::Sandbox;
use crate::drill::lever::http::Vouch;
use crate::drill::stage::{self, DrillError, StageEnv};
use crate::measure::journal::RunFacts;
use crate::plan::check::{self, DrillOptions, Files};
use crate::plan::drill::{DrillPlan, ShopData, System};
use crate::report::live::Live;

/// Pages that may wait for the stage; the sandbox then answers late, and loses none.
const PAGES: usize = 256;

pub(super) fn main(args: &DrillArgs, global: &Global) -> Result<Exit, Failure> {
    let mut files = Files::disk();
    let options = options(args, global);
    let (plan, warnings) = match check::drill(&mut files, &args.file, &options) {
        Ok(checked) => checked,
        Err(mistakes) => {
            term::diagnostics(&mistakes, global);
            return Ok(Exit::Usage);
        }
    };
    if !global.json {
        term::diagnostics(&warnings, global);
    }
    let guard = target::guard(&args.target)?;
    let refused = guard.judge_drill(&plan, &args.file);
    if refused.has_errors() {
        term::diagnostics(&refused, global);
        return Ok(Exit::Usage);
    }
    let facts = facts(&plan, &files, (args, &options), global);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(could_not("start"))?;
    runtime.block_on(hold(Arc::new(plan), facts, target::vouch(guard), global))
}

fn options(args: &DrillArgs, global: &Global) -> DrillOptions {
    DrillOptions {
        seed: Seed(global.seed),
        time_factor: args.time_factor,
        responder: match args.responder {
            Responder::Robot => check::Responder::Robot,
            Responder::None => check::Responder::None,
        },
        data: args.shop.data.map(shop_data),
        database: args.shop.database.clone(),
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
    let flags = settings.iter().flat_map(|(flag, value)| [" --", flag, " ", value]).collect::<String>();
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

async fn hold(plan: Arc<DrillPlan>, facts: RunFacts, vouch: Arc<Vouch>, global: &Global) -> Result<Exit, Failure> {
    let (stop, hurry) = (Stop::new(), Stop::new());
    signals::watch(&stop, &hurry)?;
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
        facts,
        vouch,
        on_note: Box::new(move |text| notes.borrow_mut().note(text)),
        on_second: Box::new(move |second| seconds.borrow_mut().second(second)),
    };
    let ended = stage::run(plan, env).await;
    live.borrow_mut().finish();
    match ended {
        Ok(_) => {
            let judged = assemble::render(&dir)?;
            term::result(&judged, &dir, global);
            ci::tell(&judged, &ci::Ci::of(global), &dir)?;
            Ok(judged.exit)
        }
        Err(error @ DrillError::InForce { .. }) => Err(Failure { exit: Exit::Unclean, message: error.to_string() }),
        Err(error) => Err(Failure::could_not(format!("could not hold the drill: {error}"))),
    }
}
