//! `squall check FILE…`: all mistakes in files, with their places. Nothing is sent, nothing is written.

use std::path::Path;
use std::sync::Arc;

use super::args::{CheckArgs, Global, PlanDetail};
use super::exit::{Exit, Failure};
use super::{target, term};
use crate::base::duration;
use crate::base::seed::Seed;
use crate::load::listing::{self, Detail};
use crate::measure::journal;
use crate::plan::check::{self, Checked, DrillOptions, FileKind, Files, ScenarioOptions};
use crate::plan::diagnostic::Diagnostics;
use crate::plan::guard::Guard;
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
        FileKind::Scenario => scenario(&mut files, path, seed, (&target::guard(&args.target)?, args.plan)),
        FileKind::Drill => drill(&mut files, path, seed, &target::guard(&args.target)?),
        FileKind::Targets => check::targets(&mut files, path, target::today()).map(|(allow, warnings)| {
            let (entries, never) = (allow.entries.len() as u64, allow.never.len());
            (format!("{} allowed, {never} never", words::plural(entries, "target")), warnings)
        }),
        FileKind::Proxies => check::proxies(&mut files, path).map(|(plan, warnings)| {
            let faults: usize = plan.proxies.iter().map(|one| one.faults.len()).sum();
            (
                format!(
                    "{} with {}",
                    words::plural(plan.proxies.len() as u64, "listener"),
                    words::plural(faults as u64, "fault")
                ),
                warnings,
            )
        }),
        FileKind::Journal => Ok((journal(path)?, Diagnostics::default())),
    })
}

fn scenario(
    files: &mut Files,
    path: &str,
    seed: Seed,
    (guard, detail): (&Guard, Option<PlanDetail>),
) -> Checked<String> {
    let (plan, mut found) = check::scenario(files, path, &ScenarioOptions { seed })?;
    found.0.extend(guard.judge_load(&plan, path).0);
    let (arrivals, length) = (words::plural(arrivals(&plan), "arrival"), duration::show(plan.length()));
    let mut sentence = format!("scenario `{}`: {arrivals} in {length}, plan {}", plan.name, plan.hash);
    sentence.extend(listed(plan, seed, detail).map(|text| format!("\n{}", text.trim_end())));
    or_mistakes(sentence, found)
}

/// The consent of the command line is asked for by the command that would use it: nothing is destroyed here.
fn drill(files: &mut Files, path: &str, seed: Seed, guard: &Guard) -> Checked<String> {
    let (plan, mut found) =
        check::drill(files, path, &DrillOptions { seed, allow_destructive: true, ..DrillOptions::default() })?;
    found.0.extend(guard.judge_drill(&plan, path).0);
    let length = duration::show(plan.phases.baseline + plan.phases.at_most + plan.phases.recovery_hold);
    let acts = words::plural(plan.acts.len() as u64, "act");
    or_mistakes(format!("drill `{}`: {acts}, at most {length}, plan {}", plan.name, plan.hash), found)
}

fn journal(path: &str) -> Result<String, Failure> {
    let contents = journal::read(Path::new(path)).map_err(Failure::usage)?;
    let torn = if contents.torn { "; its last line is torn and does not count" } else { "" };
    let lines = words::plural(contents.lines.len() as u64, "line");
    Ok(format!("journal of {lines}, every one after the one before{torn}"))
}

/// The plan of arrivals, when it is asked for.
fn listed(plan: LoadPlan, seed: Seed, detail: Option<PlanDetail>) -> Option<String> {
    let detail = match detail? {
        PlanDetail::First => Detail::First,
        PlanDetail::Full => Detail::Full,
    };
    Some(listing::text(&Arc::new(plan), seed, detail, 1).unwrap_or_else(|error| error.to_string()))
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
