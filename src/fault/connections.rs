//! The living connections of a proxy, told and cut through the handle.
//!
//! Not here: the connections themselves (`proxy`, `pump`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::oneshot;

use super::FaultError;
use super::proxies::Proxies;
use super::worker::Command;

/// A connection with both ends up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its number on its proxy, from 0.
    pub ordinal: u64,
    /// The client; `None`: it had gone before anybody asked.
    pub peer: Option<SocketAddr>,
    /// Since its upstream answered.
    pub age: Duration,
    /// Bytes read from the client.
    pub bytes_up: u64,
    /// Bytes read from the upstream.
    pub bytes_down: u64,
    /// Names of the faults that it carries.
    pub faults: Vec<String>,
}

impl Proxies {
    /// The connections of a proxy, by ordinal.
    ///
    /// # Errors
    /// There is no such proxy.
    pub async fn list_connections(&self, proxy: &str) -> Result<Vec<Connection>, FaultError> {
        let asked = self.ask_all(proxy, |proxy, reply| Command::List { proxy, reply }).await?;
        let mut all: Vec<Connection> = asked.into_iter().flatten().collect();
        all.sort_by_key(|one| one.ordinal);
        Ok(all)
    }

    /// Ends a connection with a reset to both peers; false when it is not there.
    ///
    /// # Errors
    /// There is no such proxy.
    pub async fn cut_connection(&self, proxy: &str, ordinal: u64) -> Result<bool, FaultError> {
        let asked = self.ask_all(proxy, |proxy, reply| Command::Cut { proxy, ordinal, reply }).await?;
        Ok(asked.contains(&true))
    }

    async fn ask_all<T>(
        &self,
        proxy: &str,
        command: impl Fn(Arc<str>, oneshot::Sender<T>) -> Command,
    ) -> Result<Vec<T>, FaultError> {
        let name = Arc::clone(&self.control.registry().definition(proxy)?.name);
        let mut answers = Vec::new();
        for worker in self.control.workers() {
            let (reply, answer) = oneshot::channel();
            drop(worker.send(command(Arc::clone(&name), reply)));
            answers.push(answer);
        }
        Ok(join_all(answers).await.into_iter().flatten().collect())
    }
}
