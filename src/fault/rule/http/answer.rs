//! An answer that the proxy makes itself.
//!
//! Pure. Not here: when its turn is (`http`).

use bytes::Bytes;

use crate::plan::fault::rule::http::Act;
use crate::wire::http1::Head;

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) bytes: Bytes,
    /// The connection ends behind it.
    pub(super) is_last: bool,
}

/// What follows an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// Other messages.
    More,
    /// The end of the connection.
    End,
}

impl Answer {
    /// What `act`, an abort, answers to `request`.
    pub(super) fn made(act: &Act, request: &Head, after: After) -> Self {
        let is_last = after == After::End;
        let Act::Abort { status, headers, body, .. } = act else {
            return Self { bytes: Bytes::new(), is_last };
        };
        let mut text = format!("HTTP/1.1 {status} {}\r\n", reason(*status)).into_bytes();
        for (name, value) in headers {
            text.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        let bodiless = matches!(status, 204 | 304);
        if !bodiless {
            text.extend_from_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
        }
        text.extend_from_slice(if is_last { b"connection: close\r\n\r\n" } else { b"\r\n" });
        if !bodiless && request.method() != "HEAD" {
            text.extend_from_slice(body.as_bytes());
        }
        Self { bytes: text.into(), is_last }
    }
}

/// The usual words for a status.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        409 => "Conflict",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Injected",
    }
}
