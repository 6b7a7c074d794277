//! The whole grammar of checks against nothing and against itself: lines made at random from its rules.

use proptest::prelude::*;

use crate::judge::account::{Planned, of};
use crate::judge::finding::{FindingKind, Verdict};
use crate::judge::threshold::Profile;
use crate::measure::interval::Interval;
use crate::measure::record::Record;
use crate::plan::check::{self, Files, ScenarioOptions};
use crate::plan::diagnostic::Place;
use crate::plan::load::LoadPlan;
use crate::plan::threshold::{Level, Threshold};

const SCENARIO: &str = r#"(name: "s", target: (base: "http://127.0.0.1:9"),
    load: [Open(rate: [Hold(rate: "10/s", for: "60s")], mix: {"buy": 1})],
    journeys: {"buy": (steps: [Http(name: "/cart", url: "/"), Http(name: "GET /a b", url: "/")])})"#;

fn plan() -> LoadPlan {
    let mut files = Files::held([("s.ron".to_owned(), SCENARIO.to_owned())]);
    check::scenario(&mut files, "s.ron", &ScenarioOptions::default()).unwrap().0
}

fn resolved(text: &str, plan: &LoadPlan) -> Result<Vec<Threshold>, String> {
    let faults = ["db".to_owned(), "pay".to_owned()];
    let found = check::checks(&[text.to_owned()], "--check", (plan, &faults));
    found.map_err(|mistakes| mistakes.0.iter().map(ToString::to_string).collect())
}

fn one_of(words: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    prop::sample::select(words).prop_map(str::to_owned)
}

/// A subject with a bound that fits it.
fn subject() -> impl Strategy<Value = (String, String)> {
    let times = one_of(&["p50", "p99.95", "mean", "max", "min", "lateness.p99"]);
    let shares = one_of(&["errors", "timeouts", "shed", "slow( 200ms )", "generator_cpu"]);
    let rates = one_of(&["offered", "goodput", "achieved"]);
    let numbers = one_of(&["requests", "apdex(500ms)"]);
    let clocks = one_of(&["recovery", "unavailable"]);
    let leans = |points: &'static str| {
        prop_oneof![Just("steady".to_owned()), Just("baseline".to_owned()), Just("anchor".to_owned())]
            .prop_map(move |on| format!("{on} {points}"))
    };
    prop_oneof![
        (times.clone(), one_of(&["250ms", "1.5 s", "90us", "2m"])),
        (times, prop_oneof![leans("+5%"), leans("-10% or 10ms"), leans("+ 0.5 %")]),
        (shares.clone(), one_of(&["0.1%", "20 %"])),
        (shares, leans("+1pp")),
        (rates.clone(), one_of(&["2k/s", "30/min"])),
        (rates, leans("-3%")),
        (numbers, one_of(&["10", "0.9"])),
        (clocks, one_of(&["60s", "5 m"])),
    ]
}

fn line() -> impl Strategy<Value = String> {
    let selector = one_of(&[
        "step=/cart",
        "step != '/c*'",
        "step=\"GET /a b\"",
        "journey=b*",
        "phase=steady",
        "phase=fault:*",
        "phase=recovery:pay",
        "phase!=drain",
        "fault=db",
        "fault=*",
        "status=5xx",
        "status!=503",
        "outcome=ok",
        "outcome=any",
        "clock=service",
    ]);
    let modifier = one_of(&["for 5s", "over 10s", "in 95% of 5s", "after 3s", "abort", "abort 4", "n >= 20"]);
    let level = one_of(&["", "hard: ", "must:", "should: ", "info : "]);
    let cmp = one_of(&[" < ", "<=", " >", ">= "]);
    let scope = prop::collection::vec(selector, 0..3);
    let modifiers = prop::collection::vec(modifier, 0..3);
    (level, subject(), scope, cmp, modifiers).prop_map(|(level, (subject, bound), scope, cmp, modifiers)| {
        let scope = if scope.is_empty() { String::new() } else { format!("{{{}}}", scope.join(",")) };
        let behind = modifiers.iter().fold(String::new(), |behind, one| behind + " , " + one);
        format!("{level}{subject}{scope}{cmp}{bound}{behind}")
    })
}

/// What a check demands, without where it is written.
fn bare(check: &Threshold) -> String {
    format!("{:?}", Threshold { place: Place::default(), ..check.clone() })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn the_id_of_a_check_is_a_line_that_means_the_same(text in line()) {
        let plan = plan();
        if let Ok(checks) = resolved(&text, &plan) {
            for check in &checks {
                let again = resolved(&check.id, &plan).map_err(TestCaseError::fail)?;
                prop_assert_eq!(again.len(), 1, "{}", check.id);
                prop_assert_eq!(bare(&again[0]), bare(check));
            }
        }
    }

    #[test]
    fn no_line_of_the_grammar_passes_on_no_data(text in line(), seconds in 0_u32..40) {
        let mut plan = plan();
        if let Ok(checks) = resolved(&text, &plan) {
            let wanted = checks.len() + 1;
            plan.checks = checks;
            for profile in [Profile::Ci, Profile::Drill, Profile::Launch] {
                let record = Record { seconds: (0..seconds).map(Interval::at).collect(), ..Record::default() };
                let account = of(Planned::Gate(&plan, profile), &[], record);
                let judged = account.findings.iter().filter(|one| matches!(one.kind, FindingKind::Threshold | FindingKind::Comparison));
                prop_assert_eq!(judged.clone().count(), wanted);
                for one in judged {
                    prop_assert_eq!(one.verdict, Verdict::Inconclusive, "{} {}", &one.id, &one.observed);
                    prop_assert!(one.level != Level::Info || !one.next.is_empty());
                }
            }
        }
    }
}

#[test]
fn most_lines_made_at_random_are_checks_so_that_the_properties_say_something() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let (plan, mut runner) = (plan(), TestRunner::deterministic());
    let made = (0..500).map(|_| line().new_tree(&mut runner).unwrap().current());
    let read = made.filter(|text| resolved(text, &plan).is_ok()).count();
    assert!(read > 120, "{read} of 500");
}
