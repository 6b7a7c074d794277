//! `squall report RUN…`: renders the reports of finished runs again, byte for byte the same.

use super::args::{Global, ReportArgs};
use super::exit::{Exit, Failure};
use super::{assemble, term};

pub(super) fn main(args: &ReportArgs, global: &Global) -> Result<Exit, Failure> {
    for dir in &args.runs {
        let judged = assemble::render(dir)?;
        term::result(&judged, dir, global);
    }
    Ok(Exit::Passed)
}
