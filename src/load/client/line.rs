//! The thin wrapper under HTTP: counts bytes both ways and remembers how the stream ended, so that a failure has a byte.
//!
//! Not here: what the bytes mean (`h1`), the kind of a failure (`failure`).

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// How a stream ended, as its socket said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The peer closed its side.
    Eof,
    /// Reading failed.
    Read(io::ErrorKind),
    /// Writing failed.
    Write(io::ErrorKind),
}

/// What has passed on one connection.
#[derive(Debug, Default)]
pub struct Meter {
    /// Bytes received.
    pub read: Cell<u64>,
    /// Bytes sent.
    pub written: Cell<u64>,
    /// The first thing that went wrong.
    pub end: Cell<Option<End>>,
}

impl Meter {
    fn ended(&self, end: End) {
        if self.end.get().is_none() {
            self.end.set(Some(end));
        }
    }
}

/// A metered TCP stream.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    meter: Rc<Meter>,
}

impl Wire {
    /// Meters `stream`.
    pub fn new(stream: TcpStream) -> (Self, Rc<Meter>) {
        let meter = Rc::new(Meter::default());
        (Self { stream, meter: Rc::clone(&meter) }, meter)
    }

    fn wrote(&self, result: io::Result<usize>) -> io::Result<usize> {
        match &result {
            Ok(n) => self.meter.written.set(self.meter.written.get() + *n as u64),
            Err(error) => self.meter.ended(End::Write(error.kind())),
        }
        result
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = ready!(Pin::new(&mut self.stream).poll_read(cx, buf));
        match &result {
            Ok(()) if buf.filled().len() == before => self.meter.ended(End::Eof),
            Ok(()) => self.meter.read.set(self.meter.read.get() + (buf.filled().len() - before) as u64),
            Err(error) => self.meter.ended(End::Read(error.kind())),
        }
        Poll::Ready(result)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes));
        Poll::Ready(self.wrote(result))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, parts));
        Poll::Ready(self.wrote(result))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
