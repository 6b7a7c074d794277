//! The pricing service, and a backend's way to it.
//!
//! ```text
//! backend ─► at most 12 questions at a time ─► (a proxy may stand here) ─► pricing service
//! ```
//! What a backend can ask in a second is 12 / the time of one question: with 40 ms of distance 300 pages per second, however
//! idle everything else is. The service answers at once. Called by `shop` (its own thread) and the backends (questions).

use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::thread::{Builder as ThreadBuilder, JoinHandle};
use std::time::Duration;
use std::{fmt, io};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::serve::{always_open, json_reply, serve};
use super::upstream::Upstream;
use crate::base::clock::Clock;
use crate::base::stop::{Stop, StopReason};

/// Questions of one backend at a time.
const TOGETHER: usize = 12;
/// The longest a page waits for its prices.
const PATIENCE: Duration = Duration::from_secs(2);

/// The service. Dropping it ends it.
#[derive(Debug)]
pub struct Pricing {
    address: SocketAddr,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Pricing {
    /// Starts it on a free port of loopback and a thread of its own: its caller's runtime may be a busy one.
    ///
    /// # Errors
    /// When there is no port or thread left.
    pub fn start(clock: Clock) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let stop = Stop::new();
        let heard = stop.clone();
        let thread = ThreadBuilder::new().name("pricing".to_owned()).spawn(move || {
            runtime.block_on(async {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                let answer = async |_| json_reply(StatusCode::OK, &json!({"currency": "EUR", "discount_pct": 0}));
                tokio::select! {
                    () = serve(listener, clock, always_open(), answer) => {}
                    _ = heard.requested() => {}
                }
            });
        })?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Pricing {
    fn drop(&mut self) {
        self.stop.request(StopReason::Finished);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// A backend's way to the service.
pub(super) struct Prices {
    places: Semaphore,
    upstream: Arc<Upstream>,
}

impl fmt::Debug for Prices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prices").field("free", &self.places.available_permits()).finish_non_exhaustive()
    }
}

impl Prices {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { places: Semaphore::new(TOGETHER), upstream: Upstream::new(address) }
    }

    /// Asks once for a page's prices; why there are none, in words.
    pub(super) async fn ask(&self) -> Result<(), String> {
        let asked = async {
            let _place = self.places.acquire().await.map_err(|error| error.to_string())?;
            let request = Request::get("/prices").header(HOST, "pricing").body(Full::new(Bytes::new()));
            self.upstream.send(request.map_err(|error| error.to_string())?).await
        };
        let answer =
            timeout(PATIENCE, asked).await.map_err(|_| format!("no prices within {} s", PATIENCE.as_secs()))??;
        if answer.status().is_success() { Ok(()) } else { Err(format!("the pricing service said {}", answer.status())) }
    }

    /// Questions on their way.
    pub(super) fn in_use(&self) -> usize {
        TOGETHER - self.places.available_permits()
    }
}
