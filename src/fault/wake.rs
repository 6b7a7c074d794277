//! One timer for all links of a worker: each says when it wants to be woken, and the earliest of them arms the timer.
//!
//! Local to a worker's thread. Not here: what is due (`chain`, `lease`), the timer itself (`base::timer`).

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures::future::{Either, select};

use crate::base::clock::{Clock, Tick};
use crate::base::timer::Timer;

/// The sleepers of one worker; clones share them.
#[derive(Clone, Debug)]
pub(super) struct Wakes(Rc<Sleepers>);

#[derive(Debug)]
struct Sleepers {
    clock: Clock,
    queue: RefCell<BTreeMap<(Tick, u64), Waker>>,
    /// The task that waits for the earliest of them.
    driver: RefCell<Option<Waker>>,
    slots: Cell<u64>,
}

/// The place of one sleeper; it sleeps until one instant at a time.
#[derive(Debug)]
pub(super) struct Slot {
    wakes: Wakes,
    number: u64,
    asleep: Option<Tick>,
}

impl Wakes {
    pub(super) fn new(clock: &Clock) -> Self {
        Self(Rc::new(Sleepers {
            clock: clock.clone(),
            queue: RefCell::default(),
            driver: RefCell::default(),
            slots: Cell::new(0),
        }))
    }

    /// The clock that the sleepers follow.
    pub(super) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// A place for a sleeper.
    pub(super) fn slot(&self) -> Slot {
        let number = self.0.slots.get();
        self.0.slots.set(number + 1);
        Slot { wakes: self.clone(), number, asleep: None }
    }

    /// Returns at `at`. Cancel-safe.
    pub(super) async fn until(&self, at: Tick) {
        let mut slot = self.slot();
        poll_fn(|cx| slot.poll(cx, Some(at))).await;
    }

    /// Wakes the sleepers, for ever.
    pub(super) async fn drive(self, mut timer: Timer) {
        loop {
            let first = self.first();
            let earlier = pin!(poll_fn(|cx| self.poll_earlier(cx, first)));
            match first {
                None => earlier.await,
                Some(at) => match select(pin!(timer.until(at)), earlier).await {
                    Either::Left(_) | Either::Right(_) => {}
                },
            }
            self.wake_due();
        }
    }

    fn first(&self) -> Option<Tick> {
        self.0.queue.borrow().first_key_value().map(|((at, _), _)| *at)
    }

    /// Ready when somebody wants to be woken before `first`. Later or no wishes need nothing: one idle wake-up is cheaper
    /// than arming the timer again.
    fn poll_earlier(&self, cx: &Context<'_>, first: Option<Tick>) -> Poll<()> {
        self.0.driver.replace(Some(cx.waker().clone()));
        match self.first() {
            Some(at) if at < first.unwrap_or(Tick::MAX) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }

    fn wake_due(&self) {
        let now = self.0.clock.now();
        let later = self.0.queue.borrow_mut().split_off(&(now + std::time::Duration::from_nanos(1), 0));
        let due = self.0.queue.replace(later);
        for waker in due.into_values() {
            waker.wake();
        }
    }
}

impl Slot {
    /// Ready when `at` has come; else the task of `cx` is woken then. `None` never comes.
    pub(super) fn poll(&mut self, cx: &Context<'_>, at: Option<Tick>) -> Poll<()> {
        let now = self.wakes.0.clock.now();
        let reached = at.is_some_and(|at| at <= now);
        if self.asleep != at || reached {
            self.rise();
        }
        let Some(at) = at else { return Poll::Pending };
        if reached {
            return Poll::Ready(());
        }
        let sleepers = &self.wakes.0;
        let first = self.wakes.first();
        sleepers.queue.borrow_mut().insert((at, self.number), cx.waker().clone());
        self.asleep = Some(at);
        if first.is_none_or(|first| at < first)
            && let Some(driver) = sleepers.driver.take()
        {
            driver.wake();
        }
        Poll::Pending
    }

    fn rise(&mut self) {
        if let Some(at) = self.asleep.take() {
            self.wakes.0.queue.borrow_mut().remove(&(at, self.number));
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.rise();
    }
}
