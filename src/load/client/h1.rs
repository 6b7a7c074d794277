//! HTTP/1.1 on hyper's bare connection, driven by the very task that asked: no second task, no pool, no retry of its own.
//!
//! Between requests a line sleeps unpolled; its first poll afterwards sees a close before anything is written, so a request
//! given back untouched is known to be untouched. Not here: which line is used (`pool`), kinds of failure (`failure`).

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

use super::answer::{Answer, Keep};
use super::body::{self, Ended};
use super::failure::{self, Failure, Reached};
use super::line::{Meter, Stream, Wire};
use crate::load::pace::{Limits, Passed};
use crate::plan::load::Timeouts;

/// A request ready to leave.
pub type Prepared = Request<Full<Bytes>>;

/// One connection.
#[derive(Debug)]
pub struct Line {
    sender: SendRequest<Full<Bytes>>,
    /// `None` once it is over.
    connection: Option<Pin<Box<Driven>>>,
    meter: Rc<Meter>,
}

/// What an exchange came to.
#[derive(Debug)]
pub enum Exchange {
    /// A whole answer.
    Whole(Answer),
    /// No whole answer.
    Broken(Failure),
    /// The connection was closed before anything was written: the request is untouched.
    Untouched(Box<Prepared>),
}

/// What an exchange may take and what is kept of it.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Longest wait for the first byte.
    pub first_byte: Duration,
    /// Longest silence inside the answer.
    pub idle: Duration,
    /// What is kept of the answer.
    pub keep: Keep,
}

impl Terms {
    /// By the manner of one client.
    pub fn of(timeouts: &Timeouts, keep: Keep) -> Self {
        Self { first_byte: timeouts.first_byte, idle: timeouts.idle, keep }
    }
}

/// A connection that moves when it is polled.
type Driven = Connection<TokioIo<Wire>, Full<Bytes>>;
/// What the head's wait came to; a request that never left comes back.
type Reply = Result<Response<Incoming>, Option<Box<Prepared>>>;

impl Line {
    /// Speaks HTTP/1.1 on `stream`; `None` when hyper refuses to begin.
    pub async fn begin(stream: Stream) -> Option<Self> {
        let (wire, meter) = Wire::new(stream);
        // Requests are small: one write of head and body together costs less than a vectored one.
        let (sender, connection) = Builder::new().writev(false).handshake(TokioIo::new(wire)).await.ok()?;
        Some(Self { sender, connection: Some(Box::pin(connection)), meter })
    }

    /// Bytes received and sent so far.
    pub fn passed(&self) -> (u64, u64) {
        (self.meter.read.get(), self.meter.written.get())
    }

    /// True when the connection can take another request just after an exchange.
    pub fn is_free(&mut self) -> bool {
        // As a rule the poll that brought the end of the answer also made it ready; another one would cost for nothing.
        self.connection.is_some() && (self.sender.is_ready() || self.is_alive())
    }

    /// True while an idle connection can take another request. Notices a close by the server.
    pub fn is_alive(&mut self) -> bool {
        // Nobody waits on an idle line: the request that uses it next polls it with its own waker.
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.connection.is_some() && self.sender.is_ready()
    }

    fn drive(&mut self, cx: &mut Context<'_>) {
        if self.connection.as_mut().is_some_and(|connection| connection.as_mut().poll(cx).is_ready()) {
            // Dropping it gives back a request it never wrote.
            self.connection = None;
        }
    }

    /// Sends `request` and reads the whole answer within `limits`.
    pub async fn exchange(&mut self, request: Prepared, limits: &mut Limits<'_>, terms: Terms) -> Exchange {
        let (read, written) = self.passed();
        let meter = Rc::clone(&self.meter);
        let reached = |head| Reached { written: meter.written.get() - written, read: meter.read.get() - read, head };
        let reply = self.sender.try_send_request(request);
        limits.begin(terms.first_byte);
        let response = match self.head(reply, limits).await {
            Ok(Ok(response)) => response,
            Ok(Err(Some(untouched))) if reached(false).written == 0 => return Exchange::Untouched(untouched),
            Ok(Err(_)) => return Exchange::Broken(failure::exchanging(meter.end.get(), reached(false))),
            Err(passed) => return Exchange::Broken(failure::timing_out(passed, reached(false))),
        };
        let (head, body) = response.into_parts();
        let mut answer = Answer::new(head, terms.keep);
        limits.begin(terms.idle);
        match body::read(body, &mut answer, limits, terms.idle, |cx| self.drive(cx)).await {
            Ok(Ended::Whole) => Exchange::Whole(answer),
            Ok(Ended::Broken(_)) => Exchange::Broken(failure::exchanging(meter.end.get(), reached(true))),
            Err(passed) => Exchange::Broken(failure::timing_out(passed, reached(true))),
        }
    }

    /// Waits for the answer's head.
    async fn head(
        &mut self,
        reply: impl Future<Output = Result<Response<Incoming>, TrySendError<Prepared>>>,
        limits: &mut Limits<'_>,
    ) -> Result<Reply, Passed> {
        let mut reply = pin!(reply);
        poll_fn(|cx| {
            self.drive(cx);
            // The reply can only come out of the connection polled just above: it needs no waker of its own.
            if let Poll::Ready(result) = reply.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return Poll::Ready(Ok(result.map_err(|mut error| error.take_message().map(Box::new))));
            }
            limits.passed(cx).map_or(Poll::Pending, |passed| Poll::Ready(Err(passed)))
        })
        .await
    }
}
