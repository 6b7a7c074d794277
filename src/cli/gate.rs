//! `squall gate RUN…`: judges finished runs again, for CI: other checks, another profile. Writes to `RUN/gate/`, never over the run's own.
//!
//! Not here: the judgement (`judge`), comparison with other runs.

use std::path::Path;

use super::args::{Annotations, Decide, GateArgs, Global, Inconclusive};
use super::assemble::{self, How};
use super::ci::{self, Ci};
use super::exit::{Exit, Failure, could_not};
use super::term;
use crate::judge::finding::{Finding, Reason, Verdict};
use crate::judge::threshold::Profile;
use crate::report;

pub(super) fn main(args: &GateArgs, global: &Global) -> Result<Exit, Failure> {
    let mut checks = args.checks.clone();
    if let Some(path) = &args.file {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
        checks.extend(
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned),
        );
        if checks.is_empty() {
            return Err(Failure::usage(format!("{} holds no check: one in each line", path.display())));
        }
    }
    let profile = args.decide.map(|decide| match decide {
        Decide::Ci => Profile::Ci,
        Decide::Drill => Profile::Drill,
        Decide::Launch => Profile::Launch,
    });
    let how = How { profile, checks, ..How::default() };
    let mut worst = Exit::Passed;
    for dir in &args.runs {
        worst = graver(worst, one(dir, &how, (args, global))?);
    }
    Ok(worst)
}

fn one(dir: &Path, how: &How, (args, global): (&GateArgs, &Global)) -> Result<Exit, Failure> {
    let mut judged = assemble::judge_as(dir, how)?;
    if args.inconclusive == Inconclusive::Allow
        && judged.exit == Exit::Inconclusive
        && is_only_thin(&judged.account.findings)
    {
        judged.exit = Exit::Passed;
    }
    let place = dir.join("gate");
    std::fs::create_dir_all(&place).map_err(could_not("make the folder"))?;
    report::write_all(&judged.account, &place, judged.exit.code()).map_err(could_not("write the reports"))?;
    term::result(&judged, &place, global);
    let mut told = Ci::of(global);
    match args.annotations {
        Annotations::Auto => {}
        Annotations::Github => told.annotates = !global.json,
        Annotations::None => told.annotates = false,
    }
    ci::tell(&judged, &told, &place)?;
    Ok(judged.exit)
}

/// True when nothing is undecided but for want of samples: no data is never allowed.
fn is_only_thin(findings: &[Finding]) -> bool {
    findings.iter().filter(|one| one.verdict == Verdict::Inconclusive).all(|one| one.reason == Reason::FewSamples)
}

/// The exit of several runs: the first that applies of invalid, aborted, failed, inconclusive.
fn graver(a: Exit, b: Exit) -> Exit {
    let order = [Exit::CouldNotRun, Exit::Invalid, Exit::Aborted, Exit::Failed, Exit::Inconclusive, Exit::Passed];
    let place = |exit: Exit| order.iter().position(|one| *one == exit).unwrap_or(0);
    if place(a) <= place(b) { a } else { b }
}
