//! Ranges of addresses (`10.20.0.0/16`) and names with a leading wildcard (`*.staging.example`).

use std::net::IpAddr;

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Net {
    address: IpAddr,
    prefix: u32,
}

impl Net {
    /// Reads `10.20.0.0/16`, `fd00::/48`, or one address; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().ok()?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Some(whole), |prefix| prefix.trim().parse().ok())?;
        (prefix <= whole).then_some(Self { address, prefix })
    }

    /// True when `address` lies in the range; an IPv4 address written as IPv6 counts as IPv4.
    pub fn holds(&self, address: IpAddr) -> bool {
        let shifted = |bits: u128, whole: u32| bits.checked_shr(whole - self.prefix).unwrap_or(0);
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(mine), IpAddr::V4(other)) => {
                shifted(u128::from(mine.to_bits()), 32) == shifted(u128::from(other.to_bits()), 32)
            }
            (IpAddr::V6(mine), IpAddr::V6(other)) => shifted(mine.to_bits(), 128) == shifted(other.to_bits(), 128),
            _ => false,
        }
    }

    /// Wider than /8 (IPv4) or /32 (IPv6).
    pub fn is_too_wide(&self) -> bool {
        self.prefix < if self.address.is_ipv4() { 8 } else { 32 }
    }
}

/// A name, or all names below one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostGlob {
    text: String,
}

impl HostGlob {
    /// Reads `shop.example` or `*.shop.example`; `None` when there is a wildcard anywhere else or a strange character.
    pub fn parse(text: &str) -> Option<Self> {
        let text = plain(text);
        let rest = text.strip_prefix("*.").unwrap_or(&text);
        let is_name = !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:".contains(c));
        is_name.then_some(Self { text })
    }

    /// True when `host` is the name, or below it.
    pub fn matches(&self, host: &str) -> bool {
        let host = plain(host);
        match self.text.strip_prefix('*') {
            Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
            None => host == self.text,
        }
    }

    /// All names of a top-level domain.
    pub fn is_too_wide(&self) -> bool {
        self.text.strip_prefix("*.").is_some_and(|rest| !rest.contains('.'))
    }
}

/// Lower case, without the dot at the end and the brackets of an IPv6 address.
pub(super) fn plain(host: &str) -> String {
    host.trim_end_matches('.').trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase()
}
