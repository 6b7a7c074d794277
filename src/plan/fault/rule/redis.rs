//! Rules on Redis, as checked.

use std::mem::discriminant;

use super::Nth;
use crate::plan::fault::{Ending, Time};

/// A rule on commands and their replies.
#[derive(Clone, Debug, PartialEq)]
pub struct Redis {
    /// All that is given must hold.
    pub only: Only,
    /// What it does.
    pub act: Act,
}

/// Which commands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Only {
    /// One of these, in upper case; empty: any.
    pub commands: Vec<String>,
    /// A glob that one of the keys must match.
    pub keys: Option<String>,
    /// Only this one of those that match.
    pub nth: Option<Nth>,
}

/// What becomes of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// They are held, with all that follow on their connection.
    Delay(Time),
    /// They fail; the server never sees them, but for what a transaction needs.
    Error(Failure),
    /// Reads find nothing.
    Miss,
    /// The connection ends in the middle of the reply.
    Drop {
        /// Bytes of the reply that arrive.
        after: u64,
        /// How the connection ends then.
        close: Ending,
    },
    /// Keys read as missing until they are written again through the proxy.
    Flush,
    /// No more connections than this.
    Cap(u64),
}

impl Act {
    /// True for the same act, whatever its parameters.
    pub fn is_like(&self, other: &Self) -> bool {
        discriminant(self) == discriminant(other)
    }
}

/// How a command fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No memory left.
    Oom,
    /// A replica that does not take writes.
    ReadOnly,
    /// The data set is being loaded.
    Loading,
    /// A script is running.
    Busy,
    /// The cluster is down.
    ClusterDown,
    /// The link to the master is down.
    MasterDown,
    /// Not authenticated.
    NoAuth,
    /// As written, without its `-`.
    Text(String),
}

impl Failure {
    /// As the server words it, without the first `-` and the end of the line.
    pub fn text(&self) -> &str {
        match self {
            Self::Oom => "OOM command not allowed when used memory > 'maxmemory'.",
            Self::ReadOnly => "READONLY You can't write against a read only replica.",
            Self::Loading => "LOADING Redis is loading the dataset in memory",
            Self::Busy => "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
            Self::ClusterDown => "CLUSTERDOWN The cluster is down",
            Self::MasterDown => "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
            Self::NoAuth => "NOAUTH Authentication required.",
            Self::Text(text) => text,
        }
    }
}
