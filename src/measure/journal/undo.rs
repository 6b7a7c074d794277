//! How a change is healed by somebody who has nothing but its line in the journal.
//!
//! Plain data without secrets: what must be kept secret stands as the name of an environment variable. Not here: carrying it out
//! (`drill::lever::undo`).

use serde::{Deserialize, Serialize};

/// How to heal a change without anything but this line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Undo {
    /// It lived in the process that died, and died with it.
    DiesWithProcess,
    /// It lives in the keeper of the run, and dies with that.
    InKeeper,
    /// An HTTP request; the token is in the named environment variable.
    Http {
        /// `PUT`, `POST`, `DELETE`.
        method: String,
        /// The whole URL.
        url: String,
        /// JSON body.
        body: String,
        /// Environment variable that holds the bearer token; empty for none.
        token_env: String,
        /// How to see that it is healed; `None`: a 2xx answer must do.
        verify: Option<UndoProbe>,
        /// Longest time for an answer, ms; 0: the usual.
        #[serde(default)]
        timeout_ms: u64,
    },
    /// Processes were stopped or ended.
    Process(UndoProcess),
    /// A program is run.
    Command {
        /// The program and its arguments.
        run: UndoCommand,
        /// How to see that it is healed; `None`: exit code 0 must do.
        verify: Option<UndoProbe>,
    },
    /// A toxic on somebody else's Toxiproxy.
    Toxiproxy {
        /// `http://host:port` of its API.
        url: String,
        /// The proxy.
        proxy: String,
        /// The toxic's name.
        toxic: String,
    },
    /// Objects in a cluster.
    Kube {
        /// Context of the client's configuration.
        context: String,
        /// Namespace.
        namespace: String,
        /// Path of the manifest, absolute.
        manifest: String,
    },
}

/// Processes, and how they run again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoProcess {
    /// The boot they were started in: a number means nothing after the next one.
    pub boot: String,
    /// The processes that were picked.
    pub pinned: Vec<PinnedProcess>,
    /// Started when none of them runs any more; empty: they are resumed.
    pub start: Vec<String>,
    /// Where that is started.
    pub folder: String,
    /// What runs again is found by this executable and argument; empty: by `start` itself.
    pub exe: String,
    /// Part of one of its arguments.
    pub args_contain: String,
    /// SHA-256 of program and arguments of the first of them: what runs again may be known by it.
    pub like: String,
}

/// One process, told from every other that may get its number later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedProcess {
    /// Its number.
    pub pid: u32,
    /// Clock ticks from the boot to its start.
    pub started: u64,
}

/// A program to run: no shell, and nothing in its environment but this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoCommand {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Name and value; a value `$NAME` is read from our own environment when it is run.
    pub env: Vec<(String, String)>,
    /// It is ended after so long, ms.
    pub timeout_ms: u64,
}

/// A value to read back after an undo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoProbe {
    /// The whole URL.
    pub url: String,
    /// JSON path.
    pub at: String,
    /// The value that is *not* to be seen any more.
    pub is_not: String,
    /// Environment variable that holds the bearer token; empty for none.
    #[serde(default)]
    pub token_env: String,
}
