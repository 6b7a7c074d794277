//! The connections of one workload on one worker: who may use how many, most recently used first.
//!
//! Not here: opening (`connect`), speaking (`h1`). Called by `client`.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::h1::Line;
use crate::load::pace::{Limits, Passed};
use crate::measure::outcome::Kind;

/// Shared connections to every origin.
#[derive(Debug)]
pub struct Pool {
    /// One permit per connection in use; the longest waiting is served first.
    turns: Semaphore,
    /// Idle ones by origin, the most recently used last.
    idle: RefCell<Vec<Vec<Line>>>,
}

impl Pool {
    /// At most `max` connections in use at once, over `origins` origins.
    pub fn new(max: usize, origins: usize) -> Self {
        let turns = Semaphore::new(max.clamp(1, Semaphore::MAX_PERMITS));
        Self { turns, idle: RefCell::new((0..origins).map(|_| Vec::new()).collect()) }
    }

    /// The right to use one connection; waits for its turn within the limits.
    pub async fn turn(&self, limits: &mut Limits<'_>) -> Result<SemaphorePermit<'_>, Kind> {
        if let Ok(permit) = self.turns.try_acquire() {
            return Ok(permit);
        }
        let mut turn = pin!(self.turns.acquire());
        poll_fn(|cx| {
            if let Poll::Ready(Ok(permit)) = turn.as_mut().poll(cx) {
                return Poll::Ready(Ok(permit));
            }
            match limits.passed(cx) {
                Some(Passed::Cut) => Poll::Ready(Err(Kind::Unfinished)),
                Some(Passed::Total) => Poll::Ready(Err(Kind::TimeoutTotal)),
                Some(Passed::Phase) => Poll::Ready(Err(Kind::PoolTimeout)),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// An idle connection to `origin`.
    pub fn take(&self, origin: usize) -> Option<Line> {
        self.idle.borrow_mut().get_mut(origin)?.pop()
    }

    /// Gives a connection back.
    pub fn put(&self, origin: usize, line: Line) {
        if let Some(lines) = self.idle.borrow_mut().get_mut(origin) {
            lines.push(line);
        }
    }

    /// Drops idle connections that the server has closed.
    pub fn sweep(&self) {
        for lines in self.idle.borrow_mut().iter_mut() {
            lines.retain_mut(Line::is_alive);
        }
    }
}
