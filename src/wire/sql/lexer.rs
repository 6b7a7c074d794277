//! SQL text as tokens: words, quoted names, literals, parameters, symbols; comments and space are dropped.
//!
//! Pure, and total: whatever the bytes, every call ends, and an unclosed quote reaches to the end. PostgreSQL's rules where
//! dialects differ: nested comments, dollar quotes, `E''`. Not here: what the tokens mean (`verbs`, `tables`, `fingerprint`).

/// One token. Texts are as written; compare words without regard to case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// An unquoted name or keyword.
    Word(&'a str),
    /// A name in double quotes, without them; a doubled quote stays doubled.
    Quoted(&'a str),
    /// A string, number, or bit string, whose value nobody may learn.
    Literal,
    /// `$1`.
    Parameter,
    /// An operator or a mark, one character each.
    Symbol(u8),
}

impl Token<'_> {
    /// The unquoted word `word`, given in lower case.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text.eq_ignore_ascii_case(word))
    }

    /// One of the unquoted words `words`, given in lower case.
    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    /// The mark `mark`.
    pub(super) fn is_mark(&self, mark: u8) -> bool {
        *self == Self::Symbol(mark)
    }
}

/// The tokens of `text`, in order.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { text, bytes: text.as_bytes(), at: 0 };
    let mut found = Vec::with_capacity(text.len() / 5);
    while let Some(token) = lexer.next_token() {
        found.push(token);
    }
    found
}

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

fn starts_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn goes_on(byte: u8) -> bool {
    starts_word(byte) || byte.is_ascii_digit() || byte == b'$'
}

impl<'a> Lexer<'a> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    fn next_token(&mut self) -> Option<Token<'a>> {
        self.skip_blank();
        let byte = *self.bytes.get(self.at)?;
        Some(match byte {
            b'\'' => self.string(false),
            b'"' => self.quoted(),
            b'0'..=b'9' => self.number(),
            b'.' if self.peek(1).is_ascii_digit() => self.number(),
            b'$' => self.dollar(),
            _ if starts_word(byte) => self.word(),
            _ => {
                self.at += 1;
                Token::Symbol(byte)
            }
        })
    }

    fn skip_blank(&mut self) {
        loop {
            match (self.peek(0), self.peek(1)) {
                (b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c, _) => self.at += 1,
                (b'-', b'-') => self.at = self.past(b"\n"),
                (b'/', b'*') => self.comment(),
                _ => return,
            }
        }
    }

    /// The place after the next `mark`, or the end.
    fn past(&self, mark: &[u8]) -> usize {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let found = rest.windows(mark.len()).position(|window| window == mark);
        found.map_or(self.bytes.len(), |found| self.at + found + mark.len())
    }

    fn comment(&mut self) {
        let mut depth = 0_u32;
        while self.at < self.bytes.len() {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => depth += 1,
                (b'*', b'/') => depth -= 1,
                _ => {
                    self.at += 1;
                    continue;
                }
            }
            self.at += 2;
            if depth == 0 {
                return;
            }
        }
    }

    /// From its opening quote; with `escapes`, a backslash guards the byte behind it.
    fn string(&mut self, escapes: bool) -> Token<'a> {
        self.at += 1;
        while self.at < self.bytes.len() {
            match (self.peek(0), self.peek(1)) {
                (b'\\', _) if escapes => self.at += 2,
                (b'\'', b'\'') => self.at += 2,
                (b'\'', _) => {
                    self.at += 1;
                    return Token::Literal;
                }
                _ => self.at += 1,
            }
        }
        self.at = self.bytes.len();
        Token::Literal
    }

    fn quoted(&mut self) -> Token<'a> {
        let from = self.at + 1;
        self.at = from;
        while self.at < self.bytes.len() {
            match (self.peek(0), self.peek(1)) {
                (b'"', b'"') => self.at += 2,
                (b'"', _) => {
                    self.at += 1;
                    return Token::Quoted(self.slice(from, self.at - 1));
                }
                _ => self.at += 1,
            }
        }
        Token::Quoted(self.slice(from, self.bytes.len()))
    }

    fn number(&mut self) -> Token<'a> {
        while matches!(self.peek(0), b'0'..=b'9' | b'.' | b'_' | b'a'..=b'z' | b'A'..=b'Z')
            || (matches!(self.peek(0), b'+' | b'-') && self.at > 0 && matches!(self.bytes[self.at - 1], b'e' | b'E'))
        {
            self.at += 1;
        }
        Token::Literal
    }

    /// `$1`, `$$text$$`, `$tag$text$tag$`, or a lone mark.
    fn dollar(&mut self) -> Token<'a> {
        if self.peek(1).is_ascii_digit() {
            self.at += 2;
            while self.peek(0).is_ascii_digit() {
                self.at += 1;
            }
            return Token::Parameter;
        }
        let mut end = self.at + 1;
        while self.bytes.get(end).is_some_and(|byte| starts_word(*byte) || byte.is_ascii_digit()) {
            end += 1;
        }
        if self.bytes.get(end) != Some(&b'$') {
            self.at += 1;
            return Token::Symbol(b'$');
        }
        let tag = self.bytes.get(self.at..=end).unwrap_or_default();
        self.at = end + 1;
        self.at = self.past(tag);
        Token::Literal
    }

    fn word(&mut self) -> Token<'a> {
        let from = self.at;
        while goes_on(self.peek(0)) {
            self.at += 1;
        }
        let word = self.slice(from, self.at);
        if self.peek(0) == b'\'' {
            match word {
                "e" | "E" => return self.string(true),
                "b" | "B" | "x" | "X" | "n" | "N" => return self.string(false),
                _ => {}
            }
        }
        if self.peek(0) == b'&' && matches!(word, "u" | "U") {
            match self.peek(1) {
                b'\'' => {
                    self.at += 1;
                    return self.string(false);
                }
                b'"' => {
                    self.at += 1;
                    return self.quoted();
                }
                _ => {}
            }
        }
        Token::Word(word)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn literals_of_every_kind_are_one_token_without_their_value() {
        let texts = [
            "'it''s'",
            "E'a\\'b'",
            "$$a 'b' $x$ $$",
            "$t$ $$ $t$",
            "1.5e-3",
            ".5",
            "0xFF",
            "1_000",
            "b'01'",
            "U&'x'",
            "n'x'",
        ];
        for text in texts {
            assert_eq!(tokens(text), [Token::Literal], "{text}");
        }
    }

    #[test]
    fn comments_nest_and_reach_to_the_end_when_unclosed() {
        assert_eq!(tokens("a /* b /* c */ d */ e"), [Token::Word("a"), Token::Word("e")]);
        assert_eq!(tokens("a -- b ' \n e"), [Token::Word("a"), Token::Word("e")]);
        assert_eq!(tokens("a /* b"), [Token::Word("a")]);
        assert_eq!(tokens("a 'b"), [Token::Word("a"), Token::Literal]);
    }

    #[test]
    fn names_parameters_and_marks_keep_apart() {
        let found = tokens("\"A\"\"b\".c=$12;$");
        let marks = [Token::Quoted("A\"\"b"), Token::Symbol(b'.'), Token::Word("c"), Token::Symbol(b'=')];
        assert_eq!(found[..4], marks);
        assert_eq!(found[4..], [Token::Parameter, Token::Symbol(b';'), Token::Symbol(b'$')]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "\\PC*", dense in "[-'\"$/*a1 ;\\\\eE.&u(]{0,40}") {
            let (long, short) = (tokens(&text), tokens(&dense));
            prop_assert!(long.len() <= text.len() && short.len() <= dense.len());
        }
    }
}
