//! What clients of the compatible API have written: addresses as typed, toxics with their streams as typed.
//!
//! The book only remembers; what is in force is the proxies' to say, and a toxic whose lease is over leaves the book when
//! somebody looks. Not here: requests (`compat`).

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::attributes::{Attributes, Type, number};
use super::errors::Refusal;
use super::runs::Runs;
use crate::base::ratio::Ratio;
use crate::fault::{Proxies, ProxyState};
use crate::plan::fault::{Caps, Envelope, Fault, Side};

/// A toxic as its client wrote it.
#[derive(Clone, Debug)]
pub(super) struct ToxicRow {
    pub(super) name: String,
    pub(super) of: &'static Type,
    /// As typed.
    pub(super) stream: String,
    pub(super) toxicity: f32,
    pub(super) attributes: Attributes,
}

/// A proxy as its client wrote it.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    /// As typed: shown until it has listened.
    pub(super) listen: String,
    pub(super) upstream: String,
    pub(super) toxics: Vec<ToxicRow>,
    /// It has listened since `listen` was typed.
    pub(super) started: bool,
}

/// All of them, and the stop switch.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) rows: BTreeMap<String, Row>,
    pub(super) stopped: bool,
    pub(super) runs: Runs,
}

/// A proxy as it is answered.
#[derive(Debug, Serialize)]
pub(super) struct ProxyJson {
    name: String,
    listen: String,
    upstream: String,
    enabled: bool,
    toxics: Vec<ToxicRow>,
}

impl ToxicRow {
    pub(super) fn side(&self) -> Side {
        if self.stream.eq_ignore_ascii_case("upstream") { Side::Upstream } else { Side::Downstream }
    }

    /// The fault that carries it.
    pub(super) fn fault(&self, proxy: &str) -> Fault {
        Fault {
            name: fault_name(proxy, &self.name),
            on: proxy.to_owned(),
            inject: self.attributes.toxic(self.of).into(),
            side: self.side(),
            share: Ratio::new(decimal(self.toxicity)),
            lasts: None,
            envelope: Box::new(Envelope { caps: Caps::NONE, ..Envelope::default() }),
        }
    }
}

impl Serialize for ToxicRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            attributes: &'a Attributes,
            name: &'a str,
            r#type: &'a str,
            stream: &'a str,
            toxicity: serde_json::Value,
        }
        let Self { name, of, stream, toxicity, attributes } = self;
        Shown { attributes, name, r#type: of.name, stream, toxicity: number(decimal(*toxicity)) }.serialize(serializer)
    }
}

/// The number that prints as the 32-bit one does: 0.3, not 0.30000001192092896.
fn decimal(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_default()
}

/// The fault of a toxic. Names of faults in files hold neither `:` nor `/`, and a proxy's is escaped: no two are equal.
pub(super) fn fault_name(proxy: &str, toxic: &str) -> String {
    format!("toxic:{}/{toxic}", proxy.replace('%', "%25").replace('/', "%2F"))
}

impl Book {
    /// While the switch is thrown no toxic is taken, by whatever call it comes.
    pub(super) fn refuse_while_stopped(&self, toxics: &[ToxicRow]) -> Result<(), Refusal> {
        if self.stopped && !toxics.is_empty() { Err(Refusal::stopped()) } else { Ok(()) }
    }

    /// Forgets the toxics that are no longer in force, and the proxies that are gone.
    pub(super) fn prune(&mut self, proxies: &Proxies) {
        let names: Vec<String> = proxies.states().into_iter().map(|state| state.name).collect();
        self.rows.retain(|name, _| names.contains(name));
        for (name, row) in &mut self.rows {
            row.toxics.retain(|toxic| proxies.is_active(&fault_name(name, &toxic.name)));
        }
    }

    /// A proxy as it is answered: what was typed, until it has listened.
    pub(super) fn show(&self, state: &ProxyState) -> ProxyJson {
        let row = self.rows.get(&state.name);
        let typed = row.filter(|row| !row.started && !state.enabled).map(|row| row.listen.clone());
        ProxyJson {
            name: state.name.clone(),
            listen: typed.unwrap_or_else(|| state.listen.to_string()),
            upstream: row.map_or_else(|| state.upstream.to_string(), |row| row.upstream.clone()),
            enabled: state.enabled,
            toxics: row.map(Row::shown).unwrap_or_default(),
        }
    }
}

impl Row {
    /// All upstream ones, then downstream, each in the order of its chain.
    pub(super) fn shown(&self) -> Vec<ToxicRow> {
        let of = |side: Side| self.toxics.iter().filter(move |toxic| toxic.side() == side);
        of(Side::Upstream).chain(of(Side::Downstream)).cloned().collect()
    }
}
