//! The connections that all journeys of one workload on one worker share: who may use which, most recently used first.
//!
//! Whoever asks first is served first. A connection of HTTP/2 serves as many at once as it has streams, and another one is opened
//! only when those of all others are used up. Not here: opening (`connect`), speaking (`h1`, `h2`). Called by `client`.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use super::h2::Tube;
use super::link::Link;
use crate::base::clock::Tick;
use crate::load::pace::{Limits, Passed};
use crate::measure::outcome::Kind;
use crate::plan::wires::Life;

/// What is spoken with an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// HTTP/1.1.
    One,
    /// HTTP/2.
    Two,
    /// The first connection will tell.
    Unknown,
}

/// What a request is given.
#[derive(Debug)]
pub enum Grant {
    /// An open connection, or one of its streams.
    Link(Link),
    /// The right to open one.
    Open,
}

/// The connections to one origin.
#[derive(Debug)]
struct Shelf {
    /// Idle ones, the most recently used last.
    idle: Vec<Link>,
    /// Those of HTTP/2, idle or not, the most recently used last.
    tubes: Vec<Tube>,
    opening: usize,
    speaks: Speaks,
    /// True after a connection could not be opened: nobody then waits for another's attempt.
    failing: bool,
}

/// Shared connections to every origin.
#[derive(Debug)]
pub struct Pool {
    max: usize,
    life: Life,
    shelves: RefCell<Vec<Shelf>>,
    /// Open or opening, used or idle.
    count: Cell<usize>,
    queue: RefCell<VecDeque<(u64, Waker)>>,
    tickets: Cell<u64>,
}

impl Pool {
    /// At most `max` connections over all origins, which speak as given.
    pub fn new(max: usize, life: Life, speaks: impl Iterator<Item = Speaks>) -> Self {
        let shelf = |speaks| Shelf { idle: Vec::new(), tubes: Vec::new(), opening: 0, speaks, failing: false };
        Self {
            max: max.max(1),
            life,
            shelves: RefCell::new(speaks.map(shelf).collect()),
            count: Cell::new(0),
            queue: RefCell::default(),
            tickets: Cell::new(0),
        }
    }

    /// A connection to `origin`, or the right to open one; waits for its turn within the limits.
    pub async fn turn(&self, origin: usize, limits: &mut Limits<'_>) -> Result<Grant, Kind> {
        let now = limits.seen();
        if self.queue.borrow().is_empty()
            && let Some(grant) = self.grant(origin, now)
        {
            return Ok(grant);
        }
        self.tickets.set(self.tickets.get() + 1);
        let place = InQueue { pool: self, ticket: self.tickets.get() };
        self.queue.borrow_mut().push_back((place.ticket, Waker::noop().clone()));
        poll_fn(|cx| {
            if place.is_first()
                && let Some(grant) = self.grant(origin, now)
            {
                return Poll::Ready(Ok(grant));
            }
            place.wait(cx.waker());
            match limits.passed(cx) {
                Some(Passed::Cut) => Poll::Ready(Err(Kind::Unfinished)),
                Some(Passed::Total) => Poll::Ready(Err(Kind::TimeoutTotal)),
                Some(Passed::Phase) => Poll::Ready(Err(Kind::PoolTimeout)),
                None => Poll::Pending,
            }
        })
        .await
    }

    fn grant(&self, origin: usize, now: Tick) -> Option<Grant> {
        let mut shelves = self.shelves.borrow_mut();
        let shelf = shelves.get_mut(origin)?;
        while let Some(link) = shelf.idle.pop() {
            if !link.is_over(&self.life, now) {
                return Some(Grant::Link(link));
            }
            self.count.set(self.count.get() - 1);
        }
        self.cleanse(&mut shelf.tubes, now);
        let fitting = |tube: &&Tube| !tube.age().is_spent(&self.life, now) && tube.enter(self.life.streams);
        if let Some(tube) = shelf.tubes.iter().rev().find(fitting) {
            return Some(Grant::Link(Link::Two(tube.clone())));
        }
        // One that is being opened may have room for all who wait.
        if shelf.opening > 0 && shelf.speaks != Speaks::One && !shelf.failing {
            return None;
        }
        if self.count.get() >= self.max && !self.evict(&mut shelves) {
            return None;
        }
        if let Some(shelf) = shelves.get_mut(origin) {
            shelf.opening += 1;
        }
        self.count.set(self.count.get() + 1);
        Some(Grant::Open)
    }

    /// The right to open one more, at once; `None` when there is room for no more.
    pub fn reserve(&self, origin: usize) -> Option<()> {
        let mut shelves = self.shelves.borrow_mut();
        let shelf = shelves.get_mut(origin)?;
        if self.count.get() >= self.max {
            return None;
        }
        shelf.opening += 1;
        self.count.set(self.count.get() + 1);
        Some(())
    }

    /// Lets go of HTTP/2 connections that are over and that nobody uses.
    fn cleanse(&self, tubes: &mut Vec<Tube>, now: Tick) {
        let before = tubes.len();
        tubes.retain(|tube| {
            let age = tube.age();
            let unused = tube.used() == 0;
            tube.is_alive() && !(unused && (age.is_spent(&self.life, now) || age.is_idle(&self.life, now)))
        });
        self.count.set(self.count.get() - (before - tubes.len()));
    }

    /// Closes an idle connection to any origin; false when there is none.
    fn evict(&self, shelves: &mut [Shelf]) -> bool {
        for shelf in shelves {
            let unused = shelf.tubes.iter().position(|tube| tube.used() == 0);
            let closed = if shelf.idle.is_empty() {
                unused.map(|at| Link::Two(shelf.tubes.remove(at)))
            } else {
                Some(shelf.idle.remove(0))
            };
            if closed.is_some() {
                self.count.set(self.count.get() - 1);
                return true;
            }
        }
        false
    }

    /// The right to open one was used: `link` is what came of it.
    pub fn opened(&self, origin: usize, link: Option<&Link>) {
        if let Some(shelf) = self.shelves.borrow_mut().get_mut(origin) {
            shelf.opening = shelf.opening.saturating_sub(1);
            shelf.failing = link.is_none();
            match link {
                Some(Link::One(..)) => shelf.speaks = Speaks::One,
                Some(Link::Two(tube)) => {
                    shelf.speaks = Speaks::Two;
                    tube.enter(self.life.streams);
                    shelf.tubes.push(tube.clone());
                }
                None => self.count.set(self.count.get() - 1),
            }
        }
        self.next();
    }

    /// Gives a connection back; `None`: it is over.
    pub fn put(&self, origin: usize, link: Option<Link>, now: Tick) {
        if let Some(shelf) = self.shelves.borrow_mut().get_mut(origin) {
            match link {
                Some(Link::One(line, age)) if !age.is_spent(&self.life, now) => {
                    age.rest(now);
                    shelf.idle.push(Link::One(line, age));
                }
                // Its shelf keeps it, or lets go of it when the last stream is back.
                Some(Link::Two(tube)) => {
                    tube.leave();
                    tube.age().rest(now);
                    self.cleanse(&mut shelf.tubes, now);
                }
                Some(Link::One(..)) | None => self.count.set(self.count.get() - 1),
            }
        }
        self.next();
    }

    /// Lets go of idle connections that the server has closed, or that rest too long.
    pub fn sweep(&self, now: Tick) {
        for shelf in self.shelves.borrow_mut().iter_mut() {
            let before = shelf.idle.len();
            shelf.idle.retain_mut(|link| !link.is_over(&self.life, now) && link.is_alive());
            self.count.set(self.count.get() - (before - shelf.idle.len()));
            self.cleanse(&mut shelf.tubes, now);
        }
        self.next();
    }

    /// Wakes whoever waits longest.
    fn next(&self) {
        if let Some((_, waker)) = self.queue.borrow().front() {
            waker.wake_by_ref();
        }
    }
}

/// A place in the queue, given up when dropped.
struct InQueue<'a> {
    pool: &'a Pool,
    ticket: u64,
}

impl InQueue<'_> {
    fn is_first(&self) -> bool {
        self.pool.queue.borrow().front().is_some_and(|(ticket, _)| *ticket == self.ticket)
    }

    fn wait(&self, waker: &Waker) {
        let mut queue = self.pool.queue.borrow_mut();
        // Tickets rise: no search through thousands who wait.
        if let Ok(at) = queue.binary_search_by_key(&self.ticket, |(ticket, _)| *ticket) {
            queue[at].1.clone_from(waker);
        }
    }
}

impl Drop for InQueue<'_> {
    fn drop(&mut self) {
        let mut queue = self.pool.queue.borrow_mut();
        if let Ok(at) = queue.binary_search_by_key(&self.ticket, |(ticket, _)| *ticket) {
            queue.remove(at);
        }
        drop(queue);
        // There may be room for more than one.
        self.pool.next();
    }
}
