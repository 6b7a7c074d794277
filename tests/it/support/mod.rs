//! What the tests speak: run the program, start throw-away servers, script a misbehaving one.
//!
//! Everything binds loopback on a free port, lives in its own temporary folder, and is gone when it is dropped.
//!
//! ```text
//! Squall::new().args(["run", &server.url()]).run().exits(1).says("p99");
//! let Some(nginx) = nginx() else { return };          // prints `skipped: needs nginx`
//! let server = Server::start().drop_every(10);        // or .freeze(after, length), .answer(503)
//! ```

pub(crate) mod nginx;
pub(crate) mod postgres;
pub(crate) mod program;
pub(crate) mod quiet;
pub(crate) mod schema;
pub(crate) mod server;
pub(crate) mod synthetic;
pub(crate) mod target;
pub(crate) mod throwaway;
