//! A whole drill, from its texts to its plan.

use std::time::Duration;

use super::*;
use crate::plan::drill::{Lever, Moment, RobotDeed, When};
use crate::plan::load::Pattern;

const NIGHT: &str = r##"Drill( // a night
  version: 1,
  about: (difficulty: 2, title: "Night", briefing: "You are on call.", hypothesis: "A flag ends it.", objectives: ["see it"]),
  system: Shop(data: Realistic, in_flight: 150, flag_poll: (a: "30s | 5s", b: "5m | 15s")),
  load: (scenario: "mix.ron", rate: "100/s"),
  run: (time_factor: 0.1, at_most: "45m | 75s"),
  slo: (good: (status: "2xx,3xx", within: "500ms"), objective: "99.9%", period: "30d"),
  people: (required: [Ic], optional: [Ops, Controller], robot: [
    (on: Page, wait: "3s", does: Ack), (on: Page, wait: "4s", does: Take(Ic)),
    (on: Page, wait: "20s", does: Mitigate("kill_flag")), (on: Clear, wait: "5s", does: Claim(Resolved))]),
  phases: (baseline: "5m | 60s", recovery_hold: "2m | 15s", hot_wash: "15m | 0s"),
  acts: [
    (name: "ship", when: At("0s"), hidden: true, does: Technical(
      apply:  Http(method: "PUT", path: "/admin/flags/smart_cart", json: r#"{"enabled":true}"#),
      revert: Http(method: "PUT", path: "/admin/flags/smart_cart", json: r#"{"enabled":false}"#),
      lease: "15s", owner: Players,
      proof: Probe(get: "/admin/state", at: "$.flags.smart_cart.serving", is: "true", within: "5s"),
      moves: [(signal: Bad, to: "60%")])),
    (name: "slow_db", when: After(Act("ship"), "200s"), does: Technical(
      apply: Fault(on: "db", inject: Latency(time: Fixed("20ms"), jitter: "5ms"), share: "50%", lasts: "3m | 40s"),
      proof: Touched(at_least: 5, within: "10s"))),
  ],
  mitigations: [
    (name: "kill_flag", label: "Kill the flag", kind: Correct, allowed: [Ops, Ic],
      does: Http(method: "PUT", path: "/admin/flags/smart_cart", json: r#"{"enabled":false}"#),
      verify: Probe(get: "/admin/state", at: "$.flags.smart_cart.serving", is: "false", within: "6m | 30s"),
      effect: (signal: Bad, falls_to: "1%", within: "10m | 60s")),
    (name: "hot_patch", label: "Patch live", kind: CorrectSlow, allowed: [Ops], does: Manual),
  ],
  expectations: [
    (name: "recover", check: Time(measure: Recover, target: "20m | 65s", limit: "30m | 74s"), weight: 20),
    (name: "no_harm", check: Count(measure: HarmfulActions, target: 0, limit: 1), gate: true),
  ],
)"##;

const MIX: &str = r#"(name: "mix", target: (base: "http://127.0.0.1:8080"),
  load: [Open(rate: [Ramp(to: "20/s", over: "10s"), Hold(rate: "40/s", for: "10s")])],
  journeys: {"browse": (steps: [Http(url: "/")])})"#;

fn check(night: &str, mix: &str, options: &DrillOptions) -> Checked<DrillPlan> {
    let mut files = Files::held([("a/night.ron".to_owned(), night), ("a/mix.ron".to_owned(), mix)]);
    drill(&mut files, "a/night.ron", options)
}

fn plan(options: &DrillOptions) -> DrillPlan {
    let found = |found: Diagnostics| -> String { found.0.iter().map(ToString::to_string).collect() };
    check(NIGHT, MIX, options).map_err(found).unwrap().0
}

#[test]
fn a_drill_becomes_a_plan_with_its_scenario() {
    let plan = plan(&DrillOptions::default());
    let secs = Duration::from_secs;
    assert_eq!((plan.name.as_str(), plan.phases.at_most, plan.phases.baseline), ("night", secs(75), secs(60)));
    let System::Shop { flag_poll, .. } = &plan.system else { panic!("the shop") };
    assert_eq!(*flag_poll, (secs(5), secs(15)));
    assert_eq!(plan.acts[1].when, When::After(Moment::Act("ship".into()), secs(20)), "a single reading is scaled");
    let Lever::Fault(fault) = &plan.acts[1].does.apply else { panic!("a fault") };
    assert_eq!((fault.name.as_str(), fault.lasts), ("slow_db", Some(secs(40))));
    assert_eq!(plan.robot[2].does, RobotDeed::Mitigate("kill_flag".into()));
    assert!(plan.acts[0].does.players_undo && plan.expectations[1].gate);
    assert!((plan.slo.objective - 0.999).abs() < 1e-12);
}

#[test]
fn the_load_takes_the_rate_of_the_drill_and_lasts_for_its_longest_course() {
    let plan = plan(&DrillOptions::default());
    assert_eq!(plan.load.length(), plan.phases.longest());
    assert!((plan.load.peak_rate() - 100.0).abs() < 1e-9);
    let Pattern::Open { curve, max_in_flight, .. } = &plan.load.workloads[0].pattern else { panic!("open") };
    assert!((curve.rate_at(10.0) - 100.0).abs() < 1e-9 && (curve.rate_at(9.999) - 50.0).abs() < 0.1, "the shape stays");
    assert_eq!(*max_in_flight, 1000, "a cap nobody wrote follows the rate");
    assert_eq!(plan.load.good.within, Some(Duration::from_millis(500)));
    assert_eq!((plan.load.origins[0].host.as_str(), plan.load.origins[0].port), ("127.0.0.1", 0));
}

#[test]
fn people_play_by_the_first_readings_and_flags_replace_the_file() {
    let attended = plan(&DrillOptions { attended: Attendance::Attended, ..DrillOptions::default() });
    assert_eq!(attended.phases.baseline, Duration::from_secs(300));
    assert!(attended.robot.is_empty());
    let quick = plan(&DrillOptions { time_factor: Some(0.2), ..DrillOptions::default() });
    assert_eq!(quick.phases.baseline, Duration::from_secs(60), "5 min × 0.2, the second reading does not count");
    let nobody = plan(&DrillOptions { responder: Responder::None, ..DrillOptions::default() });
    assert!(nobody.robot.is_empty());
    let data = plan(&DrillOptions { data: Some(ShopData::TestLike), ..DrillOptions::default() });
    assert!(matches!(data.system, System::Shop { data: ShopData::TestLike, .. }));
    let hashes = [&attended.hash, &quick.hash, &nobody.hash, &data.hash];
    assert!(hashes.iter().enumerate().all(|(n, hash)| hashes.iter().skip(n + 1).all(|other| hash != other)));
}

#[test]
fn a_time_factor_that_is_none_is_refused() {
    for factor in [0.0, -1.0, 1.5, f64::NAN] {
        let found =
            check(NIGHT, MIX, &DrillOptions { time_factor: Some(factor), ..DrillOptions::default() }).unwrap_err();
        assert_eq!(found.0.iter().map(|one| one.id).collect::<Vec<_>>(), ["out-of-range"], "{factor}");
    }
}

#[test]
fn mistakes_of_drill_and_scenario_are_told_together_each_with_its_file() {
    let night = NIGHT
        .replace("proof: Touched(at_least: 5, within: \"10s\")", "")
        .replace("Mitigate(\"kill_flag\")", "Mitigate(\"kil_flag\")");
    let mix = MIX.replace("url: \"/\"", "url: \"/${x}\"");
    let found = check(&night, &mix, &DrillOptions::default()).unwrap_err();
    let ids: Vec<_> = found.0.iter().map(|one| (one.id, one.place.file.as_str())).collect();
    let want = [("unknown-name", "a/night.ron"), ("unproven-act", "a/night.ron"), ("unknown_variable", "a/mix.ron")];
    assert_eq!(ids, want);
}

#[test]
fn a_drill_checks_again_from_the_texts_it_read() {
    let mut files = Files::held([("a/night.ron".to_owned(), NIGHT), ("a/mix.ron".to_owned(), MIX)]);
    let first = drill(&mut files, "a/night.ron", &DrillOptions::default()).unwrap().0;
    let mut again = Files::held(files.seen().to_vec());
    assert_eq!(first.hash, drill(&mut again, "a/night.ron", &DrillOptions::default()).unwrap().0.hash);
}
