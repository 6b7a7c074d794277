//! Where messages end: `type:u8, len:u32be` including itself, then the body. Bodies that nobody reads pass in parts.
//!
//! Pure. Every byte that comes in goes out, in order: the frames of any split, joined, are the stream. Not here: fields
//! (`read`), the first packet (`startup`).

use bytes::{Bytes, BytesMut};

/// Bytes of the header.
const HEADER: usize = 5;
/// The longest message the protocol allows.
const LONGEST: u32 = 0x4000_0000;
/// The longest body that is kept until it is whole.
pub const KEPT: usize = 1 << 20;

/// A message, or a part of a long one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A whole message, with its header.
    Whole(Bytes),
    /// The beginning of a message that is not kept, with its header.
    Head(Bytes),
    /// More of it.
    More(Bytes),
    /// The end of it.
    Tail(Bytes),
}

impl Frame {
    /// The bytes as they came.
    pub fn bytes(&self) -> &Bytes {
        match self {
            Self::Whole(bytes) | Self::Head(bytes) | Self::More(bytes) | Self::Tail(bytes) => bytes,
        }
    }

    /// The type byte, of a frame that begins a message.
    pub fn tag(&self) -> Option<u8> {
        match self {
            Self::Whole(bytes) | Self::Head(bytes) => bytes.first().copied(),
            Self::More(_) | Self::Tail(_) => None,
        }
    }

    /// True for a frame that ends a message.
    pub fn ends(&self) -> bool {
        matches!(self, Self::Whole(_) | Self::Tail(_))
    }

    /// The body of a whole message.
    pub fn body(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) => bytes.get(HEADER..).unwrap_or_default(),
            _ => &[],
        }
    }
}

/// These bytes are no message: the stream cannot be understood from here on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// All that was not given out as frames.
    pub rest: Bytes,
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: BytesMut,
    /// Bytes that are missing of the message whose beginning was given out.
    missing: usize,
}

impl Framer {
    /// More of the stream has come.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next frame; `None` until more has come.
    ///
    /// # Errors
    /// What follows is no message.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Broken> {
        if self.missing > 0 {
            return Ok(self.part());
        }
        let Some((_, length)) = self.header()? else { return Ok(None) };
        if self.buffer.len() >= length {
            return Ok(Some(Frame::Whole(self.buffer.split_to(length).freeze())));
        }
        if length <= KEPT {
            self.buffer.reserve(length - self.buffer.len());
            return Ok(None);
        }
        self.missing = length - self.buffer.len();
        Ok(Some(Frame::Head(self.buffer.split().freeze())))
    }

    fn part(&mut self) -> Option<Frame> {
        if self.buffer.is_empty() {
            return None;
        }
        let some = self.buffer.split_to(self.missing.min(self.buffer.len())).freeze();
        self.missing -= some.len();
        Some(if self.missing == 0 { Frame::Tail(some) } else { Frame::More(some) })
    }

    /// Type and length, header included.
    fn header(&mut self) -> Result<Option<(u8, usize)>, Broken> {
        let Some(header) = self.buffer.get(..HEADER) else {
            // A first byte that no message has need not wait for the others.
            let odd = self.buffer.first().is_some_and(|tag| !is_tag(*tag));
            return if odd { Err(self.broken()) } else { Ok(None) };
        };
        let tag = header[0];
        let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]);
        if !is_tag(tag) || !(4..=LONGEST).contains(&length) {
            return Err(self.broken());
        }
        Ok(Some((tag, length as usize + 1)))
    }

    fn broken(&mut self) -> Broken {
        Broken { rest: self.rest() }
    }

    /// Gives up framing: all that was not given out.
    pub fn rest(&mut self) -> Bytes {
        self.missing = 0;
        self.buffer.split().freeze()
    }

    /// Bytes that wait for the rest of their message.
    pub fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// True between two messages.
    pub fn is_between(&self) -> bool {
        self.missing == 0 && self.buffer.is_empty()
    }
}

fn is_tag(tag: u8) -> bool {
    tag.is_ascii_alphabetic() || matches!(tag, b'1'..=b'3')
}
