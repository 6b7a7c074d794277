//! A source file as the house rules see it: tokens with their lines, without comments, text literals or test items.
//!
//! A lexer, not a parser: it knows where strings, comments and characters end, so that no rule mistakes prose for code.

use std::ops::Range;

/// One token: a word, a lifetime, `::`, `->`, `=>`, or one character; any text literal is `"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    /// Counted from 1.
    pub(super) line: usize,
}

/// A file of the package with everything the rules ask about it.
pub(super) struct Source {
    /// From the package's root: `src/load/open.rs`.
    pub(super) path: String,
    pub(super) text: String,
    /// Code that is compiled into the program; items under `#[cfg(test)]` are gone.
    pub(super) code: Vec<Token>,
    /// Lines, without those of items under `#[cfg(test)]`.
    pub(super) lines: usize,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let mut code = tokens(text);
        let mut lines = text.lines().count();
        while let Some(item) = test_item(&code) {
            lines -= code[item.end - 1].line - code[item.start].line + 1;
            code.drain(item);
        }
        Self { path: path.to_owned(), text: text.to_owned(), code, lines }
    }

    /// Whether the whole file is test code.
    pub(super) fn is_test(&self) -> bool {
        self.path.starts_with("tests/") || self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// The module path below the crate: `load::open`; empty for `lib.rs` and `main.rs`.
    pub(super) fn module(&self) -> Vec<&str> {
        let inside = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        let mut parts: Vec<&str> = inside.split('/').collect();
        if matches!(parts.last(), Some(&("mod" | "lib" | "main"))) {
            parts.pop();
        }
        parts
    }

    /// Whether the file lies in `room`, written `fault::rule`.
    pub(super) fn is_in(&self, room: &str) -> bool {
        let module = self.module().join("::");
        module == room || module.strip_prefix(room).is_some_and(|rest| rest.starts_with("::"))
    }

    pub(super) fn word(&self, at: usize) -> &str {
        self.code.get(at).map_or("", |token| token.text.as_str())
    }
}

/// Position of the token that closes the bracket at `open`; the last token if nothing does.
pub(super) fn closing(code: &[Token], open: usize) -> usize {
    let mut depth = 0_i32;
    for (at, token) in code.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    code.len() - 1
}

/// The first item under `#[cfg(test)]` or `#[cfg(all(test, …))]`, its attributes included.
fn test_item(code: &[Token]) -> Option<Range<usize>> {
    let start = (0..code.len()).find(|&at| {
        let head: Vec<&str> = code.iter().skip(at).take(7).map(|t| t.text.as_str()).collect();
        head.starts_with(&["#", "[", "cfg", "(", "test", ")"]) || head == ["#", "[", "cfg", "(", "all", "(", "test"]
    })?;
    let mut at = start;
    while at < code.len() && code[at].text == "#" {
        at = closing(code, at + 1) + 1;
    }
    Some(start..end_of_item(code, at))
}

/// Past the end of the item, field or variant that starts at `at`.
fn end_of_item(code: &[Token], mut at: usize) -> usize {
    const ITEMS: [&str; 13] = [
        "pub",
        "fn",
        "mod",
        "use",
        "struct",
        "enum",
        "impl",
        "trait",
        "const",
        "static",
        "type",
        "async",
        "macro_rules",
    ];
    let is_item = code.get(at).is_some_and(|t| ITEMS.contains(&t.text.as_str()));
    let is_use = code.iter().skip(at).take(5).any(|t| t.text == "use");
    while at < code.len() {
        match code[at].text.as_str() {
            ";" => return at + 1,
            "," if !is_item => return at + 1,
            "{" if !is_use => return closing(code, at) + 1,
            "}" => return at,
            "(" | "[" | "{" => at = closing(code, at) + 1,
            _ => at += 1,
        }
    }
    at
}

/// Splits a text into tokens.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { chars: text.chars().collect(), at: 0, line: 1, found: Vec::new() };
    while lexer.at < lexer.chars.len() {
        lexer.step();
    }
    lexer.found
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    found: Vec<Token>,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn advance(&mut self, by: usize) {
        for _ in 0..by {
            if self.peek(0) == '\n' {
                self.line += 1;
            }
            self.at += 1;
        }
    }

    fn push(&mut self, text: impl Into<String>, length: usize) {
        self.found.push(Token { text: text.into(), line: self.line });
        self.advance(length);
    }

    fn step(&mut self) {
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => {
                while self.at < self.chars.len() && self.peek(0) != '\n' {
                    self.advance(1);
                }
            }
            ('/', '*') => self.block_comment(),
            ('"', _) => self.text(),
            ('\'', _) => self.quote(),
            (c, _) if c.is_whitespace() => self.advance(1),
            (c, _) if c.is_alphanumeric() || c == '_' => self.word(),
            (':', ':') => self.push("::", 2),
            ('-', '>') => self.push("->", 2),
            ('=', '>') => self.push("=>", 2),
            (c, _) => self.push(c, 1),
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while self.at < self.chars.len() {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => {
                    depth += 1;
                    self.advance(2);
                }
                ('*', '/') => {
                    depth -= 1;
                    self.advance(2);
                }
                _ => self.advance(1),
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn text(&mut self) {
        self.push('"', 1);
        while self.at < self.chars.len() && self.peek(0) != '"' {
            self.advance(if self.peek(0) == '\\' { 2 } else { 1 });
        }
        self.advance(1);
    }

    /// `r"…"`, `r##"…"##`, with the cursor on the first `#` or the quote.
    fn raw_text(&mut self) {
        let mut hashes = 0;
        while self.peek(0) == '#' {
            hashes += 1;
            self.advance(1);
        }
        self.push('"', 1);
        while self.at < self.chars.len() {
            if self.peek(0) == '"' && (1..=hashes).all(|n| self.peek(n) == '#') {
                self.advance(1 + hashes);
                return;
            }
            self.advance(1);
        }
    }

    /// A character (`'a'`, `'\''`, `'\u{1F600}'`) or a lifetime (`'a`).
    fn quote(&mut self) {
        if self.peek(1) == '\\' {
            self.push('"', 3);
            while self.at < self.chars.len() && self.peek(0) != '\'' {
                self.advance(1);
            }
            self.advance(1);
        } else if self.peek(2) == '\'' {
            self.push('"', 3);
        } else {
            self.advance(1);
            let length = self.word_length();
            self.push('\'', length);
        }
    }

    fn word_length(&self) -> usize {
        self.chars[self.at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').count()
    }

    fn word(&mut self) {
        let length = self.word_length();
        let word: String = self.chars[self.at..self.at + length].iter().collect();
        let next = self.peek(length);
        if matches!(word.as_str(), "r" | "br" | "cr") && next == '#' && self.peek(length + 1).is_alphabetic() {
            // A raw identifier: `r#type`.
            self.advance(length + 1);
            self.word();
        } else if matches!(word.as_str(), "r" | "br" | "cr") && matches!(next, '"' | '#') {
            self.advance(length);
            self.raw_text();
        } else if matches!(word.as_str(), "b" | "c") && next == '"' {
            self.advance(1);
            self.text();
        } else if word == "b" && next == '\'' {
            self.advance(1);
            self.quote();
        } else {
            self.push(word, length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        tokens(text).iter().map(|t| t.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn prose_is_not_code() {
        assert_eq!(words("a // b\nc /* d /* e */ f */ g"), "a c g");
        assert_eq!(
            words(r##"x("tokio::spawn \" fn", r#"a " b"#, b"c", 'd', '\'', '{', b'"') y"##),
            "x ( \" , \" , \" , \" , \" , \" , \" ) y"
        );
        assert_eq!(words("fn f<'a>(x: &'a str) -> r#type"), "fn f < ' > ( x : & ' str ) -> type");
    }

    #[test]
    fn lines_are_counted_through_texts_and_comments() {
        let found = tokens("a\n\"x\ny\" /*\n*/ b");
        assert_eq!(found.last().map(|t| t.line), Some(4));
    }

    #[test]
    fn only_items_under_test_are_left_out() {
        let text = "fn a() {}\n#[cfg(test)]\nuse x::{y, z};\nfn b() {}\n#[cfg(test)]\n#[expect(q)]\nmod tests {\n  fn c() {}\n}\nfn d() {}\n";
        let source = Source::new("src/a.rs", text);
        let names: Vec<&str> = source
            .code
            .iter()
            .map(|t| t.text.as_str())
            .filter(|t| t.len() == 1 && t.chars().all(char::is_alphabetic))
            .collect();
        assert_eq!(names, ["a", "b", "d"]);
        assert_eq!(source.lines, 3);
    }

    #[test]
    fn the_opposite_of_test_is_kept() {
        let source = Source::new("src/a.rs", "#[cfg(not(test))]\nfn a() {}\n#[cfg(all(test, unix))]\nfn b() {}\n");
        assert!(source.code.iter().any(|t| t.text == "a") && source.code.iter().all(|t| t.text != "b"));
    }
}
