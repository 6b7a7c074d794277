//! A worker's pulse: every 10 ms it looks whether it was late, whether to stop, whether it is over; every second it sends a frame.
//!
//! Not here: judgement of the readings (`judge`), what becomes of a frame (`local`).

use std::sync::mpsc::Sender;
use std::time::Duration;

use super::core::{Farewell, Post, Worker};
use crate::base::clock::{Tick, thread_cpu_nanos};
use crate::base::stop::Stop;
use crate::measure::host;
use crate::measure::interval::Health;
use crate::measure::ledger::Entry;
use crate::measure::recorder::Frame;

/// How often a worker looks at its own pulse.
const BEAT_MS: u64 = 10;

/// What a worker tells the collector.
#[derive(Debug)]
pub enum Message {
    /// Everything up to the end of `second`.
    Frame {
        /// The second that ended.
        second: u32,
        /// What was measured.
        frame: Frame,
        /// Lines for the books of the run, by number.
        booked: Vec<(u16, Entry)>,
    },
    /// The worker is done; its last frame went before.
    End(Box<Farewell>),
}

/// Keeps the pulse of `worker` until everything is over.
pub async fn keep(worker: &Worker, post: &Post, out: &Sender<Message>) {
    let mut pulse = Pulse::new();
    let mut second = post.start_at.second();
    let mut beat = next_beat(worker.pace.now());
    loop {
        worker.pace.until(beat).await;
        let now = worker.pace.now();
        pulse.stall = pulse.stall.max(now - beat);
        pulse.look(post.clock.wall_apart());
        if !worker.halted.get() && post.stops.iter().any(Stop::is_requested) {
            worker.halt();
        }
        let over = worker.is_over();
        if now.second() > second || over {
            // A stall may have swallowed whole seconds: they are closed as one.
            second = second.max(if over { now.second() } else { now.second() - 1 });
            // The collector outlives its workers; if it died, `finished` says so.
            drop(out.send(worker.frame(second, pulse.take())));
            second += 1;
            worker.crews.iter().for_each(|crew| crew.client.sweep(now));
        }
        if over {
            return;
        }
        beat = next_beat(now);
    }
}

/// The first multiple of a beat after `now`: seconds end on a beat.
fn next_beat(now: Tick) -> Tick {
    Tick::from_millis((now.millis() / BEAT_MS + 1) * BEAT_MS)
}

/// Readings of the thread's own health.
#[derive(Debug)]
struct Pulse {
    stall: Duration,
    cpu: u64,
    waited: u64,
    /// How far the wall clock was from the monotonic one at the last look, ns.
    apart: Option<i64>,
    /// Its longest jump, ns.
    jump: u64,
}

impl Pulse {
    fn new() -> Self {
        let waited = host::waited_us() + host::stolen_us();
        Self { stall: Duration::ZERO, cpu: thread_cpu_nanos() / 1_000, waited, apart: None, jump: 0 }
    }

    /// Looks at the wall clock, which is `apart` from the monotonic one.
    fn look(&mut self, apart: i64) {
        let before = self.apart.replace(apart).unwrap_or(apart);
        self.jump = self.jump.max(before.abs_diff(apart));
    }

    fn take(&mut self) -> Health {
        let new = Self { apart: self.apart, ..Self::new() };
        let before = std::mem::replace(self, new);
        Health {
            cpu_us: self.cpu - before.cpu,
            stall_us: u64::try_from(before.stall.as_micros()).unwrap_or(u64::MAX),
            waited_us: self.waited.saturating_sub(before.waited),
            jump_us: before.jump / 1_000,
        }
    }
}
