//! A small database that speaks PostgreSQL's wire protocol over SQLite, so that the demo shop needs nothing installed.
//!
//! ```text
//! listener ─► one thread per connection ─► session (one SQLite connection) ─► WAL file in a private folder
//!                                             └─ writer: one at a time, first come first served, 2 s at most
//! ```
//!
//! It is not PostgreSQL: types are those the shop uses, there is no catalog, and a statement is SQLite's dialect. What
//! a client may rely on: simple and extended protocol, transactions, and the error codes of `session`. Called by
//! whoever starts a shop without a database of its own, and by tests.

mod listener;
mod protocol;
mod rows;
mod session;
mod sql;
#[cfg(test)]
mod tests;
mod writer;

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::{fs, io};

use thiserror::Error;

use crate::base::digest;
use crate::base::stop::{Stop, StopReason};
use session::Session;
use writer::Writer;

/// Why the embedded database did not start.
#[derive(Debug, Error)]
pub enum EmbeddedError {
    /// The private folder could not be made.
    #[error("make the folder {folder} of the embedded database: {source}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No port, no thread, or no randomness.
    #[error("start the embedded database on 127.0.0.1: {0}")]
    Start(#[from] io::Error),
    /// SQLite refused its file.
    #[error("open the embedded database in {folder}: {reason}")]
    Open {
        /// The folder.
        folder: PathBuf,
        /// SQLite's words.
        reason: String,
    },
}

/// A running embedded database. Dropping it cuts its connections, ends its threads and removes its folder.
#[derive(Debug)]
pub struct Embedded {
    address: SocketAddr,
    stop: Stop,
    listener: Option<JoinHandle<()>>,
    // After the listener: threads first, then their files.
    folder: Folder,
}

impl Embedded {
    /// Starts an empty database on a free port of loopback.
    pub fn start() -> Result<Self, EmbeddedError> {
        let folder = Folder::make()?;
        let stop = Stop::new();
        let depot = Depot { file: folder.0.join("shop.db"), writer: Arc::new(Writer::default()), stop: stop.clone() };
        // The first session makes the file, so that a folder that cannot be written is reported here.
        Session::open(&depot)
            .map_err(|error| EmbeddedError::Open { folder: folder.0.clone(), reason: error.to_string() })?;
        let (address, listener) = listener::start((Ipv4Addr::LOCALHOST, 0).into(), depot, stop.clone())?;
        Ok(Self { address, stop, listener: Some(listener), folder })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its files are while it runs.
    pub fn folder(&self) -> &Path {
        &self.folder.0
    }

    /// The address as a connection string.
    pub fn url(&self) -> String {
        format!("postgres://shop@{}/shop", self.address)
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.stop.request(StopReason::Finished);
        if let Some(listener) = self.listener.take() {
            drop(listener.join());
        }
    }
}

/// What every session of one database shares.
#[derive(Clone, Debug)]
struct Depot {
    file: PathBuf,
    writer: Arc<Writer>,
    /// Said when the database ends.
    stop: Stop,
}

/// A private folder, removed when dropped.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self, EmbeddedError> {
        let name = digest::token::<8>().map_err(|_| io::Error::other("the operating system gave no randomness"))?;
        let folder = std::env::temp_dir().join(format!("squall-shop-{name}"));
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .map_err(|source| EmbeddedError::Folder { folder: folder.clone(), source })?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
