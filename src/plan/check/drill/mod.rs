//! A whole drill: the order in which its parts are checked, and the plan they make.
//!
//! | file | checks |
//! |---|---|
//! | `pace` | durations with two readings |
//! | `system` | what is shaken, about, phases, SLO |
//! | `act` `lever` `fault` `healing` | what is done to the players, and how it is undone |
//! | `condition` | what an act may wait for, and what ends the drill |
//! | `mitigation` `people` | what they may do, and what the robot does in their place |
//! | `expectation` `feasible` | what must hold, and whether an alert can be as fast |
//! | `secret` | tokens and keys that do not belong into a file |

mod act;
mod condition;
mod expectation;
pub(in crate::plan::check) mod fault;
mod feasible;
mod healing;
mod lever;
mod mitigation;
mod pace;
mod people;
mod secret;
mod system;
#[cfg(test)]
mod tests;

use std::time::Duration;

use super::desk::{Desk, Dialect};
use super::scenario::Instead;
use super::{Checked, Files, ScenarioOptions, scenario};
use crate::base::digest::sha256;
use crate::base::seed::Seed;
use crate::plan::diagnostic::{Diagnostics, Place};
use crate::plan::drill::{DrillPlan, Lever, ShopData, Surge, System};
use crate::plan::load::{LoadPlan, Pattern};
use crate::spec::drill::{Drill, Load};
use crate::spec::source::Spanned;
use pace::Paces;
pub(crate) use secret::redacted;

/// Whether people attend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Attendance {
    /// Nobody: second readings, or first ones times the time factor.
    #[default]
    Unattended,
    /// People play: first readings, in real time.
    Attended,
}

/// Who plays the people of an unattended drill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Responder {
    /// The robot's steps of the file.
    #[default]
    Robot,
    /// Nobody acts.
    None,
}

/// What a drill's file does not say, or a flag says instead.
#[derive(Clone, Debug, Default)]
pub struct DrillOptions {
    /// `--seed`.
    pub seed: Seed,
    /// `--attended`.
    pub attended: Attendance,
    /// `--time-factor`: instead of the file's, and of all second readings.
    pub time_factor: Option<f64>,
    /// `--responder`.
    pub responder: Responder,
    /// `--data`: instead of the file's.
    pub data: Option<ShopData>,
    /// `--database`: a real PostgreSQL instead of the embedded one.
    pub database: Option<String>,
    /// `--allow-destructive`: the second of the two consents.
    pub allow_destructive: bool,
}

/// Who consented to destructive acts.
#[derive(Clone, Copy, Debug)]
struct Consent {
    file: bool,
    flag: bool,
}

/// Reads and checks the drill at `path` and the scenario it names.
///
/// # Errors
/// All mistakes of both files, with their places.
pub fn drill(files: &mut Files, path: &str, options: &DrillOptions) -> Checked<DrillPlan> {
    let mut desk = super::open(files, path, Dialect::Drill, "missing-file")?;
    let mut further = Diagnostics::default();
    let plan = whole(&mut desk, files, (path, options), &mut further);
    let mut found = desk.finish();
    found.0.append(&mut further.0);
    super::finish(plan, found)
}

fn version(desk: &mut Desk, written: &Spanned<u64>) {
    if let Some(version) = desk.open(written).filter(|version| **version != 1) {
        let message = format!("version {version} is not known");
        desk.error("unknown-version", written.mark, message, "this squall reads version 1");
    }
}

fn whole(
    desk: &mut Desk,
    files: &mut Files,
    (path, options): (&str, &DrillOptions),
    further: &mut Diagnostics,
) -> Option<DrillPlan> {
    let written = desk.source.read::<Drill>();
    let written = desk.open(&written)?;
    secret::secrets(desk);
    version(desk, &written.version);
    let about = system::about(desk, &written.about);
    let run = desk.open(&written.run);
    let paces = Paces::new(desk, run, options);
    let system = system::system(desk, paces, &written.system, options);
    let phases = system::phases(desk, paces, run, &written.phases);
    let slo = system::slo(desk, &written.slo);
    let allowed = desk.open_if(run.and_then(|run| run.allow_destructive.as_ref())) == Some(&true);
    let consent = Consent { file: allowed, flag: options.allow_destructive };
    std::mem::swap(&mut desk.files, files);
    let acts = act::acts(desk, paces, act::Scene { system: system.as_ref(), seed: options.seed, consent }, written);
    std::mem::swap(&mut desk.files, files);
    let mitigations = mitigation::mitigations(desk, paces, written.mitigations.as_ref());
    act::moments(desk, &acts, &mitigations, written);
    let limits = condition::limits(desk, paces, &acts, (written, run));
    let robot = people::robot(desk, (&acts, &mitigations), written.people.as_ref(), options);
    let at_most = phases.map(|phases| phases.at_most);
    let expectations = expectation::expectations(desk, paces, at_most, written.expectations.as_ref());
    if let Some(slo) = &slo {
        feasible::detection(desk, (&slo.slo, &acts), written);
    }
    let (phases, slo, system) = (phases?, slo?, system?);
    let names: Vec<String> = acts.list.iter().map(|(act, _)| act.name.clone()).collect();
    let instead = |rate| Instead::Drill {
        acts: names.clone(),
        origin: Box::new(system::origin(&system)),
        rate,
        longest: phases.longest() + surplus(&acts, phases.at_most),
        good: slo.good.clone(),
    };
    let load = load(desk, files, (path, options.seed, &written.load), &instead, further)?;
    surgeable(desk, &load, &acts);
    let mut plan = DrillPlan {
        name: name_of(path),
        about: about?,
        system,
        load,
        phases,
        slo: slo.slo,
        limits,
        robot,
        acts: acts.list.into_iter().map(|(act, _)| act).collect(),
        mitigations: mitigations.list.into_iter().map(|(mitigation, _)| mitigation).collect(),
        expectations,
        hash: String::new(),
    };
    plan.hash = fingerprint(&plan, options.seed);
    Some(plan)
}

/// The scenario beside the drill, with the drill's system, rate and length.
fn load(
    desk: &mut Desk,
    files: &mut Files,
    (path, seed, written): (&str, Seed, &Spanned<Load>),
    instead: &dyn Fn(Option<f64>) -> Instead,
    further: &mut Diagnostics,
) -> Option<LoadPlan> {
    let load = desk.open(written)?;
    let rate = load.rate.as_ref().and_then(|rate| {
        let value = desk.rate(rate)?;
        if value <= 0.0 {
            desk.error("out-of-range", rate.mark, "a drill without traffic shows nothing", "write a rate above 0/s");
        }
        Some(value)
    });
    let name = desk.text(&load.scenario)?;
    let scenario_path = Files::beside(path, name);
    let text = match files.read(&scenario_path) {
        Ok(text) => text,
        Err(error) => {
            let message = format!("cannot read {scenario_path}: {error}");
            desk.error("missing-file", load.scenario.mark, message, "the scenario lies beside the drill file");
            return None;
        }
    };
    let mut other = Desk::new(&scenario_path, text, Dialect::Scenario);
    std::mem::swap(&mut other.files, files);
    let plan = scenario::scenario(&mut other, ScenarioOptions { seed }, &instead(rate));
    std::mem::swap(&mut other.files, files);
    let is_broken = other.has_errors();
    further.0.append(&mut other.finish().0);
    plan.filter(|_| !is_broken)
}

/// How much longer the curve must be for traffic that is walked faster.
fn surplus(acts: &act::Acts, at_most: Duration) -> Duration {
    let more = |surge: &Surge| surge.lasts.unwrap_or(at_most).mul_f64((surge.times - 1.0).max(0.0));
    let all = acts
        .list
        .iter()
        .filter_map(|(act, _)| if let Lever::Load(surge) = &act.does.apply { Some(more(surge)) } else { None });
    all.sum()
}

/// Only an open workload has a rate that can be multiplied.
fn surgeable(desk: &mut Desk, load: &LoadPlan, acts: &act::Acts) {
    if load.workloads.iter().any(|one| matches!(one.pattern, Pattern::Open { .. })) {
        return;
    }
    for (act, at) in acts.list.iter().filter(|(act, _)| matches!(act.does.apply, Lever::Load(_))) {
        let message = format!("act `{}` multiplies a rate, and no workload of the scenario has one", act.name);
        desk.error("unknown-name", *at, message, "give the scenario an open workload");
    }
}

/// The file's name without folder and ending, with nothing in it that a folder or a draw could trip over.
fn name_of(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem).to_lowercase();
    let name: String = stem.chars().map(|c| if scenario::is_name(&c.to_string()) { c } else { '_' }).take(64).collect();
    if name.is_empty() { "drill".to_owned() } else { name }
}

/// SHA-256 over everything that decides the course of the drill: not addresses, not places in files.
fn fingerprint(plan: &DrillPlan, seed: Seed) -> String {
    let mut bare = plan.clone();
    bare.hash.clear();
    // The load has its own hash, which stands for all of it.
    let load = LoadPlan {
        origins: Vec::new(),
        journeys: Vec::new(),
        workloads: Vec::new(),
        checks: Vec::new(),
        ..plan.load.clone()
    };
    bare.load = load;
    match &mut bare.system {
        System::Shop { database, .. } => *database = database.take().map(|_| String::new()),
        System::Remote { base, admin, token_env, proxies, .. } => {
            [base, admin, token_env].into_iter().for_each(String::clear);
            proxies.iter_mut().flat_map(|one| [&mut one.listen, &mut one.upstream]).for_each(String::clear);
        }
    }
    for expectation in &mut bare.expectations {
        expectation.place = Place::default();
    }
    sha256(format!("squall drill plan 1\nseed {}\n{bare:#?}", seed.0).as_bytes())
}
