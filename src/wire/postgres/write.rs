//! The few messages that a proxy sends by itself, to either side.
//!
//! Pure. Called by `fault::rule::postgres`.

use bytes::{BufMut, Bytes, BytesMut};

/// A message of type `tag`. A body beyond the protocol's limit cannot be made from the texts used here.
fn message(tag: u8, fill: impl FnOnce(&mut BytesMut)) -> Bytes {
    let mut all = BytesMut::with_capacity(64);
    all.put_u8(tag);
    all.put_u32(0);
    fill(&mut all);
    let length = u32::try_from(all.len() - 1).unwrap_or(u32::MAX).to_be_bytes();
    if let Some(place) = all.get_mut(1..5) {
        place.copy_from_slice(&length);
    }
    all.freeze()
}

fn put_text(into: &mut BytesMut, text: &str) {
    into.extend(text.bytes().filter(|byte| *byte != 0));
    into.put_u8(0);
}

/// A simple query.
pub fn query(sql: &str) -> Bytes {
    message(b'Q', |body| put_text(body, sql))
}

/// `Parse`, `Bind` and `Execute` of `sql` without parameters, as statement and portal `name`.
pub fn extended(name: &str, sql: &str) -> Bytes {
    let parse = message(b'P', |body| {
        put_text(body, name);
        put_text(body, sql);
        body.put_u16(0);
    });
    let bind = message(b'B', |body| {
        put_text(body, name);
        put_text(body, name);
        body.put_slice(&[0; 6]);
    });
    let execute = message(b'E', |body| {
        put_text(body, name);
        body.put_u32(0);
    });
    let mut all = BytesMut::with_capacity(parse.len() + bind.len() + execute.len());
    all.put(parse);
    all.put(bind);
    all.put(execute);
    all.freeze()
}

/// `Close` of the statement `name`.
pub fn close(name: &str) -> Bytes {
    message(b'C', |body| {
        body.put_u8(b'S');
        put_text(body, name);
    })
}

/// `Sync`.
pub fn sync() -> Bytes {
    message(b'S', |_| {})
}

/// An `ErrorResponse`.
pub fn error(severity: &str, sqlstate: &str, text: &str) -> Bytes {
    message(b'E', |body| {
        for (kind, value) in [(b'S', severity), (b'V', severity), (b'C', sqlstate), (b'M', text)] {
            body.put_u8(kind);
            put_text(body, value);
        }
        body.put_u8(0);
    })
}

/// `ReadyForQuery` with `status`.
pub fn ready(status: u8) -> Bytes {
    message(b'Z', |body| body.put_u8(status))
}

/// A `StartupMessage` of protocol 3.0.
pub fn startup(parameters: &[(&str, &str)]) -> Bytes {
    let mut all = BytesMut::new();
    all.put_u32(0);
    all.put_u32(196_608);
    for (name, value) in parameters {
        put_text(&mut all, name);
        put_text(&mut all, value);
    }
    all.put_u8(0);
    let length = u32::try_from(all.len()).unwrap_or(u32::MAX).to_be_bytes();
    if let Some(place) = all.get_mut(..4) {
        place.copy_from_slice(&length);
    }
    all.freeze()
}

/// A `PasswordMessage` in clear, or the last step of SASL (`password` then holds raw bytes as text).
pub fn password(text: &str) -> Bytes {
    message(b'p', |body| put_text(body, text))
}

/// `SASLInitialResponse` for `mechanism`.
pub fn sasl_first(mechanism: &str, first: &str) -> Bytes {
    message(b'p', |body| {
        put_text(body, mechanism);
        body.put_u32(u32::try_from(first.len()).unwrap_or(0));
        body.put_slice(first.as_bytes());
    })
}

/// `SASLResponse`.
pub fn sasl_next(text: &str) -> Bytes {
    message(b'p', |body| body.put_slice(text.as_bytes()))
}

/// `sql` text that makes the server raise `sqlstate` with `text`: the transaction is aborted, as by any error.
pub fn raise(sqlstate: &str, text: &str) -> String {
    let quoted = text.replace('\'', "''");
    format!("DO $squall$BEGIN RAISE EXCEPTION USING ERRCODE = '{sqlstate}', MESSAGE = {};END$squall$", literal(&quoted))
}

/// A standard string, in which the end of the surrounding dollar quote cannot occur.
fn literal(quoted: &str) -> String {
    format!("'{}'", quoted.replace("$squall$", "$ squall$"))
}

/// `sql` text that keeps the server busy for `seconds`.
pub fn sleep(seconds: f64) -> String {
    format!("SELECT pg_catalog.pg_sleep({seconds:.6})")
}
