//! Flags of `squall baseline`.
//!
//! Records, decides nothing.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::super::store::USUAL;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum BaselineCommand {
    /// Take a passed run in: the only way to move the level
    Accept(AcceptArgs),
    /// All accepted runs
    List(StoreArgs),
    /// What the newest one measured
    Show(StoreArgs),
    /// The series of all, for tools that draw trends
    Export(ExportArgs),
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct AcceptArgs {
    /// Folder of a finished run
    #[arg(value_name = "RUN")]
    pub(in crate::cli) run: PathBuf,
    /// Why this level is right
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) reason: String,
    /// The environment it was measured in
    #[arg(long, value_name = "NAME", default_value = USUAL)]
    pub(in crate::cli) env: String,
    /// It is the last release: what `anchor` in checks means
    #[arg(long)]
    pub(in crate::cli) anchor: bool,
    /// The level moved here on purpose: earlier runs no longer count
    #[arg(long)]
    pub(in crate::cli) change_point: bool,
}

/// Which store.
#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct StoreArgs {
    /// Name of the scenario
    #[arg(value_name = "SCENARIO")]
    pub(in crate::cli) scenario: String,
    /// The environment
    #[arg(long, value_name = "NAME", default_value = USUAL)]
    pub(in crate::cli) env: String,
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct ExportArgs {
    #[command(flatten)]
    pub(in crate::cli) store: StoreArgs,
    /// Into this file; `-`, and without a file, to stdout
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub(in crate::cli) csv: Option<PathBuf>,
}
