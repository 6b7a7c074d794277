//! `squall report RUN…`: renders the reports of finished runs again, byte for byte the same. Ends with the code it prints: that of
//! the run, the gravest of several.

use super::args::{Global, ReportArgs};
use super::exit::{Exit, Failure};
use super::{assemble, term};

pub(super) fn main(args: &ReportArgs, global: &Global) -> Result<Exit, Failure> {
    let mut worst = Exit::Passed;
    for dir in &args.runs {
        let judged = assemble::render(dir)?;
        term::result(&judged, dir, global);
        worst = worst.graver(judged.exit);
    }
    Ok(worst)
}
