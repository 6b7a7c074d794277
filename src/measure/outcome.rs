//! What became of a request: the outcome, the stable kind of its failure, and its class for the SLO.
//!
//! Outcomes are data, never errors. Not here: who decides the class (`plan::good`).

use std::fmt;

/// Where in a request's life it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Looking up the name.
    Resolve,
    /// Opening the connection.
    Connect,
    /// Agreeing on TLS, or on HTTP/2.
    Tls,
    /// Waiting for a free connection.
    Wait,
    /// Sending the request.
    Send,
    /// Waiting for the status line.
    Await,
    /// Reading the answer.
    Read,
    /// At any moment.
    Any,
    /// The whole answer came, and something said no.
    Judged,
}

impl Phase {
    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Wait => "wait",
            Self::Send => "send",
            Self::Await => "await",
            Self::Read => "read",
            Self::Any => "any",
            Self::Judged => "judged",
        }
    }
}

/// Why a request did not count as answered. The key of `errors` in `result.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The name has no address.
    Resolve,
    /// The name was not looked up in time.
    ResolveTimeout,
    /// Nobody listens.
    ConnectRefused,
    /// No route.
    Unreachable,
    /// The connection did not open in time.
    ConnectTimeout,
    /// Ours: no local port left.
    LocalPort,
    /// Ours: no file descriptor left.
    LocalFd,
    /// The server's certificate is not believed.
    TlsCertificate,
    /// The other side, or the bytes it sent, ended the agreement on TLS.
    TlsAlert,
    /// No agreement on TLS or HTTP/2 in time.
    TlsTimeout,
    /// No connection became free in time.
    PoolTimeout,
    /// Reset while sending.
    ResetSending,
    /// Closed before a status line.
    EofBeforeStatus,
    /// Reset before a status line.
    ResetWaiting,
    /// No first byte in time.
    TimeoutFirstByte,
    /// Closed inside the body.
    EofMidBody,
    /// Reset inside the answer.
    ResetReading,
    /// Silence inside the body.
    TimeoutIdle,
    /// Not HTTP.
    Protocol,
    /// The body is not what its `content-encoding` says.
    Decode,
    /// The body exceeds what is kept for checks.
    TooLarge,
    /// The whole request took too long.
    TimeoutTotal,
    /// The ceiling of the target was reached.
    OverCeiling,
    /// The run ended before the answer.
    Unfinished,
    /// A status the step does not accept.
    Status(u16),
    /// A check said no; the number indexes the plan's labels.
    Check(u16),
    /// An extraction found nothing; the number indexes the plan's labels.
    Extract(u16),
    /// A rendered value cannot be sent, such as a line break in a header.
    Variable,
    /// A body that should be text is not UTF-8.
    NotUtf8,
    /// Another owner's tag in the answer.
    Leak,
    /// A version older than the user's own acknowledged write.
    Stale,
    /// The user gave up waiting.
    Abandoned,
    /// More redirects than are followed.
    Redirects,
    /// A redirect to an origin the scenario does not name: not followed.
    NotAllowed,
}

impl Kind {
    /// Where the failure lies.
    pub fn phase(self) -> Phase {
        match self {
            Self::Resolve | Self::ResolveTimeout => Phase::Resolve,
            Self::ConnectRefused | Self::Unreachable | Self::ConnectTimeout | Self::LocalPort | Self::LocalFd => {
                Phase::Connect
            }
            Self::TlsCertificate | Self::TlsAlert | Self::TlsTimeout => Phase::Tls,
            Self::PoolTimeout => Phase::Wait,
            Self::ResetSending => Phase::Send,
            Self::EofBeforeStatus | Self::ResetWaiting | Self::TimeoutFirstByte => Phase::Await,
            Self::EofMidBody
            | Self::ResetReading
            | Self::TimeoutIdle
            | Self::Protocol
            | Self::Decode
            | Self::TooLarge => Phase::Read,
            Self::TimeoutTotal | Self::Abandoned | Self::OverCeiling | Self::Unfinished => Phase::Any,
            Self::Status(_)
            | Self::Check(_)
            | Self::Extract(_)
            | Self::Variable
            | Self::NotUtf8
            | Self::Leak
            | Self::Stale
            | Self::Redirects
            | Self::NotAllowed => Phase::Judged,
        }
    }

    /// True when a whole answer came and was refused.
    pub fn is_refusal(self) -> bool {
        self.phase() == Phase::Judged
    }

    /// True when the generator itself is to blame.
    pub fn is_ours(self) -> bool {
        matches!(self, Self::LocalPort | Self::LocalFd)
    }

    /// True when the request ran out of time.
    pub fn is_timeout(self) -> bool {
        matches!(
            self,
            Self::ResolveTimeout
                | Self::ConnectTimeout
                | Self::TlsTimeout
                | Self::PoolTimeout
                | Self::TimeoutFirstByte
                | Self::TimeoutIdle
                | Self::TimeoutTotal
        )
    }

    /// The stable key, such as `status_503` or `check:status`; `labels` are the plan's names of checks and extractions.
    pub fn key(self, labels: &[String]) -> String {
        let label = |n: u16| labels.get(usize::from(n)).map_or("?", String::as_str);
        let fixed = match self {
            Self::Status(code) => return format!("status_{code}"),
            Self::Check(n) => return format!("check:{}", label(n)),
            Self::Extract(n) => return format!("extract:{}", label(n)),
            Self::Resolve => "resolve",
            Self::ConnectRefused => "connect_refused",
            Self::Unreachable => "unreachable",
            Self::ConnectTimeout => "connect_timeout",
            Self::LocalPort => "local_port",
            Self::LocalFd => "local_fd",
            Self::TlsCertificate => "tls_certificate",
            Self::TlsAlert => "tls_alert",
            Self::TlsTimeout => "tls_timeout",
            Self::ResolveTimeout => "resolve_timeout",
            Self::Decode => "decode",
            Self::PoolTimeout => "pool_timeout",
            Self::ResetSending => "reset_sending",
            Self::EofBeforeStatus => "eof_before_status",
            Self::ResetWaiting => "reset_waiting",
            Self::TimeoutFirstByte => "timeout_first_byte",
            Self::EofMidBody => "eof_mid_body",
            Self::ResetReading => "reset_reading",
            Self::TimeoutIdle => "timeout_idle",
            Self::Protocol => "protocol",
            Self::TooLarge => "too_large",
            Self::TimeoutTotal => "timeout_total",
            Self::OverCeiling => "over_ceiling",
            Self::Unfinished => "unfinished",
            Self::Variable => "variable",
            Self::NotUtf8 => "not_utf8",
            Self::Leak => "leak",
            Self::Abandoned => "abandoned",
            Self::Stale => "stale",
            Self::Redirects => "redirects",
            Self::NotAllowed => "not_allowed",
        };
        fixed.to_owned()
    }
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A whole answer that every check accepts.
    Answered,
    /// A whole answer, but a status, check or extraction says no.
    Refused(Kind),
    /// No whole answer; `byte` is the position in the request (while sending) or in the answer.
    Failed {
        /// Why.
        kind: Kind,
        /// How far it came.
        byte: u64,
    },
    /// Of a client that misbehaves on purpose: in no ratio and in no percentile.
    Staged,
}

impl Outcome {
    /// The failure's kind; `None` when answered or staged.
    pub fn kind(self) -> Option<Kind> {
        match self {
            Self::Answered | Self::Staged => None,
            Self::Refused(kind) | Self::Failed { kind, .. } => Some(kind),
        }
    }

    /// True for a whole answer that every check accepts.
    pub fn is_ok(self) -> bool {
        self == Self::Answered
    }
}

/// What a request was to its user: the first that applies, worst first. Everything but [`Class::Ok`] is bad for the SLO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Another user's data.
    Leak,
    /// A wrong value.
    Wrong,
    /// An old value.
    Stale,
    /// Out of time.
    Timeout,
    /// Any other failure or refusal.
    Error,
    /// 429, or 503 with `Retry-After`.
    Throttled,
    /// Not sent: the in-flight cap was reached.
    Shed,
    /// Answered, but later than the SLO allows.
    Slow,
    /// Good.
    Ok,
}

impl Class {
    /// All classes, worst first; the order of [`Classes`].
    pub const ALL: [Self; 9] = [
        Self::Leak,
        Self::Wrong,
        Self::Stale,
        Self::Timeout,
        Self::Error,
        Self::Throttled,
        Self::Shed,
        Self::Slow,
        Self::Ok,
    ];

    /// The name in files and charts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Leak => "leak",
            Self::Wrong => "wrong",
            Self::Stale => "stale",
            Self::Timeout => "timeout",
            Self::Error => "error",
            Self::Throttled => "throttled",
            Self::Shed => "shed",
            Self::Slow => "slow",
            Self::Ok => "ok",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How many requests fell into each class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Classes([u64; 9]);

impl Classes {
    /// The count of `class`.
    pub fn get(&self, class: Class) -> u64 {
        self.0[class as usize]
    }

    /// Adds `n` to `class`.
    pub fn add(&mut self, class: Class, n: u64) {
        self.0[class as usize] += n;
    }

    /// Adds every count of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    /// All requests.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// All but the good ones.
    pub fn bad(&self) -> u64 {
        self.total() - self.get(Class::Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_add_up() {
        let mut classes = Classes::default();
        classes.add(Class::Ok, 7);
        classes.add(Class::Slow, 2);
        classes.add(Class::Shed, 1);
        let mut twice = classes;
        twice.merge(&classes);
        assert_eq!((twice.total(), twice.bad(), twice.get(Class::Shed)), (20, 6, 2));
        assert!(Class::ALL.iter().enumerate().all(|(n, class)| *class as usize == n));
    }

    #[test]
    fn keys_are_stable() {
        let labels = vec!["status".to_owned(), "token".to_owned()];
        assert_eq!(Kind::Status(503).key(&labels), "status_503");
        assert_eq!(Kind::Check(0).key(&labels), "check:status");
        assert_eq!(Kind::Extract(1).key(&labels), "extract:token");
        assert_eq!(Kind::EofMidBody.key(&labels), "eof_mid_body");
        assert_eq!(Kind::Check(9).key(&labels), "check:?");
    }
}
