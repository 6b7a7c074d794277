//! What a client sends: commands, whole or, when they are long, their beginning and then the rest.

use bytes::{Buf, Bytes, BytesMut};

use super::{ARGUMENTS, BULK, MOST, Raw, number};

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Its bytes, unchanged; of a long one the beginning.
    pub bytes: Bytes,
    /// Its name and the arguments that are whole.
    pub args: Vec<Bytes>,
    /// Nothing of it follows.
    pub is_whole: bool,
}

/// Bytes of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A command.
    Command(Command),
    /// More of a long one.
    Rest(Bytes),
    /// The long one is whole now. Carries no bytes.
    End,
    /// Nothing that is answered: empty lines and empty arrays.
    Nothing(Bytes),
    /// Not read. Nothing else follows.
    Raw(Bytes),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Begin,
    /// In a long command: strings that are left, and bytes of the one that has begun.
    Rest {
        strings: u64,
        bytes: u64,
    },
    Raw(Raw),
}

/// How far a command can be read.
enum Read {
    Whole(usize, Vec<(usize, usize)>),
    /// So far it is whole; what follows is `State::Rest`.
    Begun {
        args: Vec<(usize, usize)>,
        at: usize,
        strings: u64,
        bytes: u64,
    },
    Nothing(usize),
    Strange,
}

/// The reader of one direction.
#[derive(Debug)]
pub struct Commands {
    state: State,
    begun: BytesMut,
}

impl Default for Commands {
    fn default() -> Self {
        Self { state: State::Begin, begun: BytesMut::new() }
    }
}

impl Commands {
    /// The next part of `input`; `None` when more has to come.
    pub fn next(&mut self, input: &mut Bytes) -> Option<Part> {
        match self.state {
            State::Rest { strings: 0, bytes: 0 } => {
                self.state = State::Begin;
                Some(Part::End)
            }
            _ if input.is_empty() => None,
            State::Raw(_) => Some(Part::Raw(input.split_off(0))),
            State::Rest { strings, bytes: 0 } => self.header(input, strings),
            State::Rest { strings, bytes } => {
                let take = usize::try_from(bytes).unwrap_or(usize::MAX).min(input.len());
                self.state = State::Rest { strings, bytes: bytes - take as u64 };
                Some(Part::Rest(input.split_to(take)))
            }
            State::Begin => self.begin(input),
        }
    }

    /// The direction has ended: what was begun and is not whole.
    pub fn finish(&mut self) -> Option<Bytes> {
        (!self.begun.is_empty()).then(|| self.begun.split().freeze())
    }

    /// Bytes that may pass without being read, from here on.
    pub fn unread(&self) -> u64 {
        match self.state {
            State::Rest { bytes, .. } => bytes.saturating_sub(1),
            State::Raw(_) => u64::MAX,
            State::Begin => 0,
        }
    }

    /// `n` bytes of [`Commands::unread`] have passed.
    pub fn passed(&mut self, n: u64) {
        if let State::Rest { bytes, .. } = &mut self.state {
            *bytes = bytes.saturating_sub(n);
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

    fn begin(&mut self, input: &mut Bytes) -> Option<Part> {
        if self.begun.is_empty() {
            match read(input) {
                Read::Whole(end, args) => return Some(command(input.split_to(end), &args)),
                Read::Nothing(end) => return Some(Part::Nothing(input.split_to(end))),
                Read::Begun { .. } | Read::Strange => {}
            }
        }
        let before = self.begun.len();
        self.begun.extend_from_slice(input);
        match read(&self.begun) {
            Read::Whole(end, args) => {
                input.advance(end - before);
                self.begun.truncate(end);
                Some(command(self.begun.split().freeze(), &args))
            }
            Read::Nothing(end) => {
                input.advance(end - before);
                self.begun.truncate(end);
                Some(Part::Nothing(self.begun.split().freeze()))
            }
            Read::Begun { args, at, strings, bytes } => {
                input.clear();
                if self.begun.len() <= MOST {
                    return None;
                }
                if args.is_empty() {
                    return Some(Part::Raw(self.turn_raw(Raw::Unparsed)));
                }
                let beginning = self.begun.split_to(at).freeze();
                self.state = State::Rest { strings, bytes };
                Some(Part::Command(Command { args: cut(&beginning, &args), bytes: beginning, is_whole: false }))
            }
            Read::Strange => {
                input.clear();
                let why = if self.begun.first() == Some(&0x16) { Raw::Tls } else { Raw::Unparsed };
                Some(Part::Raw(self.turn_raw(why)))
            }
        }
    }

    /// The line that says how long the next string of a long command is.
    fn header(&mut self, input: &mut Bytes, strings: u64) -> Option<Part> {
        let end = input.iter().position(|byte| *byte == b'\n');
        self.begun.extend_from_slice(&input.split_to(end.map_or(input.len(), |end| end + 1)));
        if end.is_none() && self.begun.len() < 32 {
            return None;
        }
        let line = self.begun.split().freeze();
        let Some(length) = bulk(&line) else {
            self.state = State::Raw(Raw::Unparsed);
            return Some(Part::Raw(line));
        };
        self.state = State::Rest { strings: strings - 1, bytes: length + 2 };
        Some(Part::Rest(line))
    }
}

fn command(bytes: Bytes, args: &[(usize, usize)]) -> Part {
    Part::Command(Command { args: cut(&bytes, args), bytes, is_whole: true })
}

fn cut(bytes: &Bytes, args: &[(usize, usize)]) -> Vec<Bytes> {
    args.iter().map(|(from, to)| bytes.slice(*from..*to)).collect()
}

fn bulk(line: &[u8]) -> Option<u64> {
    if line.first() != Some(&b'$') {
        return None;
    }
    u64::try_from(number(line, BULK)?).ok()
}

/// The line at `at`, with its end.
fn line(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let rest = bytes.get(at..)?;
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    rest.get(..=end)
}

fn read(bytes: &[u8]) -> Read {
    let begun = |args, at, strings, bytes| Read::Begun { args, at, strings, bytes };
    match bytes.first() {
        None => return begun(Vec::new(), 0, 0, 0),
        Some(b'*') => {}
        Some(first) if first.is_ascii_graphic() || first.is_ascii_whitespace() => return inline(bytes),
        Some(_) => return Read::Strange,
    }
    let Some(head) = line(bytes, 0) else {
        return if bytes.len() > 32 { Read::Strange } else { begun(Vec::new(), 0, 0, 0) };
    };
    let Some(count) = number(head, ARGUMENTS) else { return Read::Strange };
    let Ok(count) = u64::try_from(count) else { return Read::Nothing(head.len()) };
    if count == 0 {
        return Read::Nothing(head.len());
    }
    let (mut at, mut args) = (head.len(), Vec::new());
    for left in (0..count).rev() {
        let Some(head) = line(bytes, at) else {
            let odd = bytes.get(at).is_some_and(|byte| *byte != b'$') || bytes.len() - at > 32;
            return if odd { Read::Strange } else { begun(args, at, left + 1, 0) };
        };
        let Some(length) = bulk(head) else { return Read::Strange };
        let from = at + head.len();
        let Some(to) = usize::try_from(length).ok().map(|length| from + length) else { return Read::Strange };
        if bytes.len() < to + 2 {
            return begun(args, bytes.len(), left, (to + 2 - bytes.len()) as u64);
        }
        if bytes.get(to..to + 2) != Some(b"\r\n") {
            return Read::Strange;
        }
        args.push((from, to));
        at = to + 2;
    }
    Read::Whole(at, args)
}

/// A command as a person types it.
fn inline(bytes: &[u8]) -> Read {
    let Some(line) = line(bytes, 0) else {
        return if bytes.len() > MOST {
            Read::Strange
        } else {
            Read::Begun { args: vec![], at: 0, strings: 0, bytes: 0 }
        };
    };
    let mut args = Vec::new();
    let mut from = None;
    for (at, byte) in line.iter().enumerate() {
        match (byte.is_ascii_whitespace(), from) {
            (true, Some(begin)) => {
                args.push((begin, at));
                from = None;
            }
            (false, None) => from = Some(at),
            _ => {}
        }
    }
    if args.is_empty() { Read::Nothing(line.len()) } else { Read::Whole(line.len(), args) }
}
