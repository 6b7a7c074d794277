//! The packet that opens a connection: `len:u32be, code:u32be, body`, without a type byte.
//!
//! Pure. Not here: what is answered (`fault::rule::postgres`), messages after it (`frame`).

use bytes::{Buf, Bytes, BytesMut};

const VERSION_3: u32 = 196_608;
const SSL: u32 = 80_877_103;
const GSSENC: u32 = 80_877_104;
const CANCEL: u32 = 80_877_102;
/// The server's own limit of a startup packet.
const LONGEST: usize = 10_000;
/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// What a first packet asks for; `raw` is the packet itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// TLS, please: one byte is answered, then another opening follows.
    Ssl,
    /// The same for GSSAPI.
    Gssenc,
    /// Cancel what the connection of this key is doing; nothing is answered.
    Cancel {
        /// Process id and secret as one key; the secret has 4 bytes, and more from protocol 3.2 on.
        key: Bytes,
        /// The packet.
        raw: Bytes,
    },
    /// A session.
    Startup {
        /// Who, and what for.
        who: Who,
        /// The packet.
        raw: Bytes,
    },
    /// A TLS handshake without a question before it (PostgreSQL 17).
    DirectTls,
    /// Nothing that is known: pass it as bytes.
    Unknown,
}

/// The parameters of a session that rules match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// `user`.
    pub user: String,
    /// `database`; the user's name when absent.
    pub database: String,
    /// `application_name`; empty when absent.
    pub application: String,
    /// The session speaks the replication protocol: no statement of it may be judged.
    pub replication: bool,
}

/// Takes the first packet off `buffer`; `None` until it is whole.
pub fn take(buffer: &mut BytesMut) -> Option<Opening> {
    if buffer.first() == Some(&HANDSHAKE) {
        return Some(Opening::DirectTls);
    }
    let length = usize::try_from(u32::from_be_bytes(buffer.get(..4)?.try_into().ok()?)).ok()?;
    if !(8..=LONGEST).contains(&length) {
        return Some(Opening::Unknown);
    }
    let code = u32::from_be_bytes(buffer.get(4..8)?.try_into().ok()?);
    let known = matches!(code, VERSION_3 | SSL | GSSENC | CANCEL) || code >> 16 == 3;
    if !known {
        return Some(Opening::Unknown);
    }
    if buffer.len() < length {
        return None;
    }
    let raw = buffer.split_to(length).freeze();
    Some(match code {
        SSL => Opening::Ssl,
        GSSENC => Opening::Gssenc,
        CANCEL => Opening::Cancel { key: raw.slice(8..), raw },
        _ => Opening::Startup { who: who(&raw), raw },
    })
}

fn who(raw: &Bytes) -> Who {
    let mut who = Who::default();
    let mut rest = raw.clone();
    rest.advance(8);
    let mut texts = rest.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned());
    while let Some(name) = texts.next().filter(|name| !name.is_empty()) {
        let value = texts.next().unwrap_or_default();
        match name.as_str() {
            "user" => who.user = value,
            "database" => who.database = value,
            "application_name" => who.application = value,
            "replication" => who.replication = !matches!(value.as_str(), "" | "0" | "false" | "off" | "no"),
            _ => {}
        }
    }
    if who.database.is_empty() {
        who.database.clone_from(&who.user);
    }
    who
}
