//! `squall completions SHELL`: the script that completes this command line.

use std::io;

use clap::CommandFactory;

use super::args::{Args, CompletionsArgs};
use super::exit::Exit;

pub(super) fn main(args: &CompletionsArgs) -> Exit {
    clap_complete::generate(args.shell, &mut Args::command(), "squall", &mut io::stdout());
    Exit::Passed
}
