//! HTTP/1.1 on one direction of a connection: heads, bodies, and where the next message begins (RFC 9112).
//!
//! [`Framer::next`] takes bytes from the front of what has come and gives them back as [`Part`]s; joined, the parts are the
//! bytes that came. Both lengths at once, folded lines, bad numbers and other protocols are [`Part::Raw`] from there on. Not
//! here: which answer belongs to which request, which the caller's queue knows.

mod head;
#[cfg(test)]
mod tests;

use bytes::{Buf, Bytes, BytesMut};

pub use head::{Edit, Head, Length};

/// A head may be so long; beyond, nothing is understood.
pub const HEAD_MOST: usize = 64 * 1024;
/// The line of a chunk's size may be so long, extensions included.
const SIZE_MOST: usize = 4 * 1024;

/// Which side of a connection is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What a client sends.
    Requests,
    /// What a server sends.
    Responses,
}

/// Bytes of a message, by what they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A whole head, from its first line to the empty one.
    Head(Head),
    /// Content.
    Body(Bytes),
    /// What frames the content of a chunked body: sizes, line ends, trailers.
    Frame(Bytes),
    /// The message is whole. Carries no bytes.
    End,
    /// Not read: another protocol, or what is not understood. Nothing else follows.
    Raw(Bytes),
}

/// Why bytes are not read any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raw {
    /// The peers agreed on another protocol: 101, or CONNECT.
    Agreed,
    /// TLS has begun.
    Tls,
    /// It is not HTTP/1, or not unambiguous.
    Unparsed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between messages, or in a head.
    Head,
    /// So many bytes of content are left.
    Counted(u64),
    /// Content until the connection ends.
    UntilEnd,
    /// In the line that says how long the next chunk is.
    Size,
    /// So many bytes of the chunk are left.
    Chunk(u64),
    /// The line end after a chunk.
    ChunkEnd,
    /// Trailers, to the empty line.
    Trailers,
    /// The message is whole, which is still to be said.
    Whole,
    Raw(Raw),
}

/// The reader of one direction.
#[derive(Debug)]
pub struct Framer {
    side: Side,
    state: State,
    /// A line or a head that is not whole yet.
    begun: BytesMut,
}

impl Framer {
    /// A reader at the beginning of a connection.
    pub fn new(side: Side) -> Self {
        Self { side, state: State::Head, begun: BytesMut::new() }
    }

    /// The next part of `input`; `None` when more has to come. `to` is the method of the request that the next response
    /// answers, which decides whether it has content.
    pub fn next(&mut self, input: &mut Bytes, to: Option<&str>) -> Option<Part> {
        match self.state {
            State::Whole => {
                self.state = State::Head;
                Some(Part::End)
            }
            _ if input.is_empty() => None,
            State::Head => self.head(input, to),
            State::Counted(left) => Some(Part::Body(self.counted(input, left, State::Counted))),
            State::Chunk(left) => Some(Part::Body(self.counted(input, left, State::Chunk))),
            State::UntilEnd => Some(Part::Body(input.split_off(0))),
            State::Raw(_) => Some(Part::Raw(input.split_off(0))),
            State::Size => {
                let line = self.line(input)?;
                let Some(size) = chunk_size(&line).filter(|_| line.len() <= SIZE_MOST) else {
                    return Some(self.give_up(line));
                };
                self.state = if size == 0 { State::Trailers } else { State::Chunk(size) };
                Some(Part::Frame(line))
            }
            State::ChunkEnd => {
                let line = self.line(input)?;
                if !matches!(&*line, b"\r\n" | b"\n") {
                    return Some(self.give_up(line));
                }
                self.state = State::Size;
                Some(Part::Frame(line))
            }
            State::Trailers => {
                let line = self.line(input)?;
                if matches!(&*line, b"\r\n" | b"\n") {
                    self.state = State::Whole;
                } else if line.len() > SIZE_MOST {
                    return Some(self.give_up(line));
                }
                Some(Part::Frame(line))
            }
        }
    }

    /// The direction has ended: what was begun and is not whole, as bytes. Content that lasts until the end is whole now.
    pub fn finish(&mut self) -> Option<Bytes> {
        if self.state == State::UntilEnd {
            self.state = State::Whole;
        }
        (!self.begun.is_empty()).then(|| self.begun.split().freeze())
    }

    /// Content that may pass without being read, from here on: all that is left of a body or of a chunk, and everything
    /// once nothing is read any more.
    pub fn unread(&self) -> u64 {
        match self.state {
            // The last byte is read, for it ends the message or the chunk.
            State::Counted(left) | State::Chunk(left) => left.saturating_sub(1),
            State::UntilEnd | State::Raw(_) => u64::MAX,
            _ => 0,
        }
    }

    /// `n` bytes of [`Framer::unread`] have passed.
    pub fn passed(&mut self, n: u64) {
        match &mut self.state {
            State::Counted(left) | State::Chunk(left) => *left = left.saturating_sub(n),
            _ => {}
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

    /// True between two messages, with nothing begun.
    pub fn is_between(&self) -> bool {
        self.state == State::Head && self.begun.is_empty()
    }

    fn give_up(&mut self, read: Bytes) -> Part {
        self.state = State::Raw(Raw::Unparsed);
        Part::Raw(read)
    }

    fn counted(&mut self, input: &mut Bytes, left: u64, state: fn(u64) -> State) -> Bytes {
        let take = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
        let left = left - take as u64;
        self.state = match (left, state(0)) {
            (0, State::Chunk(_)) => State::ChunkEnd,
            (0, _) => State::Whole,
            (left, _) => state(left),
        };
        input.split_to(take)
    }

    /// A whole line with its end; `None` when more has to come. A line that is too long comes as it is.
    fn line(&mut self, input: &mut Bytes) -> Option<Bytes> {
        let end = input.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        if end.is_none() && self.begun.len() + input.len() <= SIZE_MOST {
            self.begun.extend_from_slice(&input.split_off(0));
            return None;
        }
        let read = input.split_to(end.unwrap_or(input.len()));
        if self.begun.is_empty() {
            return Some(read);
        }
        self.begun.extend_from_slice(&read);
        Some(self.begun.split().freeze())
    }

    fn head(&mut self, input: &mut Bytes, to: Option<&str>) -> Option<Part> {
        if self.begun.is_empty()
            && !self.is_strange(input)
            && let Some(end) = head::end(input, 0).filter(|end| *end <= HEAD_MOST)
        {
            let bytes = input.split_to(end);
            return Some(self.headed(bytes, to));
        }
        let before = self.begun.len();
        self.begun.extend_from_slice(input);
        if self.is_strange(&self.begun) {
            *input = Bytes::new();
            let why = if self.begun.first() == Some(&0x16) { Raw::Tls } else { Raw::Unparsed };
            return Some(Part::Raw(self.turn_raw(why)));
        }
        // The end of the head may have begun in what came before.
        match head::end(&self.begun, before.saturating_sub(3)) {
            Some(end) if end <= HEAD_MOST => {
                input.advance(end - before);
                self.begun.truncate(end);
                let bytes = self.begun.split().freeze();
                Some(self.headed(bytes, to))
            }
            None if self.begun.len() <= HEAD_MOST => {
                *input = Bytes::new();
                None
            }
            _ => {
                *input = Bytes::new();
                Some(Part::Raw(self.turn_raw(Raw::Unparsed)))
            }
        }
    }

    fn headed(&mut self, bytes: Bytes, to: Option<&str>) -> Part {
        let read = match self.side {
            Side::Requests => Head::request(bytes.clone()),
            Side::Responses => Head::response(bytes.clone(), to),
        };
        let Some(head) = read else { return self.give_up(bytes) };
        self.state = match head.length {
            Length::None | Length::Counted(0) => State::Whole,
            Length::Counted(n) => State::Counted(n),
            Length::Chunked => State::Size,
            Length::UntilEnd => State::UntilEnd,
            Length::Tunnel => State::Raw(Raw::Agreed),
        };
        Part::Head(head)
    }

    /// What has `begun` cannot become a head of this side.
    fn is_strange(&self, begun: &[u8]) -> bool {
        let begun = begun.strip_prefix(b"\r\n").unwrap_or(begun);
        let Some(first) = begun.first() else { return false };
        match self.side {
            Side::Requests => {
                let line = begun.iter().position(|byte| *byte == b'\n').and_then(|end| begun.get(..end));
                let other = line.is_some_and(|line| !is_http(line.strip_suffix(b"\r").unwrap_or(line)));
                !matches!(first, b'\r' | b'\n') && (other || !head::is_token(*first))
            }
            Side::Responses => {
                let magic = b"HTTP/1.";
                let seen = begun.len().min(magic.len());
                !matches!(first, b'\r' | b'\n') && begun.get(..seen) != magic.get(..seen)
            }
        }
    }
}

/// True for the first line of a request of version 1; HTTP/2 in clear begins with another.
fn is_http(line: &[u8]) -> bool {
    line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0")
}

/// The size of a chunk: hexadecimal, before extensions.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let line = line.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii_end();
    if digits.is_empty() || digits.len() > 15 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
