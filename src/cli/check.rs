//! `squall check FILE…`: all mistakes in files, with their places. Nothing is sent, nothing is written.

use std::path::Path;

use super::args::{CheckArgs, Global};
use super::exit::{Exit, Failure};
use super::{target, term};
use crate::base::clock::{Clock, Tick};
use crate::base::duration;
use crate::base::seed::Seed;
use crate::measure::journal;
use crate::plan::check::{self, Checked, DrillOptions, FileKind, Files, ScenarioOptions};
use crate::plan::diagnostic::Diagnostics;
use crate::plan::load::{LoadPlan, Pattern};
use crate::report::words;

pub(super) fn main(args: &CheckArgs, global: &Global) -> Result<Exit, Failure> {
    let mut all = Diagnostics::default();
    for path in &args.files {
        let (sentence, found) = match one(path, args, global)? {
            Ok((sentence, warnings)) => (sentence, warnings),
            Err(mistakes) => (String::new(), mistakes),
        };
        if !sentence.is_empty() && !global.json && !global.quiet {
            term::out(&format!("{path}: {sentence}"));
        }
        all.0.extend(found.0);
    }
    if global.json || !all.0.is_empty() {
        term::diagnostics(&all, global);
    }
    Ok(if all.has_errors() { Exit::Usage } else { Exit::Passed })
}

/// One file: a sentence about it and its warnings, or its mistakes.
fn one(path: &str, args: &CheckArgs, global: &Global) -> Result<Checked<String>, Failure> {
    let mut files = Files::disk();
    let seed = Seed(global.seed);
    let kind = files.read(path).map_or(FileKind::Scenario, |text| check::kind_of(&text));
    Ok(match kind {
        FileKind::Scenario => {
            let guard = target::guard(&args.target)?;
            check::scenario(&mut files, path, &ScenarioOptions { seed }).and_then(|(plan, mut warnings)| {
                warnings.0.extend(guard.judge_load(&plan, path).0);
                let length = duration::show(plan.length());
                let arrivals = words::count(arrivals(&plan));
                or_mistakes(
                    format!("scenario `{}`: {arrivals} arrivals in {length}, plan {}", plan.name, plan.hash),
                    warnings,
                )
            })
        }
        FileKind::Drill => {
            let guard = target::guard(&args.target)?;
            check::drill(&mut files, path, &DrillOptions { seed, ..DrillOptions::default() }).and_then(
                |(plan, mut warnings)| {
                    warnings.0.extend(target::judge_drill(&plan, &guard, path).0);
                    let length = duration::show(plan.phases.baseline + plan.phases.at_most + plan.phases.recovery_hold);
                    or_mistakes(
                        format!(
                            "drill `{}`: {} acts, at most {length}, plan {}",
                            plan.name,
                            plan.acts.len(),
                            plan.hash
                        ),
                        warnings,
                    )
                },
            )
        }
        FileKind::Proxies => check::proxies(&mut files, path).map(|(plan, warnings)| {
            let faults: usize = plan.iter().map(|one| one.faults.len()).sum();
            (format!("{} proxies with {faults} faults", plan.len()), warnings)
        }),
        FileKind::Targets => {
            let today = Clock::start().utc(Tick::ZERO).to_zoned(jiff::tz::TimeZone::UTC).date();
            check::targets(&mut files, path, today).map(|(allow, warnings)| {
                (format!("{} entries, {} never", allow.entries.len(), allow.never.len()), warnings)
            })
        }
        FileKind::Journal => match journal::read(Path::new(path)) {
            Ok(contents) => {
                let torn = if contents.torn { "; its last line is torn and does not count" } else { "" };
                Ok((
                    format!("journal of {} lines, every one after the one before{torn}", contents.lines.len()),
                    Diagnostics::default(),
                ))
            }
            Err(error) => return Err(Failure::usage(error)),
        },
    })
}

fn or_mistakes(sentence: String, found: Diagnostics) -> Checked<String> {
    if found.has_errors() { Err(found) } else { Ok((sentence, found)) }
}

fn arrivals(plan: &LoadPlan) -> u64 {
    let of = |pattern: &Pattern| match pattern {
        Pattern::Open { curve, arrivals, .. } => arrivals.unwrap_or(u64::MAX).min(curve.arrivals()),
        Pattern::Closed { .. } => 0,
    };
    plan.workloads.iter().map(|one| of(&one.pattern)).sum()
}
