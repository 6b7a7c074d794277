//! The stage with the real rooms: embedded shop, faults, load, pages.

use std::time::Duration;

use super::*;
use crate::console::sandbox::events_v2::Sandbox;
use crate::drill::lever::http::loopback_only;
use crate::measure::journal::{self, Line};
use crate::measure::record;
use crate::plan::check::Files;
use crate::plan::check::{ScenarioOptions, scenario};
use crate::plan::drill::{
    About, Act, Cue, Lever, Mitigation, MitigationKind, Phases, Probe, Proof, RobotDeed, RobotStep, Role, ShopData, System,
    Technical, When,
};
use crate::plan::good::Good;
use crate::plan::load::LoadPlan;

const MIX: &str = r##"(
  name: "mix",
  target: (base: "http://127.0.0.1:8080"),
  client: (connections: Shared(max: 400), timeouts: (total: "2s"), headers: {"x-user": "t${tenant}-${user}"}),
  load: [Open(name: "users", rate: [Hold(rate: "100/s", for: "10m")], spacing: Poisson, mix: {"browse": 50, "me": 25, "cart": 15, "buy": 7, "profile": 3})],
  vars: {"user": Int(1, 200), "tenant": Int(1, 5), "product": Int(1, 200), "key": Uuid, "page": Int(1, 5)},
  journeys: {
    "browse": (steps: [Http(name: "catalog", url: "/api/catalog", query: {"page": "${page}"})]),
    "me": (steps: [Http(name: "me", url: "/api/me")]),
    "cart": (steps: [Http(name: "cart", url: "/api/cart")]),
    "buy": (steps: [Http(name: "order", method: "POST", url: "/api/orders", headers: {"idempotency-key": "${key}"},
      body: Json(r#"{"product": ${product}, "quantity": 1}"#))]),
    "profile": (steps: [Http(name: "profile", url: "/api/profile")]),
  },
)"##;

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn load(text: &str) -> LoadPlan {
    let mut files = Files::held([("mix.ron".to_owned(), text)]);
    let (mut plan, _) = scenario(&mut files, "mix.ron", &ScenarioOptions::default())
        .unwrap_or_else(|wrong| panic!("{}", wrong.0.iter().map(ToString::to_string).collect::<String>()));
    plan.good = Good { within: Some(Duration::from_millis(500)), ..Good::default() };
    plan
}

fn put(json: &str) -> Lever {
    Lever::Http { method: "PUT".into(), path: "/admin/flags/smart_cart".into(), json: json.into() }
}

fn serving(is: &str, within: u64) -> Probe {
    Probe { get: "/admin/state".into(), at: "$.flags.smart_cart.serving".into(), is: is.into(), within: secs(within) }
}

fn midnight(phases: Phases, robot: Vec<RobotStep>) -> DrillPlan {
    let ship = Technical {
        apply: put(r#"{"enabled":true,"rollout_pct":100,"push":true}"#),
        revert: Some(put(r#"{"enabled":false,"push":true}"#)),
        lease: secs(15),
        players_undo: true,
        proof: Proof::Probe(serving("true", 5)),
    };
    DrillPlan {
        name: "midnight_flag".into(),
        about: About::default(),
        system: System::Shop {
            data: ShopData::Realistic,
            in_flight: 150,
            flag_poll: (secs(5), secs(15)),
            database: None,
        },
        load: load(MIX),
        phases,
        objective: 0.999,
        budget_period: secs(30 * 86_400),
        robot,
        acts: vec![Act { name: "ship".into(), when: When::At(Duration::ZERO), hidden: true, does: ship }],
        mitigations: vec![Mitigation {
            name: "kill_flag".into(),
            label: "Kill feature flag smart_cart".into(),
            kind: MitigationKind::Correct,
            allowed: vec![Role::Ops, Role::Ic],
            does: Some(put(r#"{"enabled":false}"#)),
            verify: Some(serving("false", 30)),
        }],
        expectations: Vec::new(),
        hash: "h".into(),
    }
}

fn robot() -> Vec<RobotStep> {
    let step = |on, wait, does| RobotStep { on, wait: secs(wait), does };
    vec![
        step(Cue::Page, 3, RobotDeed::Ack),
        step(Cue::Page, 4, RobotDeed::Take(Role::Ic)),
        step(Cue::Page, 20, RobotDeed::Mitigate("kill_flag".into())),
        step(Cue::Clear, 5, RobotDeed::Claim("resolved".into())),
    ]
}

/// Holds the drill in `dir` on a runtime of its own; `meddle` sees every note with the stop words.
fn hold(plan: DrillPlan, dir: &std::path::Path, mut meddle: impl FnMut(&str, &Stop, &Stop) + 'static) -> Ended {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let clock = Clock::start();
        let (tell, pages) = mpsc::channel(16);
        let sandbox = Sandbox::start(&clock, tell).await.unwrap();
        let (stop, hurry) = (Stop::new(), Stop::new());
        let (words, ticks) = ((stop.clone(), hurry.clone()), clock.clone());
        let env = StageEnv {
            clock: clock.clone(),
            seed: Seed(1),
            stop,
            hurry,
            dir: dir.to_owned(),
            pages,
            pages_url: sandbox.url(),
            facts: RunFacts { command: "drill".into(), name: "midnight_flag".into(), ..RunFacts::default() },
            vouch: Arc::new(loopback_only),
            on_note: Box::new(move |note| {
                println!("{:8.3} {note}", ticks.now().secs_f64());
                meddle(note, &words.0, &words.1);
            }),
            on_second: Box::new(|second| {
                let (classes, lateness) = (second.classes(), second.total().lateness.value_at(0.99));
                let p95 = second.total().response.both().value_at(0.95);
                println!("    s{} n={} bad={} late={lateness:?} p95={p95:?}", second.second, classes.total(), classes.bad());
            }),
        };
        run(Arc::new(plan), env).await.unwrap()
    })
}

fn at(lines: &[Line], wanted: impl Fn(&Event) -> bool) -> Option<f64> {
    lines.iter().find(|line| wanted(&line.event)).map(|line| line.at().secs_f64())
}

#[test]
#[ignore = "a minute and a half of real traffic"]
fn the_midnight_flag_is_killed_and_the_shop_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let phases = Phases { baseline: secs(20), at_most: secs(120), recovery_hold: secs(15) };
    let ended = hold(midnight(phases, robot()), dir.path(), |_, _, _| {});
    let lines = journal::read(&dir.path().join("journal.jsonl")).unwrap().lines;
    for line in &lines {
        println!("{:8.3} {:?} {} {:?}", line.at().secs_f64(), line.source, line.actor, line.event);
    }
    let record = record::read(&dir.path().join("record.sqr")).unwrap();
    println!("{:?}", record.done);
    let phase = |name: &str| at(&lines, |event| *event == Event::Phase { name: name.into() }).unwrap();
    let page = at(&lines, |event| matches!(event, Event::Page { action, .. } if action == "trigger")).unwrap();
    println!("page delay {:.1} s after T+0", page - phase("exercise"));
    assert_eq!(ended, Ended { ending: Ending::Finished, unclean: vec![], unproved: vec![] });
}
