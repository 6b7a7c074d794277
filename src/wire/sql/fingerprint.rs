//! The shape of a text: comments and space gone, unquoted names in lower case, values as `?`, lists folded.
//!
//! Pure. The shape holds no value of the text, so it may be written and shown. Called by `Shape`.

use super::lexer::Token;

/// Words after which a sign belongs to the number behind it.
const BEFORE_VALUE: [&str; 18] = [
    "select",
    "limit",
    "offset",
    "values",
    "and",
    "or",
    "then",
    "else",
    "when",
    "in",
    "between",
    "set",
    "return",
    "by",
    "where",
    "like",
    "not",
    "returning",
];

/// The shape of `tokens`.
pub(super) fn shape(tokens: &[Token<'_>]) -> String {
    let mut pieces: Vec<String> = Vec::with_capacity(tokens.len());
    let mut opened = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Word(word) => pieces.push(word.to_lowercase()),
            Token::Quoted(name) => pieces.push(format!("\"{name}\"")),
            Token::Literal | Token::Parameter => value(&mut pieces),
            Token::Symbol(b'(') => {
                opened.push(pieces.len());
                pieces.push("(".to_owned());
            }
            Token::Symbol(b')') => {
                pieces.push(")".to_owned());
                if let Some(from) = opened.pop() {
                    fold(&mut pieces, from);
                }
            }
            Token::Symbol(b';') if tokens.get(at + 1..).is_none_or(<[_]>::is_empty) => {}
            Token::Symbol(mark) => pieces.push(char::from(*mark).to_string()),
        }
    }
    joined(&pieces)
}

/// Adds a value, and takes the sign that belongs to it.
fn value(pieces: &mut Vec<String>) {
    if let [.., before, sign] = pieces.as_slice()
        && matches!(sign.as_str(), "-" | "+")
        && (matches!(before.as_str(), "(" | "," | "=" | "<" | ">") || BEFORE_VALUE.contains(&before.as_str()))
    {
        pieces.pop();
    }
    pieces.push("?".to_owned());
}

/// Folds the group that opens at `from` and has just been closed: `(?, ?)` to `(?)`, and a second equal group to the first.
fn fold(pieces: &mut Vec<String>, from: usize) {
    let inner = pieces.get(from + 1..pieces.len() - 1).unwrap_or_default();
    let listed =
        inner.len() > 1 && inner.iter().enumerate().all(|(at, piece)| piece == if at % 2 == 0 { "?" } else { "," });
    if listed {
        pieces.truncate(from);
        pieces.extend(["(", "?", ")"].map(str::to_owned));
    }
    let size = pieces.len() - from;
    let twin = from.checked_sub(size + 1).and_then(|start| pieces.get(start..from));
    if let Some([first @ .., comma]) = twin
        && comma == ","
        && Some(first) == pieces.get(from..)
    {
        pieces.truncate(from - 1);
    }
}

fn joined(pieces: &[String]) -> String {
    let mut text = String::new();
    for piece in pieces {
        let tight = matches!(piece.as_str(), "," | ")" | ";" | ".") || text.ends_with(['(', '.']) || text.is_empty();
        let call = piece == "(" && text.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if !tight && !call {
            text.push(' ');
        }
        text.push_str(piece);
    }
    text
}

/// FNV-1a over the shape, with Murmur3's finaliser: equal on every machine.
pub(super) fn number(shape: &str) -> u64 {
    let mixed = shape
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let first = (mixed ^ (mixed >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let second = (first ^ (first >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    second ^ (second >> 33)
}
