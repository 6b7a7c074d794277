//! Moves the bytes of one connection between its two sockets, as its link says. Decides nothing, and never sits in a
//! write: one task waits at once for a swapped snapshot, an alarm, a due piece, a readable source and a writable destination.
//!
//! Not here: what is due, and when (`link`, `chain`); accepting and dialling (`proxy`, `dial`).

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use rustix::net::{Shutdown, shutdown};
use tokio::net::TcpStream;

use super::connections::Connection;
use super::link::Link;
use super::parcel::{Close, Piece, Signal, Way};
use super::stats::Traffic;
use super::wake::{Slot, Wakes};
use crate::base::clock::Tick;

/// Bytes of one parcel, at most.
const PARCEL: usize = 32 * 1024;
/// Bytes of one read on the fast path, and of the buffer that all links of a worker share.
const SCRATCH: usize = 64 * 1024;
/// What may always wait in each direction.
const BUFFER_LEAST: usize = 64 * 1024;
/// What may wait in all links of a worker; beyond, each still has its 64 KiB.
const WORKER_MOST: usize = 1 << 30;
/// Looks of one link in a row before the others have theirs.
const TURNS: usize = 8;
/// Reads that empty a socket before an orderly close: unread bytes would turn the FIN into a reset.
const DRAINS: usize = 64;

/// What all pumps of a worker share.
#[derive(Clone, Debug)]
pub(super) struct Local {
    pub(super) wakes: Wakes,
    scratch: Rc<RefCell<Box<[u8]>>>,
    /// Bytes in the delay lines of all links.
    waiting: Rc<Cell<usize>>,
}

impl Local {
    pub(super) fn new(wakes: Wakes) -> Self {
        Self { wakes, scratch: Rc::new(RefCell::new(vec![0; SCRATCH].into_boxed_slice())), waiting: Rc::default() }
    }
}

/// Where a link sits between its pump, which moves bytes, and its worker, which swaps snapshots without touching a socket.
#[derive(Debug)]
pub(super) struct Seat {
    link: RefCell<Link>,
    pump: RefCell<Option<Waker>>,
    peer: Option<SocketAddr>,
}

impl Seat {
    pub(super) fn new(link: Link, peer: Option<SocketAddr>) -> Self {
        Self { link: RefCell::new(link), pump: RefCell::new(None), peer }
    }

    /// The connection as it stands.
    pub(super) fn describe(&self, ordinal: u64, now: Tick) -> Connection {
        let link = self.link.borrow();
        let [bytes_up, bytes_down] = link.moved();
        Connection {
            ordinal,
            peer: self.peer,
            age: now.since(link.opened()),
            bytes_up,
            bytes_down,
            faults: link.carried(),
        }
    }

    /// Changes the link and lets its pump look again.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Link) -> T) -> T {
        let changed = change(&mut self.link.borrow_mut());
        if let Some(waker) = self.pump.take() {
            waker.wake();
        }
        changed
    }

    fn attend(&self, cx: &Context<'_>) {
        let mut pump = self.pump.borrow_mut();
        if !pump.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            *pump = Some(cx.waker().clone());
        }
    }
}

/// How far one direction has come.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    /// The source has ended: nothing more is read.
    drained: bool,
    /// The end was handed on, or the destination is gone: nothing more is written.
    ended: bool,
}

/// What a step achieved.
enum Step {
    Moved,
    /// Nothing is due.
    Idle,
    /// The head is due, but the destination takes nothing now.
    Blocked,
    Over(Close),
}

/// The shell around one link.
#[derive(Debug)]
pub(super) struct Pump {
    client: TcpStream,
    server: TcpStream,
    buffer: usize,
    local: Local,
    traffic: Arc<Traffic>,
    /// Of this link, in the worker's sum.
    counted: usize,
    slot: Slot,
    up: Flow,
    down: Flow,
}

impl Pump {
    /// A pump that lets at most `buffer` bytes wait in each direction, and always 64 KiB.
    pub(super) fn new(
        (client, server): (TcpStream, TcpStream),
        buffer: usize,
        local: Local,
        traffic: Arc<Traffic>,
    ) -> Self {
        let slot = local.wakes.slot();
        let buffer = buffer.max(BUFFER_LEAST);
        Self { client, server, buffer, local, traffic, counted: 0, slot, up: Flow::default(), down: Flow::default() }
    }

    /// Runs until the connection is over, and ends it at both peers.
    pub(super) async fn run(mut self, seat: Rc<Seat>) {
        let how = poll_fn(|cx| {
            seat.attend(cx);
            let mut link = seat.link.borrow_mut();
            link.attend(cx);
            let polled = self.poll(cx, &mut link);
            self.count(link.waiting());
            polled
        })
        .await;
        self.count(0);
        end(self.client, how);
        end(self.server, how);
    }

    fn poll(&mut self, cx: &mut Context<'_>, link: &mut Link) -> Poll<Close> {
        for _ in 0..TURNS {
            let now = self.local.wakes.clock().now();
            if link.turn_due().is_some_and(|due| due <= now) {
                link.turn(now);
            }
            let mut moved = self.fill(Way::Up, link, now, cx);
            moved |= self.fill(Way::Down, link, now, cx);
            moved |= link.ferry(now, self.buffer);
            // Before anything is written: what arrives with its own alarm never leaves.
            if let Some(how) = link.verdict(now) {
                return Poll::Ready(how);
            }
            let mut due = link.alarm_due().into_iter().chain(link.turn_due()).min();
            for way in [Way::Up, Way::Down] {
                match self.drain(way, link, now, cx) {
                    Step::Moved => moved = true,
                    Step::Idle => due = due.into_iter().chain(link.outlet(way).head_due()).min(),
                    Step::Blocked => {}
                    Step::Over(how) => return Poll::Ready(how),
                }
            }
            if self.up.ended && self.down.ended {
                return Poll::Ready(Close::Fin);
            }
            if !moved && self.slot.poll(cx, due).is_pending() {
                return Poll::Pending;
            }
        }
        // The others, and the worker's commands, come first.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Brings the worker's sum of waiting bytes up to date.
    fn count(&mut self, waiting: usize) {
        let others = self.local.waiting.get().saturating_sub(self.counted);
        self.counted = waiting;
        self.local.waiting.set(others + waiting);
    }

    /// Reads once, if there is room. True when something arrived.
    fn fill(&mut self, way: Way, link: &mut Link, now: Tick, cx: &mut Context<'_>) -> bool {
        let full = self.local.waiting.get() >= WORKER_MOST;
        let room = link.room(way, if full { BUFFER_LEAST } else { self.buffer }, now);
        if self.flow(way).drained || room == 0 {
            return false;
        }
        let straight = link.straight(way, SCRATCH);
        let scratch = Rc::clone(&self.local.scratch);
        let mut scratch = scratch.borrow_mut();
        let limit = if straight > 0 { straight } else { PARCEL.min(room) };
        let Some(into) = scratch.get_mut(..limit) else { return false };
        let Poll::Ready(read) = poll_read(self.source(way), cx, into) else { return false };
        match read {
            Ok(0) => {
                self.flow(way).drained = true;
                link.arrive(way, now, Signal::Fin);
            }
            Ok(n) => {
                self.traffic.received(way, n);
                link.count(way, n);
                link.chain(way).hear(now);
                let got = into.get(..n).unwrap_or_default();
                if straight == 0 {
                    link.arrive(way, now, Signal::Data(Bytes::copy_from_slice(got)));
                    return true;
                }
                let sent = self.destination(way).try_write(got).unwrap_or(0);
                self.traffic.sent(way, sent);
                link.passed(way, n);
                // What did not fit waits; an error of the destination shows when it is written again.
                if let Some(rest) = got.get(sent..).filter(|rest| !rest.is_empty()) {
                    link.outlet(way).arrive(now, Signal::Data(Bytes::copy_from_slice(rest)));
                }
            }
            Err(_) => {
                self.flow(way).drained = true;
                link.arrive(way, now, Signal::Rst);
            }
        }
        true
    }

    /// Writes what is due, as far as the destination takes it.
    fn drain(&mut self, way: Way, link: &mut Link, now: Tick, cx: &mut Context<'_>) -> Step {
        let mut step = Step::Idle;
        while let Some(piece) = link.outlet(way).head(now) {
            let written = match piece {
                Piece::Cut(how) => return Step::Over(*how),
                Piece::Pass(Signal::Rst) => return Step::Over(Close::Rst),
                Piece::Pass(Signal::Fin) => {
                    self.flow(way).ended = true;
                    // A destination that is already gone has heard of the end.
                    shutdown(self.destination(way), Shutdown::Write).map(|()| 0).or(Ok(0))
                }
                Piece::Pass(Signal::Data(data)) => match poll_write(self.destination(way), cx, data) {
                    Poll::Ready(written) => written,
                    // What did move is looked at again, and then this waits for the destination alone.
                    Poll::Pending => return if matches!(step, Step::Moved) { step } else { Step::Blocked },
                },
            };
            match written {
                Ok(n) => {
                    self.traffic.sent(way, n);
                    link.chain(way).advance(n, now);
                }
                Err(_) => self.lose(way, link, now),
            }
            step = Step::Moved;
        }
        step
    }

    /// The destination of `way` is gone. Its own direction may still hold bytes for the other peer: the reset follows them.
    fn lose(&mut self, way: Way, link: &mut Link, now: Tick) {
        link.abandon(way);
        *self.flow(way) = Flow { drained: true, ended: true };
        self.flow(way.other()).drained = true;
        link.arrive(way.other(), now, Signal::Rst);
    }

    fn flow(&mut self, way: Way) -> &mut Flow {
        match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        }
    }

    fn source(&self, way: Way) -> &TcpStream {
        match way {
            Way::Up => &self.client,
            Way::Down => &self.server,
        }
    }

    fn destination(&self, way: Way) -> &TcpStream {
        self.source(way.other())
    }
}

fn poll_read(source: &TcpStream, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
    loop {
        std::task::ready!(source.poll_read_ready(cx))?;
        match source.try_read(into) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => return Poll::Ready(read),
        }
    }
}

fn poll_write(destination: &TcpStream, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
    loop {
        std::task::ready!(destination.poll_write_ready(cx))?;
        match destination.try_write(data) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            written => return Poll::Ready(written),
        }
    }
}

/// Ends one socket. A peer that is gone already cannot be told, which is no failure.
pub(super) fn end(socket: TcpStream, how: Close) {
    match how {
        // Set at the cut and not before: existing and idle connections get their reset, too.
        Close::Rst => {
            socket.set_zero_linger().ok();
        }
        Close::Fin => {
            shutdown(&socket, Shutdown::Write).ok();
            let mut sink = [0; 4096];
            for _ in 0..DRAINS {
                if !matches!(socket.try_read(&mut sink), Ok(n) if n > 0) {
                    break;
                }
            }
        }
    }
    drop(socket);
}
