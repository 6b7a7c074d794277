//! Chunks of a record: tag, length, payload, checksum; and the small integers inside.

use flate2::Crc;

/// What every record begins with. The CR LF shows a copy made as text.
pub(super) const MAGIC: &[u8; 8] = b"\x89SQR\r\n\x1a\n";

/// One chunk: tag, length, payload, CRC-32 of tag and payload.
pub(super) fn encode(tag: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len() + 12);
    bytes.extend(tag);
    bytes.extend(u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(payload);
    bytes.extend(checksum(tag, payload).to_le_bytes());
    bytes
}

fn checksum(tag: [u8; 4], payload: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(&tag);
    crc.update(payload);
    crc.sum()
}

/// What lies at the start of `bytes`.
pub(super) enum Next<'a> {
    /// A whole chunk; the rest follows. `None` payload: its checksum is wrong.
    Chunk([u8; 4], Option<&'a [u8]>, &'a [u8]),
    /// The end, clean or cut off.
    End,
}

/// Takes the first chunk of `bytes`.
pub(super) fn decode(bytes: &[u8]) -> Next<'_> {
    let Some((head, rest)) = bytes.split_at_checked(8) else { return Next::End };
    let (Ok(tag), Ok(length)) = (<[u8; 4]>::try_from(&head[..4]), <[u8; 4]>::try_from(&head[4..])) else {
        return Next::End;
    };
    let length = u32::from_le_bytes(length) as usize;
    let Some((payload, rest)) = rest.split_at_checked(length) else { return Next::End };
    let Some((sum, rest)) = rest.split_at_checked(4) else { return Next::End };
    let good = sum == checksum(tag, payload).to_le_bytes();
    Next::Chunk(tag, good.then_some(payload), rest)
}

/// Appends `value` as LEB128.
pub(super) fn put(bytes: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        bytes.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return;
        }
    }
}

/// Takes a LEB128 number off the front; `None` at the end or beyond 64 bits.
pub(super) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
