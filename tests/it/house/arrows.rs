//! Which room may use what: floors, borders of foreign crates, rooms without an async runtime.
//!
//! Tests are free: they may look into any room and use any crate.

use super::source::{Source, closing};
use super::{Rule, Violation};

/// Bottom to top. Rooms on one floor do not know each other.
const FLOORS: [&[&str]; 8] = [
    &["base"],
    &["stats", "wire", "measure"],
    &["spec"],
    &["plan"],
    &["load", "fault", "learn", "judge", "staging"],
    &["drill", "fleet", "report"],
    &["console"],
    &["cli"],
];

/// Foreign crates, and the only rooms that name them.
const BORDERS: [(&[&str], &[&str]); 18] = [
    (&["clap", "clap_complete"], &["cli"]),
    (&["indicatif"], &["report::live", "cli::term"]),
    (&["plotters"], &["report::html::chart"]),
    (&["ron"], &["spec", "learn::emit"]),
    (
        &["tokio"],
        &[
            "base::clock",
            "base::timer",
            "base::stop",
            "load",
            "fault",
            "staging",
            "drill::stage",
            "drill::lever",
            "drill::keeper",
            "drill::recover",
            "fleet",
            "console",
            "cli",
        ],
    ),
    (
        &["hyper", "hyper_util", "http_body_util", "h2"],
        &["load::client", "fault::rule", "fault::api", "staging", "console", "drill::lever"],
    ),
    (&["rustls", "tokio_rustls", "rustls_platform_verifier"], &["load", "fault", "staging"]),
    (&["rand", "rand_xoshiro", "siphasher"], &["base::seed"]),
    (&["hdrhistogram"], &["measure::histogram"]),
    (&["rustix"], &["base::clock", "base::timer", "load", "fault", "measure::host", "drill::lever"]),
    (&["async_nats"], &["fleet::nats"]),
    (&["ring"], &["base::digest"]),
    (&["maud"], &["report::html", "console"]),
    (&["miette"], &["cli::term"]),
    (&["flate2"], &["measure::record", "measure::histogram", "learn", "report::html", "load::client"]),
    (&["brotli_decompressor"], &["load::client"]),
    (&["tokio_postgres", "deadpool_postgres"], &["staging::store"]),
    (&["pgwire", "rusqlite"], &["staging::store::embedded"]),
];

/// Rooms that decide and never wait.
const PURE: [&str; 11] = [
    "stats",
    "wire",
    "measure",
    "spec",
    "plan",
    "judge",
    "learn",
    "drill::director",
    "fault::chain",
    "fault::toxic",
    "fault::rule",
];

/// The rooms that speak to the terminal and know the exit code.
const SPEAKERS: [&str; 2] = ["cli", "report::terminal"];

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn production(files: &[Source]) -> impl Iterator<Item = &Source> {
    files.iter().filter(|file| file.path.starts_with("src/") && !file.is_test())
}

/// Every path into another room must name a lower floor.
pub(super) fn floors(files: &[Source]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in production(files) {
        let Some(&room) = file.module().first() else { continue };
        let Some(here) = floor(room) else {
            found.push(Violation::new(Rule::Floors, file, 1, format!("room `{room}` stands on no floor")));
            continue;
        };
        for (there, line) in mentions(file) {
            if there != room && floor(&there).is_some_and(|other| other >= here) {
                let says = format!("`{room}` reaches up or sideways to `{there}`");
                found.push(Violation::new(Rule::Floors, file, line, says));
            }
        }
    }
    found
}

/// The words that follow `crate::`, or as many `super::` as lead out of the room, with their lines.
fn mentions(file: &Source) -> Vec<(String, usize)> {
    let depth = file.module().len();
    let mut found = Vec::new();
    for at in 0..file.code.len() {
        let supers = (0..file.code.len())
            .take_while(|n| file.word(at + 2 * n) == "super" && file.word(at + 2 * n + 1) == "::")
            .count();
        let starts_chain = at == 0 || file.word(at - 1) != "::";
        let root = if file.word(at) == "crate" && file.word(at + 1) == "::" {
            at + 2
        } else if supers == depth && supers > 0 && starts_chain {
            at + 2 * supers
        } else {
            continue;
        };
        found.extend(branches(file, root).into_iter().map(|n| (file.word(n).to_owned(), file.code[n].line)));
    }
    found
}

/// Positions of the first words of the use tree at `root`: one, or one per branch of `{a::b, c}`.
fn branches(file: &Source, root: usize) -> Vec<usize> {
    if file.word(root) != "{" {
        return if root < file.code.len() { vec![root] } else { Vec::new() };
    }
    let end = closing(&file.code, root);
    let (mut at, mut found, mut fresh) = (root + 1, Vec::new(), true);
    while at < end {
        match file.word(at) {
            "{" => at = closing(&file.code, at),
            "," => fresh = true,
            _ if fresh => {
                found.push(at);
                fresh = false;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// A foreign crate is named only in the rooms that wrap it.
pub(super) fn borders(files: &[Source]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in production(files) {
        for at in 0..file.code.len() {
            let word = file.word(at);
            let Some((_, rooms)) = BORDERS.iter().find(|(crates, _)| crates.contains(&word)) else { continue };
            if names_a_crate(file, at) && !rooms.iter().any(|room| file.is_in(room)) {
                let says = format!("`{word}` belongs to {}", rooms.join(", "));
                found.push(Violation::new(Rule::Borders, file, file.code[at].line, says));
            }
        }
    }
    found
}

/// `tokio::`, `::tokio::`, `use tokio;`, `use {tokio::x}`, `extern crate tokio`; not `self::tokio::`, not a variable.
fn names_a_crate(file: &Source, at: usize) -> bool {
    let before = |n: usize| at.checked_sub(n).map_or("", |position| file.word(position));
    let is_word = |text: &str| text.chars().next().is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '>');
    if before(1) == "::" && is_word(before(2)) && !matches!(before(2), "use" | "return" | "in" | "as") {
        return false;
    }
    file.word(at + 1) == "::" || matches!(before(1), "use" | "crate")
}

/// Rooms that decide do not wait.
pub(super) fn pure(files: &[Source]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in production(files) {
        let Some(room) = PURE.iter().find(|room| file.is_in(room)) else { continue };
        for (at, token) in file.code.iter().enumerate() {
            let runtime = matches!(token.text.as_str(), "tokio" | "futures") && names_a_crate(file, at);
            if runtime || matches!(token.text.as_str(), "async" | "await") {
                let says = format!("`{}` in `{room}`, which never waits", token.text);
                found.push(Violation::new(Rule::Pure, file, token.line, says));
            }
        }
    }
    found
}

/// Only the speakers print, and only they end the process.
pub(super) fn speech(files: &[Source]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in production(files).filter(|file| !SPEAKERS.iter().any(|room| file.is_in(room))) {
        for (at, token) in file.code.iter().enumerate() {
            let prints =
                matches!(token.text.as_str(), "print" | "println" | "eprint" | "eprintln") && file.word(at + 1) == "!";
            let leaves = token.text == "process"
                && file.word(at + 1) == "::"
                && branches(file, at + 2).iter().any(|&n| matches!(file.word(n), "exit" | "abort"));
            if prints || leaves {
                let says = format!(
                    "`{}` belongs to {}",
                    if prints { &token.text } else { "process::exit" },
                    SPEAKERS.join(", ")
                );
                found.push(Violation::new(Rule::Speech, file, token.line, says));
            }
        }
    }
    found
}
