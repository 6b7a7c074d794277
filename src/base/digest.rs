//! SHA-256, HMAC-SHA-256 and random tokens, as lower-case hex. The only room that names `ring`.

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
        assert_eq!(token::<16>().unwrap().len(), 32);
    }
}
