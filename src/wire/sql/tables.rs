//! Which tables a text names: what follows FROM, JOIN, INTO, UPDATE and TABLE, except names that `WITH` made.
//!
//! Pure. Views and functions are not seen through. Called by `Shape`.

use std::collections::BTreeSet;

use super::lexer::Token;

/// Words between the keyword and the name.
const FILL: [&str; 5] = ["only", "if", "not", "exists", "lateral"];
/// Words that end a list of tables or stand where no name is.
const STOPS: [&str; 14] = [
    "select", "set", "of", "nowait", "skip", "where", "values", "default", "with", "as", "on", "using", "order",
    "limit",
];
/// Words that open a query inside parentheses.
const QUERY: [&str; 7] = ["select", "with", "insert", "update", "delete", "values", "table"];
/// Keywords that may stand before a parenthesis without calling anything.
const NO_CALL: [&str; 26] = [
    "from",
    "join",
    "in",
    "exists",
    "as",
    "and",
    "or",
    "not",
    "on",
    "where",
    "select",
    "union",
    "all",
    "any",
    "some",
    "except",
    "intersect",
    "then",
    "else",
    "when",
    "materialized",
    "lateral",
    "values",
    "using",
    "having",
    "into",
];

/// The names, in lower case unless quoted, with their schema if it was written.
pub(super) fn tables(tokens: &[Token<'_>]) -> BTreeSet<String> {
    let made = made(tokens);
    let mut found = BTreeSet::new();
    // For each open parenthesis: whether it holds the arguments of a call.
    let mut calls = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Symbol(b'(') => calls.push(is_call(tokens, at)),
            Token::Symbol(b')') => drop(calls.pop()),
            Token::Word(_) => {
                let listed =
                    token.is_any(&["from"]) && !after(tokens, at, &["distinct"]) && calls.last() != Some(&true);
                let single = token.is_any(&["join", "into", "table", "truncate"]);
                let update = token.is("update") && !after(tokens, at, &["for", "key", "do", "on"]);
                if listed || single || update {
                    collect(tokens, at + 1, listed, &mut found);
                }
            }
            _ => {}
        }
    }
    found.retain(|name| !made.contains(name));
    found
}

fn after(tokens: &[Token<'_>], at: usize, words: &[&str]) -> bool {
    at.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|before| before.is_any(words))
}

fn is_call(tokens: &[Token<'_>], at: usize) -> bool {
    let named = at.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|before| match before {
        Token::Word(_) => !before.is_any(&NO_CALL),
        Token::Quoted(_) => true,
        _ => false,
    });
    named && !tokens.get(at + 1).is_some_and(|inner| inner.is_any(&QUERY))
}

/// The name at `at`, and behind commas when `list`.
fn collect(tokens: &[Token<'_>], mut at: usize, list: bool, found: &mut BTreeSet<String>) {
    loop {
        while tokens.get(at).is_some_and(|token| token.is_any(&FILL) || (list && opens_tables(tokens, at))) {
            at += 1;
        }
        let mut next = at;
        if let Some((name, behind)) = name(tokens, at) {
            next = behind;
            let called = list && tokens.get(next).is_some_and(|token| token.is_mark(b'('));
            if !called {
                found.insert(name);
            }
        }
        if !list {
            return;
        }
        // The arguments of a function, or a query, whose own tables are found by themselves.
        if tokens.get(next).is_some_and(|token| token.is_mark(b'(')) {
            next = past_group(tokens, next);
        }
        match comma(tokens, next) {
            Some(behind) => at = behind,
            None => return,
        }
    }
}

/// A parenthesis around a list or a join, and not around a query.
fn opens_tables(tokens: &[Token<'_>], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| token.is_mark(b'('))
        && !tokens.get(at + 1).is_some_and(|inner| inner.is_any(&QUERY))
}

/// The place behind the parenthesis that closes the one at `at`.
fn past_group(tokens: &[Token<'_>], at: usize) -> usize {
    let mut depth = 0_i32;
    for (place, token) in tokens.iter().enumerate().skip(at) {
        match token {
            Token::Symbol(b'(') => depth += 1,
            Token::Symbol(b')') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return place + 1;
        }
    }
    tokens.len()
}

/// A name with its dots, and the place behind it.
fn name(tokens: &[Token<'_>], mut at: usize) -> Option<(String, usize)> {
    let mut text = String::new();
    loop {
        match tokens.get(at)? {
            word @ Token::Word(plain) => {
                if text.is_empty() && word.is_any(&STOPS) {
                    return None;
                }
                text.push_str(&plain.to_lowercase());
            }
            Token::Quoted(quoted) => text.push_str(quoted),
            _ => return None,
        }
        at += 1;
        if !tokens.get(at).is_some_and(|token| token.is_mark(b'.')) {
            return Some((text, at));
        }
        text.push('.');
        at += 1;
    }
}

/// The place behind the comma that follows an optional alias.
fn comma(tokens: &[Token<'_>], mut at: usize) -> Option<usize> {
    if tokens.get(at).is_some_and(|token| token.is("as")) {
        at += 1;
    }
    if matches!(tokens.get(at), Some(Token::Word(_) | Token::Quoted(_))) {
        at += 1;
    }
    tokens.get(at).filter(|token| token.is_mark(b',')).map(|_| at + 1)
}

/// Names that a `WITH` makes: a word, perhaps a list of columns, then `AS (`.
fn made(tokens: &[Token<'_>]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if !tokens.iter().any(|token| token.is("with")) {
        return found;
    }
    for (at, token) in tokens.iter().enumerate() {
        let opens = token.is("as")
            && tokens
                .iter()
                .skip(at + 1)
                .find(|token| !token.is_any(&["not", "materialized"]))
                .is_some_and(|next| next.is_mark(b'('));
        if !opens {
            continue;
        }
        let mut before = at;
        if at > 0 && tokens[at - 1].is_mark(b')') {
            while before > 0 && !tokens[before].is_mark(b'(') {
                before -= 1;
            }
        }
        match before.checked_sub(1).and_then(|place| tokens.get(place)) {
            Some(Token::Word(word)) => drop(found.insert(word.to_lowercase())),
            Some(Token::Quoted(word)) => drop(found.insert((*word).to_owned())),
            _ => {}
        }
    }
    found
}
