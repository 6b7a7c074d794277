//! What the shop's parts share: settings, cache, switchboard, balancer, counters, connections, log. Made once by `shop`.
//!
//! Locks are held for single moves, never across a wait.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use super::alerts::Alert;
use super::backup::Vault;
use super::backup::restore::Progress;
use super::cache::{Cache, ENTRIES, Mode, TTL};
use super::gateway::balance::{Balancer, Config, NAMES};
use super::gateway::seconds::Seconds;
use super::leaks::Leaks;
use super::limiter::Limiter;
use super::log::Log;
use super::owner::{Keys, Owner};
use super::pricing::Prices;
use super::settings::{Pass, Settings};
use super::store::pool::Pool;
use super::store::queries::Product;
use super::store::rows::OrderRow;
use super::store::schema::Carts;
use super::switchboard::{Happened, Start, Switchboard};
use crate::base::clock::Tick;

/// What the cache keeps.
#[derive(Clone, Debug)]
pub(super) enum Kept {
    /// A product as pages show it.
    Product(Product),
    /// A part of a customer's private answers, with whose it is.
    Private(Owner, Arc<Value>),
}

/// Numbers that only grow, and the requests in flight.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) requests: AtomicU64,
    /// Requests that came without a name.
    pub(super) named: AtomicU64,
    pub(super) in_flight: AtomicU64,
    pub(super) refused_in_flight: AtomicU64,
    pub(super) refused_connection: AtomicU64,
    pub(super) refused_read_only: AtomicU64,
    /// Handlers that were dropped because the client had gone.
    pub(super) abandoned: AtomicU64,
    pub(super) orders: AtomicU64,
    /// Orders of the control cohort, which are in no database.
    pub(super) control_orders: AtomicU64,
    pub(super) writes: AtomicU64,
    pub(super) smart_carts: AtomicU64,
    pub(super) queries: Arc<AtomicU64>,
}

#[derive(Debug)]
pub(super) struct Inside {
    pub(super) settings: Settings,
    pub(super) keys: Keys,
    pub(super) carts: Carts,
    pub(super) log: Log,
    pub(super) counters: Counters,
    pub(super) pools: [Pool; NAMES.len()],
    /// Each backend's way to the pricing service, in a pass that asks.
    pub(super) prices: Option<[Prices; NAMES.len()]>,
    /// Open while the backend is up.
    pub(super) doors: [watch::Sender<bool>; NAMES.len()],
    /// The catalogue as it was when the shop opened: what the backup shows.
    pub(super) catalogue: Vec<Product>,
    /// The number of the last order.
    pub(super) last_order: AtomicI64,
    moving: Moving,
}

/// What changes while the shop runs, each behind a lock of its own.
#[derive(Debug)]
struct Moving {
    cache: Mutex<Cache<Kept>>,
    board: Mutex<Switchboard>,
    balancer: Mutex<Balancer>,
    limiter: Mutex<Limiter>,
    leaks: Mutex<Leaks>,
    vault: Mutex<Vault>,
    restore: Mutex<Progress>,
    seconds: Mutex<Seconds>,
    alert: Mutex<Alert>,
}

/// What filling the database told.
#[derive(Debug)]
pub(super) struct Filled {
    pub(super) carts: Carts,
    pub(super) catalogue: Vec<Product>,
    pub(super) last_order: i64,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inside {
    /// A shop over its pools, with what its database holds and a warm cache.
    pub(super) fn new(
        settings: Settings,
        filled: Filled,
        log: Log,
        (counters, pools): (Counters, [Pool; NAMES.len()]),
    ) -> Self {
        let Filled { carts, catalogue, last_order } = filled;
        let pass = settings.pass;
        let balance = Config::even(if pass == Pass::Standard { "/healthz" } else { "/readyz" });
        let start = Start {
            polls: settings.paces.flag_poll,
            deploy_step: settings.paces.deploy_step,
            balance: balance.clone(),
            cache: if pass == Pass::Before { Mode::Bypass } else { Mode::Normal },
        };
        let moving = Moving {
            cache: Mutex::new(Cache::new(ENTRIES)),
            board: Mutex::new(Switchboard::new(start, settings.clock.now())),
            balancer: Mutex::new(Balancer::new(balance)),
            limiter: Mutex::default(),
            leaks: Mutex::default(),
            vault: Mutex::new(Vault::new(settings.paces.keep)),
            restore: Mutex::default(),
            seconds: Mutex::default(),
            alert: Mutex::default(),
        };
        let doors = NAMES.map(|_| watch::Sender::new(true));
        let last_order = AtomicI64::new(last_order);
        let keys = Keys::new(settings.seed);
        let prices = settings.behind.pricing.filter(|_| pass.asks_prices()).map(|at| NAMES.map(|_| Prices::new(at)));
        let inside = Self { settings, keys, carts, log, counters, pools, prices, doors, catalogue, last_order, moving };
        inside.warm();
        inside
    }

    pub(super) fn now(&self) -> Tick {
        self.settings.clock.now()
    }

    pub(super) fn cache(&self) -> MutexGuard<'_, Cache<Kept>> {
        locked(&self.moving.cache)
    }
    pub(super) fn board(&self) -> MutexGuard<'_, Switchboard> {
        locked(&self.moving.board)
    }
    pub(super) fn balancer(&self) -> MutexGuard<'_, Balancer> {
        locked(&self.moving.balancer)
    }
    pub(super) fn limiter(&self) -> MutexGuard<'_, Limiter> {
        locked(&self.moving.limiter)
    }
    pub(super) fn leaks(&self) -> MutexGuard<'_, Leaks> {
        locked(&self.moving.leaks)
    }
    pub(super) fn vault(&self) -> MutexGuard<'_, Vault> {
        locked(&self.moving.vault)
    }
    pub(super) fn restore(&self) -> MutexGuard<'_, Progress> {
        locked(&self.moving.restore)
    }
    pub(super) fn seconds(&self) -> MutexGuard<'_, Seconds> {
        locked(&self.moving.seconds)
    }
    pub(super) fn alert(&self) -> MutexGuard<'_, Alert> {
        locked(&self.moving.alert)
    }

    /// What the cache holds under `key`, as far as it may be used now.
    pub(super) fn cached(&self, key: &str) -> Option<Kept> {
        let mode = self.board().cache();
        self.cache().get(key, self.now(), mode)
    }

    /// Keeps something in the cache, for the time to live and up to half of it more.
    pub(super) fn keep(&self, key: &str, kept: Kept) {
        // Jitter: pages that were cached together must not all expire together.
        let spread = u64::try_from(TTL.as_nanos() / 2).unwrap_or(1);
        let jitter = self.settings.seed.key(key, &[]) % spread;
        let until = self.now() + TTL + Duration::from_nanos(jitter);
        self.cache().put(key, kept, until);
    }

    /// Puts every product into the cache.
    pub(super) fn warm(&self) {
        for product in &self.catalogue {
            self.keep(&product_key(product.id), Kept::Product(product.clone()));
        }
    }

    /// Writes down what the switchboard said.
    pub(super) fn note(&self, happened: Vec<Happened>, at: Tick) {
        for (event, data) in happened {
            self.log.event(event, at, &data);
        }
    }

    /// A write was acknowledged by the database.
    pub(super) fn wrote(&self) {
        self.counters.writes.fetch_add(1, Ordering::Relaxed);
    }

    /// An order was acknowledged for a request that asked for number `asked`: another one when its key is a repetition.
    pub(super) fn ordered(&self, asked: i64, row: OrderRow) {
        self.wrote();
        if row.seq == asked {
            self.counters.orders.fetch_add(1, Ordering::Relaxed);
            self.vault().acknowledge(row);
        }
    }

    /// The next number of a request.
    pub(super) fn next_request(&self) -> u64 {
        self.counters.requests.fetch_add(1, Ordering::Relaxed)
    }
}

/// The cache key of a product.
pub(super) fn product_key(id: i64) -> String {
    format!("product:{id}")
}
