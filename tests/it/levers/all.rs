//! One night with every lever that needs no proxy: a cluster, a program, a foreign Toxiproxy, processes that end, more traffic.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::night::{Night, ask, folder, free_port, lines, open, state_of, until};
use crate::support::program::{Running, Squall};
use crate::support::quiet::alone;
use crate::support::target::TOKEN;
use crate::support::throwaway::needs;

const SOON: Duration = Duration::from_secs(60);

fn program(path: &Path, text: &str) -> String {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

/// A client of a cluster that is one file.
const KUBECTL: &str = r#"#!/bin/sh
echo "$@" >> "$HOME/calls"
case "$*" in
  *" apply "*) touch "$HOME/object" ;;
  *" delete "*) rm -f "$HOME/object" ;;
  *" get --ignore-not-found "*) [ -e "$HOME/object" ] && echo configmap/x; exit 0 ;;
  *" get "*) [ -e "$HOME/object" ] ;;
esac
"#;

/// Runs a process of its own with this argument, without being its parent.
fn sleeps(seconds: &str) -> Option<u32> {
    fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        let is_it =
            words.first().is_some_and(|first| first.ends_with(b"sleep")) && words.get(1) == Some(&seconds.as_bytes());
        (is_it && state_of(pid) != 'Z').then_some(pid)
    })
}

/// What the levers act on, beside the target.
struct Stage {
    night: Night,
    home: TempDir,
    other: Running,
    api: SocketAddr,
    sleep: String,
    seconds: String,
}

impl Stage {
    fn set(curl: &Path) -> Self {
        let (night, home, port) = (Night::begin(), tempfile::tempdir().unwrap(), free_port());
        program(&home.path().join("kubectl"), KUBECTL);
        let seconds = format!("{}", 100_000 + std::process::id());
        let sleep = fs::canonicalize(needs("sleep").unwrap()).unwrap().display().to_string();
        // Started by a shell that ends: nobody here is its parent.
        let script = format!("{sleep} {seconds} >/dev/null 2>&1 &");
        assert!(Command::new("sh").args(["-c", &script]).stdin(Stdio::null()).status().unwrap().success());
        let api: SocketAddr = format!("127.0.0.1:{port}").parse().unwrap();
        let other = Squall::new().args(["proxy", "--api", &api.to_string()]).within(Duration::from_secs(150)).start();
        until(SOON, || ask(api, "GET", "/version", None));
        let body = format!(r#"{{"name":"db","upstream":"{}"}}"#, night.target.address());
        let made = Command::new(curl).args(["-sf", "-d", &body, &format!("http://{api}/proxies")]).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        Self { night, home, other, api, sleep, seconds }
    }

    fn acts(&self, curl: &Path) -> [String; 5] {
        let (api, sleep, seconds) = (self.api, &self.sleep, &self.seconds);
        let put = format!(
            "#!/bin/sh\necho \"with $TOKEN\"\n[ -z \"$SMALL_TOKEN\" ] || exit 9\nexec {} -sf -X PUT -H \"Authorization: Bearer $TOKEN\" -d \"$1\" http://{}/admin/flag\n",
            curl.display(),
            self.night.target.address()
        );
        let put = program(&self.home.path().join("put"), &put);
        let act = |name: &str, rest: &str| {
            format!(r#"(name: "{name}", when: At("0s"), does: Technical({rest}, lease: "5s", owner: Controller))"#)
        };
        let once = r#"proof: Touched(at_least: 1, within: "5s")"#;
        let kube = format!(r#"apply: Kube(context: "staging", namespace: "shop", manifest: "chaos.yaml"), {once}"#);
        let command = format!(
            r##"apply: Command(argv: ["{put}", r#"{{"on":true}}"#], env: {{"TOKEN": "$SMALL_TOKEN"}}),
            revert: Command(argv: ["{put}", r#"{{"on":false}}"#], env: {{"TOKEN": "$SMALL_TOKEN"}}, timeout: "5s"),
            proof: Probe(get: "/admin/state", at: "$.flag", is: "true", within: "5s")"##
        );
        let foreign = format!(
            r##"apply: Toxiproxy(url: "http://{api}", proxy: "db", toxic: r#"{{"type":"latency","attributes":{{"latency":20}}}}"#), {once}"##
        );
        let ended = format!(
            r#"apply: Process(pick: Command(exe: "{sleep}", args_contain: "{seconds}", expect: 1), does: Kill(Term),
            revive: Start(["{sleep}", "{seconds}"])), {once}"#
        );
        let crowd = r#"apply: Load(times: 3.0, lasts: "4s | 4s"), proof: Touched(at_least: 100, within: "5s")"#;
        [
            act("cluster", &kube),
            act("program", &command),
            act("foreign", &foreign),
            act("ended", &ended),
            act("crowd", crowd),
        ]
    }

    fn toxics(&self) -> String {
        ask(self.api, "GET", "/proxies/db/toxics", None).unwrap_or_default()
    }

    fn object(&self) -> bool {
        self.home.path().join("object").exists()
    }
}

#[test]
fn every_lever_is_pulled_seen_and_healed_and_no_secret_is_written() {
    let Some(curl) = needs("curl") else { return };
    let _lock = alone();
    let stage = Stage::set(&curl);
    let before = until(SOON, || sleeps(&stage.seconds));
    let acts = stage.acts(&curl);
    let list: Vec<&str> = acts.iter().map(String::as_str).collect();
    let path = format!("{}:{}", stage.home.path().display(), env::var("PATH").unwrap());
    let running = Night::prepared(&stage.night.file(&list, 10))
        .file("chaos.yaml", "kind: ConfigMap\n")
        .env("PATH", &path)
        .env("HOME", stage.home.path().to_str().unwrap())
        .args(["drill", "small_night.ron"])
        .within(Duration::from_secs(150))
        .start();
    let run = until(SOON, || folder(&running));
    until(SOON, || {
        let on = stage.object() && stage.night.target.flag() && stage.toxics().contains("latency_downstream");
        (on && sleeps(&stage.seconds).is_none()).then_some(())
    });
    let ran = running.ends().exits(0);
    let again = sleeps(&stage.seconds).expect("it was started again");
    assert_ne!(again, before);
    let again = Pid::from_raw(i32::try_from(again).unwrap()).unwrap();
    kill_process(again, Signal::KILL).unwrap();
    assert!(!stage.object() && !stage.night.target.flag() && !stage.toxics().contains("latency"));
    let calls = fs::read_to_string(stage.home.path().join("calls")).unwrap();
    assert!(calls.lines().all(|line| line.starts_with("--context staging --namespace shop ")), "{calls}");
    assert!(open(&run).is_empty());
    let journal = lines(&run.join("journal.jsonl"));
    let proofs: Vec<&Value> =
        journal.iter().filter(|line| line["kind"] == "injected").map(|line| &line["data"]).collect();
    assert!(proofs.len() == 5 && proofs.iter().all(|one| one["proved"] == true), "{proofs:#?}");
    let output = fs::read_to_string(run.join("program.output.txt")).unwrap();
    assert!(output.contains("with ***"), "{output}");
    for entry in fs::read_dir(&run).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        let bytes = fs::read(entry.path()).unwrap();
        let has = bytes.windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes());
        assert!(!has, "the token is in {:?}", entry.path());
    }
    stage.other.signal(Signal::TERM);
    stage.other.ends().exits(143);
    drop(ran);
}
