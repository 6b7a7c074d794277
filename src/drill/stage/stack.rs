//! The shop with everything it stands on: database, the proxy that is its distance, then the shop itself.
//!
//! `staging` and `fault` are strangers; this joins them. Called by the rig of a drill and by `squall staging`.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use thiserror::Error;

use crate::base::clock::Clock;
use crate::base::digest;
use crate::base::secret::Secret;
use crate::base::seed::Seed;
use crate::drill::keeper::KeeperError;
use crate::drill::lever::LeverError;
use crate::drill::lever::http::Vouch;
use crate::fault::{FaultError, Proxies, ProxySpec};
use crate::plan::fault::rule::Speaks;
use crate::plan::fault::{Side, Toxic};
use crate::staging::pricing::Pricing;
use crate::staging::settings::{Behind, Pass, Settings};
use crate::staging::shop::{Shop, ShopError};
use crate::staging::store::embedded::{Embedded, EmbeddedError};

/// The distance between the shop and its database: how long an answer is on its way back.
const DISTANCE: Duration = Duration::from_millis(4);
/// How long an answer of the pricing service travels.
const PRICING_DISTANCE: Duration = Duration::from_millis(40);
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
    /// The pricing service.
    #[error("start the pricing service: {0}")]
    Pricing(io::Error),
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
    /// Nobody would hold what the drill puts in force.
    #[error("this drill needs a keeper, and none can be started here")]
    NoKeeper,
    /// The keeper.
    #[error(transparent)]
    Keeper(#[from] KeeperError),
    /// No token could be made.
    #[error("no randomness for the admin token: {0}")]
    Randomness(io::Error),
}

/// A random admin token.
///
/// # Errors
/// When the operating system has no randomness to give.
pub fn fresh_token() -> Result<Secret, RigError> {
    let none = |_| RigError::Randomness(io::Error::other("the operating system gave none"));
    digest::token::<16>().map(Secret::new).map_err(none)
}

/// What a stack is started on.
pub struct Ground<'a> {
    /// Clock of the shop and the proxy.
    pub clock: &'a Clock,
    /// Seed of the shop's data.
    pub seed: Seed,
    /// Which shop it is.
    pub pass: Pass,
    /// A real PostgreSQL; `None`: the embedded database.
    pub database: Option<&'a str>,
    /// Whether its host may be used.
    pub vouch: &'a Vouch,
}

impl std::fmt::Debug for Ground<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ground").field("seed", &self.seed).finish_non_exhaustive()
    }
}

/// A shop, up, on its database behind the proxy `db`.
#[derive(Debug)]
pub struct Stack {
    // In the order in which they end.
    shop: Shop,
    proxies: Proxies,
    _pricing: Option<Pricing>,
    _database: Option<Embedded>,
}

impl Stack {
    /// Starts database, proxy and shop; `tune` changes the shop's settings, the database's address excepted.
    ///
    /// # Errors
    /// When a part does not start, or the database may not be used.
    pub async fn start(
        ground: &Ground<'_>,
        token: Secret,
        tune: impl FnOnce(Settings) -> Settings,
    ) -> Result<Self, RigError> {
        let embedded = if ground.database.is_none() { Some(Embedded::start()?) } else { None };
        let direct = match (ground.database, &embedded) {
            (Some(url), _) => url.to_owned(),
            (None, Some(embedded)) => embedded.url(),
            (None, None) => String::new(),
        };
        let place = place_of(&direct).ok_or(RigError::Database)?;
        let upstream = (ground.vouch)(place.host, place.port).map_err(RigError::NotAllowed)?;
        let proxies = Proxies::start(ground.clock.clone(), ground.seed)?;
        let near = proxies.add(apart("db", upstream, DISTANCE)).await?;
        let pricing = if ground.pass.asks_prices() {
            Some(Pricing::start(ground.clock.clone()).map_err(RigError::Pricing)?)
        } else {
            None
        };
        let prices = match &pricing {
            Some(pricing) => Some(proxies.add(apart("pricing", pricing.address(), PRICING_DISTANCE)).await?),
            None => None,
        };
        let settings = tune(Settings::new(ground.clock.clone(), place.through(near), token));
        let behind = Behind { direct: Some(direct.clone()), pricing: prices, ..settings.behind };
        let settings = Settings { seed: ground.seed, pass: ground.pass, behind, ..settings };
        let shop = Shop::start(settings).await?;
        Ok(Self { shop, proxies, _pricing: pricing, _database: embedded })
    }

    /// The shop's public address.
    pub fn gateway(&self) -> SocketAddr {
        self.shop.gateway()
    }

    /// The shop's admin address.
    pub fn admin(&self) -> SocketAddr {
        self.shop.admin()
    }

    /// The proxies of the stack.
    pub fn proxies(&self) -> Proxies {
        self.proxies.clone()
    }

    /// Ends shop, proxy and database, in this order.
    pub async fn stop(self) {
        self.shop.stop().await;
        self.proxies.shutdown().await;
    }
}

/// A proxy that puts `upstream` at a distance: its answers are late, each by itself.
fn apart(name: &str, upstream: SocketAddr, distance: Duration) -> ProxySpec {
    ProxySpec {
        name: name.to_owned(),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        upstream,
        dial_timeout: Duration::from_secs(2),
        buffer: BUFFER,
        base: vec![(Toxic::latency(distance), Side::Downstream)],
        speaks: Speaks::default(),
    }
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
