//! A whole scenario, from its text to its plan.

use super::*;
use crate::plan::program::Op;
use crate::plan::template::{Piece, Template};

const MIX: &str = r##"( // a small shop
  name: "mix",
  target: (base: "http://127.0.0.1:8080", hosts: {"api": "http://127.0.0.1:8081"}),
  client: (
    connections: Shared(max: 20),
    timeouts: (connect: "1s", total: "5s"),
    headers: {"authorization": "Bearer ${tenant}.${user}"},
  ),
  load: [
    Open(name: "users", rate: [Ramp(to: "10/s", over: "2s"), Hold(rate: "10/s", for: "10s")], spacing: Poisson,
      mix: {"browse": 3, "buy": 1}),
    Closed(name: "office", users: [Hold(users: 3, for: "5s")], mix: {"browse": 1}, think: Uniform("1s", "2s"), start: At("1s")),
  ],
  vars: {"user": Int(1, 200), "tenant": Choice([("t1", 1), ("t2", 1)]), "key": Uuid, "n": Counter(start: 5), "sku": Int(1, 9)},
  journeys: {
    "browse": (think: LogNormal(median: "1s", p95: "3s"), steps: [Http(name: "home", url: "/"), Pause(Fixed("100ms")),
      Http(url: "/p/${sku}", query: {"q": "red ${tenant}"})]),
    "buy": (steps: [
      Http(name: "cart", method: "POST", url: "api:/v1/cart", body: Json(r#"{"sku": ${sku}}"#),
        extract: {"token": Json(path: "$.token", or: "none"), "etag": Header(name: "ETag")}, check: [Json(path: "$.n", is: AtLeast(1))]),
      Check([Body(Contains("ok"))]),
      Http(name: "order", method: "POST", url: "api:/v1/orders/${token}", body: Form({"k": "${key}"}), check: [Status("201")]),
    ]),
  },
  checks: ["p99{step=c*} < 800ms", "errors{journey=buy} < 0.5%, over 10s", "achieved >= 98%"],
)"##;

fn check(text: &str) -> Checked<LoadPlan> {
    let mut files = Files::held([("mix.ron".to_owned(), text)]);
    scenario(&mut files, "mix.ron", &ScenarioOptions::default())
}

fn mistakes(text: &str) -> String {
    match check(text) {
        Ok(_) => String::new(),
        Err(found) => found.0.iter().map(ToString::to_string).collect(),
    }
}

fn shown(template: &Template) -> String {
    let pieces = template.pieces.iter().map(|piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Var(variable, escape) => format!("${{{}:{escape:?}}}", variable.0),
    });
    pieces.collect()
}

#[test]
fn a_scenario_becomes_a_plan() {
    let (plan, warnings) = check(MIX).unwrap_or_else(|found| {
        panic!("{}", found.0.iter().map(ToString::to_string).collect::<String>());
    });
    assert!(warnings.0.is_empty());
    assert_eq!(plan.steps, ["home", "GET /p/${sku}", "cart", "order"]);
    let ids: Vec<_> = plan.checks.iter().map(|check| check.id.as_str()).collect();
    let want = ["squall.answered", "p99{step=cart} < 800ms", "errors{journey=buy} < 0.5%, over 10s", "achieved >= 98%"];
    assert_eq!(ids, want);
    assert_eq!(plan.checks[2].scope.steps.len(), 2);
    assert!((plan.peak_rate() - 10.0).abs() < 1e-9);
    assert_eq!(plan.labels.as_slice(), ["status", "token", "etag", "json $.n", "body"]);
    let Op::Http(search) = &plan.journeys[0].steps[2] else { panic!("a request") };
    assert_eq!(shown(&search.path), "/p/${4:Percent}?q=red%20${1:Percent}");
    let Op::Http(cart) = &plan.journeys[1].steps[0] else { panic!("a request") };
    assert_eq!((cart.origin, shown(&cart.path)), (1, "/v1/cart".to_owned()));
    assert_eq!(cart.body.as_ref().map(shown).unwrap(), "{\"sku\": ${4:Json}}");
    assert_eq!(cart.headers, [("content-type".to_owned(), Template::fixed("application/json"))]);
    let Op::Http(order) = &plan.journeys[1].steps[2] else { panic!("a request") };
    assert_eq!(shown(&order.path), "/v1/orders/${5:Percent}");
    assert_eq!(order.body.as_ref().map(shown).unwrap(), "k=${2:Percent}");
    assert_eq!(shown(&plan.client.headers[0].1), "Bearer ${1:Plain}.${0:Plain}");
}

#[test]
fn the_hash_knows_the_seed_and_the_plan_but_not_the_address() {
    let hash = |text: &str, seed| {
        let mut files = Files::held([("mix.ron".to_owned(), text)]);
        scenario(&mut files, "mix.ron", &ScenarioOptions { seed: Seed(seed) }).unwrap().0.hash
    };
    assert_eq!(hash(MIX, 1), hash(&MIX.replace("127.0.0.1:8080", "127.0.0.1:9999"), 1));
    assert_eq!(hash(MIX, 1), hash(&MIX.replace("( // a small shop", "(\n\n"), 1));
    assert_ne!(hash(MIX, 1), hash(MIX, 2));
    assert_ne!(hash(MIX, 1), hash(&MIX.replace("0.5%", "0.6%"), 1));
    assert_ne!(hash(MIX, 1), hash(&MIX.replace("Int(1, 200)", "Int(1, 201)"), 1));
}

#[test]
fn a_file_is_known_by_its_first_words() {
    for (text, kind) in [
        ("// one\nDrill(\n version: 1)", FileKind::Drill),
        ("( // one: two\n  allow: [])", FileKind::Targets),
        ("(name: \"x\")", FileKind::Scenario),
        ("(acts: [])", FileKind::Drill),
        ("{\"seq\":0}", FileKind::Journal),
        ("", FileKind::Scenario),
    ] {
        assert_eq!(kind_of(text), kind, "{text}");
    }
}

#[test]
fn mistakes_of_different_parts_are_all_reported_at_once() {
    let broken = MIX
        .replace("\"10/s\", for", "\"10\", for")
        .replace("\"buy\": 1}", "\"bye\": 1}")
        .replace("Bearer ${tenant}", "Bearer ${tenat}")
        .replace("Json(path: \"$.n\"", "Json(pth: \"$.n\"")
        .replace("step=c*", "step=chart");
    let found = mistakes(&broken);
    for id in ["missing_unit", "unknown_name", "unknown_variable", "unknown_field", "bad_check"] {
        assert!(found.contains(&format!("error[{id}]")), "{id} is missing in\n{found}");
    }
}

#[test]
fn globs_make_one_check_for_each_match_and_negation_pools() {
    let text = MIX.replace(
        "\"p99{step=c*} < 800ms\"",
        "\"p99{step=*o*e*, phase=steady} < 1s, as 'tail'\", \"mean{step!=c*, outcome=ok} < 1s\", \"p95{journey=*} < 1s\"",
    );
    let plan = check(&text).map_err(|found| found.0).unwrap().0;
    let ids: Vec<_> = plan.checks.iter().map(|check| (check.id.as_str(), check.scope.steps.len())).collect();
    let want = [
        ("squall.answered", 0),
        ("tail[home]", 1),
        ("tail[order]", 1),
        ("mean{step!=c*, outcome=ok} < 1s", 3),
        ("p95{journey=browse} < 1s", 2),
        ("p95{journey=buy} < 1s", 2),
        ("errors{journey=buy} < 0.5%, over 10s", 2),
        ("achieved >= 98%", 0),
    ];
    assert_eq!(ids, want);
    assert_eq!(plan.checks[1].scope.phases, ["steady"]);
}

#[test]
fn series_beyond_the_most_are_folded_into_one_and_said_so() {
    let steps = ["s0", "s1", "s2", "s3", "s4"].map(|name| format!("Http(name: {name:?}, url: \"/\")")).join(", ");
    let text = |most: &str| {
        format!(
            r#"(name: "many", target: (base: "http://127.0.0.1:1"), load: [Open(rate: [Hold(rate: "1/s", for: "9s")])], {most}
               journeys: {{"a": (steps: [{steps}])}})"#
        )
    };
    let (plan, warnings) = check(&text("max_series: 3,")).unwrap();
    assert_eq!(plan.steps, ["s0", "s1", "other"]);
    assert_eq!((warnings.0[0].id, warnings.0[0].severity), ("max_series", Severity::Warning));
    assert!(warnings.0[0].message.contains("3 of 5 steps"), "{}", warnings.0[0].message);
    assert_eq!(plan.notes(), [("series".to_owned(), "3 steps are counted together as `other`".to_owned())]);
    let (plan, warnings) = check(&text("")).unwrap();
    assert_eq!((plan.steps.len(), warnings.0.len(), plan.notes().len()), (5, 0, 0));
}

#[test]
fn a_load_lasts_no_longer_than_the_target_allows() {
    let text = |most: &str, length: &str| {
        format!(
            r#"(name: "long", target: (base: "http://127.0.0.1:1"{most}), load: [Open(rate: [Hold(rate: "1/s", for: "{length}")])],
               journeys: {{"a": (steps: [Http(name: "s", url: "/")])}})"#
        )
    };
    assert!(check(&text("", "2h")).is_ok());
    assert!(mistakes(&text("", "3h")).contains("the load lasts 3h, above max_run 2h"));
    assert!(check(&text(r#", max_run: "24h""#, "3h")).is_ok());
    assert!(mistakes(&text(r#", max_run: "1m""#, "61s")).contains("above max_run 1m"));
}
