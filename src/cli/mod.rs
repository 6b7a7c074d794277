//! Floor 7: what a person types, one file per command, and the exit codes.
//!
//! | file | holds |
//! |---|---|
//! | `args` | the command line as typed |
//! | `exit` | the exit codes, in one table |
//! | `term` | diagnostics and errors on the terminal |
//! | `folder` `assemble` | a run's folder; from its files to the account and the reports |
//! | `ci` | what GitHub and GitLab are told of a run |
//! | `target` | the guard at work: who may be sent traffic |
//! | `url` | a scenario from the flags of `squall run URL` |
//! | `signals` | Ctrl-C, SIGTERM and the keys of a drill become the stop word |
//! | `keeper` | the process beside a drill that holds its undos |
//! | `slots` | the slots of a comparison |
//! | `store` `earlier` | accepted runs; what of them a gate compares with |
//! | `ledger` `calibrate` | how often a gate cries wolf, and how that is found out |
//! | `run` `ab` `drill` `find` `gate` `baseline` `selftest` `check` `report` `staging` `proxy` `recover` `completions` | one command each |

mod ab;
mod args;
mod assemble;
mod baseline;
mod calibrate;
mod check;
mod ci;
mod completions;
mod decisions;
mod drill;
mod earlier;
mod exit;
mod find;
mod folder;
mod gate;
mod keeper;
mod ledger;
mod proxy;
mod recover;
mod rehearse;
mod report;
mod run;
mod selftest;
mod signals;
mod slots;
mod staging;
mod store;
mod target;
mod term;
mod url;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use exit::{Exit, Failure};

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    term::log();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    let exit = match dispatch(&args) {
        Ok(exit) => exit,
        Err(failure) => {
            term::failure(&failure, &args.global);
            failure.exit
        }
    };
    exit.into()
}

fn usage(error: &clap::Error) -> ExitCode {
    // `--help` and `--version` are not mistakes.
    let exit = if error.use_stderr() { Exit::Usage } else { Exit::Passed };
    if error.print().is_err() {
        return Exit::CouldNotRun.into();
    }
    exit.into()
}

fn dispatch(args: &Args) -> Result<Exit, Failure> {
    match &args.command {
        Command::Run(run) => run::main(run, &args.global),
        Command::Ab(ab) => ab::main(ab, &args.global),
        Command::Drill(drill) => drill::main(drill, &args.global),
        Command::Find(find) => find::main(find, &args.global),
        Command::Check(check) => check::main(check, &args.global),
        Command::Gate(gate) => gate::main(gate, &args.global),
        Command::Baseline(command) => baseline::main(command, &args.global),
        Command::Report(report) => report::main(report, &args.global),
        Command::Staging(staging) => staging::main(staging, &args.global),
        Command::Proxy(proxy) => proxy::main(proxy, &args.global),
        Command::Recover(recover) => recover::main(recover, &args.global),
        Command::Selftest(selftest) => selftest::main(selftest, &args.global),
        Command::Completions(shell) => Ok(completions::main(shell)),
    }
}
