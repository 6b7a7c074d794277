//! Connections to one address behind: kept alive, one request each, used again last in, first out.
//!
//! A connection goes back only when its answer has been read whole; a request that is dropped in the middle takes its
//! connection with it, so that the backend learns that nobody waits any more. A request is sent again only when the
//! connection was closed before anything of it was written. Called by the gateway (backends), its probes and
//! the backends (prices).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::{AbortHandle, spawn};

/// Idle connections that are kept.
const KEPT: usize = 256;

#[derive(Debug)]
pub(super) struct Upstream {
    address: SocketAddr,
    idle: Mutex<Vec<Line>>,
}

/// One connection; dropping it closes the socket.
#[derive(Debug)]
struct Line {
    sender: SendRequest<Full<Bytes>>,
    driver: AbortHandle,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Upstream {
    pub(super) fn new(address: SocketAddr) -> Arc<Self> {
        Arc::new(Self { address, idle: Mutex::default() })
    }

    /// Sends a request and reads the whole answer; why not, in words.
    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, String> {
        let mut request = request;
        while let Some(line) = self.take() {
            match self.exchange(line, request).await {
                Ok(answer) => return Ok(answer),
                Err((Some(unsent), _)) => request = unsent,
                Err((None, reason)) => return Err(reason),
            }
        }
        let line = self.connect().await.map_err(|error| format!("connect to {}: {error}", self.address))?;
        self.exchange(line, request).await.map_err(|(_, reason)| reason)
    }

    async fn exchange(
        &self,
        mut line: Line,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, (Option<Request<Full<Bytes>>>, String)> {
        let answer = line.sender.try_send_request(request).await.map_err(|mut error| {
            let unsent = error.take_message();
            (unsent, format!("{} closed the connection: {}", self.address, error.into_error()))
        })?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(|error| (None, format!("{} cut its answer: {error}", self.address)))?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(line);
        }
        Ok(Response::from_parts(head, body.to_bytes()))
    }

    fn take(&self) -> Option<Line> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(line) = idle.pop() {
            if !line.sender.is_closed() {
                return Some(line);
            }
        }
        None
    }

    async fn connect(&self) -> Result<Line, String> {
        let stream = TcpStream::connect(self.address).await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        let driver = spawn(async move {
            // Its end is told to whoever waits for an answer.
            drop(connection.await);
        })
        .abort_handle();
        Ok(Line { sender, driver })
    }
}
