//! Broken files and what is said about them: `tests/bad/<name>.ron` beside its `<name>.txt`. A missing text is written, to be read
//! and committed; everything else must stay as it is, to the letter.

use std::fs;
use std::path::Path;

use jiff::civil::date;
use squall::plan::check::{self, DrillOptions, FileKind, Files, ScenarioOptions};
use squall::plan::diagnostic::Diagnostics;
use squall::plan::guard::Guard;

/// Everything the library says about the file at `path`, as a command would: its check, then the guard without any list.
fn said(path: &str) -> Diagnostics {
    let mut files = Files::disk();
    let text = fs::read_to_string(path).expect("the file is there");
    let guard = Guard::default();
    let (mut found, more) = match check::kind_of(&text) {
        FileKind::Drill => match check::drill(&mut files, path, &DrillOptions::default()) {
            Ok((plan, warnings)) => (warnings, guard.judge_drill(&plan, path)),
            Err(found) => (found, Diagnostics::default()),
        },
        FileKind::Targets => match check::targets(&mut files, path, date(2026, 11, 20)) {
            Ok((_, warnings)) | Err(warnings) => (warnings, Diagnostics::default()),
        },
        FileKind::Scenario | FileKind::Journal => {
            match check::scenario(&mut files, path, &ScenarioOptions::default()) {
                Ok((plan, warnings)) => (warnings, guard.judge_load(&plan, path)),
                Err(found) => (found, Diagnostics::default()),
            }
        }
    };
    found.0.extend(more.0);
    found
}

#[test]
fn every_broken_file_is_told_all_its_mistakes_with_their_places() {
    let mut wrong = Vec::new();
    let mut count = 0;
    let mut paths: Vec<_> = fs::read_dir("tests/bad").unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "ron")) {
        count += 1;
        let found = said(path.to_str().unwrap());
        assert!(found.has_errors(), "{} has no mistake", path.display());
        let text: String = found.0.iter().map(ToString::to_string).collect();
        let golden = path.with_extension("txt");
        if !golden.exists() {
            fs::write(&golden, &text).unwrap();
        } else if fs::read_to_string(&golden).unwrap() != text {
            wrong.push(format!("{}: expected {}, but found\n{text}", path.display(), golden.display()));
        }
    }
    assert!(count >= 24, "only {count} broken files");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_expected_text_belongs_to_a_file() {
    for entry in fs::read_dir("tests/bad").unwrap() {
        let path = entry.unwrap().path();
        let is_alone = path.extension().is_some_and(|ending| ending == "txt") && !path.with_extension("ron").exists();
        assert!(!is_alone, "{} belongs to no file", path.display());
    }
}

#[test]
fn the_files_that_the_broken_ones_lean_on_have_no_mistake() {
    for name in ["mix.ron", "night.ron"] {
        let path = Path::new("tests/bad/good").join(name);
        let found = said(path.to_str().unwrap());
        assert!(found.0.is_empty(), "{}", found.0.iter().map(ToString::to_string).collect::<String>());
    }
}
