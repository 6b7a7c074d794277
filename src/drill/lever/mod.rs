//! Levers: what a drill can pull, under a lease, with a proof and an undo that is read back.
//!
//! | lever | applied by | renewed by | healed by |
//! |---|---|---|---|
//! | `Http` | request with `X-Squall-Lease` | `PUT /admin/leases/{id}` | its `revert` request, read back by its probe |
//! | `Fault` | the proxies, leased | the proxies | the proxies, which verify it themselves |
//!
//! Not here: when to pull (`director`), the journal (`stage`).

mod fault;
pub mod http;
pub mod probe;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::Mutex;

use crate::base::clock::{Clock, Tick};
use crate::base::timer::Timer;
use crate::fault::{FaultError, Injection, Proxies};
use crate::plan::drill::{Act, Lever, Probe, Proof, Technical};
use http::{Ask, Endpoint};
use probe::{Look, Wanted};

/// How often an undo is tried.
const TRIES: u32 = 3;
/// Longest time for reading a healed state back.
pub const READ_BACK: Duration = Duration::from_secs(30);

/// Why a lever could not be pulled.
#[derive(Debug, Error)]
pub enum LeverError {
    /// The address cannot be used.
    #[error("{url} cannot be used: {why}")]
    Address {
        /// As it is written.
        url: String,
        /// Why not.
        why: String,
    },
    /// No connection, or a broken one.
    #[error("{address}: {source}")]
    Io {
        /// Host and port.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// No answer in time.
    #[error("{method} {url} had no answer within {limit_s} s")]
    Late {
        /// The method.
        method: String,
        /// The URL.
        url: String,
        /// The limit, s.
        limit_s: u64,
    },
    /// Not a 2xx.
    #[error("{method} {path} was refused with {status}: {text}")]
    Refused {
        /// The method.
        method: String,
        /// The path.
        path: String,
        /// The status.
        status: u16,
        /// The beginning of the answer.
        text: String,
    },
    /// The value of a probe is not there.
    #[error("{url}: {why}")]
    Probe {
        /// The URL.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// The change has no lease, so a crash would leave it in force.
    #[error("{url} gave no lease on the change; it was undone")]
    NoLease {
        /// The URL.
        url: String,
    },
    /// The fault proxy refused.
    #[error(transparent)]
    Fault(#[from] FaultError),
    /// The system has no proxies.
    #[error("this system has no proxy called `{0}`")]
    NoProxy(String),
}

/// What a renewal found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// The lease goes on.
    Renewed,
    /// Nobody could be asked; the lease has not yet run out.
    Unasked(String),
    /// Somebody has undone the change.
    Undone,
    /// It lasted as long as it should and ended by itself.
    Over,
    /// The lease ended by itself; why.
    Lost(String),
}

/// What is held of one act in force.
#[derive(Debug, Default)]
struct Held {
    /// The target's name of the lease.
    lease: Option<String>,
    /// When it ends unless renewed.
    until: Tick,
    /// The guard of a fault.
    injection: Option<Injection>,
}

/// The levers of one drill.
#[derive(Debug)]
pub struct Levers {
    admin: Endpoint,
    proxies: Option<Proxies>,
    clock: Clock,
    /// Names the drill in `X-Squall-Lease`.
    drill: String,
    /// By act: whoever applies, renews or reverts one holds its lock, so that an undo never overtakes its change.
    held: Vec<Mutex<Held>>,
}

impl Levers {
    /// Levers for `acts` acts on the admin side `admin`, and on `proxies` if the system has any.
    pub fn new(admin: Endpoint, proxies: Option<Proxies>, clock: &Clock, drill: &str, acts: usize) -> Arc<Self> {
        let held = (0..acts).map(|_| Mutex::default()).collect();
        Arc::new(Self { admin, proxies, clock: clock.clone(), drill: drill.to_owned(), held })
    }

    /// The admin side.
    pub fn admin(&self) -> &Endpoint {
        &self.admin
    }

    /// Puts act number `n` in force.
    ///
    /// # Errors
    /// When it was refused, or nobody knows whether it took.
    pub async fn apply(&self, n: usize, act: &Act) -> Result<(), LeverError> {
        let Some(slot) = self.held.get(n) else { return Ok(()) };
        let mut held = slot.lock().await;
        let lease = act.does.lease;
        match &act.does.apply {
            Lever::Http { method, path, json } => {
                let terms = format!("{}ms; drill={}", lease.as_millis(), self.drill);
                let ask = Ask { method, path, json, lease: &terms };
                let answer = self.admin.send(&ask).await?.accepted(&ask)?;
                let name = answer.json().get("lease").and_then(|name| name.as_str()).map(str::to_owned);
                let granted = name.is_some();
                *held = Held { lease: name, until: self.clock.now() + lease, injection: None };
                if granted {
                    return Ok(());
                }
                self.undo(&mut held, &act.does).await?;
                Err(LeverError::NoLease { url: self.admin.url(path) })
            }
            Lever::Fault(fault) => {
                let injection = fault::inject(self.proxies.as_ref(), fault, lease).await?;
                *held = Held { lease: None, until: self.clock.now() + lease, injection: Some(injection) };
                Ok(())
            }
        }
    }

    /// Seeks the proof that the act touched something. In words, when it was seen in time.
    ///
    /// # Errors
    /// What was seen instead, in words.
    pub async fn prove(&self, act: &Act) -> Result<String, String> {
        match &act.does.proof {
            Proof::Probe(probe) => {
                let look = Look { path: &probe.get, at: &probe.at, wanted: Wanted::Is(&probe.is) };
                probe::wait_for(&self.admin, look, &self.clock, probe.within).await
            }
            Proof::Touched { at_least, within } => {
                let Lever::Fault(fault) = &act.does.apply else {
                    return Err("only a fault can count what it touched".to_owned());
                };
                fault::wait_touched(self.proxies.as_ref(), &fault.name, *at_least, (&self.clock, *within)).await
            }
        }
    }

    /// Renews the lease of act number `n`.
    pub async fn renew(&self, n: usize, act: &Act) -> Renewal {
        let Some(slot) = self.held.get(n) else { return Renewal::Undone };
        let mut held = slot.lock().await;
        let lease = act.does.lease;
        let found = match (&act.does.apply, &held.lease) {
            (Lever::Fault(fault), _) => fault::renew(self.proxies.as_ref(), fault, lease).await,
            (Lever::Http { .. }, Some(name)) => self.renew_at_target(name, lease).await,
            (Lever::Http { .. }, None) => Renewal::Lost("the system gave none".to_owned()),
        };
        let now = self.clock.now();
        match found {
            Renewal::Renewed => held.until = now + lease,
            Renewal::Unasked(why) if now >= held.until => return Renewal::Lost(why),
            _ => {}
        }
        found
    }

    async fn renew_at_target(&self, name: &str, lease: Duration) -> Renewal {
        let path = format!("/admin/leases/{name}");
        let json = serde_json::json!({"for": format!("{}ms", lease.as_millis())}).to_string();
        let ask = Ask::new("PUT", &path, &json);
        match self.admin.send(&ask).await {
            Ok(answer) if (200..300).contains(&answer.status) => Renewal::Renewed,
            Ok(answer) if answer.status == 410 && answer.json()["error"] == "lease_undone" => Renewal::Undone,
            Ok(answer) if matches!(answer.status, 404 | 410) => {
                Renewal::Lost(answer.json()["reason"].as_str().unwrap_or("the system no longer knows it").to_owned())
            }
            Ok(answer) => match answer.accepted(&ask) {
                Ok(_) => Renewal::Renewed,
                Err(error) => Renewal::Unasked(error.to_string()),
            },
            Err(error) => Renewal::Unasked(error.to_string()),
        }
    }

    /// Undoes act number `n`: three tries, a second apart.
    ///
    /// # Errors
    /// Why the last try failed, in words.
    pub async fn revert(&self, n: usize, act: &Act) -> Result<(), String> {
        let Some(slot) = self.held.get(n) else { return Ok(()) };
        let mut held = slot.lock().await;
        let mut timer = Timer::new(&self.clock).map_err(|error| error.to_string())?;
        let mut tried = 0;
        loop {
            tried += 1;
            match self.undo(&mut held, &act.does).await {
                Ok(()) => return Ok(()),
                Err(error) if tried >= TRIES => return Err(format!("{error} (tried {TRIES} times)")),
                Err(_) => timer.until(self.clock.now() + Duration::from_secs(1)).await,
            }
        }
    }

    async fn undo(&self, held: &mut Held, does: &Technical) -> Result<(), LeverError> {
        match (&does.revert, &does.apply) {
            (Some(Lever::Http { method, path, json }), _) => {
                let ask = Ask::new(method, path, json);
                self.admin.send(&ask).await?.accepted(&ask)?;
                held.lease = None;
                Ok(())
            }
            (Some(Lever::Fault(fault)), _) | (None, Lever::Fault(fault)) => {
                fault::heal(self.proxies.as_ref(), &fault.name, held.injection.take()).await
            }
            // `check` refuses such an act; its lease is then all that ends it.
            (None, Lever::Http { .. }) => Ok(()),
        }
    }

    /// Reads back, for at most `within`, that the act is no longer in force. What was seen, in words.
    ///
    /// # Errors
    /// What was seen last, in words.
    pub async fn read_back(&self, act: &Act, within: Duration) -> Result<String, String> {
        match (&act.does.proof, &act.does.apply) {
            (_, Lever::Fault(fault)) => fault::read_back(self.proxies.as_ref(), &fault.name).await,
            (Proof::Probe(probe), Lever::Http { .. }) => {
                let look = Look { path: &probe.get, at: &probe.at, wanted: Wanted::IsNot(&probe.is) };
                probe::wait_for(&self.admin, look, &self.clock, within).await
            }
            (Proof::Touched { .. }, Lever::Http { .. }) => Err("it has no probe to read back".to_owned()),
        }
    }

    /// Carries out a mitigation's request; without a lease, because it is meant to stay.
    ///
    /// # Errors
    /// When it was refused or not answered.
    pub async fn perform(&self, lever: &Lever) -> Result<(), LeverError> {
        match lever {
            Lever::Http { method, path, json } => {
                let ask = Ask::new(method, path, json);
                self.admin.send(&ask).await?.accepted(&ask).map(drop)
            }
            Lever::Fault(fault) => Err(LeverError::NoProxy(fault.on.clone())),
        }
    }

    /// Waits for the text a mitigation's probe wants. What was seen, in words.
    ///
    /// # Errors
    /// What was seen last, in words.
    pub async fn wait_for(&self, probe: &Probe) -> Result<String, String> {
        let look = Look { path: &probe.get, at: &probe.at, wanted: Wanted::Is(&probe.is) };
        probe::wait_for(&self.admin, look, &self.clock, probe.within).await
    }
}
