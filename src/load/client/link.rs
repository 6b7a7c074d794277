//! One open connection of either protocol, how old it is, and when it has lived long enough.
//!
//! Not here: who may use it (`pool`), what is spoken on it (`h1`, `h2`).

use std::cell::Cell;

use super::h1::{Exchange, Line, Prepared, Terms};
use super::h2::Tube;
use crate::base::clock::Tick;
use crate::load::pace::Limits;
use crate::plan::wires::Life;

/// How old a connection is and how much it was used.
#[derive(Debug)]
pub struct Age {
    born: Tick,
    rested: Cell<Tick>,
    served: Cell<u64>,
}

impl Age {
    /// Of a connection that opened at `now`.
    pub fn born(now: Tick) -> Self {
        Self { born: now, rested: Cell::new(now), served: Cell::new(0) }
    }

    /// One more request, begun at `now`.
    pub fn serve(&self, now: Tick) {
        self.served.set(self.served.get() + 1);
        self.rested.set(now);
    }

    /// Not used from `now` on.
    pub fn rest(&self, now: Tick) {
        self.rested.set(now);
    }

    /// True once it may take no further request.
    pub fn is_spent(&self, life: &Life, now: Tick) -> bool {
        life.max_requests.is_some_and(|most| self.served.get() >= most)
            || life.max_age.is_some_and(|most| now - self.born >= most)
    }

    /// True once it has rested too long.
    pub fn is_idle(&self, life: &Life, now: Tick) -> bool {
        now - self.rested.get() >= life.idle
    }
}

/// One open connection.
#[derive(Debug)]
pub enum Link {
    /// HTTP/1.1: one exchange at a time.
    One(Box<Line>, Age),
    /// HTTP/2: one stream of many.
    Two(Tube),
}

impl Link {
    /// Its age.
    pub fn age(&self) -> &Age {
        match self {
            Self::One(_, age) => age,
            Self::Two(tube) => tube.age(),
        }
    }

    /// True while an idle connection can take another request.
    pub fn is_alive(&mut self) -> bool {
        match self {
            Self::One(line, _) => line.is_alive(),
            Self::Two(tube) => tube.look(),
        }
    }

    /// True when it can take another request just after an exchange.
    pub fn is_free(&mut self) -> bool {
        match self {
            Self::One(line, _) => line.is_free(),
            Self::Two(tube) => tube.is_alive(),
        }
    }

    /// True once it has lived, served or rested long enough.
    pub fn is_over(&self, life: &Life, now: Tick) -> bool {
        self.age().is_spent(life, now) || self.age().is_idle(life, now)
    }

    /// Sends `request` and reads the whole answer; with the bytes received and sent meanwhile.
    pub async fn exchange(
        &mut self,
        request: Prepared,
        limits: &mut Limits<'_>,
        terms: Terms,
    ) -> (Exchange, (u64, u64)) {
        match self {
            Self::One(line, _) => {
                let before = line.passed();
                let result = line.exchange(request, limits, terms).await;
                let after = line.passed();
                (result, (after.0 - before.0, after.1 - before.1))
            }
            Self::Two(tube) => {
                let result = tube.exchange(request, limits, terms).await;
                let passed = tube.uncounted();
                (result, passed)
            }
        }
    }
}
