//! Serving HTTP/1.1 on one listener, and the answers that the shop's parts give.
//!
//! An answer may hold things until it is written: the database connection and the place in flight of its request.
//! When the client goes away, hyper drops the running handler, and with it what it holds. Called by `gateway`,
//! `backend` and `admin`.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Collected, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::base::clock::Clock;
use crate::base::timer::Timer;

/// The largest body the shop reads.
const BODY_LIMIT: usize = 64 << 10;

/// A whole answer.
pub(super) type Reply = Response<Answer>;

/// The body of an answer, and what is held until it is written.
pub(super) struct Answer {
    data: Option<Bytes>,
    held: Option<Box<dyn Any + Send>>,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.data.take().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.as_ref().map_or(0, |data| data.len() as u64))
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("data", &self.data).finish_non_exhaustive()
    }
}

/// An answer with a body of the given type.
pub(super) fn reply(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let body: Bytes = body.into();
    let mut reply = Response::new(Answer { data: Some(body).filter(|body| !body.is_empty()), held: None });
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

/// An answer of JSON.
pub(super) fn json_reply(status: StatusCode, value: &Value) -> Reply {
    reply(status, "application/json", value.to_string())
}

/// A refusal: `{"error": id, "reason": …}`.
pub(super) fn refusal(status: StatusCode, error: &str, reason: &str) -> Reply {
    json_reply(status, &json!({"error": error, "reason": reason}))
}

/// The same answer, keeping `held` until its body is written.
pub(super) fn holding(mut reply: Reply, held: impl Any + Send) -> Reply {
    reply.body_mut().held = Some(Box::new(held));
    reply
}

/// Reads a request's body. The answer to give when it is too long or was cut.
pub(super) async fn read_body(body: Incoming) -> Result<Bytes, Box<Reply>> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let limited = Limited::new(body, BODY_LIMIT).collect().await;
    limited.map(Collected::to_bytes).map_err(|error| {
        let reason = format!("the body could not be read: {error}; at most {BODY_LIMIT} bytes are");
        Box::new(refusal(StatusCode::BAD_REQUEST, "bad_body", &reason))
    })
}

/// Reads JSON; an empty body is an empty object. The mistake is named with its line and column.
pub(super) fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Box<Reply>> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    serde_json::from_slice(bytes).map_err(|error| {
        let place = json!({"line": error.line(), "column": error.column()});
        let data = json!({"error": "bad_json", "reason": error.to_string(), "at": place});
        Box::new(json_reply(StatusCode::BAD_REQUEST, &data))
    })
}

/// Accepts connections and answers every request with `handler`. While `open` is false nobody listens and every
/// connection is cut, as if the process had gone. Ends when dropped, or when nobody can open it any more.
pub(super) async fn serve<F, R>(listener: TcpListener, clock: Clock, mut open: watch::Receiver<bool>, handler: F)
where
    F: Fn(Request<Incoming>) -> R + Send + Sync + 'static,
    R: Future<Output = Reply> + Send + 'static,
{
    let Ok(address) = listener.local_addr() else { return };
    let handler = Arc::new(handler);
    let mut listener = Some(listener);
    loop {
        if let Some(listener) = listener.take() {
            tokio::select! {
                () = accept(&listener, &clock, &handler) => {}
                closed = open.wait_for(|open| !open) => if closed.is_err() { return },
            }
        }
        if open.wait_for(|open| *open).await.is_err() {
            return;
        }
        listener = TcpListener::bind(address).await.ok();
        if listener.is_none() {
            pause(&clock).await;
        }
    }
}

/// A door that stays open.
pub(super) fn always_open() -> watch::Receiver<bool> {
    // Kept by a task of the same runtime: a door whose sender has gone would count as lost.
    let (door, open) = watch::channel(true);
    tokio::spawn(async move { door.closed().await });
    open
}

async fn pause(clock: &Clock) {
    if let Ok(mut timer) = Timer::new(clock) {
        timer.until(clock.now() + Duration::from_millis(20)).await;
    }
}

/// Accepts for ever. What it has accepted is cut when it is dropped.
async fn accept<F, R>(listener: &TcpListener, clock: &Clock, handler: &Arc<F>)
where
    F: Fn(Request<Incoming>) -> R + Send + Sync + 'static,
    R: Future<Output = Reply> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                // Out of descriptors: asking again at once would only burn the core.
                pause(clock).await;
                continue;
            }
        };
        // Refused only on a socket that is already closed, which serving finds out by itself.
        drop(stream.set_nodelay(true));
        let handler = Arc::clone(handler);
        let service = service_fn(move |request| {
            let answer = handler(request);
            async move { Ok::<_, Infallible>(answer.await) }
        });
        connections.spawn(async move {
            // A client that goes away in the middle is not the shop's error.
            drop(http1::Builder::new().pipeline_flush(true).serve_connection(TokioIo::new(stream), service).await);
        });
    }
}
