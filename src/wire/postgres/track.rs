//! Which replies a connection still owes, in order, and the transaction that its server last reported.
//!
//! One FIFO: every message of the client that is answered takes a slot, and what the server says belongs to the first of
//! them. An error skips to the next `Sync`, as the server does. `R` is what the owner wants to know of a slot again.
//! Pure. Not here: which replies are shown (`fault::rule::postgres`).

use std::collections::VecDeque;

use super::frame::Frame;
use super::read;

/// What a message of the client is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Rows, completions and errors up to `ReadyForQuery`.
    Query,
    /// `ParseComplete`.
    Parse,
    /// `BindComplete`.
    Bind,
    /// Descriptions; those of a statement begin with its parameters.
    Describe,
    /// Rows, then one completion.
    Execute,
    /// `CloseComplete`.
    Close,
    /// `ReadyForQuery`.
    Sync,
    /// `FunctionCallResponse`, then `ReadyForQuery`.
    Function,
}

impl Reply {
    /// The reply that a message of type `tag` asks for; `None` for one that is not answered.
    pub fn to(tag: u8) -> Option<Self> {
        Some(match tag {
            b'Q' => Self::Query,
            b'P' => Self::Parse,
            b'B' => Self::Bind,
            b'D' => Self::Describe,
            b'E' => Self::Execute,
            b'C' => Self::Close,
            b'S' => Self::Sync,
            b'F' => Self::Function,
            _ => return None,
        })
    }

    /// It ends with `ReadyForQuery`.
    pub fn is_ready(self) -> bool {
        matches!(self, Self::Query | Self::Sync | Self::Function)
    }
}

/// A reply that is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot<R> {
    /// What it consists of.
    pub reply: Reply,
    /// Whose it is.
    pub role: R,
}

/// To which slot a message of the server belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard<R> {
    /// To none: a notice, a notification, a parameter, a last word.
    Aside,
    /// To the first slot, which goes on.
    Part,
    /// To this slot, which it ends.
    Done(Slot<R>),
    /// An error ends the first slot here and everything up to the next `Sync`.
    Failed(Vec<Slot<R>>),
    /// Rows of bytes in both directions from here on, or a message that nothing explains: nothing can be followed any more.
    Lost,
}

/// The replies that a connection owes.
#[derive(Debug)]
pub struct Track<R> {
    slots: VecDeque<Slot<R>>,
    /// Of the last `ReadyForQuery`.
    status: u8,
    /// What the status will be when all that is under way succeeds.
    ahead: u8,
    /// The server skips everything up to the next `Sync`.
    skipping: bool,
    /// The server takes rows of bytes and no `Sync`.
    copying: bool,
}

impl<R> Default for Track<R> {
    fn default() -> Self {
        Self { slots: VecDeque::new(), status: b'I', ahead: b'I', skipping: false, copying: false }
    }
}

impl<R> Track<R> {
    /// A message that is answered goes to the server.
    pub fn expect(&mut self, reply: Reply, role: R) {
        if self.copying {
            return;
        }
        if self.skipping {
            if reply != Reply::Sync {
                return;
            }
            self.skipping = false;
        }
        self.slots.push_back(Slot { reply, role });
    }

    /// The client has ended its rows of bytes.
    pub fn copied(&mut self) {
        self.copying = false;
    }

    /// If what is under way succeeds, the server will report `status`.
    pub fn foresee(&mut self, status: u8) {
        self.ahead = status;
    }

    /// The slot that the next message belongs to.
    pub fn first(&mut self) -> Option<&mut Slot<R>> {
        self.slots.front_mut()
    }

    /// The last `ReadyForQuery`: `I`, `T` or `E`.
    pub fn status(&self) -> u8 {
        self.status
    }

    /// The status in which a message sent now will be handled, if all before it succeeds.
    pub fn ahead(&self) -> u8 {
        self.ahead
    }

    /// Nothing is owed.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Nothing is owed that a `ReadyForQuery` will end: the server has answered all that it was asked to answer.
    pub fn is_settled(&self) -> bool {
        !self.slots.iter().any(|slot| slot.reply.is_ready())
    }

    /// Nothing is owed and no transaction is open.
    pub fn is_idle(&self) -> bool {
        self.slots.is_empty() && self.status == b'I' && !self.skipping && !self.copying
    }

    /// The server drops what it gets until the next `Sync`.
    pub fn is_skipping(&self) -> bool {
        self.skipping
    }

    /// Slots, in order.
    pub fn slots(&self) -> impl Iterator<Item = &Slot<R>> {
        self.slots.iter()
    }

    /// A whole message of the server, or the beginning of a long one.
    pub fn hear(&mut self, frame: &Frame) -> Heard<R> {
        let Some(tag) = frame.tag() else { return Heard::Part };
        if matches!(tag, b'N' | b'A' | b'S') {
            return Heard::Aside;
        }
        let Some(first) = self.slots.front().map(|slot| slot.reply) else {
            // The last word of a server that ends: an administrator's command, or a time-out.
            return if tag == b'E' { Heard::Aside } else { Heard::Lost };
        };
        match (tag, first) {
            (b'E', reply) if reply.is_ready() => Heard::Part,
            (b'E', _) => self.fail(),
            (b'Z', reply) if reply.is_ready() => self.ready(read::status(frame.body())),
            (b'1', Reply::Parse)
            | (b'2', Reply::Bind)
            | (b'3', Reply::Close)
            | (b'T' | b'n', Reply::Describe)
            | (b'C' | b'I' | b's', Reply::Execute) => self.done(),
            (b't', Reply::Describe)
            | (b'V', Reply::Function)
            | (b'C' | b'I' | b'T', Reply::Query)
            | (b'D' | b'H' | b'd' | b'c', Reply::Query | Reply::Execute) => Heard::Part,
            (b'G', Reply::Query | Reply::Execute) => {
                self.copy_in();
                Heard::Part
            }
            _ => Heard::Lost,
        }
    }

    fn done(&mut self) -> Heard<R> {
        self.slots.pop_front().map_or(Heard::Lost, Heard::Done)
    }

    fn ready(&mut self, status: Option<u8>) -> Heard<R> {
        let Some(status) = status else { return Heard::Lost };
        self.status = status;
        self.copying = false;
        let heard = self.done();
        if self.slots.is_empty() {
            self.ahead = status;
        }
        heard
    }

    fn fail(&mut self) -> Heard<R> {
        self.copying = false;
        let until = self.slots.iter().position(|slot| slot.reply == Reply::Sync);
        self.skipping = until.is_none();
        Heard::Failed(self.slots.drain(..until.unwrap_or(self.slots.len())).collect())
    }

    /// A server that takes rows of bytes ignores the `Sync`s that were sent behind the statement.
    fn copy_in(&mut self) {
        self.copying = true;
        self.slots.truncate(1);
    }
}
