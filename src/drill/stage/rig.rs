//! The rig: starts the system that is shaken, piece by piece, and ends it in reverse order.
//!
//! ```text
//! shop:   database ─► proxy "db" (+4 ms on the way back) ─► shop ─► pages to the sandbox        all on free loopback ports
//! remote: nothing is started; its two addresses are pinned
//! ```
//! Not here: whether the system agrees to be shaken (`handshake`). Called by the stage.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::base::clock::Clock;
use crate::base::digest;
use crate::base::secret::Secret;
use crate::base::seed::Seed;
use crate::drill::lever::LeverError;
use crate::drill::lever::http::{Endpoint, Vouch};
use crate::fault::{FaultError, Proxies, ProxySpec};
use crate::measure::journal::{Undo, UndoProbe};
use crate::plan::drill::{Lever, Proof, ShopData, System, Technical};
use crate::plan::fault::{Side, Toxic};
use crate::staging::settings::{Data, Settings};
use crate::staging::shop::{Shop, ShopError};
use crate::staging::store::embedded::{Embedded, EmbeddedError};

/// The distance between the shop and its database: how long an answer is on its way back.
const DISTANCE: Duration = Duration::from_millis(4);
/// Bytes that may wait in each direction of the database's proxy.
const BUFFER: usize = 8 << 20;

/// Why the system could not be started.
#[derive(Debug, Error)]
pub enum RigError {
    /// The embedded database.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// The shop.
    #[error(transparent)]
    Shop(#[from] ShopError),
    /// The proxy before its database.
    #[error(transparent)]
    Fault(#[from] FaultError),
    /// The address of the database cannot be read; it is not repeated, as it may hold a password.
    #[error("the database's address is not of the form postgres://user@host:port/name")]
    Database,
    /// The guard says no.
    #[error("{0}")]
    NotAllowed(String),
    /// The address of a side of the system.
    #[error(transparent)]
    Address(#[from] LeverError),
    /// The admin token is not there.
    #[error("the environment variable {variable} is not set; it holds the admin token of the system")]
    NoToken {
        /// Its name.
        variable: String,
    },
    /// No token could be made.
    #[error("no randomness for the admin token: {0}")]
    Randomness(io::Error),
}

/// What a rig is started with.
pub(super) struct Needs<'a> {
    pub(super) clock: &'a Clock,
    pub(super) seed: Seed,
    /// The run's folder.
    pub(super) dir: &'a Path,
    /// Where the shop sends its pages.
    pub(super) pages_url: &'a str,
    pub(super) vouch: &'a Arc<Vouch>,
}

/// A system, up.
#[derive(Debug)]
pub(super) struct Rig {
    /// Where users go.
    pub(super) public: Endpoint,
    /// Where levers are.
    pub(super) admin: Endpoint,
    pub(super) proxies: Option<Proxies>,
    /// Environment variable with the admin token of a system that outlives us; `None` when it ends with us.
    outlives: Option<String>,
    // In the order in which they end.
    shop: Option<Shop>,
    _database: Option<Embedded>,
}

impl Rig {
    pub(super) async fn start(system: &System, needs: &Needs<'_>) -> Result<Self, RigError> {
        match system {
            System::Shop { data, in_flight, flag_poll, database } => {
                let kind = match data {
                    ShopData::Realistic => Data::Realistic,
                    ShopData::TestLike => Data::TestLike,
                };
                let tune = |settings: Settings| Settings {
                    data: kind,
                    in_flight: *in_flight,
                    flag_poll: *flag_poll,
                    ..settings
                };
                Self::shop(database.as_deref(), tune, needs).await
            }
            System::Remote { base, admin, token_env } => Self::remote(base, admin, token_env, needs),
        }
    }

    fn remote(base: &str, admin: &str, token_env: &str, needs: &Needs<'_>) -> Result<Self, RigError> {
        let token = if token_env.is_empty() {
            None
        } else {
            let value = std::env::var(token_env).map_err(|_| RigError::NoToken { variable: token_env.to_owned() })?;
            Some(Secret::new(value))
        };
        Ok(Self {
            public: Endpoint::at(base, None, needs.clock, &**needs.vouch)?,
            admin: Endpoint::at(admin, token, needs.clock, &**needs.vouch)?,
            proxies: None,
            outlives: Some(token_env.to_owned()),
            shop: None,
            _database: None,
        })
    }

    async fn shop(
        database: Option<&str>,
        tune: impl FnOnce(Settings) -> Settings,
        needs: &Needs<'_>,
    ) -> Result<Self, RigError> {
        let embedded = if database.is_none() { Some(Embedded::start()?) } else { None };
        let direct = match (database, &embedded) {
            (Some(url), _) => url.to_owned(),
            (None, Some(embedded)) => embedded.url(),
            (None, None) => String::new(),
        };
        let place = place_of(&direct).ok_or(RigError::Database)?;
        let upstream = (needs.vouch)(place.host, place.port).map_err(RigError::NotAllowed)?;
        let proxies = Proxies::start(needs.clock.clone(), needs.seed)?;
        let toxic = Toxic::Latency { time: DISTANCE, jitter: Duration::ZERO };
        let spec = ProxySpec {
            name: "db".to_owned(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            upstream,
            dial_timeout: Duration::from_secs(2),
            buffer: BUFFER,
            base: vec![(toxic, Side::Downstream)],
        };
        let near = proxies.add(spec).await?;
        let token = Secret::new(
            digest::token::<16>()
                .map_err(|_| RigError::Randomness(io::Error::other("the operating system gave none")))?,
        );
        let settings = Settings {
            seed: needs.seed,
            seed_database: Some(direct.clone()),
            alerts_to: Some(needs.pages_url.to_owned()),
            log: Some(staging_log(needs.dir)),
            ..Settings::new(needs.clock.clone(), place.through(near), token.clone())
        };
        let shop = Shop::start(tune(settings)).await?;
        Ok(Self {
            public: Endpoint::new(shop.gateway(), None, needs.clock),
            admin: Endpoint::new(shop.admin(), Some(token), needs.clock),
            proxies: Some(proxies),
            outlives: None,
            shop: Some(shop),
            _database: embedded,
        })
    }

    /// How `act` is healed when only the journal is left.
    pub(super) fn undo(&self, act: &Technical) -> Undo {
        let (Some(token_env), Some(Lever::Http { method, path, json })) = (&self.outlives, &act.revert) else {
            return Undo::DiesWithProcess;
        };
        let verify = match &act.proof {
            Proof::Probe(probe) => {
                Some(UndoProbe { url: self.admin.url(&probe.get), at: probe.at.clone(), is_not: probe.is.clone() })
            }
            Proof::Touched { .. } => None,
        };
        Undo::Http {
            method: method.clone(),
            url: self.admin.url(path),
            body: json.clone(),
            token_env: token_env.clone(),
            verify,
        }
    }

    /// Ends what was started: shop, proxies, database.
    pub(super) async fn stop(self) {
        if let Some(shop) = self.shop {
            shop.stop().await;
        }
        if let Some(proxies) = self.proxies {
            proxies.shutdown().await;
        }
    }
}

/// The staging system's own account of every second.
fn staging_log(dir: &Path) -> PathBuf {
    dir.join("staging.jsonl")
}

/// Where a `postgres://user@host:port/name` address points.
#[derive(Debug, PartialEq, Eq)]
struct Place<'a> {
    /// Up to the host.
    before: &'a str,
    host: &'a str,
    port: u16,
    /// From the slash on.
    after: &'a str,
}

impl Place<'_> {
    /// The same address, through `proxy`.
    fn through(&self, proxy: SocketAddr) -> String {
        format!("{}{proxy}{}", self.before, self.after)
    }
}

fn place_of(url: &str) -> Option<Place<'_>> {
    let rest_at = url.find("://")? + 3;
    let rest = url.get(rest_at..)?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, after) = rest.split_at(end);
    let host_at = authority.rfind('@').map_or(0, |at| at + 1);
    let authority = authority.get(host_at..)?;
    let bracket = authority.rfind(']');
    let (host, port) = match authority.rfind(':').filter(|at| bracket.is_none_or(|bracket| *at > bracket)) {
        Some(at) => (authority.get(..at)?, authority.get(at + 1..)?.parse().ok()?),
        None => (authority, 5432),
    };
    if host.is_empty() {
        return None;
    }
    Some(Place { before: url.get(..rest_at + host_at)?, host, port, after })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_address_is_led_through_the_proxy() {
        let proxy: SocketAddr = "127.0.0.1:9999".parse().unwrap();
        for (url, host, port, led) in [
            ("postgres://shop@127.0.0.1:5432/shop", "127.0.0.1", 5432, "postgres://shop@127.0.0.1:9999/shop"),
            ("postgres://a:p@ss@db/x?y=1", "db", 5432, "postgres://a:p@ss@127.0.0.1:9999/x?y=1"),
            ("postgres://[::1]:7000", "[::1]", 7000, "postgres://127.0.0.1:9999"),
            ("postgres://[::1]/n", "[::1]", 5432, "postgres://127.0.0.1:9999/n"),
        ] {
            let place = place_of(url).unwrap();
            assert_eq!((place.host, place.port, place.through(proxy)), (host, port, led.to_owned()), "{url}");
        }
        for url in ["postgres", "postgres://", "postgres://u@:5432/x", "postgres://h:port/x"] {
            assert_eq!(place_of(url), None, "{url}");
        }
    }
}
