//! `squall proxy`: proxies with faults, commanded over the Toxiproxy API, until Ctrl-C.
//!
//! Not here: the API (`fault::api`), the reading of files (`plan::check`), the keeper of a drill (`keeper`).

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;

use super::args::{Global, ProxyArgs};
use super::decisions::LEDGER;
use super::exit::{Exit, Failure, could_not};
use super::{keeper, signals, target, term};
use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::base::seed::Seed;
use crate::base::stop::{Stop, StopReason};
use crate::fault::api::{Api, Gate};
use crate::fault::{Proxies, Scribe};
use crate::plan::check::{self, Files};
use crate::plan::fault::Keep;
use crate::plan::guard::Net;

pub(super) fn main(args: &ProxyArgs, global: &Global) -> Result<Exit, Failure> {
    if let Some(dir) = &args.keeper {
        return keeper::main(dir, args, global);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(could_not("start"))?;
    runtime.block_on(serve(args, global))
}

async fn serve(args: &ProxyArgs, global: &Global) -> Result<Exit, Failure> {
    let gate = gate(args)?;
    let stop = Stop::new();
    signals::watch(&stop, &Stop::new())?;
    let address = match args.api.strip_prefix("localhost:") {
        Some(port) => port.parse().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port))).ok(),
        None => args.api.parse().ok(),
    };
    let address = address.ok_or_else(|| Failure::usage(format!("--api {}: write it as ADDRESS:PORT", args.api)))?;
    if !address.ip().is_loopback() && gate.token.is_none() {
        return Err(Failure::usage(format!(
            "--api {address} is not loopback: give --token-file, or listen on 127.0.0.1"
        )));
    }
    let proxies = Proxies::start(Clock::start(), Seed(global.seed)).map_err(could_not("start the proxies"))?;
    let ttl = Some(args.toxic_ttl.0).filter(|ttl| *ttl > Duration::ZERO);
    let api = Arc::new(Api::new(proxies.clone(), gate, ttl));
    let ledger = match &args.config {
        Some(path) => configure(&api, &proxies, path, global).await?,
        None => None,
    };
    let listener = TcpListener::bind(address).await.map_err(could_not(&format!("listen on {address}")))?;
    announce(&proxies, listener.local_addr().map_err(could_not("listen"))?, global);
    let serving = tokio::spawn(api.serve(listener));
    stop.requested().await;
    serving.abort();
    proxies.shutdown().await;
    if let Some(ledger) = ledger {
        ledger.finish().map_err(could_not("write the ledger"))?;
    }
    Ok(match stop.reason() {
        Some(StopReason::Interrupted) => Exit::Interrupted,
        Some(StopReason::Terminated) => Exit::Terminated,
        _ => Exit::Passed,
    })
}

pub(super) fn gate(args: &ProxyArgs) -> Result<Gate, Failure> {
    let net = |text: &String| {
        let wrong =
            || Failure::usage(format!("--allow-listen {text}: write it as an address or a range, 10.20.0.0/16"));
        Net::parse(text).ok_or_else(wrong)
    };
    let token = match &args.token_file {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(could_not(&format!("read {}", path.display())))?;
            if text.trim().is_empty() {
                return Err(Failure::usage(format!("{} holds no token", path.display())));
            }
            Some(Secret::new(text.trim()))
        }
    };
    Ok(Gate {
        guard: target::guard(&args.target)?,
        listen: args.allow_listen.iter().map(net).collect::<Result<_, _>>()?,
        hosts: args.api_host.clone(),
        token,
    })
}

/// A `.json` file is what `/populate` takes; anything else is a file of proxies.
async fn configure(api: &Api, proxies: &Proxies, path: &str, global: &Global) -> Result<Option<Scribe>, Failure> {
    if Path::new(path).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json")) {
        let body = std::fs::read(path).map_err(|error| Failure::usage(format!("cannot read {path}: {error}")))?;
        let done = api.populate_from(&body).await;
        return done.map(|()| None).map_err(|error| Failure::could_not(format!("{path}: {error}")));
    }
    let plan = match check::proxies(&mut Files::disk(), path) {
        Ok((plan, warnings)) => {
            term::diagnostics(&warnings, global);
            plan
        }
        Err(mistakes) => {
            term::diagnostics(&mistakes, global);
            return Err(Failure::usage(format!("{path} must be right before anything is opened")));
        }
    };
    let ledger = keep(proxies, plan.ledger, global)?;
    for one in plan.proxies {
        let made = api.add(&one.name, (&one.listen, &one.upstream), one.faults).await;
        made.map_err(|error| Failure::could_not(format!("proxy `{}`: {error}", one.name)))?;
    }
    Ok(ledger)
}

/// The decisions of the file's faults go to `decisions.sqd` in the folder of `--out`, when the file asks for them.
fn keep(proxies: &Proxies, keep: Keep, global: &Global) -> Result<Option<Scribe>, Failure> {
    if keep == Keep::Off {
        return Ok(None);
    }
    let path = global.out.join(LEDGER);
    std::fs::create_dir_all(&global.out).map_err(could_not("make the folder"))?;
    let scribe = proxies.keep_ledger(keep, &path).map_err(could_not(&format!("write {}", path.display())))?;
    term::note(&format!("decisions go to {}", path.display()));
    Ok(Some(scribe))
}

/// Says where it listens.
fn announce(proxies: &Proxies, api: SocketAddr, global: &Global) {
    let states = proxies.states();
    if global.json {
        let all = states.iter().map(
            |one| json!({ "name": one.name, "listen": one.listen.to_string(), "upstream": one.upstream.to_string() }),
        );
        term::out(&json!({ "api": format!("http://{api}"), "proxies": all.collect::<Vec<_>>() }).to_string());
        return;
    }
    term::out(&format!("api    http://{api}/   (Toxiproxy 2.x; metrics at /metrics)"));
    for one in states {
        term::out(&format!("proxy  {}   {} -> {}", one.name, one.listen, one.upstream));
    }
    term::note("Ctrl-C ends it");
}
