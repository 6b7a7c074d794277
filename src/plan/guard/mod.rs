//! Who may be sent traffic: loopback always, anything else only when `squall.targets.ron` or `--allow-target` names it. Pure rules.
//!
//! There is no force: what a never-list or a production label forbids, no flag allows. Every room that connects asks here, for every
//! address of a name. Not here: finding the file (`cli`), reading it (`check::targets`), looking up names (`load`).

mod net;
#[cfg(test)]
mod tests;
mod verdict;

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use thiserror::Error;

use crate::base::rate::Rate;
use net::plain;
pub use net::{HostGlob, Net};

/// The name of the list of targets.
pub const TARGETS_FILE: &str = "squall.targets.ron";
/// The ceiling of an entry that names none, and of `--allow-target`: requests per second.
pub const DEFAULT_CEILING: f64 = 100.0;
/// Labels of a host's name that no list and no flag allows.
pub const NEVER_LABELS: [&str; 4] = ["prod", "prd", "production", "live"];

/// Who an entry is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// A name or all names below one; it vouches for the addresses the name had at the start.
    Host(HostGlob),
    /// A range of addresses, whatever their names.
    Net(Net),
}

impl Who {
    fn is(&self, host: &str, address: Option<IpAddr>) -> bool {
        match self {
            Self::Host(glob) => glob.matches(host),
            Self::Net(net) => address.or_else(|| plain(host).parse().ok()).is_some_and(|address| net.holds(address)),
        }
    }
}

/// One allowed target.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Who.
    pub who: Who,
    /// On which ports.
    pub ports: Vec<u16>,
    /// At most so many requests per second.
    pub max_rate: Rate,
}

/// A list of targets as checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Allow {
    /// The file, as it was named.
    pub path: String,
    /// Who may be sent traffic.
    pub entries: Vec<Entry>,
    /// Who may not, whatever the entries say.
    pub never: Vec<Who>,
}

/// How fast an admitted target may be sent traffic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MaxRate {
    /// Loopback: as fast as it goes.
    Unlimited,
    /// At most this over all attempts.
    At(Rate),
}

/// Why a target is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No entry names it.
    Unlisted,
    /// An entry names it, on other ports.
    Port,
    /// The never-list names it.
    Never,
    /// A label of its name says production.
    Label(String),
}

/// A target that may not be sent traffic; its text says what to ask for.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{what} may not be sent traffic: {because}", what = self.what(), because = self.because())]
pub struct Refusal {
    /// As written.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The address that was looked at; `None` when the name alone decided.
    pub address: Option<IpAddr>,
    /// Why.
    pub reason: Reason,
    /// The file that was read, or `None` when there was none.
    pub looked_for: Option<String>,
}

impl Refusal {
    fn what(&self) -> String {
        match self.address.filter(|address| address.to_string() != plain(&self.host)) {
            Some(address) => format!("{}:{} ({address})", self.host, self.port),
            None => format!("{}:{}", self.host, self.port),
        }
    }

    fn because(&self) -> String {
        let file = self.looked_for.as_deref().unwrap_or(TARGETS_FILE);
        match &self.reason {
            Reason::Unlisted if self.looked_for.is_none() => format!(
                "it is not loopback, and no {TARGETS_FILE} was found from the working directory up to the repository's root"
            ),
            Reason::Unlisted => format!("it is not loopback, and no entry of {file} names it"),
            Reason::Port => format!("{file} names it, but not port {}", self.port),
            Reason::Never => format!("{file} lists it under `never`, which no flag overrules"),
            Reason::Label(label) => format!("the label `{label}` in its name says production, which nothing overrules"),
        }
    }

    /// The remedy: the entry to ask the owner for; empty when there is none.
    pub fn remedy(&self) -> String {
        match self.reason {
            Reason::Unlisted | Reason::Port => {
                let host = plain(&self.host);
                let who = if host.parse::<IpAddr>().is_ok() { "net" } else { "host" };
                format!(
                    "ask its owner for this entry in {TARGETS_FILE}: \
                     ({who}: \"{host}\", ports: [{}], max_rate: \"100/s\", owner: \"…\", until: \"…\")",
                    self.port
                )
            }
            Reason::Never | Reason::Label(_) => String::new(),
        }
    }
}

/// An `--allow-target` that cannot be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not a target: write it as HOST:PORT")]
pub struct BadTarget(pub String);

/// The guard of one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Guard {
    allow: Option<Allow>,
    /// `--allow-target`: host and port, for this run only.
    extra: Vec<(String, u16)>,
}

impl fmt::Display for MaxRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str("unlimited"),
            Self::At(rate) => rate.fmt(f),
        }
    }
}

impl Guard {
    /// The guard of a run: the list that was found, if any, and the targets named on the command line (`HOST:PORT`).
    ///
    /// # Errors
    /// The first of `extra` that is not `HOST:PORT`.
    pub fn new(allow: Option<Allow>, extra: &[String]) -> Result<Self, BadTarget> {
        let read = |text: &String| {
            let (host, port) = text.rsplit_once(':').ok_or_else(|| BadTarget(text.clone()))?;
            let port = port.parse().ok().filter(|port| *port != 0);
            match port.filter(|_| HostGlob::parse(host).is_some() && !host.contains('*')) {
                Some(port) => Ok((plain(host), port)),
                None => Err(BadTarget(text.clone())),
            }
        };
        Ok(Self { allow, extra: extra.iter().map(read).collect::<Result<_, _>>()? })
    }

    /// Refuses what its name alone forbids, before anybody looks it up. What passes must still be asked for with each of its addresses.
    ///
    /// # Errors
    /// When the name is forbidden, or nothing could allow any address of it.
    pub fn admit_host(&self, host: &str, port: u16) -> Result<(), Refusal> {
        if let Ok(address) = plain(host).parse() {
            return self.admit(address, host, port).map(|_| ());
        }
        self.forbidden(host, None, port)?;
        if plain(host) == "localhost" || self.ceiling(host, None, port).is_some() {
            return Ok(());
        }
        // A range may hold its addresses: that is decided when they are known.
        let is_undecided = |entry: &Entry| matches!(entry.who, Who::Net(_)) && entry.ports.contains(&port);
        if self.entries().iter().any(is_undecided) {
            return Ok(());
        }
        Err(self.refusal(host, None, port))
    }

    /// The ceiling of one address of `host`, or why it may not be sent traffic.
    ///
    /// # Errors
    /// When the address is neither loopback nor named by an entry or flag, or when it or the name is forbidden.
    pub fn admit(&self, address: IpAddr, host: &str, port: u16) -> Result<MaxRate, Refusal> {
        self.forbidden(host, Some(address), port)?;
        if address.to_canonical().is_loopback() {
            return Ok(MaxRate::Unlimited);
        }
        match self.ceiling(host, Some(address), port) {
            Some(rate) => Ok(MaxRate::At(rate)),
            None => Err(self.refusal(host, Some(address), port)),
        }
    }

    /// Whether an address that `host` has only now may be sent traffic, where `known` are those it had at the start: a name
    /// vouches for these alone, a range for all it holds.
    ///
    /// # Errors
    /// When the address is forbidden, or nobody vouches for it.
    pub fn admit_later(&self, address: SocketAddr, host: &str, known: &[SocketAddr]) -> Result<(), Refusal> {
        let (ip, port) = (address.ip(), address.port());
        self.forbidden(host, Some(ip), port)?;
        let holds = |entry: &Entry| matches!(entry.who, Who::Net(_)) && entry.who.is(host, Some(ip));
        let is_listed = self.entries().iter().any(|entry| entry.ports.contains(&port) && holds(entry));
        if is_listed || ip.to_canonical().is_loopback() || known.iter().any(|one| one.ip() == ip) {
            return Ok(());
        }
        Err(self.refusal(host, Some(ip), port))
    }

    fn entries(&self) -> &[Entry] {
        self.allow.as_ref().map_or(&[], |allow| &allow.entries)
    }

    /// Forbidden names and addresses; a loopback address is never forbidden, a production name is, wherever it leads.
    fn forbidden(&self, host: &str, address: Option<IpAddr>, port: u16) -> Result<(), Refusal> {
        let refuse = |reason| Err(Refusal { reason, ..self.refusal(host, address, port) });
        let name = plain(host);
        let mut labels = name.split('.').filter(|_| name.parse::<IpAddr>().is_err());
        if let Some(label) = labels.find(|label| NEVER_LABELS.contains(label)) {
            return refuse(Reason::Label(label.to_owned()));
        }
        let is_loopback = address.is_some_and(|address| address.to_canonical().is_loopback());
        let never = self.allow.as_ref().map_or(&[][..], |allow| &allow.never);
        let by_name = |who: &&Who| !is_loopback || matches!(who, Who::Host(_));
        if never.iter().filter(by_name).any(|who| who.is(host, address)) {
            return refuse(Reason::Never);
        }
        Ok(())
    }

    /// The highest ceiling that allows it.
    fn ceiling(&self, host: &str, address: Option<IpAddr>, port: u16) -> Option<Rate> {
        let listed = self.entries().iter().filter(|entry| entry.ports.contains(&port) && entry.who.is(host, address));
        let flagged = self.extra.iter().filter(|(name, known)| *name == plain(host) && *known == port);
        let rates = listed.map(|entry| entry.max_rate).chain(flagged.map(|_| Rate::per_second(DEFAULT_CEILING)));
        rates.max_by(|a, b| a.get().total_cmp(&b.get()))
    }

    fn refusal(&self, host: &str, address: Option<IpAddr>, port: u16) -> Refusal {
        let is_other_port = self.entries().iter().any(|entry| entry.who.is(host, address));
        Refusal {
            host: host.to_owned(),
            port,
            address,
            reason: if is_other_port { Reason::Port } else { Reason::Unlisted },
            looked_for: self.allow.as_ref().map(|allow| allow.path.clone()),
        }
    }
}
