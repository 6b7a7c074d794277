//! Each rule against files with a planted violation, and against near misses that must pass.

use std::fmt::Write as _;

use super::source::Source;
use super::{Exception, Rule};

/// What `rule` says about one file that opens properly and holds `code`.
fn says(rule: Rule, path: &str, code: &str) -> Vec<String> {
    let file = Source::new(path, &format!("//! A file.\n{code}"));
    rule.violations(&[file]).into_iter().map(|violation| violation.says).collect()
}

fn bites(rule: Rule, path: &str, code: &str) {
    assert_eq!(says(rule, path, code).len(), 1, "{rule:?} on {path}: {code}");
}

fn passes(rule: Rule, path: &str, code: &str) {
    assert_eq!(says(rule, path, code), Vec::<String>::new(), "{rule:?} on {path}: {code}");
}

#[test]
fn imports_only_go_down() {
    bites(Rule::Floors, "src/judge/slo.rs", "use crate::load::Meter;");
    bites(Rule::Floors, "src/plan/mod.rs", "fn f() { crate::cli::main() }");
    bites(Rule::Floors, "src/stats/rank.rs", "use crate::{base::clock::Tick, measure::Interval};");
    bites(Rule::Floors, "src/load/mod.rs", "use super::fault::chain::Chain;");
    bites(Rule::Floors, "src/load/client/http.rs", "use super::super::super::fault;");
    bites(Rule::Floors, "src/attic/mod.rs", "");
    passes(Rule::Floors, "src/judge/slo.rs", "use crate::{plan::{self, load::Curve}, measure, judge::finding};");
    passes(
        Rule::Floors,
        "src/load/client/http.rs",
        "use super::super::trace; // crate::drill\nconst A: &str = \"crate::cli\";",
    );
    passes(Rule::Floors, "src/stats/rank.rs", "#[cfg(test)]\nmod tests { use crate::drill::Director; }");
    passes(Rule::Floors, "src/main.rs", "use squall::cli;");
}

#[test]
fn foreign_crates_stay_behind_their_borders() {
    bites(Rule::Borders, "src/plan/mod.rs", "use tokio::net::TcpStream;");
    bites(Rule::Borders, "src/cli/run.rs", "use {ron::Options};");
    bites(Rule::Borders, "src/drill/director/mod.rs", "fn f() { ::tokio::spawn(g()); }");
    bites(Rule::Borders, "src/staging/store/mod.rs", "use rusqlite as sqlite;");
    bites(Rule::Borders, "src/load/arrivals.rs", "#[derive(rand::Random)] struct A;");
    passes(Rule::Borders, "src/drill/stage.rs", "use tokio::sync::mpsc;");
    passes(Rule::Borders, "src/fault/api/mod.rs", "use hyper::Request;");
    passes(Rule::Borders, "src/staging/store/embedded/mod.rs", "use rusqlite::Connection;");
    passes(Rule::Borders, "src/judge/slo.rs", "use crate::measure::ring::Ring; let ring = ring + 1; self::ring::f();");
    passes(Rule::Borders, "src/judge/slo.rs", "#[cfg(test)]\nmod tests { use tokio::time; }");
    passes(Rule::Borders, "tests/it/run.rs", "use tokio::net::TcpListener;");
}

#[test]
fn rooms_that_decide_never_wait() {
    bites(Rule::Pure, "src/judge/slo.rs", "pub async fn f() {}");
    bites(Rule::Pure, "src/fault/toxic/latency.rs", "use tokio::time::Duration;");
    bites(Rule::Pure, "src/drill/director/mod.rs", "fn f() { g().await; }");
    passes(Rule::Pure, "src/fault/pump.rs", "pub async fn f() { g().await }");
    passes(Rule::Pure, "src/judge/slo.rs", "/// an async fn\nfn f(s: &str) -> bool { s == \"async\" }");
}

#[test]
fn only_the_speakers_print_or_leave() {
    bites(Rule::Speech, "src/load/open.rs", "fn f() { println!(\"x\"); }");
    bites(Rule::Speech, "src/report/html/page.rs", "fn f() { eprint!(\"x\"); }");
    bites(Rule::Speech, "src/load/open.rs", "fn f() { std::process::exit(1) }");
    bites(Rule::Speech, "src/load/open.rs", "use std::process::{Command, exit};");
    passes(Rule::Speech, "src/cli/run.rs", "fn f() { println!(\"x\"); std::process::exit(1) }");
    passes(Rule::Speech, "src/report/terminal.rs", "fn f() { print!(\"x\"); }");
    passes(Rule::Speech, "src/load/open.rs", "use std::process::ExitCode; fn print(x: u8) -> bool { x != print }");
}

fn function_of(lines: usize) -> String {
    format!("pub fn long(x: [u8; 2])\nwhere\n    u8: Copy,\n{{\n{}}}\n", "    x;\n".repeat(lines - 5))
}

#[test]
fn functions_fit_on_a_screen() {
    bites(Rule::FunctionLength, "src/load/open.rs", &function_of(61));
    bites(Rule::FunctionLength, "tests/it/run.rs", &function_of(61));
    passes(Rule::FunctionLength, "src/load/open.rs", &function_of(60));
    passes(Rule::FunctionLength, "src/load/open.rs", &format!("trait A {{ fn f(); }}\n{}", "\n".repeat(99)));
    passes(Rule::FunctionLength, "src/load/open.rs", &format!("#[cfg(test)]\nmod tests {{\n{}}}", function_of(99)));
}

#[test]
fn files_hold_one_idea() {
    let file = |lines: usize| "// x\n".repeat(lines - 1);
    bites(Rule::FileLength, "src/load/open.rs", &file(351));
    passes(Rule::FileLength, "src/load/open.rs", &file(350));
    passes(Rule::FileLength, "src/load/open/tests.rs", &file(351));
    passes(Rule::FileLength, "src/load/open.rs", &format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", file(350), file(90)));
    bites(Rule::FileLength, "src/load/open.rs", &format!("#[cfg(test)]\nuse x;\n{}", file(351)));
    bites(Rule::FileLengthHard, "src/load/open/tests.rs", &file(451));
    passes(Rule::FileLengthHard, "src/load/open.rs", &file(450));
}

#[test]
fn no_exception_excuses_a_file_beyond_the_hard_limit() {
    let file = Source::new("src/load/open.rs", &"//! x\n".repeat(451));
    let exception = |rule| Exception { rule, path: "src/load/open.rs", reason: "it grew" };
    let found = |rule: Rule| rule.violations(std::slice::from_ref(&file)).pop().unwrap();
    assert!(found(Rule::FileLength).is_excused_by(&exception(Rule::FileLength)));
    assert!(!found(Rule::FileLengthHard).is_excused_by(&exception(Rule::FileLengthHard)));
    assert!(!found(Rule::FileLengthHard).is_excused_by(&exception(Rule::FileLength)));
}

fn struct_of(fields: usize) -> String {
    let mut text = "pub struct Wide<T: Copy> where T: Send {\n".to_owned();
    for n in 0..fields {
        let _ = writeln!(
            text,
            "    /// a: b\n    #[serde(x = \"y\")]\n    pub f{n}: Box<dyn Fn(u8, T) -> std::vec::Vec<u8>>,"
        );
    }
    text + "}\n"
}

#[test]
fn structs_stay_small_outside_spec() {
    bites(Rule::Fields, "src/load/open.rs", &struct_of(13));
    passes(Rule::Fields, "src/load/open.rs", &struct_of(12));
    passes(Rule::Fields, "src/spec/step.rs", &struct_of(30));
    passes(Rule::Fields, "src/load/open.rs", "struct A(u8); struct B;\nstruct C;");
}

#[test]
fn argument_lists_stay_short() {
    bites(Rule::Arguments, "src/load/open.rs", "fn f(&self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8) {}");
    bites(
        Rule::Arguments,
        "src/load/open.rs",
        "fn f<F: Fn(u8)>(a: F, b: u8, (c, d): (u8, u8), e: u8, g: u8, h: &[u8]) {}",
    );
    passes(Rule::Arguments, "src/load/open.rs", "fn f(self: Box<Self>, a: u8, b: u8, c: u8, d: u8, e: u8) {}");
    passes(
        Rule::Arguments,
        "src/load/open.rs",
        "fn f(a: impl Fn(A, B) -> C, A { b: c, .. }: A, e: HashMap<u8, Vec<u8>>) {}",
    );
}

#[test]
fn no_function_takes_a_bool() {
    bites(Rule::Bools, "src/load/open.rs", "pub fn heal(&self, now: bool) {}");
    bites(Rule::Bools, "src/load/open.rs", "pub(crate) async fn heal(now: bool, why: &str) -> bool { true }");
    passes(Rule::Bools, "src/load/open.rs", "fn heal(now: bool) {}");
    passes(Rule::Bools, "src/load/open.rs", "pub fn heal(f: impl Fn(u8) -> bool, g: Option<bool>) -> bool { true }");
}

#[test]
fn every_file_says_what_it_is() {
    let of = |text: &str| Rule::Opening.violations(&[Source::new("src/load/open.rs", text)]).len();
    assert_eq!(of("use x;\n"), 1);
    assert_eq!(of("// A comment.\n"), 1);
    assert_eq!(of("//!\nuse x;"), 1);
    assert_eq!(of(""), 1);
    assert_eq!(of("//! The open engine.\n"), 0);
}

#[test]
fn modules_with_children_live_in_their_folder() {
    let files = |paths: &[&str]| paths.iter().map(|path| Source::new(path, "")).collect::<Vec<_>>();
    assert_eq!(Rule::ModuleFiles.violations(&files(&["src/load.rs", "src/load/open.rs"])).len(), 1);
    assert_eq!(Rule::ModuleFiles.violations(&files(&["src/load/mod.rs", "src/load/open.rs", "src/lo.rs"])).len(), 0);
}

#[test]
fn names_say_something() {
    bites(Rule::Words, "src/load/util.rs", "");
    bites(Rule::Words, "src/load/helpers/a.rs", "");
    bites(Rule::Words, "src/load/shard_manager.rs", "");
    bites(Rule::Words, "src/load/open.rs", "mod common { }");
    bites(Rule::Words, "src/load/open.rs", "pub struct RunManager;");
    bites(Rule::Words, "src/load/open.rs", "struct ClientImpl { a: u8 }");
    passes(Rule::Words, "src/judge/impact.rs", "struct Impact; enum Import { A }");
}
