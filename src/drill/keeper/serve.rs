//! The keeper's own end: one loop that answers the controller, ends what was not renewed, and heals everything when the stream ends.
//!
//! Not here: what an undo does (`lever::undo`), the lines it writes (`diary`). Called by `squall proxy --keeper RUN-DIR`.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream as StdStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::StreamExt;
use futures::future::LocalBoxFuture;
use futures::stream::FuturesUnordered;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, UnixStream};

use super::KeeperError;
use super::diary::Diary;
use super::holdings::{Held, Holdings};
use super::message::{Answered, Asked, Reply, Request};
use super::place::Place;
use crate::base::clock::{Clock, Tick};
use crate::base::digest;
use crate::base::secret::Secret;
use crate::base::seed::Seed;
use crate::base::stop::Stop;
use crate::base::timer::Timer;
use crate::drill::lever::undo::{self, UndoEnv};
use crate::fault::api::{Api, Gate};
use crate::fault::{Injection, Proxies};
use crate::measure::journal::{Event, Undo};
use crate::plan::drill::{DrillPlan, Lever, System};
use crate::plan::fault::Fault;

/// How long the path stays up when the controller is gone.
pub const LINGERS: Duration = Duration::from_secs(600);
/// Longest time that the controller is given to undo something itself.
const STANDS_BY: Duration = Duration::from_secs(45);

/// What a keeper is given.
#[derive(Debug)]
pub struct Duty {
    /// The run's folder, whose journal has begun.
    pub dir: PathBuf,
    /// The plan of the run.
    pub plan: Arc<DrillPlan>,
    /// Leases and limits.
    pub clock: Clock,
    /// Seed of every draw of a fault.
    pub seed: Seed,
    /// How undos are carried out.
    pub undo: UndoEnv,
    /// Who may command its API, and who may be dialled; it makes the token itself.
    pub gate: Gate,
    /// How long the path stays up when the controller is gone; [`LINGERS`] by default.
    pub lingers: Duration,
}

/// Why the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    Farewell,
    Alone,
    Asked,
}

/// What came of an undo that ran beside the loop.
struct Undone {
    id: String,
    lines: Vec<Event>,
}

struct Shift {
    duty: Duty,
    proxies: Proxies,
    api: Arc<Api>,
    holdings: Holdings,
    faults: BTreeMap<String, Injection>,
    diary: Diary,
    under_way: FuturesUnordered<LocalBoxFuture<'static, Undone>>,
}

/// Keeps the run until the controller says farewell, or is gone and the path has stayed up for long enough, or `stop` is asked.
///
/// # Errors
/// It could not begin.
pub async fn serve(mut duty: Duty, control: StdStream, stop: Stop) -> Result<(), KeeperError> {
    control.set_nonblocking(true).map_err(KeeperError::Start)?;
    let (read, write) = UnixStream::from_std(control).map_err(KeeperError::Start)?.into_split();
    let token = digest::token::<16>().map_err(|_| KeeperError::Refused("no randomness for a token".to_owned()))?;
    let token = Secret::new(token);
    duty.gate.token = Some(token.clone());
    let gate = std::mem::take(&mut duty.gate);
    let proxies = Proxies::start(duty.clock.clone(), duty.seed)?;
    let api = Arc::new(Api::new(proxies.clone(), gate, None));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(KeeperError::Start)?;
    let address = listener.local_addr().map_err(KeeperError::Start)?;
    Place::write(&duty.dir, format!("http://{address}"), &token)?;
    let serving = tokio::spawn(Arc::clone(&api).serve(listener));
    let diary = Diary::open(&duty.dir, &duty.clock)?;
    let mut shift = Shift {
        duty,
        proxies,
        api,
        holdings: Holdings::default(),
        faults: BTreeMap::new(),
        diary,
        under_way: FuturesUnordered::new(),
    };
    let over = shift.run((BufReader::new(read).lines(), write), &stop).await?;
    if over != Over::Farewell {
        shift.heal_everything().await;
        shift.diary.hand_over(&shift.duty.dir, &shift.duty.clock).await;
    }
    if over == Over::Alone && !shift.proxies.states().is_empty() {
        shift.linger(&stop).await?;
    }
    serving.abort();
    let Shift { proxies, faults, .. } = shift;
    drop(faults);
    proxies.shutdown().await;
    Ok(())
}

impl Shift {
    async fn run(
        &mut self,
        (mut lines, mut write): (Lines<BufReader<OwnedReadHalf>>, OwnedWriteHalf),
        stop: &Stop,
    ) -> Result<Over, KeeperError> {
        let mut timer = Timer::new(&self.duty.clock).map_err(KeeperError::Start)?;
        loop {
            let expiry = self.holdings.next_expiry();
            tokio::select! {
                biased;
                _ = stop.requested() => return Ok(Over::Asked),
                line = lines.next_line() => {
                    let Ok(Some(line)) = line else { return Ok(Over::Alone) };
                    let Ok(asked) = serde_json::from_str::<Asked>(&line) else { return Ok(Over::Alone) };
                    let farewell = asked.request == Request::Farewell;
                    let reply = self.answer(asked.request).await;
                    if asked.n > 0 {
                        let mut text = serde_json::to_string(&Answered { n: asked.n, reply }).unwrap_or_default();
                        text.push('\n');
                        // Whoever does not hear the answer has ended the stream.
                        drop(write.write_all(text.as_bytes()).await);
                    }
                    if farewell {
                        return Ok(Over::Farewell);
                    }
                }
                Some(undone) = self.under_way.next() => self.take_note(undone),
                () = timer.until(expiry.unwrap_or(Tick::MAX)), if expiry.is_some() => self.expire().await,
            }
        }
    }

    async fn answer(&mut self, request: Request) -> Reply {
        let now = self.duty.clock.now();
        match request {
            Request::Open { listens } => self.open(&listens).await,
            Request::Hold { id, undo, lease_ms } => {
                let generation = self.holdings.take(&id, Held::Lever(undo), now + Duration::from_millis(lease_ms));
                Reply::Held { generation }
            }
            Request::Inject { id, lease_ms } => self.inject(&id, Duration::from_millis(lease_ms)).await,
            Request::Renew { id, lease_ms, generation } => {
                self.renew(&id, generation, Duration::from_millis(lease_ms)).await
            }
            Request::Healing { id } => {
                self.holdings.stand_by(&id, now + STANDS_BY);
                Reply::Done
            }
            Request::Heal { id } => self.heal(&id).await,
            Request::Release { id } => {
                self.holdings.release(&id);
                Reply::Done
            }
            Request::Drop { id } => {
                self.diary.note(Event::Dropped { id: id.clone() });
                if self.faults.contains_key(&id) {
                    self.heal(&id).await;
                } else if let Some(undo) = self.holdings.drop(&id) {
                    self.set_going(id, undo);
                }
                Reply::Done
            }
            Request::Touched { id } => {
                Reply::Touched { connections: self.proxies.stats(&id).map_or(0, |stats| stats.touched) }
            }
            Request::Farewell => {
                self.proxies.heal_all().await;
                Reply::Done
            }
        }
    }

    async fn open(&mut self, listens: &[(String, String)]) -> Reply {
        let System::Remote { proxies, .. } = &self.duty.plan.system else {
            return Reply::Opened { proxies: Vec::new() };
        };
        let mut opened = Vec::new();
        for one in proxies {
            let before = listens.iter().find(|(name, _)| *name == one.name);
            let listen = before.map_or(one.listen.as_str(), |(_, address)| address.as_str());
            match self.api.add(&one.name, (listen, &one.upstream), Vec::new()).await {
                Ok(address) => opened.push((one.name.clone(), address.to_string())),
                Err(why) => return Reply::Failed { why: format!("proxy `{}`: {why}", one.name) },
            }
        }
        Reply::Opened { proxies: opened }
    }

    fn fault(&self, id: &str) -> Option<Fault> {
        let act = self.duty.plan.acts.iter().find(|act| act.name == id)?;
        if let Lever::Fault(fault) = &act.does.apply { Some(fault.clone()) } else { None }
    }

    async fn inject(&mut self, id: &str, lease: Duration) -> Reply {
        let Some(fault) = self.fault(id) else { return Reply::Failed { why: format!("no act `{id}` is a fault") } };
        match self.proxies.inject(fault, lease).await {
            Ok(injection) => {
                self.faults.insert(id.to_owned(), injection);
                let generation = self.holdings.take(id, Held::Fault, self.duty.clock.now() + lease);
                Reply::Held { generation }
            }
            Err(error) => Reply::Failed { why: error.to_string() },
        }
    }

    async fn renew(&mut self, id: &str, generation: u64, lease: Duration) -> Reply {
        if let Err(why) = self.holdings.renew(id, generation, (self.duty.clock.now(), lease)) {
            return Reply::Over { why };
        }
        if self.faults.contains_key(id)
            && let Err(error) = self.proxies.renew(id, lease).await
        {
            return Reply::Over { why: error.to_string() };
        }
        Reply::Done
    }

    async fn heal(&mut self, id: &str) -> Reply {
        self.holdings.release(id);
        if let Some(injection) = self.faults.remove(id) {
            return Reply::Healed { verified: injection.heal().await.verified };
        }
        // One that was never in force, or that a keeper before this one took along.
        Reply::Healed {
            verified: self.proxies.heal(id).await.is_ok_and(|healed| healed.verified) || !self.proxies.is_active(id),
        }
    }

    /// Ends what was not renewed.
    async fn expire(&mut self) {
        for (id, held) in self.holdings.expire(self.duty.clock.now()) {
            self.diary.note(Event::Healing { id: id.clone() });
            match held {
                Held::Lever(undo) => self.set_going(id, undo),
                Held::Fault => {
                    let healed = match self.faults.remove(&id) {
                        Some(injection) => injection.heal().await.verified,
                        None => true,
                    };
                    self.say_fault(id, healed);
                }
            }
        }
    }

    fn say_fault(&mut self, id: String, verified: bool) {
        self.diary.note(Event::Healed { id: id.clone() });
        self.diary.note(if verified {
            Event::Verified { id }
        } else {
            Event::HealFailed { id, reason: "a connection still carries it".to_owned() }
        });
    }

    /// Undoes beside the loop: a system that does not answer must not keep others from being healed.
    fn set_going(&mut self, id: String, undo: Undo) {
        let env = self.duty.undo.clone();
        self.under_way.push(async move { undone(id, &undo, &env).await }.boxed_local());
    }

    fn take_note(&mut self, undone: Undone) {
        self.holdings.release(&undone.id);
        for line in undone.lines {
            self.diary.note(line);
        }
    }

    /// All faults in one swap, then the levers in reverse order; what fails does not stop the rest.
    async fn heal_everything(&mut self) {
        let left = self.holdings.all();
        let faults: Vec<String> =
            left.iter().filter(|(_, held)| *held == Held::Fault).map(|(id, _)| id.clone()).collect();
        for id in &faults {
            self.diary.note(Event::Healing { id: id.clone() });
        }
        let healed = self.proxies.heal_all().await;
        for id in faults {
            let verified = healed.iter().find(|one| one.name == id).is_none_or(|one| one.verified);
            self.say_fault(id, verified);
        }
        self.faults.clear();
        while let Some(undone) = self.under_way.next().await {
            self.take_note(undone);
        }
        for (id, held) in left {
            let Held::Lever(undo) = held else { continue };
            self.diary.note(Event::Healing { id: id.clone() });
            let undone = undone(id, &undo, &self.duty.undo).await;
            self.take_note(undone);
        }
    }

    async fn linger(&self, stop: &Stop) -> Result<(), KeeperError> {
        let mut timer = Timer::new(&self.duty.clock).map_err(KeeperError::Start)?;
        tokio::select! {
            _ = stop.requested() => {}
            () = timer.until(self.duty.clock.now() + self.duty.lingers) => {}
        }
        Ok(())
    }
}

async fn undone(id: String, undo: &Undo, env: &UndoEnv) -> Undone {
    let failed = |reason: String| Event::HealFailed { id: id.clone(), reason };
    let lines = match undo::run(undo, env).await {
        Err(why) => vec![failed(why)],
        Ok(how) => {
            tracing::info!(act = id, how, "undone");
            let last = match undo::seen(undo, env.read_back, env).await {
                Ok(_) => Event::Verified { id: id.clone() },
                Err(why) => failed(format!("undone, but not read back: {why}")),
            };
            vec![Event::Healed { id: id.clone() }, last]
        }
    };
    Undone { id, lines }
}
