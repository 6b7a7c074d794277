//! A proxy on one worker: its listener, its connections and the snapshot they live under.
//!
//! Not here: the bytes (`pump`), who may change the snapshot (`control`). Held by `worker`; local to its thread.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, spawn_local};

use super::connections::Connection;
use super::dial::dial;
use super::link::{Link, LinkKey};
use super::parcel::Close;
use super::pump::{Local, Pump, Seat, end};
use super::rule::World;
use super::snapshot::Snapshot;
use super::stats::Traffic;
use super::worker::{Command, Team};
use crate::base::clock::Tick;
use crate::plan::fault::rule::Speaks;
use crate::plan::fault::{Side, Toxic};

/// Rest after a failed accept, such as "no descriptor left".
const ACCEPT_REST: Duration = Duration::from_millis(20);

/// A listener at `address`.
///
/// # Errors
/// The system's.
pub(super) fn bind(address: SocketAddr) -> io::Result<StdListener> {
    StdListener::bind(address)
}

/// A proxy as its owner describes it.
#[derive(Clone, Debug)]
pub struct ProxySpec {
    /// Faults name it.
    pub name: String,
    /// Port 0: any free one.
    pub listen: SocketAddr,
    /// Where connections go.
    pub upstream: SocketAddr,
    /// How long a dial may take; a client whose dial failed is accepted, then closed (FIN).
    pub dial_timeout: Duration,
    /// Bytes that may wait in each direction, at least 64 KiB; when full, the proxy stops reading.
    pub buffer: usize,
    /// Toxics that belong to the path itself, such as its distance: not leased, not counted, never healed.
    pub base: Vec<(Toxic, Side)>,
    /// What is read of its connections: rules need their protocol.
    pub speaks: Speaks,
}

/// What every worker knows of a proxy.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) name: Arc<str>,
    pub(super) spec: ProxySpec,
    /// Connections with both ends up, over all workers.
    pub(super) open: AtomicUsize,
    /// Ordinal of the next connection; it goes on when the proxy is defined anew.
    pub(super) next: AtomicU64,
    /// Bytes, over all workers.
    pub(super) traffic: Arc<Traffic>,
    /// What its connections share.
    pub(super) world: Arc<World>,
}

/// A proxy on one worker.
#[derive(Debug)]
pub(super) struct Proxy {
    definition: Arc<Definition>,
    /// Keys of its draws; the connection is filled in for each.
    key: LinkKey,
    snapshot: RefCell<Arc<Snapshot>>,
    seats: RefCell<BTreeMap<u64, Rc<Seat>>>,
    listener: RefCell<Option<TcpListener>>,
    acceptor: RefCell<Option<AbortHandle>>,
    /// Where it listened when a fault closed the listener.
    refused: Cell<Option<SocketAddr>>,
}

impl Proxy {
    pub(super) fn new(definition: Arc<Definition>, key: LinkKey, snapshot: Arc<Snapshot>) -> Self {
        Self {
            definition,
            key,
            snapshot: RefCell::new(snapshot),
            seats: RefCell::default(),
            listener: RefCell::default(),
            acceptor: RefCell::default(),
            refused: Cell::default(),
        }
    }

    /// Accepts from `listener`; connections are dealt out to the team by their ordinal.
    pub(super) fn listen(self: &Rc<Self>, listener: StdListener, local: &Local, team: &Team) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        if self.snapshot.borrow().refuses() {
            self.refused.set(Some(listener.local_addr()?));
            return Ok(());
        }
        self.listener.replace(Some(listener));
        let acceptor = spawn_local(Rc::clone(self).accept(local.clone(), team.clone()));
        if let Some(old) = self.acceptor.replace(Some(acceptor.abort_handle())) {
            old.abort();
        }
        Ok(())
    }

    /// Gives the listener away, to the proxy's next definition.
    pub(super) fn take_listener(&self) -> Option<io::Result<StdListener>> {
        self.listener.take().map(TcpListener::into_std)
    }

    /// A listener that a fault has closed opens again here, when the fault goes.
    pub(super) fn inherit(&self, old: &Self) {
        self.refused.set(old.refused.take().map(|_| self.definition.spec.listen));
    }

    /// A fault that refuses came or went: the listener closes, or opens again at its old address.
    fn follow(self: &Rc<Self>, local: &Local, team: &Team) {
        let refuses = self.snapshot.borrow().refuses();
        if refuses && self.refused.get().is_none() {
            let listener = self.listener.take();
            self.refused.set(listener.and_then(|listener| listener.local_addr().ok()));
            self.hush();
        } else if let Some(address) = self.refused.take().filter(|_| !refuses)
            && let Err(error) = bind(address).and_then(|listener| self.listen(listener, local, team))
        {
            tracing::error!(proxy = &*self.definition.name, %address, %error, "could not listen again after a fault");
        }
    }

    fn hush(&self) {
        drop(self.listener.take());
        if let Some(acceptor) = self.acceptor.take() {
            acceptor.abort();
        }
    }

    async fn accept(self: Rc<Self>, local: Local, team: Team) {
        loop {
            // The listener is in nobody's hands between two looks, so that closing it closes it at once.
            let next = poll_fn(|cx| match &*self.listener.borrow() {
                Some(listener) => listener.poll_accept(cx).map(Some),
                None => Poll::Ready(None),
            });
            match next.await {
                Some(Ok((client, _))) => {
                    self.deal(client, self.definition.next.fetch_add(1, Relaxed), &local, &team);
                }
                Some(Err(error)) => {
                    tracing::warn!(proxy = &*self.definition.name, %error, "could not accept");
                    local.wakes.until(local.wakes.clock().now() + ACCEPT_REST).await;
                }
                None => return,
            }
        }
    }

    fn deal(self: &Rc<Self>, client: TcpStream, ordinal: u64, local: &Local, team: &Team) {
        let Some(mate) = team.mate(ordinal) else {
            spawn_local(Rc::clone(self).serve(client, ordinal, local.clone()));
            return;
        };
        if let Ok(client) = client.into_std() {
            // A worker that is gone closes the connection by dropping it.
            drop(mate.send(Command::Adopt { proxy: Arc::clone(&self.definition.name), ordinal, client }));
        }
    }

    /// Carries one connection from its dial to its end.
    pub(super) async fn serve(self: Rc<Self>, client: TcpStream, ordinal: u64, local: Local) {
        let spec = &self.definition.spec;
        let server = match dial(spec.upstream, spec.dial_timeout, &local.wakes).await {
            Ok(server) => server,
            Err(error) => {
                tracing::debug!(proxy = &*self.definition.name, %error, "could not reach the upstream");
                end(client, Close::Fin);
                return;
            }
        };
        // Whoever wrote small pieces decided so; a proxy must not gather them. A socket that refuses is still a socket.
        drop(client.set_nodelay(true));
        drop(server.set_nodelay(true));
        let seat = self.seat(ordinal, client.peer_addr().ok(), &local);
        Pump::new((client, server), spec.buffer, local, Arc::clone(&self.definition.traffic)).run(seat).await;
        self.seats.borrow_mut().remove(&ordinal);
        self.definition.open.fetch_sub(1, Relaxed);
    }

    fn seat(&self, ordinal: u64, peer: Option<SocketAddr>, local: &Local) -> Rc<Seat> {
        let key = LinkKey { connection: ordinal, ..self.key };
        let link = Link::open(
            key,
            (&self.definition.spec.speaks, &self.definition.world),
            &self.snapshot.borrow(),
            local.wakes.clock().now(),
        );
        let seat = Rc::new(Seat::new(link, peer));
        self.seats.borrow_mut().insert(ordinal, Rc::clone(&seat));
        self.definition.open.fetch_add(1, Relaxed);
        seat
    }

    /// Puts `snapshot` in force on every connection, without touching a socket. Returns how many connections still carry
    /// a fault that it does not hold: none, or healing has failed.
    pub(super) fn swap(self: &Rc<Self>, snapshot: Arc<Snapshot>, local: &Local, team: &Team) -> usize {
        let now = local.wakes.clock().now();
        let mut strays = 0;
        for seat in self.seats.borrow().values() {
            strays += seat.change(|link| {
                link.sync(&snapshot, now);
                usize::from(link.strays(&snapshot))
            });
        }
        self.snapshot.replace(snapshot);
        self.follow(local, team);
        strays
    }

    /// The connections of this worker.
    pub(super) fn list(&self, now: Tick) -> Vec<Connection> {
        let one = |(ordinal, seat): (&u64, &Rc<Seat>)| seat.describe(*ordinal, now);
        self.seats.borrow().iter().map(one).collect()
    }

    /// Ends a connection with a reset, if it is here.
    pub(super) fn cut(&self, ordinal: u64) -> bool {
        let seat = self.seats.borrow().get(&ordinal).cloned();
        seat.inspect(|seat| seat.change(|link| link.doom(Close::Rst))).is_some()
    }

    /// Closes the listener first, then the connections (FIN).
    pub(super) fn close(&self) {
        self.refused.set(None);
        self.hush();
        for seat in self.seats.borrow().values() {
            seat.change(|link| link.doom(Close::Fin));
        }
    }

    /// True when no connection is left.
    pub(super) fn is_empty(&self) -> bool {
        self.seats.borrow().is_empty()
    }
}
