//! One lane of requests: hyper's connections today, a scripted double in the tests below; and the road of one request on it.
//!
//! A lane never tries again. The road does so once, when a connection that was open already gives the request back untouched.
//! Not here: which connection is used (`pool`, `client`), what is spoken on it (`h1`, `h2`).

use std::cell::Cell;

use super::answer::{Answer, Keep};
use super::failure::Failure;
use super::h1::{Exchange, Prepared};
use super::{Errand, Trip};
use crate::base::clock::Tick;
use crate::load::pace::Limits;
use crate::measure::outcome::Kind;

/// Opens connections and speaks on them.
pub(super) trait Lane {
    /// One connection.
    type Line;

    /// Opens a connection to `origin`.
    async fn begin(&self, origin: usize, limits: &mut Limits<'_>) -> Result<Self::Line, Failure>;

    /// Sends a request and takes its answer; with the bytes received and sent. What went wrong is data.
    async fn exchange(
        &self,
        line: &mut Self::Line,
        what: (Prepared, Keep),
        limits: &mut Limits<'_>,
    ) -> (Exchange, (u64, u64));

    /// True when a connection can take another request just after an exchange that went well, at `now`.
    fn is_usable(&self, line: &mut Self::Line, now: Tick) -> bool;
}

/// One exchange on `held`, or on a new connection; the connection afterwards, when it can be used again.
///
/// `reconnected` counts requests that came back untouched and were sent on another connection.
pub(super) async fn travel<L: Lane>(
    lane: &L,
    held: Option<L::Line>,
    errand: Errand,
    limits: &mut Limits<'_>,
    reconnected: &Cell<u64>,
) -> (Trip, Option<L::Line>) {
    let Errand { origin, mut request, keep } = errand;
    // A connection opened for this very request and closed at once is a failure, not a reason to try again.
    let mut again = held.is_some();
    let mut held = held;
    loop {
        let mut line = match held.take() {
            Some(line) => line,
            None => match lane.begin(origin, limits).await {
                Ok(line) => line,
                Err(failure) => return (Trip::without(failure, limits), None),
            },
        };
        let (done, passed) = lane.exchange(&mut line, (request, keep), limits).await;
        let result = match done {
            Exchange::Untouched(back) if again => {
                again = false;
                request = *back;
                reconnected.set(reconnected.get() + 1);
                continue;
            }
            done => whole(done),
        };
        let trip = Trip { result, done: limits.now(), bytes_in: passed.0, bytes_out: passed.1 };
        let is_usable = trip.result.is_ok() && lane.is_usable(&mut line, trip.done);
        return (trip, is_usable.then_some(line));
    }
}

/// What an exchange means for its request.
pub(super) fn whole(done: Exchange) -> Result<Answer, Failure> {
    match done {
        Exchange::Whole(answer) => answer.unpacked(),
        Exchange::Broken(failure) => Err(failure),
        Exchange::Untouched(_) => Err(Failure::early(Kind::EofBeforeStatus)),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use bytes::Bytes;
    use http_body_util::Full;
    use hyper::{Request, Response};

    use super::*;
    use crate::base::clock::Clock;
    use crate::load::pace::Pace;
    use crate::plan::load::Timeouts;

    /// What a scripted exchange comes to.
    #[derive(Clone, Copy)]
    enum Does {
        Answers,
        Breaks,
        GivesBack,
    }

    /// A lane that does what it is told; connections are numbers.
    struct Scripted {
        opens: RefCell<Vec<Result<u32, Kind>>>,
        exchanges: RefCell<Vec<Does>>,
        usable: bool,
    }

    impl Lane for Scripted {
        type Line = u32;

        async fn begin(&self, _: usize, _: &mut Limits<'_>) -> Result<u32, Failure> {
            self.opens.borrow_mut().remove(0).map_err(Failure::early)
        }

        async fn exchange(
            &self,
            _: &mut u32,
            (request, keep): (Prepared, Keep),
            _: &mut Limits<'_>,
        ) -> (Exchange, (u64, u64)) {
            let done = match self.exchanges.borrow_mut().remove(0) {
                Does::Answers => Exchange::Whole(Answer::new(Response::new(()).into_parts().0, keep)),
                Does::Breaks => Exchange::Broken(Failure::early(Kind::ResetWaiting)),
                Does::GivesBack => Exchange::Untouched(Box::new(request)),
            };
            (done, (7, 9))
        }

        fn is_usable(&self, _: &mut u32, _: Tick) -> bool {
            self.usable
        }
    }

    /// Result, connection afterwards, reconnections, and what is left of the script.
    fn road(held: Option<u32>, script: &Scripted) -> (Result<(), Kind>, Option<u32>, u64, usize) {
        let pace = Pace::new(Clock::manual().0);
        let cut = Cell::new(Tick::MAX);
        let timeouts = Timeouts::default();
        let mut limits = Limits::new(&pace, (Tick::ZERO, Tick::from_secs(1)), &cut, &timeouts);
        let request = Request::new(Full::new(Bytes::new()));
        let errand = Errand { origin: 0, request, keep: Keep::default() };
        let reconnected = Cell::new(0);
        let (trip, line) = futures::executor::block_on(travel(script, held, errand, &mut limits, &reconnected));
        let left = script.opens.borrow().len() + script.exchanges.borrow().len();
        (trip.result.map(drop).map_err(|failure| failure.kind), line, reconnected.get(), left)
    }

    #[test]
    fn only_an_untouched_request_is_sent_again_and_only_once() {
        use Does::{Answers, Breaks, GivesBack};
        let gone = Err(Kind::EofBeforeStatus);
        for (held, opens, exchanges, usable, want) in [
            (Some(1), vec![], vec![Answers], true, (Ok(()), Some(1), 0, 0)),
            (Some(1), vec![], vec![Answers], false, (Ok(()), None, 0, 0)),
            (None, vec![Ok(2)], vec![Answers], true, (Ok(()), Some(2), 0, 0)),
            (Some(1), vec![Ok(2)], vec![GivesBack, Answers], true, (Ok(()), Some(2), 1, 0)),
            (Some(1), vec![Ok(2), Ok(3)], vec![GivesBack, GivesBack, Answers], true, (gone, None, 1, 2)),
            (None, vec![Ok(2), Ok(3)], vec![GivesBack, Answers], true, (gone, None, 0, 2)),
            (Some(1), vec![Ok(2)], vec![Breaks, Answers], true, (Err(Kind::ResetWaiting), None, 0, 2)),
            (
                None,
                vec![Err(Kind::ConnectRefused), Ok(2)],
                vec![Answers],
                true,
                (Err(Kind::ConnectRefused), None, 0, 2),
            ),
        ] {
            let script = Scripted { opens: opens.into(), exchanges: exchanges.into(), usable };
            assert_eq!(road(held, &script), want);
        }
    }
}
