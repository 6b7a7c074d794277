//! How files open, where modules stand, and which names say nothing.

use super::source::Source;
use super::{Rule, Violation};

/// Names that hold anything and therefore everything.
const BANNED: [&str; 10] =
    ["util", "utils", "common", "helper", "helpers", "manager", "managers", "imp", "impls", "misc"];

/// Every file says in its first line what it is.
pub(super) fn opening(files: &[Source]) -> Vec<Violation> {
    let silent = files.iter().filter(|file| !file.text.starts_with("//!") || file.text.starts_with("//!\n"));
    silent
        .map(|file| Violation::new(Rule::Opening, file, 1, "does not open with `//!` and a sentence".to_owned()))
        .collect()
}

/// A module with children lives in its folder: `foo/mod.rs`, never `foo.rs` beside `foo/`.
pub(super) fn module_files(files: &[Source]) -> Vec<Violation> {
    let has_folder = |file: &&Source| {
        let folder = format!("{}/", file.path.trim_end_matches(".rs"));
        files.iter().any(|other| other.path.starts_with(&folder))
    };
    let beside = files.iter().filter(has_folder);
    beside
        .map(|file| {
            Violation::new(
                Rule::ModuleFiles,
                file,
                1,
                "stands beside a folder of its name: move it to `mod.rs`".to_owned(),
            )
        })
        .collect()
}

/// Files, modules and types are named after what they hold.
pub(super) fn words(files: &[Source]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files {
        let parts = file.path.trim_end_matches(".rs").split(['/', '_']).map(str::to_owned);
        found.extend(parts.filter(|part| BANNED.contains(&part.as_str())).map(|part| empty(file, 1, &part)));
        for (at, token) in file.code.iter().enumerate() {
            let name = file.word(at + 1);
            let bad = match token.text.as_str() {
                "mod" => name.split('_').find(|part| BANNED.contains(part)).map(str::to_owned),
                "struct" | "enum" | "trait" | "type" => {
                    last_word(name).filter(|word| BANNED.contains(&word.as_str()) || word == "impl")
                }
                _ => None,
            };
            found.extend(bad.map(|word| empty(file, token.line, &word)));
        }
    }
    found
}

fn empty(file: &Source, line: usize, word: &str) -> Violation {
    Violation::new(Rule::Words, file, line, format!("the name `{word}` says nothing"))
}

/// `RunManager` ends in `manager`.
fn last_word(name: &str) -> Option<String> {
    name.rfind(char::is_uppercase).map(|at| name.split_at(at).1.to_lowercase())
}
