//! Finished runs that nobody ran: a folder with journal and record whose numbers are known.
//!
//! Not here: any assertion. Benches use it too.

use std::fs;
use std::path::Path;
use std::time::Duration;

use squall::base::clock::Clock;
use squall::base::seed::Seed;
use squall::load;
use squall::measure::interval::{Health, Interval};
use squall::measure::journal::{Event, Journal, RunFacts, Source};
use squall::measure::outcome::Class;
use squall::measure::record::{Done, Head, RecordWriter};
use squall::measure::recorder::Frame;
use squall::measure::sample::{JourneyId, StepId};
use squall::plan::check::{self, Files, ScenarioOptions};
use squall::plan::load::LoadPlan;

/// What a synthetic run is like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Seconds of load.
    pub(crate) seconds: u32,
    /// Requests per second, over all steps.
    pub(crate) rate: u64,
    /// Median of the response times, µs; they are lognormal with sigma 0.3.
    pub(crate) median_us: f64,
    /// Failures per second.
    pub(crate) failed: u64,
    /// Seed of its noise.
    pub(crate) seed: u64,
}

impl Default for Shape {
    fn default() -> Self {
        Self { seconds: 60, rate: 100, median_us: 20_000.0, failed: 0, seed: 1 }
    }
}

/// A scenario of so many steps, with these lines of `checks`.
pub(crate) fn scenario(steps: u16, seconds: u32, checks: &str) -> String {
    let steps = (0..steps).fold(String::new(), |all, n| format!("{all}Http(name: \"/api/{n}\", url: \"/\"), "));
    format!(
        r#"(name: "made", target: (base: "http://127.0.0.1:9"),
  load: [Open(rate: [Hold(rate: "50/s", for: "{seconds}s")], mix: {{"a": 1}})],
  journeys: {{"a": (steps: [{steps}])}},
  checks: [{checks}])"#
    )
}

/// The checked plan of a scenario's text.
pub(crate) fn plan(text: &str) -> LoadPlan {
    let mut files = Files::held([("made.ron".to_owned(), text.to_owned())]);
    check::scenario(&mut files, "made.ron", &ScenarioOptions { seed: Seed(1) }).expect("a good scenario").0
}

/// One second: requests over the steps in turn.
pub(crate) fn second(at: u32, steps: u16, shape: &Shape) -> Interval {
    let mut stream = Seed(shape.seed).keyed("synthetic", &[u64::from(at)]);
    let mut interval = Interval::at(at);
    for n in 0..shape.rate {
        let step = StepId(u16::try_from(n % u64::from(steps.max(1))).unwrap_or_default());
        let cell = interval.steps.entry(step).or_default();
        if n < shape.failed {
            cell.response.rest.record(1_000);
            cell.service.rest.record(1_000);
            cell.lateness.record(20);
            cell.classes.add(Class::Error, 1);
            *cell.errors.entry("status_503".to_owned()).or_default() += 1;
            continue;
        }
        // Twelve uniform draws are as good as normal.
        let normal: f64 = (0..12).map(|_| stream.unit()).sum::<f64>() - 6.0;
        let took = (shape.median_us * (0.3 * normal).exp()).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some milliseconds")]
        let took = took as u64;
        cell.response.ok.record(took + 20);
        cell.service.ok.record(took);
        cell.lateness.record(20);
        cell.classes.add(Class::Ok, 1);
    }
    let travel = interval.journeys.entry(JourneyId(0)).or_default();
    (travel.planned, travel.started) = (shape.rate, shape.rate);
    (travel.completed, travel.failed) = (shape.rate - shape.failed, shape.failed);
    (interval.flow.sent, interval.flow.done, interval.flow.good) = (shape.rate, shape.rate, shape.rate - shape.failed);
    interval.health.insert(0, Health { cpu_us: 100_000, stall_us: 900, waited_us: 1_000, jump_us: 0 });
    interval
}

/// The head of a run of `plan`, whose clock started then.
pub(crate) fn head(plan: &LoadPlan, start: &str) -> Head {
    let (clock, _) = Clock::manual();
    Head { start_utc: start.to_owned(), ..load::head(plan, &clock, Seed(1)) }
}

/// Writes a record.
pub(crate) fn record(path: &Path, head: &Head, shape: &Shape) {
    let steps = u16::try_from(head.steps.len()).unwrap_or(u16::MAX);
    let mut writer = RecordWriter::create(path, head).expect("a record");
    for at in 0..shape.seconds {
        let frame = Frame { worker: 0, seq: at, parts: vec![second(at, steps, shape)] };
        writer.frames(vec![frame]).expect("a frame");
    }
    let done = Done {
        duration_us: u64::from(shape.seconds) * 1_000_000,
        reason: "finished".to_owned(),
        planned: shape.rate * u64::from(shape.seconds),
        frames: vec![shape.seconds],
        cpu_us: 1_000,
        max_rss_kib: 1_000,
        ..Done::default()
    };
    writer.finish(&[], &done).expect("an end");
}

/// Writes the folder of a run of `text` that began at `start` (RFC 3339); `change` may alter its head.
pub(crate) fn run(dir: &Path, (text, start): (&str, &str), shape: &Shape, change: impl FnOnce(&mut Head)) {
    fs::create_dir_all(dir).expect("a folder");
    let plan = plan(text);
    let mut head = head(&plan, start);
    change(&mut head);
    record(&dir.join("record.sqr"), &head, shape);
    let (clock, manual) = Clock::manual();
    let mut journal = Journal::create(&dir.join("journal.jsonl"), &clock).expect("a journal");
    let facts = RunFacts {
        command: "run".to_owned(),
        name: plan.name,
        seed: 1,
        plan_hash: plan.hash,
        squall: env!("CARGO_PKG_VERSION").to_owned(),
        files: vec![("made.ron".to_owned(), text.to_owned())],
        settings: Vec::new(),
        target: "http://127.0.0.1:9".to_owned(),
        repeat: "squall run made.ron --seed 1".to_owned(),
    };
    let mut says = |event| drop(journal.append(Source::Controller, "", event).expect("a line"));
    says(Event::Run(facts));
    says(Event::Phase { name: "steady".to_owned() });
    manual.advance(Duration::from_secs(u64::from(shape.seconds)));
    says(Event::Phase { name: "drain".to_owned() });
    says(Event::End { reason: "finished".to_owned() });
}
