//! For tests: one connection that is read, with both peers played by hand and no sockets.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::base::clock::Tick;
use crate::base::ratio::Ratio;
use crate::base::seed::Seed;
use crate::fault::decide::Decider;
use crate::fault::link::{Link, LinkKey};
use crate::fault::parcel::{Close, Piece, Signal, Way};
use crate::fault::snapshot::{Active, FaultId, Snapshot};
use crate::fault::stats::FaultStats;
use crate::plan::fault::rule::{Rule, Speaks};
use crate::plan::fault::{Envelope, Fault, Per, Side};

/// A connection under rules.
#[derive(Debug)]
pub(in crate::fault) struct Stand {
    link: Link,
    pub(in crate::fault) snapshot: Snapshot,
    now: Tick,
    ended: Option<Close>,
}

/// `rule` in force under the name `rule<id>` on a `share` of what it matches.
pub(in crate::fault) fn active(id: u64, rule: Rule, share: f64) -> Arc<Active> {
    let fault = Fault {
        name: format!("rule{id}"),
        on: "x".into(),
        inject: rule.into(),
        side: Side::Both,
        share: Ratio::new(share),
        lasts: None,
        envelope: Box::new(Envelope { per: Per::Message, ..Envelope::default() }),
    };
    let decider = Arc::new(Decider::new(Seed(1), fault, Tick::ZERO, Arc::default()));
    Arc::new(Active { id: FaultId(id), version: 0, decider })
}

impl Stand {
    /// Connection number `connection` of a proxy that `speaks`, under `rules`.
    pub(in crate::fault) fn new(speaks: &Speaks, rules: &[Rule], connection: u64) -> Self {
        let rules = rules.iter().zip(1..).map(|(rule, id)| active(id, rule.clone(), 1.0));
        Self::under(speaks, rules.fold(Snapshot::default(), |all, one| all.with(one)), connection)
    }

    /// The same under a snapshot.
    pub(in crate::fault) fn under(speaks: &Speaks, snapshot: Snapshot, connection: u64) -> Self {
        let now = Tick::from_secs(1);
        let key = LinkKey { seed: Seed(1), proxy: 1, connection, user: None };
        let link = Link::open(key, (speaks, &Arc::default()), &snapshot, now);
        Self { link, snapshot, now, ended: None }
    }

    /// The client sends `bytes`; gives what the server gets.
    pub(in crate::fault) fn client(&mut self, bytes: impl AsRef<[u8]>) -> String {
        self.link.arrive(Way::Up, self.now, Signal::Data(Bytes::copy_from_slice(bytes.as_ref())));
        self.take(Way::Up)
    }

    /// The server sends `bytes`; gives what the client gets.
    pub(in crate::fault) fn server(&mut self, bytes: impl AsRef<[u8]>) -> String {
        self.link.arrive(Way::Down, self.now, Signal::Data(Bytes::copy_from_slice(bytes.as_ref())));
        self.take(Way::Down)
    }

    /// A peer ends or resets its direction.
    pub(in crate::fault) fn end(&mut self, way: Way, signal: Signal) {
        self.link.arrive(way, self.now, signal);
        self.link.ferry(self.now, 1 << 20);
    }

    /// Time goes by.
    pub(in crate::fault) fn wait(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
    }

    /// What has left for one peer by now; an end is written `<fin>`, a cut `<cut>`.
    pub(in crate::fault) fn take(&mut self, way: Way) -> String {
        while self.link.ferry(self.now, 1 << 20) {}
        let mut all = Vec::new();
        while let Some(piece) = self.link.outlet(way).take(self.now) {
            match piece {
                Piece::Pass(Signal::Data(bytes)) => all.extend_from_slice(&bytes),
                Piece::Pass(Signal::Fin) => all.extend_from_slice(b"<fin>"),
                Piece::Pass(Signal::Rst) => all.extend_from_slice(b"<rst>"),
                Piece::Cut(how) => {
                    self.ended.get_or_insert(how);
                    all.extend_from_slice(b"<cut>");
                }
            }
        }
        String::from_utf8_lossy(&all).into_owned()
    }

    /// How the connection was ended by a rule or by a reset, if it was.
    pub(in crate::fault) fn verdict(&mut self) -> Option<Close> {
        self.ended.or_else(|| self.link.verdict(self.now))
    }

    /// Puts another snapshot in force.
    pub(in crate::fault) fn swap(&mut self, snapshot: Snapshot) {
        self.link.sync(&snapshot, self.now);
        self.snapshot = snapshot;
    }

    /// Bytes that may go straight from socket to socket.
    pub(in crate::fault) fn straight(&mut self, way: Way) -> usize {
        self.link.straight(way, usize::MAX)
    }

    /// What the first rule did.
    pub(in crate::fault) fn seen(&self) -> FaultStats {
        self.snapshot.faults[0].decider.stats()
    }
}
