//! All waiting of one worker: arrivals, pauses, timeouts and the heartbeat share one precise timer, armed for the earliest.
//!
//! A wait is entered when a task first has to wait and removed when it no longer has to; tokio's own timers (a millisecond
//! wheel that rounds up) are not used. Not here: what is waited for, and how waits are kept (`waits`). Called by every part of
//! `load`.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::waits::{Key, Waits};
use crate::base::clock::{Clock, Tick};
use crate::base::timer::Timer;
use crate::plan::load::Timeouts;

/// Above this many arrivals a second on one worker, arrivals leave in groups.
const ALONE_AT_MOST: f64 = 5_000.0;
/// Above this many, in wider groups.
const NARROW_AT_MOST: f64 = 50_000.0;

/// When to wake for an arrival due at `due` on a worker with `rate` arrivals a second: never before it is due.
///
/// One wake-up per arrival up to 5 000/s; above that every 200 µs, above 50 000/s every 500 µs.
pub fn wake_for(due: Tick, rate: f64) -> Tick {
    let grid = if rate <= ALONE_AT_MOST {
        return due;
    } else if rate <= NARROW_AT_MOST {
        200_000
    } else {
        500_000
    };
    Tick::from_nanos(due.nanos().div_ceil(grid).saturating_mul(grid))
}

/// The waits, and the timer's driver.
#[derive(Debug, Default)]
struct State {
    waits: Waits,
    /// The instant the timer is armed for; the driver is woken when an earlier one comes.
    armed: Option<Tick>,
    driver: Option<Waker>,
}

/// One worker's waits.
#[derive(Debug)]
pub struct Pace {
    clock: Clock,
    state: RefCell<State>,
}

impl Pace {
    /// No waits yet, on `clock`.
    pub fn new(clock: Clock) -> Self {
        Self { clock, state: RefCell::default() }
    }

    /// Now.
    pub fn now(&self) -> Tick {
        self.clock.now()
    }

    /// Now, by the wall clock.
    pub fn utc(&self) -> jiff::Timestamp {
        self.clock.utc(self.clock.now())
    }

    fn enter(&self, at: Tick, length: Option<Duration>, waker: &Waker) -> Key {
        let mut state = self.state.borrow_mut();
        let key = state.waits.enter(at, length, waker);
        if state.armed.is_none_or(|armed| at < armed)
            && let Some(driver) = state.driver.take()
        {
            driver.wake();
        }
        key
    }

    /// Returns once the clock shows `at`, never before. Cancel-safe.
    pub async fn until(&self, at: Tick) {
        let mut alarm = self.alarm();
        poll_fn(|cx| if alarm.rings(at, cx) { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    /// An alarm for one task.
    pub fn alarm(&self) -> Alarm<'_> {
        Alarm { pace: self, key: None }
    }

    /// Wakes every task that waits, so that it looks again at its limits.
    pub fn wake_all(&self) {
        // Whoever is woken may enter again.
        let wakers = self.state.borrow().waits.wakers();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Wakes the tasks whose instant has come; the instant of the next one.
    fn wake_due(&self) -> Option<Tick> {
        loop {
            let now = self.clock.now();
            let mut state = self.state.borrow_mut();
            let next = state.waits.next()?;
            if next > now {
                return Some(next);
            }
            let waker = state.waits.over(now);
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    /// Drives all waits; never returns.
    pub async fn drive(&self, mut timer: Timer) {
        loop {
            let next = self.wake_due();
            self.state.borrow_mut().armed = next;
            let mut until = pin!(timer.until(next.unwrap_or(Tick::MAX)));
            poll_fn(|cx| {
                if next.is_some() && until.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                let mut state = self.state.borrow_mut();
                let first = state.waits.next();
                if first.is_some_and(|first| next.is_none_or(|next| first < next)) {
                    return Poll::Ready(());
                }
                state.driver = Some(cx.waker().clone());
                Poll::Pending
            })
            .await;
        }
    }
}

/// One task's alarm. It is entered once and moved only when it must ring earlier, or rang before the limit in force.
#[derive(Debug)]
pub struct Alarm<'a> {
    pace: &'a Pace,
    key: Option<Key>,
}

impl Alarm<'_> {
    /// True when `at` has come; else the task of `cx` is woken then, or before.
    pub fn rings(&mut self, at: Tick, cx: &Context<'_>) -> bool {
        self.rings_at(self.pace.clock.now(), (at, None), cx)
    }

    /// As [`Self::rings`], for one who has just read the clock and perhaps waits for a timeout of this length.
    fn rings_at(&mut self, now: Tick, (at, length): (Tick, Option<Duration>), cx: &Context<'_>) -> bool {
        if now >= at {
            return true;
        }
        let kept = self.key.is_some_and(|key| key.at <= at && key.at > now);
        if !kept {
            self.stop();
            self.key = Some(self.pace.enter(at, length, cx.waker()));
        }
        false
    }

    fn stop(&mut self) {
        if let Some(key) = self.key.take() {
            self.pace.state.borrow_mut().waits.leave(key);
        }
    }
}

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The limits of one request.
#[derive(Debug)]
pub struct Limits<'a> {
    alarm: Alarm<'a>,
    /// The request as a whole.
    pub total: Tick,
    /// The end of the workload's drain, which an interruption moves.
    pub cut: &'a std::cell::Cell<Tick>,
    /// How long its phases may last.
    pub timeouts: &'a Timeouts,
    /// The end of the phase under way.
    phase: Tick,
    /// The lengths of the request as a whole and of that phase.
    lengths: (Duration, Duration),
    /// The length of a phase that begins when the task first waits in it: what comes at once needs no look at the clock.
    begun: Option<Duration>,
    /// The last look at the clock.
    seen: Tick,
}

/// Which limit passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// The phase under way took too long.
    Phase,
    /// The request took too long.
    Total,
    /// The run is over.
    Cut,
}

impl<'a> Limits<'a> {
    /// Limits without a phase, from `now` until `total`.
    pub fn new(
        pace: &'a Pace,
        (now, total): (Tick, Tick),
        cut: &'a std::cell::Cell<Tick>,
        timeouts: &'a Timeouts,
    ) -> Self {
        let lengths = (total - now, Duration::MAX);
        Self { alarm: pace.alarm(), total, cut, timeouts, phase: Tick::MAX, lengths, begun: None, seen: now }
    }

    /// The limit that has passed; else the task is woken when the nearest one does.
    pub fn passed(&mut self, cx: &Context<'_>) -> Option<Passed> {
        let now = self.now();
        self.seen = now;
        if let Some(most) = self.begun.take() {
            self.phase = now + most;
            self.lengths.1 = most;
        }
        let cut = self.cut.get();
        let nearest = self.total.min(self.phase).min(cut);
        let length = if nearest == self.phase {
            self.lengths.1
        } else if nearest == self.total {
            self.lengths.0
        } else {
            // All who wait for the end of the run wait for the same instant.
            Duration::MAX
        };
        if !self.alarm.rings_at(now, (nearest, Some(length)), cx) {
            return None;
        }
        Some(if nearest == cut {
            Passed::Cut
        } else if nearest == self.total {
            Passed::Total
        } else {
            Passed::Phase
        })
    }

    /// Begins a phase that lasts at most `most` from the first wait in it.
    pub fn begin(&mut self, most: Duration) {
        self.begun = Some(most);
    }

    /// The last look at the clock: at the request's start, or when it last waited.
    pub fn seen(&self) -> Tick {
        self.seen
    }

    /// Now.
    pub fn now(&self) -> Tick {
        self.alarm.pace.now()
    }

    /// Where the task waits.
    pub fn pace(&self) -> &'a Pace {
        self.alarm.pace
    }
}
