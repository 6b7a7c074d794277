//! Broken files and what is said about them: `tests/bad/<name>.ron` beside its `<name>.txt`. A missing text is written, to be read
//! and committed; everything else must stay as it is, to the letter.

use std::fs;
use std::path::Path;

use jiff::civil::date;
use squall::base::seed::Seed;
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
        FileKind::Proxies => match check::proxies(&mut files, path) {
            Ok((_, warnings)) | Err(warnings) => (warnings, Diagnostics::default()),
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

/// Files with a stretch taken out, doubled, or replaced: whatever an author's hand may do, the answer is a place, never a panic.
#[test]
fn no_torn_file_ends_the_program() {
    let night = fs::read_to_string("tests/bad/good/night.ron").unwrap();
    let mix = fs::read_to_string("tests/bad/good/mix.ron").unwrap();
    let mut stream = Seed(7).stream("torn files");
    let scraps =
        ["", "(", ")", "[", "]", "{", "}", "\"", ",", ":", "//", "/*", "${", "|", "-1", "NaN", "é", "None", "r#\""];
    for round in 0..600 {
        let mut texts = [night.clone(), mix.clone()];
        let text = &mut texts[round % 2];
        for _ in 0..=stream.below(2) {
            let places: Vec<usize> = text.char_indices().map(|(n, _)| n).chain([text.len()]).collect();
            let pick = |draw: u64| places[usize::try_from(draw).unwrap() % places.len()];
            let start = pick(stream.bits());
            let end = places.iter().copied().find(|n| *n >= start + usize::try_from(stream.below(12)).unwrap());
            let scrap = scraps[usize::try_from(stream.below(scraps.len() as u64)).unwrap()];
            text.replace_range(start..end.unwrap_or(text.len()), scrap);
        }
        let [night, mix] = texts;
        let held = [("a/night.ron".to_owned(), night.clone()), ("a/mix.ron".to_owned(), mix.clone())];
        let found = match check::drill(&mut Files::held(held), "a/night.ron", &DrillOptions::default()) {
            Ok((_, warnings)) => warnings,
            Err(found) => {
                assert!(found.has_errors(), "refused without a reason:\n{night}\n{mix}");
                found
            }
        };
        for one in &found.0 {
            assert!(one.place.line > 0 && one.place.column > 0 && !one.message.is_empty(), "{one}");
        }
    }
}
