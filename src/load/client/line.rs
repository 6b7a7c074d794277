//! The thin wrapper under HTTP: counts bytes both ways and remembers how the stream ended, so that a failure has a byte.
//!
//! Not here: what the bytes mean (`h1`), the kind of a failure (`failure`).

use std::cell::Cell;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::client::TlsStream;

use super::staged::Staged;

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
#[derive(Default)]
pub struct Meter {
    /// Bytes received.
    pub read: Cell<u64>,
    /// Bytes sent.
    pub written: Cell<u64>,
    /// The first thing that went wrong.
    pub end: Cell<Option<End>>,
    /// Woken by the first byte, or by the end.
    pub waiting: Cell<Option<Waker>>,
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter")
            .field("read", &self.read)
            .field("written", &self.written)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

impl Meter {
    fn ended(&self, end: End) {
        if self.end.get().is_none() {
            self.end.set(Some(end));
        }
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }

    fn came(&self, bytes: u64) {
        if self.read.replace(self.read.get() + bytes) == 0 {
            self.wake();
        }
    }
}

/// Bytes to and from the kernel.
#[derive(Debug)]
pub enum Plain {
    /// Over the network.
    Tcp(TcpStream),
    /// Through a socket file.
    Unix(UnixStream),
}

/// Bytes as HTTP sees them.
#[derive(Debug)]
pub enum Stream {
    /// In clear.
    Plain(Plain),
    /// Inside TLS.
    Tls(Box<TlsStream<Plain>>),
    /// Of a client that misbehaves on purpose.
    Staged(Box<Staged>),
}

/// Hands reading and writing to whichever stream it is.
macro_rules! either {
    ($name:ident { $($kind:ident),* }) => {
        impl AsyncRead for $name {
            fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
                match self.get_mut() {
                    $(Self::$kind(inner) => Pin::new(inner).poll_read(cx, buf),)*
                }
            }
        }

        impl AsyncWrite for $name {
            fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
                match self.get_mut() {
                    $(Self::$kind(inner) => Pin::new(inner).poll_write(cx, bytes),)*
                }
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                parts: &[io::IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                match self.get_mut() {
                    $(Self::$kind(inner) => Pin::new(inner).poll_write_vectored(cx, parts),)*
                }
            }

            fn is_write_vectored(&self) -> bool {
                match self {
                    $(Self::$kind(inner) => inner.is_write_vectored(),)*
                }
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                match self.get_mut() {
                    $(Self::$kind(inner) => Pin::new(inner).poll_flush(cx),)*
                }
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                match self.get_mut() {
                    $(Self::$kind(inner) => Pin::new(inner).poll_shutdown(cx),)*
                }
            }
        }
    };
}

either!(Plain { Tcp, Unix });
either!(Stream { Plain, Tls, Staged });

/// A metered stream. Inside TLS the bytes of HTTP are counted, not those of the records around them.
#[derive(Debug)]
pub struct Wire {
    stream: Stream,
    meter: Rc<Meter>,
}

impl Wire {
    /// Meters `stream`.
    pub fn new(stream: Stream) -> (Self, Rc<Meter>) {
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
            Ok(()) => self.meter.came((buf.filled().len() - before) as u64),
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
