//! HTTP/2 on hyper's bare connection: many exchanges at once, each with its own stream; a task of its own moves the bytes.
//!
//! A stream's bytes are those of its body: heads are compressed together with those of other streams, and frames are shared. The
//! bytes of the connection as a whole are counted by whoever ends next, so that their sum is exact.
//! Not here: which connection is used (`pool`), kinds of failure (`failure`).

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http2::{Builder, Connection, SendRequest};
use hyper::http::header::HOST;
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::http::{HeaderValue, Uri, Version};
use hyper::rt::Executor;
use hyper_util::rt::TokioIo;

use super::answer::Answer;
use super::body::{self, Ended};
use super::failure::{self, Failure, Reached, within};
use super::h1::{Exchange, Prepared, Terms};
use super::line::{End, Meter, Stream, Wire};
use super::link::Age;
use crate::load::pace::Limits;
use crate::measure::outcome::Kind;

/// One connection; every clone is the same.
#[derive(Clone, Debug)]
pub struct Tube(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    sender: RefCell<SendRequest<Full<Bytes>>>,
    state: Rc<State>,
    meter: Rc<Meter>,
    /// What of the meter has been counted already.
    counted: Cell<(u64, u64)>,
    /// Exchanges under way.
    used: Cell<usize>,
    age: Age,
    place: Place,
}

/// What an address consists of besides its path.
#[derive(Clone, Debug)]
pub struct Place {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Host and port.
    pub authority: Authority,
}

#[derive(Debug)]
struct State {
    connection: RefCell<Moved>,
    over: Cell<bool>,
}

type Moved = Connection<TokioIo<Wire>, Full<Bytes>, Here>;

/// Runs what hyper spawns on this thread.
#[derive(Clone, Copy, Debug)]
struct Here;

impl<F: Future<Output = ()> + 'static> Executor<F> for Here {
    fn execute(&self, future: F) {
        drop(tokio::task::spawn_local(future));
    }
}

/// Moves a connection until it is over.
struct Mover(Rc<State>);

impl Future for Mover {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // The task ends with the connection; why it ended, the meter knows.
        drop(ready!(Pin::new(&mut *self.0.connection.borrow_mut()).poll(cx)));
        self.0.over.set(true);
        Poll::Ready(())
    }
}

impl Tube {
    /// Speaks HTTP/2 on `stream` and waits, within `most`, for the server's word on how many streams it allows.
    pub async fn begin(
        stream: Stream,
        place: Place,
        limits: &mut Limits<'_>,
        (streams, most): (usize, Duration),
    ) -> Result<Self, Failure> {
        let (wire, meter) = Wire::new(stream);
        limits.begin(most);
        let mut builder = Builder::new(Here);
        builder.initial_max_send_streams(streams);
        let begun = within(builder.handshake(TokioIo::new(wire)), limits, Kind::TlsTimeout).await;
        let (sender, connection) = begun.map_err(Failure::early)?.map_err(|_| Failure::early(Kind::EofBeforeStatus))?;
        let state = Rc::new(State { connection: RefCell::new(connection), over: Cell::new(false) });
        let mut mover = Mover(Rc::clone(&state));
        let settled = poll_fn(|cx| {
            let over = Pin::new(&mut mover).poll(cx).is_ready() || meter.end.get().is_some();
            if over || meter.read.get() > 0 {
                return Poll::Ready(over);
            }
            meter.waiting.set(Some(cx.waker().clone()));
            Poll::Pending
        });
        if within(settled, limits, Kind::TlsTimeout).await.map_err(Failure::early)? {
            let reached = Reached { written: 0, read: meter.read.get(), head: false };
            return Err(failure::exchanging(meter.end.get(), reached));
        }
        drop(tokio::task::spawn_local(mover));
        Ok(Self(Rc::new(Inner {
            sender: RefCell::new(sender),
            state,
            meter,
            counted: Cell::default(),
            used: Cell::new(0),
            age: Age::born(limits.now()),
            place,
        })))
    }

    /// Its age.
    pub fn age(&self) -> &Age {
        &self.0.age
    }

    /// True while it takes requests.
    pub fn is_alive(&self) -> bool {
        !self.0.state.over.get() && !self.0.sender.borrow().is_closed()
    }

    /// Exchanges under way.
    pub fn used(&self) -> usize {
        self.0.used.get()
    }

    /// Takes one of its streams, of which at most `most` may be used at once; false when there is none left.
    pub fn enter(&self, most: usize) -> bool {
        let free =
            self.is_alive() && self.used() < most.min(self.0.state.connection.borrow().current_max_send_streams());
        if free {
            self.0.used.set(self.used() + 1);
        }
        free
    }

    /// Gives a stream back.
    pub fn leave(&self) {
        self.0.used.set(self.used().saturating_sub(1));
    }

    /// True for the same connection.
    pub fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// Bytes received and sent that nobody has counted yet.
    pub fn uncounted(&self) -> (u64, u64) {
        let now = (self.0.meter.read.get(), self.0.meter.written.get());
        let before = self.0.counted.replace(now);
        (now.0 - before.0, now.1 - before.1)
    }

    /// Sends `request` and reads the whole answer within `limits`.
    pub async fn exchange(&self, request: Prepared, limits: &mut Limits<'_>, terms: Terms) -> Exchange {
        let reply = self.0.sender.borrow_mut().try_send_request(self.0.place.dress(request));
        limits.begin(terms.first_byte);
        let mut reply = Box::pin(reply);
        let head = poll_fn(|cx| match reply.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(Ok(result)),
            Poll::Pending => limits.passed(cx).map_or(Poll::Pending, |passed| Poll::Ready(Err(passed))),
        })
        .await;
        let nothing = Reached { written: 0, read: 0, head: false };
        let response = match head {
            Ok(Ok(response)) => response,
            Ok(Err(mut error)) => {
                return match error.take_message() {
                    Some(untouched) => Exchange::Untouched(Box::new(Place::undress(untouched))),
                    None => Exchange::Broken(self.broken(error.error(), nothing)),
                };
            }
            Err(passed) => return Exchange::Broken(failure::timing_out(passed, nothing)),
        };
        let (head, body) = response.into_parts();
        let mut answer = Answer::new(head, terms.keep);
        limits.begin(terms.idle);
        let ended = body::read(body, &mut answer, limits, terms.idle, |_| {}).await;
        let reached = Reached { written: 0, read: answer.size, head: true };
        match ended {
            Ok(Ended::Whole) => Exchange::Whole(answer),
            Ok(Ended::Broken(error)) => Exchange::Broken(self.broken(&error, reached)),
            Err(passed) => Exchange::Broken(failure::timing_out(passed, reached)),
        }
    }

    /// The kind of a broken exchange: what the socket said, else what the other side said about the stream.
    fn broken(&self, error: &hyper::Error, reached: Reached) -> Failure {
        let said = error.source().and_then(|source| source.downcast_ref::<h2::Error>());
        match said {
            Some(said) if said.is_remote() && (said.is_reset() || said.is_go_away()) => {
                failure::exchanging(Some(End::Read(std::io::ErrorKind::ConnectionReset)), reached)
            }
            Some(said) if !said.is_io() => failure::exchanging(None, reached),
            _ => failure::exchanging(Some(self.0.meter.end.get().unwrap_or(End::Eof)), reached),
        }
    }

    /// Lets the server's word arrive, should there be one: nobody waits for it.
    pub fn look(&self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.is_alive() && !matches!(self.0.sender.borrow_mut().poll_ready(&mut cx), Poll::Ready(Err(_)))
    }
}

impl Place {
    /// HTTP/2 wants the whole address in the request's own fields, and no `host`.
    fn dress(&self, mut request: Prepared) -> Prepared {
        let mut parts = std::mem::take(request.uri_mut()).into_parts();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = parts.path_and_query.or_else(|| Some(PathAndQuery::from_static("/")));
        // All three parts are there, which is all that can be wrong with them.
        *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
        request.headers_mut().remove(HOST);
        *request.version_mut() = Version::HTTP_2;
        request
    }

    /// As it was before, for a connection that may speak HTTP/1.1.
    fn undress(mut request: Prepared) -> Prepared {
        let uri = std::mem::take(request.uri_mut());
        if let Some(host) = uri.authority().and_then(|one| HeaderValue::from_str(one.as_str()).ok()) {
            request.headers_mut().insert(HOST, host);
        }
        let path = uri.into_parts().path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/"));
        *request.uri_mut() = Uri::from(path);
        *request.version_mut() = Version::HTTP_11;
        request
    }
}
