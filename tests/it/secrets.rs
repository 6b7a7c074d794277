//! Canaries: values of secrets appear in no file, stream or page of a run, in none of their forms.

use std::fs;
use std::path::Path;

use squall::base::digest::base64;

use crate::support::program::Squall;
use crate::support::server::Server;

const TOKEN: &str = "canary/Zq7+wR~9 token";
const PASSWORD: &str = "canary:9pV?&x=1";

/// A value as it is, in base64 (alone and as credentials), and as it stands in an address or a form.
fn forms(value: &str) -> Vec<Vec<u8>> {
    let percent = |plain: fn(u8) -> bool| -> String {
        value.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
    };
    let address = percent(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    let form = address.replace("%20", "+");
    let texts =
        [value.to_owned(), base64(value.as_bytes()), base64(format!("clerk:{value}").as_bytes()), address, form];
    texts.into_iter().map(String::into_bytes).collect()
}

fn search(place: &str, bytes: &[u8]) {
    for value in [TOKEN, PASSWORD] {
        for form in forms(value) {
            let found = bytes.windows(form.len()).any(|window| window == form);
            assert!(!found, "{} in {place}", String::from_utf8_lossy(&form));
        }
    }
}

/// Everything below `folder`; how many files there were.
fn files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            if path.is_dir() {
                return files(&path);
            }
            search(&path.display().to_string(), &fs::read(&path).unwrap());
            1
        })
        .sum()
}

const SCENARIO: &str = r##"(name: "canaries", target: (base: "@BASE@"),
    load: [Open(rate: [Hold(rate: "50/s", for: "2s")])],
    secrets: {"token": Env("CANARY_TOKEN"), "password": File("password.txt")},
    client: (redirects: 2, auth: Basic("clerk", "${secret.password}"), headers: {"x-token": "${secret.token}"}),
    journeys: {"a": (on_failure: Continue, steps: [
        Http(name: "query", url: "/q", query: {"t": "${secret.token}"}, extract: {"none": Json(path: "$.x")}),
        Http(name: "body", method: "POST", url: "/b", body: Json(r#"{"p": "${secret.password}"}"#),
            check: [Body(Contains("absent"))],
            truth: [Ledger(book: "kept", id: Header(name: "content-type"), content: "${secret.token}")]),
        Http(name: "form", method: "POST", url: "/f", body: Form({"p": "${secret.password}"})),
    ])},
    teardown: [Audit(book: "kept", read: (url: "/${id}"), content: Body)],
    checks: ["p99 < 1us", "errors < 1%"])"##;

fn scenario(base: &str) -> String {
    SCENARIO.replace("@BASE@", base)
}

#[test]
fn no_secret_is_in_any_file_or_stream_of_a_run() {
    // The redirect repeats what it was asked with, as servers do.
    let address = String::from_utf8(forms(TOKEN).swap_remove(3)).unwrap();
    for (server, code) in [
        (Server::start(), 1),
        (Server::start().answer(500), 1),
        (Server::start().redirect(&format!("http://other.example/in/{address}?t={address}")), 1),
    ] {
        let text = scenario(server.url().trim_end_matches('/'));
        let ran = Squall::new()
            .file("c.ron", &text)
            .file("password.txt", &format!("{PASSWORD}\n"))
            .env("CANARY_TOKEN", TOKEN)
            .env("RUST_BACKTRACE", "full")
            .env("RUST_LOG", "trace")
            .args(["run", "c.ron", "--skip-preflight", "--json"])
            .run();
        assert!(ran.code() == Some(code) || ran.code() == Some(5), "{:?} {}", ran.code(), ran.stderr());
        assert!(server.requests() >= 300, "the secrets were on their way: {}", server.requests());
        search("stdout", ran.stdout().as_bytes());
        search("stderr", ran.stderr().as_bytes());
        assert!(files(&ran.report()) >= 6);
    }
}

#[test]
fn a_run_that_cannot_begin_tells_no_secret_either() {
    let gone = Server::start().url();
    for command in ["run", "check"] {
        let ran = Squall::new()
            .file("c.ron", &scenario(gone.trim_end_matches('/')))
            .file("password.txt", PASSWORD)
            .env("CANARY_TOKEN", TOKEN)
            .args([command, "c.ron"])
            .run();
        search("stdout", ran.stdout().as_bytes());
        search("stderr", ran.stderr().as_bytes());
    }
}
