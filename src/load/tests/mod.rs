//! The engine against a scripted server on loopback: counts are exact, whatever the machine is doing meanwhile.

mod bodies;
mod chores;
mod crowds;
mod failures;
mod hosted;
mod journeys;
mod ledger;
mod paths;
mod server;
mod staged;
mod tries;
mod users;
mod wires;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Env, LoadError, Running, preflight, start};
use crate::base::clock::Clock;
use crate::base::rate::Rate;
use crate::base::seed::Seed;
use crate::base::shard::Shard;
use crate::base::stop::{Stop, StopReason};
use crate::measure::interval::{Cell, Interval, Travel};
use crate::measure::outcome::Class;
use crate::measure::record::{Done, Head, Record, RecordWriter, read};
use crate::measure::sample::StepId;
use crate::plan::check::{self, Files, ScenarioOptions};
use crate::plan::chores::Chores;
use crate::plan::curve::{Curve, Ramp};
use crate::plan::deck::Deck;
use crate::plan::gate::Gate;
use crate::plan::good::{Good, StatusSet};
use crate::plan::load::{Client, Connections, LoadPlan, Origin, Pattern, Rounds, Spacing, Workload};
use crate::plan::program::{Check, Http, Journey, OnFailure, Op, Think, What};
use crate::plan::staff::Staff;
use crate::plan::template::Template;
use crate::plan::values::Values;
use server::{Answer, Server};

/// A GET of `path` recorded as step `step`, with the check that every scenario has unless it says otherwise.
fn get(step: u16, path: &str) -> Http {
    let set = StatusSet::parse("2xx,3xx").unwrap();
    Http {
        step: StepId(step),
        method: "GET".to_owned(),
        origin: 0,
        path: Template::fixed(path),
        headers: Vec::new(),
        body: None,
        labels: Vec::new(),
        client: None,
        extract: Vec::new(),
        check: vec![Check { label: 0, what: What::Status(set) }],
        truth: Vec::new(),
    }
}

fn journey(steps: Vec<Op>) -> Journey {
    Journey {
        name: "visit".to_owned(),
        steps,
        think: Think::Off,
        on_failure: OnFailure::EndJourney,
        owner: None,
        client: None,
        misbehave: Vec::new(),
    }
}

fn http(http: Http) -> Op {
    Op::Http(Box::new(http))
}

fn open(rate: f64, millis: u64) -> Pattern {
    Pattern::Open {
        curve: Curve::new([Ramp { from: rate, to: rate, over: Duration::from_millis(millis) }]),
        spacing: Spacing::Even,
        arrivals: None,
        max_in_flight: 10_000,
        stay: None,
    }
}

fn closed(users: u32, millis: u64, think: Think, rounds: Rounds) -> Pattern {
    let hold = Duration::from_millis(millis);
    Pattern::Closed { users, hold, think, staff: Staff::constant(users, hold), rounds }
}

fn plan(server: &Server, pattern: Pattern, steps: Vec<Op>) -> LoadPlan {
    let journey = journey(steps);
    let steps = journey.steps.iter().filter(|op| matches!(op, Op::Http(_))).count();
    LoadPlan {
        name: "trial".to_owned(),
        origins: vec![Origin::clear("127.0.0.1", server.port(), vec![server.address()])],
        client: Client { body_limit: 1 << 20, ..Client::default() },
        workloads: vec![Workload {
            name: "crowd".to_owned(),
            pattern,
            mix: Deck::new("crowd", &[1]).unwrap(),
            start: Duration::ZERO,
            warmup: Duration::ZERO,
            drain: Duration::from_secs(20),
            client: None,
        }],
        journeys: vec![journey],
        steps: (0..steps).map(|n| format!("step {n}")).collect(),
        labels: Arc::new(vec!["status".to_owned(), "first".to_owned(), "second".to_owned()]),
        values: Values { count: 4, ..Values::default() },
        chores: Chores::default(),
        good: Good::default(),
        checks: Vec::new(),
        gate: Gate::default(),
        hash: String::new(),
    }
}

/// The plan of a scenario as an author writes it, towards `server`: `parts` are everything but name and target.
fn written(server: &Server, parts: &str) -> LoadPlan {
    let text = format!("(name: \"trial\", target: (base: \"http://127.0.0.1:{}\"), {parts})", server.port());
    checked(&mut Files::held([("trial.ron".to_owned(), text)]), "trial.ron", server)
}

/// The same, of a file beside others on the disk.
fn written_at(server: &Server, path: &Path, parts: &str) -> LoadPlan {
    let text = format!("(name: \"trial\", target: (base: \"http://127.0.0.1:{}\"), {parts})", server.port());
    std::fs::write(path, text).unwrap();
    checked(&mut Files::disk(), path.to_str().unwrap(), server)
}

fn checked(files: &mut Files, path: &str, server: &Server) -> LoadPlan {
    match check::scenario(files, path, &ScenarioOptions::default()) {
        Ok((mut plan, _)) => {
            plan.origins.iter_mut().for_each(|origin| origin.pinned = vec![server.address()]);
            plan
        }
        Err(found) => panic!("{}", found.0.iter().map(ToString::to_string).collect::<String>()),
    }
}

/// What a run came to, every way it can be seen.
struct Seen {
    done: Done,
    record: Record,
    live: Vec<Interval>,
    /// All seconds of the record in one.
    all: Interval,
}

impl Seen {
    fn travel(&self) -> Travel {
        self.all.travel()
    }

    fn errors(&self, kind: &str) -> u64 {
        self.all.total().errors.get(kind).copied().unwrap_or(0)
    }

    fn step(&self, step: u16) -> Cell {
        self.all.steps.get(&StepId(step)).cloned().unwrap_or_default()
    }
}

/// Runs `plan` to its end; `meanwhile` may stop it.
fn run_while(plan: LoadPlan, threads: usize, meanwhile: impl FnOnce(&Stop, &Running)) -> Seen {
    run_in(tempfile::tempdir().unwrap().path(), plan, threads, meanwhile)
}

/// As [`run_while`], with everything it writes in `folder`.
fn run_in(folder: &Path, plan: LoadPlan, threads: usize, meanwhile: impl FnOnce(&Stop, &Running)) -> Seen {
    let path = folder.join("record.sqr");
    let clock = Clock::start();
    let stop = Stop::new();
    let env = Env {
        start_at: clock.now() + Duration::from_millis(20),
        clock,
        seed: Seed(1),
        shard: Shard::WHOLE,
        stop: stop.clone(),
        threads: Some(threads),
        record: RecordWriter::create(&path, &Head { schema: 1, ..Head::default() }).unwrap(),
    };
    let live = Arc::new(Mutex::new(Vec::new()));
    let seconds = Arc::clone(&live);
    let show = move |second| seconds.lock().unwrap_or_else(PoisonError::into_inner).push(second);
    let client = &plan.client;
    let tokens = &plan.chores.tokens;
    let once = client.redirects == 0 && client.retry.is_none() && client.patience.is_none() && tokens.is_empty();
    let running = start(Arc::new(plan), env, show).unwrap();
    meanwhile(&stop, &running);
    let done = runtime().block_on(running.finished()).unwrap();
    let record = read(&path).unwrap();
    let mut all = Interval::default();
    record.seconds.iter().for_each(|second| all.merge(second));
    let live = std::mem::take(&mut *live.lock().unwrap());
    let seen = Seen { done, record, live, all };
    sums_hold(&seen, once);
    seen
}

fn run(plan: LoadPlan, threads: usize) -> Seen {
    run_while(plan, threads, |_, _| {})
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// What must hold of every run, whatever happened in it.
fn sums_hold(seen: &Seen, once: bool) {
    let travel = seen.travel();
    assert_eq!(seen.done.planned, travel.started + travel.shed + seen.done.not_started, "{travel:?}");
    assert_eq!(travel.planned, travel.started + travel.shed);
    assert_eq!(travel.started, travel.completed + travel.failed + travel.unfinished + travel.staged, "{travel:?}");
    let total = seen.all.total();
    // A request has one sample, however often it was tried and redirected.
    let sampled = total.answered() + total.failed();
    let ended = sampled + total.staged;
    assert!(if once { seen.all.flow.done == ended } else { seen.all.flow.done >= ended });
    assert_eq!(seen.all.flow.sent + seen.errors("variable"), seen.all.flow.done);
    assert_eq!(total.lateness.n(), sampled);
    let (response, service) = (total.response.both().extent().sum, total.service.both().extent().sum);
    let apart = response.abs_diff(service + total.lateness.extent().sum);
    assert!(apart <= 2 * seen.all.flow.done, "response is service plus lateness, but for rounding: {apart} µs");
    let mut live = Interval::default();
    seen.live.iter().for_each(|second| live.merge(second));
    assert_eq!(live.steps, seen.all.steps, "live seconds and due seconds hold the same requests");
    assert_eq!(live.journeys, seen.all.journeys);
    assert!(seen.live.windows(2).all(|pair| pair[0].second + 1 == pair[1].second));
}

#[test]
fn a_clean_run_counts_exactly() {
    let server = Server::start(|_| Answer::ok("hello"));
    let seen = run(plan(&server, open(200.0, 1_000), vec![http(get(0, "/"))]), 1);
    let travel = seen.travel();
    assert_eq!((travel.planned, travel.started, travel.completed), (200, 200, 200));
    assert_eq!((seen.all.flow.sent, seen.all.flow.good), (200, 200));
    assert_eq!(server.requests(), 200);
    assert!(seen.all.total().errors.is_empty());
    assert_eq!(seen.done.reason, "finished");
    assert_eq!(seen.record.exemplars.len(), 20);
    assert!(seen.all.flow.bytes_in > 200 * 40 && seen.all.flow.bytes_out > 200 * 20);
}

#[test]
fn one_plan_is_the_same_on_one_two_and_three_threads() {
    let server = Server::start(|_| Answer::ok("hello"));
    let mut dues = Vec::new();
    for threads in [1, 2, 3] {
        let seen = run(plan(&server, open(300.0, 700), vec![http(get(0, "/"))]), threads);
        assert_eq!(seen.travel().completed, 210);
        assert_eq!(seen.done.frames.len(), threads);
        dues.push(server.take_requests());
    }
    assert_eq!(dues, [210, 210, 210]);
}

#[test]
fn keep_alive_connections_are_reused() {
    let server = Server::start(|_| Answer::ok("hello"));
    let mut plan = plan(&server, open(200.0, 500), vec![http(get(0, "/"))]);
    plan.client.connections = Connections::Shared { max: 1 };
    let seen = run(plan, 1);
    assert_eq!(seen.all.flow.done, 100);
    assert_eq!((server.connections(), seen.all.flow.opened), (1, 1));
}

#[test]
fn a_fresh_connection_serves_one_request() {
    let server = Server::start(|_| Answer::ok("hello"));
    let mut plan = plan(&server, open(100.0, 300), vec![http(get(0, "/"))]);
    plan.client.connections = Connections::Fresh;
    let seen = run(plan, 1);
    assert_eq!((server.connections(), seen.all.flow.opened, seen.all.flow.good), (30, 30, 30));
}

#[test]
fn users_of_a_closed_workload_keep_their_connections() {
    let server = Server::start(|_| Answer::ok("hello"));
    let pattern = closed(4, 500, Think::Fixed(Duration::from_millis(10)), Rounds::default());
    let seen = run(plan(&server, pattern, vec![http(get(0, "/"))]), 2);
    assert_eq!(server.connections(), 4);
    assert_eq!(server.requests(), seen.all.flow.good);
    let completed = seen.travel().completed;
    assert!((4..=200).contains(&completed), "{completed}");
}

#[test]
fn shed_arrivals_are_counted_not_sent() {
    let server = Server::start(|_| Answer::ok("slow").after(Duration::from_millis(1_500)));
    let mut plan = plan(&server, open(100.0, 300), vec![http(get(0, "/"))]);
    if let Pattern::Open { max_in_flight, .. } = &mut plan.workloads[0].pattern {
        *max_in_flight = 1;
    }
    let seen = run(plan, 2);
    let travel = seen.travel();
    assert_eq!((travel.planned, travel.started, travel.shed), (30, 1, 29));
    assert_eq!(seen.all.classes().get(Class::Shed), 29);
    assert_eq!(server.requests(), 1);
}

#[test]
fn nothing_leaves_above_the_ceiling_of_a_target() {
    let server = Server::start(|_| Answer::ok("hello"));
    let mut limited = plan(&server, open(400.0, 1_000), vec![http(get(0, "/")), http(get(1, "/"))]);
    limited.origins[0].ceiling = Some(Rate::per_second(100.0));
    let seen = run(limited, 2);
    let (travel, sent) = (seen.travel(), seen.all.flow.sent);
    // One second's worth, and at most a tenth of it at once.
    assert!((50..=115).contains(&sent) && server.requests() == sent, "{sent}");
    assert_eq!((travel.planned, travel.shed), (400, 400 - travel.started));
    assert_eq!(seen.errors("over_ceiling"), seen.all.classes().get(Class::Shed));
    assert_eq!(seen.errors("over_ceiling"), travel.shed + travel.failed);
}

#[test]
fn closed_users_wait_for_the_ceiling_and_nobody_is_refused() {
    let server = Server::start(|_| Answer::ok("hello"));
    let pattern = closed(8, 1_000, Think::Off, Rounds::default());
    let mut limited = plan(&server, pattern, vec![http(get(0, "/"))]);
    limited.origins[0].ceiling = Some(Rate::per_second(50.0));
    let seen = run(limited, 2);
    let sent = server.requests();
    assert!((20..=70).contains(&sent), "{sent}");
    assert_eq!((seen.all.flow.good, seen.travel().shed), (sent, 0));
    // The wait for the ceiling is nobody's response time.
    assert!(seen.all.total().response.ok.value_at(0.5).unwrap() < 20_000);
}

#[test]
fn a_stall_of_the_server_is_felt_by_everybody_who_was_due_meanwhile() {
    let server = Server::start(|request| {
        let stall = if request.number == 0 { 500 } else { 0 };
        Answer::ok("hello").after(Duration::from_millis(stall))
    });
    let mut plan = plan(&server, open(100.0, 500), vec![http(get(0, "/"))]);
    plan.client.connections = Connections::Shared { max: 1 };
    let seen = run(plan, 1);
    let response = seen.all.total().response.ok;
    assert_eq!(response.n(), 50);
    // Arrival n is due 5 + 10 n ms after the start and cannot be answered before the first one is, at 505 ms.
    for (share, least_ms) in [(0.1, 40), (0.5, 240), (0.9, 440), (1.0, 500)] {
        let felt = response.value_at(share).unwrap();
        assert!(felt >= least_ms * 1_000, "{share}: {felt} µs");
    }
}

#[test]
fn a_stopped_run_begins_nothing_new_and_ends_soon() {
    let server = Server::start(|_| Answer::ok("never").after(Duration::from_secs(3_600)));
    let clock = Clock::start();
    let seen = run_while(plan(&server, open(50.0, 60_000), vec![http(get(0, "/"))]), 1, |stop, _| {
        server.wait_for(5);
        stop.request(StopReason::Interrupted);
    });
    let travel = seen.travel();
    assert_eq!((seen.done.planned, seen.done.reason.as_str()), (3_000, "interrupted"));
    assert!(seen.done.not_started > 2_500);
    assert_eq!(travel.unfinished, travel.started);
    assert_eq!(seen.errors("unfinished"), travel.started);
    assert!(clock.now().second() < 10, "the drain of 20 s is cut to one second");
}

#[test]
fn its_owner_can_end_a_load_without_ending_the_run() {
    let server = Server::start(|_| Answer::ok("hello"));
    let seen = run_while(plan(&server, open(50.0, 60_000), vec![http(get(0, "/"))]), 1, |stop, running| {
        server.wait_for(3);
        running.stop();
        assert!(!stop.is_requested());
    });
    assert_eq!(seen.done.reason, "stopped");
}

#[test]
fn a_dead_target_is_told_before_the_start() {
    let server = Server::start(|_| Answer::ok("hello"));
    let mut plan = plan(&server, open(50.0, 100), vec![http(get(0, "/"))]);
    runtime().block_on(preflight(Arc::new(plan.clone()))).unwrap();
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    plan.origins[0].pinned = vec![unused.local_addr().unwrap()];
    drop(unused);
    let error = runtime().block_on(preflight(Arc::new(plan.clone()))).unwrap_err();
    assert!(matches!(error, LoadError::Preflight { .. }), "{error}");
    let seen = run(plan, 1);
    assert_eq!(seen.errors("connect_refused"), 5);
}
