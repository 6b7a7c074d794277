//! `squall staging`: the demo system under test in a process of its own, until Ctrl-C.

use std::sync::Arc;

use serde_json::json;

use super::args::{Data as DataArg, Global, StagingArgs};
use super::exit::{Exit, Failure, could_not};
use super::{signals, target, term};
use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::base::seed::Seed;
use crate::base::stop::Stop;
use crate::drill::stage::stack::{Ground, Stack, fresh_token};
use crate::staging::settings::{Data, Pass, Ports, Settings};

pub(super) fn main(args: &StagingArgs, global: &Global) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(could_not("start"))?;
    runtime.block_on(serve(args, global))
}

async fn serve(args: &StagingArgs, global: &Global) -> Result<Exit, Failure> {
    let stop = Stop::new();
    signals::watch(&stop, &Stop::new())?;
    let clock = Clock::start();
    let vouch = target::vouch(target::guard(&args.target)?);
    let given = std::env::var(&args.token_env).ok().filter(|token| !token.is_empty());
    let token = match &given {
        Some(token) => Secret::new(token.clone()),
        None => fresh_token().map_err(could_not("make a token"))?,
    };
    let ground = Ground {
        clock: &clock,
        seed: Seed(global.seed),
        pass: Pass::Standard,
        database: args.shop.database.as_deref(),
        vouch: &*Arc::clone(&vouch),
    };
    let stack = Stack::start(&ground, token.clone(), |settings| tuned(args, settings))
        .await
        .map_err(could_not("open the shop"))?;
    announce(args, global, &stack, given.is_none().then_some(&token));
    stop.requested().await;
    stack.stop().await;
    Ok(Exit::Passed)
}

fn tuned(args: &StagingArgs, settings: Settings) -> Settings {
    let usual = Ports::USUAL;
    let behind = |port: u16| if args.port == usual.gateway { port } else { 0 };
    Settings {
        ports: Ports {
            gateway: args.port,
            a: behind(usual.a),
            b: behind(usual.b),
            dr: behind(usual.dr),
            admin: args.admin_port,
        },
        data: match args.shop.data {
            Some(DataArg::TestLike) => Data::TestLike,
            _ => Data::Realistic,
        },
        alerts_to: args.alerts_to.clone(),
        log: args.log.clone(),
        ..settings
    }
}

/// Says where it listens; a token that was made here is printed once, because nobody else knows it.
fn announce(args: &StagingArgs, global: &Global, stack: &Stack, made: Option<&Secret>) {
    let (shop, admin) = (stack.gateway(), stack.admin());
    if global.json {
        let token = made.map(Secret::expose);
        term::out(
            &json!({ "base": format!("http://{shop}"), "admin": format!("http://{admin}"), "token": token })
                .to_string(),
        );
    } else {
        term::out(&format!("shop   http://{shop}/\nadmin  http://{admin}/admin/state"));
        match made {
            Some(token) => {
                term::out(&format!("token  {}   (made now; set {} to choose it)", token.expose(), args.token_env));
            }
            None => term::out(&format!("token  from {}", args.token_env)),
        }
        term::note("Ctrl-C ends it");
    }
}
