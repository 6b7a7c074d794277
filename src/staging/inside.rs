//! What the shop's parts share: settings, cache, flag, counters, connections, log. Made once by `shop`.
//!
//! Locks are held for single moves, never across a wait.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::alerts::Alert;
use super::cache::{Cache, ENTRIES, TTL};
use super::gateway::seconds::Seconds;
use super::log::Log;
use super::owner::Keys;
use super::settings::Settings;
use super::store::pool::Pool;
use super::store::queries::Product;
use super::store::schema::Carts;
use super::switchboard::{Happened, Switchboard};
use crate::base::clock::Tick;

/// The release that serves.
pub(super) const RELEASE: &str = "r41";

/// Numbers that only grow, and the requests in flight.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) requests: AtomicU64,
    pub(super) in_flight: AtomicU64,
    pub(super) refused_in_flight: AtomicU64,
    pub(super) refused_connection: AtomicU64,
    /// Handlers that were dropped because the client had gone.
    pub(super) abandoned: AtomicU64,
    pub(super) orders: AtomicU64,
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
    pub(super) pools: [Pool; 2],
    /// The number of the last order.
    pub(super) last_order: AtomicI64,
    cache: Mutex<Cache<Product>>,
    board: Mutex<Switchboard>,
    seconds: Mutex<Seconds>,
    alert: Mutex<Alert>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inside {
    /// A shop over two pools, with `carts`, after order number `last_order`.
    pub(super) fn new(
        settings: Settings,
        carts: Carts,
        log: Log,
        (counters, pools): (Counters, [Pool; 2]),
        last_order: i64,
    ) -> Self {
        let board = Switchboard::new(settings.flag_poll, settings.clock.now());
        Self {
            keys: Keys::new(settings.seed),
            carts,
            log,
            counters,
            pools,
            last_order: AtomicI64::new(last_order),
            cache: Mutex::new(Cache::new(ENTRIES)),
            board: Mutex::new(board),
            seconds: Mutex::default(),
            alert: Mutex::default(),
            settings,
        }
    }

    pub(super) fn now(&self) -> Tick {
        self.settings.clock.now()
    }

    pub(super) fn cache(&self) -> MutexGuard<'_, Cache<Product>> {
        locked(&self.cache)
    }
    pub(super) fn board(&self) -> MutexGuard<'_, Switchboard> {
        locked(&self.board)
    }
    pub(super) fn seconds(&self) -> MutexGuard<'_, Seconds> {
        locked(&self.seconds)
    }
    pub(super) fn alert(&self) -> MutexGuard<'_, Alert> {
        locked(&self.alert)
    }

    /// Keeps a product in the cache, for the time to live and up to half of it more.
    pub(super) fn keep(&self, key: &str, product: Product) {
        // Jitter: pages that were cached together must not all expire together.
        let spread = u64::try_from(TTL.as_nanos() / 2).unwrap_or(1);
        let jitter = self.settings.seed.key(key, &[]) % spread;
        let until = self.now() + TTL + Duration::from_nanos(jitter);
        self.cache().put(key, product, until);
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

    /// Order `got` was acknowledged for a request that asked for number `asked`: another one when its key is a repetition.
    pub(super) fn ordered(&self, asked: i64, got: i64) {
        self.wrote();
        self.counters.orders.fetch_add(u64::from(asked == got), Ordering::Relaxed);
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
