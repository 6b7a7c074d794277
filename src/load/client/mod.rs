//! One worker's HTTP client of one workload: takes a prepared request to an origin and says what came of it.
//!
//! ```text
//! trip ─ pool (a turn, an idle link) ─ lane ─ connect · tls (a new one) ─ h1 · h2 (one exchange) ─ line (bytes) ─ kernel
//! ```
//!
//! It never retries. The one request it sends twice is the one that came back untouched from a connection the server had
//! closed meanwhile: it is sent once more, on another connection, and counted as reconnected.
//! The only room of `load` that names hyper and rustls.

pub mod answer;
pub mod body;
pub mod connect;
pub mod failure;
pub mod h1;
pub mod h2;
mod lane;
pub mod line;
pub mod link;
pub mod opener;
pub mod pool;
pub mod request;
pub mod resolve;
pub mod staged;
pub mod tls;

use std::cell::Cell;

use answer::{Answer, Keep};
use failure::Failure;
use h1::{Exchange, Prepared, Terms};
use lane::{Lane, travel, whole};
use link::Link;
use opener::Opener;
use pool::{Grant, Pool};
use staged::Valve;

use super::arrivals::owned;
use super::pace::Limits;
use super::step::Script;
use crate::base::clock::Tick;
use crate::base::shard::Shard;
use crate::measure::outcome::Kind;
use crate::plan::load::{Client as Manner, Connections, Timeouts};
use crate::plan::misbehave::How;
use crate::plan::wires::Life;

/// One workload's client on one worker.
#[derive(Debug)]
pub struct Client {
    opener: Opener,
    sharing: Sharing,
    life: Life,
    /// Requests that came back untouched and were sent on another connection, in all.
    reconnected: Cell<u64>,
}

#[derive(Debug)]
enum Sharing {
    Shared(Pool),
    PerUser,
    Fresh,
}

/// The connections of one user, by origin. Empty unless connections are per user.
#[derive(Debug, Default)]
pub struct Seat(Vec<Option<Link>>);

/// What a trip came to.
#[derive(Debug)]
pub struct Trip {
    /// A whole answer, or why not.
    pub result: Result<Answer, Failure>,
    /// When it ended.
    pub done: Tick,
    /// Bytes of the request that left.
    pub bytes_out: u64,
    /// Bytes of the answer that came.
    pub bytes_in: u64,
}

/// A request and where it goes.
#[derive(Debug)]
pub struct Errand {
    /// Index of the origin.
    pub origin: usize,
    /// The request.
    pub request: Prepared,
    /// What is kept of the answer.
    pub keep: Keep,
}

impl Client {
    /// A client of `script` that behaves as `manner` says and shares connections as `how` says; a shard has its part of `max`.
    pub fn new(script: &Script, (manner, how): (&Manner, Connections), shard: Shard) -> Self {
        let plan = &script.plan;
        let opener = Opener::new(script, manner, shard);
        let life = manner.wires.life;
        let sharing = match how {
            Connections::Shared { max } => {
                let part = usize::try_from(owned(max as u64, shard)).unwrap_or(1);
                Sharing::Shared(Pool::new(part, life, (0..plan.origins.len()).map(|origin| opener.speaks(origin))))
            }
            Connections::Fresh => Sharing::Fresh,
            Connections::PerUser | Connections::ByWorkload => Sharing::PerUser,
        };
        Self { opener, sharing, life, reconnected: Cell::new(0) }
    }

    /// Limits of time, where no journey and no step says otherwise.
    pub fn timeouts(&self) -> &Timeouts {
        self.opener.timeouts()
    }

    /// How its connections live.
    pub fn life(&self) -> &Life {
        &self.life
    }

    /// Connections opened since the last look.
    pub fn take_opened(&self) -> u64 {
        self.opener.take_opened()
    }

    /// Requests sent on another connection because they came back untouched, in all.
    pub fn reconnected(&self) -> u64 {
        self.reconnected.get()
    }

    /// Lets go of idle connections that the server has closed, or that rest too long.
    pub fn sweep(&self, now: Tick) {
        if let Sharing::Shared(pool) = &self.sharing {
            pool.sweep(now);
        }
    }

    /// Opens one connection to the first origin ahead of the first request; false when there is room for no more.
    pub async fn open_ahead(&self, limits: &mut Limits<'_>) -> bool {
        let Sharing::Shared(pool) = &self.sharing else { return false };
        let Some(()) = pool.reserve(0) else { return false };
        let opened = self.opener.open(0, limits).await.ok();
        pool.opened(0, opened.as_ref());
        let is_open = opened.is_some();
        if is_open {
            pool.put(0, opened, limits.now());
        }
        is_open
    }

    /// Opens a user's own connection to the first origin ahead of its first request.
    pub async fn seat_ahead(&self, seat: &mut Seat, limits: &mut Limits<'_>) {
        if let (Sharing::PerUser, Ok(link)) = (&self.sharing, self.opener.open(0, limits).await) {
            seat.0 = vec![Some(link)];
        }
    }

    /// Takes one request there and brings its answer back, within `limits`.
    pub async fn trip(&self, errand: Errand, seat: &mut Seat, limits: &mut Limits<'_>) -> Trip {
        let origin = errand.origin;
        match &self.sharing {
            Sharing::Shared(pool) => self.shared(pool, errand, limits).await,
            Sharing::PerUser => {
                let now = limits.seen();
                let held = seat.0.get_mut(origin).and_then(Option::take);
                let held = held.filter(|link| !link.is_over(&self.life, now));
                let (trip, link) = travel(&self.opener, held, errand, limits, &self.reconnected).await;
                if seat.0.len() <= origin {
                    seat.0.resize_with(origin + 1, || None);
                }
                if let Some(link) = &link {
                    link.age().rest(trip.done);
                }
                seat.0[origin] = link;
                trip
            }
            Sharing::Fresh => travel(&self.opener, None, errand, limits, &self.reconnected).await.0,
        }
    }

    /// Takes one request there as a client does that misbehaves, on a connection of its own.
    pub async fn stage(&self, errand: Errand, how: How, limits: &mut Limits<'_>) -> Trip {
        let valve = Valve::open();
        let mut link = match self.opener.open_staged(errand.origin, limits, (&valve, staged::window(how))).await {
            Ok(link) => link,
            Err(failure) => return Trip::without(failure, limits),
        };
        let terms = Terms::of(limits.timeouts, errand.keep);
        let (done, passed) = staged::exchange((&mut link, &valve), how, errand.request, (limits, terms)).await;
        let result = done.map_or(Err(Failure::early(Kind::Abandoned)), whole);
        Trip { result, done: limits.now(), bytes_in: passed.0, bytes_out: passed.1 }
    }

    /// On a connection of the pool.
    async fn shared(&self, pool: &Pool, errand: Errand, limits: &mut Limits<'_>) -> Trip {
        let origin = errand.origin;
        limits.begin(limits.timeouts.wait);
        let held = match pool.turn(origin, limits).await {
            Ok(Grant::Link(link)) => Some(link),
            Ok(Grant::Open) => None,
            Err(kind) => return Trip::without(Failure::early(kind), limits),
        };
        let mut errand = errand;
        let (mut link, is_new) = match held {
            Some(link) => (link, false),
            None => match self.open_for(pool, origin, limits).await {
                Ok(link) => (link, true),
                Err(failure) => return Trip::without(failure, limits),
            },
        };
        let mut again = !is_new;
        loop {
            let (done, passed) = self.opener.exchange(&mut link, (errand.request, errand.keep), limits).await;
            let result = match done {
                Exchange::Untouched(back) if again => {
                    again = false;
                    errand.request = *back;
                    self.reconnected.set(self.reconnected.get() + 1);
                    pool.put(origin, still(link), limits.now());
                    // Its place in the pool is free now, and ours.
                    link = match self.open_in_place(pool, origin, limits).await {
                        Ok(link) => link,
                        Err(failure) => return Trip::without(failure, limits),
                    };
                    continue;
                }
                done => whole(done),
            };
            let trip = Trip { result, done: limits.now(), bytes_in: passed.0, bytes_out: passed.1 };
            let kept = if trip.result.is_ok() && link.is_free() { Some(link) } else { still(link) };
            pool.put(origin, kept, trip.done);
            return trip;
        }
    }

    async fn open_for(&self, pool: &Pool, origin: usize, limits: &mut Limits<'_>) -> Result<Link, Failure> {
        let opened = self.opener.open(origin, limits).await;
        pool.opened(origin, opened.as_ref().ok());
        opened
    }

    /// Another connection after one that the server had closed: an idle one of HTTP/2, or a new one.
    async fn open_in_place(&self, pool: &Pool, origin: usize, limits: &mut Limits<'_>) -> Result<Link, Failure> {
        if pool.reserve(origin).is_some() {
            return self.open_for(pool, origin, limits).await;
        }
        limits.begin(limits.timeouts.wait);
        match pool.turn(origin, limits).await.map_err(Failure::early)? {
            Grant::Link(link) => Ok(link),
            Grant::Open => self.open_for(pool, origin, limits).await,
        }
    }
}

/// What goes back to the pool after a failure: a connection of HTTP/2 outlives the failure of one stream.
fn still(link: Link) -> Option<Link> {
    matches!(link, Link::Two(_)).then_some(link)
}

impl Trip {
    fn without(failure: Failure, limits: &Limits<'_>) -> Self {
        Self { result: Err(failure), done: limits.now(), bytes_out: 0, bytes_in: 0 }
    }
}
