//! Rules on PostgreSQL: statements are delayed, failed, cut and refused, and no client is made to believe an untruth about
//! a transaction, except by `UnknownCommit`, which says so.
//!
//! ```text
//! door -> login -> client   messages in turn, as long as nothing holds the line; judged where they are carried out
//!                  judge    which rules a statement meets            act      what befalls it
//!                  server   replies to the first slot of the FIFO    script   who sees them, what follows
//! names  what statement and portal names stand for                   world    what the connections of a proxy share
//! ```
//! Pure. Three kinds of slow: the request is held (the server has seen nothing), the response is held (the work is done),
//! the server sleeps (with all that it holds). COPY, replication and function calls pass.

mod act;
mod client;
mod door;
mod judge;
mod names;
mod script;
mod server;
mod state;
#[cfg(test)]
mod tests;
mod turn;
pub(in crate::fault) mod world;

use std::sync::Arc;

use bytes::BytesMut;

use super::{Docket, Heard, Hit, Post, Speaker};
use crate::base::clock::Tick;
use crate::fault::parcel::{Close, Signal, Way};
use crate::plan::fault::rule::postgres::{Act, Death};
use crate::plan::fault::rule::{Rule, Tls};
use crate::wire::postgres::frame::{Broken, Framer};
use crate::wire::postgres::track::Track;
use act::CANCELLED;
use client::Held;
use script::Role;
use state::{Desk, Doom, Flow, Gate, Me, Stage};
use turn::Turn;
use world::{Bell, World};

/// One connection of PostgreSQL's protocol.
#[derive(Debug)]
pub(in crate::fault) struct Postgres {
    world: Arc<World>,
    bell: Arc<Bell>,
    tls: Tls,
    stage: Stage,
    me: Me,
    opening: BytesMut,
    up: Framer,
    down: Framer,
    track: Track<Role>,
    desk: Desk,
    flow: Flow,
}

impl Speaker for Postgres {
    fn hear(&mut self, heard: Heard, docket: &mut Docket, post: &mut Post) {
        let mut turn = Turn::new(docket, post);
        self.flow.opened.get_or_insert(turn.now);
        match heard {
            Heard::From(Way::Up, Signal::Data(bytes)) => self.client(&bytes, &mut turn),
            Heard::From(Way::Down, Signal::Data(bytes)) => self.server(&bytes, &mut turn),
            Heard::From(Way::Up, _) => self.client_left(&mut turn),
            Heard::From(Way::Down, end) => {
                turn.flush();
                turn.post.send(Way::Down, end);
            }
            Heard::Woken => self.woken(&mut turn),
        }
        self.settle(&mut turn);
        turn.flush();
        self.bell.keeps(self.desk.queue.iter().map(|frame| frame.bytes().len()).sum());
        if let Some(at) = self.wakes() {
            turn.post.wake_at(at);
        }
    }

    fn unread(&self, _way: Way) -> u64 {
        if self.stage == Stage::Blind { u64::MAX } else { 0 }
    }

    fn passed(&mut self, _way: Way, _n: u64) {}
}

impl Postgres {
    /// A connection that nothing is known of.
    pub(in crate::fault) fn new(tls: Tls, world: Arc<World>, bell: Arc<Bell>) -> Self {
        Self {
            world,
            bell,
            tls,
            stage: Stage::Door,
            me: Me::default(),
            opening: BytesMut::new(),
            up: Framer::default(),
            down: Framer::default(),
            track: Track::default(),
            desk: Desk::default(),
            flow: Flow::default(),
        }
    }

    fn client(&mut self, bytes: &[u8], turn: &mut Turn<'_>) {
        match self.stage {
            Stage::Door | Stage::Asking => {
                self.opening.extend_from_slice(bytes);
                self.knock(turn);
            }
            Stage::Login | Stage::Live => self.up.feed(bytes),
            Stage::Blind => return turn.ask(bytes),
            Stage::Over => return,
        }
        while matches!(self.stage, Stage::Login | Stage::Live) {
            match self.up.next_frame() {
                Ok(Some(frame)) if self.stage == Stage::Login => turn.ask(frame.bytes()),
                Ok(Some(frame)) => {
                    let farewell = frame.tag() == Some(b'X') && !matches!(self.flow.gate, Gate::Open);
                    self.desk.queue.push_back(frame);
                    if farewell {
                        return self.client_left(turn);
                    }
                }
                Ok(None) => break,
                Err(Broken { rest }) => {
                    self.run(turn);
                    turn.ask(&rest);
                    self.blind(turn);
                }
            }
        }
        if self.stage == Stage::Live {
            self.run(turn);
        }
    }

    fn server(&mut self, bytes: &[u8], turn: &mut Turn<'_>) {
        match self.stage {
            Stage::Asking => return self.answered(bytes, turn),
            Stage::Door | Stage::Blind => return turn.tell(bytes),
            Stage::Over => return,
            Stage::Login | Stage::Live => self.down.feed(bytes),
        }
        while matches!(self.stage, Stage::Login | Stage::Live) {
            match self.down.next_frame() {
                Ok(Some(frame)) if self.stage == Stage::Login => self.login(&frame, turn),
                Ok(Some(frame)) => self.heed(&frame, turn),
                Ok(None) => break,
                Err(Broken { rest }) => {
                    self.let_go(turn);
                    turn.tell(&rest);
                    self.blind(turn);
                }
            }
        }
        if self.stage == Stage::Live {
            self.run(turn);
        }
    }

    /// Everything passes as bytes from here on.
    fn blind(&mut self, turn: &mut Turn<'_>) {
        self.stage = Stage::Blind;
        self.flush_pending(turn);
        if let Gate::Held(held) = std::mem::take(&mut self.flow.gate) {
            turn.ask(&held.asked.bytes);
        }
        for frame in self.desk.queue.drain(..) {
            turn.ask(frame.bytes());
        }
        turn.ask(&self.up.rest());
        turn.tell(&self.down.rest());
        turn.docket.lose();
    }

    /// Nothing passes from here on; the places of the connection are free.
    fn over(&mut self) {
        self.stage = Stage::Over;
        self.flow = Flow::default();
        self.desk = Desk::default();
        self.track = Track::default();
        self.me.place = None;
    }

    /// The client has gone: what a fault holds ends now.
    fn client_left(&mut self, turn: &mut Turn<'_>) {
        if self.stage == Stage::Door && self.me.wanted_tls {
            tracing::warn!(
                "a client left when it was told that TLS is refused here: sslmode=require cannot pass tls: Refuse"
            );
        }
        let held = !matches!(self.flow.gate, Gate::Open) || self.flow.kept.is_some() || !self.flow.held.is_empty();
        turn.flush();
        turn.post.release();
        self.flow.left = true;
        if held && self.stage == Stage::Live {
            turn.cut(Close::Fin);
            self.over();
        } else {
            turn.post.send(Way::Up, Signal::Fin);
        }
    }

    /// An instant has come, the faults are others, or somebody cancels.
    fn woken(&mut self, turn: &mut Turn<'_>) {
        if self.bell.was_rung() {
            self.cancelled(turn);
        }
        self.watch(turn);
        let faults: Vec<_> = turn.docket.faults().collect();
        self.flow.held.retain(|(until, tied)| *until > turn.now && faults.contains(&tied.hit.fault()));
        if let Gate::Held(held) = &mut self.flow.gate {
            held.ties.retain(|tied| faults.contains(&tied.hit.fault()));
            if held.until() <= turn.now {
                self.go_on(turn);
            }
        }
        self.run(turn);
    }

    /// The statement that was held is carried out.
    fn go_on(&mut self, turn: &mut Turn<'_>) {
        if let Gate::Held(held) = std::mem::take(&mut self.flow.gate) {
            self.bell.held_until(Tick::ZERO);
            let Held { asked, verdict, ties, since } = *held;
            for tied in &ties {
                turn.docket.realised(tied.hit.fault(), turn.now.since(since));
            }
            self.carry_out(asked, verdict, turn);
        }
    }

    /// The client cancels. A request that was held fails as if the server had been at it; a response that was held is true,
    /// and goes on at once.
    fn cancelled(&mut self, turn: &mut Turn<'_>) {
        self.bell.held_until(Tick::ZERO);
        if let Gate::Held(held) = std::mem::take(&mut self.flow.gate) {
            for tied in &held.ties {
                turn.docket.realised(tied.hit.fault(), turn.now.since(held.since));
            }
            self.raise(&held.asked, CANCELLED, turn);
        }
        self.flow.held.clear();
        turn.post.release();
    }

    /// A failover ends the connections that were open before it.
    fn watch(&mut self, turn: &mut Turn<'_>) {
        if self.stage != Stage::Live || self.flow.doom.is_some() {
            return;
        }
        let opened = self.flow.opened.unwrap_or(turn.now);
        let fails = turn.docket.cases().any(|case| {
            let Some(Rule::Postgres(rule)) = case.rule() else { return false };
            let meant = matches!(rule.act, Act::Failover { .. }) && judge::meets(&rule.only, &self.me.who);
            meant && opened < case.injected() && case.judge(&case.unit(0), turn.now, None).inspect(Hit::cut).is_some()
        });
        if fails {
            self.flow.doom = Some(Doom::of(Death::Fatal("57P01".to_owned())));
        }
    }

    /// Ends a doomed connection as soon as nothing is owed: what was answered must be heard first.
    fn settle(&mut self, turn: &mut Turn<'_>) {
        if self.stage == Stage::Live
            && self.flow.kept.is_none()
            && self.track.is_settled()
            && let Some(doom) = self.flow.doom.take()
        {
            self.end(&doom, turn);
        }
    }

    fn wakes(&self) -> Option<Tick> {
        let request = match &self.flow.gate {
            Gate::Held(held) => Some(held.until()),
            _ => None,
        };
        request.into_iter().chain(self.flow.held.iter().map(|(until, _)| *until)).min()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(key) = &self.me.key {
            self.world.unhang(key);
        }
    }
}
