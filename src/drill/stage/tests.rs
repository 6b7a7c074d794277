//! The stage with the real rooms: embedded shop, faults, load, pages.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::base::secret::Secret;
use crate::base::stop::StopReason;
use crate::console::sandbox::events_v2::Sandbox;
use crate::drill::lever::http::{Ask, Endpoint, loopback_only};
use crate::judge::account::{self, Planned};
use crate::judge::conclusion;
use crate::measure::journal::{self, Line};
use crate::measure::record;
use crate::plan::check::{self, DrillOptions, Files};
use crate::plan::drill::{Lever, Phases, System};
use crate::staging::settings::Settings;
use crate::staging::shop::Shop;
use crate::staging::store::embedded::Embedded;

/// Where the shop agrees.
const HANDSHAKE: &str = "/.well-known/squall-target";

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn put(json: &str) -> Lever {
    Lever::http("PUT", "/admin/flags/smart_cart", json)
}

/// The shipped drill as it is written, unattended.
fn shipped() -> DrillPlan {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/midnight_flag.ron");
    let checked = check::drill(&mut Files::disk(), path, &DrillOptions::default());
    checked.unwrap_or_else(|wrong| panic!("{}", wrong.0.iter().map(ToString::to_string).collect::<String>())).0
}

/// The shipped drill with other phases.
fn midnight(phases: Phases) -> DrillPlan {
    DrillPlan { phases, ..shipped() }
}

/// What a test does when it reads a note: the words that stop and hurry are at hand.
type Meddle = Box<dyn FnMut(&str, &Stop, &Stop)>;

fn watch_only() -> Meddle {
    Box::new(|_, _, _| {})
}

/// Asks for the end when a note begins with `cue`.
fn stop_at(cue: &'static str, reason: StopReason) -> Meddle {
    Box::new(move |note, stop, _| {
        if note.starts_with(cue) {
            stop.request(reason.clone());
        }
    })
}

fn hold(plan: DrillPlan, dir: &Path, meddle: Meddle) -> Ended {
    try_hold(plan, dir, meddle).unwrap()
}

/// Holds the drill in `dir` on a runtime of its own.
fn try_hold(plan: DrillPlan, dir: &Path, mut meddle: Meddle) -> Result<Ended, DrillError> {
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
            keeper: None,
            on_note: Box::new(move |note| {
                println!("{:8.3} {note}", ticks.now().secs_f64());
                meddle(note, &words.0, &words.1);
            }),
            on_second: Box::new(|second| {
                let (classes, lateness) = (second.classes(), second.total().lateness.value_at(0.99));
                let p95 = second.total().response.both().value_at(0.95);
                println!(
                    "    s{} n={} bad={} late={lateness:?} p95={p95:?}",
                    second.second,
                    classes.total(),
                    classes.bad()
                );
            }),
        };
        run(Arc::new(plan), env).await
    })
}

fn at(lines: &[Line], wanted: impl Fn(&Event) -> bool) -> Option<f64> {
    lines.iter().find(|line| wanted(&line.event)).map(|line| line.at().secs_f64())
}

#[test]
#[ignore = "two minutes of real traffic"]
fn the_midnight_flag_is_killed_and_the_shop_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let plan = shipped();
    let ended = hold(plan.clone(), dir.path(), watch_only());
    let lines = journal::read(&dir.path().join("journal.jsonl")).unwrap().lines;
    for line in &lines {
        println!("{:8.3} {:?} {} {:?}", line.at().secs_f64(), line.source, line.actor, line.event);
    }
    let record = record::read(&dir.path().join("record.sqr")).unwrap();
    println!("{:?}", record.done);
    let phase = |name: &str| at(&lines, |event| *event == Event::Phase { name: name.into() }).unwrap();
    let page = at(&lines, |event| matches!(event, Event::Page { action, .. } if action == "trigger")).unwrap();
    println!("page delay {:.1} s after T+0", page - phase("exercise"));
    let account = account::of(Planned::Drill(&plan), &lines, record);
    println!("{:#?}", account.drill.as_ref().map(|drill| &drill.timeline));
    for finding in &account.findings {
        println!("{:?} {} | {} | {}", finding.verdict, finding.subject, finding.expected, finding.observed);
    }
    println!("{:?}", conclusion::of(&account));
    assert_eq!(ended, Ended { ending: Ending::Finished, unclean: vec![], unproved: vec![] });
}

fn short() -> Phases {
    Phases { baseline: secs(2), at_most: secs(20), recovery_hold: secs(10), time_factor: 0.1 }
}

fn lines(dir: &Path) -> Vec<Line> {
    journal::read(&dir.join("journal.jsonl")).unwrap().lines
}

/// The journal ends as the drill did, and nothing was done to the system.
fn untouched(dir: &Path) -> String {
    let lines = lines(dir);
    assert!(matches!(lines[0].event, Event::Run(_)));
    assert!(!lines.iter().any(|line| matches!(line.event, Event::Intent { .. })), "{lines:#?}");
    let Some(Event::End { reason }) = lines.last().map(|line| line.event.clone()) else { panic!("{lines:#?}") };
    reason
}

#[test]
fn a_stop_while_the_system_starts_ends_it_again() {
    let dir = tempfile::tempdir().unwrap();
    let ended = hold(midnight(short()), dir.path(), stop_at("starting", StopReason::Interrupted));
    assert_eq!((ended.exit_code(), untouched(dir.path())), (130, "interrupted".to_owned()));
}

#[test]
fn a_stop_in_the_baseline_writes_what_there_was() {
    let dir = tempfile::tempdir().unwrap();
    let ended = hold(midnight(short()), dir.path(), stop_at("phase: steady", StopReason::Terminated));
    assert_eq!((ended.exit_code(), untouched(dir.path())), (143, "terminated".to_owned()));
    assert!(record::read(&dir.path().join("record.sqr")).unwrap().done.is_some(), "the record is closed");
    assert!(std::fs::read_to_string(dir.path().join("staging.jsonl")).unwrap().contains(r#""event":"closed""#));
}

#[test]
fn an_unsteady_baseline_touches_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let ended = hold(midnight(short()), dir.path(), watch_only());
    assert_eq!(ended.exit_code(), 4, "two seconds are too short to judge: {ended:?}");
    assert!(untouched(dir.path()).starts_with("unsteady: "));
}

#[test]
fn a_file_called_abort_ends_the_drill() {
    let dir = tempfile::tempdir().unwrap();
    let phases = Phases { baseline: secs(60), ..short() };
    let file = dir.path().join("abort");
    let touch = move |note: &str, _: &Stop, _: &Stop| {
        if note.starts_with("phase: steady") {
            std::fs::write(&file, "").unwrap();
        }
    };
    let ended = hold(midnight(phases), dir.path(), Box::new(touch));
    assert_eq!(ended.exit_code(), 6);
    assert!(untouched(dir.path()).contains("`abort`"));
}

/// A shop of somebody else, whose admin token lies in a variable that every environment has.
fn remote(flag: &str, hold: impl FnOnce(System)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (clock, token) = (Clock::start(), Secret::new(std::env::var("PATH").unwrap()));
    let database = Embedded::start().unwrap();
    let shop = runtime.block_on(Shop::start(Settings::new(clock.clone(), database.url(), token.clone()))).unwrap();
    let admin = Endpoint::new(shop.admin(), Some(token), &clock);
    runtime.block_on(admin.send(&Ask::new("PUT", "/admin/flags/smart_cart", flag))).unwrap();
    hold(System::Remote {
        base: format!("http://{}", shop.gateway()),
        admin: format!("http://{}", shop.admin()),
        token_env: "PATH".into(),
        handshake: HANDSHAKE.into(),
        proxies: Vec::new(),
    });
    runtime.block_on(shop.stop());
}

#[test]
fn a_system_of_somebody_else_is_used_as_it_is() {
    remote(r#"{"enabled":false}"#, |system| {
        let dir = tempfile::tempdir().unwrap();
        let ended = hold(DrillPlan { system, ..midnight(short()) }, dir.path(), watch_only());
        assert_eq!(ended.exit_code(), 4);
        let record = record::read(&dir.path().join("record.sqr")).unwrap();
        assert!(record.seconds.iter().map(|second| second.classes().total()).sum::<u64>() > 100, "it had traffic");
    });
}

#[test]
fn what_an_earlier_drill_left_in_force_is_not_built_upon() {
    remote(r#"{"enabled":true,"push":true}"#, |system| {
        let dir = tempfile::tempdir().unwrap();
        let plan = DrillPlan { system, ..midnight(short()) };
        let error = try_hold(plan, dir.path(), watch_only()).unwrap_err();
        assert!(matches!(&error, DrillError::InForce { act, .. } if act == "ship"), "{error}");
        assert_eq!(error.exit_code(), 7);
        assert!(untouched(dir.path()).contains("squall recover"));
    });
}

#[test]
fn a_system_off_loopback_is_not_even_asked() {
    let dir = tempfile::tempdir().unwrap();
    let far = |host: &str| format!("http://{host}:80");
    let (handshake, proxies) = (HANDSHAKE.to_owned(), Vec::new());
    let (base, admin) = (far("10.0.0.7"), far("10.0.0.7"));
    let system = System::Remote { base, admin, token_env: String::new(), handshake, proxies };
    let error = try_hold(DrillPlan { system, ..midnight(short()) }, dir.path(), watch_only()).unwrap_err();
    assert!(error.to_string().contains("not on loopback"), "{error}");
    untouched(dir.path());
}

#[test]
#[ignore = "half a minute of real traffic"]
fn an_interrupt_while_users_suffer_heals_within_two_seconds() {
    let dir = tempfile::tempdir().unwrap();
    let phases = Phases { baseline: secs(20), ..short() };
    let ended = hold(midnight(phases), dir.path(), stop_at("page: trigger", StopReason::Interrupted));
    assert_eq!((ended.exit_code(), ended.unclean.len()), (130, 0), "{ended:?}");
    let lines = lines(dir.path());
    let begun = at(&lines, |event| *event == Event::Phase { name: "aborting".into() }).unwrap();
    let healed = at(&lines, |event| matches!(event, Event::Verified { .. })).unwrap();
    let end = at(&lines, |event| matches!(event, Event::End { .. })).unwrap();
    println!("healed after {:.3} s, ended after {:.3} s", healed - begun, end - begun);
    assert!(healed - begun < 2.0);
}

#[test]
#[ignore = "a minute of real traffic"]
fn an_act_that_touches_nothing_proves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let phases = Phases { baseline: secs(20), at_most: secs(12), recovery_hold: secs(10), time_factor: 0.1 };
    let mut plan = DrillPlan { robot: Vec::new(), ..midnight(phases) };
    plan.acts[0].does.apply = put(r#"{"enabled":true,"rollout_pct":0,"push":true}"#);
    let ended = hold(plan, dir.path(), watch_only());
    assert_eq!((ended.exit_code(), ended.unproved), (4, vec!["ship".to_owned()]));
}
