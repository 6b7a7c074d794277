//! Floor 4: the fault proxy: pure chains of toxics, and the thin pump that moves the bytes.
//!
//! ```text
//!            pure                                     thin
//! parcel -> toxic -> chain -> delay_line      dial, pump    one task per connection
//!   link = two chains, rules between (talk)   proxy         listener, ordinals, connections
//! decide    keyed draws                       worker, wake  one thread, one timer
//! registry  snapshots, leases                 control       one lock, one order of changes
//! ```
//! Outside this room: [`Proxies`] and [`Injection`]. A fault is leased, in force on living connections too, counted, and
//! verified healed. A new toxic is one file in `toxic/` and one arm in its `build`; rules have their own page, `rule`.

pub mod api;
mod caps;
mod chain;
mod connections;
mod control;
pub mod decide;
mod delay_line;
mod dial;
pub mod draws;
mod injection;
mod lease;
pub mod ledger;
mod link;
pub mod parcel;
mod paths;
mod pattern;
mod proxies;
mod proxy;
mod pump;
mod registry;
mod rule;
mod scribe;
mod snapshot;
mod stats;
mod talk;
pub mod toxic;
mod wake;
mod worker;

use std::io;
use std::net::SocketAddr;

use thiserror::Error;

pub use connections::Connection;
pub use injection::{Healed, Injection};
pub use proxies::Proxies;
pub use proxy::ProxySpec;
pub use registry::ProxyState;
pub use rule::Asked;
pub use scribe::{Scribe, Written};
pub use stats::{Distinct, FaultStats, Holds, Untouched};

/// Why the fault proxy could not do what it was asked.
#[derive(Debug, Error)]
pub enum FaultError {
    /// No thread or descriptor left.
    #[error("start the fault proxy: {0}")]
    Start(#[source] io::Error),
    /// The listener could not be opened.
    #[error("proxy `{name}` cannot listen on {address}: {source}")]
    Listen {
        /// The proxy's.
        name: String,
        /// What was asked for.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// A proxy of that name exists.
    #[error("a proxy called `{name}` exists; give this one another name")]
    ProxyExists {
        /// The name.
        name: String,
    },
    /// The upstream is the proxy itself.
    #[error("the upstream {address} of proxy `{name}` is this proxy")]
    Loop {
        /// The proxy's.
        name: String,
        /// Listened on and dialled.
        address: SocketAddr,
    },
    /// No proxy of that name.
    #[error("no proxy is called `{name}`{}", did_you_mean(nearest.as_deref()))]
    UnknownProxy {
        /// The name.
        name: String,
        /// One that exists and is spelled alike.
        nearest: Option<String>,
    },
    /// A fault of that name is in force.
    #[error("fault `{name}` is in force; heal it before it is injected again")]
    FaultExists {
        /// The name.
        name: String,
    },
    /// No fault of that name was ever injected.
    #[error("no fault is called `{name}`{}", did_you_mean(nearest.as_deref()))]
    UnknownFault {
        /// The name.
        name: String,
        /// One that was injected and is spelled alike.
        nearest: Option<String>,
    },
    /// A lease of zero would heal before it harms.
    #[error("the lease of fault `{name}` is zero; write at least 5s")]
    NoLease {
        /// The fault's.
        name: String,
    },
    /// A rule of another protocol than the proxy reads.
    #[error(
        "fault `{name}` is a rule of {wants}, but proxy `{proxy}` speaks {speaks}; give the proxy `speaks: {wants}(..)`"
    )]
    Speech {
        /// The fault's.
        name: String,
        /// The proxy's.
        proxy: String,
        /// What the rule reads.
        wants: &'static str,
        /// What the proxy reads.
        speaks: &'static str,
    },
    /// The fault has healed by itself or was healed.
    #[error("the lease of fault `{name}` is over; inject it anew")]
    LeaseOver {
        /// The fault's.
        name: String,
    },
    /// A worker has not confirmed a change in time.
    #[error("fault worker {worker} did not confirm within 250 ms; the change is in force anyway")]
    Late {
        /// Its number, from 0.
        worker: usize,
    },
    /// The workers have ended.
    #[error("the fault proxy has stopped")]
    Stopped,
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests;
