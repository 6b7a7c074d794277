//! The house rules as tests: floors, borders, budgets, names. `planted` proves that each of them bites.
//!
//! Adding an exception is allowed and visible: one line in [`EXCEPTIONS`] with its reason.

mod arrows;
mod names;
mod planted;
mod shape;
mod source;

use std::fs;
use std::path::Path;

use source::Source;

/// A place where a rule is knowingly broken.
struct Exception {
    rule: Rule,
    path: &'static str,
    reason: &'static str,
}

/// All of them. [`Rule::FileLengthHard`] takes none.
const EXCEPTIONS: &[Exception] = &[
    Exception {
        rule: Rule::Fields,
        path: "src/judge/account/mod.rs",
        reason: "an account is read by field in every document; grouping its instants would only lengthen their names",
    },
    Exception {
        rule: Rule::Fields,
        path: "src/plan/load.rs",
        reason: "a plan is the scenario's parts side by side, as its author wrote them; grouping them would hide what there is",
    },
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Floors,
    Borders,
    Pure,
    Speech,
    FunctionLength,
    FileLength,
    FileLengthHard,
    Fields,
    Arguments,
    Bools,
    Opening,
    ModuleFiles,
    Words,
}

impl Rule {
    const ALL: [Self; 13] = [
        Self::Floors,
        Self::Borders,
        Self::Pure,
        Self::Speech,
        Self::FunctionLength,
        Self::FileLength,
        Self::FileLengthHard,
        Self::Fields,
        Self::Arguments,
        Self::Bools,
        Self::Opening,
        Self::ModuleFiles,
        Self::Words,
    ];

    fn violations(self, files: &[Source]) -> Vec<Violation> {
        match self {
            Self::Floors => arrows::floors(files),
            Self::Borders => arrows::borders(files),
            Self::Pure => arrows::pure(files),
            Self::Speech => arrows::speech(files),
            Self::FunctionLength => shape::function_length(files),
            Self::FileLength => shape::file_length(files),
            Self::FileLengthHard => shape::file_length_hard(files),
            Self::Fields => shape::fields(files),
            Self::Arguments => shape::arguments(files),
            Self::Bools => shape::bools(files),
            Self::Opening => names::opening(files),
            Self::ModuleFiles => names::module_files(files),
            Self::Words => names::words(files),
        }
    }
}

/// One broken rule at one place.
#[derive(Debug)]
struct Violation {
    rule: Rule,
    path: String,
    line: usize,
    says: String,
}

impl Violation {
    fn new(rule: Rule, file: &Source, line: usize, says: String) -> Self {
        Self { rule, path: file.path.clone(), line, says }
    }

    fn is_excused_by(&self, exception: &Exception) -> bool {
        self.rule == exception.rule && self.path == exception.path && self.rule != Rule::FileLengthHard
    }
}

/// Every Rust file of the package, ordered by path.
fn package() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches", "examples"] {
        collect(root, &root.join(folder), &mut files);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn collect(root: &Path, folder: &Path, into: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect(root, &path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            into.push(Source::new(&name, &fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn the_house_is_in_order() {
    let files = package();
    assert!(files.iter().any(|file| file.path == "src/lib.rs"), "the sources were not found");
    let all = Rule::ALL.iter().flat_map(|rule| rule.violations(&files));
    let unexcused = all.filter(|violation| !EXCEPTIONS.iter().any(|exception| violation.is_excused_by(exception)));
    let lines: Vec<String> = unexcused.map(|v| format!("{}:{}: {:?}: {}", v.path, v.line, v.rule, v.says)).collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}

#[test]
fn every_exception_has_a_reason_and_is_still_needed() {
    let files = package();
    for exception in EXCEPTIONS {
        assert!(exception.reason.len() > 10, "{:?} {}: say why", exception.rule, exception.path);
        let needed = exception.rule.violations(&files).iter().any(|violation| violation.is_excused_by(exception));
        assert!(needed, "{:?} {}: nothing left to excuse, remove it", exception.rule, exception.path);
    }
}
