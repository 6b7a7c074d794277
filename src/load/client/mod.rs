//! One worker's HTTP client of one workload: takes a prepared request to an origin and says what came of it.
//!
//! ```text
//! trip ─ pool (a turn, an idle line) ─ connect (a new one) ─ h1 (one exchange) ─ line (bytes) ─ kernel
//! ```
//!
//! It never retries. The one request it sends twice is the one that came back untouched from a connection the server had
//! closed meanwhile: it is sent once more, on a new connection, and counted as reconnected.
//! The only room of `load` that names hyper. A second protocol is a second file beside `h1` with the same two functions.

pub mod answer;
pub mod connect;
pub mod failure;
pub mod h1;
pub mod line;
pub mod pool;
pub mod request;

use std::cell::Cell;

use answer::{Answer, Keep};
use connect::Peer;
use failure::Failure;
use h1::{Exchange, Line, Prepared, Terms};
use pool::Pool;

use super::arrivals::owned;
use super::pace::Limits;
use crate::base::shard::Shard;
use crate::measure::outcome::Kind;
use crate::plan::load::{Connections, LoadPlan, Timeouts};

/// One workload's client on one worker.
#[derive(Debug)]
pub struct Client {
    peers: Vec<Peer>,
    sharing: Sharing,
    timeouts: Timeouts,
    /// Connections opened since the last look.
    opened: Cell<u64>,
    /// Requests that came back untouched and were sent on a new connection, in all.
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
pub struct Seat(Vec<Option<Line>>);

/// What a trip came to.
#[derive(Debug)]
pub struct Trip {
    /// A whole answer, or why not.
    pub result: Result<Answer, Failure>,
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
    /// A client for `plan`, sharing connections as `how` says; a shard has its part of `max`.
    pub fn new(plan: &LoadPlan, how: Connections, shard: Shard) -> Self {
        let sharing = match how {
            Connections::Shared { max } => {
                let part = owned(max as u64, shard);
                Sharing::Shared(Pool::new(usize::try_from(part).unwrap_or(1), plan.origins.len()))
            }
            Connections::Fresh => Sharing::Fresh,
            Connections::PerUser | Connections::ByWorkload => Sharing::PerUser,
        };
        Self {
            peers: plan.origins.iter().map(|origin| Peer::new(origin.pinned.clone())).collect(),
            sharing,
            timeouts: plan.client.timeouts,
            opened: Cell::new(0),
            reconnected: Cell::new(0),
        }
    }

    /// Connections opened since the last look.
    pub fn take_opened(&self) -> u64 {
        self.opened.take()
    }

    /// Requests sent on a new connection because they came back untouched, in all.
    pub fn reconnected(&self) -> u64 {
        self.reconnected.get()
    }

    /// Lets go of idle connections that the server has closed.
    pub fn sweep(&self) {
        if let Sharing::Shared(pool) = &self.sharing {
            pool.sweep();
        }
    }

    /// Takes one request there and brings its answer back, within `limits`.
    pub async fn trip(&self, errand: Errand, seat: &mut Seat, limits: &mut Limits<'_>) -> Trip {
        let origin = errand.origin;
        match &self.sharing {
            Sharing::Shared(pool) => {
                limits.begin(limits.now(), self.timeouts.wait);
                let turn = match pool.turn(limits).await {
                    Ok(turn) => turn,
                    Err(kind) => return Trip::without(Failure::early(kind)),
                };
                let (trip, line) = self.travel(pool.take(origin), errand, limits).await;
                if let Some(line) = line {
                    pool.put(origin, line);
                }
                drop(turn);
                trip
            }
            Sharing::PerUser => {
                let held = seat.0.get_mut(origin).and_then(Option::take);
                let (trip, line) = self.travel(held, errand, limits).await;
                if seat.0.len() <= origin {
                    seat.0.resize_with(origin + 1, || None);
                }
                seat.0[origin] = line;
                trip
            }
            Sharing::Fresh => self.travel(None, errand, limits).await.0,
        }
    }

    /// One exchange on `held`, or on a new line; the line afterwards, when it can be used again.
    async fn travel(&self, held: Option<Line>, errand: Errand, limits: &mut Limits<'_>) -> (Trip, Option<Line>) {
        let Errand { origin, mut request, keep } = errand;
        let terms = Terms { first_byte: self.timeouts.first_byte, idle: self.timeouts.idle, keep };
        let mut held = held;
        // A connection opened for this very request and closed at once is a failure, not a reason to try again.
        let mut again = held.is_some();
        loop {
            let mut line = match held.take() {
                Some(line) => line,
                None => match self.open(origin, limits).await {
                    Ok(line) => line,
                    Err(failure) => return (Trip::without(failure), None),
                },
            };
            let before = line.passed();
            let result = match line.exchange(request, limits, terms).await {
                Exchange::Untouched(back) if again => {
                    again = false;
                    request = *back;
                    self.reconnected.set(self.reconnected.get() + 1);
                    continue;
                }
                Exchange::Untouched(_) => Err(Failure::early(Kind::EofBeforeStatus)),
                Exchange::Broken(failure) => Err(failure),
                Exchange::Whole(answer) => Ok(answer),
            };
            let after = line.passed();
            let trip = Trip { result, bytes_in: after.0 - before.0, bytes_out: after.1 - before.1 };
            let line = (trip.result.is_ok() && line.is_free()).then_some(line);
            return (trip, line);
        }
    }

    async fn open(&self, origin: usize, limits: &mut Limits<'_>) -> Result<Line, Failure> {
        let peer = self.peers.get(origin).ok_or(Failure::early(Kind::Resolve))?;
        let stream = peer.open(limits, self.timeouts.connect).await?;
        self.opened.set(self.opened.get() + 1);
        Line::begin(stream).await.ok_or(Failure::early(Kind::Protocol))
    }
}

impl Trip {
    fn without(failure: Failure) -> Self {
        Self { result: Err(failure), bytes_out: 0, bytes_in: 0 }
    }
}
