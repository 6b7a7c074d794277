//! What the server says: every reply belongs to the first slot, and the slot knows who sees it and what follows.
//!
//! Pure. Not here: how slots come about (`client`, `act`), the time before the first `ReadyForQuery` (`door`).

use bytes::BytesMut;

use super::Postgres;
use super::act::seconds;
use super::judge::Tied;
use super::script::{Role, Show, Then};
use super::state::{Doom, Gate};
use super::turn::Turn;
use crate::fault::rule::Hold;
use crate::wire::postgres::frame::Frame;
use crate::wire::postgres::track::{Heard, Reply, Slot};
use crate::wire::postgres::{read, write};

impl Postgres {
    /// One message of the server, or a part of a long one.
    pub(super) fn heed(&mut self, frame: &Frame, turn: &mut Turn<'_>) {
        let Some(tag) = frame.tag() else {
            if self.flow.showing {
                self.tell(frame, turn);
            }
            return;
        };
        match self.track.hear(frame) {
            Heard::Aside => self.aside(tag, frame, turn),
            Heard::Part => self.part(tag, frame, turn),
            Heard::Done(slot) => self.done(slot, frame, turn),
            Heard::Failed(slots) => self.failed(slots, frame, turn),
            Heard::Lost => {
                self.let_go(turn);
                turn.tell(frame.bytes());
                self.blind(turn);
            }
        }
        if matches!(self.flow.gate, Gate::Waiting) && self.track.is_empty() {
            self.flow.gate = Gate::Open;
        }
    }

    /// To the client, unless a completion is kept: then behind it.
    fn tell(&mut self, frame: &Frame, turn: &mut Turn<'_>) {
        match &mut self.flow.kept {
            Some(kept) => kept.extend_from_slice(frame.bytes()),
            None => turn.tell(frame.bytes()),
        }
    }

    /// What was kept goes on.
    pub(super) fn let_go(&mut self, turn: &mut Turn<'_>) {
        if let Some(kept) = self.flow.kept.take() {
            turn.tell(&kept);
        }
    }

    fn aside(&mut self, tag: u8, frame: &Frame, turn: &mut Turn<'_>) {
        let secret = self.track.first().is_some_and(|slot| slot.role.show != Show::All);
        if tag == b'S'
            && let Some(("application_name", value)) = read::parameter(frame.body())
        {
            value.clone_into(&mut self.me.who.application);
        }
        self.flow.showing = !(secret && tag == b'N');
        if self.flow.showing {
            self.tell(frame, turn);
        }
    }

    fn part(&mut self, tag: u8, frame: &Frame, turn: &mut Turn<'_>) {
        let Some(slot) = self.track.first() else { return };
        let role = &mut slot.role;
        let (sleeps, wakes) = (matches!(role.then, Then::Sleep(_)), role.is_sleep());
        role.failed |= tag == b'E';
        if tag == b'D'
            && let Then::Probe(raises) = &mut role.then
        {
            *raises = read::first_column(frame.body()) == Some(b"t");
        }
        self.flow.showing = match role.show {
            Show::All => true,
            Show::Errors => tag == b'E',
            Show::Nothing | Show::Ready => false,
        };
        let response = if self.flow.showing { std::mem::take(&mut role.response) } else { Vec::new() };
        let stalls = match &mut role.stall {
            Some((after, _)) if tag == b'D' && *after > 0 => {
                *after -= 1;
                None
            }
            Some((0, _)) if tag == b'D' => role.stall.take(),
            _ => None,
        };
        if tag == b'E' && wakes {
            // The sleep was cancelled, and the transaction with it: the completion is no longer true.
            self.flow.kept = None;
        } else if tag == b'E' && sleeps {
            self.let_go(turn);
        } else if matches!(tag, b'C' | b'I') && sleeps && self.flow.kept.is_none() {
            self.flow.kept = Some(BytesMut::new());
        }
        self.hold(response.into_iter().chain(stalls.map(|(_, tied)| tied)).collect(), turn);
        if self.flow.showing {
            self.tell(frame, turn);
        }
    }

    /// What is told from here on waits.
    fn hold(&mut self, ties: Vec<Tied>, turn: &mut Turn<'_>) {
        // Nobody waits any more where the client has left.
        if ties.is_empty() || self.flow.left {
            return;
        }
        let until = turn.now + ties.iter().map(|tied| tied.time).sum();
        turn.stall(ties.iter().map(|tied| Hold::new(&tied.hit)).collect());
        self.bell.held_until(until);
        self.flow.held.extend(ties.into_iter().map(|tied| (until, tied)));
    }

    fn done(&mut self, slot: Slot<Role>, frame: &Frame, turn: &mut Turn<'_>) {
        let Slot { reply, role: Role { show, then, failed, response, .. } } = slot;
        let settled = reply.is_ready();
        self.flow.showing = match show {
            Show::All => true,
            Show::Errors => failed && settled,
            Show::Nothing => false,
            Show::Ready => settled,
        };
        match then {
            Then::Rollback if self.track.status() != b'I' => {
                self.track.expect(Reply::Query, Role::of(Show::Ready, Then::Nothing));
                turn.ask(&write::query("ROLLBACK"));
                return;
            }
            Then::Keep => self.flow.kept = self.flow.kept.take().or_else(|| Some(BytesMut::new())),
            Then::Sleep(ties) => return self.then_sleep(ties, failed, frame, turn),
            Then::Wake(ties) if matches!(reply, Reply::Execute | Reply::Query) => {
                self.flow.showing = failed && settled;
                self.let_go(turn);
                for tied in &ties {
                    turn.docket.realised(tied.hit.fault(), tied.time);
                }
            }
            Then::Send(waiting) if !failed => {
                let (asked, verdict, _) = *waiting;
                self.carry_out(asked, verdict, turn);
                return;
            }
            Then::Cut(death) => return self.end(&Doom::of(death), turn),
            Then::Probe(raises) => self.world.learned(&self.me.who.user, raises && !failed),
            Then::Nothing | Then::Rollback | Then::Wake(_) | Then::Send(_) => {}
        }
        if self.flow.showing {
            self.hold(response, turn);
            self.tell(frame, turn);
        }
    }

    /// The statement is done, and its completion kept: now the server sleeps, if the transaction still stands.
    fn then_sleep(&mut self, ties: Vec<Tied>, failed: bool, frame: &Frame, turn: &mut Turn<'_>) {
        if failed || self.track.status() != b'T' || self.flow.kept.is_none() {
            self.let_go(turn);
            return turn.tell(frame.bytes());
        }
        self.tell(frame, turn);
        turn.ask(&write::query(&write::sleep(seconds(&ties))));
        self.track.expect(Reply::Query, Role::of(Show::Errors, Then::Wake(ties)));
    }

    /// An error ended an extended message: everything up to the next `Sync` is skipped.
    fn failed(&mut self, slots: Vec<Slot<Role>>, frame: &Frame, turn: &mut Turn<'_>) {
        self.desk.sleep.clear();
        let Some(first) = slots.into_iter().next() else { return };
        if first.role.is_sleep() {
            self.flow.kept = None;
        } else {
            self.let_go(turn);
        }
        self.flow.showing = matches!(first.role.show, Show::All | Show::Errors);
        if self.flow.showing {
            self.hold(first.role.response, turn);
            turn.tell(frame.bytes());
        }
    }
}
