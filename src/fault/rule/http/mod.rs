//! HTTP/1.1: requests are judged when their head is whole, and answers take their place in the order of the requests.
//!
//! Pure. Not here: which requests a rule concerns (`only`), what becomes of an answer (`reply`), framing (`wire::http1`).

mod answer;
mod only;
mod reply;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use bytes::Bytes;

use super::docket::Case;
use super::{Docket, Heard, Hit, Hold, Post, Speaker};
use crate::base::clock::Tick;
use crate::fault::decide::{Trace, Unit};
use crate::fault::parcel::{Close, Signal, Way};
use crate::plan::fault::rule::http::{Act, Http as Kind, Reach};
use crate::plan::fault::rule::{Place, Rule, Tls};
use crate::wire::http1::{Edit, Framer, Head, Length, Part, Raw, Side};
use answer::{After, Answer};
use reply::Reply;

/// One connection that carries HTTP/1.1.
#[derive(Debug)]
pub(super) struct Http {
    tls: Tls,
    requests: Framer,
    responses: Framer,
    /// One for each request whose answer is not whole yet, in order.
    slots: VecDeque<Slot>,
    /// The content of the request that is being read does not go to the server.
    unsent: bool,
    /// The answer that is being read.
    reply: Reply,
    ordinal: u64,
    /// The client has closed: nothing is held any more.
    closing: bool,
}

/// The place of one answer.
#[derive(Debug)]
struct Slot {
    request: Head,
    ordinal: u64,
    /// Made here; else the server's.
    answer: Option<Answer>,
    /// Changes of the server's answer that were decided with the request.
    rewrites: Vec<Edit>,
    /// Active until the answer is whole.
    hits: Vec<Hit>,
}

impl Http {
    pub(super) fn new(tls: Tls) -> Self {
        Self {
            tls,
            requests: Framer::new(Side::Requests),
            responses: Framer::new(Side::Responses),
            slots: VecDeque::new(),
            unsent: false,
            reply: Reply::default(),
            ordinal: 0,
            closing: false,
        }
    }

    // ── requests ──

    fn asked(&mut self, mut input: Bytes, docket: &mut Docket, post: &mut Post) {
        while let Some(part) = self.requests.next(&mut input, None) {
            match part {
                Part::Head(head) => self.request(head, docket, post),
                Part::Body(bytes) | Part::Frame(bytes) if !self.unsent => post.send(Way::Up, Signal::Data(bytes)),
                Part::Body(_) | Part::Frame(_) => {}
                Part::End => self.unsent = false,
                Part::Raw(bytes) => self.stranger(bytes, docket, post),
            }
        }
    }

    /// Bytes of the client that are not read.
    fn stranger(&mut self, bytes: Bytes, docket: &mut Docket, post: &mut Post) {
        match self.requests.raw() {
            Some(Raw::Tls) if self.tls == Tls::Refuse => post.cut(Way::Down, Close::Fin),
            Some(Raw::Agreed) => post.send(Way::Up, Signal::Data(bytes)),
            _ => {
                docket.lose();
                post.send(Way::Up, Signal::Data(bytes));
            }
        }
        self.settle(post);
    }

    fn request(&mut self, head: Head, docket: &mut Docket, post: &mut Post) {
        self.ordinal += 1;
        let mut slot =
            Slot { ordinal: self.ordinal, answer: None, rewrites: Vec::new(), hits: Vec::new(), request: head };
        let (mut holds, mut edits) = (Vec::new(), Vec::new());
        for case in docket.cases() {
            let Some((kind, hit)) = judged(case, &slot, Moment::Request, post.now()) else { continue };
            match &kind.act {
                Act::Delay(_) => holds.push(Hold::new(&hit)),
                Act::Rewrite { request, response } => {
                    edits.extend_from_slice(request);
                    slot.rewrites.extend_from_slice(response);
                }
                act => slot.answer = Some(Answer::made(act, &slot.request, after(&slot.request))),
            }
            slot.hits.push(hit);
            if slot.answer.is_some() {
                break;
            }
        }
        self.unsent = slot.answer.is_some() && slot.request.length != Length::None;
        if slot.answer.is_none() {
            let bytes = if edits.is_empty() { slot.request.bytes.clone() } else { slot.request.edited(&edits) };
            post.held(Way::Up, Signal::Data(bytes), if self.closing { &[] } else { &holds });
        } else if slot.request.length == Length::Tunnel {
            // The client asked for a tunnel and gets none: what follows is another request.
            self.requests = Framer::new(Side::Requests);
            self.unsent = false;
        }
        self.slots.push_back(slot);
        self.settle(post);
    }

    // ── answers ──

    fn answered(&mut self, mut input: Bytes, docket: &mut Docket, post: &mut Post) {
        while let Some(part) = self.next_answer(&mut input) {
            match part {
                Part::Head(head) => self.response(head, docket, post),
                Part::Body(bytes) => self.reply.body(bytes, post),
                Part::Frame(bytes) => self.reply.frame(bytes, post),
                Part::End => {
                    if self.reply.end(post) {
                        self.slots.pop_front();
                        self.settle(post);
                    }
                }
                Part::Raw(bytes) => self.strange_answer(bytes, docket, post),
            }
        }
    }

    fn next_answer(&mut self, input: &mut Bytes) -> Option<Part> {
        self.responses.next(input, self.slots.front().map(|slot| slot.request.method()))
    }

    fn response(&mut self, head: Head, docket: &mut Docket, post: &mut Post) {
        if head.status == 101 || head.length == Length::Tunnel {
            let begun = self.requests.turn_raw(Raw::Agreed);
            if !begun.is_empty() {
                post.send(Way::Up, Signal::Data(begun));
            }
        }
        let Some(slot) = self.slots.front_mut() else {
            post.send(Way::Down, Signal::Data(head.bytes));
            return;
        };
        if head.status < 200 && head.status != 101 {
            self.reply.interim();
            post.send(Way::Down, Signal::Data(head.bytes));
            return;
        }
        let mut acts = Vec::new();
        for case in docket.cases() {
            acts.extend(judged(case, slot, Moment::Response(&head), post.now()).map(|(kind, hit)| (hit, kind.act)));
        }
        self.reply = Reply::begin((&head, &slot.request), acts, std::mem::take(&mut slot.rewrites), post);
        if head.length == Length::Tunnel {
            self.slots.clear();
        }
    }

    /// Bytes of the server that are not read.
    fn strange_answer(&mut self, bytes: Bytes, docket: &mut Docket, post: &mut Post) {
        if self.responses.raw() != Some(Raw::Agreed) {
            docket.lose();
            let begun = self.requests.turn_raw(Raw::Unparsed);
            if !begun.is_empty() {
                post.send(Way::Up, Signal::Data(begun));
            }
        }
        self.reply.raw(bytes, post);
        if self.slots.iter().any(|slot| slot.answer.is_some()) {
            // The place of an answer of ours cannot be found any more.
            post.cut(Way::Down, Close::Fin);
        }
    }

    /// Sends the answers made here whose turn has come.
    fn settle(&mut self, post: &mut Post) {
        while let Some(answer) = self.slots.front_mut().and_then(|slot| slot.answer.take()) {
            post.send(Way::Down, Signal::Data(answer.bytes));
            if answer.is_last {
                post.cut(Way::Down, Close::Fin);
            }
            self.slots.pop_front();
        }
        // Nothing that could be read is on the way.
        if self.slots.is_empty()
            && matches!(self.requests.raw(), Some(Raw::Unparsed | Raw::Tls))
            && self.responses.is_between()
        {
            self.responses.turn_raw(Raw::Unparsed);
        }
    }

    fn ended(&mut self, way: Way, post: &mut Post) {
        let framer = if way == Way::Up { &mut self.requests } else { &mut self.responses };
        if let Some(begun) = framer.finish() {
            post.send(way, Signal::Data(begun));
        }
        if way == Way::Up {
            self.closing = true;
            // Nobody waits any more: what they hold is free for others.
            self.slots.iter_mut().for_each(|slot| slot.hits.clear());
            post.release();
        }
        post.send(way, Signal::Fin);
    }
}

impl Speaker for Http {
    fn hear(&mut self, heard: Heard, docket: &mut Docket, post: &mut Post) {
        match heard {
            Heard::From(Way::Up, Signal::Data(bytes)) => self.asked(bytes, docket, post),
            Heard::From(Way::Down, Signal::Data(bytes)) => self.answered(bytes, docket, post),
            Heard::From(way, _) => self.ended(way, post),
            Heard::Woken => {}
        }
    }

    fn unread(&self, way: Way) -> u64 {
        match way {
            Way::Up if self.unsent => 0,
            Way::Up => self.requests.unread(),
            Way::Down if self.reply.is_plain() => self.responses.unread(),
            Way::Down => 0,
        }
    }

    fn passed(&mut self, way: Way, n: u64) {
        match way {
            Way::Up => self.requests.passed(n),
            Way::Down => self.responses.passed(n),
        }
    }
}

/// When a rule is judged: once for each message, as soon as all it asks for is known.
#[derive(Clone, Copy, Debug)]
enum Moment<'a> {
    /// The request is there.
    Request,
    /// The head of its answer is there.
    Response(&'a Head),
}

/// What `case` does to the request of `slot` at this moment, if it concerns it and hits it.
fn judged(case: &Case, slot: &Slot, moment: Moment<'_>, now: Tick) -> Option<(Kind, Hit)> {
    let Some(Rule::Http(kind)) = case.rule() else { return None };
    let timely = match moment {
        Moment::Request => !waits_for_answer(kind),
        Moment::Response(head) => {
            let wanted = kind.only.status.is_empty() || only::has_status(&kind.only, head.status);
            waits_for_answer(kind) && wanted && reply::can(&kind.act, head)
        }
    };
    if !timely || !only::concerns(&kind.only, &slot.request, case.name()) {
        return None;
    }
    let time = match &kind.act {
        Act::Delay(hold) => Some(&hold.time),
        _ => None,
    };
    let trace = slot.request.values("traceparent").next().and_then(Trace::parse);
    let unit = Unit { trace, ..case.unit(slot.ordinal) };
    case.judge(&unit, now, time).map(|hit| (kind.as_ref().clone(), hit))
}

/// True when the rule acts on the answer, or asks for its status.
fn waits_for_answer(kind: &Kind) -> bool {
    let request = match &kind.act {
        Act::Delay(hold) => hold.place == Place::Request,
        Act::Abort { reach, .. } => *reach == Reach::Never,
        Act::Rewrite { request, .. } => !request.is_empty(),
        Act::Truncate { .. } | Act::Drop { .. } => false,
    };
    !request || !kind.only.status.is_empty()
}

/// Whether the connection can carry on after an answer that the server knows nothing of.
fn after(request: &Head) -> After {
    // A client that waits for `100 Continue` may send the content after all, or not: nobody can tell.
    let in_doubt = request.length != Length::None && request.lists("expect", "100-continue");
    if request.keeps_alive() && !in_doubt { After::More } else { After::End }
}
