//! The body of an answer, read to its end within the limits of silence.
//!
//! Not here: what is kept of it (`answer`), the head (`h1`, `h2`).

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Incoming};

use super::answer::Answer;
use crate::load::pace::{Limits, Passed};

/// How a body ended.
#[derive(Debug)]
pub enum Ended {
    /// As it should.
    Whole,
    /// It broke off.
    Broken(hyper::Error),
}

/// Reads `body` into `answer`; `drive` moves the connection, where the reader has to.
pub async fn read(
    body: Incoming,
    answer: &mut Answer,
    limits: &mut Limits<'_>,
    idle: Duration,
    mut drive: impl FnMut(&mut Context<'_>),
) -> Result<Ended, Passed> {
    let mut body = pin!(body);
    let mut first = true;
    poll_fn(|cx| {
        // A small body came with its head.
        if !std::mem::take(&mut first) {
            drive(cx);
        }
        loop {
            match pull(body.as_mut(), answer, cx) {
                Pull::More => drive(cx),
                Pull::End(ended) => return Poll::Ready(Ok(ended)),
                Pull::Wait => break,
            }
            limits.begin(idle);
        }
        answer.waits(limits);
        limits.passed(cx).map_or(Poll::Pending, |passed| Poll::Ready(Err(passed)))
    })
    .await
}

/// What one look at a body brought.
enum Pull {
    /// A piece; there is more to come.
    More,
    /// Its end.
    End(Ended),
    /// Nothing yet.
    Wait,
}

fn pull(mut body: Pin<&mut Incoming>, answer: &mut Answer, cx: &mut Context<'_>) -> Pull {
    match body.as_mut().poll_frame(cx) {
        Poll::Ready(Some(Ok(frame))) => {
            if let Ok(chunk) = frame.into_data() {
                answer.take(&chunk);
            }
            // A body of known length says so itself; asking the connection again would cost for nothing.
            if body.is_end_stream() { Pull::End(Ended::Whole) } else { Pull::More }
        }
        Poll::Ready(Some(Err(error))) => Pull::End(Ended::Broken(error)),
        Poll::Ready(None) => Pull::End(Ended::Whole),
        Poll::Pending => Pull::Wait,
    }
}
