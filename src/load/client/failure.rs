//! The kind of a failure, decided from what the socket said and how far the bytes came; no text is compared.
//!
//! Pure. Not here: the readings (`line`), refusals of whole answers (`load::step::check`).

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::Poll;

use rustix::io::Errno;

use super::line::End;
use crate::load::pace::{Limits, Passed};
use crate::measure::outcome::Kind;

/// Why there is no whole answer, and how far it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub kind: Kind,
    /// Position in the request while sending, in the answer afterwards.
    pub byte: u64,
}

impl Failure {
    /// A failure before any byte.
    pub fn early(kind: Kind) -> Self {
        Self { kind, byte: 0 }
    }
}

/// How far an exchange came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Bytes of the request that left.
    pub written: u64,
    /// Bytes of the answer that came.
    pub read: u64,
    /// True once the answer's head was whole.
    pub head: bool,
}

/// What `future` comes to within the limits of its phase; `late` is the kind of its own limit.
pub async fn within<F: Future>(future: F, limits: &mut Limits<'_>, late: Kind) -> Result<F::Output, Kind> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        if let Poll::Ready(result) = future.as_mut().poll(cx) {
            return Poll::Ready(Ok(result));
        }
        match limits.passed(cx) {
            Some(Passed::Cut) => Poll::Ready(Err(Kind::Unfinished)),
            Some(Passed::Total) => Poll::Ready(Err(Kind::TimeoutTotal)),
            Some(Passed::Phase) => Poll::Ready(Err(late)),
            None => Poll::Pending,
        }
    })
    .await
}

/// Why a connection did not open.
pub fn connecting(error: &io::Error) -> Kind {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::MFILE | Errno::NFILE) => return Kind::LocalFd,
        Some(Errno::ADDRNOTAVAIL) => return Kind::LocalPort,
        _ => {}
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => Kind::ConnectRefused,
        io::ErrorKind::TimedOut => Kind::ConnectTimeout,
        _ => Kind::Unreachable,
    }
}

/// Why an exchange broke off: `end` is what the socket said, `None` when it said nothing and the bytes themselves were wrong.
pub fn exchanging(end: Option<End>, reached: Reached) -> Failure {
    let answer = |kind| Failure { kind, byte: reached.read };
    let nothing = reached.read == 0 && !reached.head;
    match end {
        // A server that refuses our certificate says so only after the handshake of TLS 1.3.
        Some(End::Read(io::ErrorKind::InvalidData)) => answer(Kind::TlsAlert),
        Some(End::Write(_)) if nothing => Failure { kind: Kind::ResetSending, byte: reached.written },
        Some(End::Eof | End::Read(io::ErrorKind::UnexpectedEof)) if nothing => answer(Kind::EofBeforeStatus),
        Some(End::Eof | End::Read(io::ErrorKind::UnexpectedEof)) => answer(Kind::EofMidBody),
        Some(End::Read(_) | End::Write(_)) if nothing => answer(Kind::ResetWaiting),
        Some(End::Read(_) | End::Write(_)) => answer(Kind::ResetReading),
        None => answer(Kind::Protocol),
    }
}

/// Which kind a passed limit is, in an exchange.
pub fn timing_out(passed: Passed, reached: Reached) -> Failure {
    let kind = match passed {
        Passed::Cut => Kind::Unfinished,
        Passed::Total => Kind::TimeoutTotal,
        Passed::Phase if reached.read == 0 && !reached.head => Kind::TimeoutFirstByte,
        Passed::Phase => Kind::TimeoutIdle,
    };
    Failure { kind, byte: reached.read }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_break_has_its_kind_and_byte() {
        let reset = io::ErrorKind::ConnectionReset;
        let reached = |written, read| Reached { written, read, head: read > 40 };
        for (end, at, kind, byte) in [
            (Some(End::Eof), reached(90, 0), Kind::EofBeforeStatus, 0),
            (Some(End::Eof), reached(90, 57), Kind::EofMidBody, 57),
            (Some(End::Read(reset)), reached(90, 0), Kind::ResetWaiting, 0),
            (Some(End::Read(reset)), reached(90, 12), Kind::ResetReading, 12),
            (Some(End::Write(io::ErrorKind::BrokenPipe)), reached(33, 0), Kind::ResetSending, 33),
            (Some(End::Write(io::ErrorKind::BrokenPipe)), reached(33, 7), Kind::ResetReading, 7),
            (None, reached(90, 18), Kind::Protocol, 18),
        ] {
            assert_eq!(exchanging(end, at), Failure { kind, byte }, "{end:?}");
        }
    }

    #[test]
    fn a_connection_fails_for_the_reason_the_system_gives() {
        for (errno, kind) in [
            (Errno::CONNREFUSED, Kind::ConnectRefused),
            (Errno::HOSTUNREACH, Kind::Unreachable),
            (Errno::TIMEDOUT, Kind::ConnectTimeout),
            (Errno::ADDRNOTAVAIL, Kind::LocalPort),
            (Errno::MFILE, Kind::LocalFd),
        ] {
            assert_eq!(connecting(&io::Error::from_raw_os_error(errno.raw_os_error())), kind);
        }
    }

    #[test]
    fn a_limit_is_named_by_its_phase() {
        let at = |read| Reached { written: 1, read, head: false };
        assert_eq!(timing_out(Passed::Phase, at(0)).kind, Kind::TimeoutFirstByte);
        assert_eq!(timing_out(Passed::Phase, at(9)), Failure { kind: Kind::TimeoutIdle, byte: 9 });
        assert_eq!(timing_out(Passed::Total, at(9)).kind, Kind::TimeoutTotal);
        assert_eq!(timing_out(Passed::Cut, at(0)).kind, Kind::Unfinished);
    }
}
