//! What a server sends: replies, and pushes between them.

use bytes::{Bytes, BytesMut};

use super::{BULK, MOST, Raw, number};

/// Nesting that is followed.
const DEPTH: usize = 64;

/// What a top-level value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Answers a command.
    Reply,
    /// Answers a command, by an error.
    Error,
    /// Comes by itself (RESP3).
    Push,
}

/// Bytes of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A value begins. Carries no bytes.
    Begin(Kind),
    /// Bytes of it; a line is never torn.
    Bytes(Bytes),
    /// It is whole. Carries no bytes.
    End,
    /// Not read. Nothing else follows.
    Raw(Bytes),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before a value, at any depth.
    Value,
    /// A value begins here, of which was told.
    Told,
    /// So many bytes of a string are left.
    Bulk(u64),
    /// The top-level value is whole, which is still to be said.
    Whole,
    Raw(Raw),
}

/// Values that are left of an aggregate; attributes stand before a value and are none.
#[derive(Clone, Copy, Debug)]
struct Level {
    left: u64,
    is_attribute: bool,
}

/// The reader of one direction.
#[derive(Debug)]
pub struct Replies {
    state: State,
    levels: Vec<Level>,
    /// Inside a value that began before.
    inside: bool,
    begun: BytesMut,
}

impl Default for Replies {
    fn default() -> Self {
        Self { state: State::Value, levels: Vec::new(), inside: false, begun: BytesMut::new() }
    }
}

impl Replies {
    /// The next part of `input`; `None` when more has to come.
    pub fn next(&mut self, input: &mut Bytes) -> Option<Part> {
        match self.state {
            State::Whole => {
                (self.state, self.inside) = (State::Value, false);
                Some(Part::End)
            }
            _ if input.is_empty() => None,
            State::Raw(_) => Some(Part::Raw(input.split_off(0))),
            State::Bulk(left) => {
                let take = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                self.state = State::Bulk(left - take as u64);
                if left == take as u64 {
                    self.value_ends();
                }
                Some(Part::Bytes(input.split_to(take)))
            }
            State::Value if !self.inside && self.begun.is_empty() => {
                let kind = match input.first() {
                    Some(b'>') => Kind::Push,
                    Some(b'-' | b'!') => Kind::Error,
                    _ => Kind::Reply,
                };
                (self.state, self.inside) = (State::Told, true);
                Some(Part::Begin(kind))
            }
            State::Value | State::Told => self.line(input),
        }
    }

    /// The direction has ended: what was begun and is not whole.
    pub fn finish(&mut self) -> Option<Bytes> {
        (!self.begun.is_empty()).then(|| self.begun.split().freeze())
    }

    /// Bytes that may pass without being read, from here on.
    pub fn unread(&self) -> u64 {
        match self.state {
            State::Bulk(left) => left.saturating_sub(1),
            State::Raw(_) => u64::MAX,
            _ => 0,
        }
    }

    /// `n` bytes of [`Replies::unread`] have passed.
    pub fn passed(&mut self, n: u64) {
        if let State::Bulk(left) = &mut self.state {
            *left = left.saturating_sub(n);
        }
    }

    /// Why nothing is read any more; `None` while it is.
    pub fn raw(&self) -> Option<Raw> {
        match self.state {
            State::Raw(why) => Some(why),
            _ => None,
        }
    }

    /// Reads nothing from here on. What was begun is given back.
    pub fn turn_raw(&mut self, why: Raw) -> Bytes {
        self.state = State::Raw(why);
        self.begun.split().freeze()
    }

    /// True between two values.
    pub fn is_between(&self) -> bool {
        !self.inside && self.state == State::Value
    }

    fn line(&mut self, input: &mut Bytes) -> Option<Part> {
        let end = input.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        if end.is_none() && self.begun.len() + input.len() <= MOST {
            self.begun.extend_from_slice(&input.split_off(0));
            return None;
        }
        let read = input.split_to(end.unwrap_or(input.len()));
        let line = if self.begun.is_empty() {
            read
        } else {
            self.begun.extend_from_slice(&read);
            self.begun.split().freeze()
        };
        if self.value(&line).is_none() {
            self.state = State::Raw(Raw::Unparsed);
            return Some(Part::Raw(line));
        }
        Some(Part::Bytes(line))
    }

    /// Takes note of the value that `line` begins; `None` when it begins none.
    fn value(&mut self, line: &[u8]) -> Option<()> {
        if line.len() > MOST || !line.ends_with(b"\r\n") {
            return None;
        }
        self.state = State::Value;
        match line.first()? {
            b'+' | b'-' | b':' | b'_' | b',' | b'#' | b'(' => self.value_ends(),
            b'$' | b'!' | b'=' => match u64::try_from(number(line, BULK)?) {
                Ok(length) => self.state = State::Bulk(length + 2),
                Err(_) => self.value_ends(),
            },
            kind @ (b'*' | b'~' | b'>' | b'%' | b'|') => {
                let count = u64::try_from(number(line, 1 << 32)?).unwrap_or(0);
                let left = if matches!(kind, b'%' | b'|') { count * 2 } else { count };
                let is_attribute = *kind == b'|';
                if left == 0 && !is_attribute {
                    self.value_ends();
                } else if left > 0 {
                    if self.levels.len() >= DEPTH {
                        return None;
                    }
                    self.levels.push(Level { left, is_attribute });
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn value_ends(&mut self) {
        self.state = State::Value;
        while let Some(level) = self.levels.last_mut() {
            level.left -= 1;
            if level.left > 0 {
                return;
            }
            let Some(Level { is_attribute, .. }) = self.levels.pop() else { return };
            if is_attribute {
                // The value it belongs to follows.
                return;
            }
        }
        self.state = State::Whole;
    }
}
