//! Levers as written that need no proxy: requests, processes, programs, clusters, traffic. Not here: faults (`act`, `inject`).

use serde::Deserialize;

use super::names::Named;
use super::source::Spanned;
use super::written::{Extra, Written, plain, written};

written! {
    /// A request to the system's admin side, or to another address.
    HttpLever {
        method: Spanned<String>,
        path: Option<Spanned<String>>,
        url: Option<Spanned<String>>,
        json: Option<Spanned<String>>,
        timeout: Option<Spanned<String>>,
    } later {}
}

written! {
    /// Processes of this machine.
    ProcessLever { pick: Spanned<Pick>, does: Spanned<ProcessDeed>, revive: Option<Spanned<Revive>> } later {}
}

/// Which processes.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Pick {
    Pid(Spanned<u64>),
    PidFile(Spanned<String>),
    Command(Box<PickCommand>),
}

impl Written for Pick {
    fn extra(&self) -> Extra<'_> {
        if let Self::Command(command) = self { command.extra() } else { Extra::default() }
    }
}

written! {
    /// Processes by executable and argument.
    PickCommand { exe: Spanned<String>, args_contain: Option<Spanned<String>>, expect: Spanned<u64> } later {}
}

/// What is done to processes.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum ProcessDeed {
    Pause,
    Kill(Spanned<Signal>),
    Restart,
}

plain!(ProcessDeed);

/// A signal that ends a process.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Signal {
    Term,
    Int,
    Quit,
    Hup,
    Abrt,
    Kill,
}

plain!(Signal);

/// How a process runs again.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Revive {
    Resume,
    Start(Spanned<Vec<Spanned<String>>>),
}

plain!(Revive);

written! {
    /// A program, without a shell.
    CommandLever {
        argv: Spanned<Vec<Spanned<String>>>,
        env: Option<Spanned<Named<String>>>,
        timeout: Option<Spanned<String>>,
    } later {}
}

written! {
    /// A toxic on somebody else's Toxiproxy.
    ToxiproxyLever { url: Spanned<String>, proxy: Spanned<String>, toxic: Spanned<String> } later {}
}

written! {
    /// Objects in a cluster.
    KubeLever { context: Spanned<String>, namespace: Spanned<String>, manifest: Spanned<String> } later {}
}

written! {
    /// More, or less, of the drill's own traffic.
    LoadLever { times: Spanned<f64>, lasts: Option<Spanned<String>> } later {}
}
