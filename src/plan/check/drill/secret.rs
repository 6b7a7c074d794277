//! Tokens and keys that somebody wrote into a drill's file. A file is shared, printed and kept in reports.

use std::ops::Range;

use regex::Regex;

use crate::plan::check::desk::Desk;

/// What gives itself away: well-known prefixes, keys in PEM, credentials in a URL, JSON fields named as secrets.
const PATTERNS: [&str; 6] = [
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    r"\b(?:ghp|gho|ghs|ghu|glpat|xoxb|xoxp|sk_live|rk_live)[_-][A-Za-z0-9_-]{16,}",
    r"(?i)\bbearer\s+[A-Za-z0-9._~+/-]{16,}",
    r"://[^/\s:@\x22]+:[^/\s:@\x22]+@",
    r#"(?i)"(?:token|password|passwd|secret|api[_-]?key)"\s*:\s*"[^"$]{6,}""#,
];

/// Reports every stretch of the file that looks like a secret; the secret itself is not repeated in the message.
pub(super) fn secrets(desk: &mut Desk) {
    let text = std::sync::Arc::clone(&desk.source.text);
    let mut seen: Vec<Range<usize>> = Vec::new();
    for pattern in PATTERNS.iter().filter_map(|pattern| Regex::new(pattern).ok()) {
        for found in pattern.find_iter(&text) {
            if !seen.iter().any(|other| other.contains(&found.start())) {
                seen.push(found.range());
            }
        }
    }
    for at in seen {
        desk.secret(at);
    }
}

/// `text` with everything that looks like a secret taken out.
pub(crate) fn redacted(text: &str) -> String {
    let patterns = PATTERNS.iter().filter_map(|pattern| Regex::new(pattern).ok());
    patterns.fold(text.to_owned(), |text, pattern| pattern.replace_all(&text, "***").into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_a_regular_expression() {
        assert!(PATTERNS.iter().all(|pattern| Regex::new(pattern).is_ok()));
    }
}
