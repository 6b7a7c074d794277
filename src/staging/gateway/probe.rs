//! The active health check: asks every backend for the configured path, every two seconds, and tells the balancer.
//!
//! An answer that is not 2xx, none within a second, or no connection is a failed probe. Started with the shop; decides
//! nothing, `balance` does.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::HOST;
use serde_json::json;

use super::balance::NAMES;
use crate::base::timer::Timer;
use crate::staging::inside::Inside;
use crate::staging::upstream::Upstream;

/// The time between two probes of a backend.
const EVERY: Duration = Duration::from_secs(2);
/// The longest a probe waits.
const PATIENCE: Duration = Duration::from_secs(1);

/// Probes backend `n` until the shop ends.
pub(in crate::staging) async fn keep_probing(inside: Arc<Inside>, n: usize, address: SocketAddr) -> io::Result<()> {
    let upstream = Upstream::new(address);
    let mut timer = Timer::new(&inside.settings.clock)?;
    let mut patience = Timer::new(&inside.settings.clock)?;
    let mut next = inside.now();
    loop {
        next = (next + EVERY).max(inside.now());
        timer.until(next).await;
        let path = inside.board().balance().health_path.clone();
        let given_up = inside.now() + PATIENCE;
        let well = tokio::select! {
            well = ask(&upstream, &path) => well,
            () = patience.until(given_up) => Err(()),
        };
        let changed = inside.balancer().probed(n, well);
        if let Some(healthy) = changed {
            let data = json!({"backend": NAMES[n], "healthy": healthy, "path": path});
            inside.log.event("health", inside.now(), &data);
        }
    }
}

async fn ask(upstream: &Upstream, path: &str) -> Result<(), ()> {
    let request = Request::get(path).header(HOST, "shop").body(Full::new(Bytes::new())).map_err(drop)?;
    let answer = upstream.send(request).await.map_err(drop)?;
    if answer.status().is_success() { Ok(()) } else { Err(()) }
}
