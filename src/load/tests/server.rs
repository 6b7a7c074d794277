//! A scripted HTTP/1.1 server: one thread per connection, byte-exact answers, counts of what it saw.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// What the server saw.
pub(super) struct Request {
    /// Counted over all connections, from 0.
    pub(super) number: u64,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or("")
    }
}

/// What it does about it.
pub(super) struct Answer {
    bytes: Vec<u8>,
    after: Duration,
    close: bool,
}

impl Answer {
    pub(super) fn status(status: u16, body: &str) -> Self {
        Self::raw(&format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nx-kind: plain\r\n\r\n{body}", body.len()))
    }

    pub(super) fn ok(body: &str) -> Self {
        Self::status(200, body)
    }

    pub(super) fn raw(bytes: &str) -> Self {
        Self { bytes: bytes.as_bytes().to_vec(), after: Duration::ZERO, close: false }
    }

    pub(super) fn nothing() -> Self {
        Self::raw("").closing()
    }

    pub(super) fn closing(self) -> Self {
        Self { close: true, ..self }
    }

    pub(super) fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }
}

#[derive(Default)]
struct Counts {
    connections: AtomicU64,
    requests: AtomicU64,
    /// A slow answer is waited out here, so that the end of the test ends the wait.
    over: (Mutex<bool>, Condvar),
    arrived: (Mutex<u64>, Condvar),
}

/// A server; it stops listening when dropped.
pub(super) struct Server {
    address: SocketAddr,
    counts: Arc<Counts>,
}

impl Server {
    pub(super) fn start(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let counts = Arc::new(Counts::default());
        let (script, shared) = (Arc::new(script), Arc::clone(&counts));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if *shared.over.0.lock().unwrap() {
                    return;
                }
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let (script, shared) = (Arc::clone(&script), Arc::clone(&shared));
                std::thread::spawn(move || serve(stream, &*script, &shared));
            }
        });
        Self { address, counts }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Connections that carried at least an attempt; the engine opens none for show.
    pub(super) fn connections(&self) -> u64 {
        self.counts.connections.load(Ordering::SeqCst)
    }

    pub(super) fn requests(&self) -> u64 {
        self.counts.requests.load(Ordering::SeqCst)
    }

    pub(super) fn take_requests(&self) -> u64 {
        self.counts.requests.swap(0, Ordering::SeqCst)
    }

    /// Returns once that many requests have arrived.
    pub(super) fn wait_for(&self, requests: u64) {
        let (arrived, changed) = &self.counts.arrived;
        let patience = Duration::from_secs(20);
        let (seen, late) =
            changed.wait_timeout_while(arrived.lock().unwrap(), patience, |seen| *seen < requests).unwrap();
        assert!(!late.timed_out(), "only {} requests came", *seen);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        *self.counts.over.0.lock().unwrap() = true;
        self.counts.over.1.notify_all();
        // Wakes the listener, which then looks at the word above.
        drop(TcpStream::connect(self.address));
    }
}

fn serve(stream: TcpStream, script: &(impl Fn(&Request) -> Answer + ?Sized), counts: &Counts) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some((head, body)) = request(&mut reader) {
        let number = counts.requests.fetch_add(1, Ordering::SeqCst);
        *counts.arrived.0.lock().unwrap() += 1;
        counts.arrived.1.notify_all();
        let answer = script(&Request { number, head, body });
        if !answer.after.is_zero() {
            let over = counts.over.0.lock().unwrap();
            if *counts.over.1.wait_timeout_while(over, answer.after, |over| !*over).unwrap().0 {
                return;
            }
        }
        if stream.write_all(&answer.bytes).is_err() || answer.close {
            break;
        }
    }
    // The thread may end later than the test; the peer must see the end now.
    drop(stream.shutdown(Shutdown::Both));
}

fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(|n| n.trim().parse().unwrap()))
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}
