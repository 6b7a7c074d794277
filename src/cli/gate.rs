//! `squall gate RUN…`: judges finished runs again, for CI: other checks, another profile, and against earlier runs. Writes to
//! `RUN/gate/`, never over the run's own.
//!
//! Not here: the judgement (`judge`), what stands on the other side (`earlier`), `gate calibrate` (`calibrate`).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::{Annotations, Decide, GateArgs, GateCommand, Global, Inconclusive};
use super::assemble::{self, How, Judged, Plan};
use super::ci::{self, Ci};
use super::exit::{Exit, Failure, could_not};
use super::{calibrate, earlier, term};
use crate::judge::account;
use crate::judge::baseline::{self, steady};
use crate::judge::conclusion;
use crate::judge::finding::{Finding, Reason, Verdict};
use crate::judge::threshold::Profile;
use crate::plan::check;
use crate::plan::load::LoadPlan;
use crate::plan::threshold::{Ground, Level, Threshold};
use crate::report;

/// What is compared with a run that was named by hand when no line says it.
const USUAL: [&str; 3] = ["p50 <= baseline +10%", "p95 <= baseline +10%", "errors <= baseline +0.5pp"];

pub(super) fn main(args: &GateArgs, global: &Global) -> Result<Exit, Failure> {
    if let Some(GateCommand::Calibrate(calibrate)) = &args.command {
        return calibrate::main(calibrate, global);
    }
    let how = How { profile: args.decide.map(profile), checks: texts(args)?, ..How::default() };
    let mut judged: Vec<(PathBuf, Judged)> = args
        .runs
        .iter()
        .map(|dir| Ok((dir.clone(), assemble::judge_as(dir, &how)?)))
        .collect::<Result<_, Failure>>()?;
    compare(&mut judged, args)?;
    let mut worst = Exit::Passed;
    for (dir, judged) in judged {
        worst = worst.graver(one(&dir, judged, (args, global))?);
    }
    Ok(worst)
}

fn profile(decide: Decide) -> Profile {
    match decide {
        Decide::Ci => Profile::Ci,
        Decide::Drill => Profile::Drill,
        Decide::Launch => Profile::Launch,
    }
}

/// The checks of the command line, and of a file of checks.
fn texts(args: &GateArgs) -> Result<Vec<String>, Failure> {
    let mut checks = args.checks.clone();
    if let Some(path) = &args.file {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        checks.extend(lines.map(str::to_owned));
        if checks.is_empty() {
            return Err(Failure::usage(format!("{} holds no check: one in each line", path.display())));
        }
    }
    Ok(checks)
}

/// Judges the lines that lean on earlier runs; all runs are candidates of one change where they have one plan.
fn compare(judged: &mut [(PathBuf, Judged)], args: &GateArgs) -> Result<(), Failure> {
    let Some((dir, first)) = judged.first() else { return Ok(()) };
    let Plan::Load(plan) = &first.plan else { return Ok(()) };
    let (plan, head) = (Arc::clone(plan), first.account.head.clone());
    let mut lines: Vec<Threshold> = plan.checks.iter().filter(|one| is_compared(one, args)).cloned().collect();
    if lines.is_empty() && args.baseline.is_some() {
        lines = usual(&plan)?;
    }
    if lines.is_empty() {
        return Ok(());
    }
    if let Some((other, _)) = judged.iter().find(|(_, one)| one.account.head.plan_hash != head.plan_hash) {
        let message = format!("{} and {} are runs of different plans", dir.display(), other.display());
        return Err(Failure::usage(format!("{message}: candidates of one comparison have one")));
    }
    let candidates: Vec<_> = judged.iter().map(|(_, one)| steady(&one.account)).collect();
    let (earlier, rules) = earlier::of(&head, &plan.gate, args)?;
    if !earlier.refused.is_empty() && earlier.runs.is_empty() {
        for one in &earlier.refused {
            term::note(&format!("not compared: {} is {} there, {} here", one.field, one.baseline, one.candidate));
        }
    }
    let found = baseline::findings(&lines, &plan.steps, &candidates, (&earlier, &rules));
    for (_, one) in judged {
        account::replace(&mut one.account, &found);
        one.exit = conclusion::of(&one.account);
    }
    Ok(())
}

/// True for a line that leans on what this gate has at hand: one run named by hand is no release.
fn is_compared(check: &Threshold, args: &GateArgs) -> bool {
    check.lean.is_some_and(|lean| lean.on == Ground::Baseline || (lean.on == Ground::Anchor && args.baseline.is_none()))
}

fn usual(plan: &LoadPlan) -> Result<Vec<Threshold>, Failure> {
    let texts = USUAL.map(str::to_owned);
    check::checks(&texts, "--baseline", (plan, &[]))
        .map_err(|mistakes| Failure::usage(mistakes.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}

fn one(dir: &Path, mut judged: Judged, (args, global): (&GateArgs, &Global)) -> Result<Exit, Failure> {
    if args.inconclusive == Inconclusive::Allow
        && judged.exit == Exit::Inconclusive
        && is_only_thin(&judged.account.findings)
    {
        judged.exit = Exit::Passed;
    }
    let place = dir.join("gate");
    std::fs::create_dir_all(&place).map_err(could_not("make the folder"))?;
    report::write_all(&judged.account, &place, judged.exit.code()).map_err(could_not("write the reports"))?;
    let mut told = Ci::of(global);
    match args.annotations {
        Annotations::Auto => {}
        Annotations::Github => told.annotates = !global.json,
        Annotations::None => told.annotates = false,
    }
    ci::show_as(&judged, &told, (&place, global))?;
    Ok(judged.exit)
}

/// True when nothing is undecided but for want of samples or of runs: no data is never allowed.
fn is_only_thin(findings: &[Finding]) -> bool {
    let thin = |one: &Finding| matches!(one.reason, Reason::FewSamples | Reason::LowPower);
    let undecided = |one: &&Finding| one.verdict == Verdict::Inconclusive && one.level != Level::Info;
    findings.iter().filter(undecided).all(thin)
}
