//! SHA-256, HMAC-SHA-256 and random tokens, as lower-case hex; base64 where a browser wants it. The only room that names `ring`.

use std::fmt::Write as _;

use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// SHA-256 of `bytes`: 64 hexadecimal characters.
pub fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// SHA-256 of `bytes` in base64 with padding: the form in which a content security policy names a style.
pub fn sha256_base64(bytes: &[u8]) -> String {
    base64(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// `bytes` in base64 with padding (RFC 4648).
pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = ALPHABET[(word >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// The bytes of `text` in base64, with or without padding; `None` for anything else.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for chunk in text.chunks(4) {
        let mut word = 0_u32;
        for digit in chunk {
            let value = match digit {
                b'A'..=b'Z' => digit - b'A',
                b'a'..=b'z' => digit - b'a' + 26,
                b'0'..=b'9' => digit - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            word = word << 6 | u32::from(value);
        }
        let missing = 4 - chunk.len();
        if missing == 3 {
            return None;
        }
        let [_, three @ ..] = (word << (6 * missing)).to_be_bytes();
        bytes.extend_from_slice(three.get(..3 - missing)?);
    }
    Some(bytes)
}

/// HMAC-SHA-256 of `message` under `key`: 64 hexadecimal characters.
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> String {
    hex(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref())
}

/// `N` random bytes of the operating system, as hex: for tokens only, never for anything a seed should repeat.
///
/// # Errors
/// When the operating system has no randomness to give.
pub fn token<const N: usize>() -> Result<String, ring::error::Unspecified> {
    let mut bytes = [0_u8; N];
    SystemRandom::new().fill(&mut bytes)?;
    Ok(hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_vectors_hold() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(
            hmac_sha256(b"Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(sha256_base64(b"abc"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
        assert_eq!([base64(b"a"), base64(b"ab"), base64(b"abc")], ["YQ==", "YWI=", "YWJj"]);
        assert_eq!(["YQ==", "YWI", "YWJj"].map(|text| from_base64(text).unwrap().len()), [1, 2, 3]);
        assert_eq!((from_base64("YWJj"), from_base64("Y!"), from_base64("Y")), (Some(b"abc".to_vec()), None, None));
        assert_eq!(token::<16>().unwrap().len(), 32);
    }
}
