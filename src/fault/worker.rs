//! One worker: a thread with a single-threaded runtime, its timer, and the proxies' connections that were dealt to it.
//!
//! Not here: who decides (`control`), the connections themselves (`proxy`, `pump`). A worker does nothing but carry out
//! [`Command`]s and let its tasks run; no command waits for a socket that carries data.

use std::collections::HashMap;
use std::io;
use std::net::{TcpListener as StdListener, TcpStream as StdStream};
use std::rc::Rc;
use std::sync::{Arc, mpsc as blocking};
use std::thread;

use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;
use tokio::task::{LocalSet, spawn_local, yield_now};

use super::connections::Connection;
use super::control::{Control, keep_leases};
use super::draws::proxy_number;
use super::link::LinkKey;
use super::proxy::{Definition, Proxy};
use super::pump::Local;
use super::snapshot::Snapshot;
use super::wake::Wakes;
use crate::base::clock::Clock;
use crate::base::seed::Seed;
use crate::base::timer::Timer;

/// Looks at the links that are closing before the worker ends without them.
const FAREWELLS: usize = 1_000;

/// What a worker is asked to do.
#[derive(Debug)]
pub(super) enum Command {
    /// A proxy exists from now on, or is another one: the connections of the old one are closed, its listener goes on.
    Define { proxy: Arc<Definition>, snapshot: Arc<Snapshot> },
    /// Accept from a listener, in the place of the proxy's old one.
    Listen { proxy: Arc<str>, listener: StdListener, reply: oneshot::Sender<io::Result<()>> },
    /// Close the proxy's listener, then its connections.
    Close { proxy: Arc<str>, reply: oneshot::Sender<()> },
    /// Close it and forget it.
    Forget { proxy: Arc<str>, reply: oneshot::Sender<()> },
    /// Serve a connection that another worker accepted.
    Adopt { proxy: Arc<str>, ordinal: u64, client: StdStream },
    /// Put a snapshot in force; the reply counts the connections that could not follow.
    Swap { proxy: Arc<str>, snapshot: Arc<Snapshot>, reply: oneshot::Sender<usize> },
    /// Describe the proxy's connections.
    List { proxy: Arc<str>, reply: oneshot::Sender<Vec<Connection>> },
    /// End one connection with a reset; the answer says whether it was here.
    Cut { proxy: Arc<str>, ordinal: u64, reply: oneshot::Sender<bool> },
    /// Heal the faults whose lease is over, from now on: the first worker alone.
    KeepLeases(Arc<Control>),
    /// Close everything.
    Stop { reply: Option<oneshot::Sender<()>> },
}

/// All workers, seen from one of them.
#[derive(Clone, Debug)]
pub(super) struct Team {
    all: Arc<[UnboundedSender<Command>]>,
    own: u64,
}

impl Team {
    pub(super) fn new(all: Arc<[UnboundedSender<Command>]>, own: u64) -> Self {
        Self { all, own }
    }

    /// The other worker that serves connection `ordinal`; `None`: this one does.
    pub(super) fn mate(&self, ordinal: u64) -> Option<&UnboundedSender<Command>> {
        let place = ordinal % (self.all.len() as u64).max(1);
        if place == self.own { None } else { self.all.get(usize::try_from(place).ok()?) }
    }
}

/// One worker, on its thread.
#[derive(Debug)]
struct Worker {
    local: Local,
    seed: Seed,
    team: Team,
    proxies: HashMap<Arc<str>, Rc<Proxy>>,
}

/// Starts a worker on a thread of its own and returns once it takes commands.
///
/// # Errors
/// When the system has no thread or descriptor left.
pub(super) fn start(clock: Clock, seed: Seed, team: Team, commands: UnboundedReceiver<Command>) -> io::Result<()> {
    let (ready, started) = blocking::channel();
    thread::Builder::new().name(format!("fault-{}", team.own)).spawn(move || {
        let report = |outcome| drop(ready.send(outcome));
        let runtime = match Builder::new_current_thread().enable_io().build() {
            Ok(runtime) => runtime,
            Err(error) => return report(Err(error)),
        };
        LocalSet::new().block_on(&runtime, async move {
            let timer = match Timer::new(&clock) {
                Ok(timer) => timer,
                Err(error) => return report(Err(error)),
            };
            let wakes = Wakes::new(&clock);
            spawn_local(wakes.clone().drive(timer));
            report(Ok(()));
            let worker = Worker { local: Local::new(wakes), seed, team, proxies: HashMap::new() };
            worker.run(commands).await;
        });
    })?;
    started.recv().unwrap_or_else(|_| Err(io::Error::other("the fault worker ended before it started")))
}

impl Worker {
    async fn run(mut self, mut commands: UnboundedReceiver<Command>) {
        while let Some(command) = commands.recv().await {
            match command {
                Command::Define { proxy, snapshot } => self.define(proxy, snapshot),
                Command::Listen { proxy, listener, reply } => drop(reply.send(self.listen(&proxy, listener))),
                Command::Close { proxy, reply } => {
                    self.proxies.get(&proxy).inspect(|proxy| proxy.close());
                    reply.send(()).ok();
                }
                Command::Forget { proxy, reply } => {
                    self.proxies.remove(&proxy).inspect(|proxy| proxy.close());
                    reply.send(()).ok();
                }
                Command::Adopt { proxy, ordinal, client } => self.adopt(&proxy, ordinal, client),
                Command::Swap { proxy, snapshot, reply } => {
                    let swapped =
                        self.proxies.get(&proxy).map_or(0, |proxy| proxy.swap(snapshot, &self.local, &self.team));
                    // Nobody waits for the end of a lease.
                    reply.send(swapped).ok();
                }
                Command::List { proxy, reply } => {
                    let now = self.local.wakes.clock().now();
                    reply.send(self.proxies.get(&proxy).map(|proxy| proxy.list(now)).unwrap_or_default()).ok();
                }
                Command::Cut { proxy, ordinal, reply } => {
                    reply.send(self.proxies.get(&proxy).is_some_and(|proxy| proxy.cut(ordinal))).ok();
                }
                Command::KeepLeases(control) => drop(spawn_local(keep_leases(control, self.local.wakes.clone()))),
                Command::Stop { reply } => {
                    self.close().await;
                    reply.map(|reply| reply.send(()).ok());
                    return;
                }
            }
        }
    }

    fn define(&mut self, proxy: Arc<Definition>, snapshot: Arc<Snapshot>) {
        let name = Arc::clone(&proxy.name);
        let key = LinkKey { seed: self.seed, proxy: proxy_number(self.seed, &name), connection: 0, user: None };
        let proxy = Rc::new(Proxy::new(proxy, key, snapshot));
        let Some(old) = self.proxies.insert(name, Rc::clone(&proxy)) else { return };
        let listener = old.take_listener();
        proxy.inherit(&old);
        old.close();
        if let Some(Err(error)) = listener.map(|kept| kept.and_then(|kept| proxy.listen(kept, &self.local, &self.team)))
        {
            tracing::error!(%error, "could not go on listening");
        }
    }

    fn listen(&self, proxy: &str, listener: StdListener) -> io::Result<()> {
        let proxy = self.proxies.get(proxy).ok_or(io::ErrorKind::NotFound)?;
        proxy.listen(listener, &self.local, &self.team)
    }

    fn adopt(&self, proxy: &str, ordinal: u64, client: StdStream) {
        if let (Some(proxy), Ok(client)) = (self.proxies.get(proxy), TcpStream::from_std(client)) {
            spawn_local(Rc::clone(proxy).serve(client, ordinal, self.local.clone()));
        }
    }

    async fn close(&self) {
        for proxy in self.proxies.values() {
            proxy.close();
        }
        for _ in 0..FAREWELLS {
            if self.proxies.values().all(|proxy| proxy.is_empty()) {
                break;
            }
            yield_now().await;
        }
    }
}
