//! How large things may be: functions, files, structs, argument lists; and no `bool` parameters.

use super::source::{Source, closing};
use super::{Rule, Violation};

const FUNCTION_LINES: usize = 60;
const FILE_LINES: usize = 350;
const FILE_LINES_HARD: usize = 450;
const FIELDS: usize = 12;
const ARGUMENTS: usize = 5;

/// One function: its name, where its parameters stand, and where its body ends.
struct Function<'a> {
    name: &'a str,
    line: usize,
    public: bool,
    /// Positions of the parentheses.
    parameters: (usize, usize),
    /// Position of the closing brace; None for a declaration.
    end: Option<usize>,
}

fn functions(file: &Source) -> Vec<Function<'_>> {
    (0..file.code.len()).filter(|&at| file.word(at) == "fn").filter_map(|at| function(file, at)).collect()
}

/// The function at the `fn` at `at`; None for a function type.
fn function(file: &Source, at: usize) -> Option<Function<'_>> {
    let name = file.word(at + 1);
    if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        return None;
    }
    let open = parameters_after(file, at + 2)?;
    let close = closing(&file.code, open);
    let mut after = close + 1;
    let end = loop {
        match file.word(after) {
            "" | ";" => break None,
            "{" => break Some(closing(&file.code, after)),
            "(" | "[" => after = closing(&file.code, after) + 1,
            _ => after += 1,
        }
    };
    Some(Function { name, line: file.code[at].line, public: is_public(file, at), parameters: (open, close), end })
}

/// The parenthesis of the parameters: the first outside `<…>`, as generics may hold `Fn(u8)`.
fn parameters_after(file: &Source, mut at: usize) -> Option<usize> {
    let mut angle = 0_i32;
    loop {
        match file.word(at) {
            "" => return None,
            "<" => angle += 1,
            ">" => angle -= 1,
            "(" if angle == 0 => return Some(at),
            _ => {}
        }
        at += 1;
    }
}

/// Whether `pub`, in any of its forms, stands before the `fn` at `at`.
fn is_public(file: &Source, mut at: usize) -> bool {
    while at > 0 {
        at -= 1;
        match file.word(at) {
            "const" | "async" | "unsafe" | "extern" | "\"" => {}
            "pub" => return true,
            ")" => {
                let open = (0..at).rev().find(|&n| file.word(n) == "(").unwrap_or(0);
                return open > 0 && file.word(open - 1) == "pub";
            }
            _ => return false,
        }
    }
    false
}

/// Positions of the colons between names and types that stand directly inside the brackets at `open`.
fn colons(file: &Source, open: usize) -> Vec<usize> {
    let end = closing(&file.code, open);
    let (mut at, mut angle, mut found) = (open + 1, 0_i32, Vec::new());
    while at < end {
        match file.word(at) {
            "(" | "[" | "{" => at = closing(&file.code, at),
            "<" => angle += 1,
            ">" => angle -= 1,
            ":" if angle == 0 => found.push(at),
            _ => {}
        }
        at += 1;
    }
    found
}

/// A function fits on a screen.
pub(super) fn function_length(files: &[Source]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files {
        for function in functions(file) {
            let lines = function.end.map_or(0, |end| file.code[end].line - function.line + 1);
            if lines > FUNCTION_LINES {
                let says = format!("`{}` has {lines} lines; {FUNCTION_LINES} are allowed", function.name);
                found.push(Violation::new(Rule::FunctionLength, file, function.line, says));
            }
        }
    }
    found
}

/// A file holds one idea. Between the two limits it needs an exception with a reason.
pub(super) fn file_length(files: &[Source]) -> Vec<Violation> {
    let long = files.iter().filter(|file| file.lines > FILE_LINES && !file.is_test());
    long.map(|file| {
        Violation::new(Rule::FileLength, file, 1, format!("{} lines; {FILE_LINES} are allowed", file.lines))
    })
    .collect()
}

/// No exception helps a file beyond this.
pub(super) fn file_length_hard(files: &[Source]) -> Vec<Violation> {
    let long = files.iter().filter(|file| file.lines > FILE_LINES_HARD);
    let says = |file: &Source| format!("{} lines; beyond {FILE_LINES_HARD} nothing excuses it", file.lines);
    long.map(|file| Violation::new(Rule::FileLengthHard, file, 1, says(file))).collect()
}

/// A struct of many fields is several ideas. `spec` mirrors files and is free.
pub(super) fn fields(files: &[Source]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !file.is_in("spec")) {
        for at in (0..file.code.len()).filter(|&at| file.word(at) == "struct") {
            let body = (at..file.code.len()).find(|&n| matches!(file.word(n), "{" | ";" | "("));
            let count = body.filter(|&n| file.word(n) == "{").map_or(0, |open| colons(file, open).len());
            if count > FIELDS {
                let says = format!("`{}` has {count} fields; {FIELDS} are allowed", file.word(at + 1));
                found.push(Violation::new(Rule::Fields, file, file.code[at].line, says));
            }
        }
    }
    found
}

/// A long argument list is a struct that nobody named. `self` is not counted.
pub(super) fn arguments(files: &[Source]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files {
        for function in functions(file) {
            let parameters = colons(file, function.parameters.0);
            let count = parameters.iter().filter(|&&colon| file.word(colon - 1) != "self").count();
            if count > ARGUMENTS {
                let says = format!("`{}` takes {count} arguments; {ARGUMENTS} are allowed", function.name);
                found.push(Violation::new(Rule::Arguments, file, function.line, says));
            }
        }
    }
    found
}

/// `heal(true)` says nothing at the place of the call: an enum does.
pub(super) fn bools(files: &[Source]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !file.is_test()) {
        for function in functions(file).into_iter().filter(|function| function.public) {
            for colon in colons(file, function.parameters.0) {
                let ends = colon + 2 == function.parameters.1 || file.word(colon + 2) == ",";
                if file.word(colon + 1) == "bool" && ends {
                    let says = format!("`{}` takes a bool named `{}`", function.name, file.word(colon - 1));
                    found.push(Violation::new(Rule::Bools, file, function.line, says));
                }
            }
        }
    }
    found
}
