//! The shop as a whole: fills the database, opens the ports, runs on a thread of its own, and ends when told.
//!
//! Called by the drill's rig, the command line and tests. It shares no runtime with its caller: a shop that is busy
//! must not delay the load that measures it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::{Builder as ThreadBuilder, JoinHandle};
use std::{io, mem};

use serde_json::json;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};

use super::admin::Admin;
use super::backend::Backend;
use super::backup::keep::keep_snapshots;
use super::caretaker::{close_seconds, look_after};
use super::gateway::Gateway;
use super::gateway::balance::NAMES;
use super::gateway::probe::keep_probing;
use super::inside::{Counters, Filled, Inside};
use super::log::Log;
use super::pager::{self, Receiver};
use super::releases::Release;
use super::serve::{always_open, serve};
use super::settings::Settings;
use super::store::filling::{FillError, fill};
use super::store::pool::Pool;
use super::store::schema::Carts;
use crate::base::clock::Tick;
use crate::base::stop::{Stop, StopReason};

/// Why a shop did not start.
#[derive(Debug, Error)]
pub enum ShopError {
    /// A port is taken or not allowed.
    #[error("listen on 127.0.0.1:{port} for the shop's {part}: {source}; 0 takes a free port")]
    Listen {
        /// Whose port: gateway, a, b, dr, admin.
        part: &'static str,
        /// The port asked for.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The database could not be reached, filled, or belongs to somebody else.
    #[error(transparent)]
    Fill(#[from] FillError),
    /// The log cannot be written.
    #[error("write the shop's log {path}: {source}")]
    Log {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Pages cannot be sent there.
    #[error("pages of the shop's alert: {0}")]
    Alerts(String),
    /// No thread, or no descriptor left.
    #[error("start the shop's thread: {0}")]
    Thread(#[from] io::Error),
    /// It was stopped, or its thread ended, before it was open.
    #[error("the shop was stopped before it was open")]
    Stopped,
}

/// Where an open shop listens.
#[derive(Clone, Copy, Debug)]
struct Addresses {
    gateway: SocketAddr,
    backends: [SocketAddr; NAMES.len()],
    admin: SocketAddr,
}

/// An open shop. Dropping it closes it: connections are cut and ports are free again.
#[derive(Debug)]
pub struct Shop {
    addresses: Addresses,
    running: Running,
}

/// The thread of a shop; dropping it stops and joins.
#[derive(Debug)]
struct Running {
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.request(StopReason::Finished);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Shop {
    /// Fills the database, warms the cache and opens the ports. Ready when it returns.
    pub async fn start(settings: Settings) -> Result<Self, ShopError> {
        let (tell, told) = oneshot::channel();
        let stop = Stop::new();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let heard = stop.clone();
        let thread = ThreadBuilder::new().name("shop".to_owned()).spawn(move || {
            let inside = runtime.block_on(open(settings, &heard, tell));
            // Drops every handler and connection; what was still running is counted as abandoned.
            drop(runtime);
            if let Some(inside) = inside {
                close_seconds(&inside, Tick::MAX);
                inside.log.event("closed", inside.now(), &json!({}));
            }
        })?;
        let running = Running { stop, thread: Some(thread) };
        let addresses = told.await.map_err(|_| ShopError::Stopped)??;
        Ok(Self { addresses, running })
    }

    /// The public address.
    pub fn gateway(&self) -> SocketAddr {
        self.addresses.gateway
    }

    /// The admin address.
    pub fn admin(&self) -> SocketAddr {
        self.addresses.admin
    }

    /// The backends' addresses: `a`, `b` and the backup `dr`.
    pub fn backends(&self) -> [SocketAddr; NAMES.len()] {
        self.addresses.backends
    }

    /// Closes the shop; when it returns, its ports are free and its log is complete.
    pub async fn stop(mut self) {
        self.running.stop.request(StopReason::Finished);
        let thread = mem::take(&mut self.running.thread);
        let (tell, told) = oneshot::channel();
        // Joined elsewhere: the caller's runtime may be the one that carries the shop's connections.
        let joined = ThreadBuilder::new().name("shop-end".to_owned()).spawn(move || {
            drop(thread.map(JoinHandle::join));
            // Nobody waits any more when the caller has dropped its future.
            let _: Result<(), ()> = tell.send(());
        });
        if joined.is_ok() {
            drop(told.await);
        }
    }
}

/// Opens the shop, tells the starter, and serves until the stop word. `None` when it did not open.
async fn open(
    settings: Settings,
    stop: &Stop,
    tell: oneshot::Sender<Result<Addresses, ShopError>>,
) -> Option<Arc<Inside>> {
    let opened = tokio::select! {
        _ = stop.requested() => return None,
        opened = prepare(settings) => opened,
    };
    let opened = opened.and_then(|(inside, listeners)| run(&inside, listeners).map(|addresses| (inside, addresses)));
    let (inside, addresses) = match opened {
        Ok(open) => open,
        Err(error) => {
            // A starter that has gone does not want to know.
            drop(tell.send(Err(error)));
            return None;
        }
    };
    let (gateway, admin) = (addresses.gateway.to_string(), addresses.admin.to_string());
    let data =
        json!({"id": inside.settings.id, "release": Release::default().name(), "gateway": gateway, "admin": admin});
    inside.log.event("boot", inside.now(), &data);
    if tell.send(Ok(addresses)).is_ok() {
        stop.requested().await;
    }
    Some(inside)
}

/// The listeners of gateway, a, b, dr and admin.
type Listeners = [TcpListener; 5];

async fn prepare(settings: Settings) -> Result<(Arc<Inside>, Listeners), ShopError> {
    let ports = settings.ports;
    // First of all: a port that is taken should not cost the time of filling a database.
    let listeners = [
        listen("gateway", ports.gateway).await?,
        listen("a", ports.a).await?,
        listen("b", ports.b).await?,
        listen("dr", ports.dr).await?,
        listen("admin", ports.admin).await?,
    ];
    let receiver = settings.alerts_to.as_deref().map(Receiver::parse).transpose().map_err(ShopError::Alerts)?;
    let log = Log::open(settings.clock.clone(), settings.log.as_deref())
        .map_err(|source| ShopError::Log { path: settings.log.clone().unwrap_or_default(), source })?;
    let carts = Carts::new(settings.seed, settings.data);
    let (catalogue, last_order) = fill(settings.direct(), settings.seed, &carts).await?;
    let queries = Arc::new(AtomicU64::new(0));
    let pool = || Pool::new(&settings.behind.database, Arc::clone(&queries));
    let pools = [pool()?, pool()?, pool()?];
    let counters = Counters { queries: Arc::clone(&queries), ..Counters::default() };
    let filled = Filled { carts, catalogue, last_order };
    let inside = Arc::new(Inside::new(settings, filled, log, (counters, pools)));
    inside.alert().rule.to = receiver;
    Ok((inside, listeners))
}

async fn listen(part: &'static str, port: u16) -> Result<TcpListener, ShopError> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    bound.map_err(|source| ShopError::Listen { part, port, source })
}

/// Starts everything that serves; it ends with the runtime.
fn run(inside: &Arc<Inside>, listeners: Listeners) -> Result<Addresses, ShopError> {
    let clock = &inside.settings.clock;
    let [public, a, b, dr, private] = listeners;
    let backends = [a.local_addr()?, b.local_addr()?, dr.local_addr()?];
    let addresses = Addresses { gateway: public.local_addr()?, backends, admin: private.local_addr()? };
    for (index, listener) in [a, b, dr].into_iter().enumerate() {
        let backend = Backend::new(Arc::clone(inside), index);
        let open = inside.doors[index].subscribe();
        tokio::spawn(serve(listener, clock.clone(), open, move |request| backend.clone().answer(request)));
        tokio::spawn(keep_probing(Arc::clone(inside), index, backends[index]));
    }
    let gateway = Gateway::new(Arc::clone(inside), backends);
    tokio::spawn(serve(public, clock.clone(), always_open(), move |request| Arc::clone(&gateway).answer(request)));
    let admin = Admin::new(Arc::clone(inside), backends);
    tokio::spawn(serve(private, clock.clone(), always_open(), move |request| Arc::clone(&admin).answer(request)));
    tokio::spawn(keep_snapshots(Arc::clone(inside)));
    let (pages, to_send) = mpsc::unbounded_channel();
    tokio::spawn(pager::send(Arc::clone(inside), to_send));
    tokio::spawn(look_after(Arc::clone(inside), pages));
    Ok(addresses)
}
