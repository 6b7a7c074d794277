//! The time before the first query: what a first packet asks for, whether the connection may come in, and its login, which
//! passes unread.
//!
//! Pure. Not here: statements (`client`), the census itself (`world`).

use bytes::Bytes;

use super::Postgres;
use super::act::last_words;
use super::judge::meets;
use super::state::Stage;
use super::turn::Turn;
use super::world::Limit;
use crate::base::clock::Tick;
use crate::fault::parcel::Close;
use crate::fault::rule::Docket;
use crate::plan::fault::rule::postgres::Act;
use crate::plan::fault::rule::{Rule, Tls};
use crate::wire::postgres::frame::Frame;
use crate::wire::postgres::startup::{Opening, Who, take};
use crate::wire::postgres::{read, write};

const SSL: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
const GSSENC: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 48];

impl Postgres {
    /// The packets before a session.
    pub(super) fn knock(&mut self, turn: &mut Turn<'_>) {
        while self.stage == Stage::Door {
            let Some(opening) = take(&mut self.opening) else { return };
            match opening {
                Opening::Ssl => self.wants_tls(&SSL, turn),
                Opening::Gssenc => self.wants_tls(&GSSENC, turn),
                Opening::Cancel { key, raw } => {
                    self.stage = Stage::Blind;
                    if self.world.ring(&key, turn.now) {
                        turn.cut(Close::Fin);
                        self.over();
                    } else {
                        turn.ask(&raw);
                    }
                }
                Opening::Startup { who, raw } => self.startup(who, &raw, turn),
                Opening::DirectTls | Opening::Unknown => {
                    let rest = self.opening.split();
                    turn.ask(&rest);
                    self.blind(turn);
                }
            }
        }
    }

    fn wants_tls(&mut self, packet: &[u8], turn: &mut Turn<'_>) {
        if self.tls == Tls::Pass {
            turn.ask(packet);
            self.stage = Stage::Asking;
        } else {
            self.me.wanted_tls = true;
            turn.tell(b"N");
        }
    }

    /// The server's one byte to the question for TLS.
    pub(super) fn answered(&mut self, bytes: &[u8], turn: &mut Turn<'_>) {
        turn.tell(bytes);
        if bytes == b"N" {
            self.stage = Stage::Door;
            self.knock(turn);
        } else {
            self.blind(turn);
        }
    }

    fn startup(&mut self, who: Who, raw: &Bytes, turn: &mut Turn<'_>) {
        self.me.who = who;
        self.me.wanted_tls = false;
        if self.me.who.replication {
            turn.ask(raw);
            self.blind(turn);
            return;
        }
        if let Some(sqlstate) = self.turned_away(turn) {
            turn.tell(&write::error("FATAL", sqlstate, last_words(sqlstate)));
            turn.cut(Close::Fin);
            self.over();
            return;
        }
        turn.ask(raw);
        self.stage = Stage::Login;
        let rest = self.opening.split();
        self.up.feed(&rest);
    }

    /// Why the connection may not come in, if it may not; else it has its place in the census.
    fn turned_away(&mut self, turn: &mut Turn<'_>) -> Option<&'static str> {
        if recovering(turn.docket, turn.now, &self.me.who) {
            return Some("57P03");
        }
        let mut limits = Vec::new();
        let mut cases = Vec::new();
        for (at, case) in turn.docket.cases().enumerate() {
            if let Some(Rule::Postgres(rule)) = case.rule()
                && let Act::Cap { limit, per, every } = rule.act
                && meets(&rule.only, &self.me.who)
            {
                limits.push(Limit { per, most: limit, every });
                cases.push(at);
            }
        }
        let now = turn.now;
        let docket = &mut *turn.docket;
        let refuses = |at: usize| {
            let case = cases.get(at).and_then(|at| docket.cases().nth(*at));
            case.is_some_and(|case| case.judge(&case.unit(0), now, None).is_some())
        };
        self.me.place = self.world.enter(&self.me.who, &limits, turn.now, refuses);
        if self.me.place.is_none() { Some("53300") } else { None }
    }

    /// Both directions of a login pass; its secrets are not looked at.
    pub(super) fn login(&mut self, frame: &Frame, turn: &mut Turn<'_>) {
        turn.tell(frame.bytes());
        match frame.tag() {
            Some(b'K') => {
                let key = Bytes::copy_from_slice(frame.body());
                self.world.hang(key.clone(), &self.bell);
                self.me.key = Some(key);
            }
            Some(b'S') if read::parameter(frame.body()) == Some(("squall_database", "embedded")) => {
                self.world.learned(&self.me.who.user, true);
            }
            Some(b'Z') => {
                self.stage = Stage::Live;
                self.watch(turn);
            }
            _ => {}
        }
    }
}

/// A failover of the present refuses everybody.
fn recovering(docket: &mut Docket, now: Tick, who: &Who) -> bool {
    docket.cases().any(|case| {
        let Some(Rule::Postgres(rule)) = case.rule() else { return false };
        let Act::Failover { refuse, .. } = rule.act else { return false };
        let refuses = meets(&rule.only, who) && now.since(case.injected()) < refuse;
        refuses && case.judge(&case.unit(0), now, None).is_some()
    })
}
