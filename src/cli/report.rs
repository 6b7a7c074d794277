//! `squall report RUN…`: renders the reports of finished runs again, byte for byte the same; a part of a run; shards as one. Ends
//! with the code it prints: that of the run, the gravest of several.

use std::path::PathBuf;
use std::time::Duration;

use super::args::{Global, ReportArgs};
use super::assemble::{self, How};
use super::exit::{Exit, Failure, could_not};
use super::folder::RECORD;
use super::{decisions, term};
use crate::base::duration::Period;
use crate::measure::record;
use crate::report;

pub(super) fn main(args: &ReportArgs, global: &Global) -> Result<Exit, Failure> {
    if args.decisions {
        for dir in &args.runs {
            decisions::print(dir, global)?;
        }
        return Ok(Exit::Passed);
    }
    if let Some((first, others)) = args.runs.split_first().filter(|(_, others)| !others.is_empty())
        && are_shards(&args.runs)?
    {
        return again(args, global, (first, others));
    }
    let mut worst = Exit::Passed;
    for dir in &args.runs {
        worst = worst.graver(again(args, global, (dir, &[]))?);
    }
    Ok(worst)
}

/// True when every one of `runs` is a part of something larger.
fn are_shards(runs: &[PathBuf]) -> Result<bool, Failure> {
    for dir in runs {
        let record = record::read(&dir.join(RECORD)).map_err(could_not("read the record"))?;
        if record.head.shard.1 < 2 {
            return Ok(false);
        }
    }
    Ok(true)
}

fn again(args: &ReportArgs, global: &Global, (dir, shards): (&PathBuf, &[PathBuf])) -> Result<Exit, Failure> {
    let cut = match (args.from, args.to) {
        (None, None) => None,
        (from, to) => Some((from.map_or(Duration::ZERO, |from| from.0), end(to, dir)?)),
    };
    let how = How { shards: shards.to_vec(), cut, ..How::default() };
    let judged = assemble::judge_as(dir, &how)?;
    let place = match cut {
        Some((from, to)) => dir.join(format!("cut-{}-{}", Period(from), Period(to))),
        None if !shards.is_empty() => dir.join("merged"),
        None => dir.clone(),
    };
    std::fs::create_dir_all(&place).map_err(could_not("make the folder"))?;
    report::write_all(&judged.account, &place, judged.exit.code()).map_err(could_not("write the reports"))?;
    term::result(&judged, &place, global);
    Ok(judged.exit)
}

/// Where a cut ends: as said, or with the run.
fn end(to: Option<Period>, dir: &std::path::Path) -> Result<Duration, Failure> {
    if let Some(to) = to {
        return Ok(to.0);
    }
    let record = record::read(&dir.join(RECORD)).map_err(could_not("read the record"))?;
    Ok(Duration::from_secs(record.seconds.len() as u64))
}
