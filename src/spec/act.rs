//! Acts, mitigations, levers and faults as written. Not here: toxics and their parameters (`inject`).

use serde::Deserialize;

use super::condition::{Holds, Signal};
use super::drill::{Role, Stated};
use super::envelope::{Caps, Pattern, Per, Ramp};
use super::inject::{Inject, Side};
use super::lever::{CommandLever, HttpLever, KubeLever, LoadLever, ProcessLever, ToxiproxyLever};
use super::source::Spanned;
use super::written::{Extra, Written, plain, written};

written! {
    /// Something done to the players.
    Act { name: Spanned<String>, when: Spanned<When>, hidden: Option<Spanned<bool>>, does: Spanned<Does> } later { costs }
}

/// When an act is due.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum When {
    At(Spanned<String>),
    After(Spanned<Moment>, Spanned<String>),
    Within(Spanned<String>, Spanned<String>),
    #[serde(rename = "When")]
    Holds(Box<Holds>),
}

impl Written for When {
    fn extra(&self) -> Extra<'_> {
        if let Self::Holds(holds) = self { holds.extra() } else { Extra::default() }
    }
}

/// Something that happens in a drill.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Moment {
    Impact,
    Mark(Spanned<Stated>),
    Act(Spanned<String>),
    Mitigation(Spanned<String>),
}

plain!(Moment);

/// What an act does.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Does {
    Technical(Box<Technical>),
}

impl Written for Does {
    fn extra(&self) -> Extra<'_> {
        let Self::Technical(technical) = self;
        technical.extra()
    }
}

written! {
    /// A change with its undo and its proof.
    Technical {
        apply: Spanned<Lever>,
        revert: Option<Spanned<Lever>>,
        lease: Option<Spanned<String>>,
        owner: Option<Spanned<Owner>>,
        proof: Option<Spanned<Proof>>,
        moves: Option<Spanned<Vec<Spanned<Move>>>>,
        destructive: Option<Spanned<bool>>,
    } later {}
}

/// What can be pulled.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Lever {
    Http(Box<HttpLever>),
    Fault(Box<Fault>),
    Process(Box<ProcessLever>),
    Command(Box<CommandLever>),
    Toxiproxy(Box<ToxiproxyLever>),
    Kube(Box<KubeLever>),
    Load(Box<LoadLever>),
}

impl Written for Lever {
    fn extra(&self) -> Extra<'_> {
        match self {
            Self::Http(http) => http.extra(),
            Self::Fault(fault) => fault.extra(),
            Self::Process(process) => process.extra(),
            Self::Command(command) => command.extra(),
            Self::Toxiproxy(toxic) => toxic.extra(),
            Self::Kube(kube) => kube.extra(),
            Self::Load(load) => load.extra(),
        }
    }
}

written! {
    /// A fault on one proxy's connections.
    Fault {
        on: Spanned<String>,
        inject: Spanned<Inject>,
        side: Option<Spanned<Side>>,
        share: Option<Spanned<String>>,
        lasts: Option<Spanned<String>>,
        per: Option<Spanned<Per>>,
        pattern: Option<Spanned<Pattern>>,
        ramp: Option<Spanned<Ramp>>,
        caps: Option<Spanned<Caps>>,
    } later { name, users }
}

/// Who is to undo it.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum Owner {
    Players,
    Controller,
}

plain!(Owner);

/// What shows that an act touched something.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Proof {
    Probe(Box<Probe>),
    Touched(Box<Touched>),
}

impl Written for Proof {
    fn extra(&self) -> Extra<'_> {
        match self {
            Self::Probe(probe) => probe.extra(),
            Self::Touched(touched) => touched.extra(),
        }
    }
}

written! {
    /// The count at the injection point.
    Touched { at_least: Spanned<u64>, within: Spanned<String> } later {}
}

written! {
    /// A value read from the admin side.
    Probe { get: Spanned<String>, at: Spanned<String>, is: Spanned<String>, within: Spanned<String> } later {}
}

/// How one sees that a mitigation took.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Verify {
    Probe(Box<Probe>),
}

impl Written for Verify {
    fn extra(&self) -> Extra<'_> {
        let Self::Probe(probe) = self;
        probe.extra()
    }
}

written! {
    /// A signal that an act should move, and how far.
    Move { signal: Spanned<Signal>, to: Spanned<String> } later {}
}

written! {
    /// Something the players may do.
    Mitigation {
        name: Spanned<String>,
        label: Spanned<String>,
        kind: Spanned<Kind>,
        allowed: Spanned<Vec<Spanned<Role>>>,
        does: Spanned<Remedy>,
        verify: Option<Spanned<Verify>>,
        effect: Option<Spanned<Effect>>,
    } later { warns }
}

/// What a mitigation is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum Kind {
    Correct,
    CorrectSlow,
    Partial,
    NoEffect,
    Harmful,
}

plain!(Kind);

/// What a mitigation does.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum Remedy {
    Http(Box<HttpLever>),
    Command(Box<CommandLever>),
    Manual,
}

impl Written for Remedy {
    fn extra(&self) -> Extra<'_> {
        match self {
            Self::Http(http) => http.extra(),
            Self::Command(command) => command.extra(),
            Self::Manual => Extra::default(),
        }
    }
}

written! {
    /// What a mitigation should bring about.
    Effect { signal: Spanned<Signal>, falls_to: Spanned<String>, within: Spanned<String> } later {}
}
