//! All workers of this machine, and the thread that collects their frames: into the record, and as live seconds to the caller.
//!
//! Not here: one worker (`core`). Called by `cli`, `drill` and `fleet`.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use super::core::{Farewell, Post, live};
use super::gate::gates;
use super::pulse::Message;
use super::secrets::Mask;
use super::step::Script;
use super::surge::Surge;
use super::{Env, LoadError, secrets};
use crate::base::clock::{Clock, Tick};
use crate::base::shard::Shard;
use crate::base::stop::{Stop, StopReason};
use crate::measure::host;
use crate::measure::interval::Interval;
use crate::measure::ledger::{Books, Entry};
use crate::measure::record::{Done, RecordError, RecordWriter};
use crate::measure::recorder::Frame;
use crate::plan::load::{Connections, LoadPlan, Pattern, Workload};

/// How long after a second's end its last frame is awaited before the live second is shown without it.
const PATIENCE: Duration = Duration::from_millis(250);
/// Arrivals a second that one worker is given.
const RATE_PER_WORKER: f64 = 10_000.0;
/// Users that one worker is given.
const USERS_PER_WORKER: u64 = 1_000;

/// A run under way.
#[derive(Debug)]
pub struct Running {
    halt: Stop,
    done: oneshot::Receiver<Result<Done, LoadError>>,
}

impl Running {
    /// Returns when the last answer has come or was given up, and the record is written.
    ///
    /// # Errors
    /// When the record cannot be written, or a worker ended without its report.
    pub async fn finished(self) -> Result<Done, LoadError> {
        self.done.await.unwrap_or(Err(LoadError::Died { worker: 0 }))
    }

    /// Ends the load early, and nothing else: no new request after 100 ms, outstanding answers are awaited at most 1 s.
    pub fn stop(&self) {
        self.halt.request(StopReason::Finished);
    }
}

/// Begins to run `plan`, whose origins have pinned addresses.
///
/// `on_second` is called, on a thread of its own, soon after the end of every second from `start_at` on, with all that was
/// sent, finished, shed or planned in that second, whenever it was due. The last second may be a part of one.
///
/// # Errors
/// When the plan cannot be compiled, or the system refuses a thread.
pub fn start(
    plan: Arc<LoadPlan>,
    env: Env,
    on_second: impl FnMut(Interval) + Send + 'static,
) -> Result<Running, LoadError> {
    start_surging(plan, env, Surge::default(), on_second)
}

/// [`start`], with a handle by which every open rate can be multiplied while it runs.
///
/// # Errors
/// As [`start`].
pub fn start_surging(
    plan: Arc<LoadPlan>,
    env: Env,
    surge: Surge,
    on_second: impl FnMut(Interval) + Send + 'static,
) -> Result<Running, LoadError> {
    let workers = env.threads.unwrap_or_else(|| workers_for(&plan, env.shard)).max(1);
    let shards = u64::from(env.shard.of.max(1));
    let gates = Arc::new(gates(&plan, shards));
    let counters = || Arc::new(plan.workloads.iter().map(|_| AtomicU64::new(0)).collect());
    let (under_way, tickets) = (counters(), counters());
    let mut script = Script::new(plan)?;
    script.given = secrets::reveal(&script.plan)?;
    script.stop = env.stop.clone();
    let script = Arc::new(script);
    raise_descriptors(&script.plan, shards)?;
    let halt = Stop::new();
    let post = Post {
        number: 0,
        shard: env.shard,
        shards,
        script,
        clock: env.clock.clone(),
        seed: env.seed,
        start_at: env.start_at,
        stops: [env.stop, halt.clone()],
        under_way,
        gates,
        tickets,
        surge,
    };
    let (out, frames) = channel();
    let mut crew = Vec::new();
    for index in 0..workers {
        crew.push(spawn_worker(Post { number: index, shard: part(env.shard, index, workers), ..post.clone() }, &out)?);
    }
    drop(out);
    let (told, done) = oneshot::channel();
    let collector = Collector::new(&post, workers, env.record);
    let collect = move || {
        let joined = collector.run(&frames, on_second, crew);
        // Whoever no longer waits for the end does not need it.
        drop(told.send(joined));
    };
    thread::Builder::new().name("load-collect".to_owned()).spawn(collect).map_err(no_thread)?;
    Ok(Running { halt, done })
}

/// A worker's thread and what it came to.
type Crew = thread::JoinHandle<Result<(), LoadError>>;

fn spawn_worker(post: Post, out: &Sender<Message>) -> Result<Crew, LoadError> {
    let out = out.clone();
    let name = format!("load-{}", post.number);
    thread::Builder::new().name(name).spawn(move || live(&post, &out)).map_err(no_thread)
}

fn no_thread(source: std::io::Error) -> LoadError {
    LoadError::System { what: "thread", source }
}

/// How many workers `plan` needs: one for each 10 000 arrivals a second or 1 000 users, at most one per processor.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rates are at least 0, and casts saturate")]
fn workers_for(plan: &LoadPlan, shard: Shard) -> usize {
    let users: u64 = plan
        .workloads
        .iter()
        .map(|one| if let Pattern::Closed { users, .. } = &one.pattern { u64::from(*users) } else { 0 })
        .sum();
    let by_rate = (plan.peak_rate() / f64::from(shard.of.max(1)) / RATE_PER_WORKER).ceil() as usize;
    let by_users = usize::try_from(users.div_ceil(u64::from(shard.of.max(1))).div_ceil(USERS_PER_WORKER)).unwrap_or(1);
    by_rate.max(by_users).clamp(1, host::cores())
}

/// Worker `index` of `workers` within `shard`: every `workers`th of the shard's arrivals.
pub(super) fn part(shard: Shard, index: usize, workers: usize) -> Shard {
    let (index, workers) = (u32::try_from(index).unwrap_or(0), u32::try_from(workers).unwrap_or(1));
    Shard { index: shard.index + shard.of * index, of: shard.of * workers }
}

/// A connection is a descriptor: the soft limit is raised to the hard one. When even that is less than users and connections need
/// for certain, nothing begins; what is missing later shows as `local_fd`.
fn raise_descriptors(plan: &LoadPlan, shards: u64) -> Result<(), LoadError> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
    let need = descriptors(plan).div_ceil(shards.max(1));
    match maximum {
        Some(limit) if need > limit => Err(LoadError::Descriptors { need, limit }),
        _ => Ok(()),
    }
}

/// Connections that users of their own and pools hold at once when they are used to the full.
fn descriptors(plan: &LoadPlan) -> u64 {
    let of = |workload: &Workload| match (&workload.pattern, plan.client.with(workload.client.as_ref()).connections) {
        (_, Connections::Shared { max }) => max as u64,
        (Pattern::Closed { users, .. }, _) => u64::from(*users),
        // Nobody knows how many of an open workload's users will be there at once.
        (Pattern::Open { .. }, _) => 0,
    };
    plan.workloads.iter().map(of).sum()
}

/// What has come of one worker.
#[derive(Clone, Copy, Debug, Default)]
struct Came {
    /// The last second it has closed.
    closed: Option<u32>,
    frames: u32,
}

/// Joins what the workers send. [`start`] runs one on a thread of its own; its memory does not grow with the run.
#[derive(Debug)]
pub struct Collector {
    plan: Arc<LoadPlan>,
    clock: Clock,
    start_at: Tick,
    stops: [Stop; 2],
    record: RecordWriter,
    /// What came of each worker.
    came: Vec<Came>,
    /// Frames that never came.
    lost_frames: u32,
    /// What must not be written down.
    mask: Mask,
    /// The books of acknowledged writes, and lines not yet written.
    books: Books,
    booked: Vec<(u16, Entry)>,
    /// Frames not yet shown.
    held: Vec<Frame>,
    farewell: Farewell,
}

impl Collector {
    /// Of `workers` who have a post like this one.
    pub fn new(post: &Post, workers: usize, record: RecordWriter) -> Self {
        Self {
            plan: Arc::clone(&post.script.plan),
            clock: post.clock.clone(),
            start_at: post.start_at,
            stops: post.stops.clone(),
            books: Books::new(record.folder(), &post.script.plan.values.books.names),
            booked: Vec::new(),
            mask: Mask::new(post.script.given.iter().map(|(_, secret)| secret)),
            record,
            came: vec![Came::default(); workers],
            lost_frames: 0,
            held: Vec::new(),
            farewell: Farewell::default(),
        }
    }

    fn run(
        mut self,
        frames: &Receiver<Message>,
        mut on_second: impl FnMut(Interval),
        crew: Vec<Crew>,
    ) -> Result<Done, LoadError> {
        let told = self.listen(frames, &mut on_second);
        if told.is_err() {
            // What cannot be written down must not be sent either.
            self.stops[1].request(StopReason::Finished);
        }
        for (worker, handle) in crew.into_iter().enumerate() {
            handle.join().unwrap_or(Err(LoadError::Died { worker }))?;
        }
        told?;
        self.finish()
    }

    /// Takes frames and shows seconds until the last worker has left.
    fn listen(&mut self, frames: &Receiver<Message>, mut on_second: impl FnMut(Interval)) -> Result<(), LoadError> {
        let mut second = self.start_at.second();
        loop {
            let end = Tick::from_secs(u64::from(second) + 1) + PATIENCE;
            match frames.recv_timeout(end.since(self.clock.now())) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let all = self.came.iter().all(|came| came.closed.is_some_and(|closed| closed >= second));
            if (all && !self.held.is_empty()) || self.clock.now() >= end {
                on_second(self.show(second)?);
                second += 1;
            }
        }
        if !self.held.is_empty() {
            on_second(self.show(second)?);
        }
        Ok(())
    }

    /// Takes what a worker sent.
    pub fn take(&mut self, message: Message) {
        match message {
            Message::Frame { second, frame, booked } => {
                self.booked.extend(booked);
                let worker = usize::from(frame.worker);
                if let Some(came) = self.came.get_mut(worker) {
                    came.closed = Some(second);
                    // Their numbers rise by one: what is left out was lost on the way.
                    self.lost_frames += frame.seq.saturating_sub(came.frames);
                    came.frames = frame.seq + 1;
                }
                self.held.push(frame);
            }
            Message::End(farewell) => {
                // Who has left closes no more seconds; nobody waits for it.
                if let Some(came) = self.came.get_mut(farewell.worker) {
                    came.closed = Some(u32::MAX);
                }
                self.farewell.exemplars.join(&farewell.exemplars);
                self.farewell.planned += farewell.planned;
                self.farewell.not_started += farewell.not_started;
                self.farewell.cpu_us += farewell.cpu_us;
            }
        }
    }

    /// The live second: all frames at hand, whatever second their requests were due in. They are written down.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn show(&mut self, second: u32) -> Result<Interval, LoadError> {
        let mut live = Interval::at(second);
        for frame in &self.held {
            frame.parts.iter().for_each(|part| live.merge(part));
        }
        self.record.frames(std::mem::take(&mut self.held))?;
        let io = |(path, source)| RecordError::Io { path, source };
        self.books.write(&std::mem::take(&mut self.booked)).map_err(io)?;
        Ok(live)
    }

    fn finish(self) -> Result<Done, LoadError> {
        let reason = self.stops.iter().find_map(Stop::reason);
        let length = self.clock.now().since(self.start_at);
        let done = Done {
            duration_us: u64::try_from(length.as_micros()).unwrap_or(u64::MAX),
            reason: reason.map_or_else(|| "finished".to_owned(), |reason| said(&reason)),
            planned: self.farewell.planned,
            not_started: self.farewell.not_started,
            frames: self.came.iter().map(|came| came.frames).collect(),
            lost_frames: self.lost_frames,
            cpu_us: self.farewell.cpu_us,
            max_rss_kib: host::max_rss_kib(),
        };
        let exemplars = self.farewell.exemplars.written(&self.plan.steps, &self.plan.labels, &self.mask);
        self.record.finish(&exemplars, &done)?;
        Ok(done)
    }
}

/// Why a run ended before its plan did, in one phrase.
fn said(reason: &StopReason) -> String {
    match reason {
        StopReason::Finished => "stopped".to_owned(),
        StopReason::Interrupted => "interrupted".to_owned(),
        StopReason::Terminated => "terminated".to_owned(),
        StopReason::Aborted(why) => format!("aborted: {why}"),
        StopReason::Invalid(why) => format!("invalid: {why}"),
    }
}
