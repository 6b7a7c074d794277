//! A scripted HTTP/1.1 target on loopback: raw TCP, every byte of an answer as the script wrote it, waits on a precise timer.
//!
//! It counts for itself what it was asked, so that nobody's own bookkeeping is trusted. Not here: scripts (`cli::selftest`).

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::base::clock::{Clock, Tick};
use crate::base::timer::Timer;
use crate::load::pace::Pace;

/// Longest head of a request.
const HEAD: usize = 64 << 10;

/// A request, as a script sees it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its first line and headers.
    pub head: &'a str,
    /// Its body.
    pub body: &'a [u8],
    /// Its number, from 0.
    pub number: u64,
    /// Time since the first one.
    pub at: Duration,
}

/// What becomes of the connection after an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Then {
    /// It stays open.
    #[default]
    Keep,
    /// It is closed.
    Close,
    /// It is reset.
    Reset,
    /// Its sending side is closed; it is read on.
    HalfClose,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// Before the first byte.
    pub wait: Duration,
    /// First part.
    pub first: Vec<u8>,
    /// Second part and the time before it.
    pub rest: Option<(Duration, Vec<u8>)>,
    /// Afterwards.
    pub then: Then,
}

impl Asked<'_> {
    /// Path and query.
    pub fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// The value of header `name`; empty without one.
    pub fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let mut values = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        values.next().map_or("", |(_, value)| value.trim())
    }
}

impl Reply {
    /// An answer with this status and `body`.
    pub fn status(status: u16, body: &str) -> Self {
        let first = format!("HTTP/1.1 {status} Scripted\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes();
        Self { first, ..Self::default() }
    }

    /// A whole answer with status 200 and `body`.
    pub fn ok(body: &str) -> Self {
        let first = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes();
        Self { first, ..Self::default() }
    }

    /// These bytes, and then no more.
    pub fn bytes(bytes: &str, then: Then) -> Self {
        Self { first: bytes.as_bytes().to_vec(), then, ..Self::default() }
    }

    /// After `wait`.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }
}

type Script = dyn Fn(Asked<'_>) -> Reply + Send + Sync;

/// A target that answers by its script until it is dropped.
#[derive(Debug)]
pub struct Target {
    address: SocketAddr,
    asked: Arc<AtomicU64>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Target {
    /// Listens on a free port of loopback.
    ///
    /// # Errors
    /// When the system has no socket, thread or timer left.
    pub fn start(script: impl Fn(Asked<'_>) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let asked = Arc::new(AtomicU64::new(0));
        let (end, ended) = oneshot::channel();
        let desk = Desk { script: Box::new(script), asked: Arc::clone(&asked), first: AtomicU64::new(u64::MAX) };
        let serve = move || {
            // Without a runtime nobody is answered, which every case notices.
            if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() {
                drop(runtime.block_on(tokio::task::LocalSet::new().run_until(accept(listener, desk, ended))));
            }
        };
        let thread = thread::Builder::new().name("truth".to_owned()).spawn(serve)?;
        Ok(Self { address, asked, end: Some(end), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests it has read whole.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

struct Desk {
    script: Box<Script>,
    asked: Arc<AtomicU64>,
    /// When the first request came, ns.
    first: AtomicU64,
}

impl Desk {
    fn reply(&self, now: Tick, (head, body): (&str, &[u8])) -> Reply {
        let now = u64::try_from(now.since(Tick::ZERO).as_nanos()).unwrap_or(u64::MAX);
        let first = self.first.fetch_min(now, Ordering::SeqCst).min(now);
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        (self.script)(Asked { head, body, number, at: Duration::from_nanos(now - first) })
    }
}

async fn accept(listener: std::net::TcpListener, desk: Desk, ended: oneshot::Receiver<()>) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let clock = Clock::start();
    let (pace, desk) = (Rc::new(Pace::new(clock.clone())), Rc::new(desk));
    let timer = Timer::new(&clock)?;
    let driver = Rc::clone(&pace);
    tokio::task::spawn_local(async move { driver.drive(timer).await });
    tokio::pin!(ended);
    loop {
        tokio::select! {
            _ = &mut ended => return Ok(()),
            stream = listener.accept() => {
                let Ok((stream, _)) = stream else { continue };
                let (pace, desk) = (Rc::clone(&pace), Rc::clone(&desk));
                // A connection that breaks is the client's to notice.
                tokio::task::spawn_local(async move { drop(serve(stream, &pace, &desk).await) });
            }
        }
    }
}

async fn serve(mut stream: TcpStream, pace: &Pace, desk: &Desk) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut held = Vec::new();
    while let Some((head, body)) = take_request(&mut stream, &mut held).await? {
        let reply = desk.reply(pace.now(), (&head, &body));
        if !reply.wait.is_zero() {
            pace.until(pace.now() + reply.wait).await;
        }
        stream.write_all(&reply.first).await?;
        if let Some((wait, rest)) = &reply.rest {
            pace.until(pace.now() + *wait).await;
            stream.write_all(rest).await?;
        }
        match reply.then {
            Then::Keep => {}
            Then::Close => return Ok(()),
            Then::Reset => return stream.set_zero_linger(),
            Then::HalfClose => stream.shutdown().await?,
        }
    }
    Ok(())
}

/// Reads one request, head and body; `None` at the end of the connection.
async fn take_request(stream: &mut TcpStream, held: &mut Vec<u8>) -> io::Result<Option<(String, Vec<u8>)>> {
    loop {
        if let Some(head) = held.windows(4).position(|four| four == b"\r\n\r\n") {
            let whole = head + 4 + body_length(&held[..head]);
            while held.len() < whole {
                if stream.read_buf(held).await? == 0 {
                    return Ok(None);
                }
            }
            let text = String::from_utf8_lossy(&held[..head]).into_owned();
            let body = held.drain(..whole).skip(head + 4).collect();
            return Ok(Some((text, body)));
        }
        if held.len() > HEAD || stream.read_buf(held).await? == 0 {
            return Ok(None);
        }
    }
}

fn body_length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head);
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let mut lengths = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths.next().and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn a_target_says_its_script_byte_for_byte_and_counts_for_itself() {
        let target = Target::start(|asked| match asked.number {
            0 => Reply::ok("hello"),
            _ => Reply::bytes("HTTP/1.1 200 OK\r\ncontent-le", Then::Close),
        })
        .unwrap();
        let mut stream = std::net::TcpStream::connect(target.address).unwrap();
        stream.write_all(b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\n\r\n").unwrap();
        let mut all = String::new();
        stream.read_to_string(&mut all).unwrap();
        assert_eq!(all, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\ncontent-le");
        assert_eq!(target.asked(), 2);
    }
}
