//! What the client sends: each message in turn, as long as nothing holds the line. A statement is judged where it is
//! carried out: at `Query`, or at the first `Execute` of a portal.
//!
//! Pure. Not here: what is done to a statement (`act`), answers (`server`), the first packet (`door`).

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;

use super::Postgres;
use super::judge::{Message, Tied, Verdict, judge};
use super::names::Stated;
use super::script::{Role, Show, Then};
use super::state::Gate;
use super::turn::Turn;
use crate::base::clock::Tick;
use crate::fault::rule::Docket;
use crate::plan::fault::rule::Rule;
use crate::plan::fault::rule::postgres::Act;
use crate::wire::postgres::frame::Frame;
use crate::wire::postgres::track::Reply;
use crate::wire::postgres::{read, write};
use crate::wire::sql::Effect;

/// Says `t` where a role may use the language of `DO` blocks, and never fails.
const PROBE: &str = "SELECT pg_catalog.count(*) > 0 FROM pg_catalog.pg_language \
     WHERE lanname = 'plpgsql' AND pg_catalog.has_language_privilege(oid, 'usage')";

/// A statement that is asked for.
#[derive(Debug)]
pub(super) struct Asked {
    /// `Query` or `Execute`.
    pub(super) bytes: Bytes,
    pub(super) simple: bool,
    pub(super) stated: Arc<Stated>,
}

/// A statement that waits.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) asked: Asked,
    pub(super) ties: Vec<Tied>,
    /// What becomes of it afterwards.
    pub(super) verdict: Verdict,
    pub(super) since: Tick,
}

impl Held {
    /// When it goes on.
    pub(super) fn until(&self) -> Tick {
        self.since + self.ties.iter().map(|tied| tied.time).sum()
    }
}

impl Postgres {
    /// Takes the client's messages, in order, as far as nothing holds the line.
    pub(super) fn run(&mut self, turn: &mut Turn<'_>) {
        while self.flow.doom.is_none() {
            match self.flow.gate {
                Gate::Open => {
                    let Some(frame) = self.desk.queue.pop_front() else { return };
                    self.take(frame, turn);
                }
                Gate::Skipping => {
                    let Some(frame) = self.desk.queue.pop_front() else { return };
                    self.skip(&frame, turn);
                }
                Gate::Held(_) | Gate::Waiting => return,
            }
        }
    }

    fn take(&mut self, frame: Frame, turn: &mut Turn<'_>) {
        let Some(tag) = frame.tag() else { return turn.ask(frame.bytes()) };
        if self.must_probe(turn.docket) {
            self.desk.queue.push_front(frame);
            self.track.expect(Reply::Query, Role::of(Show::Nothing, Then::Probe(false)));
            turn.ask(&write::query(PROBE));
            self.flow.gate = Gate::Waiting;
            return;
        }
        match tag {
            b'Q' => self.query(&frame, turn),
            b'P' | b'B' | b'D' | b'C' => self.prepare(tag, frame, turn),
            b'E' => self.execute(&frame, turn),
            b'S' => self.sync(&frame, turn),
            b'H' => {
                self.flush_pending(turn);
                self.sleep_now(turn);
                turn.ask(frame.bytes());
            }
            b'c' | b'f' => {
                self.track.copied();
                turn.ask(frame.bytes());
            }
            _ => self.pass(tag, &frame, turn),
        }
    }

    /// Hands a message on, unread.
    fn pass(&mut self, tag: u8, frame: &Frame, turn: &mut Turn<'_>) {
        self.flush_pending(turn);
        if let Some(reply) = Reply::to(tag) {
            self.track.expect(reply, Role::own());
        }
        turn.ask(frame.bytes());
    }

    fn query(&mut self, frame: &Frame, turn: &mut Turn<'_>) {
        let Some(text) = read::query(frame.body()) else { return self.pass(b'Q', frame, turn) };
        let stated = self.desk.names.stated(&self.world, text);
        self.flush_pending(turn);
        let asked = Asked { bytes: frame.bytes().clone(), simple: true, stated };
        self.judged(asked, turn);
    }

    /// `Parse`, `Bind`, `Describe`, `Close`: they wait for the message that makes the server answer, which is judged.
    fn prepare(&mut self, tag: u8, frame: Frame, turn: &mut Turn<'_>) {
        if matches!(frame, Frame::Head(_)) {
            self.desk.names.blur();
            return self.pass(tag, &frame, turn);
        }
        let body = frame.body();
        match tag {
            b'P' => match read::parse(body) {
                Some((name, text)) => {
                    let stated = self.desk.names.stated(&self.world, text);
                    self.desk.names.parse(name, Some(stated));
                }
                None => self.desk.names.blur(),
            },
            b'B' => match read::bind(body) {
                Some((portal, statement)) => self.desk.names.bind(portal, statement),
                None => self.desk.names.blur(),
            },
            b'C' => {
                if let Some((kind, name)) = read::target(body) {
                    self.desk.names.close(kind, name);
                }
            }
            _ => {}
        }
        self.desk.pending.push(frame);
        if turn.docket.is_empty() {
            self.flush_pending(turn);
        }
    }

    /// Hands on what waited for its statement.
    pub(super) fn flush_pending(&mut self, turn: &mut Turn<'_>) {
        for frame in self.desk.pending.drain(..) {
            if let Some(reply) = frame.tag().and_then(Reply::to) {
                self.track.expect(reply, Role::own());
            }
            turn.ask(frame.bytes());
        }
    }

    fn execute(&mut self, frame: &Frame, turn: &mut Turn<'_>) {
        let stated = read::execute(frame.body()).and_then(|portal| self.desk.names.execute(portal));
        match stated {
            Some(stated) => self.judged(Asked { bytes: frame.bytes().clone(), simple: false, stated }, turn),
            None => self.pass(b'E', frame, turn),
        }
    }

    fn judged(&mut self, asked: Asked, turn: &mut Turn<'_>) {
        asked.stated.known.count.fetch_add(1, Relaxed);
        self.desk.ordinal += 1;
        if turn.docket.is_empty() {
            return self.send(&asked, Role::own(), turn);
        }
        if self.track.ahead() == b'I' {
            self.desk.transaction += 1;
        }
        let asked_before = self.desk.names.asked(asked.stated.known.shape.fingerprint.0);
        let message = Message {
            asked: asked_before,
            stated: &asked.stated,
            who: &self.me.who,
            ordinal: self.desk.ordinal,
            transaction: self.desk.transaction,
            status: self.track.ahead(),
            raises: self.world.raises(&self.me.who.user) == Some(true),
            idle: self.track.is_idle(),
            now: turn.now,
        };
        let mut verdict = judge(turn.docket, &self.world, &message);
        if verdict.is_empty() {
            return self.send(&asked, Role::own(), turn);
        }
        let ties = std::mem::take(&mut verdict.request);
        if ties.is_empty() {
            return self.carry_out(asked, verdict, turn);
        }
        let held = Held { asked, ties, verdict, since: turn.now };
        self.bell.held_until(held.until());
        self.flow.gate = Gate::Held(Box::new(held));
    }

    /// Sends a statement to the server; its replies belong to `role`.
    pub(super) fn send(&mut self, asked: &Asked, role: Role, turn: &mut Turn<'_>) {
        self.flush_pending(turn);
        self.track.expect(if asked.simple { Reply::Query } else { Reply::Execute }, role);
        turn.ask(&asked.bytes);
        for statement in &asked.stated.known.shape.statements {
            match statement.effect {
                Effect::Open => self.track.foresee(b'T'),
                Effect::Close => self.track.foresee(b'I'),
                Effect::Stay => {}
            }
        }
    }

    fn sync(&mut self, frame: &Frame, turn: &mut Turn<'_>) {
        self.flush_pending(turn);
        self.sleep_now(turn);
        let then = match (self.desk.cut.take(), std::mem::take(&mut self.desk.rollback)) {
            (Some(death), _) => Then::Cut(death),
            (None, true) => Then::Rollback,
            (None, false) => Then::Nothing,
        };
        let show = if matches!(then, Then::Cut(_)) { Show::Nothing } else { Show::All };
        let is_script = !matches!(then, Then::Nothing);
        self.track.expect(Reply::Sync, Role::of(show, then));
        turn.ask(frame.bytes());
        if is_script {
            self.flow.gate = Gate::Waiting;
        } else {
            self.tidy(turn);
        }
    }

    /// Closes the statements that were made in secret.
    fn tidy(&mut self, turn: &mut Turn<'_>) {
        if self.desk.litter.is_empty() {
            return;
        }
        for name in self.desk.litter.drain(..) {
            self.track.expect(Reply::Close, Role::of(Show::Nothing, Then::Nothing));
            turn.ask(&write::close(&name));
        }
        self.track.expect(Reply::Sync, Role::of(Show::Nothing, Then::Nothing));
        turn.ask(&write::sync());
    }

    /// After an answer of our own, the client's messages up to its `Sync` are dropped, as a server does.
    fn skip(&mut self, frame: &Frame, turn: &mut Turn<'_>) {
        match frame.tag() {
            Some(b'S') => {
                turn.tell(&write::ready(b'I'));
                self.flow.gate = Gate::Open;
            }
            Some(b'X') => turn.ask(frame.bytes()),
            _ => {}
        }
    }

    /// Whether the role may raise must be known, is not, and may be asked now.
    fn must_probe(&self, docket: &mut Docket) -> bool {
        !docket.is_empty()
            && self.track.is_idle()
            && self.desk.pending.is_empty()
            && self.world.raises(&self.me.who.user).is_none()
            && docket.cases().any(|case| match case.rule() {
                Some(Rule::Postgres(rule)) => !matches!(rule.act, Act::Cap { .. } | Act::Kill { .. }),
                _ => false,
            })
    }
}
