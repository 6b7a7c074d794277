//! Rules on HTTP/1.1, as checked.

use std::mem::discriminant;

use regex::Regex;

use super::Hold;
use crate::plan::fault::Ending;
use crate::wire::http1::Edit;

/// A rule on requests and responses.
#[derive(Clone, Debug, PartialEq)]
pub struct Http {
    /// All that is given must hold.
    pub only: Only,
    /// What it does.
    pub act: Act,
}

/// Which requests.
#[derive(Clone, Debug, Default)]
pub struct Only {
    /// One of these methods; empty: any.
    pub methods: Vec<String>,
    /// The segments of a path template; `None` stands for any one segment.
    pub route: Option<Vec<Option<String>>>,
    /// Found in the path, without its query.
    pub path: Option<Regex>,
    /// A glob over the host, without its port.
    pub host: Option<String>,
    /// Globs over fields: one value of each must match.
    pub headers: Vec<(String, String)>,
    /// Ranges of statuses of the response; empty: any. Nothing is decided before it came.
    pub status: Vec<(u16, u16)>,
    /// Only requests whose field of this name lists the fault's name, or `*`.
    pub opt_in: Option<String>,
}

impl PartialEq for Only {
    fn eq(&self, other: &Self) -> bool {
        let path = |one: &Self| one.path.as_ref().map(|regex| regex.as_str().to_owned());
        (&self.methods, &self.route, &self.host, &self.headers, &self.status, &self.opt_in, path(self))
            == (&other.methods, &other.route, &other.host, &other.headers, &other.status, &other.opt_in, path(other))
    }
}

/// What becomes of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// They are held.
    Delay(Hold),
    /// They are answered by the proxy.
    Abort {
        /// 200..599.
        status: u16,
        /// Fields of the answer, beside its length.
        headers: Vec<(String, String)>,
        /// Content of the answer.
        body: String,
        /// How far the request comes.
        reach: Reach,
    },
    /// Correct framing around the first `after` bytes of the content.
    Truncate {
        /// Bytes.
        after: u64,
    },
    /// The length is promised and not kept.
    Drop {
        /// Bytes of the content that arrive.
        after: u64,
        /// How the connection ends then.
        close: Ending,
    },
    /// Fields are changed.
    Rewrite {
        /// Of the request.
        request: Vec<Edit>,
        /// Of the response.
        response: Vec<Edit>,
    },
}

impl Act {
    /// True for the same act, whatever its parameters.
    pub fn is_like(&self, other: &Self) -> bool {
        discriminant(self) == discriminant(other)
    }
}

/// How far a request comes that the proxy answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// The server never sees it.
    #[default]
    Never,
    /// The work is done, and its answer lost.
    Server,
}
