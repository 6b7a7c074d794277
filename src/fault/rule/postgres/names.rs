//! What a connection's statement and portal names stand for. Poolers rewrite names, so a name itself is never matched.
//!
//! Pure. Not here: who reads the messages (`client`).

use std::collections::HashMap;
use std::sync::Arc;

use super::world::{Known, World};
use crate::fault::decide::Trace;
use crate::wire::sql::trace_of;

/// Texts whose shape a connection remembers.
const TEXTS: usize = 256;
/// Shapes that a connection counts.
const SHAPES: usize = 4_096;

/// A text that was prepared or asked, in memory only.
#[derive(Debug)]
pub(super) struct Stated {
    pub(super) text: Box<str>,
    pub(super) known: Arc<Known>,
    /// That a comment carries.
    pub(super) trace: Option<Trace>,
}

/// A portal: what it executes, and whether that was judged.
#[derive(Debug)]
struct Portal {
    stated: Option<Arc<Stated>>,
    judged: bool,
}

/// The names of one connection.
#[derive(Debug, Default)]
pub(super) struct Names {
    statements: HashMap<Box<[u8]>, Arc<Stated>>,
    portals: HashMap<Box<[u8]>, Portal>,
    texts: HashMap<Box<str>, Arc<Stated>>,
    /// How often a shape was judged.
    asked: HashMap<u64, u64>,
}

impl Names {
    /// The shape of `text`, computed once for a text that comes again.
    pub(super) fn stated(&mut self, world: &World, text: &str) -> Arc<Stated> {
        if let Some(stated) = self.texts.get(text) {
            return Arc::clone(stated);
        }
        if self.texts.len() >= TEXTS {
            self.texts.clear();
        }
        let stated = Arc::new(Stated {
            text: text.into(),
            known: world.known(text),
            trace: trace_of(text).and_then(Trace::parse),
        });
        self.texts.insert(text.into(), Arc::clone(&stated));
        stated
    }

    /// How often a statement of this shape was judged before.
    pub(super) fn asked(&mut self, fingerprint: u64) -> u64 {
        if self.asked.len() >= SHAPES {
            self.asked.clear();
        }
        let count = self.asked.entry(fingerprint).or_default();
        *count += 1;
        *count - 1
    }

    /// `Parse`; without a text that can be read, the name stands for nothing known.
    pub(super) fn parse(&mut self, name: &[u8], stated: Option<Arc<Stated>>) {
        match stated {
            Some(stated) => drop(self.statements.insert(name.into(), stated)),
            None => drop(self.statements.remove(name)),
        }
    }

    /// `Bind`.
    pub(super) fn bind(&mut self, portal: &[u8], statement: &[u8]) {
        let stated = self.statements.get(statement).cloned();
        self.portals.insert(portal.into(), Portal { stated, judged: false });
    }

    /// `Close`.
    pub(super) fn close(&mut self, kind: u8, name: &[u8]) {
        if kind == b'S' {
            self.statements.remove(name);
        } else {
            self.portals.remove(name);
        }
    }

    /// A message too long to be read said something about names: portals stand for nothing known.
    pub(super) fn blur(&mut self) {
        self.portals.clear();
    }

    /// What `portal` executes, the first time that it is executed.
    pub(super) fn execute(&mut self, portal: &[u8]) -> Option<Arc<Stated>> {
        let portal = self.portals.get_mut(portal)?;
        if std::mem::replace(&mut portal.judged, true) {
            return None;
        }
        portal.stated.clone()
    }
}
