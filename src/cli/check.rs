//! `squall check FILE…`: all mistakes in files, with their places. Nothing is sent, nothing is written.

use super::args::{CheckArgs, Global};
use super::exit::{Exit, Failure};
use super::term;
use crate::base::seed::Seed;
use crate::plan::check::{self, Files};
use crate::plan::diagnostic::{Diagnostics, Severity};

pub(super) fn main(args: &CheckArgs, global: &Global) -> Result<Exit, Failure> {
    let mut all = Diagnostics::default();
    for path in &args.files {
        let (found, sentence) = check::file(&mut Files::disk(), path, Seed(global.seed));
        if !found.has_errors() && !global.json && !global.quiet {
            term::out(&format!("{path}: {sentence}"));
        }
        all.0.extend(found.0);
    }
    if !all.0.is_empty() || global.json {
        term::diagnostics(&all, global.json);
    }
    Ok(if all.0.iter().any(|one| one.severity == Severity::Error) { Exit::Usage } else { Exit::Passed })
}
