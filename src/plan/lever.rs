//! Levers as checked: what can be pulled on a system, its processes, its proxies, its cluster, or on the traffic itself.
//!
//! Made by `check`; pulled by `drill::lever`. Not here: leases and proofs (`drill`), toxics (`fault`).

use std::time::Duration;

use super::fault::Fault;

/// What can be pulled.
#[derive(Clone, Debug, PartialEq)]
pub enum Lever {
    /// A request.
    Http(HttpRequest),
    /// A fault on one of the system's proxies.
    Fault(Fault),
    /// Processes of this machine.
    Process(Process),
    /// A program, without a shell.
    Command(Command),
    /// A toxic on somebody else's Toxiproxy.
    Toxiproxy(Toxiproxy),
    /// Objects in a cluster.
    Kube(Kube),
    /// The drill's own traffic.
    Load(Surge),
}

/// A request to the system's admin side, or to another address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// `PUT`, `POST`, `PATCH`, `DELETE`, `GET`.
    pub method: String,
    /// `http://host:port` of another address, which gets no token; `None`: the admin side.
    pub base: Option<String>,
    /// Path.
    pub path: String,
    /// JSON body, checked to be JSON; empty for none.
    pub json: String,
    /// Longest time for an answer.
    pub timeout: Duration,
}

/// Processes of this machine, picked once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Which.
    pub pick: Pick,
    /// What is done to them.
    pub does: ProcessDeed,
    /// Started when they are to run again; empty: they are resumed.
    pub start: Vec<String>,
}

/// Which processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    /// By number.
    Pid(u32),
    /// By the number in a file.
    PidFile(String),
    /// By executable and argument.
    Command {
        /// Path of the executable.
        exe: String,
        /// Part of one of its arguments; empty: any.
        args_contain: String,
        /// Exactly so many must be found.
        expect: u32,
    },
}

/// What is done to processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessDeed {
    /// They are stopped, and go on when it is undone.
    Pause,
    /// They are sent a signal that ends them.
    Kill(Signal),
    /// They are ended, and started again at once.
    Restart,
}

/// A signal that ends a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM.
    Term,
    /// SIGINT.
    Int,
    /// SIGQUIT.
    Quit,
    /// SIGHUP.
    Hup,
    /// SIGABRT.
    Abrt,
    /// SIGKILL.
    Kill,
}

/// A program to run: no shell, nothing in its environment but what stands here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Name and value; a value `$NAME` is read from our own environment when it runs.
    pub env: Vec<(String, String)>,
    /// It is ended after so long.
    pub timeout: Duration,
}

/// A toxic on somebody else's Toxiproxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toxiproxy {
    /// `http://host:port` of its API.
    pub url: String,
    /// The proxy.
    pub proxy: String,
    /// The toxic's name.
    pub name: String,
    /// The toxic as it is sent, JSON.
    pub toxic: String,
}

/// Objects in a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kube {
    /// Context of the client's configuration; never the current one.
    pub context: String,
    /// Namespace.
    pub namespace: String,
    /// File name of the manifest.
    pub manifest: String,
    /// Its text.
    pub text: String,
}

/// More, or less, of the drill's own traffic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surge {
    /// Every open rate is multiplied by this, 0.1 to 100.
    pub times: f64,
    /// For so long; `None`: until it is undone.
    pub lasts: Option<Duration>,
}

impl HttpRequest {
    /// Longest time for an answer, unless the file says otherwise.
    pub const LIMIT: Duration = Duration::from_secs(2);

    /// The URL of another address; `None`: it goes to the admin side.
    pub fn elsewhere(&self) -> Option<String> {
        self.base.as_ref().map(|base| format!("{base}{}", self.path))
    }
}

impl Lever {
    /// A request to the admin side.
    pub fn http(method: &str, path: &str, json: &str) -> Self {
        Self::Http(HttpRequest {
            method: method.to_owned(),
            base: None,
            path: path.to_owned(),
            json: json.to_owned(),
            timeout: HttpRequest::LIMIT,
        })
    }

    /// In words, without secrets: bodies, values and arguments are not repeated.
    pub fn words(&self) -> String {
        match self {
            Self::Http(http) => format!("{} {}", http.method, http.elsewhere().unwrap_or_else(|| http.path.clone())),
            Self::Fault(fault) => fault.words(),
            Self::Process(process) => process.words(),
            Self::Command(command) => format!("run {}", command.argv.first().map_or("", String::as_str)),
            Self::Toxiproxy(toxic) => {
                format!("toxic {} on proxy {} of {}", toxic.name, toxic.proxy, toxic.url)
            }
            Self::Kube(kube) => format!("apply {} in {}/{}", kube.manifest, kube.context, kube.namespace),
            Self::Load(surge) => format!("{} times the traffic", surge.times),
        }
    }

    /// `http://host:port` that it sends something to, beside the system's own sides.
    pub fn address(&self) -> Option<&str> {
        match self {
            Self::Http(http) => http.base.as_deref(),
            Self::Toxiproxy(toxic) => Some(&toxic.url),
            _ => None,
        }
    }

    /// True when it stays in force although the process that pulled it ends.
    pub fn outlives(&self) -> bool {
        match self {
            Self::Http(http) => http.base.is_some(),
            Self::Process(_) | Self::Command(_) | Self::Toxiproxy(_) | Self::Kube(_) => true,
            Self::Fault(_) | Self::Load(_) => false,
        }
    }
}

impl Process {
    /// In words.
    pub fn words(&self) -> String {
        let does = match self.does {
            ProcessDeed::Pause => "pause",
            ProcessDeed::Kill(_) => "kill",
            ProcessDeed::Restart => "restart",
        };
        match &self.pick {
            Pick::Pid(pid) => format!("{does} process {pid}"),
            Pick::PidFile(path) => format!("{does} the process of {path}"),
            Pick::Command { exe, expect, .. } => format!("{does} {expect} of {exe}"),
        }
    }
}
