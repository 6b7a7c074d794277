//! The head of a request or of a response, as its bytes: the first line, the fields, and how long the content is.
//!
//! Fields are looked up in the bytes, for most heads are only counted. Not here: the bytes after a head (`http1`).

use bytes::Bytes;

/// How long the content of a message is (RFC 9112, 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// There is none, whatever the fields say.
    None,
    /// So many bytes.
    Counted(u64),
    /// In chunks.
    Chunked,
    /// To the end of the connection: responses alone.
    UntilEnd,
    /// No messages follow: the connection belongs to another protocol.
    Tunnel,
}

/// One change of a head's fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// The field has this value, once; added at the end when there is none.
    Set(String, String),
    /// The field is gone.
    Remove(String),
}

/// A whole head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// From the first line to the empty one, unchanged.
    pub bytes: Bytes,
    /// How long the content is.
    pub length: Length,
    /// Of a response; 0 for a request.
    pub status: u16,
}

/// Where the head that begins at 0 ends, looking from `from` on: behind the first empty line that follows a line.
pub(super) fn end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(newline) = bytes.get(at..)?.iter().position(|byte| *byte == b'\n') {
        let next = at + newline + 1;
        let blank = bytes.get(..next)?.trim_ascii_start().is_empty();
        match bytes.get(next..)? {
            [b'\n', ..] if !blank => return Some(next + 1),
            [b'\r', b'\n', ..] if !blank => return Some(next + 2),
            _ => at = next,
        }
    }
    None
}

/// A letter of a method or of a field's name (RFC 9110, 5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

impl Head {
    /// The head of a request; `None` when it is none, or ambiguous.
    pub(super) fn request(bytes: Bytes) -> Option<Self> {
        let mut head = Self { bytes, length: Length::None, status: 0 };
        let method = head.method();
        let version = head.words().nth(2)?;
        let plain = !method.is_empty() && method.bytes().all(is_token) && !head.target().is_empty();
        if !plain || !matches!(version, "HTTP/1.1" | "HTTP/1.0") || head.words().count() != 3 {
            return None;
        }
        let (chunked, counted) = head.lengths()?;
        head.length = match (head.method(), chunked, counted) {
            ("CONNECT", ..) => Length::Tunnel,
            (_, true, _) => Length::Chunked,
            (_, _, Some(n)) => Length::Counted(n),
            _ => Length::None,
        };
        Some(head)
    }

    /// The head of a response to a request of method `to`.
    pub(super) fn response(bytes: Bytes, to: Option<&str>) -> Option<Self> {
        let mut head = Self { bytes, length: Length::None, status: 0 };
        let (version, status) = (head.words().next()?, head.words().nth(1)?);
        if !matches!(version, "HTTP/1.1" | "HTTP/1.0") || status.len() != 3 {
            return None;
        }
        let status = status.parse().ok().filter(|status| (100..=999).contains(status))?;
        head.status = status;
        let (chunked, counted) = head.lengths()?;
        head.length = match (head.status, to) {
            (101, _) | (200..=299, Some("CONNECT")) => Length::Tunnel,
            (100..=199 | 204 | 304, _) | (_, Some("HEAD")) => Length::None,
            _ if chunked => Length::Chunked,
            _ => counted.map_or(Length::UntilEnd, Length::Counted),
        };
        Some(head)
    }

    /// Chunked or not, and the stated length. `None` when the two contradict each other or a field is not well formed.
    fn lengths(&self) -> Option<(bool, Option<u64>)> {
        let (mut chunked, mut counted) = (false, None);
        for line in self.lines() {
            let (name, value) = field(line)?;
            if name.eq_ignore_ascii_case(b"content-length") {
                let digits = std::str::from_utf8(value).ok()?;
                if digits.is_empty() || digits.len() > 18 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    return None;
                }
                let n = digits.parse().ok()?;
                if counted.replace(n).is_some_and(|before| before != n) {
                    return None;
                }
            } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
                if chunked || !value.eq_ignore_ascii_case(b"chunked") {
                    return None;
                }
                chunked = true;
            }
        }
        if chunked && counted.is_some() { None } else { Some((chunked, counted)) }
    }

    fn first_line(&self) -> &[u8] {
        let bytes = self.bytes.trim_ascii_start();
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.first_line().split(|byte| *byte == b' ').map(|word| std::str::from_utf8(word).unwrap_or_default())
    }

    /// The lines of the fields, without their ends.
    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let lines = self.bytes.trim_ascii_start().split(|byte| *byte == b'\n').skip(1);
        lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).take_while(|line| !line.is_empty())
    }

    /// Of a request.
    pub fn method(&self) -> &str {
        self.words().next().unwrap_or_default()
    }

    /// Of a request, as it was sent.
    pub fn target(&self) -> &str {
        self.words().nth(1).unwrap_or_default()
    }

    /// The path of the target, without its query.
    pub fn path(&self) -> &str {
        let target = self.target();
        let origin = target.find("://").and_then(|at| {
            let rest = target.get(at + 3..)?;
            Some(rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or("/"))
        });
        let path = if target.starts_with('/') { target } else { origin.unwrap_or(target) };
        path.split(['?', '#']).next().unwrap_or_default()
    }

    /// The values of the field `name`, in order; a value that is no text is empty.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let fields = self.lines().filter_map(field);
        fields
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| std::str::from_utf8(value).unwrap_or_default())
    }

    /// True when the list-valued field `name` holds `word`.
    pub fn lists(&self, name: &str, word: &str) -> bool {
        self.values(name).flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(word))
    }

    /// True when the connection may carry another message after this one.
    pub fn keeps_alive(&self) -> bool {
        let old = self.words().any(|word| word == "HTTP/1.0");
        !self.lists("connection", "close") && (!old || self.lists("connection", "keep-alive"))
    }

    /// The head with other fields; everything else keeps its bytes.
    #[must_use]
    pub fn edited(&self, edits: &[Edit]) -> Bytes {
        let mut text = self.first_line().to_vec();
        text.extend_from_slice(b"\r\n");
        let touched = |line: &[u8]| {
            let named =
                |name: &String| field(line).is_some_and(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()));
            edits.iter().any(|edit| matches!(edit, Edit::Set(name, _) | Edit::Remove(name) if named(name)))
        };
        for line in self.lines().filter(|line| !touched(line)) {
            text.extend_from_slice(line);
            text.extend_from_slice(b"\r\n");
        }
        for edit in edits {
            if let Edit::Set(name, value) = edit {
                text.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
            }
        }
        text.extend_from_slice(b"\r\n");
        text.into()
    }
}

/// Name and value of a field's line; `None` for a folded line or a name with space in it.
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at(colon);
    let plain = !name.is_empty() && name.iter().all(|byte| is_token(*byte));
    plain.then(|| (name, value.get(1..).unwrap_or_default().trim_ascii()))
}
