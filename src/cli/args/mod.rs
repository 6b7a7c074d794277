//! The command line as typed: records, decides nothing. A flag has one meaning in all commands.

mod baseline;
mod compare;
mod serve;

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::exit;
pub(super) use baseline::{AcceptArgs, BaselineCommand, ExportArgs, StoreArgs};
pub(super) use compare::{
    AbArgs, AbTail, Annotations, CalibrateArgs, Decide, FindArgs, GateArgs, GateCommand, Inconclusive, RateArgs,
};
pub(super) use serve::{Data, ProxyArgs, ShopArgs, StagingArgs};

use crate::base::duration::Period;
use crate::base::rate::Rate;

/// Load tests and crisis drills with honest numbers.
#[derive(Debug, Parser)]
#[command(name = "squall", version, about, after_help = exit::TABLE, propagate_version = true)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) global: Global,
}

/// Flags of every command.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct Global {
    /// Print results for machines, as JSON, on stdout
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Seed of every random draw; the same seed gives the same plan
    #[arg(long, global = true, default_value_t = 1, value_name = "N")]
    pub(super) seed: u64,
    /// Where files go; for a run, the parent of its folder
    #[arg(long, global = true, default_value = "reports", value_name = "DIR")]
    pub(super) out: PathBuf,
    /// Also write what GitLab shows of a job (done anyhow where `GITLAB_CI` is set)
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) out_gitlab: Option<PathBuf>,
    /// Print the last line only
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Load test: a scenario file, or one URL
    Run(RunArgs),
    /// Compare two targets in interleaved slots, with a stated false-alarm rate
    Ab(AbArgs),
    /// Crisis drill: load, acts and a robot that plays the people, compressed to minutes
    Drill(DrillArgs),
    /// Capacity search: the highest rate at which the SLO holds
    Find(FindArgs),
    /// All mistakes in files, with their places; nothing is sent
    Check(CheckArgs),
    /// Judge a finished run again: for CI
    Gate(Box<GateArgs>),
    /// Accepted runs: the level that later ones are compared with
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Render a run's reports again
    Report(ReportArgs),
    /// The demo system under test, alone
    Staging(StagingArgs),
    /// Proxies with faults, commanded over the Toxiproxy API
    Proxy(ProxyArgs),
    /// Heal whatever a killed drill left behind
    Recover(RecoverArgs),
    /// The generator against a target whose truth is known beforehand, on loopback
    Selftest(SelftestArgs),
    /// Print shell completions
    Completions(CompletionsArgs),
}

#[derive(Clone, Debug, Default, ClapArgs)]
pub(super) struct RunArgs {
    /// A scenario file (.ron), or a URL
    #[arg(value_name = "SCENARIO.ron | URL")]
    pub(super) what: String,
    /// URL: arrivals per second, independent of the answers
    #[arg(long, value_name = "500/s", conflicts_with = "users")]
    pub(super) rate: Option<Rate>,
    /// URL: users that send one request after the other
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) users: Option<u32>,
    /// URL: for how long
    #[arg(long = "for", value_name = "10s")]
    pub(super) length: Option<Period>,
    /// URL: the method
    #[arg(short = 'X', long, value_name = "METHOD", default_value = "GET")]
    pub(super) method: String,
    /// URL: a header, `name: value`; may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(super) headers: Vec<String>,
    /// URL: the body
    #[arg(long, value_name = "TEXT")]
    pub(super) body: Option<String>,
    /// URL: a check such as "p99 < 250ms"; may be repeated
    #[arg(long = "check", value_name = "TEXT")]
    pub(super) checks: Vec<String>,
    /// Worker threads; chosen by rate and users unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) threads: Option<u16>,
    /// Do not try one connection before the start
    #[arg(long)]
    pub(super) skip_preflight: bool,
    #[command(flatten)]
    pub(super) target: TargetArgs,
}

/// Flags of the target guard.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(super) struct TargetArgs {
    /// Allow a target that is not loopback, for this run, at 100/s; may be repeated
    #[arg(long = "allow-target", value_name = "HOST:PORT")]
    pub(super) allow: Vec<String>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct DrillArgs {
    /// A drill file
    #[arg(value_name = "DRILL.ron")]
    pub(super) file: String,
    /// Who plays the people
    #[arg(long, value_enum, default_value_t = Responder::Robot)]
    pub(super) responder: Responder,
    /// Hold it so many times, one after the other, each with a fresh system
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(super) repeat: u16,
    /// Try the drill file itself: nobody acts, the robot acts, and test-like data where the embedded system has real ones
    #[arg(long, conflicts_with_all = ["repeat", "responder"])]
    pub(super) rehearse: bool,
    /// Consent, beside the file's own `allow_destructive`, to acts that destroy something
    #[arg(long)]
    pub(super) allow_destructive: bool,
    /// Multiply every pace by this, instead of its second reading
    #[arg(long, value_name = "0.1")]
    pub(super) time_factor: Option<f64>,
    #[command(flatten)]
    pub(super) shop: ShopArgs,
    #[command(flatten)]
    pub(super) target: TargetArgs,
}

/// Who plays the people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Responder {
    /// The robot steps of the drill file
    Robot,
    /// Nobody acts
    None,
}

#[derive(Debug, ClapArgs)]
pub(super) struct CheckArgs {
    /// Scenarios, drills, target lists or journals
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<String>,
    /// Scenarios: print the plan of arrivals; `full` prints every one
    #[arg(long, value_enum, value_name = "full", num_args = 0..=1, require_equals = true, default_missing_value = "first")]
    pub(super) plan: Option<PlanDetail>,
    #[command(flatten)]
    pub(super) target: TargetArgs,
}

/// How much of a plan is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanDetail {
    /// The first 20 arrivals of each workload
    First,
    /// Every arrival
    Full,
}

#[derive(Debug, ClapArgs)]
pub(super) struct ReportArgs {
    /// Folders of runs
    #[arg(required = true, value_name = "RUN")]
    pub(super) runs: Vec<PathBuf>,
    /// The decisions of its faults instead, one per line, sorted by fault and key
    #[arg(long)]
    pub(super) decisions: bool,
    /// Only the run from here, counted from its beginning; written to RUN/cut-FROM-TO/
    #[arg(long, value_name = "2m")]
    pub(super) from: Option<Period>,
    /// Only the run up to here
    #[arg(long, value_name = "5m")]
    pub(super) to: Option<Period>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct RecoverArgs {
    /// The drill's folder; without it, every unclosed journal under --out
    #[arg(value_name = "DRILL-DIR")]
    pub(super) dir: Option<PathBuf>,
    #[command(flatten)]
    pub(super) target: TargetArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct SelftestArgs {
    /// Only these cases
    #[arg(value_name = "CASE")]
    pub(super) cases: Vec<String>,
    /// Length of each measured run, 1s to 10s
    #[arg(long = "for", value_name = "10s")]
    pub(super) length: Option<Period>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct CompletionsArgs {
    /// Which shell
    pub(super) shell: Shell,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
