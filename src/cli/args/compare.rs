//! Flags of the commands that compare, search and judge again: `ab`, `find`, `gate`.
//!
//! Records, decides nothing.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::super::store::USUAL;
use super::TargetArgs;
use crate::base::duration::Period;
use crate::base::rate::Rate;
use crate::base::ratio::Ratio;

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct FindArgs {
    /// A scenario file
    #[arg(value_name = "SCENARIO.ron")]
    pub(in crate::cli) file: String,
    /// What must hold, a check such as "p99 < 250ms"; may be repeated
    #[arg(long = "slo", required = true, value_name = "TEXT")]
    pub(in crate::cli) slo: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) rates: RateArgs,
    /// How long each rate is held
    #[arg(long, default_value = "30s", value_name = "30s")]
    pub(in crate::cli) hold: Period,
    /// The first part of each rate, which does not count
    #[arg(long, default_value = "5s", value_name = "5s")]
    pub(in crate::cli) settle: Period,
    /// Width of the bracket that ends the search
    #[arg(long, default_value = "5%", value_name = "5%")]
    pub(in crate::cli) tolerance: Ratio,
    /// Worker threads; chosen by rate and users unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(in crate::cli) threads: Option<u16>,
    /// Do not try one connection before the start
    #[arg(long)]
    pub(in crate::cli) skip_preflight: bool,
    #[command(flatten)]
    pub(in crate::cli) target: TargetArgs,
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct AbArgs {
    /// A scenario file; its lines such as "p95 <= baseline +5%" are judged
    #[arg(value_name = "SCENARIO.ron")]
    pub(in crate::cli) scenario: String,
    /// Where the baseline answers; the scenario's own target unless given
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) base: Option<String>,
    /// Where the candidate answers
    #[arg(long, value_name = "URL", required_unless_present = "switch", conflicts_with = "switch")]
    pub(in crate::cli) candidate: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) design: DesignArgs,
    /// A result.json of the same comparison from another host: only what is red there too is red
    #[arg(long, value_name = "RESULT")]
    pub(in crate::cli) confirm: Option<String>,
    /// Worker threads; chosen by rate and users unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(in crate::cli) threads: Option<u16>,
    #[command(flatten)]
    pub(in crate::cli) tail: AbTail,
}

/// How many slots of which length; unless given, as the scenario's `gate` block says.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(in crate::cli) struct DesignArgs {
    /// Blocks of one slot of each target; more see smaller changes (10)
    #[arg(long, value_name = "N")]
    pub(in crate::cli) blocks: Option<usize>,
    /// How long each slot is measured, whole seconds (12s)
    #[arg(long, value_name = "12s")]
    pub(in crate::cli) slot: Option<Period>,
    /// How long each slot is under load before it is measured (3s)
    #[arg(long, value_name = "3s")]
    pub(in crate::cli) settle: Option<Period>,
    /// 2: as many blocks again when the first leave something open (1)
    #[arg(long, value_name = "1 | 2")]
    pub(in crate::cli) stages: Option<usize>,
    /// Chance of a red verdict between equal targets (1%)
    #[arg(long, value_name = "1%")]
    pub(in crate::cli) alpha: Option<Ratio>,
    /// A step that the change cannot touch: when it moves, nothing is concluded; may be repeated
    #[arg(long, value_name = "STEP")]
    pub(in crate::cli) control: Vec<String>,
}

/// Further flags of a comparison.
#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct AbTail {
    /// The environment whose calibration ledger has a say
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) env: Option<String>,
    /// One target: this command, with `base` or `candidate` behind it, is run before each slot; ends at `;`
    #[arg(long, value_name = "CMD", num_args = 1.., allow_hyphen_values = true, value_terminator = ";")]
    pub(in crate::cli) switch: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) target: TargetArgs,
}

/// The rates of a search.
#[derive(Clone, Debug, ClapArgs)]
pub(in crate::cli) struct RateArgs {
    /// The first rate
    #[arg(long, default_value = "10/s", value_name = "10/s")]
    pub(in crate::cli) start: Rate,
    /// Never above this rate
    #[arg(long, value_name = "1k/s")]
    pub(in crate::cli) max: Option<Rate>,
    /// The capacity must be at least this: the search becomes a gate
    #[arg(long, value_name = "500/s")]
    pub(in crate::cli) min: Option<Rate>,
}

#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(in crate::cli) struct GateArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: Option<GateCommand>,
    /// Folders of finished runs: several of one plan are candidates of one change
    #[arg(required = true, value_name = "RUN")]
    pub(in crate::cli) runs: Vec<PathBuf>,
    /// Compare with this one run instead of the store's: advice
    #[arg(long, value_name = "RUN")]
    pub(in crate::cli) baseline: Option<PathBuf>,
    /// The environment whose accepted runs are compared with
    #[arg(long, value_name = "NAME", default_value = USUAL)]
    pub(in crate::cli) env: String,
    /// Chance of a false red of the whole gate
    #[arg(long, value_name = "1%")]
    pub(in crate::cli) alpha: Option<Ratio>,
    /// Compare although this differs; the comparison then only warns; may be repeated
    #[arg(long, value_name = "FIELD")]
    pub(in crate::cli) allow_mismatch: Vec<String>,
    /// A check instead of the plan's; may be repeated
    #[arg(long = "check", value_name = "TEXT")]
    pub(in crate::cli) checks: Vec<String>,
    /// A file of checks instead of the plan's, one in each line
    #[arg(long = "checks", value_name = "FILE")]
    pub(in crate::cli) file: Option<PathBuf>,
    /// What has to be proven; of a load test, `ci` unless given
    #[arg(long, value_enum)]
    pub(in crate::cli) decide: Option<Decide>,
    /// What too few samples come to
    #[arg(long, value_enum, default_value_t = Inconclusive::Fail)]
    pub(in crate::cli) inconclusive: Inconclusive,
    /// Lines that a CI system shows beside the change
    #[arg(long, value_enum, default_value_t = Annotations::Auto)]
    pub(in crate::cli) annotations: Annotations,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum GateCommand {
    /// Gates of a target against itself: what this machine's noise hides, and how often a gate cries wolf
    Calibrate(CalibrateArgs),
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct CalibrateArgs {
    /// A scenario file
    #[arg(value_name = "SCENARIO.ron")]
    pub(in crate::cli) scenario: String,
    /// The one target that is compared with itself
    #[arg(long = "target", value_name = "URL")]
    pub(in crate::cli) url: String,
    /// How many comparisons
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(in crate::cli) gates: u16,
    /// The environment whose ledger is written
    #[arg(long, value_name = "NAME", default_value = USUAL)]
    pub(in crate::cli) env: String,
    #[command(flatten)]
    pub(in crate::cli) design: DesignArgs,
    /// Worker threads; chosen by rate and users unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(in crate::cli) threads: Option<u16>,
    #[command(flatten)]
    pub(in crate::cli) target: TargetArgs,
}

/// What has to be proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Decide {
    /// Fails if proven
    Ci,
    /// Fails by the point value
    Drill,
    /// Passes if proven
    Launch,
}

/// What too few samples come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Inconclusive {
    /// Exit 4
    Fail,
    /// Exit 0; without any data still 4
    Allow,
}

/// Lines that a CI system shows beside the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Annotations {
    /// Where the environment says so
    Auto,
    /// As GitHub reads them
    Github,
    /// None
    None,
}
