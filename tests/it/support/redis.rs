//! A throw-away redis-server without persistence, and bytes spoken to it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use super::throwaway::{Throwaway, free_port, needs};

/// A running redis-server.
pub(crate) struct Redis {
    port: u16,
    _server: Throwaway,
}

impl Redis {
    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }
}

/// Starts redis-server, or says why the test is skipped.
pub(crate) fn redis() -> Option<Redis> {
    let binary = needs("redis-server")?;
    for _ in 0..5 {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        // It logs to stdout alone; its readiness is awaited on stderr.
        let mut command = Command::new("/bin/sh");
        command.current_dir(folder.path()).args(["-c", r#"exec "$0" "$@" 1>&2"#]).arg(&binary);
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        if let Some(server) = Throwaway::start(command, folder, "Ready to accept connections", Signal::TERM) {
            return Some(Redis { port, _server: server });
        }
    }
    panic!("redis-server did not start on any of five ports")
}

/// `words` as a command.
pub(crate) fn say(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
    }
    bytes
}

/// What `address` answers to `bytes`, written at once, up to and with the reply to a last ECHO.
pub(crate) fn converse(address: SocketAddr, bytes: &[u8]) -> String {
    const LAST: &str = "that-was-all";
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(&[bytes, &say(&["ECHO", LAST])].concat()).unwrap();
    let mut all = Vec::new();
    let mut some = vec![0; 65_536];
    let end = format!("${}\r\n{LAST}\r\n", LAST.len());
    while !all.ends_with(end.as_bytes()) {
        let n = stream.read(&mut some).unwrap();
        assert!(n > 0, "ended after {:?}", String::from_utf8_lossy(&all));
        all.extend_from_slice(&some[..n]);
    }
    all.truncate(all.len() - end.len());
    String::from_utf8_lossy(&all).into_owned()
}
