//! The control plane over real sockets: an upstream, proxies, and a client that reads every byte of an answer.

mod bad;
mod calls;
mod differences;
mod own;
mod storm;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::*;
use crate::base::clock::Clock;
use crate::base::seed::Seed;

/// An API on a port of its own.
struct Rig {
    address: SocketAddr,
    server: JoinHandle<Result<(), FaultError>>,
    /// Accepts, and is read by whoever asks.
    upstream: TcpListener,
}

/// An answer, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Heard {
    status: u16,
    /// In lower case.
    head: String,
    body: String,
}

impl Heard {
    fn has(&self, header: &str) -> bool {
        self.head.lines().any(|line| line == header)
    }

    fn value(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Rig {
    async fn new() -> Self {
        Self::with(Gate::default()).await
    }

    async fn with(gate: Gate) -> Self {
        let proxies = Proxies::start(Clock::start(), Seed(1)).unwrap();
        let api = Arc::new(Api::new(proxies, gate, Some(Duration::from_secs(3_600))));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(api.serve(listener));
        let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { address, server, upstream }
    }

    fn to(&self) -> SocketAddr {
        self.upstream.local_addr().unwrap()
    }

    /// `$UP` in a body is the upstream's address.
    async fn say(&self, method: &str, path: &str, body: &str) -> Heard {
        self.say_with(method, path, "", body.as_bytes()).await
    }

    async fn say_with(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Heard {
        let body = String::from_utf8_lossy(body).replace("$UP", &self.to().to_string());
        self.say_raw(method, path, headers, body.as_bytes()).await
    }

    async fn say_raw(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Heard {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let host = if headers.to_lowercase().contains("host:") { "" } else { "Host: 127.0.0.1\r\n" };
        let head = format!(
            "{method} {path} HTTP/1.1\r\n{host}{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // An answer may come before the whole body was read.
        stream.write_all(body).await.ok();
        let mut answer = Vec::new();
        let _cut = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Heard { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    /// A proxy of that name, listening.
    async fn proxy(&self, name: &str) -> SocketAddr {
        let body = format!(r#"{{"name":"{name}","listen":"127.0.0.1:0","upstream":"$UP"}}"#);
        let made = self.say("POST", "/proxies", &body).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.value()["listen"].as_str().unwrap().parse().unwrap()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.server.abort();
    }
}
