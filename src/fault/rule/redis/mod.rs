//! Redis: a command is judged when it is there, and every reply goes to its command, in order.
//!
//! Pure. Where a transaction is open the server fails a command, or nobody does. Not here: which arguments are keys
//! (`wire::redis`), what becomes of a command (`judge`), of a reply (`slot`).

mod judge;
mod slot;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use bytes::Bytes;

use super::shared::Seat;
use super::{Docket, Heard, Post, Speaker};
use crate::fault::parcel::{Close, Signal, Way};
use crate::fault::snapshot::FaultId;
use crate::plan::fault::rule::redis::Act;
use crate::plan::fault::rule::{Rule, Tls};
use crate::wire::redis::{Command, CommandPart, Commands, Kind, Raw, Replies, ReplyPart, turns_to_bytes};
use judge::{Judged, Transaction};
use slot::{Does, Slot};

/// One connection that carries commands.
#[derive(Debug)]
pub(super) struct Redis {
    tls: Tls,
    commands: Commands,
    replies: Replies,
    /// One for each command whose reply is not whole yet, in order.
    slots: VecDeque<Slot>,
    ordinal: u64,
    transaction: Transaction,
    /// The rest of the long command that is being read does not go to the server.
    unsent: bool,
    /// What is being read comes by itself, and has no slot.
    pushed: bool,
    /// Places under caps on connections; `None`: this one has none, and needs none.
    seats: Vec<(FaultId, Option<Seat>)>,
    age: Age,
}

/// How far the connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    /// Nothing was heard of it yet.
    New,
    Open,
    /// The client has closed: nothing is held any more.
    Closing,
}

impl Redis {
    pub(super) fn new(tls: Tls) -> Self {
        Self {
            tls,
            commands: Commands::default(),
            replies: Replies::default(),
            slots: VecDeque::new(),
            ordinal: 0,
            transaction: Transaction::None,
            unsent: false,
            pushed: false,
            seats: Vec::new(),
            age: Age::New,
        }
    }

    // ── commands ──

    fn asked(&mut self, mut input: Bytes, docket: &mut Docket, post: &mut Post) {
        while let Some(part) = self.commands.next(&mut input) {
            match part {
                CommandPart::Command(command) => self.command(&command, docket, post),
                CommandPart::Rest(_) if self.unsent => {}
                CommandPart::Rest(bytes) | CommandPart::Nothing(bytes) => post.send(Way::Up, Signal::Data(bytes)),
                CommandPart::End => self.unsent = false,
                CommandPart::Raw(bytes) => self.stranger(bytes, docket, post),
            }
        }
    }

    /// Bytes of the client that are not read.
    fn stranger(&mut self, bytes: Bytes, docket: &mut Docket, post: &mut Post) {
        match self.commands.raw() {
            Some(Raw::Tls) if self.tls == Tls::Refuse => post.cut(Way::Down, Close::Fin),
            Some(Raw::Agreed) => post.send(Way::Up, Signal::Data(bytes)),
            _ => {
                docket.lose();
                post.send(Way::Up, Signal::Data(bytes));
            }
        }
        self.settle(post);
    }

    fn command(&mut self, command: &Command, docket: &mut Docket, post: &mut Post) {
        self.ordinal += 1;
        let unit = (self.ordinal, self.transaction);
        let Judged { bytes, mut holds, slot } = judge::judge(command, unit, docket, post.now());
        if self.age == Age::Closing {
            holds.clear();
        }
        self.unsent = !command.is_whole && bytes.is_none();
        if let Some(bytes) = bytes {
            self.transaction = self.transaction.after(command);
            post.held(Way::Up, Signal::Data(bytes), &holds);
            if turns_to_bytes(&command.args) && slot.is_plain() && !self.transaction.is_open() {
                docket.lose();
                self.commands.turn_raw(Raw::Agreed);
                // Its reply is the first of what is not read.
                self.settle(post);
                return;
            }
        }
        self.slots.push_back(slot);
        self.settle(post);
    }

    // ── replies ──

    fn answered(&mut self, mut input: Bytes, docket: &mut Docket, post: &mut Post) {
        while let Some(part) = self.replies.next(&mut input) {
            match part {
                ReplyPart::Begin(kind) => self.pushed = kind == Kind::Push,
                ReplyPart::Bytes(bytes) => match self.slots.front_mut() {
                    Some(slot) if !self.pushed => slot.reply(bytes, post),
                    _ => post.send(Way::Down, Signal::Data(bytes)),
                },
                ReplyPart::End if self.pushed => self.pushed = false,
                ReplyPart::End => {
                    if let Some(slot) = self.slots.pop_front() {
                        slot.end(post);
                    }
                    self.settle(post);
                }
                ReplyPart::Raw(bytes) => {
                    self.strange_reply(docket, post);
                    post.send(Way::Down, Signal::Data(bytes));
                }
            }
        }
    }

    fn strange_reply(&mut self, docket: &mut Docket, post: &mut Post) {
        if self.commands.raw().is_some() {
            return;
        }
        docket.lose();
        let begun = self.commands.turn_raw(Raw::Unparsed);
        if !begun.is_empty() {
            post.send(Way::Up, Signal::Data(begun));
        }
        if self.slots.iter().any(|slot| matches!(slot.does, Does::Made(_))) {
            // The place of a reply of ours cannot be found any more.
            post.cut(Way::Down, Close::Fin);
        }
    }

    /// Sends the replies made here whose turn has come.
    fn settle(&mut self, post: &mut Post) {
        while let Some(Slot { does: Does::Made(bytes), .. }) = self.slots.front_mut() {
            post.send(Way::Down, Signal::Data(std::mem::take(bytes)));
            self.slots.pop_front();
        }
        if self.slots.is_empty() && self.commands.raw().is_some() && self.replies.is_between() {
            self.replies.turn_raw(Raw::Agreed);
        }
    }

    /// Takes a place under each cap on connections. A new connection that finds none is refused as the server would.
    fn sit(&mut self, docket: &mut Docket, post: &mut Post) {
        let is_new = self.age == Age::New;
        self.age = if is_new { Age::Open } else { self.age };
        let faults: Vec<FaultId> = docket.faults().collect();
        self.seats.retain(|(fault, _)| faults.contains(fault));
        for case in docket.cases() {
            let Some(Rule::Redis(rule)) = case.rule() else { continue };
            let Act::Cap(limit) = rule.act else { continue };
            if self.seats.iter().any(|(fault, _)| *fault == case.fault()) {
                continue;
            }
            let seat = case.shared().seat(if is_new { limit } else { u64::MAX });
            if seat.is_none() && case.judge(&case.unit(0), post.now(), None).is_some() {
                let refusal = Bytes::from_static(b"-ERR max number of clients reached\r\n");
                post.send(Way::Down, Signal::Data(refusal));
                post.cut(Way::Down, Close::Fin);
            }
            self.seats.push((case.fault(), seat));
        }
    }

    fn ended(&mut self, way: Way, post: &mut Post) {
        let begun = if way == Way::Up { self.commands.finish() } else { self.replies.finish() };
        if let Some(begun) = begun {
            post.send(way, Signal::Data(begun));
        }
        if way == Way::Up {
            self.age = Age::Closing;
            self.slots.iter_mut().for_each(|slot| slot.hits.clear());
            post.release();
        }
        post.send(way, Signal::Fin);
    }
}

impl Speaker for Redis {
    fn hear(&mut self, heard: Heard, docket: &mut Docket, post: &mut Post) {
        match heard {
            Heard::From(Way::Up, Signal::Data(bytes)) => self.asked(bytes, docket, post),
            Heard::From(Way::Down, Signal::Data(bytes)) => self.answered(bytes, docket, post),
            Heard::From(way, _) => self.ended(way, post),
            Heard::Woken => self.sit(docket, post),
        }
    }

    fn unread(&self, way: Way) -> u64 {
        match way {
            Way::Up if self.unsent => 0,
            Way::Up => self.commands.unread(),
            Way::Down if self.pushed || self.slots.front().is_none_or(Slot::is_plain) => self.replies.unread(),
            Way::Down => 0,
        }
    }

    fn passed(&mut self, way: Way, n: u64) {
        match way {
            Way::Up => self.commands.passed(n),
            Way::Down => self.replies.passed(n),
        }
    }
}
