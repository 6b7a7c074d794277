//! The rules and their parameters, as checked: what acts on the messages of a protocol.
//!
//! Not here: what they do (`fault::rule`, one folder for each protocol), toxics (`toxic`).

pub mod http;
pub mod postgres;

use super::Time;

pub use http::Http;
pub use postgres::Postgres;

/// One rule with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// On requests and responses of HTTP/1.1.
    Http(Box<Http>),
    /// On PostgreSQL's statements and connections.
    Postgres(Box<Postgres>),
}

impl Rule {
    /// True for the same protocol and the same act, whatever the parameters.
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Http(one), Self::Http(other)) => one.act.is_like(&other.act),
            (Self::Postgres(one), Self::Postgres(other)) => one.act.is_like(&other.act),
            _ => false,
        }
    }

    /// The protocol it reads.
    pub const fn protocol(&self) -> Protocol {
        match self {
            Self::Http(_) => Protocol::Http,
            Self::Postgres(_) => Protocol::Postgres,
        }
    }
}

/// What the connections of a proxy carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// Whatever they carry, nothing reads it.
    #[default]
    Bytes,
    /// HTTP/1.1.
    Http,
    /// PostgreSQL's protocol 3.
    Postgres,
    /// RESP2 and RESP3.
    Redis,
}

impl Protocol {
    /// As in a file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bytes => "Bytes",
            Self::Http => "Http",
            Self::Postgres => "Postgres",
            Self::Redis => "Redis",
        }
    }
}

/// What a proxy does with connections that want to be encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// They are refused: what passes is clear.
    #[default]
    Refuse,
    /// They pass as bytes, which no rule reads.
    Pass,
}

/// What a proxy reads of its connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Speaks {
    /// The protocol.
    pub protocol: Protocol,
    /// What becomes of encrypted connections.
    pub tls: Tls,
}

/// Only the nth message that matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nth {
    /// Counted from 1.
    pub n: u64,
    /// Counted within this.
    pub of: Within,
}

/// Where messages are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// One connection.
    Connection,
    /// One transaction of a connection.
    Transaction,
    /// Everything the fault sees; which message is the nth depends on their arrival.
    Fault,
}

/// A hold of a message: how long, drawn for each.
#[derive(Clone, Debug, PartialEq)]
pub struct Hold {
    /// How long.
    pub time: Time,
    /// Where it waits.
    pub place: Place,
}

/// Where a held message waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The request: the server is idle, and holds nothing for it.
    Request,
    /// The response: the work is done.
    Response,
    /// The response, after so many bytes of its content.
    Body(u64),
    /// Inside the server, with whatever it holds.
    Server,
}
