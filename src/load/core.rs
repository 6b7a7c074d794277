//! One worker: a thread with its own runtime, timer, connections and recorder; it sends one frame a second and shares nothing.
//!
//! Not here: the other workers (`local`), what is done when (`open`, `closed`).

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::num::NonZeroU64;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::Sender;
use std::task::Poll;
use std::time::Duration;

use super::crew::Crew;
use super::exemplars::{Beside, Exemplars};
use super::gate::Gate;
use super::pace::{Limits, Pace};
use super::pulse::{self, Message};
use super::step::http::Ended;
use super::step::{Course, Script};
use super::surge::Surge;
use super::user::User;
use super::{LoadError, closed, open};
use crate::base::clock::{Clock, Tick, thread_cpu_nanos};
use crate::base::seed::Seed;
use crate::base::shard::Shard;
use crate::base::stop::Stop;
use crate::base::timer::Timer;
use crate::measure::interval::Health;
use crate::measure::ledger::Entry;
use crate::measure::outcome::Class;
use crate::measure::recorder::Recorder;
use crate::measure::sample::{Aside, Sample};
use crate::plan::good::Said;
use crate::plan::load::Pattern;

/// How long outstanding answers are awaited once the run was interrupted.
const GRACE: Duration = Duration::from_secs(1);

/// What a worker leaves behind.
#[derive(Debug, Default)]
pub struct Farewell {
    /// Its number.
    pub worker: usize,
    /// Its examples.
    pub exemplars: Exemplars,
    /// Arrivals that were not begun.
    pub not_started: u64,
    /// Arrivals that fell to it.
    pub planned: u64,
    /// CPU time of its thread, µs.
    pub cpu_us: u64,
}

/// What a worker is given.
#[derive(Clone, Debug)]
pub struct Post {
    /// Its number.
    pub number: usize,
    /// The arrivals it owns.
    pub shard: Shard,
    /// How many machines run the plan; each has its part of every cap.
    pub shards: u64,
    /// The compiled plan.
    pub script: Arc<Script>,
    /// The run's clock.
    pub clock: Clock,
    /// Seed of every draw.
    pub seed: Seed,
    /// When the plan begins.
    pub start_at: Tick,
    /// The words that end it: the run's, and the owner's of this load.
    pub stops: [Stop; 2],
    /// Journeys under way by workload, over all workers.
    pub under_way: Arc<Vec<AtomicU64>>,
    /// Ceilings by origin, over all workers.
    pub gates: Arc<Vec<Option<Gate>>>,
    /// Shared tickets taken by workload, over all workers.
    pub tickets: Arc<Vec<AtomicU64>>,
    /// What every open rate is multiplied by.
    pub surge: Surge,
}

/// What a worker writes down.
#[derive(Debug)]
pub struct Log {
    /// Counts.
    pub recorder: Recorder,
    /// Examples.
    pub exemplars: Exemplars,
    /// Lines for the books of the run, by number.
    pub booked: Vec<(u16, Entry)>,
}

/// The state of one worker.
#[derive(Debug)]
pub struct Worker {
    /// All waiting.
    pub pace: Pace,
    /// The compiled plan.
    pub script: Arc<Script>,
    /// Seed of every draw.
    pub seed: Seed,
    /// The arrivals it owns.
    pub shard: Shard,
    /// Ceilings by origin, shared with all workers.
    gates: Arc<Vec<Option<Gate>>>,
    /// By workload.
    pub crews: Vec<Crew>,
    /// What it writes down.
    pub log: RefCell<Log>,
    /// True once no new request may leave.
    pub halted: Cell<bool>,
    /// Users who wait for a journey.
    pub spare: RefCell<Vec<User>>,
    /// What every open rate is multiplied by.
    pub surge: Surge,
    /// Journeys under way now, and the most in this second.
    alive: Cell<(u64, u64)>,
}

impl Worker {
    fn new(post: &Post) -> Self {
        let plan = &post.script.plan;
        let number = u16::try_from(post.number).unwrap_or(u16::MAX);
        let recorder = Recorder::new(number, plan.steps.len(), Arc::clone(&plan.labels));
        Self {
            pace: Pace::new(post.clock.clone()),
            script: Arc::clone(&post.script),
            seed: post.seed,
            shard: post.shard,
            gates: Arc::clone(&post.gates),
            crews: plan.workloads.iter().enumerate().map(|(n, one)| Crew::new(post, n, one)).collect(),
            log: RefCell::new(Log { recorder, exemplars: Exemplars::default(), booked: Vec::new() }),
            halted: Cell::new(false),
            spare: RefCell::default(),
            surge: post.surge.clone(),
            alive: Cell::default(),
        }
    }

    /// The journey of arrival `n`.
    pub fn course(&self, crew: &Crew, n: u64) -> &Course {
        let journey = crew.card(&self.script.plan.workloads[crew.workload].mix, self.seed, n);
        &self.script.courses[usize::from(journey)]
    }

    /// Counts one journey or user in.
    pub fn enter(&self) {
        let (now, most) = self.alive.get();
        self.alive.set((now + 1, most.max(now + 1)));
    }

    /// Counts one out.
    pub fn leave(&self) {
        let (now, most) = self.alive.get();
        self.alive.set((now - 1, most));
    }

    /// The ceiling of origin number `origin`; `None` when it has none.
    pub fn gate(&self, origin: usize) -> Option<&Gate> {
        self.gates.get(origin).and_then(Option::as_ref)
    }

    fn class(&self, sample: &Sample, said: Said) -> Class {
        self.script.plan.good.class(sample.outcome, said, sample.response_time())
    }

    /// Classes and records one of several attempts of a request.
    pub fn attempted(&self, mut sample: Sample, said: Said) {
        sample.class = self.class(&sample, said);
        self.log.borrow_mut().recorder.aside(&Aside::Attempts(sample.step), &sample);
    }

    /// Classes and records a finished request.
    pub fn finished(&self, mut sample: Sample, said: Said, beside: Beside<'_>) -> Ended {
        sample.class = self.class(&sample, said);
        let mut log = self.log.borrow_mut();
        log.recorder.sample(&sample);
        log.exemplars.see(&sample, said.status.unwrap_or(0), beside);
        Ended { outcome: sample.outcome, status: said.status.unwrap_or(0), ..Ended::nothing(sample.done) }
    }

    /// Waits until `at`; false when the run ends before.
    pub async fn rest(&self, crew: &Crew, at: Tick) -> bool {
        let mut alarm = self.pace.alarm();
        poll_fn(|cx| {
            if self.halted.get() {
                return Poll::Ready(false);
            }
            let cut = crew.cut.get();
            if alarm.rings(at.min(cut), cx) { Poll::Ready(at <= cut) } else { Poll::Pending }
        })
        .await
    }

    /// Waits until an arrival is due; false when the run ends before.
    pub async fn rest_until_arrival(&self, at: Tick) -> bool {
        let mut alarm = self.pace.alarm();
        poll_fn(|cx| match self.halted.get() {
            true => Poll::Ready(false),
            false if alarm.rings(at, cx) => Poll::Ready(true),
            false => Poll::Pending,
        })
        .await
    }

    /// No new request; outstanding answers are awaited a little.
    pub fn halt(&self) {
        self.halted.set(true);
        let now = self.pace.now();
        for crew in &self.crews {
            let drain = self.script.plan.workloads[crew.workload].drain.min(GRACE);
            crew.cut.set(crew.cut.get().min(now + drain));
        }
        self.pace.wake_all();
    }

    /// True once nothing is under way and nothing will begin.
    pub fn is_over(&self) -> bool {
        self.alive.get().0 == 0 && self.crews.iter().all(|crew| !crew.driving.get())
    }

    /// Closes `second`.
    pub fn frame(&self, second: u32, health: Health) -> Message {
        let end = Tick::from_secs(u64::from(second) + 1) - Duration::from_nanos(1);
        let opened: u64 = self.crews.iter().map(|crew| crew.client.take_opened()).sum();
        let (now, most) = self.alive.get();
        self.alive.set((now, now));
        let mut log = self.log.borrow_mut();
        log.recorder.flow(end, |flow| {
            flow.opened += opened;
            flow.in_flight = most;
        });
        let booked = std::mem::take(&mut log.booked);
        Message::Frame { second, frame: log.recorder.frame(end, health), booked }
    }
}

/// Opens what every workload wants open before its first arrival.
fn open_ahead(worker: &Rc<Worker>) {
    let most = worker.script.plan.client.timeouts.total;
    for (n, crew) in worker.crews.iter().enumerate() {
        for _ in 0..crew.opens_first(&worker.script, worker.shard) {
            let worker = Rc::clone(worker);
            drop(tokio::task::spawn_local(async move {
                let crew = &worker.crews[n];
                let now = worker.pace.now();
                let mut limits = Limits::new(&worker.pace, (now, now + most), &crew.cut);
                // One that cannot be opened now is missing to the first who wants it, and told there.
                crew.client.open_ahead(&mut limits).await;
            }));
        }
    }
}

/// The life of a worker's thread.
///
/// # Errors
/// When the system has no descriptor left for its runtime or timer.
pub fn live(post: &Post, out: &Sender<Message>) -> Result<(), LoadError> {
    let system = |what| move |source| LoadError::System { what, source };
    // Timers fire at their instant, not up to 50 µs later; refused only by odd sandboxes, and then measured as lateness.
    let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(system("runtime"))?;
    let worker = Rc::new(Worker::new(post));
    let local = tokio::task::LocalSet::new();
    runtime.block_on(local.run_until(async {
        let timer = Timer::new(&post.clock).map_err(system("timer"))?;
        let pacing = Rc::clone(&worker);
        let driver = tokio::task::spawn_local(async move { pacing.pace.drive(timer).await });
        open_ahead(&worker);
        for (n, workload) in post.script.plan.workloads.iter().enumerate() {
            match &workload.pattern {
                Pattern::Open { .. } => drop(tokio::task::spawn_local(open::drive(Rc::clone(&worker), n))),
                Pattern::Closed { .. } => closed::drive(&worker, n),
            }
        }
        pulse::keep(&worker, post, out).await;
        driver.abort();
        Ok::<(), LoadError>(())
    }))?;
    let farewell = Farewell {
        worker: post.number,
        exemplars: std::mem::take(&mut worker.log.borrow_mut().exemplars),
        not_started: worker.crews.iter().map(|crew| crew.arrivals.get().waiting).sum(),
        planned: worker.crews.iter().map(|crew| crew.arrivals.get().planned).sum(),
        cpu_us: thread_cpu_nanos() / 1_000,
    };
    drop(out.send(Message::End(Box::new(farewell))));
    Ok(())
}
