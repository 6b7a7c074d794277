//! The command line as typed: records, decides nothing. A flag has one meaning in all commands.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::exit;
use crate::base::duration::Period;
use crate::base::rate::Rate;
use crate::base::ratio::Ratio;

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
    Gate(GateArgs),
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

#[derive(Debug, ClapArgs)]
pub(super) struct FindArgs {
    /// A scenario file
    #[arg(value_name = "SCENARIO.ron")]
    pub(super) file: String,
    /// What must hold, a check such as "p99 < 250ms"; may be repeated
    #[arg(long = "slo", required = true, value_name = "TEXT")]
    pub(super) slo: Vec<String>,
    #[command(flatten)]
    pub(super) rates: RateArgs,
    /// How long each rate is held
    #[arg(long, default_value = "30s", value_name = "30s")]
    pub(super) hold: Period,
    /// The first part of each rate, which does not count
    #[arg(long, default_value = "5s", value_name = "5s")]
    pub(super) settle: Period,
    /// Width of the bracket that ends the search
    #[arg(long, default_value = "5%", value_name = "5%")]
    pub(super) tolerance: Ratio,
    /// Worker threads; chosen by rate and users unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) threads: Option<u16>,
    /// Do not try one connection before the start
    #[arg(long)]
    pub(super) skip_preflight: bool,
    #[command(flatten)]
    pub(super) target: TargetArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct AbArgs {
    /// A scenario file; its lines such as "p95 <= baseline +5%" are judged
    #[arg(value_name = "SCENARIO.ron")]
    pub(super) scenario: String,
    /// Where the baseline answers; the scenario's own target unless given
    #[arg(long, value_name = "URL")]
    pub(super) base: Option<String>,
    /// Where the candidate answers
    #[arg(long, value_name = "URL", required_unless_present = "switch", conflicts_with = "switch")]
    pub(super) candidate: Option<String>,
    /// Blocks of one slot of each target; more see smaller changes
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub(super) blocks: usize,
    /// How long each slot is measured, whole seconds
    #[arg(long, default_value = "12s", value_name = "12s")]
    pub(super) slot: Period,
    /// How long each slot is under load before it is measured
    #[arg(long, default_value = "3s", value_name = "3s")]
    pub(super) settle: Period,
    /// 2: as many blocks again when the first leave something open
    #[arg(long, default_value_t = 1, value_name = "1 | 2")]
    pub(super) stages: usize,
    /// Chance of a red verdict between equal targets
    #[arg(long, default_value = "1%", value_name = "1%")]
    pub(super) alpha: Ratio,
    /// A step that the change cannot touch: when it moves, nothing is concluded; may be repeated
    #[arg(long, value_name = "STEP")]
    pub(super) control: Vec<String>,
    /// A result.json of the same comparison from another host: only what is red there too is red
    #[arg(long, value_name = "RESULT")]
    pub(super) confirm: Option<String>,
    /// Worker threads; chosen by rate and users unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) threads: Option<u16>,
    #[command(flatten)]
    pub(super) tail: AbTail,
}

/// Further flags of a comparison.
#[derive(Debug, ClapArgs)]
pub(super) struct AbTail {
    /// One target: this command, with `base` or `candidate` behind it, is run before each slot; ends at `;`
    #[arg(long, value_name = "CMD", num_args = 1.., allow_hyphen_values = true, value_terminator = ";")]
    pub(super) switch: Vec<String>,
    #[command(flatten)]
    pub(super) target: TargetArgs,
}

/// The rates of a search.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct RateArgs {
    /// The first rate
    #[arg(long, default_value = "10/s", value_name = "10/s")]
    pub(super) start: Rate,
    /// Never above this rate
    #[arg(long, value_name = "1k/s")]
    pub(super) max: Option<Rate>,
    /// The capacity must be at least this: the search becomes a gate
    #[arg(long, value_name = "500/s")]
    pub(super) min: Option<Rate>,
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
    /// Multiply every pace by this, instead of its second reading
    #[arg(long, value_name = "0.1")]
    pub(super) time_factor: Option<f64>,
    #[command(flatten)]
    pub(super) shop: ShopArgs,
    #[command(flatten)]
    pub(super) target: TargetArgs,
}

/// Flags of the embedded staging system.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(super) struct ShopArgs {
    /// A real PostgreSQL for the embedded staging system
    #[arg(long, value_name = "postgres://…")]
    pub(super) database: Option<String>,
    /// Which carts the embedded staging system has
    #[arg(long, value_enum)]
    pub(super) data: Option<Data>,
}

/// Who plays the people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Responder {
    /// The robot steps of the drill file
    Robot,
    /// Nobody acts
    None,
}

/// Which carts the embedded staging system has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Data {
    /// Three carts in ten have 60 lines
    Realistic,
    /// Every cart has 3, as test data do
    TestLike,
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
    /// Only the run from here, counted from its beginning; written to RUN/cut-FROM-TO/
    #[arg(long, value_name = "2m")]
    pub(super) from: Option<Period>,
    /// Only the run up to here
    #[arg(long, value_name = "5m")]
    pub(super) to: Option<Period>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct GateArgs {
    /// Folders of finished runs
    #[arg(required = true, value_name = "RUN")]
    pub(super) runs: Vec<PathBuf>,
    /// A check instead of the plan's; may be repeated
    #[arg(long = "check", value_name = "TEXT")]
    pub(super) checks: Vec<String>,
    /// A file of checks instead of the plan's, one in each line
    #[arg(long = "checks", value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// What has to be proven; of a load test, `ci` unless given
    #[arg(long, value_enum)]
    pub(super) decide: Option<Decide>,
    /// What too few samples come to
    #[arg(long, value_enum, default_value_t = Inconclusive::Fail)]
    pub(super) inconclusive: Inconclusive,
    /// Lines that a CI system shows beside the change
    #[arg(long, value_enum, default_value_t = Annotations::Auto)]
    pub(super) annotations: Annotations,
}

/// What has to be proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Decide {
    /// Fails if proven
    Ci,
    /// Fails by the point value
    Drill,
    /// Passes if proven
    Launch,
}

/// What too few samples come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Inconclusive {
    /// Exit 4
    Fail,
    /// Exit 0; without any data still 4
    Allow,
}

/// Lines that a CI system shows beside the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Annotations {
    /// Where the environment says so
    Auto,
    /// As GitHub reads them
    Github,
    /// None
    None,
}

#[derive(Debug, ClapArgs)]
pub(super) struct StagingArgs {
    /// Port of the public side; 0 takes a free one
    #[arg(long, default_value_t = 8080, value_name = "PORT")]
    pub(super) port: u16,
    /// Port of the admin side; 0 takes a free one
    #[arg(long, default_value_t = 8090, value_name = "PORT")]
    pub(super) admin_port: u16,
    /// Environment variable with the admin token; one is made and printed when it is not set
    #[arg(long, default_value = "SQUALL_STAGING_TOKEN", value_name = "NAME")]
    pub(super) token_env: String,
    /// Where alerts are posted (`PagerDuty` Events v2)
    #[arg(long, value_name = "URL")]
    pub(super) alerts_to: Option<String>,
    /// The staging system's own log, JSON lines
    #[arg(long, value_name = "FILE")]
    pub(super) log: Option<PathBuf>,
    #[command(flatten)]
    pub(super) shop: ShopArgs,
    #[command(flatten)]
    pub(super) target: TargetArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct ProxyArgs {
    /// Where the API listens; off loopback only with --token-file
    #[arg(long, default_value = "127.0.0.1:8474", value_name = "ADDRESS:PORT")]
    pub(super) api: String,
    /// Proxies and faults to begin with (.ron), or a `/populate` array (.json)
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<String>,
    /// How long a toxic lives after its last change; 0s: until it is removed
    #[arg(long, default_value = "1h", value_name = "1h")]
    pub(super) toxic_ttl: Period,
    /// Proxies may listen here, beside loopback; may be repeated
    #[arg(long, value_name = "CIDR")]
    pub(super) allow_listen: Vec<String>,
    /// A name of the API's host beside loopback and localhost; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(super) api_host: Vec<String>,
    /// A file with the token that every request must bear
    #[arg(long, value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) target: TargetArgs,
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
