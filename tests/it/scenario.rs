//! The scenario language as its user meets it: chores around a load, one journey to look at.

use std::fs;

use regex::Regex;

use super::support::program::{Ran, Squall};
use super::support::quiet::alone;
use super::support::web::{Asked, Reply, Web};

fn ok(body: &str) -> Reply {
    (200, String::new(), body.to_owned())
}

/// A scenario of one journey towards `web`; `more` are its further fields.
fn scenario(web: &Web, load: &str, more: &str) -> String {
    format!(
        r#"(name: "trial", target: (base: "{}"), load: [{load}], {more} journeys: {{"visit": (steps: [Http(name: "page", url: "/page/${{id}}")])}},
        setup: [Http(name: "make", method: "POST", url: "/make", extract: {{"id": Json(path: "$.id")}})],
        teardown: [Http(name: "remove", method: "DELETE", url: "/remove/${{id}}")])"#,
        web.url()
    )
}

const SHORT: &str = r#"Open(rate: [Hold(rate: "20/s", for: "1s")])"#;

fn run(text: &str, flags: &[&str]) -> Ran {
    Squall::new().file("trial.ron", text).args(["run", "trial.ron"]).args(flags).run()
}

#[test]
fn setup_comes_before_the_load_and_teardown_behind_it() {
    let _lock = alone();
    let web = Web::start(|asked: &Asked| ok(if asked.path == "/make" { r#"{"id": "m7"}"# } else { "x" }));
    let ran = run(&scenario(&web, SHORT, r#"checks: ["min < 30s"],"#), &[]);
    assert_eq!(ran.json("result.json")["totals"]["sent"], 20);
    let paths: Vec<String> = web.asked().into_iter().map(|asked| format!("{} {}", asked.method, asked.path)).collect();
    assert_eq!((paths.len(), paths[0].as_str(), paths[21].as_str()), (22, "POST /make", "DELETE /remove/m7"));
    assert_eq!(web.count("/page/m7"), 20);
}

#[test]
fn a_failed_setup_exits_3_with_its_step_and_reason_and_leaves_no_report() {
    let web = Web::start(|_| (507, String::new(), "full".to_owned()));
    let ran = run(&scenario(&web, SHORT, ""), &[]).exits(3).says("step `make`: status_507");
    assert!(!ran.folder().join("reports").exists());
    assert_eq!((web.count("/page"), web.count("/remove")), (0, 0));
}

#[test]
fn teardown_is_done_after_ctrl_c_too() {
    let _lock = alone();
    let web = Web::start(|asked: &Asked| ok(if asked.path == "/make" { r#"{"id": "m7"}"# } else { "x" }));
    let long = r#"Open(rate: [Hold(rate: "50/s", for: "10m")])"#;
    let running = Squall::new().file("trial.ron", &scenario(&web, long, "")).args(["run", "trial.ron"]).start();
    while web.count("/page") < 20 {
        std::thread::yield_now();
    }
    running.signal(rustix::process::Signal::INT);
    drop(running.ends().exits(130));
    assert_eq!(web.count("/remove/m7"), 1);
}

#[test]
fn one_journey_is_printed_request_by_request_without_secrets() {
    let web = Web::start(|asked: &Asked| match asked.path.as_str() {
        "/make" => ok(r#"{"id": "m7"}"#),
        _ => (404, "set-cookie: sid=c00kie\r\n".to_owned(), "canary-11 is no page".to_owned()),
    });
    let more = r#"secrets: {"key": Env("TRIAL_KEY")}, client: (auth: Bearer("${secret.key}")),"#;
    let text = scenario(&web, SHORT, more);
    let look = |flags: &[&str]| {
        let squall = Squall::new().file("trial.ron", &text).env("TRIAL_KEY", "canary-11");
        squall.args(["run", "trial.ron", "--once"]).args(flags).run()
    };
    let ran = look(&["visit"]).exits(1).says("failed at step `page`: status_404");
    let (told, folder) = (ran.stdout(), ran.folder().join("reports"));
    assert!(told.contains("/page/m7") && told.contains("*** is no page") && told.contains("set-cookie: ***"), "{told}");
    assert!(!told.contains("canary-11") && !told.contains("c00kie") && !folder.exists(), "{told}");
    let told: serde_json::Value = serde_json::from_str(&look(&["visit", "--json"]).exits(1).stdout()).unwrap();
    assert_eq!(told["steps"][0]["answer"]["status"], 404, "{told:#}");
    look(&["visti"]).exits(2).says("did you mean `visit`?");
}

#[test]
fn an_absent_secret_is_a_warning_to_check_and_ends_a_run() {
    let web = Web::start(|_| ok("x"));
    let text = scenario(
        &web,
        SHORT,
        r#"secrets: {"key": Env("TRIAL_NO_SUCH_KEY")}, client: (auth: Bearer("${secret.key}")),"#,
    );
    let checked = Squall::new().file("trial.ron", &text).args(["check", "trial.ron"]).run().exits(0);
    checked.says("warning[missing_secret]").says("TRIAL_NO_SUCH_KEY");
    run(&text, &[]).exits(2).says("TRIAL_NO_SUCH_KEY");
    assert!(web.asked().is_empty());
}

#[test]
fn a_source_that_is_not_ours_and_a_socket_that_is_not_there_exit_3() {
    let web = Web::start(|_| ok("x"));
    let text = |more: &str| {
        format!(
            r#"(name: "trial", target: (base: "{}", {more}), load: [{SHORT}], journeys: {{"a": (steps: [Http(name: "a", url: "/")])}})"#,
            web.url()
        )
    };
    run(&text(r#"source: ["198.51.100.7"]"#), &[]).exits(3).says("198.51.100.7").says("127.0.0.1");
    run(&text(r#"unix: "no.sock""#), &[]).exits(3).says("no.sock");
    assert!(web.asked().is_empty());
}

/// A server that has all that the catalogue asks for.
fn everything(asked: &Asked) -> Reply {
    let page = r#"<form><input name="csrf" value="c5"></form><span class="price">3</span><span class="price">4</span>"#;
    match asked.path.as_str() {
        "/api/login" => ok(r#"{"token": "t1"}"#),
        "/shop" => (200, "set-cookie: visit=v1\r\n".to_owned(), page.to_owned()),
        _ => ok(r#"{"id": "7", "owner_tag": "own-1", "items": [{"id": 1}, {"id": 2}]}"#),
    }
}

/// The same load in small: every stretch and pause a moment.
fn in_small(text: &str, url: &str) -> String {
    let mut text = text.replace("http://127.0.0.1:8080", url);
    for (long, short) in [
        (r#"(for|over): "[0-9]+s""#, r#"$1: "1s""#),
        (r#"(median|p95|cycle|warmup): "[0-9]+s""#, r#"$1: "2ms""#),
        (r#"Uniform\("[0-9]+s", "[0-9]+s"\)"#, r#"Uniform("1ms", "3ms")"#),
        (r"checks: \[[^\]]*\]", r#"checks: ["min < 30s"]"#),
    ] {
        text = Regex::new(long).unwrap().replace_all(&text, short).into_owned();
    }
    text.replace(r#"median: "2ms", p95: "2ms""#, r#"median: "2ms", p95: "9ms""#)
        .replace(r#"leaves_after: LogNormal(median: "2ms", p95: "9ms")"#, r#"leaves_after: Fixed("9s")"#)
}

#[test]
fn every_scenario_of_the_catalogue_is_right_and_runs() {
    let _lock = alone();
    let mut count = 0;
    for entry in fs::read_dir("scenarios").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.starts_with(|c: char| c.is_ascii_digit()) || path.extension().is_none_or(|kind| kind != "ron") {
            continue;
        }
        count += 1;
        let text = fs::read_to_string(&path).unwrap();
        let users = fs::read_to_string("scenarios/data/users.csv").unwrap();
        let squall = |text: &str| {
            let text = text.replace("data/users.csv", "users.csv");
            Squall::new().file(&name, &text).file("users.csv", &users).env("SHOP_PASSWORD", "p4ss")
        };
        let checked = squall(&text).args(["check", "--json", &name]).run().exits(0).stdout();
        assert!(!checked.contains("warning"), "{name}: {checked}");
        let web = Web::start(everything);
        let ran = squall(&in_small(&text, &web.url())).args(["run", &name]).run();
        let result = ran.json("result.json");
        assert_eq!(result["totals"]["failed"], 0, "{name}: {:#}", result["errors"]);
        assert!(result["totals"]["done"].as_u64().unwrap() >= 5, "{name}: {:#}", result["totals"]);
        let completed = result["journeys"].as_object().unwrap().values().map(|one| one["completed"].as_u64().unwrap());
        assert!(completed.sum::<u64>() > 0, "{name}: {:#}", result["journeys"]);
    }
    assert_eq!(count, 6);
}

/// A certificate and its key, as PEM.
fn certificate() -> (String, String) {
    let signed = rcgen::generate_simple_self_signed(vec!["shop.staging.example".to_owned()]).unwrap();
    (signed.cert.pem(), signed.signing_key.serialize_pem())
}

/// A sale on a shop, with almost every word of the language.
const SALE: &str = include_str!("sale.ron");

/// Fields that may be left out without another that needs them.
const ALONE: [&str; 12] = [
    "http: Auto,",
    "max_rate: \"20000/s\",",
    "redirects: 3,",
    "spacing: Poisson,",
    "max_in_flight: 4000,",
    "warmup: \"30s\",",
    "parallel: 6,",
    "labels: [\"x-backend\"],",
    "start: At(\"30s\"),",
    "renew_before: \"30s\",",
    ", renew_on: \"401\"",
    "at_most: 20",
];

#[test]
fn the_great_example_is_accepted_whole_and_without_each_field() {
    let check = |text: &str| {
        let squall = Squall::new().file("sale.ron", text).file("users.csv", "email,tag\na@b,own-1\n");
        let vouchers = (0..240_000).map(|n| format!("v{n}")).collect::<Vec<_>>().join("\n");
        let (ca, me) = (certificate(), certificate());
        let squall = squall.file("ca.pem", &ca.0).file("me.pem", &me.0).file("me.key", &me.1);
        let squall = squall.file("vouchers.csv", &format!("code\n{vouchers}")).file("password", "p");
        let squall = squall.file("squall.targets.ron", r#"(allow: [(host: "*.staging.example", ports: [443], max_rate: "20000/s", owner: "team-shop", until: "2036-03-31")])"#);
        squall.env("SHOP_API_KEY", "k").args(["check", "sale.ron"]).run().exits(0)
    };
    assert!(check(SALE).stdout().contains("sale.ron: "), "a sentence about it");
    for field in ALONE {
        assert!(SALE.contains(field), "{field}");
        check(&SALE.replace(field, ""));
    }
}
