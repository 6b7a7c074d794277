//! A small system of somebody else: it agrees to be shaken, has one flag without leases, and a part that may refuse to undo.
//!
//! Threads and blocking sockets, as `server`. The token of its admin side is [`TOKEN`].

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;

/// What the admin side wants to hear.
pub(crate) const TOKEN: &str = "t0ken-of-the-target";

/// A running system.
pub(crate) struct Target {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    flag: AtomicBool,
    agrees: AtomicBool,
    refuses: AtomicBool,
    sticks: AtomicBool,
    requests: AtomicU64,
    changes: Mutex<Vec<String>>,
}

impl Target {
    /// Listens on a free loopback port.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        state.agrees.store(true, SeqCst);
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&shared);
                thread::spawn(move || drop(state.serve(&stream)));
            }
        });
        Self { address, state }
    }

    /// Where it listens: both sides.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether its flag is on.
    pub(crate) fn flag(&self) -> bool {
        self.state.flag.load(SeqCst)
    }

    /// From now on switching the flag off is refused, or is not.
    pub(crate) fn refuse(&self, refuse: bool) {
        self.state.refuses.store(refuse, SeqCst);
    }

    /// From now on its state shows the flag as on, whatever it is; or does not.
    pub(crate) fn stick(&self, stick: bool) {
        self.state.sticks.store(stick, SeqCst);
    }

    /// From now on it does not agree to be shaken.
    pub(crate) fn withdraw(&self) {
        self.state.agrees.store(false, SeqCst);
    }

    /// Bodies of the changes of its flag that were asked for.
    pub(crate) fn changes(&self) -> Vec<String> {
        self.state.changes.lock().unwrap().clone()
    }

    /// Requests of users.
    pub(crate) fn requests(&self) -> u64 {
        self.state.requests.load(SeqCst)
    }
}

impl State {
    fn serve(&self, stream: &TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream);
        let mut writer = stream;
        loop {
            let (mut first, mut length, mut token) = (String::new(), 0, false);
            if reader.read_line(&mut first)? == 0 {
                return Ok(());
            }
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line)? == 0 {
                    return Ok(());
                }
                let line = line.trim();
                if line.is_empty() {
                    break;
                }
                let lower = line.to_ascii_lowercase();
                length = lower.strip_prefix("content-length:").map_or(length, |n| n.trim().parse().unwrap_or(0));
                token |= line.ends_with(&format!("Bearer {TOKEN}"));
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            let (status, answer) = self.answer(first.trim(), &String::from_utf8_lossy(&body), token);
            let head = format!(
                "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                answer.len()
            );
            writer.write_all(format!("{head}{answer}").as_bytes())?;
        }
    }

    fn answer(&self, first: &str, body: &str, token: bool) -> (u16, String) {
        let mut words = first.split(' ');
        match (words.next().unwrap_or_default(), words.next().unwrap_or_default()) {
            ("GET", "/.well-known/squall-target" | "/agree") => {
                let agrees = self.agrees.load(SeqCst);
                (200, format!(r#"{{"environment":"staging","allow_drill":{agrees},"id":"small"}}"#))
            }
            (_, path) if path.starts_with("/admin") && !token => (401, "{}".to_owned()),
            ("GET", "/admin/state") => {
                (200, format!(r#"{{"flag":{}}}"#, self.flag.load(SeqCst) || self.sticks.load(SeqCst)))
            }
            ("PUT", "/admin/flag") => {
                self.changes.lock().unwrap().push(body.to_owned());
                let on = body.contains("true");
                if !on && self.refuses.load(SeqCst) {
                    return (503, r#"{"error":"not now"}"#.to_owned());
                }
                self.flag.store(on, SeqCst);
                (200, "{}".to_owned())
            }
            _ => {
                self.requests.fetch_add(1, SeqCst);
                (200, r#"{"ok":true}"#.to_owned())
            }
        }
    }
}
