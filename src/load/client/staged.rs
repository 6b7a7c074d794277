//! Bad clients: a valve between HTTP and the kernel that throttles, starves or breaks one connection on purpose.
//!
//! The one who exchanges turns the valve as time passes; nobody else has one, so nobody else pays for it. Not here: who
//! misbehaves (`load::user`), what it counts as (`load::step::staged`).

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::h1::{Exchange, Prepared, Terms};
use super::line::{Plain, Stream};
use super::link::Link;
use crate::base::clock::Tick;
use crate::load::pace::Limits;
use crate::plan::misbehave::How;

/// How often a throttled connection moves.
const STEP: Duration = Duration::from_millis(20);
/// What the kernel may hold for one who reads slowly: the other side must feel it.
const NARROW: u32 = 4 << 10;

/// How much may pass now, and what has passed.
#[derive(Debug)]
pub struct Valve {
    may_read: Cell<u64>,
    may_write: Cell<u64>,
    read: Cell<u64>,
    written: Cell<u64>,
    broken: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

impl Valve {
    /// An open one.
    pub fn open() -> Rc<Self> {
        Rc::new(Self {
            may_read: Cell::new(u64::MAX),
            may_write: Cell::new(u64::MAX),
            read: Cell::default(),
            written: Cell::default(),
            broken: Cell::default(),
            waiting: RefCell::default(),
        })
    }

    /// Bytes read and written since the trick began.
    pub fn passed(&self) -> (u64, u64) {
        (self.read.get(), self.written.get())
    }

    fn turn(&self) {
        self.waiting.borrow_mut().drain(..).for_each(Waker::wake);
    }

    /// Ends the connection by a reset.
    fn shatter(&self) {
        self.broken.set(true);
        self.turn();
    }

    /// What of `wanted` may pass by `allowance`; waits when it is nothing.
    fn pass(&self, allowance: &Cell<u64>, wanted: usize, cx: &Context<'_>) -> Poll<io::Result<usize>> {
        if self.broken.get() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let most = usize::try_from(allowance.get()).unwrap_or(usize::MAX).min(wanted);
        if most == 0 && wanted > 0 {
            self.waiting.borrow_mut().push(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(most))
    }
}

/// A stream behind a valve.
#[derive(Debug)]
pub struct Staged {
    stream: Stream,
    valve: Rc<Valve>,
}

impl Staged {
    /// Puts `valve` before `stream`.
    pub fn new(stream: Stream, valve: &Rc<Valve>) -> Self {
        Self { stream, valve: Rc::clone(valve) }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        let plain = match &self.stream {
            Stream::Plain(plain) => plain,
            Stream::Tls(tls) => tls.get_ref().0,
            Stream::Staged(_) => return,
        };
        if let (true, Plain::Tcp(stream)) = (self.valve.broken.get(), plain) {
            // Without it the other side sees an orderly end, which is a lesser misdeed.
            drop(stream.set_zero_linger());
        }
    }
}

impl AsyncRead for Staged {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let most = ready!(self.valve.pass(&self.valve.may_read, buf.remaining(), cx))?;
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(most));
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut part))?;
        let came = part.filled().len();
        buf.advance(came);
        self.valve.may_read.set(self.valve.may_read.get().saturating_sub(came as u64));
        self.valve.read.set(self.valve.read.get() + came as u64);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Staged {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let most = ready!(self.valve.pass(&self.valve.may_write, bytes.len(), cx))?;
        let left = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes.get(..most).unwrap_or(bytes)))?;
        self.valve.may_write.set(self.valve.may_write.get().saturating_sub(left as u64));
        self.valve.written.set(self.valve.written.get() + left as u64);
        Poll::Ready(Ok(left))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The window a connection with this trick is opened with; `None`: the system's.
pub fn window(how: How) -> Option<u32> {
    matches!(how, How::SlowRead(_) | How::HalfOpen(_)).then_some(NARROW)
}

/// A trick under way.
struct Trick<'a> {
    how: How,
    from: Tick,
    valve: &'a Valve,
}

impl Trick<'_> {
    /// True once the client breaks off.
    fn is_over(&self, now: Tick) -> bool {
        match self.how {
            How::AbortAfter(time) | How::HalfOpen(time) => now >= self.from + time,
            How::AbortAtByte(most) => self.valve.read.get() >= most,
            How::SlowRead(_) | How::SlowSend(_) => false,
        }
    }

    /// Lets pass what may pass by `now`; when to look again, `None`: not before something happens.
    fn turn(&self, now: Tick) -> Option<Tick> {
        let valve = self.valve;
        match self.how {
            How::AbortAfter(time) => Some(self.from + time),
            How::AbortAtByte(most) => {
                valve.may_read.set(most.saturating_sub(valve.read.get()));
                None
            }
            How::HalfOpen(time) => {
                valve.may_read.set(0);
                Some(self.from + time)
            }
            How::SlowRead(pace) => Some(self.let_pass(now, pace, (&valve.may_read, &valve.read))),
            How::SlowSend(pace) => Some(self.let_pass(now, pace, (&valve.may_write, &valve.written))),
        }
    }

    /// So much per second and no more; a little at a time, but never less than a byte.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 0; casts saturate")]
    fn let_pass(&self, now: Tick, pace: f64, (may, passed): (&Cell<u64>, &Cell<u64>)) -> Tick {
        let allowed = (pace * now.since(self.from).as_secs_f64()) as u64;
        may.set(allowed.saturating_sub(passed.get()));
        // Who is woken in vain waits again at once: only what may move is told.
        if may.get() > 0 {
            self.valve.turn();
        }
        let next = Duration::try_from_secs_f64((allowed as f64 + 1.0) / pace).unwrap_or(Duration::MAX);
        (self.from + next.min(Duration::from_secs(3600))).max(now + STEP)
    }
}

/// One exchange of a bad client, and the bytes received and sent; `None` when it broke off.
pub async fn exchange(
    (link, valve): (&mut Link, &Valve),
    how: How,
    request: Prepared,
    (limits, terms): (&mut Limits<'_>, Terms),
) -> (Option<Exchange>, (u64, u64)) {
    let pace = limits.pace();
    valve.read.set(0);
    valve.written.set(0);
    let trick = Trick { how, from: limits.now(), valve };
    let mut alarm = pace.alarm();
    let mut exchange = pin!(link.exchange(request, limits, terms));
    let done = poll_fn(|cx| {
        loop {
            let now = pace.now();
            if trick.is_over(now) {
                return Poll::Ready(None);
            }
            let next = trick.turn(now);
            if let Poll::Ready((done, _)) = exchange.as_mut().poll(cx) {
                return Poll::Ready(Some(done));
            }
            if trick.is_over(now) {
                return Poll::Ready(None);
            }
            if !next.is_some_and(|next| alarm.rings(next, cx)) {
                return Poll::Pending;
            }
        }
    })
    .await;
    if done.is_none() {
        valve.shatter();
    }
    (done, valve.passed())
}
