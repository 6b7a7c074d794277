//! Texts with `${name}`, cut into pieces once, so that rendering only copies.
//!
//! Escaping belongs to the place a text is used in and is fixed when it is checked. Not here: where values come from.

use std::fmt::Write as _;

/// Number of a variable of a journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VarId(pub u16);

/// How a value is written into its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// As it is; a header or plain text. Line breaks and NUL are refused by the sender of a header.
    Plain,
    /// Percent-encoded: a path segment or a query value.
    Percent,
    /// A JSON string's inside: quotes, backslash and control characters escaped.
    Json,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Fixed text.
    Text(String),
    /// A variable's value.
    Var(VarId, Escape),
}

/// A precompiled text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// In order.
    pub pieces: Vec<Piece>,
}

impl Template {
    /// A template without variables.
    pub fn fixed(text: impl Into<String>) -> Self {
        Self { pieces: vec![Piece::Text(text.into())] }
    }

    /// The whole text when it has no variables.
    pub fn as_fixed(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The variables it uses.
    pub fn variables(&self) -> impl Iterator<Item = VarId> + '_ {
        self.pieces.iter().filter_map(|piece| if let Piece::Var(variable, _) = piece { Some(*variable) } else { None })
    }

    /// Writes the text with `value(var)` in its places.
    pub fn render<'a>(&self, value: impl Fn(VarId) -> &'a str, into: &mut String) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => into.push_str(text),
                Piece::Var(var, Escape::Plain) => into.push_str(value(*var)),
                Piece::Var(var, Escape::Percent) => percent(value(*var), into),
                Piece::Var(var, Escape::Json) => json(value(*var), into),
            }
        }
    }
}

/// RFC 3986: everything but unreserved characters is encoded.
fn percent(text: &str, into: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push('%');
            into.push(char::from(HEX[usize::from(byte >> 4)]));
            into.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

fn json(text: &str, into: &mut String) {
    for c in text.chars() {
        match c {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\t' => into.push_str("\\t"),
            c if u32::from(c) < 0x20 => drop(write!(into, "\\u{:04x}", u32::from(c))),
            c => into.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_for_their_place() {
        for (escape, want) in
            [(Escape::Plain, "a/\"b\n"), (Escape::Percent, "a%2F%22b%0A"), (Escape::Json, "a/\\\"b\\n")]
        {
            let template = Template {
                pieces: vec![Piece::Text("<".into()), Piece::Var(VarId(0), escape), Piece::Text(">".into())],
            };
            let mut text = String::new();
            template.render(|_| "a/\"b\n", &mut text);
            assert_eq!(text, format!("<{want}>"));
        }
    }
}
