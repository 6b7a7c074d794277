//! A scenario against two targets: checked as any other, with its lines against the baseline resolved.
//!
//! Called by `cli::ab`, and by whoever judges such a run again.

use super::desk::{Desk, Dialect};
use super::line::Against;
use super::scenario::{Instead, compared};
use super::{Checked, Files, ScenarioOptions, finish, open, target};
use crate::base::digest::sha256;
use crate::base::name::nearest;
use crate::base::seed::Seed;
use crate::measure::sample::StepId;
use crate::plan::ab::{AbPlan, Design};
use crate::plan::load::Origin;
use crate::plan::threshold::Comparison;
use crate::spec::scenario::Scenario;

/// What the scenario's file does not say.
#[derive(Clone, Debug, Default)]
pub struct AbOptions {
    /// `--seed`.
    pub seed: Seed,
    /// How many blocks of which length; its control steps are taken from `control`.
    pub design: Design,
    /// Names of steps that the change cannot touch.
    pub control: Vec<String>,
    /// Where the baseline answers, instead of the scenario's own target.
    pub base: Option<Origin>,
}

/// Reads and checks the scenario at `path` for a comparison.
///
/// # Errors
/// All mistakes of the file, with their places.
pub fn ab(files: &mut Files, path: &str, options: &AbOptions) -> Checked<AbPlan> {
    let mut desk = open(files, path, Dialect::Scenario, "missing_file")?;
    let plan = whole(&mut desk, options);
    finish(plan, desk.finish())
}

fn whole(desk: &mut Desk, options: &AbOptions) -> Option<AbPlan> {
    let scenario = ScenarioOptions { seed: options.seed };
    let (mut load, comparisons) = compared(desk, scenario, &Instead::Nothing, Against::Baseline)?;
    let mut design = options.design.clone();
    design.control.clear();
    for name in &options.control {
        let Some(step) = load.steps.iter().position(|step| step == name).and_then(|at| u16::try_from(at).ok()) else {
            let near = nearest(name, load.steps.iter().map(String::as_str));
            let near = near.map(|near| format!(": did you mean {near}?")).unwrap_or_default();
            let whole = desk.source.read::<Scenario>().mark;
            desk.error("unknown_name", whole, format!("no step is called {name}{near}"), "--control names a step");
            continue;
        };
        design.control.push(StepId(step));
    }
    if let (Some(base), Some(first)) = (&options.base, load.origins.first_mut()) {
        *first = base.clone();
    }
    // The arms' addresses are no part of the hash; what is compared, and how, is.
    let text = format!("squall ab plan 1\n{}\n{design:#?}\n{}", load.hash, lines(&comparisons));
    load.hash = sha256(text.as_bytes());
    Some(AbPlan { load, comparisons, design })
}

fn lines(comparisons: &[Comparison]) -> String {
    comparisons.iter().map(|one| one.id.as_str()).collect::<Vec<_>>().join("\n")
}

/// The origin that a URL of the command line names.
///
/// # Errors
/// What is wrong with it, and how to write it.
pub fn address(url: &str) -> Result<Origin, String> {
    if url.starts_with("https://") {
        return Err(format!("{url}: https is known but not built yet: use http for now"));
    }
    let rest =
        url.strip_prefix("http://").ok_or_else(|| format!("`{url}` is not an http address: write http://host:port"))?;
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#', '@', ' ']) {
        return Err(format!("`{url}` has more than an address: paths belong to the steps, credentials nowhere"));
    }
    target::split_authority(authority, 80)
        .map(|(host, port)| Origin::clear(host, port, Vec::new()))
        .ok_or_else(|| format!("`{url}` has no usable host and port: write http://host:port"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::load::Pattern;
    use crate::plan::threshold::{Ground, Level, Margin, Subject};

    fn compared_lines(checks: &str, options: &AbOptions) -> Checked<AbPlan> {
        let text = format!(
            r#"(name: "s", target: (base: "http://127.0.0.1:8080"),
            load: [Open(rate: [Ramp(to: "90/s", over: "2s"), Hold(rate: "40/s", for: "5s")], mix: {{"a": 1}})],
            journeys: {{"a": (steps: [Http(name: "home", url: "/"), Http(name: "health", url: "/h")])}}, checks: [{checks}])"#
        );
        ab(&mut Files::held([("s.ron".to_owned(), text)]), "s.ron", options)
    }

    fn mistakes(checks: &str) -> String {
        let Err(found) = compared_lines(checks, &AbOptions::default()) else { return String::new() };
        found.0.iter().map(|one| [one.id, ": ", &one.message, "\n"].concat()).collect()
    }

    #[test]
    fn relative_bounds_are_resolved_to_signed_margins() {
        let lines = r#""p95{step=h*} <= baseline +5% or 10ms", "should: errors <= baseline +1pp", "goodput >= baseline -3%", "p99 < 1s""#;
        let (plan, _) = compared_lines(lines, &AbOptions::default()).unwrap();
        let seen: Vec<_> = plan.comparisons.iter().map(|one| (one.id.as_str(), one.subject, one.margin)).collect();
        let margin = |slack, least_us| Margin { slack, least_us };
        let p95 = (Subject::Quantile(0.95), margin(0.05, Some(10_000.0)));
        assert_eq!(
            seen,
            [
                ("p95{step=home} <= baseline +5% or 10ms", p95.0, p95.1),
                ("p95{step=health} <= baseline +5% or 10ms", p95.0, p95.1),
                ("should: errors <= baseline +1pp", Subject::Errors, margin(0.01, None)),
                ("goodput >= baseline -3%", Subject::Goodput, margin(-0.03, None)),
            ]
        );
        assert_eq!(plan.comparisons[2].level, Level::Should);
        assert_eq!(plan.load.checks.len(), 2, "the absolute line, and the one that is always there");
    }

    #[test]
    fn a_scenario_without_such_lines_compares_the_usual() {
        let (plan, _) = compared_lines(r#""p99 < 1s""#, &AbOptions::default()).unwrap();
        let ids: Vec<_> = plan.comparisons.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, ["p50 <= baseline +10%", "p95 <= baseline +10%", "errors <= baseline +0.5pp"]);
        assert!(plan.comparisons.iter().all(|one| one.place.line == 0));
    }

    #[test]
    fn what_a_comparison_cannot_mean_is_a_mistake() {
        for (line, message) in [
            (
                "p95 <= baseline +5%, over 10s",
                "bad_check: a comparison is judged over its blocks and takes no window\n",
            ),
            ("p95{phase=warmup} <= baseline +5%", "bad_check: a comparison is about the measured part of its slots\n"),
            ("errors <= baseline +1pp or 10ms", "bad_check: a time after `or` widens the margin of a time only\n"),
            ("p95{phase!=steady} <= baseline +5%", "bad_check: a comparison is about the measured part of its slots\n"),
            ("p95 <= steady +5%", "bad_check: between two targets there is no steady phase: compare with baseline\n"),
            (
                "lateness.p99 <= baseline +5%",
                "bad_check: only what users get is compared: a clock of a fault and the generator have no such reference\n",
            ),
            ("p95 >= baseline -100%", "bad_check: a margin of -100 % and below leaves nothing to compare with\n"),
        ] {
            assert_eq!(mistakes(&format!("\"{line}\"")), message, "{line}");
        }
        assert_eq!(
            mistakes(r#""p95 <= baseline +5%", "p95 <=  baseline +5%""#),
            "duplicate_name: two checks are named p95 <= baseline +5%\n"
        );
        let options = AbOptions { control: vec!["helth".into()], ..AbOptions::default() };
        let found = compared_lines("", &options).unwrap_err();
        assert_eq!(found.0[0].message, "no step is called helth: did you mean health?");
    }

    #[test]
    fn one_run_alone_keeps_its_lines_for_whoever_has_a_baseline() {
        let text = r#"(name: "s", target: (base: "http://127.0.0.1:8080"), load: [Closed(users: [Hold(users: 1, for: "5s")], mix: {"a": 1})],
            journeys: {"a": (steps: [Http(url: "/")])}, checks: ["p95 <= baseline +5%"])"#;
        let mut files = Files::held([("s.ron".to_owned(), text)]);
        let (plan, _) = super::super::scenario(&mut files, "s.ron", &ScenarioOptions::default()).unwrap();
        let lean = plan.checks[1].lean.unwrap();
        assert_eq!((lean.on, lean.margin.slack), (Ground::Baseline, 0.05));
    }

    #[test]
    fn a_design_that_can_prove_nothing_says_what_would() {
        let of = |blocks, stages, alpha, lines: &str| {
            let design = Design { blocks, stages, alpha, ..Design::default() };
            let (plan, _) = compared_lines(lines, &AbOptions { design, ..AbOptions::default() }).unwrap();
            plan.design.mistake(&plan.comparisons).unwrap_or_default()
        };
        let one = r#""p95 <= baseline +5%""#;
        assert_eq!(of(6, 1, 0.01, one), "6 blocks can never prove a regression at 1 %: use 7");
        assert_eq!(of(0, 1, 0.01, one), "0 blocks can never prove a regression at 1 %: use 7");
        assert_eq!(of(7, 1, 0.01, one), "");
        assert_eq!(of(7, 2, 0.01, one), "7 blocks can never prove a regression at 1 % in 2 stages: use 8");
        assert_eq!(of(8, 1, 0.01, ""), "8 blocks can never prove a regression at 1 % among 3 comparisons: use 9");
        assert_eq!(of(101, 2, 0.01, one), "101 blocks are more than the exact test takes: use at most 100");
        assert!(of(10, 3, 0.01, one).starts_with("3 stages") && of(10, 1, 0.0, one).starts_with("--alpha 0 %"));
    }

    #[test]
    fn a_slot_holds_the_peak_and_goes_to_its_arm() {
        let (plan, _) = compared_lines("", &AbOptions::default()).unwrap();
        let slot = plan.slot(&address("http://127.0.0.1:9/").unwrap());
        assert_eq!((slot.origins[0].port, slot.length()), (9, plan.design.settle + plan.design.slot));
        let Pattern::Open { curve, .. } = &slot.workloads[0].pattern else { panic!("open") };
        assert_eq!(curve.arrivals(), 90 * 15);
        assert!(address("https://a").is_err() && address("http://a/b").is_err() && address("a:1").is_err());
    }
}
