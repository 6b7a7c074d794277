//! One precise timer per worker: an absolute `timerfd` on the monotonic clock, registered with tokio.
//!
//! tokio's own timer has a millisecond wheel and rounds up; under an intended-time clock that would inflate
//! the median of every latency. Not here: the decision when to wake (`load::pace`, `fault::pump`).

use std::fs::File;
use std::future::poll_fn;
use std::io;
use std::task::Poll;

use rustix::fd::AsFd;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::net::unix::pipe;

use super::clock::{Clock, Tick};

/// Waits for instants of one [`Clock`]. Needs a tokio runtime with I/O enabled.
#[derive(Debug)]
pub struct Timer {
    clock: Clock,
    /// `None` for a manual clock, which wakes its sleepers itself.
    descriptor: Option<pipe::Receiver>,
    armed: Option<Tick>,
}

impl Timer {
    /// A timer on `clock`.
    ///
    /// # Errors
    /// When the process has no file descriptor left.
    pub fn new(clock: &Clock) -> io::Result<Self> {
        let descriptor = if clock.kernel_nanos(Tick::ZERO).is_some() {
            let fd = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
            // A timerfd reads like a pipe of eight-byte counters; tokio's checked constructors want a FIFO.
            Some(pipe::Receiver::from_file_unchecked(File::from(fd))?)
        } else {
            None
        };
        Ok(Self { clock: clock.clone(), descriptor, armed: None })
    }

    /// The clock this timer waits for.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Returns once the clock shows `at` or later, never before. Cancel-safe.
    pub async fn until(&mut self, at: Tick) {
        let Some(nanos) = self.clock.kernel_nanos(at) else {
            return poll_fn(|cx| if self.clock.hand_reached(at, cx.waker()) { Poll::Ready(()) } else { Poll::Pending })
                .await;
        };
        while self.clock.now() < at {
            if self.arm(at, nanos).is_err() || self.expiry().await.is_err() {
                // Without a working descriptor a late wake-up is better than a lost one.
                tokio::task::yield_now().await;
            }
        }
    }

    fn arm(&mut self, at: Tick, nanos: u64) -> io::Result<()> {
        if self.armed == Some(at) {
            return Ok(());
        }
        let Some(descriptor) = &self.descriptor else { return Ok(()) };
        let seconds = i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX);
        let rest = i64::try_from(nanos % 1_000_000_000).unwrap_or(0);
        let spec = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec { tv_sec: seconds, tv_nsec: rest },
        };
        timerfd_settime(descriptor.as_fd(), TimerfdTimerFlags::ABSTIME, &spec)?;
        self.armed = Some(at);
        Ok(())
    }

    async fn expiry(&mut self) -> io::Result<()> {
        let Some(descriptor) = &self.descriptor else { return Ok(()) };
        descriptor.readable().await?;
        match descriptor.try_read(&mut [0; 8]) {
            Ok(_) => {
                self.armed = None;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap()
    }

    #[test]
    fn a_kernel_timer_never_wakes_early() {
        runtime().block_on(async {
            let clock = Clock::start();
            let mut timer = Timer::new(&clock).unwrap();
            for step in 1..=5 {
                let at = Tick::from_millis(step * 2);
                timer.until(at).await;
                assert!(clock.now() >= at);
            }
        });
    }

    #[test]
    fn a_manual_clock_wakes_its_timers() {
        runtime().block_on(async {
            let (clock, hand) = Clock::manual();
            let mut timer = Timer::new(&clock).unwrap();
            let wait = timer.until(Tick::from_secs(3));
            tokio::pin!(wait);
            assert!(futures::poll!(&mut wait).is_pending());
            hand.advance(Duration::from_secs(2));
            assert!(futures::poll!(&mut wait).is_pending());
            hand.advance(Duration::from_secs(1));
            assert!(futures::poll!(&mut wait).is_ready());
        });
    }
}
