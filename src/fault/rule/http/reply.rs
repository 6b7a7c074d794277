//! The answer of the server that is on its way to the client, and what becomes of it.
//!
//! Pure. Content is counted in bytes of the content itself, whatever frames it. Not here: whose answer it is (`http`).

use bytes::Bytes;

use super::answer::{After, Answer};
use crate::fault::parcel::{Close, Signal, Way};
use crate::fault::rule::{Hit, Hold, Post};
use crate::plan::fault::rule::Place;
use crate::plan::fault::rule::http::Act;
use crate::wire::http1::{Edit, Head, Length};

/// How the answer passes.
#[derive(Debug, Default)]
pub(super) struct Reply {
    /// Content that has come.
    seen: u64,
    /// Where something happens, in order of place.
    marks: Vec<Mark>,
    pass: Pass,
    /// An answer before the answer: it ends nothing.
    interim: bool,
    /// What the next bytes wait for.
    waits: Vec<Hit>,
    /// Active until the answer is whole.
    hits: Vec<Hit>,
    /// The connection ends behind it.
    is_last: bool,
}

#[derive(Debug)]
struct Mark {
    at: u64,
    hit: Hit,
    does: Does,
}

#[derive(Clone, Copy, Debug)]
enum Does {
    /// What follows waits.
    Hold,
    /// What follows is left out.
    Stop,
    /// The connection ends.
    Cut(Close),
}

/// What passes of the bytes that come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pass {
    /// As they are.
    #[default]
    Plain,
    /// Content in chunks of our own.
    Chunks,
    /// Nothing.
    Nothing,
    /// Nothing more, and the last chunk is said at the end.
    LastChunk,
}

impl Reply {
    /// The answer with `head` to `request` begins: what is due to its head happens now.
    pub(super) fn begin(
        (head, request): (&Head, &Head),
        acts: Vec<(Hit, Act)>,
        mut edits: Vec<Edit>,
        post: &mut Post,
    ) -> Self {
        let mut reply = Self::default();
        let (mut holds, mut answer) = (Vec::new(), None);
        for (hit, act) in acts {
            match &act {
                Act::Delay(hold) => match hold.place {
                    Place::Body(at) => {
                        reply.mark(at, hit, Does::Hold);
                        continue;
                    }
                    Place::Request | Place::Response | Place::Server => holds.push(Hold::new(&hit)),
                },
                Act::Abort { .. } => {
                    let ends = !head.keeps_alive() || matches!(head.length, Length::UntilEnd | Length::Tunnel);
                    let after = if ends || !request.keeps_alive() { After::End } else { After::More };
                    answer.get_or_insert_with(|| Answer::made(&act, request, after));
                }
                Act::Truncate { after } => {
                    reply.truncate(*after, head, hit, &mut edits);
                    continue;
                }
                Act::Drop { after, close } => {
                    reply.mark(*after, hit, Does::Cut((*close).into()));
                    continue;
                }
                Act::Rewrite { response, .. } => edits.extend_from_slice(response),
            }
            reply.hits.push(hit);
        }
        let bytes = match answer {
            Some(answer) => {
                reply.pass = Pass::Nothing;
                reply.marks.clear();
                reply.is_last = answer.is_last;
                answer.bytes
            }
            None if edits.is_empty() => head.bytes.clone(),
            None => head.edited(&edits),
        };
        post.held(Way::Down, Signal::Data(bytes), &holds);
        if reply.is_last {
            post.cut(Way::Down, Close::Fin);
        }
        reply.reach(post);
        reply
    }

    /// An interim answer begins.
    pub(super) fn interim(&mut self) {
        self.interim = true;
    }

    /// True when the rest passes as it comes.
    pub(super) fn is_plain(&self) -> bool {
        self.pass == Pass::Plain && self.marks.is_empty()
    }

    /// Content.
    pub(super) fn body(&mut self, mut bytes: Bytes, post: &mut Post) {
        while !bytes.is_empty() {
            self.reach(post);
            let until = self.marks.first().map_or(u64::MAX, |mark| mark.at - self.seen);
            let n = usize::try_from(until).unwrap_or(usize::MAX).min(bytes.len());
            let piece = bytes.split_to(n);
            self.seen += n as u64;
            match self.pass {
                Pass::Plain => self.let_out(piece, post),
                Pass::Chunks => {
                    let mut chunk = format!("{n:x}\r\n").into_bytes();
                    chunk.extend_from_slice(&piece);
                    chunk.extend_from_slice(b"\r\n");
                    self.let_out(chunk.into(), post);
                }
                Pass::Nothing | Pass::LastChunk => {}
            }
        }
        self.reach(post);
    }

    /// What frames content.
    pub(super) fn frame(&mut self, bytes: Bytes, post: &mut Post) {
        if self.pass == Pass::Plain {
            self.let_out(bytes, post);
        }
    }

    /// Bytes that are not read.
    pub(super) fn raw(&mut self, bytes: Bytes, post: &mut Post) {
        if self.pass == Pass::Plain {
            post.send(Way::Down, Signal::Data(bytes));
        }
    }

    /// The answer is whole; true when it was the answer to the request.
    pub(super) fn end(&mut self, post: &mut Post) -> bool {
        if std::mem::take(&mut self.interim) {
            return false;
        }
        if matches!(self.pass, Pass::Chunks | Pass::LastChunk) {
            self.let_out(Bytes::from_static(b"0\r\n\r\n"), post);
        }
        *self = Self::default();
        true
    }

    fn let_out(&mut self, bytes: Bytes, post: &mut Post) {
        let mut holds = Vec::new();
        for hit in self.waits.drain(..) {
            holds.push(Hold::new(&hit));
            self.hits.push(hit);
        }
        post.held(Way::Down, Signal::Data(bytes), &holds);
    }

    fn mark(&mut self, at: u64, hit: Hit, does: Does) {
        let place = self.marks.partition_point(|mark| mark.at <= at);
        self.marks.insert(place, Mark { at, hit, does });
    }

    /// Everything happens whose place has been reached.
    fn reach(&mut self, post: &mut Post) {
        while self.marks.first().is_some_and(|mark| mark.at <= self.seen) {
            let Mark { hit, does, .. } = self.marks.remove(0);
            match does {
                Does::Hold => {
                    self.waits.push(hit);
                    continue;
                }
                Does::Stop => {
                    self.pass = if self.pass == Pass::Chunks { Pass::LastChunk } else { Pass::Nothing };
                }
                Does::Cut(how) => {
                    hit.cut();
                    post.cut(Way::Down, how);
                    self.pass = Pass::Nothing;
                }
            }
            self.hits.push(hit);
        }
    }

    /// Less content in a correct frame.
    fn truncate(&mut self, after: u64, head: &Head, hit: Hit, edits: &mut Vec<Edit>) {
        match head.length {
            Length::Counted(n) if n > after => {
                edits.push(Edit::Set("content-length".to_owned(), after.to_string()));
            }
            Length::Chunked => self.pass = Pass::Chunks,
            _ => {}
        }
        self.mark(after, hit, Does::Stop);
    }
}

/// True when `act` can do what it says to an answer with `head`: content must be there to be held or cut.
pub(super) fn can(act: &Act, head: &Head) -> bool {
    let at = match act {
        Act::Delay(hold) => match hold.place {
            Place::Body(at) => at,
            Place::Request | Place::Response | Place::Server => return true,
        },
        Act::Truncate { after } | Act::Drop { after, .. } => *after,
        Act::Abort { .. } | Act::Rewrite { .. } => return true,
    };
    match head.length {
        Length::None | Length::Tunnel => false,
        Length::Counted(n) => n > at,
        Length::Chunked | Length::UntilEnd => true,
    }
}
