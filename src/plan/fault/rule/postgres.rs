//! Rules on PostgreSQL, as checked.
//!
//! Not here: what they do (`fault::rule::postgres`).

use std::mem::discriminant;
use std::time::Duration;

use regex::Regex;

use super::{Hold, Nth};
use crate::base::glob;
use crate::plan::fault::Time;
use crate::wire::sql::{Fingerprint, Verb};

/// A rule on statements and connections.
#[derive(Clone, Debug, PartialEq)]
pub struct Postgres {
    /// All that is given must hold.
    pub only: Only,
    /// What it does.
    pub act: Act,
}

/// Which statements, of which connections.
#[derive(Clone, Debug, Default)]
pub struct Only {
    /// Of this shape.
    pub fingerprint: Option<Fingerprint>,
    /// Found in the text as the client sent it.
    pub text: Option<Regex>,
    /// With a statement of one of these verbs; empty: any.
    pub verbs: Vec<Verb>,
    /// Naming one of these tables, with or without schema; empty: any.
    pub tables: Vec<String>,
    /// Of connections whose `application_name` matches.
    pub application: Option<Glob>,
    /// Of one of these users; empty: any.
    pub users: Vec<String>,
    /// In one of these databases; empty: any.
    pub databases: Vec<String>,
    /// Inside a transaction block, or outside.
    pub in_transaction: Option<bool>,
    /// Only the nth of them.
    pub nth: Option<Nth>,
}

impl Only {
    /// True when nothing about statements is asked, so that connections can be meant.
    pub fn is_about_connections(&self) -> bool {
        let plain = self.fingerprint.is_none() && self.text.is_none() && self.in_transaction.is_none();
        plain && self.verbs.is_empty() && self.tables.is_empty() && self.nth.is_none()
    }
}

impl PartialEq for Only {
    fn eq(&self, other: &Self) -> bool {
        let text = |one: &Self| one.text.as_ref().map(|regex| regex.as_str().to_owned());
        (self.fingerprint, &self.verbs, &self.tables, &self.application, text(self))
            == (other.fingerprint, &other.verbs, &other.tables, &other.application, text(other))
            && (&self.users, &self.databases, self.in_transaction, self.nth)
                == (&other.users, &other.databases, other.in_transaction, other.nth)
    }
}

/// A pattern over names: `checkout-*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(pub String);

impl Glob {
    /// True when the whole of `name` matches.
    pub fn matches(&self, name: &str) -> bool {
        glob::matches(self.0.as_bytes(), name.as_bytes())
    }
}

/// What becomes of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// They are held.
    Delay(Hold),
    /// The server raises an error in their place.
    Error {
        /// Five characters; no success and no warning.
        sqlstate: String,
        /// What the error says.
        message: String,
    },
    /// Their connection ends.
    Kill {
        /// With or without a last word.
        how: Death,
        /// When.
        moment: Moment,
    },
    /// No more connections than this.
    Cap {
        /// Connections at once.
        limit: u64,
        /// Counted for each of these.
        per: Per,
        /// Once it was full, places come back at most so often; `None`: at once.
        every: Option<Duration>,
    },
    /// Statements that write fail with 25006.
    ReadOnly,
    /// Connections end with 57P01; for `refuse` nobody comes in; for `read_only` nothing is written; then it is over.
    Failover {
        /// After the injection.
        refuse: Duration,
        /// After that.
        read_only: Duration,
    },
    /// The answer stops after so many rows.
    RowStall {
        /// Rows that arrive.
        after: u64,
        /// How long.
        time: Time,
    },
}

impl Act {
    /// True for the same act, whatever its parameters.
    pub fn is_like(&self, other: &Self) -> bool {
        discriminant(self) == discriminant(other)
    }
}

/// How a connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Death {
    /// By a reset.
    Rst,
    /// With a FATAL of this SQLSTATE.
    Fatal(String),
}

/// When a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before the statement.
    Statement,
    /// Before the statement, inside a transaction block.
    InTransaction,
    /// Behind a COMMIT, whose answer nobody hears: the only rule after which a client believes an untruth.
    UnknownCommit,
}

/// For what connections are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Per {
    /// All of the proxy.
    #[default]
    Proxy,
    /// Those of one user.
    User,
    /// Those to one database.
    Database,
    /// Those of one `application_name`.
    Application,
}
