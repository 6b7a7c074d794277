//! The plan of arrivals: one text for every number of threads and shards, and nothing moves when something is added.

use std::f64::consts::PI;
use std::fs;
use std::sync::Arc;

use squall::base::seed::Seed;
use squall::load::listing::{Detail, text};
use squall::plan::check::{self, Files, ScenarioOptions};
use squall::plan::load::{LoadPlan, Pattern};

use super::support::program::Squall;

const MIX: &str = r#"(
  name: "mix",
  target: (base: "http://127.0.0.1:1"),
  load: [
    Open(name: "users", spacing: Poisson, mix: {"browse": 3, "buy": 1}, stay: (chance: "50%", at_most: 4), rate: [
      Ramp(to: "40/s", over: "5s"), Step(from: "10/s", by: "10/s", every: "2s", times: 3),
      Spike(base: "10/s", peak: "90/s", rise: "1s", for: "2s", fall: "1s"),
      Sine(mean: "20/s", swing: "20/s", period: "4s", for: "10s"),
      Curve([("0s", "20/s"), ("5s", "5/s"), ("5s", "0/s")]),
    ]),
    Open(name: "late", rate: [Hold(rate: "10/s", for: "3s")], drain: "1s", start: At("2s")),
    Open(name: "later", rate: [Hold(rate: "10/s", for: "3s")], start: After("late")),
    Closed(name: "office", users: [Ramp(to: 5, over: "5s"), Hold(users: 5, for: "5s"), Ramp(to: 0, over: "5s")],
      iterations: PerUser(9), cycle: "500ms", think: Empirical(["1s", "2s", "9s"]), mix: {"browse": 1}),
  ],
  vars: {"user": Int(1, 1000)/*more vars*/},
  journeys: {
    "browse": (think: LogNormal(median: "1s", p95: "3s"), steps: [Http(name: "home", url: "/"), Http(name: "user", url: "/u/${user}")/*more*/]),
    "buy": (steps: [Http(name: "cart", url: "/cart"), Pause(Uniform("1s", "2s")), Http(name: "order", url: "/order")]),
  },
)"#;

fn plan_of(text: &str) -> Arc<LoadPlan> {
    let mut files = Files::held([("mix.ron".to_owned(), text)]);
    let checked = check::scenario(&mut files, "mix.ron", &ScenarioOptions::default());
    Arc::new(checked.unwrap_or_else(|found| panic!("{}", found.0[0])).0)
}

#[test]
fn the_plan_is_the_same_text_for_every_number_of_shards() {
    let plan = plan_of(MIX);
    let whole = text(&plan, Seed(1), Detail::Full, 1).unwrap();
    assert!(whole.lines().count() > 400, "{}", whole.lines().count());
    for shards in [2, 3, 7, 16] {
        assert_eq!(text(&plan, Seed(1), Detail::Full, shards).unwrap(), whole, "{shards} shards");
    }
    assert_ne!(text(&plan, Seed(2), Detail::Full, 1).unwrap(), whole);
}

#[test]
fn the_plan_shows_who_takes_which_row() {
    let with = |pick: &str| {
        let data = format!(r#"data: {{"users": Csv(file: "users.csv", pick: {pick}, on_end: Recycle)}}, vars: {{"#);
        let text = MIX.replace("vars: {", &data).replace("/u/${user}", "/u/${users.id}");
        let rows = (0..50).map(|n| n.to_string()).collect::<Vec<_>>().join("\n");
        let mut files = Files::held([("mix.ron".to_owned(), text), ("users.csv".to_owned(), format!("id\n{rows}"))]);
        let checked = check::scenario(&mut files, "mix.ron", &ScenarioOptions::default());
        let plan = Arc::new(checked.unwrap_or_else(|found| panic!("{}", found.0[0])).0);
        let texts = [1, 2, 16].map(|shards| self::text(&plan, Seed(1), Detail::Full, shards).unwrap());
        assert!(texts.iter().all(|text| *text == texts[0]), "{pick}");
        let rows = |workload: &str| -> Vec<u32> {
            let of = texts[0].lines().filter(|line| line.split(' ').nth(1) == Some(workload));
            of.filter_map(|line| line.split(" users:").nth(1)?.split(' ').next()?.parse().ok()).collect()
        };
        (rows("users"), rows("office"))
    };
    let (open, closed) = with("Sequential");
    assert_eq!((&open[..3], open[50], closed.len()), (&[0, 1, 2][..], 0, 45));
    let (open, closed) = with("PerUser");
    assert_eq!((open[7], closed[2], closed[7]), (7, 2, 2));
    let (open, _) = with("Unique");
    assert_eq!(&open[..3], &[0, 4, 8]);
    let (open, _) = with("Random");
    assert!(open.iter().collect::<std::collections::BTreeSet<_>>().len() > 40);
}

#[test]
fn a_step_or_a_journey_more_changes_no_other_steps_draws() {
    let before = text(&plan_of(MIX), Seed(1), Detail::Full, 1).unwrap();
    let more = MIX.replace("/*more*/", r#", Http(name: "exit", url: "/bye")"#);
    let after = text(&plan_of(&more), Seed(1), Detail::Full, 1).unwrap();
    assert_ne!(before, after);
    // The new step comes last in its journey: what stood in a line before still begins it.
    let pairs: Vec<_> = before.lines().skip(1).zip(after.lines().skip(1)).collect();
    assert_eq!(before.lines().count(), after.lines().count());
    for (old, new) in pairs {
        assert!(new.starts_with(old), "{old}\n{new}");
    }
}

#[test]
fn rates_have_their_exact_areas() {
    let plan = plan_of(MIX);
    let Pattern::Open { curve, .. } = &plan.workloads[0].pattern else { panic!("open") };
    // 100 + (20 + 40 + 60) + (50 + 180 + 50) + 200 (two and a half periods: + swing * period / pi) + 62.5
    let want = 100.0 + 120.0 + 280.0 + 200.0 + 20.0 * 4.0 / PI + 62.5;
    assert!((curve.area() - want).abs() < 1e-6, "{} {want}", curve.area());
    assert_eq!(plan.workloads[2].start.as_secs(), 2 + 3 + 1);
}

#[test]
fn a_recorded_rate_is_played_from_its_table() {
    let Ok(corpus) = std::env::var("SQUALL_CORPUS") else {
        assert!(std::env::var("SQUALL_REQUIRE").as_deref() != Ok("all"), "needs SQUALL_CORPUS");
        println!("skipped: needs SQUALL_CORPUS");
        return;
    };
    let table = fs::read_to_string(format!("{corpus}/worldcup98_per_minute.csv")).expect("the corpus is there");
    let day: Vec<&str> = table.lines().take(1 + 24 * 60).collect();
    let requests: f64 = day[1..].iter().map(|row| row.split(',').nth(1).unwrap().parse::<f64>().unwrap()).sum();
    let mut files = Files::held([
        (
            "cup.ron".to_owned(),
            MIX.replace("Ramp(to: \"40/s\", over: \"5s\")", "Table(file: \"cup.csv\", speed: 60.0)"),
        ),
        ("cup.csv".to_owned(), day.join("\n")),
    ]);
    let (plan, _) = check::scenario(&mut files, "cup.ron", &ScenarioOptions::default())
        .unwrap_or_else(|found| panic!("{}", found.0[0]));
    let Pattern::Open { curve, .. } = &plan.workloads[0].pattern else { panic!("open") };
    // A row is requests in a minute; played sixty times as fast it is a second's.
    assert!((curve.area() - requests - 662.5 - 80.0 / PI).abs() < 1e-3, "{} {requests}", curve.area());
}

#[test]
fn check_prints_the_plan() {
    let check = |flag: &str| Squall::new().file("mix.ron", MIX).args(["check", flag, "mix.ron"]).run();
    let short = check("--plan").exits(0).stdout();
    assert!(short.contains("workload users open 788 arrivals"), "{short}");
    let full = check("--plan=full").exits(0).stdout();
    assert!(short.lines().count() < 90 && full.lines().count() > 700, "{}", full.lines().count());
}
