//! Bad clients as the other side sees them: a raw server notes every byte, its moment, and how each connection ended.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::server::{Answer, Server};
use super::{Seen, run, written};
use crate::base::clock::{Clock, Tick};

/// One connection, from the server's side.
#[derive(Debug, Default)]
struct Side {
    began: Tick,
    /// When the request was whole.
    asked: Option<Tick>,
    /// Bytes of the answer that could be written, and when the last of them left.
    wrote: (usize, Option<Tick>),
    ended: Tick,
    /// How it ended: `None` in order.
    by: Option<ErrorKind>,
}

/// A server that answers every request with `body` bytes; what it saw is told when all `connections` have ended.
struct Raw {
    url: String,
    sides: Arc<Mutex<Vec<Side>>>,
    thread: thread::JoinHandle<()>,
}

impl Raw {
    fn start(connections: usize, body: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sides, clock) = (Arc::new(Mutex::new(Vec::new())), Clock::start());
        let kept = Arc::clone(&sides);
        let serve = move || {
            let serving: Vec<_> = listener
                .incoming()
                .take(connections)
                .map(|stream| {
                    let (mut stream, kept, clock) = (stream.unwrap(), Arc::clone(&kept), clock.clone());
                    thread::spawn(move || {
                        let mut side = Side { began: clock.now(), ..Side::default() };
                        side.by = converse(&mut stream, body, &clock, &mut side).err().map(|error| error.kind());
                        side.ended = clock.now();
                        kept.lock().unwrap().push(side);
                    })
                })
                .collect();
            for one in serving {
                one.join().unwrap();
            }
        };
        Self { url, sides, thread: thread::spawn(serve) }
    }

    fn sides(self) -> Vec<Side> {
        self.thread.join().unwrap();
        std::mem::take(&mut *self.sides.lock().unwrap())
    }
}

fn converse(stream: &mut std::net::TcpStream, body: usize, clock: &Clock, side: &mut Side) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.set_write_timeout(Some(Duration::from_secs(20)))?;
    let mut held = Vec::new();
    let mut some = [0; 256];
    while !held.ends_with(b"\r\n\r\n") {
        let n = stream.read(&mut some)?;
        held.extend_from_slice(&some[..n]);
        if n == 0 {
            return Ok(());
        }
    }
    side.asked = Some(clock.now());
    let answer = [format!("HTTP/1.1 200 OK\r\ncontent-length: {body}\r\n\r\n").as_bytes(), &vec![b'x'; body]].concat();
    for part in answer.chunks(4096) {
        stream.write_all(part)?;
        side.wrote = (side.wrote.0 + part.len(), Some(clock.now()));
    }
    while stream.read(&mut some)? > 0 {}
    Ok(())
}

/// Five users of whom all do `how`, with a raw server that answers `body` bytes.
fn five(how: &str, body: usize) -> (Seen, Vec<Side>) {
    let raw = Raw::start(5, body);
    let port: u16 = raw.url.rsplit(':').next().unwrap().parse().unwrap();
    let stand_in = Server::start(|_| Answer::ok("x"));
    let parts = format!(
        r#"load: [Open(rate: [Hold(rate: "50/s", for: "100ms")])],
           journeys: {{"a": (steps: [Http(name: "home", url: "/")], misbehave: [(share: "100%", how: {how})])}}"#
    );
    let mut plan = written(&stand_in, &parts);
    plan.origins[0].pinned = vec![std::net::SocketAddr::from(([127, 0, 0, 1], port))];
    let seen = run(plan, 1);
    let total = seen.all.total();
    assert_eq!((total.staged, seen.travel().staged, seen.all.flow.sent), (5, 5, 5), "{how}");
    assert_eq!((total.arrivals(), total.classes.total(), total.lateness.n()), (0, 0, 0), "in no ratio and percentile");
    assert!(total.errors.is_empty() && seen.travel().latency.both().is_empty(), "{how}");
    (seen, raw.sides())
}

fn is_reset(side: &Side) -> bool {
    matches!(side.by, Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe))
}

#[test]
fn a_client_that_aborts_is_seen_to_reset_at_its_moment() {
    let (_, sides) = five(r#"AbortAfter("20ms")"#, 64 << 20);
    for side in sides {
        assert!(is_reset(&side), "{side:?}");
        let after = side.ended - side.began;
        assert!(after >= Duration::from_millis(5) && after < Duration::from_secs(10), "{after:?}");
    }
}

#[test]
fn a_client_that_aborts_at_a_byte_has_read_so_many_and_no_more() {
    let (seen, sides) = five(r#"AbortAtByte("1000B")"#, 64 << 20);
    assert_eq!(seen.all.flow.bytes_in, 5_000);
    assert!(sides.iter().all(is_reset), "{sides:?}");
}

#[test]
fn a_client_that_reads_slowly_keeps_the_server_writing() {
    let (seen, sides) = five(r#"SlowRead("200KiB/s")"#, 100 << 10);
    assert!(seen.all.flow.bytes_in >= 5 * (100 << 10));
    for side in sides {
        assert!(side.by.is_none() && side.wrote.0 > 100 << 10, "{side:?}");
        // Half a second for all of it; what the kernel holds for both sides may be gone at once.
        let lasted = side.ended - side.asked.unwrap();
        assert!(lasted >= Duration::from_millis(300), "{lasted:?}");
    }
}

#[test]
fn a_client_that_writes_slowly_takes_its_time_for_a_request() {
    let (seen, sides) = five(r#"SlowSend("100B/s")"#, 10);
    let each = seen.all.flow.bytes_out / 5;
    for side in sides {
        let took = side.asked.unwrap() - side.began;
        let least = Duration::from_millis(each * 10);
        assert!(side.by.is_none() && took >= least / 2, "{took:?}, {each} bytes");
    }
}

#[test]
fn a_client_that_is_gone_neither_reads_nor_closes_until_its_time_is_over() {
    let (seen, sides) = five(r#"HalfOpen("400ms")"#, 10);
    assert_eq!(seen.all.flow.bytes_in, 0);
    for side in sides {
        let after = side.ended - side.asked.unwrap();
        assert!(is_reset(&side) && after >= Duration::from_millis(200), "{side:?}");
    }
}

#[test]
fn who_misbehaves_is_drawn_by_key_and_the_others_are_measured_as_ever() {
    let parts = r#"load: [Open(rate: [Hold(rate: "400/s", for: "1s")])], client: (connections: Shared(max: 3)),
        journeys: {"a": (steps: [Http(name: "home", url: "/"), Http(name: "next", url: "/next")],
            misbehave: [(share: "10%", how: AbortAfter("0s")), (share: "5%", how: SlowRead("1MiB/s"))])}"#;
    let counts = [1, 2].map(|threads| {
        let server = Server::start(|_| Answer::ok("hello"));
        let seen = run(written(&server, parts), threads);
        let (travel, total) = (seen.travel(), seen.all.total());
        assert_eq!(travel.completed + travel.staged, 400);
        assert_eq!((total.arrivals(), seen.all.flow.good), (2 * travel.completed, 2 * travel.completed));
        travel.staged
    });
    assert_eq!(counts[0], counts[1], "the same users, whatever the threads");
    assert!((35..=90).contains(&counts[0]), "{counts:?}");
}
