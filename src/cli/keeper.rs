//! `squall proxy --keeper RUN-DIR`: the process beside a drill that holds its proxies, leases and undos.
//!
//! Started by the drill, with the stream to it as standard input; a person has no use for it. The plan is read from the run's own
//! journal. Not here: what a keeper does (`drill::keeper`).

use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;

use super::args::{Global, ProxyArgs, TargetArgs};
use super::assemble;
use super::exit::{Exit, Failure, could_not};
use super::{proxy, signals, target};
use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::base::seed::Seed;
use crate::base::stop::Stop;
use crate::drill::keeper::{self, Duty, LINGERS, Program};
use crate::drill::lever::undo::UndoEnv;

pub(super) fn main(dir: &Path, args: &ProxyArgs, global: &Global) -> Result<Exit, Failure> {
    let control =
        io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from).map_err(could_not("read standard input"))?;
    if control.peer_addr().is_err() {
        return Err(Failure::usage("a keeper is started by its drill: standard input is not the stream to it"));
    }
    // In a group of its own: what a terminal sends to the drill must not end the keeper as well.
    if let Err(error) = keeper::detach() {
        tracing::warn!(%error, "still in the group of the drill");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(could_not("start"))?;
    let local = tokio::task::LocalSet::new();
    let clock = Clock::start();
    let variable = |name: &str| std::env::var(name).ok().map(Secret::new);
    let vouch = target::vouch(target::guard(&args.target)?);
    let duty = Duty {
        dir: dir.to_owned(),
        plan: assemble::drill_of(dir)?,
        clock: clock.clone(),
        seed: Seed(global.seed),
        undo: UndoEnv::new(clock, vouch, Arc::new(variable)),
        gate: proxy::gate(args)?,
        lingers: LINGERS,
    };
    local.block_on(&runtime, async {
        let stop = Stop::new();
        signals::watch(&stop, &Stop::new())?;
        keeper::serve(duty, control, stop).await.map_err(could_not("keep the run"))
    })?;
    Ok(Exit::Passed)
}

/// How a drill starts its keeper: this program, with the same seed and the same targets.
pub(super) fn program(targets: &TargetArgs, global: &Global) -> Result<Program, Failure> {
    let path = std::env::current_exe().map_err(could_not("find this program"))?;
    let mut args = vec!["proxy".to_owned(), "--seed".to_owned(), global.seed.to_string()];
    for one in &targets.allow {
        args.extend(["--allow-target".to_owned(), one.clone()]);
    }
    args.push("--keeper".to_owned());
    Ok(Program { path, args })
}
