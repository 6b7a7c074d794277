//! An HTTP server with a script: it answers `ok` until told to freeze, to drop requests, or to answer another status.
//!
//! Threads and blocking sockets: it must not share a weakness with the engine that it tests. Not fast; nginx is.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use squall::base::clock::{Clock, Tick};

/// A running server.
pub(crate) struct Server {
    address: SocketAddr,
    script: Arc<Script>,
}

struct Script {
    clock: Clock,
    status: AtomicU16,
    /// Where every answer leads.
    location: Mutex<Option<String>>,
    /// Every how many requests one is dropped; 0: none.
    drop_every: AtomicU64,
    /// When answers stop, counted from the first request, and for how long.
    freeze: Mutex<Option<(Duration, Duration)>>,
    first: OnceLock<Tick>,
    /// One worker: how long it takes for a request, and when it is free again.
    worker: Mutex<Option<(Duration, Tick)>>,
    requests: AtomicU64,
    connections: AtomicU64,
    stopped: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

impl Server {
    /// Listens on a free loopback port and answers `200 ok`.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::new(Script {
            clock: Clock::start(),
            status: AtomicU16::new(200),
            location: Mutex::new(None),
            drop_every: AtomicU64::new(0),
            freeze: Mutex::new(None),
            first: OnceLock::new(),
            worker: Mutex::new(None),
            requests: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            open: Mutex::new(Vec::new()),
        });
        let shared = Arc::clone(&script);
        thread::spawn(move || accept(&listener, &shared));
        Self { address, script }
    }

    /// From `after` the first request on, nothing is answered for `length`; then everything that waited is.
    pub(crate) fn freeze(self, after: Duration, length: Duration) -> Self {
        *self.script.freeze.lock().unwrap() = Some((after, length));
        self
    }

    /// All requests are served one after the other, each in exactly `service`: a capacity of 1 / `service`.
    pub(crate) fn one_worker(self, service: Duration) -> Self {
        *self.script.worker.lock().unwrap() = Some((service, Tick::ZERO));
        self
    }

    /// Closes the connection instead of answering on every `n`th request.
    pub(crate) fn drop_every(self, n: u64) -> Self {
        self.script.drop_every.store(n, SeqCst);
        self
    }

    /// Answers with this status from now on.
    pub(crate) fn answer(self, status: u16) -> Self {
        self.script.status.store(status, SeqCst);
        self
    }

    /// Redirects every request to `place`.
    pub(crate) fn redirect(self, place: &str) -> Self {
        *self.script.location.lock().unwrap() = Some(place.to_owned());
        self.answer(302)
    }

    /// `http://127.0.0.1:PORT/`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Connections that were accepted.
    pub(crate) fn connections(&self) -> u64 {
        self.script.connections.load(SeqCst)
    }

    /// Requests that arrived complete, the dropped ones included.
    pub(crate) fn requests(&self) -> u64 {
        self.script.requests.load(SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.script.stopped.store(true, SeqCst);
        // The accepting thread sees the flag when somebody knocks.
        drop(TcpStream::connect(self.address));
        for stream in self.script.open.lock().unwrap().drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

fn accept(listener: &TcpListener, script: &Arc<Script>) {
    for stream in listener.incoming().map_while(Result::ok) {
        if script.stopped.load(SeqCst) {
            return;
        }
        drop(stream.set_nodelay(true));
        script.connections.fetch_add(1, SeqCst);
        script.open.lock().unwrap().extend(stream.try_clone());
        let script = Arc::clone(script);
        thread::spawn(move || {
            // A client that leaves is no event here.
            drop(script.serve(&stream));
            drop(stream.shutdown(Shutdown::Both));
        });
    }
}

impl Script {
    fn serve(&self, stream: &TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        let mut writer = stream;
        while read_request(&mut reader)? {
            let first = *self.first.get_or_init(|| self.clock.now());
            let number = self.requests.fetch_add(1, SeqCst) + 1;
            self.thaw(first);
            self.work();
            let every = self.drop_every.load(SeqCst);
            if every > 0 && number.is_multiple_of(every) {
                return Ok(());
            }
            let status = self.status.load(SeqCst);
            let place = self.location.lock().unwrap().as_ref().map(|place| format!("Location: {place}\r\n"));
            let place = place.unwrap_or_default();
            let answer =
                format!("HTTP/1.1 {status} Scripted\r\n{place}Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nok");
            writer.write_all(answer.as_bytes())?;
        }
        Ok(())
    }

    /// Returns when the one worker has served this request; at once without one.
    fn work(&self) {
        let free = {
            let mut worker = self.worker.lock().unwrap();
            let Some((service, free)) = worker.as_mut() else { return };
            *free = (*free).max(self.clock.now()) + *service;
            *free
        };
        let mut now = self.clock.now();
        while now < free && !self.stopped.load(SeqCst) {
            thread::park_timeout(free.since(now));
            now = self.clock.now();
        }
    }

    /// Returns when the server is not frozen.
    fn thaw(&self, first: Tick) {
        let Some((after, length)) = *self.freeze.lock().unwrap() else { return };
        let (from, until) = (first + after, first + after + length);
        let mut now = self.clock.now();
        while now >= from && now < until && !self.stopped.load(SeqCst) {
            thread::park_timeout(until.since(now));
            now = self.clock.now();
        }
    }
}

/// Reads one request with its body; false at the end of the stream.
fn read_request(reader: &mut impl BufRead) -> std::io::Result<bool> {
    let mut length = 0;
    let mut seen_any = false;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(false);
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() && seen_any {
            break;
        }
        seen_any = true;
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends one request on `stream`; the status line, empty if the server closed.
    fn ask(stream: &TcpStream) -> String {
        let mut writer = stream;
        writer.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc").unwrap();
        let mut bytes = Vec::new();
        let mut one = [0];
        while !bytes.ends_with(b"\r\n\r\nok") && matches!(writer.read(&mut one), Ok(1)) {
            bytes.push(one[0]);
        }
        String::from_utf8(bytes).unwrap().lines().next().unwrap_or_default().to_owned()
    }

    fn connect(server: &Server) -> TcpStream {
        assert!(server.url().starts_with("http://127.0.0.1:"));
        TcpStream::connect(server.address).unwrap()
    }

    #[test]
    fn one_connection_serves_many_requests() {
        let server = Server::start();
        let stream = connect(&server);
        for _ in 0..3 {
            assert_eq!(ask(&stream), "HTTP/1.1 200 Scripted");
        }
        let server = server.answer(503);
        assert_eq!(ask(&stream), "HTTP/1.1 503 Scripted");
        assert_eq!(server.requests(), 4);
    }

    #[test]
    fn every_third_request_is_dropped() {
        let server = Server::start().drop_every(3);
        let answers: Vec<bool> = (0..9).map(|_| !ask(&connect(&server)).is_empty()).collect();
        assert_eq!(answers, [true, true, false, true, true, false, true, true, false]);
        assert_eq!(server.requests(), 9);
    }

    #[test]
    fn a_frozen_server_answers_late_but_answers() {
        let server = Server::start().freeze(Duration::ZERO, Duration::from_millis(300));
        let (clock, stream) = (Clock::start(), connect(&server));
        assert_eq!(ask(&stream), "HTTP/1.1 200 Scripted");
        let first = clock.now();
        assert!(first >= Tick::from_millis(300), "{first}");
        assert_eq!(ask(&stream), "HTTP/1.1 200 Scripted");
        assert!(clock.now() - first < Duration::from_millis(250), "frozen once");
    }
}
