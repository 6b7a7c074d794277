//! What a shop is started with. Called by whoever starts one: the drill's rig, the command line, tests.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::base::seed::Seed;

/// The shop's ports on loopback; 0 takes a free one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// The public address.
    pub gateway: u16,
    /// Backend `a`.
    pub a: u16,
    /// Backend `b`.
    pub b: u16,
    /// The backup `dr`.
    pub dr: u16,
    /// The admin address.
    pub admin: u16,
}

impl Ports {
    /// The ports of a shop that people talk to: 8080, 8081, 8082, 8083 and 8090.
    pub const USUAL: Self = Self { gateway: 8080, a: 8081, b: 8082, dr: 8083, admin: 8090 };
}

/// How long things take that the shop does by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paces {
    /// How often `a` and `b` look at the flags.
    pub flag_poll: (Duration, Duration),
    /// How long a deployment takes per backend.
    pub deploy_step: Duration,
    /// How often a snapshot of the orders is taken.
    pub snapshot_every: Duration,
    /// How many snapshots are kept, at least one.
    pub keep: usize,
}

impl Default for Paces {
    /// Looks every 5 and 15 s, 20 s per deployed backend, a snapshot a minute, five of them kept.
    fn default() -> Self {
        Self {
            flag_poll: (Duration::from_secs(5), Duration::from_secs(15)),
            deploy_step: Duration::from_secs(20),
            snapshot_every: Duration::from_secs(60),
            keep: 5,
        }
    }
}

/// Which shop it is: what a page costs, and how it is operated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pass {
    /// Pages need the database only; health is asked for without it.
    #[default]
    Standard,
    /// Every page asks the pricing service once; health is asked for with a database connection.
    Promo,
    /// Before growing: as `Promo`, and the cache is bypassed.
    Before,
    /// After growing: as `Promo`.
    After,
}

impl Pass {
    /// True when pages show prices of the pricing service.
    pub fn asks_prices(self) -> bool {
        self != Self::Standard
    }
}

/// What stands behind the backends.
#[derive(Clone, Debug)]
pub struct Behind {
    /// `postgres://` address that the backends use: through a proxy, if there is one.
    pub database: String,
    /// `postgres://` address for filling the database at the start and for counting its rows; `database` if absent.
    pub direct: Option<String>,
    /// Where the backends ask for prices, in a pass that asks.
    pub pricing: Option<SocketAddr>,
}

/// Who may use the admin address.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// What an `Authorization: Bearer` header must hold.
    pub admin: Secret,
    /// What a second person gives to let a destructive statement pass; nobody can when it is absent.
    pub approver: Option<Secret>,
}

/// How many lines the customers' carts have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// As in production: three carts in ten have 60 lines, the others 1 to 3.
    Realistic,
    /// As in a test environment: all have 3.
    TestLike,
}

/// What a shop is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The clock of its log, leases and polls.
    pub clock: Clock,
    /// Decides carts, prices and the owners' tags.
    pub seed: Seed,
    /// Where it listens.
    pub ports: Ports,
    /// The customers' carts.
    pub data: Data,
    /// Which shop it is.
    pub pass: Pass,
    /// Requests that `a` and `b` work on at the same time, together; what comes above is refused with 503.
    pub in_flight: u32,
    /// How long things take that the shop does by itself.
    pub paces: Paces,
    /// What stands behind it.
    pub behind: Behind,
    /// Who may use the admin address.
    pub tokens: Tokens,
    /// `http://` address on loopback that receives pages (PagerDuty Events v2).
    pub alerts_to: Option<String>,
    /// Where the shop writes its own account of every second: JSON lines, appended.
    pub log: Option<PathBuf>,
    /// The name it gives itself in the handshake.
    pub id: String,
}

impl Settings {
    /// A shop on free ports with realistic carts, 150 requests in flight, the usual paces, no pages and no log.
    pub fn new(clock: Clock, database: impl Into<String>, admin_token: Secret) -> Self {
        Self {
            clock,
            seed: Seed::default(),
            ports: Ports::default(),
            data: Data::Realistic,
            pass: Pass::Standard,
            in_flight: 150,
            paces: Paces::default(),
            behind: Behind { database: database.into(), direct: None, pricing: None },
            tokens: Tokens { admin: admin_token, approver: None },
            alerts_to: None,
            log: None,
            id: "shop".to_owned(),
        }
    }

    /// The database's address for what is not part of serving.
    pub(super) fn direct(&self) -> &str {
        self.behind.direct.as_deref().unwrap_or(&self.behind.database)
    }
}
